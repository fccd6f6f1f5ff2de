"""How the page writes times and links."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

_DAY = timedelta(days=1)


def iso(instant: datetime | str | None) -> str:
    """Write an instant for machines and tooltips."""
    if instant is None:
        return ""
    return instant if isinstance(instant, str) else instant.strftime("%Y-%m-%d %H:%M:%SZ")


def clock(instant: datetime | None, now: datetime) -> str:
    """Write when something was: the time of today, the date before; in UTC, as in every message."""
    if instant is None:
        return "never"
    if abs(now - instant) < _DAY and now.date() == instant.date():
        return f"{instant:%H:%M:%S}"
    return f"{instant:%d %b %H:%M}" if instant.year == now.year else f"{instant:%d %b %Y}"


def length(duration: timedelta) -> str:
    """Write how long something took, in its two greatest units: `2 h 5 min`."""
    seconds = round(abs(duration).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    for unit, size, below, smaller in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            return f"{whole} {unit} {rest // smaller} {below}" if rest // smaller and whole < 10 else f"{whole} {unit}"
    return f"{seconds} s"


def ago(instant: datetime | None, now: datetime) -> str:
    """Write how long ago something was, or in how long it will be."""
    if instant is None:
        return "never"
    if abs(now - instant) < timedelta(seconds=1):
        return "just now"
    return f"{length(now - instant)} ago" if instant < now else f"in {length(now - instant)}"


def seconds(took: float) -> str:
    """Write a short time with three digits: `23 ms`, `1.24 s`."""
    if took < 0.001:
        return f"{took * 1e6:.0f} µs"
    if took < 1:
        return f"{took * 1000:.3g} ms"
    return f"{took:.3g} s" if took < 100 else f"{took:.0f} s"


def link(url: str) -> str:
    """Return a link that is safe to follow: http, https and mailto only; anything else goes nowhere."""
    return url if urlsplit(url).scheme in ("http", "https", "mailto") else "#"


def sentence(text: str) -> str:
    """Begin with a capital, whatever the rule's author wrote."""
    return text[:1].upper() + text[1:]
