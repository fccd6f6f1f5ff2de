"""Case files: the looks of a probe go in, the alerts of a rule come out at the times spelled beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sentinel.core.alert import Alert, Observed, Transition
from sentinel.core.labels import Labels
from sentinel.core.notation import STALE_MARK, parse_values
from sentinel.core.quantity import format_duration, parse_duration
from sentinel.promql import VectorSelector, parse
from sentinel.rules import FORMS, Rule
from sentinel.rules.observe import observe
from tests.rules.making import INTERVALS, rule
from tests.rules.stage import PROBE, START, Stage, Store, stores
from tests.texts import read_texts

CASES = Path(__file__).parents[1] / "cases" / "rules"
COUNTING = {"burn_rate", "increase", "quantile", "rate", "ratio"}
OF_PROBES = {"availability", "certificate", "job", "probe"}
#: What goes wrong sooner or later, and the forms to which it can happen.
EDGES = {
    "no traffic": COUNTING,
    "one event": COUNTING,
    "first burst": COUNTING,
    "missing numerator": {"burn_rate", "ratio"},
    "counter reset": COUNTING,
    "series renamed": set(FORMS) - OF_PROBES,
    "first day": set(FORMS) - {"certificate", "expr", "last", "probe"},
    "two missed scrapes": set(FORMS),
    "hourly probe": set(FORMS),
    "daylight saving": {"change", "increase", "job"},
    "NaN": set(FORMS) - OF_PROBES,
    "top bucket": {"quantile"},
}


@cache
def loaded(path: Path) -> Mapping[str, Any]:
    """Read a case file; its scalars are texts."""
    found: Mapping[str, Any] = read_texts(path.read_text())
    return found


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {name}")
        for path in sorted(CASES.glob("*.yaml"))
        for name, case in loaded(path).items()
    ]


class Case:
    """One entry of a case file; its scalars are texts."""

    def __init__(self, case: Mapping[str, Any], of: Rule | None = None) -> None:
        self.every = parse_duration(case.get("every", "15s"))
        self.evaluate = parse_duration(case["evaluate"]) if "evaluate" in case else self.every
        self.rule = of or rule(case["rule"], INTERVALS | {"shop": self.every})
        self.probe = case.get("probe", PROBE)
        self.start = datetime.fromisoformat(case["start"]).replace(tzinfo=UTC) if "start" in case else START
        self.series = {labels_of(selector): parse_values(values) for selector, values in case["series"].items()}
        self.looks = list(looks_of(case.get("looks", "")))
        self.expect = {parse_duration(at): alerts for at, alerts in case["expect"].items()}
        self.seen = {parse_duration(at): element for at, element in case.get("seen", {}).items()}
        self.told: list[str] | None = case.get("told")

    def instants(self) -> Iterator[timedelta]:
        """Iterate over the times of evaluation, as time since the start."""
        return (step * self.evaluate for step in range(int(max([*self.expect, *self.seen]) / self.evaluate) + 1))

    def look(self, at: timedelta) -> tuple[str, dict[Labels, float]]:
        """Return how the probe's look at this time went, and what it showed; `missed` where there is none."""
        index, between = divmod(at, self.every)
        if between:
            return "missed", {}
        shown = {labels: row[index] for labels, row in self.series.items() if index < len(row)}
        values = {labels: float(value) for labels, value in shown.items() if value not in (None, STALE_MARK)}
        return self.looks[index] if index < len(self.looks) else "well", values


def labels_of(selector: str) -> Labels:
    parsed = parse(selector)
    assert isinstance(parsed, VectorSelector)
    return Labels.of({matcher.name: matcher.value for matcher in parsed.matchers})


def looks_of(text: str) -> Iterator[str]:
    for word in text.split():
        look, _, times = word.partition("*")
        yield from [look] * int(times or 1)


@pytest.mark.parametrize("store", stores())
@pytest.mark.parametrize("given", cases())
def test_case(given: Mapping[str, Any], store: type[Store]) -> None:
    """At each time spelled, exactly these alerts stand; and people heard exactly this, where the case says so."""
    play(Case(given), store)


def play(case: Case, store: type[Store]) -> None:
    """Let a case happen, and hold what comes out against what it expects."""
    stage = Stage(case.rule, case.every, store(), case.probe)
    for at in case.instants():
        look, values = case.look(at)
        if look != "missed":
            stage.look(case.start + at, values, succeeds=look == "well")
        stage.judge(case.start + at)
        if at in case.expect:
            alerts = sorted(stage.alerts.values(), key=lambda alert: alert.labels)
            expected = [whole(spelled) for spelled in case.expect[at]]
            assert [facts(alert, keys) for alert, keys in zip(alerts, expected, strict=False)] == expected, at
            assert len(alerts) == len(expected), (at, alerts)
        if at in case.seen:
            (element,) = observe(case.rule, case.start + at, stage.store.source(case.start + at), every=True)
            assert seen(element, case.seen[at]) == near(case.seen[at]), at
    if case.told is not None:
        told = [spell(transition, case.start) for transition in stage.told]
        assert [text[: len(start)] for text, start in zip(told, case.told, strict=False)] == case.told, told
        assert len(told) == len(case.told), told


def whole(spelled: Mapping[str, Any]) -> dict[str, Any]:
    """Add what is understood: an alert with a severity fires, and is known."""
    return {"phase": "firing", "unknown": "false", **near(spelled)}


def near(spelled: Mapping[str, Any]) -> dict[str, Any]:
    """Let a value be near enough."""
    return {key: pytest.approx(float(text), rel=1e-5) if key == "value" else text for key, text in spelled.items()}


def facts(alert: Alert, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the case speaks of; the label of the one probe only where the case does."""
    labels = alert.labels if "probe" in keys.get("labels", ()) else alert.labels.without("probe")
    known: dict[str, Any] = {
        "severity": str(alert.severity),
        "phase": str(alert.phase),
        "value": alert.value,
        "reason": alert.reason,
        "labels": labels.as_dict(),
        "summary": alert.texts.get("summary"),
        "threshold": alert.threshold,
        "unknown": str(alert.unknown_since is not None).lower(),
    }
    return {key: known[key] for key in keys}


def seen(element: Observed, keys: Mapping[str, str]) -> dict[str, Any]:
    return {key: {"value": element.value, "reason": element.reason}[key] for key in keys}


def spell(transition: Transition, start: datetime) -> str:
    severity = f" {transition.severity}" if transition.severity else ""
    return f"{format_duration(transition.at - start)} {transition.change}{severity}: {transition.reason}"


def test_each_form_has_cases() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} == set(FORMS)


@pytest.mark.parametrize("edge", EDGES)
def test_each_form_has_a_case_of_each_edge_that_it_can_meet(edge: str) -> None:
    tagged = [(path.stem, case.get("edge", [])) for path in CASES.glob("*.yaml") for case in loaded(path).values()]
    assert {form for form, edges in tagged if edge in ([edges] if isinstance(edges, str) else edges)} == EDGES[edge]
