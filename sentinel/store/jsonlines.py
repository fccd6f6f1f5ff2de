"""JSON Lines: history as a line for each stretch of a series, every bit of it that has a meaning.

    {"metric": {"__name__": "up", "job": "shop"}, "values": [1, 0, null], "timestamps": [1700000000000, …],
     "source": "shop", "interval_ms": 15000}

The layout is that of VictoriaMetrics's `/api/v1/export` and `/api/v1/import`, which pass over the last two keys. `null`
is a stale marker; `"NaN"`, `"Infinity"` and `"-Infinity"` are values. Needs numpy.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from sentinel.core.labels import Labels
from sentinel.core.windows import STALE, is_stale
from sentinel.store.stretch import IMPORTED, Stretch

#: What JSON has no number for, by the text that stands for it.
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def write_line(stretch: Stretch) -> str:
    """Return one line, without its end."""
    values: list[Any] = stretch.v.tolist()
    for at in np.flatnonzero(~np.isfinite(stretch.v)).tolist():
        v = stretch.v[at : at + 1]
        values[at] = None if is_stale(v)[0] else "NaN" if np.isnan(v)[0] else f"{'-' if v[0] < 0 else ''}Infinity"
    line = {
        "metric": stretch.labels.as_dict(),
        "values": values,
        "timestamps": stretch.ts.tolist(),
        "source": stretch.source,
        "interval_ms": stretch.interval_ms,
    }
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def read_line(line: str | bytes) -> Stretch:
    """Return what one line holds, in order of time; of two samples with one time the first counts.

    Raises:
        ValueError: it is no such line; the text says why.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"expected a JSON object ({exc})") from None
    if not isinstance(found, dict):
        raise ValueError('expected a JSON object such as {"metric": {"__name__": "up"}, "values": …}')
    metric, source, interval_ms = found.get("metric"), found.get("source", IMPORTED), found.get("interval_ms", 0)
    if not (isinstance(metric, dict) and all(isinstance(value, str) for value in metric.values())):
        raise ValueError('expected labels under "metric", such as {"__name__": "up", "job": "shop"}')
    if not metric.get("__name__"):
        raise ValueError('expected the name of the metric as "__name__" under "metric"')
    if not isinstance(source, str) or not _whole(interval_ms) or interval_ms < 0:
        raise ValueError('expected a name as "source", and milliseconds as "interval_ms"')
    ts, v = _times(found.get("timestamps")), _values(found.get("values"))
    if len(ts) != len(v):
        raise ValueError(f"{len(v)} values have {len(ts)} timestamps")
    ts, first = np.unique(ts, return_index=True)
    return Stretch(Labels.of(metric), ts, v[first], source, interval_ms)


def _times(given: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    if not isinstance(given, list) or not all(map(_whole, given)):
        raise ValueError('expected a list of Unix milliseconds as "timestamps"')
    try:
        return np.array(given, np.int64)
    except OverflowError:
        raise ValueError('expected Unix milliseconds as "timestamps", and one is out of reach') from None


def _values(given: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not isinstance(given, list):
        raise ValueError('expected a list of numbers as "values"')
    try:
        return np.array([_value(value) for value in given], np.float64)
    except (KeyError, TypeError, OverflowError):
        raise ValueError('expected numbers, null, "NaN", "Infinity" or "-Infinity" as "values"') from None


def _value(given: Any) -> float:
    if given is None:
        return STALE
    if isinstance(given, bool):
        raise TypeError
    return _WORDS[given] if isinstance(given, str) else float(given)


def _whole(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)
