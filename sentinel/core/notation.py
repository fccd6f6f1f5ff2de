"""Series notation: the values of a series, in few characters.

    1 2 3        three values
    0+10x5       0, and five times 10 more: 0 10 20 30 40 50
    100-20x2     100 80 60
    7x3          7, and three times the same: 7 7 7 7
    _            no value at this time; `_x3` is three of them
    stale        the series ends here; NaN, Inf and -Inf are values

The same as in the tests of Prometheus and `promtool`.
"""

from __future__ import annotations

import re

#: A place without a sample.
GAP = None
#: A stale marker, before it becomes the bits that the store knows.
STALE_MARK = "stale"

#: A value of a series: a number, a gap, or the mark of its end.
Value = float | str | None

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?[iI]nf|[nN]a[nN]"
_TOKEN = re.compile(rf"(?P<first>{_NUMBER})(?:(?P<step>[+-](?:{_NUMBER}))?x(?P<times>\d+))?")
_GAP = re.compile(r"_(?:x(?P<times>\d+))?")

#: A typing error such as `0+1x1000000000` should not fill the memory.
_MOST = 1_000_000


def parse_values(text: str) -> list[Value]:
    """Read the values of one series.

    Raises:
        ValueError: a word is none of the above; the text names it.
    """
    values: list[Value] = []
    for word in text.split():
        values += _word(word)
        if len(values) > _MOST:
            raise ValueError(f'"{word}" makes more than {_MOST:,} values')
    return values


def _word(word: str) -> list[Value]:
    if word == STALE_MARK:
        return [STALE_MARK]
    if gap := _GAP.fullmatch(word):
        return [GAP] * _times(gap["times"] or "1", word)
    found = _TOKEN.fullmatch(word)
    if not found:
        raise ValueError(f'"{word}" is not a value of a series; write 1, 0+10x5, 7x3, _ or stale')
    first = float(found["first"])
    if found["times"] is None:
        return [first]
    growth = float(found["step"] or 0)
    return [first + growth * index for index in range(_times(found["times"], word) + 1)]


def _times(digits: str, word: str) -> int:
    times = int(digits)
    if times > _MOST:
        raise ValueError(f'"{word}" makes more than {_MOST:,} values')
    return times
