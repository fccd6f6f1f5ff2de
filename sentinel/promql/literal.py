"""Numbers, durations and strings, as PromQL writes them."""

from __future__ import annotations

import math
import re
from functools import lru_cache

#: Milliseconds of each unit, longest first, which is also the order in which they must be written.
UNITS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}

_OCTAL = re.compile(r"0[0-7]+")
_PART = re.compile(r"(\d+)(ms|[ywdhms])")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))", re.DOTALL
)
_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
#: Prometheus counts in 64 bits of nanoseconds, so no length can be longer.
_LONGEST_MS = 292 * UNITS["y"]


@lru_cache(1024)
def duration_ms(text: str) -> int:
    """Return the milliseconds of `1h30m`.

    Raises:
        ValueError: units repeat, are out of order, or the whole is longer than 292 years.
    """
    parts = _PART.findall(text)
    places = [list(UNITS).index(unit) for _, unit in parts]
    if not parts or sorted(set(places)) != places:
        raise ValueError(f"{text} is not a duration: units go from large to small, each once, as in 1h30m")
    total = sum(int(count) * UNITS[unit] for count, unit in parts)
    if total > _LONGEST_MS:
        raise ValueError(f"{text} is longer than 292 years")
    return total


def write_duration(ms: int) -> str:
    """Write milliseconds the short way: 5400000 is `1h30m`."""
    if ms == 0:
        return "0s"
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    written = []
    for unit, size in UNITS.items():
        # Weeks and years only where nothing remains: 10d reads better than 1w3d.
        if unit in ("y", "w") and ms % size:
            continue
        count, ms = divmod(ms, size)
        if count:
            written.append(f"{count}{unit}")
    return sign + "".join(written)


def number(text: str) -> float:
    """Return the value of a number as Go reads it: `0x1F`, `0755` (octal), `1_000`, `1e3`, `Inf`, `NaN`.

    Raises:
        ValueError: it is none.
    """
    plain = text.replace("_", "").lower()
    if plain in ("inf", "+inf"):
        return math.inf
    if plain == "nan":
        return math.nan
    if plain.startswith("0x"):
        return float(int(plain, 16))
    if plain.startswith("0") and _OCTAL.fullmatch(plain):
        return float(int(plain, 8))
    return float(plain)


def signed(sign: str, value: float) -> float:
    """Return the value with a sign before it; NaN stays the one NaN, so that equal trees compare as equal."""
    return -value if sign == "-" and not math.isnan(value) else value


def write_number(value: float) -> str:
    """Write a number so that PromQL reads the same one."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 and str(value) != "-0.0" else repr(value)


def unquote(text: str) -> str:
    r"""Return what a quoted string means; bytes that are no UTF-8 (`"\xff"`) become lone surrogates.

    Raises:
        ValueError: an escape that Go does not know.
    """
    inner = text[1:-1]
    if text[0] == "`" or "\\" not in inner:
        return inner
    other = '"' if text[0] == "'" else "'"

    def meant(match: re.Match[str]) -> bytes:
        simple, octal, byte, short, long, unknown = match.groups()
        if unknown is not None or simple == other:
            raise ValueError(f"unknown escape sequence {match.group()}")
        if simple is not None:
            return _SIMPLE[simple].encode()
        if octal or byte:
            code = int(octal, 8) if octal else int(byte, 16)
            if code > 255:
                raise ValueError(f"{match.group()} is larger than a byte")
            return bytes([code])
        point = int(short or long, 16)
        if point > 0x10FFFF or 0xD800 <= point < 0xE000:
            raise ValueError(f"{match.group()} is not a character")
        return chr(point).encode()

    pieces, at = [], 0
    for match in _ESCAPE.finditer(inner):
        pieces += [inner[at : match.start()].encode("utf-8", "surrogatepass"), meant(match)]
        at = match.end()
    pieces.append(inner[at:].encode("utf-8", "surrogatepass"))
    return b"".join(pieces).decode("utf-8", "surrogateescape")


_QUOTED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(text: str) -> str:
    """Write a string so that `unquote` gives it back."""
    written = []
    for char in text:
        code = ord(char)
        if char in _QUOTED:
            written.append(_QUOTED[char])
        elif 0xDC80 <= code <= 0xDCFF:
            written.append(f"\\x{code - 0xDC00:02x}")
        elif code < 0x20 or code == 0x7F:
            written.append(f"\\x{code:02x}")
        else:
            written.append(char)
    return '"' + "".join(written) + '"'
