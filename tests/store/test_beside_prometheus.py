"""The same random samples in a real Prometheus: whatever a store went through, its answers are equal."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel.core.labels import Labels
from sentinel.core.windows import STALE, Source
from sentinel.promql.evaluate import evaluate_instant
from sentinel.promql.parser import parse
from tests.promql import prometheus
from tests.store.house import House
from tests.store.kit import START_MS, gauge, look

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not prometheus.INSTALLED, reason="prometheus and promtool are not installed"),
]
STORES, LOOKS = 2, 400
EXPRESSIONS = [
    "a{{{0}}}",
    "count(a{{{0}}})",
    "delta(a{{{0}}}[5m])",
    "changes(a{{{0}}}[1h])",
    "resets(a{{{0}}}[30m])",
    "sum by (n) (count_over_time(a{{{0}}}[20m]))",
    "stddev_over_time(a{{{0}}}[10m])",
    "last_over_time(a{{{0}}}[90m]) - a{{{0}}} offset 47m",
]


def walk(dice: random.Random, house: House, run: str) -> dict[Labels, list[tuple[int, float]]]:
    """Let a store live, and return what a plain list says of it.

    Looks come at uneven times and sometimes not at all; series vanish and come back, fall, are no number or endless;
    now and then the store commits, writes chunks, or dies and begins anew.
    """
    plain: dict[Labels, list[tuple[int, float]]] = {}
    values, shown, seconds = dict.fromkeys(range(8), 0.0), set[int](), 0.0
    for _ in range(LOOKS):
        seconds = round(seconds + 15 + dice.choice([0, 0, 0, dice.uniform(-3, 3), 45, 400 * (dice.random() < 0.05)]), 3)
        was, shown = shown, {n for n in values if dice.random() < (0.97 if n in shown else 0.2)}
        for n in shown:
            values[n] = dice.choice([values[n] + dice.randrange(9), dice.gauss(0, 1e6), round(dice.random(), 2), 0.0])
            if dice.random() < 0.01:
                values[n] = dice.choice([math.nan, math.inf, -math.inf])
        house.append(look(seconds, *(gauge("a", values[n], run=run, n=str(n)) for n in sorted(shown))))
        for n in was | shown:
            sample = (START_MS + round(seconds * 1000), values[n] if n in shown else STALE)
            plain.setdefault(Labels.of(__name__="a", run=run, n=str(n)), []).append(sample)
        match dice.randrange(40):
            case 0:
                house.commit(seconds)
                house.restart(seconds)
            case 1:
                house.commit(seconds)
                house.flush()
            case 2:
                house.tidy(seconds)
            case _:
                house.commit(seconds)
    return plain


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[House]]:
    """Some stores at the end of their lives."""
    houses = [House(tmp_path_factory.mktemp("house")) for _ in range(STORES)]
    yield houses
    for house in houses:
        house.database.close()


@pytest.fixture(scope="module")
def peer(houses: list[House], tmp_path_factory: pytest.TempPathFactory) -> Iterator[prometheus.Api]:
    """A Prometheus that was written what the plain lists say."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with prometheus.running(folder, "--web.enable-remote-write-receiver") as api:
        api.write(
            {k: v for run, house in enumerate(houses) for k, v in walk(random.Random(run), house, str(run)).items()}
        )
        yield api


def ours(text: str, source: Source, at_ms: int) -> dict[Labels, float]:
    """Return our answer at one instant."""
    return dict(evaluate_instant(parse(text), source, at_ms).latest())


@pytest.mark.parametrize("after", ["as it is", "begun anew", "all in chunks"])
def test_whatever_a_store_went_through_it_answers_as_prometheus_does(
    after: str, houses: list[House], peer: prometheus.Api
) -> None:
    """At random instants, some of which lie long ago; nothing lies on the border of a window."""
    dice = random.Random(after)
    for run, house in enumerate(houses):
        end = (house.head.newest_ms - START_MS) / 1000
        if after == "begun anew":
            house.restart(end)
        elif after == "all in chunks":
            house.flush()
            house.restart(end + 40 * 86_400)
        for text in (one.format(f'run="{run}"') for one in EXPRESSIONS):
            for at_ms in [START_MS + dice.randrange(int(end * 1000)) | 1 for _ in range(5)]:
                expected = prometheus.latest(peer.query(text, at_ms))
                found = ours(text, house.history, at_ms)
                assert found.keys() == expected.keys(), (text, at_ms)
                for labels, value in expected.items():
                    same = math.isclose(found[labels], value, rel_tol=1e-9, abs_tol=1e-9)
                    assert same or (math.isnan(value) and math.isnan(found[labels])), (text, at_ms, labels)
