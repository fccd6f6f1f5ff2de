"""The built-in rules: each fires on the number that it is about, and on nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from sentinel.config.load import load_texts
from sentinel.core.alert import Condition
from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.promql.block import Block
from sentinel.rules.observe import observe
from sentinel.rules.rule import Rule

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WELL = {
    "sentinel_config_valid": 1,
    "sentinel_database_up": 1,
    "sentinel_blind": 0,
    'sentinel_dead_letters{notifier="slack"}': 0,
    'sentinel_notifier_up{notifier="slack"}': 1,
    'sentinel_probe_last_run_age_seconds{target="shop"}': 14,
    'sentinel_probe_interval_seconds{target="shop"}': 15,
}


@cache
def rules() -> dict[str, Rule]:
    """Return the built-in rules."""
    return dict(load_texts({}, {}, NOW, agent="agent-1").rules)


def firing(numbers: dict[str, float]) -> dict[str, str]:
    """Return the summary of each rule that holds on these numbers."""
    series = {_labels(name): [(to_ms(NOW), float(value))] for name, value in numbers.items()}
    source = Block(series)
    found = {}
    for name, rule in rules().items():
        for seen in observe(rule, NOW, source):
            if Condition.HOLDS in seen.conditions.values():
                found[name] = seen.texts["summary"]
    return found


@pytest.mark.parametrize(
    ("changed", "rule", "summary"),
    [
        pytest.param({}, "", "", id="all is well"),
        pytest.param({"sentinel_config_valid": 0}, "config-invalid", "The configuration of agent-1 cannot be read"),
        pytest.param({"sentinel_database_up": 0}, "database", "The database of agent-1 cannot be written"),
        pytest.param({"sentinel_blind": 1}, "blind", "agent-1 reaches neither its targets nor its reference"),
        pytest.param(
            {'sentinel_dead_letters{notifier="slack"}': 2}, "dead-letters", "Notifications to slack were given up"
        ),
        pytest.param({'sentinel_notifier_up{notifier="slack"}': 0}, "notifier-down", "Notifier slack does not deliver"),
        pytest.param({'sentinel_rule_failures{rule="deep"}': 1}, "rule-failing", "Rule deep cannot be evaluated"),
        pytest.param({'sentinel_rule_blind{rule="deep"}': 1}, "rule-blind", "Rule deep has had no data for an hour"),
        pytest.param(
            {'sentinel_probe_last_run_age_seconds{target="shop"}': 90},
            "probe-not-running",
            "Probe shop has not run for 1m30s",
        ),
        pytest.param({'sentinel_probe_last_run_age_seconds{target="shop"}': 60}, "", "", id="one look came late"),
    ],
)
def test_it_fires_on_its_number(changed: dict[str, float], rule: str, summary: str) -> None:
    """And on nothing else."""
    assert firing(WELL | changed) == ({f"sentinel-{rule}": summary} if rule else {})


def _labels(text: str) -> Labels:
    name, _, inner = text.partition("{")
    pairs = dict(pair.split("=") for pair in inner.rstrip("}").split(",") if pair)
    return Labels.of({"__name__": name, "probe": "sentinel"} | {key: value.strip('"') for key, value in pairs.items()})
