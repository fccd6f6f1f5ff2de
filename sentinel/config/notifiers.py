"""Notifiers: entries under `notifiers:` become notifiers."""

from __future__ import annotations

from sentinel.config.build import Builder
from sentinel.notifiers.notifier import Notifier


def build_notifiers(builder: Builder) -> dict[str, Notifier]:
    """Return the notifiers by name; what is wrong is reported."""
    found = {}
    for name, entry in builder.gathered.of("notifiers").items():
        if (read := builder.read(entry)) and (keys := read.keys):
            if keys.rate_limit and not read.kind.DIGESTS:
                says = f"rate_limit: {read.word} keeps an issue for each group; nothing would resolve that of a digest"
                fix = "drop it; a wider group_by makes fewer messages"
                builder.report(read, "rate_limit", "notifier/rate-limit", says, fix)
            found[name] = Notifier(
                name,
                read.kind,
                read.word,
                fallback=keys.fallback,
                tries=keys.tries,
                rate_limit=keys.rate_limit,
                position=entry.key.position,
                was=keys.was or "",
            )
    return found
