"""No data: for every form, what is gone resolves, and what nobody knows is held, unless the rule says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from sentinel.rules import FORMS
from tests.rules.making import rule
from tests.rules.stage import START, HeadStore, Stage
from tests.rules.test_cases import labels_of

EVERY = timedelta(seconds=15)
#: At this look each of the rules fires.
FIRING = 20
#: What these forms are about is the probe itself, or what is not there: it cannot be gone.
NEVER_GONE = {"absent", "availability", "probe"}

Series = Mapping[str, Callable[[int], float]]


def steady(at: int) -> float:
    return 9.0


def growing(at: int) -> float:
    return 10.0 * at


WATCHED: Mapping[str, tuple[dict[str, Any], Series]] = {
    "anomaly": (
        {"anomaly": {"of": "load", "over": "30s", "season": "2m", "seasons": "2"}, "above": "4"},
        {"load": lambda at: 50.0 if at >= FIRING - 1 else 1.0},
    ),
    "average": ({"average": {"of": "queue_depth", "over": "1m"}, "above": "5"}, {"queue_depth": steady}),
    "burn_rate": (
        {"burn_rate": {"errors": "errors_total", "total": "all_total", "objective": "99%"}, "severity": None},
        {"errors_total": growing, "all_total": growing},
    ),
    "certificate": (
        {"certificate": "shop", "below": "14d"},
        {"probe_ssl_earliest_cert_expiry": lambda at: START.timestamp() + 86_400},
    ),
    "change": (
        {"change": {"of": "orders", "versus": "5m"}, "below": "-50%"},
        {"orders": lambda at: 100.0 if at < 10 else 10.0},
    ),
    "expr": ({"expr": "queue_depth", "above": "5"}, {"queue_depth": steady}),
    "forecast": ({"forecast": {"of": "queue_depth", "over": "1m", "in": "9m"}, "above": "5"}, {"queue_depth": growing}),
    "increase": ({"increase": {"of": "jobs_total", "over": "1m"}, "above": "5"}, {"jobs_total": growing}),
    "job": (
        {"job": {"name": "shop", "not_run_for": "1m"}},
        {'job_idle_seconds{job="shop"}': growing},
    ),
    "last": ({"last": "queue_depth", "above": "5"}, {"queue_depth": steady}),
    "maximum": ({"maximum": {"of": "queue_depth", "over": "1m"}, "above": "5"}, {"queue_depth": steady}),
    "minimum": ({"minimum": {"of": "queue_depth", "over": "1m"}, "above": "5"}, {"queue_depth": steady}),
    "quantile": (
        {"quantile": {"p": "95", "of": "latency_seconds", "over": "1m"}, "above": "5s"},
        {"latency_seconds": steady},
    ),
    "rate": ({"rate": {"of": "jobs_total", "over": "1m"}, "above": "5/min"}, {"jobs_total": growing}),
    "ratio": (
        {"ratio": {"of": "errors_total", "to": "all_total", "over": "1m"}, "above": "5%"},
        {"errors_total": growing, "all_total": growing},
    ),
}


@dataclass(frozen=True, slots=True)
class Played:
    """A stage on which the alert fires, and the series that carry it."""

    stage: Stage
    series: Series

    def look(self, at: int, *, shows: bool = True, succeeds: bool = True) -> None:
        """Let the probe look, and the rule be judged."""
        values = {labels_of(name): value(at) for name, value in self.series.items()} if shows and succeeds else {}
        self.stage.look(START + at * EVERY, {**values, labels_of("up"): 1.0}, succeeds=succeeds)
        self.stage.judge(START + at * EVERY)


def firing(word: str, **keys: str) -> Played:
    """Return a rule of a form that fires since the last look."""
    entry, series = WATCHED[word]
    played = Played(Stage(rule({"severity": "error", **entry, **keys}), EVERY, HeadStore()), series)
    for at in range(FIRING + 1):
        played.look(at)
    [alert] = played.stage.alerts.values()
    assert alert.phase.active
    return played


def test_every_form_is_watched() -> None:
    assert set(WATCHED) | NEVER_GONE == set(FORMS)


@pytest.mark.parametrize("word", WATCHED)
def test_what_the_probe_no_longer_reports_is_over(word: str) -> None:
    played = firing(word)
    played.look(FIRING + 1, shows=False)
    assert not played.stage.alerts
    assert played.stage.told[-1].reason == ("not the case any more" if word == "expr" else "gone")


@pytest.mark.parametrize("word", WATCHED)
def test_while_the_probe_fails_an_alert_is_held(word: str) -> None:
    played = firing(word)
    for at in range(FIRING + 1, FIRING + 50):
        played.look(at, succeeds=False)
    [alert] = played.stage.alerts.values()
    assert alert.phase.active
    assert alert.unknown_since == START + (FIRING + 1) * EVERY
    assert alert.reason == "probe shop fails"


@pytest.mark.parametrize("word", WATCHED)
def test_while_the_probe_is_late_an_alert_is_held(word: str) -> None:
    played = firing(word)
    played.stage.judge(START + (FIRING + 3) * EVERY)
    [alert] = played.stage.alerts.values()
    assert alert.reason == "probe shop is late"


@pytest.mark.parametrize("word", WATCHED)
def test_who_wants_it_takes_not_knowing_for_not_the_case(word: str) -> None:
    played = firing(word, no_data="resolve")
    played.look(FIRING + 1, succeeds=False)
    assert not played.stage.alerts
    assert played.stage.told[-1].reason == "probe shop fails"
