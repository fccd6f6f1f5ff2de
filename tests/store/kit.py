"""Short ways to say what a probe brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from sentinel.core.clock import to_ms
from sentinel.core.labels import NAME, Labels, Matcher, MatchOp
from sentinel.core.sample import Batch, Sample
from sentinel.core.windows import Source, is_stale

START = datetime(2026, 1, 1, tzinfo=UTC)
START_MS = to_ms(START)
EVERY = timedelta(seconds=15)

Rows = dict[Labels, list[tuple[int, float | None]]]


def at(seconds: float) -> datetime:
    """Return the instant so long after the beginning."""
    return START + timedelta(seconds=seconds)


def gauge(name: str, value: float, **labels: str) -> Sample:
    """Return a sample of a gauge."""
    return Sample(name, value, labels)


def counter(name: str, value: float, created: float | None = None, **labels: str) -> Sample:
    """Return a sample of a counter."""
    return Sample(name, value, labels, counter=True, created=created)


def look(
    seconds: float,
    *samples: Sample,
    source: str = "shop",
    every: timedelta = EVERY,
    whole: bool = True,
    zero: bool = False,
) -> Batch:
    """Return what one look brought."""
    return Batch(source, samples, at(seconds), every, whole=whole, counters_from_zero=zero)


def named(name: str, **labels: str) -> list[Matcher]:
    """Return matchers for one metric."""
    return [Matcher(key, MatchOp.EQUAL, value) for key, value in {NAME: name, **labels}.items()]


def held(
    source: Source, matchers: Sequence[Matcher], seconds: float, over: float | None = 3600.0
) -> Mapping[str, list[tuple[float, float | None]]]:
    """Return series -> (seconds, value) in the window that ends then; None is a stale marker."""
    ends = np.array([to_ms(at(seconds))])
    found = source.windows(matchers, ends, None if over is None else round(over * 1000))
    answer: dict[str, list[tuple[float, float | None]]] = {}
    for row, labels in enumerate(found.labels):
        lo, hi = int(found.lo[row, 0]), int(found.hi[row, 0])
        v = found.v[lo:hi]
        ts = (found.ts[lo:hi].astype(np.int64) + found.epoch_ms - START_MS) / 1000
        answer[str(labels)] = [
            (t, None if gone else value)
            for t, value, gone in zip(ts.tolist(), v.tolist(), is_stale(v).tolist(), strict=True)
        ]
    return answer
