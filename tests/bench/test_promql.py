"""How fast PromQL is evaluated, beside Prometheus 2.42 in the same run over the same samples.

Figures to reach: 15 times faster over 8,000 series x 1 h; 500 small rules and range queries over 7 days not slower.
Wide and small queries are asked of a `Block` and of the store's `Head`, which the agent uses.
Prometheus's time is what its engine reports (`execTotalTime`), without HTTP; ours is everything from the parsed
expression to the answer. Each is the median of several runs, taken in turn, so that a busy machine is fair to both.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sentinel.core.labels import Labels
from sentinel.core.windows import Source
from sentinel.promql import Expr, parse
from sentinel.promql.block import Block
from sentinel.promql.evaluate import evaluate, evaluate_instant
from sentinel.store.head import Head
from sentinel.store.rows import Look, Series
from sentinel.store.slots import NEVER
from tests.promql.prometheus import INSTALLED, Api, running, write_blocks

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not INSTALLED, reason="prometheus and promtool are not installed"),
]

_BEGIN = 1_700_000_000_000
_EVERY = 15_000
_BOUNDS = (
    "0.005",
    "0.01",
    "0.025",
    "0.05",
    "0.075",
    "0.1",
    "0.25",
    "0.5",
    "0.75",
    "1",
    "2.5",
    "5",
    "10",
    "20",
    "30",
    "+Inf",
)
_RUNS = 5

_WIDE = (
    "sum(rate(x_total[5m]))",
    "sum by (g) (rate(x_total[5m]))",
    "histogram_quantile(0.99, sum by (le) (rate(b_bucket[5m])))",
    "histogram_quantile(0.99, rate(b_bucket[5m]))",
    "quantile_over_time(0.99, x_total[5m])",
)
_ALSO_WIDE = ("max_over_time(x_total[5m])", "avg_over_time(x_total[5m])", "sum(x_total)", "rate(x_total[5m]) / x_total")
_LONG = (
    "sum(rate(x_total[5m])) > 30",
    'x_total{i="3"} > 100',
    "avg_over_time(gauge[10m]) > 100",
    "histogram_quantile(0.99, sum by (le) (rate(b_bucket[5m])))",
    "quantile_over_time(0.99, x_total[1h])",
)
_ALSO_LONG = ('rate(x_total{i="1"}[5m]) / rate(x_total{i="2"}[5m])', 'max_over_time(rate(x_total{i="1"}[5m])[1h:1m])')

Samples = dict[Labels, list[tuple[int, float]]]


def _counter(chance: random.Random, count: int) -> list[tuple[int, float]]:
    value, row, ts = 0.0, [], _BEGIN + chance.randrange(_EVERY)
    for _ in range(count):
        value += chance.randint(0, 5)
        row.append((ts, value))
        ts += _EVERY
    return row


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Source], Api, int]]:
    """8,000 counters and 500 histograms of 16 buckets, one hour; 16 series to a target, which share their times."""
    chance, samples = random.Random(1), Samples()
    for target in range(500):
        times = [ts for ts, _ in _counter(chance, 240)]
        for place in range(16):
            pace, name = chance.randint(1, 9), {"target": f"t{target}"}
            x = Labels.of(__name__="x_total", i=str(place), g=f"g{target % 50}", **name)
            samples[x] = [(ts, float(pace * k)) for k, ts in enumerate(times)]
            b = Labels.of(__name__="b_bucket", le=_BOUNDS[place], **name)
            samples[b] = [(ts, float((place + 1) * k)) for k, ts in enumerate(times)]
    head = _head(samples)
    for block, api, end in _both(samples, tmp_path_factory.mktemp("wide"), _BEGIN + 239 * _EVERY):
        yield {"block": block, "head": head}, api, end


def _head(samples: Samples) -> Head:
    """Return the samples as the store holds them, each target a source of its own."""
    head, sources = Head(), dict[str, int]()
    for id_, (labels, row) in enumerate(samples.items(), start=1):
        target = labels.get("target")
        if target not in sources:
            sources[target] = 1 + len(sources)
            head.restore_source(Look(sources[target], target, 0, _EVERY, True))
        ts, values = np.array([ts for ts, _ in row]), np.array([value for _, value in row])
        head.restore_series(Series(id_, labels, sources[target]), ts, values, NEVER)
    head.restored(_BEGIN, len(samples))
    return head


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Block, Api, int]]:
    """20 counters, 6 gauges and a histogram, seven days."""
    chance, count = random.Random(2), 7 * 24 * 240
    samples = {Labels.of(__name__="x_total", i=str(i)): _counter(chance, count) for i in range(20)}
    samples |= {Labels.of(__name__="gauge", i=str(i)): _counter(chance, count) for i in range(6)}
    samples |= {Labels.of(__name__="b_bucket", le=le): _counter(chance, count) for le in _BOUNDS}
    yield from _both(samples, tmp_path_factory.mktemp("long"), _BEGIN + count * _EVERY)


def _both(samples: Samples, folder: Path, end_ms: int) -> Iterator[tuple[Block, Api, int]]:
    write_blocks(samples, folder)
    block = Block(samples)
    # Millions of tuples would have the garbage collector pause in the midst of our measurements.
    samples.clear()
    gc.collect()
    with running(folder) as api:
        yield block, api, end_ms


def _exec_ms(answer: dict[str, object]) -> float:
    data = answer["data"]
    assert isinstance(data, dict)
    return float(data["stats"]["timings"]["execTotalTime"]) * 1000


def _compare(name: str, ours: Callable[[int], object], theirs: Callable[[int], float]) -> float:
    """Run both in turn, print the medians, and return how many times faster we are."""
    mine, other = [], []
    for run in range(_RUNS):
        other.append(theirs(run))
        began = time.perf_counter()
        ours(run)
        mine.append((time.perf_counter() - began) * 1000)
    here, there = statistics.median(mine), statistics.median(other)
    print(f"{name:70} {here:9.2f} ms, Prometheus {there:9.2f} ms: {there / here:5.1f} x")
    return there / here


@pytest.mark.parametrize("kind", ["block", "head"])
def test_queries_over_8000_series(kind: str, wide: tuple[dict[str, Source], Api, int]) -> None:
    """The shapes of dashboards and alerts over everything at once: 15 times faster than Prometheus."""
    source, api, end = wide[0][kind], *wide[1:]
    print()
    factors = {}
    for text in _WIDE + _ALSO_WIDE:
        expr = parse(text)
        evaluate_instant(expr, source, end)

        def ours(run: int, expr: Expr = expr) -> object:
            return evaluate_instant(expr, source, end - run * 1_000)

        def theirs(run: int, text: str = text) -> float:
            return _exec_ms(api.query(text, end - run * 1_000, stats="all"))

        factors[text] = _compare(text, ours, theirs)
    assert {text: factor for text, factor in factors.items() if factor < 15 and text in _WIDE} == {}


def _small_rules() -> list[str]:
    rules = []
    for target in range(500):
        at = f'{{target="t{target}"}}'
        shapes = (
            f"sum(rate(x_total{at}[5m])) > 30",
            f"avg_over_time(x_total{at}[5m]) > 100",
            f"max(x_total{at}) > 5",
            f"sum by (i) (rate(x_total{at}[5m])) / ignoring (i) group_left sum(rate(b_bucket{at}[5m])) > 1",
            f"histogram_quantile(0.99, sum by (le) (rate(b_bucket{at}[5m]))) > 0.5",
        )
        rules.append(shapes[target % 5])
    return rules


@pytest.mark.parametrize("kind", ["block", "head"])
def test_500_small_rules(kind: str, wide: tuple[dict[str, Source], Api, int]) -> None:
    """One round of 500 rules over 1 to 32 series each: not slower than Prometheus."""
    source, api, end = wide[0][kind], *wide[1:]
    texts = _small_rules()
    rules = [parse(text) for text in texts]
    each: list[float] = []

    def ours(run: int) -> None:
        each.clear()
        for rule in rules:
            began = time.perf_counter()
            evaluate_instant(rule, source, end - run * 1_000)
            each.append((time.perf_counter() - began) * 1000)

    ours(0)
    print()
    factor = _compare(
        "500 small rules, one round",
        ours,
        lambda run: sum(_exec_ms(api.query(text, end - run * 1_000, stats="all")) for text in texts),
    )
    cuts = statistics.quantiles(each, n=100)
    print(f"{'each of ours':70} p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms")
    assert factor >= 1


def test_seven_days_by_the_minute(long: tuple[Block, Api, int]) -> None:
    """Range queries of 10,000 steps, as a backtest asks them: not slower than Prometheus."""
    block, api, end = long
    begin = end - 10_000 * 60_000
    print()
    factors = {}
    for text in _LONG + _ALSO_LONG:
        expr = parse(text)

        def ours(run: int, expr: Expr = expr) -> object:
            return evaluate(expr, block, begin, end - run, 60_000)

        def theirs(run: int, text: str = text) -> float:
            return _exec_ms(api.query_range(text, begin, end - run, 60_000, stats="all"))

        factors[text] = _compare(text, ours, theirs)
    assert {text: factor for text, factor in factors.items() if factor < 1} == {}
