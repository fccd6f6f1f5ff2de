"""One evaluation: whose word counts, what is said, and what cannot be said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.alert import Condition, Observed
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import NAME, Labels
from sentinel.core.sample import Batch, Sample
from sentinel.core.severity import Severity
from sentinel.promql import parse
from sentinel.rules.blind import Missing, missing, nothing
from sentinel.rules.observe import observe
from sentinel.store.head import Head
from tests.rules.making import rule

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
STEP = timedelta(seconds=15)
ERROR = Severity.ERROR


class House:
    """A head, and the looks of several probes."""

    def __init__(self) -> None:
        self.head = Head(durable=False)
        self.now = START

    def look(self, probe: str, *samples: Sample, succeeds: bool = True) -> None:
        said = Sample("probe_success", float(succeeds), {"probe": probe})
        labelled = [Sample(s.name, s.value, {"probe": probe, **s.labels}, counter=s.counter) for s in samples]
        batch = Batch(probe, (said, *labelled), self.now, STEP, whole=succeeds, counters_from_zero=True)
        self.head.append(batch)

    def see(self, entry: Mapping[str, Any], known: Mapping[Labels, datetime | None] | None = None) -> list[Observed]:
        return observe(rule({"severity": "error", **entry}), self.now, self.head, known or {})


def conditions(observed: list[Observed]) -> list[Condition]:
    return [seen.conditions[ERROR] for seen in observed]


@pytest.fixture
def house() -> House:
    return House()


def test_the_texts_are_filled_in(house: House) -> None:
    house.look("shop", Sample("memory_bytes", 2.5e9, {"pod": "a"}))
    entry = {
        "last": "memory_bytes",
        "above": "2GB",
        "labels": {"team": "core"},
        "summary": "{{ labels.pod }}{{ labels.nothing }} of {{ labels.team }} uses {{ value }} (over {{ threshold }})",
        "description": "{{ rule }}, {{ severity }}, since {{ since }}: {{ reason }}; {{ raw_value | bytes }}",
        "runbook": "https://runbooks.example.com/memory",
    }
    (seen,) = house.see(entry)
    assert seen.texts == {
        "value": "2.5 GB",
        "summary": "a of core uses 2.5 GB (over 2GB)",
        "description": "watched, error, since 2026-11-02 09:30 UTC: 2.5 GB > 2GB; 2.5 GB",
        "runbook": "https://runbooks.example.com/memory",
    }
    assert seen.thresholds == {ERROR: "above 2GB"}


def test_since_is_when_it_began_to_be_the_case(house: House) -> None:
    house.look("shop", Sample("depth", 9))
    known = {Labels.of(probe="shop"): START - timedelta(hours=1)}
    (seen,) = house.see({"last": "depth", "above": "5", "summary": "since {{ since }}"}, known)
    assert seen.texts["summary"] == "since 2026-11-02 08:30 UTC"


def test_a_template_that_fails_loses_no_alert(house: House) -> None:
    house.look("shop", Sample("depth", 9))
    (seen,) = house.see({"last": "depth", "above": "5", "summary": "{{ labels.pod | number }}"})
    assert seen.conditions == {ERROR: Condition.HOLDS}
    assert "cannot be filled in" in seen.texts["summary"]


def test_what_is_not_the_case_and_has_no_alert_is_shown_only_when_asked_for(house: House) -> None:
    house.look("shop", Sample("depth", 1))
    watched = rule({"last": "depth", "above": "5", "severity": "error"})
    assert observe(watched, house.now, house.head) == []
    (seen,) = observe(watched, house.now, house.head, every=True)
    assert (seen.conditions[ERROR], seen.reason) == (Condition.OVER, "1, not above 5")


def test_two_results_that_differ_in_their_name_only_cannot_be_told_apart(house: House) -> None:
    house.look("shop", Sample("depth_a", 9), Sample("depth_b", 9))
    with pytest.raises(QueryInvalid, match="two results have the labels"):
        house.see({"expr": '{__name__=~"depth_.*"}', "above": "5"})


def test_a_failing_probe_holds_only_what_it_stands_behind(house: House) -> None:
    for probe in ("a", "b"):
        house.look(probe, Sample("depth", 9))
    house.now += STEP
    house.look("a", Sample("depth", 9))
    house.look("b", succeeds=False)
    known: dict[Labels, datetime | None] = {Labels.of(probe="b"): START}
    apart = house.see({"last": "depth", "above": "5"}, known)
    assert {seen.labels.get("probe"): seen.conditions[ERROR] for seen in apart} == {
        "a": Condition.HOLDS,
        "b": Condition.UNKNOWN,
    }
    (together,) = house.see({"expr": "sum(depth)", "above": "5"}, {Labels(): START})
    assert (together.conditions[ERROR], together.reason) == (Condition.UNKNOWN, "probe b fails")


def test_while_the_agent_is_blind_nobody_knows(house: House) -> None:
    house.look("shop", Sample("depth", 9))
    house.head.blind = True
    assert house.see({"last": "depth", "above": "5"}) == []
    (seen,) = house.see({"last": "depth", "above": "5"}, {Labels.of(probe="shop"): START})
    assert (seen.conditions[ERROR], seen.reason) == (Condition.UNKNOWN, "the agent is blind")


def test_a_pushed_series_is_held_for_15_minutes_and_then_gone(house: House) -> None:
    """No probe answers for it: its age alone speaks."""
    house.head.append(Batch("push", (Sample("depth", 9, {"job": "nightly"}),), START, timedelta(), whole=False))
    known: dict[Labels, datetime | None] = {Labels.of(job="nightly"): START}
    said = []
    for minutes in (4, 6, 14, 16):
        house.now = START + timedelta(minutes=minutes)
        said += house.see({"last": "depth", "above": "5"}, known)
    assert conditions(said) == [Condition.HOLDS, Condition.SCARCE, Condition.SCARCE, Condition.OVER]
    assert said[-1].reason == "gone"


def test_one_event_of_a_counter_seen_late_counts(house: House) -> None:
    house.look("shop")
    house.now += STEP
    house.look("shop", Sample("failures_total", 1, counter=True))
    (seen,) = house.see({"increase": {"of": "failures_total", "over": "5m"}, "above": "0"})
    assert (seen.value, seen.reason) == (1, "1 > 0")


def test_an_edit_of_by_ends_the_alerts_that_cannot_be_any_more(house: House) -> None:
    house.look("shop", Sample("failures_total", 0, {"channel": "tick"}, counter=True))
    house.now += STEP
    house.look("shop", Sample("failures_total", 5, {"channel": "tick"}, counter=True))
    entry = {"increase": {"of": "failures_total", "over": "5m", "by": "channel"}, "above": "4"}
    (old, new) = house.see(entry, {Labels(): START})
    assert (new.labels, new.conditions[ERROR]) == (Labels.of(channel="tick"), Condition.HOLDS)
    assert (old.labels, old.conditions[ERROR], old.reason) == (Labels(), Condition.OVER, "gone")


def test_a_probe_that_was_taken_out_ends_its_alerts_and_holds_up_no_other(house: House) -> None:
    """What the agent writes when a probe leaves the tree: a whole look that shows nothing."""
    for probe in ("old", "new"):
        house.look(probe, Sample("depth", 9))
    house.now += STEP
    house.head.append(Batch("old", (), house.now, STEP, whole=True))
    house.look("new", Sample("depth", 9))
    known: dict[Labels, datetime | None] = {Labels.of(probe="old"): START}
    apart = {seen.labels.get("probe"): seen.reason for seen in house.see({"last": "depth", "above": "5"}, known)}
    assert apart == {"new": "9 > 5", "old": "gone"}
    house.now += timedelta(hours=1)
    house.look("new", Sample("depth", 9))
    (together,) = house.see({"expr": "sum(depth)", "above": "5"}, {Labels(): START})
    assert together.conditions[ERROR] is Condition.HOLDS


def test_a_rule_that_returns_nothing_says_why(house: House) -> None:
    """Its probe fails, or the metric is not there: "nothing" alone reads like "all is well"."""

    def why(**entry: Any) -> str:
        watched = rule({"severity": "error", **entry})
        assert observe(watched, house.now, house.head, every=True) == []
        return nothing(watched, house.now, house.head)

    house.look("shop", Sample("depth", 1.0), Sample("up", 1.0))
    assert why(last="dpeth", above="5") == "dpeth was not seen for a day, or never"
    assert why(expr="depth unless on () up") == ""
    house.now += STEP
    house.look("shop", succeeds=False)
    assert why(expr="depth unless on () up") == "probe shop fails"
    house.now += STEP
    house.look("shop", Sample("up", 1.0))
    assert why(last="depth", above="5") == "depth has no newest value"


def test_a_rule_is_blind_to_a_metric_that_is_not_there(house: House) -> None:
    house.look("shop", Sample("depth", 1))

    def missed(entry: Mapping[str, Any]) -> Missing | None:
        return missing(rule({"severity": "error", **entry}), house.now, house.head)

    assert missed({"last": "depth", "above": "5"}) is None
    assert missed({"last": "dpeth", "above": "5"}) == Missing("dpeth")
    assert missed({"average": {"of": "dpeth", "over": "1h"}, "above": "5"}) == Missing("dpeth")
    assert missed({"increase": {"of": "orders_total", "over": "1h"}, "below": "5"}) == Missing("orders_total")
    assert missed({"increase": {"of": "errors_total", "over": "1h"}, "above": "5"}) == Missing("errors_total", True)
    assert missed({"quantile": {"p": "99", "of": "x_seconds", "over": "5m"}, "below": "1s"}) == Missing("x_seconds")
    assert missed({"job": "discovery"}) == Missing("job_overdue_seconds")
    assert missed({"expr": "dpeth", "above": "5"}) is None


def test_a_rule_for_all_that_no_other_names_is_not_blind_where_nothing_is_left(house: House) -> None:
    rest = rule({"job": {"name": "*"}, "severity": "error"})
    assert missing(rest, house.now, house.head) is None
    house.look("shop", Sample("job_overdue_seconds", 0, {"job": "other"}))
    house.now += timedelta(hours=1)
    assert missing(rest, house.now, house.head) == Missing("job_overdue_seconds")


FORMS: list[dict[str, Any]] = [
    {"last": "a_total", "above": "5", "recover": "2"},
    {"increase": {"of": "a_total", "over": "1m", "by": "q"}, "above": "9", "below": "2"},
    {"ratio": {"of": "a_total", "to": "b_total", "over": "1m", "at_least": "3"}, "above": "20%"},
    {"ratio": {"of": "a_total", "to": "b_total"}, "below": "20%"},
    {"quantile": {"p": "90", "of": "a_total", "over": "1m", "by": "q", "at_least": "3"}, "above": "3"},
    {"expr": "a_total / b_total > 0.5"},
    {"expr": "a_total > b_total"},
]
samples = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from(["a_total", "b_total"]), st.sampled_from(["", "x", "y"])),
        st.one_of(st.integers(0, 20).map(float), st.just(float("nan")), st.just(float("inf"))),
        max_size=6,
    )
    | st.none(),
    max_size=8,
)


@given(st.sampled_from(FORMS), samples)
def test_no_samples_make_an_evaluation_fail(
    entry: Mapping[str, Any], looks: list[dict[tuple[str, str], float] | None]
) -> None:
    """Whatever was stored, a rule says something of it; and what a form compiles to reads back as itself."""
    watched = rule({**entry, "severity": "error"})
    assert parse(str(watched.compiled.expr)) == watched.compiled.expr
    house = House()
    known: dict[Labels, datetime | None] = {Labels.of(q="x"): None, Labels(): None}
    for look in looks:
        if look is None:
            house.look("shop", succeeds=False)
        else:
            house.look("shop", *(Sample(name, value, {"q": q} if q else {}) for (name, q), value in look.items()))
        observed = observe(watched, house.now, house.head, known)
        assert {seen.labels for seen in observed} >= known.keys()
        assert all(seen.conditions.keys() == {ERROR} and seen.reason for seen in observed)
        assert all(NAME not in seen.labels.names() for seen in observed)
        house.now += STEP
