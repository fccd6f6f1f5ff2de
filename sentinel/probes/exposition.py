"""The text that Prometheus's clients expose: text format 0.0.4 and OpenMetrics 1.0, with UTF-8 names.

    # TYPE purchases_total counter
    purchases_total{status="paid"} 1027 1395066363000
    {"http.requests", method="get"} 3

A service shows the same series again and again, so what stands before a value is taken apart once and remembered
(`Known`); after the first look a line costs a look-up and a `float`.
Sources: prometheus.io/docs/instrumenting/exposition_formats, github.com/prometheus/OpenMetrics (1.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from sys import intern

from sentinel.core.sample import Sample
from sentinel.probes.counters import Series, beginnings, counting, group_of
from sentinel.probes.extract import shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(
    r'\s*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\]|\\.)*)")\s*'  # a name, or a quoted one
    r'(?:=\s*"((?:[^"\\]|\\.)*)"\s*)?'  # its value; a quoted name without one is the metric's
    r"(,?)\s*"
)
#: A line as clients write it, without escapes, blanks or quoted names: taken apart in one go.
_PLAIN_LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="[^"\\]*",?)*\})?)[ \t]+([^{].*)')
_PLAIN_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*)"')
_COMMENT = re.compile(r'#[ \t]+(TYPE|HELP|UNIT)[ \t]+(?:"((?:[^"\\]|\\.)*)"|(\S+))(?:[ \t]+(.*))?')
_ESCAPE = re.compile(r"\\(.)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)
_TYPES = {"counter", "gauge", "histogram", "gaugehistogram", "summary", "untyped", "unknown", "info", "stateset"}
#: What stood before values on earlier looks, by its text.
Known = dict[str, Series]


def parse_exposition(text: str, *, openmetrics: bool = False, known: Known | None = None) -> list[Sample]:
    """Return the samples of an exposition, in its order; a series that is written twice counts as first written.

    Args:
        text: the body, decoded.
        openmetrics: whether it is OpenMetrics, as its content type says.
        known: what was remembered of earlier looks at the same target; left holding what this one shows, no more.

    Raises:
        ValueError: it is no exposition; the text says in which line, and what was expected.
    """
    remembered = known if known is not None else {}
    lines = text.split("\n")
    if openmetrics:
        lines = _without_end(lines)
    reader = _Reader(remembered, openmetrics)
    for number, line in enumerate(lines, start=1):
        try:
            reader.read(line)
        except ValueError as exc:
            raise ValueError(f"line {number}: {exc}: {shown(line)}") from None
    remembered.clear()
    remembered.update(reader.seen)
    return _flagged(reader)


def _without_end(lines: list[str]) -> list[str]:
    if lines and not lines[-1]:
        lines.pop()
    if not lines or lines.pop() != "# EOF":
        raise ValueError('cut off: OpenMetrics ends with the line "# EOF"')
    return lines


class _Reader:
    """Takes lines one by one; holds what one exposition has shown so far."""

    def __init__(self, known: Known, openmetrics: bool) -> None:
        self._known, self._openmetrics = known, openmetrics
        self.seen: Known = {}
        self.types: dict[str, str] = {}
        self.rows: list[tuple[Series, float, datetime | None]] = []

    def read(self, line: str) -> None:
        """Take one line.

        Raises:
            ValueError: it is neither a sample nor a comment.
        """
        # The common line: a key that was seen before, one blank, a value.
        key, _, rest = line.rpartition(" ")
        series = self._known.get(key)
        if series is None or not rest:
            line = line.strip(" \t\r")
            if not line:
                return
            if line[0] == "#":
                self._comment(line)
                return
            key, rest = _split(line)
            series = self._known.get(key) or _series(key)
        if key in self.seen:
            return
        self.seen[key] = series
        value, at = self._value(rest)
        self.rows.append((series, value, at))

    def _comment(self, line: str) -> None:
        found = _COMMENT.fullmatch(line)
        if found is None or found[1] != "TYPE":
            return
        name = _unescaped(found[2]) if found[2] is not None else found[3]
        word = (found[4] or "").strip().lower()
        if word not in _TYPES:
            raise ValueError(f"expected one of {', '.join(sorted(_TYPES))} as type")
        self.types[name] = word

    def _value(self, text: str) -> tuple[float, datetime | None]:
        if " # " in text or text.startswith("# "):  # an exemplar, which OpenMetrics hangs behind
            text = text.partition("#")[0]
        parts = text.split()
        if not 1 <= len(parts) <= 2:
            raise ValueError("expected a value, and at most a time, behind the name")
        return _number(parts[0], "value"), self._time(parts[1]) if len(parts) == 2 else None

    def _time(self, text: str) -> datetime:
        given = _number(text, "time")
        try:
            return _EPOCH + (timedelta(seconds=given) if self._openmetrics else timedelta(milliseconds=given))
        except (OverflowError, ValueError):
            raise ValueError(f"{text} is no time") from None


def _number(text: str, what: str) -> float:
    try:
        return float(text) if "_" not in text else _refuse(text, what)
    except ValueError:
        return _refuse(text, what)


def _refuse(text: str, what: str) -> float:
    raise ValueError(f"expected a number as {what}, not {shown(text)}")


def _split(line: str) -> tuple[str, str]:
    """Part a line behind the name and its labels."""
    if plain := _PLAIN_LINE.fullmatch(line):
        return plain[1], plain[2]
    brace = line.find("{")
    if brace < 0 or (brace and not _NAME.fullmatch(line[:brace].rstrip(" \t"))):
        name, *rest = line.split(maxsplit=1)
        if not rest:
            raise ValueError("expected a value behind the name")
        return name, rest[0]
    position = brace + 1
    while position < len(line) and line[position] != "}":
        found = _LABEL.match(line, position)
        if found is None or found.end() == position:
            break
        position = found.end()
        if not found[4]:
            break
    while position < len(line) and line[position] in " \t":
        position += 1
    if position >= len(line) or line[position] != "}":
        raise ValueError('expected labels such as {status="paid", code="200"}')
    return line[: position + 1], line[position + 1 :]


def _series(key: str) -> Series:
    """Take apart what stands before a value."""
    name, brace, inner = key.partition("{")
    name = name.rstrip(" \t")
    if name and not _NAME.fullmatch(name):
        raise ValueError("expected the name of a metric")
    pairs: list[tuple[str, str | None]] = list(_PLAIN_LABEL.findall(inner))
    if sum(len(label) + len(value or "") + 4 for label, value in pairs) not in (len(inner), len(inner) - 1):
        pairs = list(_pairs(inner)) if brace else []  # with escapes, blanks or quoted names
    labels: dict[str, str] = {}
    for label, value in pairs:
        if value is None and not name:
            name = label
        elif value is None:
            raise ValueError("expected one name of the metric, not two")
        elif label in labels:
            raise ValueError(f"label {label} is given twice")
        else:
            labels[intern(label)] = value  # once, and not once for each of 8,000 series
    if not name:
        raise ValueError("expected the name of a metric")
    if "__name__" in labels:
        raise ValueError("label __name__ is the name of the metric itself")
    return Series(name, {label: value for label, value in labels.items() if value})


def _pairs(inner: str) -> Iterator[tuple[str, str | None]]:
    """Iterate over labels and, with None, a quoted name; `inner` is what stands behind the opening brace."""
    position = 0
    while inner[position:].strip(" \t") != "}":
        found = _LABEL.match(inner, position)
        if found is None:
            raise ValueError('expected labels such as {status="paid"}')
        label = found[1] if found[1] is not None else _unescaped(found[2])
        if found[3] is None and found[2] is None:
            raise ValueError(f'expected a value for label {label}, as in {label}="…"')
        yield label, None if found[3] is None else _unescaped(found[3])
        position = found.end()
        if not found[4] and inner[position:].strip(" \t") != "}":
            raise ValueError(f"expected a comma behind label {label}")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: {"n": "\n"}.get(found[1], found[1] if found[1] in '"\\' else found[0]), text)


def _flagged(reader: _Reader) -> list[Sample]:
    """Say of each row whether it counts, and since when."""
    counts = counting(reader.types)
    created = beginnings(reader.rows, reader.types)
    samples = []
    for series, value, at in reader.rows:
        counter = counts(series.name)
        began = created.get(group_of(series)) if created and counter else None
        samples.append(Sample(series.name, value, series.labels, at, counter, began))
    return samples
