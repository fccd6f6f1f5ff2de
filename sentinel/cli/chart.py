"""A line chart for the terminal, out of Braille dots: two columns and four rows of them in each character."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

#: The bit of each dot of a Braille character, by column and row (Unicode chapter 21.1).
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Line:
    """One series to draw.

    Args:
        name: for the legend.
        points: Unix seconds and value, in the order of time; what is not finite is a gap.
    """

    name: str
    points: Sequence[tuple[float, float]]

    @property
    def finite(self) -> list[float]:
        """The values that can be drawn."""
        return [value for _, value in self.points if math.isfinite(value)]


@dataclass(frozen=True, slots=True)
class Run:
    """Some characters of one row, and which line they belong to; None is the frame."""

    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Canvas:
    """The area of the plot in dots, and what its edges mean.

    Args:
        columns: of characters.
        rows: of characters.
        begin: Unix seconds at the left edge.
        end: at the right one.
        least: value at the bottom.
        most: value at the top.
    """

    columns: int
    rows: int
    begin: float
    end: float
    least: float
    most: float

    def dot(self, time: float, value: float) -> tuple[int, int]:
        """Return the dot of a point, counted from the left and from the top."""
        right, down = self.columns * 2 - 1, self.rows * 4 - 1
        across = (time - self.begin) / (self.end - self.begin) if self.end > self.begin else 1.0
        # Halved, so that the distance of two huge values is still a number.
        up = (value / 2 - self.least / 2) / (self.most / 2 - self.least / 2)
        return round(across * right), round((1 - up) * down)


def draw(lines: Sequence[Line], begin: float, end: float, step: float, width: int, height: int) -> list[list[Run]]:
    """Return the rows of a chart, from the top.

    Args:
        lines: later ones are drawn over earlier ones.
        begin: Unix seconds at the left.
        end: at the right.
        step: distance of the points; where the next one is further away, there is a gap.
        width: of the whole in characters.
        height: of the plot in rows.
    """
    values = [value for line in lines for value in line.finite]
    least, most = _bounds(values)
    scale = {0: f"{most:.4g}", height // 2: f"{most / 2 + least / 2:.4g}", height - 1: f"{least:.4g}"}
    margin = max(map(len, scale.values()))
    canvas = Canvas(max(width - margin - 2, 8), height, begin, end, least, most)
    cells: dict[tuple[int, int], tuple[int, int]] = {}
    for number, line in enumerate(lines):
        for across, down in _dots(canvas, line, step):
            place = down // 4, across // 2
            bits, _ = cells.get(place, (0, number))
            cells[place] = bits | _BITS[across % 2][down % 4], number
    rows = [
        [Run(f"{scale.get(row, ''):>{margin}} ┤"), *_runs(cells.get((row, column)) for column in range(canvas.columns))]
        for row in range(height)
    ]
    left, right = _clock(begin, end - begin), _clock(end, end - begin)
    return [
        *rows,
        [Run(f"{'':>{margin}} └{'─' * canvas.columns}")],
        [Run(f"{'':>{margin}}  {left}{right:>{max(canvas.columns - len(left), len(right) + 1)}}")],
    ]


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """Return bottom and top: what there is, or some room around a single value."""
    least, most = min(values, default=0.0), max(values, default=1.0)
    if least / 2 == most / 2:
        room = abs(least) / 10 or 1.0
        return max(least - room, -1.7e308), min(most + room, 1.7e308)
    return least, most


def _dots(canvas: Canvas, line: Line, step: float) -> Iterator[tuple[int, int]]:
    """Yield the dots of a line, points that follow one another joined."""
    before: tuple[float, tuple[int, int]] | None = None
    for time, value in line.points:
        if not math.isfinite(value):
            before = None
            continue
        dot = canvas.dot(time, value)
        if before is not None and time - before[0] <= step * 1.5:
            yield from _between(before[1], dot)
        yield dot
        before = time, dot


def _between(one: tuple[int, int], other: tuple[int, int]) -> Iterator[tuple[int, int]]:
    steps = max(abs(other[0] - one[0]), abs(other[1] - one[1]))
    for at in range(1, steps):
        yield (
            one[0] + round((other[0] - one[0]) * at / steps),
            one[1] + round((other[1] - one[1]) * at / steps),
        )


def _runs(cells: Iterable[tuple[int, int] | None]) -> Iterator[Run]:
    """Join neighbours of the same line."""
    text, of = "", None
    for cell in cells:
        bits, line = cell or (0, of)
        if line != of:
            yield Run(text, of)
            text, of = "", line
        text += chr(_BRAILLE + bits) if bits else " "
    yield Run(text.rstrip(), of)


def _clock(seconds: float, span: float) -> str:
    """Write an instant as short as the span allows."""
    at = datetime.fromtimestamp(seconds, UTC)
    if span > _DAY:
        return f"{at:%Y-%m-%d %H:%M} UTC"
    return f"{at:%H:%M:%S} UTC" if span < 600 else f"{at:%H:%M} UTC"
