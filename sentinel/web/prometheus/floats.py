"""Numbers as Go writes them, so that an answer is the same text that Prometheus would send."""

from __future__ import annotations

import math
from decimal import Decimal


def go_float(value: float) -> str:
    """Write a sample's value: plainly, with an exponent only where it is very small or very large."""
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    if "e" not in text and "n" not in text:  # the common case: digits, and no inf or nan
        return text
    return text if 0 < abs(value) < 1e-6 or 1e21 <= abs(value) < math.inf else go_plain(value)


def go_floats(values: list[float]) -> list[str]:
    """Write many samples' values at once, several times as fast where no one has an exponent."""
    text = str(values)[1:-1]
    if not values or "e" in text or "n" in text:
        return [go_float(value) for value in values]
    return f"{text}, ".replace(".0, ", ", ")[:-2].split(", ")


def go_plain(value: float) -> str:
    """Write a scalar: never with an exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value:+}".replace("inf", "Inf")
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def go_exponent(value: float) -> str:
    """Write an alert's value: always with an exponent."""
    if not math.isfinite(value):
        return go_plain(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    exponent = exponent + len(digits) - 1 if value else 0
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    fraction = f".{shown[1:]}" if shown[1:] else ""
    return f"{'-' if sign else ''}{shown[0]}{fraction}e{exponent:+03d}"


def go_seconds(ms: int) -> str:
    """Write milliseconds as seconds: `12`, or `12.050` where they are not whole."""
    seconds, rest = divmod(abs(ms), 1000)
    return f"{'-' if ms < 0 else ''}{seconds}{f'.{rest:03d}' if rest else ''}"
