"""Any samples: whatever a probe brings, each form judges it, explains it as it decided, and agrees in hindsight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.alert import Observed
from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.promql import parse
from sentinel.promql.evaluate import evaluate
from sentinel.rules import FORMS, Rule
from sentinel.rules.observe import observe
from tests.dice import rolls
from tests.rules.making import rule
from tests.rules.stage import START, HeadStore, Stage
from tests.rules.test_cases import labels_of

EVERY = timedelta(seconds=15)
LOOKS = 12

GAUGES = ['queue_depth{queue="a"}', 'queue_depth{queue="b"}', "probe_ssl_earliest_cert_expiry", "latency_seconds"]
COUNTERS = [
    'requests_total{code="200"}',
    'requests_total{code="500"}',
    'size_bytes_bucket{le="10"}',
    'size_bytes_bucket{le="+Inf"}',
    "size_bytes_count",
    'job_runs_total{job="discovery",status="success"}',
]
JOBS = [
    f'job_{name}{{job="discovery"}}'
    for name in (
        "idle_seconds",
        "overdue_seconds",
        "running_seconds",
        "last_duration_seconds",
        "consecutive_failures",
    )
]

windows = st.sampled_from(["15s", "50s", "2m"])
groups = st.sampled_from([{}, {"by": ["queue"]}, {"by": ["code", "probe"]}])
gauges = st.sampled_from(["queue_depth", 'queue_depth{queue="a"}', "latency_seconds", "not_there"])
counters = st.sampled_from(["requests_total", 'requests_total{code="500"}', "not_there_total"])
queries = st.sampled_from(["queue_depth", "sum(queue_depth)", "sum by (code) (increase(requests_total[1m] anchored))"])
numbers = st.sampled_from(["0", "1", "3", "-0.5"])
sides = st.one_of(
    numbers.map(lambda limit: {"above": limit}),
    numbers.map(lambda limit: {"below": limit, "for": "30s"}),
    st.just({"above": "2", "below": "1", "keep_firing_for": "1m"}),
    st.just({"above": "2", "recover": "1"}),
)


def keys(**given: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(given)


def form(word: str, own: st.SearchStrategy[Any], beside: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return entries of one form, with what may stand under its word and beside it."""
    return st.builds(lambda under, rest: {word: under, **rest, "severity": "error"}, own, beside)


def grouped(**given: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda own, by: own | by, keys(**given), groups)


NOTHING: st.SearchStrategy[dict[str, Any]] = st.just({})
ENTRIES: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "absent": form("absent", grouped(of=gauges, over=windows), NOTHING),
    "anomaly": form("anomaly", keys(of=queries, over=windows, season=st.just("45s"), seasons=st.just("2")), sides),
    "availability": form("availability", keys(of=st.sampled_from(["shop", "*"]), over=windows), sides),
    "average": form("average", grouped(of=gauges, over=windows), sides),
    "burn_rate": st.builds(
        lambda own: {"burn_rate": own}, grouped(errors=counters, total=counters, objective=st.just("90%"))
    ),
    "certificate": form("certificate", st.just({"probe": "shop"}), sides),
    "change": form("change", keys(of=queries, versus=windows, at_least=st.sampled_from(["0", "2"])), sides),
    "expr": form(
        "expr", st.sampled_from(["queue_depth > 1", "-sum(requests_total)"]).map(lambda q: {"query": q}), sides
    ),
    "forecast": form("forecast", st.builds(lambda own: own | {"in": "5m"}, keys(of=queries, over=windows)), sides),
    "increase": form("increase", grouped(of=counters, over=windows), sides),
    "job": form(
        "job",
        st.sampled_from(
            [
                {"name": "discovery"},
                {"name": "disc*", "not_run_for": "30s"},
                {"name": "discovery", "failed": "2"},
                {"name": "*", "runs_longer_than": "2s"},
                {"name": "discovery", "runs_shorter_than": "2s"},
                {"name": "discovery", "runs_too_often": "1/min"},
            ]
        ),
        NOTHING,
    ),
    "last": form("last", gauges.map(lambda of: {"of": of}), sides),
    "maximum": form("maximum", grouped(of=gauges, over=windows), sides),
    "minimum": form("minimum", grouped(of=gauges, over=windows), sides),
    "probe": form("probe", keys(name=st.just("shop"), fails=st.sampled_from(["1", "3", "2 of 3"])), NOTHING),
    "quantile": form(
        "quantile",
        grouped(p=st.just("95"), of=st.sampled_from(["latency_seconds", "size_bytes"]), over=windows),
        sides,
    ),
    "rate": form("rate", grouped(of=counters, over=windows), st.sampled_from([{"above": "1/min"}, {"below": "2/s"}])),
    "ratio": form(
        "ratio", grouped(of=counters, to=counters, over=windows, at_least=st.sampled_from(["0", "4"])), sides
    ),
}
BESIDE: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"active": {"from": "00:01", "to": "00:02"}}, {"no_data": "resolve"}, {"limit": "1"}]
)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look of the probe brings."""

    how: str
    values: Mapping[Labels, float]


def row(values: st.SearchStrategy[float | None]) -> st.SearchStrategy[list[float | None]]:
    """Return what one series shows: something at the first look, so that nothing of its past is learnt later."""
    return st.builds(lambda first, rest: [first or 0.0, *rest], values, st.lists(values, min_size=11, max_size=11))


@st.composite
def looks(draw: st.DrawFn) -> Sequence[Look]:
    """Return the looks of a probe that fails at times, at series that come, go, are reset and hold no number."""
    level = st.sampled_from([None, 0.0, 1.0, 2.0, 2.0, 5.0, math.nan])
    count = st.sampled_from([None, 0.0, 1.0, 3.0, 3.0, 4.0, 7.0])
    rows = {labels_of(series): draw(row(level)) for series in (*GAUGES, *JOBS)}
    rows |= {labels_of(series): draw(row(count)) for series in COUNTERS}
    how = draw(st.lists(st.sampled_from(["well", "well", "well", "fails", "missed"]), min_size=11, max_size=11))
    return [
        Look(word, {labels: value for labels, given in rows.items() if (value := given[at]) is not None})
        for at, word in enumerate(["well", *how])
    ]


@pytest.mark.parametrize("word", FORMS)
def test_each_form_is_tried(word: str) -> None:
    assert word in ENTRIES


@pytest.mark.parametrize("word", ENTRIES)
@rolls(3)
@given(data=st.data())
def test_what_is_decided_is_what_is_explained_and_what_a_range_query_finds(word: str, data: st.DataObject) -> None:
    """At each look: no evaluation fails, `explain` sees what was decided, and a range query finds the same values."""
    watched = rule(data.draw(ENTRIES[word]) | data.draw(BESIDE))
    assert parse(str(watched.compiled.expr)) == watched.compiled.expr
    stage, seen = Stage(watched, EVERY, HeadStore()), []
    for at, look in enumerate(data.draw(looks())):
        now = START + at * EVERY
        if look.how != "missed":
            stage.look(now, look.values, succeeds=look.how == "well")
        known = {alert.labels: alert.since for alert in stage.alerts.values()}
        explained = {one.labels: one for one in observe(watched, now, stage.store.source(now), known, every=True)}
        for decided in stage.judge(now):
            assert repr(explained[decided.labels]) == repr(decided)  # NaN is the same as itself in writing
        seen.append(explained)
    if watched.active is None:
        _compare(watched, stage, seen)


def _compare(watched: Rule, stage: Stage, seen: Sequence[Mapping[Labels, Observed]]) -> None:
    """Hold each value that was observed against a range query over all that was stored since."""
    step_ms = to_ms(START + EVERY) - to_ms(START)
    source = stage.store.source(START + LOOKS * EVERY)
    answer = evaluate(watched.compiled.expr, source, to_ms(START), to_ms(START) + (LOOKS - 1) * step_ms, step_ms)
    for at, elements in enumerate(seen):
        found = {labels.unnamed: row for row, labels in enumerate(answer.labels) if answer.present[row, at]}
        for labels, element in elements.items():
            if element.value is not None and not watched.compiled.own:
                value = answer.values[found[labels], at] / watched.compiled.scale
                assert value == pytest.approx(element.value, nan_ok=True)
