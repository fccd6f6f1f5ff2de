"""Samples as lines of text: OpenMetrics, which promtool makes blocks from, and what `promtool tsdb dump` prints.

    purchases_total{status="paid"} 1027 1395066363.000          OpenMetrics: seconds
    {__name__="purchases_total", status="paid"} 1027 1395066363000   promtool's dump: milliseconds

Neither can say that a series ended: a stale marker is not written, and is read as a plain NaN. Names beyond ASCII are
written in quotes, as Prometheus 3 reads them. Sources: github.com/prometheus/OpenMetrics (1.0); Prometheus's
`cmd/promtool/tsdb.go`, whose labels are quoted as Go quotes. Needs numpy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from sentinel.core.labels import NAME, Labels
from sentinel.core.windows import is_stale
from sentinel.store.stretch import Point, Stretch

#: The last line of OpenMetrics.
END = "# EOF"

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LINE = re.compile(r'([^{\s]*)\s*\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}\s*(.*)')
_PAIR = re.compile(r'\s*(?:([^\s"=,]+)|"((?:[^"\\]|\\.)*)")\s*(?:=\s*"((?:[^"\\]|\\.)*)")?\s*(?:,|$)')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def write_lines(stretch: Stretch) -> Iterator[str]:
    """Yield a line for each sample but stale markers, without their ends."""
    series = _written(stretch.labels)
    fine = ~is_stale(stretch.v)
    for ts_ms, value in zip(stretch.ts[fine].tolist(), stretch.v[fine].tolist(), strict=True):
        seconds, ms = divmod(ts_ms, 1000)
        yield f"{series} {_number(value)} {seconds}.{ms:03d}"


def read_lines(lines: Iterable[str], ms: int) -> Iterator[Point]:
    """Yield the sample of each line; comments and empty lines are passed over.

    Args:
        lines: of the text.
        ms: how many milliseconds one of its units of time has: 1000 in OpenMetrics, 1 in promtool's dump.

    Raises:
        ValueError: a line is none; the text says which, and what was expected.
    """
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            yield _point(line, ms)
        except ValueError as exc:
            shown = line if len(line) <= 80 else f"{line[:77]}…"
            raise ValueError(f"line {number}: {exc}: {shown}") from None


def _point(line: str, ms: int) -> Point:
    if found := _LINE.fullmatch(line):
        name, inner, rest = found.groups()
    else:
        name, _, rest = line.partition(" ")
        inner = ""
        if "{" in name:
            raise ValueError('expected labels such as {status="paid", code="200"}')
    words = rest.partition("#")[0].split()  # an exemplar hangs behind
    if len(words) != 2:
        raise ValueError("expected a value and a time behind the series")
    try:
        value, time = float(words[0]), float(words[1])
    except ValueError:
        raise ValueError("expected a number as value, and one as time") from None
    if not math.isfinite(time) or abs(time * ms) > 2**53:
        raise ValueError("expected a time that can be")
    return _series(name, inner), round(time * ms), value


@lru_cache(maxsize=16_384)
def _series(name: str, inner: str) -> Labels:
    labels = {}
    at = 0
    while at < len(inner.rstrip()):
        found = _PAIR.match(inner, at)
        if found is None:
            raise ValueError('expected labels such as {status="paid", code="200"}')
        at = found.end()
        label = found[1] if found[1] is not None else _unescaped(found[2])
        if found[3] is None and not name:
            name = label
        elif found[3] is None or label in labels:
            raise ValueError(f"expected one value for label {label}")
        else:
            labels[label] = _unescaped(found[3])
    name = labels.pop(NAME, "") or name
    if not name:
        raise ValueError("expected the name of a metric")
    return Labels.of(labels, **{NAME: name})


def _written(labels: Labels) -> str:
    pairs = [f"{label_name(name)}={_quoted(value)}" for name, value in labels.unnamed]
    if _METRIC.fullmatch(labels.name):
        return f"{labels.name}{{{','.join(pairs)}}}" if pairs else labels.name
    return f"{{{','.join([_quoted(labels.name), *pairs])}}}"


def label_name(name: str) -> str:
    """Write a label's name, in quotes where it needs them."""
    return name if _LABEL.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return repr(value).removesuffix(".0")


def _unescaped(text: str) -> str:
    def meant(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        return chr(int(code, 16)) if code else _NAMED.get(found[4], found[4])

    return _ESCAPE.sub(meant, text) if "\\" in text else text
