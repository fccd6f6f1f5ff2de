"""Meant: what people mean by a value that cannot be read: units, times, places and words of other programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from sentinel.core.quantity import UNIT_OF_WORD
from sentinel.core.severity import Severity

#: What is longer is no value that somebody mistyped.
_LONGEST = 200


class Meant(NamedTuple):
    """What was meant.

    Args:
        text: to write in its place, or a sentence.
        sure: whether nothing else can have been meant, so that `check --fix` may write it.
    """

    text: str
    sure: bool = True


_PERIODS = {"s": "s", "m": "min", "h": "h", "d": "d", "w": "w"}
_RATES = {"rps": "s", "qps": "s", "tps": "s", "rpm": "min"}
_SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(
        ("page", "crit", "fatal", "emergency", "emerg", "alert", "p1", "sev1", "disaster"), Severity.CRITICAL
    ),
    **dict.fromkeys(("err", "major", "high", "p2", "sev2"), Severity.ERROR),
    **dict.fromkeys(("warn", "ticket", "minor", "average", "medium", "p3", "sev3"), Severity.WARNING),
    **dict.fromkeys(("notice", "low", "none", "information", "informational", "p4", "p5"), Severity.INFO),
}
#: Severities of others whose names begin like ours, so that nothing else can be meant.
_SAME_WORD = ("crit", "err", "warn", "information", "informational")
_CRONS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_GERMAN = {"mo": "mon", "di": "tue", "mi": "wed", "do": "thu", "fr": "fri", "sa": "sat", "so": "sun"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def meant(says: str, text: str) -> Meant | None:
    """Return what was meant by a value, from what is wrong with it; None where nobody can know."""
    if len(text) > _LONGEST:
        return None
    if re.match("[\u201c\u201d\u201e\u2018\u2019]", text):
        return Meant("plain quotes, or none", sure=False)
    if (other := re.search("should be a URL such as (?!http)(\\w+)://", says)) is not None:
        return _reference(text) or Meant(f"{other[1]}:// at its beginning", sure=False)
    for wrong, read in _READERS:
        if wrong in says and (found := read(text.strip())) is not None:
            return found
    return None


def _duration(text: str) -> Meant | None:
    if text.isdigit() and int(text) >= 100:
        return Meant(f"{text}ms, {text}s or {text}m", sure=False)
    word = UNIT_OF_WORD.get(text.lower())
    return Meant(f"1{word}") if word else None


def _quantity(text: str) -> Meant | None:
    found = re.fullmatch(r"([+-]?[\d.]+)\s*(/|per\s+)?\s*([a-zA-Z]+)(?:/([a-zA-Z]+))?", text)
    if found is None:
        return None
    number, per, word, period = found[1], found[2], found[3].lower(), (found[4] or "").lower()
    if per or period or word in _RATES:
        unit = UNIT_OF_WORD.get(period or word, period or word)
        name = _RATES.get(word) or _PERIODS.get(unit)
        amount = f"{number}{found[3]}" if period and word not in _RATES else number
        return Meant(f"{amount}/{name}", sure=unit != "m" or word != "m") if name else None
    if word in UNIT_OF_WORD:
        return Meant(f"{number}{UNIT_OF_WORD[word]}")
    if word in ("percent", "pct", "prozent"):
        return Meant(f"{number}%")
    if word in ("x", "times"):
        return Meant(number)
    if size := re.fullmatch(r"([kmgt])(i?)(b?|bytes?)", word):
        prefix = size[1] if size[1] == "k" and not size[2] else size[1].upper()
        return Meant(f"{number}{prefix}{size[2]}B", sure=bool(size[3]))
    return Meant(f"{number}B") if word in ("byte", "bytes") else None


def _percentile(text: str) -> Meant | None:
    if re.fullmatch(r"0?\.\d+", text):
        return Meant(f"{float(text) * 100:g}")
    found = re.fullmatch(r"[pP](\d{1,2}(?:\.\d+)?)|(\d{1,2}(?:\.\d+)?) ?%", text)
    return Meant(found[1] or found[2]) if found else None


def _share(text: str) -> Meant | None:
    return Meant(f"{text}%") if re.fullmatch(r"\d{2}(?:\.\d+)?", text) else None


def _severity(text: str) -> Meant | None:
    word = text.lower()
    if several := [one for one in re.split(r"[,|/\s]+", word) if one][1:] and re.split(r"[,|/\s]+", word):
        known = all(one in map(str, Severity) for one in several)
        return Meant(f"[{', '.join(several)}]") if known else None
    if at_least := re.fullmatch(r">=?\s*(info|warning|error|critical)", word):
        return Meant(f"{at_least[1]}+", sure="=" in word)
    level = _SEVERITIES.get(word)
    return Meant(str(level), sure=word in _SAME_WORD) if level is not None else None


def _cron(text: str) -> Meant | None:
    if text.lower() in _CRONS:
        return Meant(_CRONS[text.lower()])
    fields = text.split()
    if len(fields) == 6 and re.fullmatch(r"0|\*|\?", fields[0]):
        return Meant(" ".join(fields[1:]).replace("?", "*"), sure=fields[0] == "0")
    if len(fields) == 6:
        return Meant("five fields, without the seconds", sure=False)
    return Meant(text.replace("?", "*")) if "?" in fields else None


def _zone(text: str) -> Meant | None:
    names = _zones()
    if (found := names.get(text.lower().replace(" ", "_"))) is not None:
        return Meant(found)
    if "/" not in text and len(text) < 6:
        return None  # CEST is nobody's name for a place
    from difflib import get_close_matches

    near = get_close_matches(text.lower(), names, n=2, cutoff=0.85)
    return Meant(names[near[0]], sure=len(near) == 1) if near else None


@cache
def _zones() -> dict[str, str]:
    from zoneinfo import available_timezones

    return {name.lower(): name for name in sorted(available_timezones())}


def _days(text: str) -> Meant | None:
    names = [_day(part) for part in re.split(r"\s*(?:-|–|\bto\b|\bbis\b)\s*", text.lower())]
    if text.lower() in ("weekdays", "workdays", "working days"):
        return Meant("mon-fri")
    if text.lower() in ("weekend", "weekends"):
        return Meant("sat-sun")
    return Meant("-".join(names)) if all(names) and len(names) <= 2 else None


def _day(word: str) -> str:
    full = next((day for day in _DAYS if len(word) >= 3 and day.startswith(word)), "")
    return full[:3] or _GERMAN.get(word, "")


def _clock(text: str) -> Meant | None:
    found = re.fullmatch(r"(\d{1,2})(?:[.:h](\d{2}))?(?::\d{2})?\s*(am|pm|a\.m\.|p\.m\.|uhr|h)?", text.lower())
    if found is None:
        return None
    hour, minute, half = int(found[1]), found[2] or "00", (found[3] or "")[:1]
    if half in ("a", "p") and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "p" else 0) if half in ("a", "p") else hour
    return Meant(f"{hour:02}:{minute}") if hour <= 24 and int(minute) < 60 else None


def _url(text: str) -> Meant | None:
    if reference := _reference(text):
        return reference
    if re.search(r"\s", text):
        return Meant("%20 for a blank", sure=False)
    if wrong := re.match(r"(\w+):/{0,2}", text):
        scheme = wrong[1].lower()
        if scheme in ("http", "https"):
            return Meant(f"{scheme}:// at its beginning", sure=False)
        if text.startswith(f"{wrong[1]}://") and scheme[:2] == "ht":
            return Meant("https:// or http:// at its beginning", sure=False)
    return Meant("https:// or http:// before it", sure=False) if re.match(r"[\w.-]+(?::\d+)?(?:/|$)", text) else None


def _reference(text: str) -> Meant | None:
    if text.startswith("${") and "}" not in text:
        return Meant("} behind the name", sure=False)
    found = re.match(r"\$\{?([A-Za-z_]\w*)\}?|\{\{ *\.?(?:\w+\.)*([A-Za-z_]\w*) *\}\}", text)
    if found is None:
        return None
    wanted = f"${{{(found[1] or found[2]).upper()}}}"
    return Meant(f"{wanted}{text[found.end() :]}") if wanted != found.group() else None


def _address(text: str) -> Meant | None:
    found = re.fullmatch(r"\w+://([^/\s@]+)/?[^\s]*", text)
    return Meant(found[1]) if found else None


def _path(text: str) -> Meant | None:
    if re.match(r"\$\.?\w", text):
        return Meant(re.sub(r"\[(['\"])(\w+)\1\]", r".\2", re.sub(r"^\$\.?", "", text)))
    return Meant(text.lstrip(".")) if re.fullmatch(r"\.\w[\w.]*", text) else None


def _list(text: str) -> Meant | None:
    if re.fullmatch(r"[^\s,;\[\]{}\"']+(?:\s*[,;]\s*[^\s,;\[\]{}\"']+)+", text):
        return Meant(f"[{', '.join(re.split(r'[,;]', text.replace(' ', '')))}]")
    return None


def _words(text: str) -> Meant | None:
    if (listed := _list(text)) is not None:
        return listed
    if re.fullmatch(r"[\w./%:=-]+(?: [\w./%:=-]+)+", text):
        return Meant(f"[{', '.join(text.split(' '))}]")
    return Meant(f"[{text}]") if re.fullmatch(r"[\w./@+-]+", text) else None


def _mapping(text: str) -> Meant | None:
    pairs = re.findall(r"([A-Za-z_]\w*) *= *\"?([\w./-]+)\"?(?:, *|$)", text)
    whole = ", ".join(f"{name}={value}" for name, value in pairs)
    same = re.sub(r"[\s\"]", "", text).rstrip(",") == whole.replace(" ", "")
    return Meant(f"{{{', '.join(f'{name}: {value}' for name, value in pairs)}}}") if pairs and same else None


_READERS: tuple[tuple[str, Callable[[str], Meant | None]], ...] = (
    ("has no unit", _duration),
    ("is not a duration", _duration),
    ("is not a unit", _quantity),
    ("no rate is per", _quantity),
    ("a rate has no unit", _quantity),
    ("is not a quantity", _quantity),
    ("is not a number of messages", _quantity),
    ("should be a percentile", _percentile),
    ("should be a number", _percentile),
    ("should be a share between", _share),
    ("is not a severity", _severity),
    ('should be "off", "info"', _severity),
    ("is not a cron expression", _cron),
    ("is not a time zone", _zone),
    ("is not a day or a range", _days),
    ("is not a time of day", _clock),
    ("should be a URL", _url),
    ("is not an address such as db", _address),
    ("is not a host", _address),
    ("is not a path into JSON", _path),
    ("is not a label's name", _list),
    ("should be a list", _words),
    ("should be a mapping", _mapping),
)
