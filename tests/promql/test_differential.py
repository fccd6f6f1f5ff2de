"""The same random series and expressions, asked of a real Prometheus 2.42 and of us.

Samples are taken at a quarter of a second and asked for at half seconds, so no sample lies on the edge of a window,
where 2.42 and 3.x differ by design. Every other difference needs a name in `_REASONS`.
`SENTINEL_DIFFERENTIAL` sets how many expressions are tried.
"""

from __future__ import annotations

import math
import os
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.promql import parse
from sentinel.promql.block import Block
from sentinel.promql.evaluate import Answer, evaluate, evaluate_instant
from tests.promql.expressions import Writer
from tests.promql.prometheus import INSTALLED, Api, running, write_blocks

_COUNT = int(os.environ.get("SENTINEL_DIFFERENTIAL", "1000"))
_BEGIN, _MINUTES = 1_700_000_000_250, 90
_SEED = int(os.environ.get("SENTINEL_DIFFERENTIAL_SEED", "20240229"))

Result = dict[Labels, dict[int, float]]


def _series() -> dict[Labels, list[tuple[int, float]]]:
    """Counters with resets, gauges with gaps and NaN, a histogram; scraped out of step; some come and go."""
    chance = random.Random(_SEED)
    samples: dict[Labels, list[tuple[int, float]]] = {}
    for metric in ("m_total", "n_total", "gauge", "other"):
        for job in ("a", "b"):
            for inst in ("1", "2", "13"):
                labels = Labels.of(__name__=metric, job=job, inst=inst, zone=chance.choice(("", "x", "y")))
                samples[labels] = list(_walk(chance, counter=metric.endswith("_total")))
    for job in ("a", "b"):
        counts = [0] * 6
        rows: list[list[tuple[int, float]]] = [[] for _ in counts]
        for ts in range(_BEGIN, _BEGIN + _MINUTES * 60_000, 15_000):
            for _ in range(chance.randint(0, 20)):
                bucket = min(int(chance.expovariate(0.7)), 5)
                counts[bucket:] = [count + 1 for count in counts[bucket:]]
            for row, count in zip(rows, counts, strict=True):
                row.append((ts, float(count)))
        for bound, row in zip(("0.1", "0.5", "1", "2.5", "5", "+Inf"), rows, strict=True):
            samples[Labels.of(__name__="lat_bucket", job=job, le=bound)] = row
    return samples


def _walk(chance: random.Random, *, counter: bool) -> Iterator[tuple[int, float]]:
    every, value = chance.choice((10_000, 15_000, 30_000)), float(chance.randint(0, 50))
    first = _BEGIN + chance.choice((0, 0, 0, 25)) * 60_000 + chance.randint(0, 14) * 1_000
    last = _BEGIN + (_MINUTES - chance.choice((0, 0, 0, 30))) * 60_000
    for ts in range(first, last, every):
        if chance.random() < 0.04:
            continue
        if counter:
            value = 0.0 if chance.random() < 0.02 else value + chance.randint(0, 9)
            yield ts, value
        else:
            value += chance.randint(-5, 5)
            yield ts, math.nan if chance.random() < 0.02 else value


def _theirs(answer: dict[str, Any]) -> Result | None:
    """Return what Prometheus said; None is an error."""
    if answer["status"] != "success":
        return None
    data = answer["data"]
    if data["resultType"] == "scalar":
        ts, value = data["result"]
        return {Labels(): {round(ts * 1000): float(value)}}
    return {
        Labels.of(row["metric"]): {
            round(ts * 1000): float(value) for ts, value in (row["values"] if "values" in row else [row["value"]])
        }
        for row in data["result"]
    }


def _ours(answer: Answer) -> Result:
    found: Result = {}
    for row, labels in enumerate(answer.labels):
        values = zip(answer.times_ms.tolist(), answer.values[row].tolist(), answer.present[row], strict=True)
        found[labels] = {ts: value for ts, value, shown in values if shown}
    return found


def _near(a: float, b: float, scale: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b)) + 1e-12 * scale


def _difference(theirs: Result | None, ours: Result | None) -> str:
    """Say what differs, "" if nothing does."""
    if theirs is None or ours is None:
        return "" if theirs is ours else f"{'they' if theirs is None else 'we'} raise an error"
    if set(theirs) != set(ours):
        return f"series: only theirs {set(theirs) - set(ours)}, only ours {set(ours) - set(theirs)}"
    for labels, expected in theirs.items():
        if set(expected) != set(ours[labels]):
            return f"{labels}: steps {sorted(set(expected) ^ set(ours[labels]))[:3]}"
        for ts, value in expected.items():
            if not _near(value, ours[labels][ts], 1e3):
                return f"{labels} at {ts}: they say {value!r}, we {ours[labels][ts]!r}"
    return ""


#: Why an answer may differ -> the expressions and differences that it explains.
_REASONS: dict[str, tuple[str, str]] = {
    "count_values writes the last digit, which depends on the order of additions": (r"\bcount_values\b", r"series:"),
    "2.42 keeps the metric's name for atan2": (r"\batan2\b", r"series:|error"),
    "the deviation of a single NaN or Inf is 0 in 2.42, and NaN in 3.x": (r"\bstd(dev|var)\b", r"we nan"),
    "topk and bottomk choose freely among equals": (r"\b(topk|bottomk)\b", r""),
    "the date of NaN lies in the year 292277026596 there, and is NaN here": (
        r"\b(minute|hour|day_of_week|day_of_year|days_in_month|month|year)\(",
        r"we nan|steps|they say",
    ),
    "2.42 stretches a counter to where it was zero before it halves the distance of samples, 3.x after": (
        r"\b(rate|increase)\b",
        r"they say",
    ),
    "what cancels to nothing does so but for the last digit, which a comparison shows": (
        r"\b(avg|sum|stddev|stdvar)\b.*([<>=]=|!=|[<>])",
        r"they say (0\.0, we 1\.0|1\.0, we 0\.0)$|steps",
    ),
    "what is left of a division by nearly the same number jumps with the last digit": (r"%", r"they say|steps"),
    "2.42 computes deviations in one pass, which loses digits where values are large": (
        r"\b(stddev|stdvar)\b.*timestamp|timestamp.*\b(stddev|stdvar)",
        r"they say",
    ),
    "3.x looks for duplicates before a comparison filters them": (r"[<>=]=|!=|[<>]", r"we raise an error"),
}


def _reason(text: str, difference: str) -> str:
    """Return the name of the reason, "" if there is none."""
    for name, (expression, found) in _REASONS.items():
        if re.search(expression, text) and re.search(found, difference):
            return name
    return ""


def _ask(api: Api, block: Block, text: str, chance: random.Random) -> Iterator[str]:
    expr = parse(text)
    at = _BEGIN + chance.randint(10 * 60, (_MINUTES + 3) * 60) * 1_000 + 250
    step = chance.choice((17_000, 60_000, 313_000))
    end = at + chance.choice((1, 7, 20)) * step

    def ours(how: str) -> Result | None:
        try:
            return _ours(evaluate_instant(expr, block, at) if how == "at" else evaluate(expr, block, at, end, step))
        except QueryInvalid:
            return None

    if found := _difference(_theirs(api.query(text, at)), ours("at")):
        yield f"{text}\n    at {at}: {found}"
    if found := _difference(_theirs(api.query_range(text, at, end, step)), ours("range")):
        yield f"{text}\n    from {at} to {end} by {step}: {found}"


@pytest.mark.skipif(not INSTALLED, reason="prometheus and promtool are not installed")
@pytest.mark.timeout(600)
def test_random_expressions_give_what_prometheus_gives(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Live and over a range, each answer equals Prometheus's, or differs for a reason that has a name."""
    samples = _series()
    folder = tmp_path_factory.mktemp("prometheus")
    write_blocks(samples, folder)
    block, chance, writer = Block(samples), random.Random(_SEED), Writer(_SEED)
    wrong: list[str] = []
    explained: list[str] = []
    with running(folder) as api:
        for _ in range(_COUNT):
            text = writer.expression()
            for found in _ask(api, block, text, chance):
                (explained if _reason(text, found) else wrong).append(found)
    assert not wrong, f"{len(wrong)} differences without a reason\n" + "\n".join(wrong[:60])
    # An excuse that is used often hides something.
    assert len(explained) <= 2 * _COUNT * 0.03
