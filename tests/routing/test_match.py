"""`match`: what routes, mutes, silences and inhibitions speak of."""

from __future__ import annotations

import pytest

from sentinel.core.alert import Alert, Origin, Phase, Standing
from sentinel.core.clock import ManualClock
from sentinel.core.labels import Labels
from sentinel.core.severity import Severity
from sentinel.routing import Match

NOW = ManualClock().now()


def alert(level: Severity = Severity.ERROR, phase: Phase = Phase.FIRING) -> Alert:
    """An alert of `db-down` at host `db1`."""
    return Alert(
        "db-down",
        Labels.of(host="db1", job="shop", env="prod"),
        {level: Standing(phase, NOW)},
        rule_labels={"team": "data", "env": "not this one"},
        owner="payments",
        origin=Origin("rules/db.yaml", 3),
    )


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, True),
        ({"rule": "db-down"}, True),
        ({"rule": "db-*"}, True),
        ({"rule": "db"}, False),
        ({"rule": "*"}, True),
        ({"owner": "payments", "env": "prod"}, True),
        ({"owner": "payments", "env": "test"}, False),
        ({"env": ["test", "prod"]}, True),
        ({"env": ["test", "stage"]}, False),
        ({"env": "!test"}, True),
        ({"env": "!p*"}, False),
        ({"team": "data"}, True),
        ({"region": ""}, True),
        ({"region": "!"}, False),
        ({"host": "!"}, True),
        ({"region": "*"}, True),
        ({"probe": "shop"}, True),
        ({"file": "rules/*"}, True),
        ({"severity": "error"}, True),
        ({"severity": "Error"}, True),
        ({"severity": "warning+"}, True),
        ({"severity": "critical+"}, False),
        ({"severity": "!critical"}, True),
        ({"severity": "!warning+"}, False),
        ({"severity": ["info", "error"]}, True),
        ({"host": "d.1"}, False),
        ({"host": "**1"}, True),
    ],
)
def test_what_matches(wanted: dict[str, str | list[str]], fits: bool) -> None:
    """DESIGN: "`match` names labels or `rule`, `severity`, `owner`, `probe`, `file`; all must hold. A value is …".

    "… a text (`*` stands for anything), a list (any of them), `warning+`, or a text after `!`; a label that is missing
    is empty."
    """
    match = Match.of(wanted)
    assert match.matches(alert()) is fits
    assert (match.misses(alert()) == "") is fits


def test_a_severity_that_is_none_is_refused() -> None:
    """The words list what there is."""
    with pytest.raises(ValueError, match='"bad" is not a severity; one of info, warning, error, critical'):
        Match.of({"severity": "bad+"})


def test_a_pending_alert_is_matched_by_what_it_would_be() -> None:
    """So that a cause which pends is known for one."""
    assert Match.of({"severity": "critical"}).matches(alert(Severity.CRITICAL, Phase.PENDING))


def test_a_miss_says_what_was_wanted() -> None:
    """In the words of `explain`."""
    assert Match.of({"env": ["test", "stage"]}).misses(alert()) == 'env is "prod", wanted test or stage'


def test_an_owner_may_stand_in_a_label() -> None:
    """An alert about Sentinel itself goes to whoever owns what it concerns; its rule has no owner."""
    blind = Alert(
        "sentinel-rule-blind", Labels.of(rule="queue", owner="data"), {Severity.WARNING: Standing(Phase.FIRING, NOW)}
    )
    assert Match.of({"owner": "data"}).matches(blind)
    assert not Match.of({"owner": "payments"}).matches(blind)
