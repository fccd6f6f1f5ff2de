"""Explained: what `explain` says of a rule's defaults, and of one that is not judged now."""

from __future__ import annotations

import pytest

from sentinel.config.config import Config
from sentinel.config.load import load_texts
from sentinel.core.severity import Severity
from sentinel.engine.account import lines
from sentinel.engine.explain import explain
from sentinel.engine.state import State
from tests.rules.stage import START


def said(keys: str, defaults: str = "{}") -> list[str]:
    """Return what `explain` says of a rule with these keys, in a folder with these defaults."""
    tree = f"defaults: {{rules: {defaults}}}\nrules:\n  queue: {{last: queue_depth, above: 5, {keys}}}\n"
    return account("queue", load_texts({"rules/queue.yaml": tree}, {}, START))


def account(name: str, config: Config) -> list[str]:
    """Return what `explain` says of a rule of which nothing was seen yet."""
    return [line.strip() for line in lines(explain(config.rules[name], [], config.policy, State(), START))]


def test_a_key_that_comes_from_the_folder_says_where_it_is_written() -> None:
    found = said("severity: error", "{owner: data, severity: info, for: 5m}")
    assert "by default   owner, from rules/queue.yaml:1:20" in found
    assert "by default   for, from rules/queue.yaml:1:49" in found
    assert len([line for line in found if line.startswith("by default")]) == 2


def test_a_part_of_a_key_that_comes_from_the_folder_says_so_too() -> None:
    found = said("severity: error, labels: {team: shop}", "{labels: {team: all, env: live}, last: {of: other}}")
    assert [line for line in found if line.startswith("by default")] == [
        "by default   labels.env, from rules/queue.yaml:1:40"
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("enabled: false", "is not judged now: disabled"),
        ("enabled: false, until: 2026-11-02 08:00", "is not judged now: disabled until 2026-11-02 08:00:00 UTC"),
        ("active: {from: 09:00, to: 18:00}", "is not judged now: outside its hours until 2026-11-02 09:00:00 UTC"),
    ],
)
def test_a_rule_that_is_not_judged_says_why_and_until_when(keys: str, expected: str) -> None:
    assert expected in said(f"severity: error, {keys}")


def test_each_severity_says_what_it_waits_for() -> None:
    keys = "above: {error: 0, critical: 25}, for: {error: 15m}, recover: {critical: 20}, keep_firing_for: 5m"
    tree = f"rules:\n  queue: {{last: queue_depth, {keys}}}\n"
    found = account("queue", load_texts({"rules/queue.yaml": tree}, {}, START))
    assert "error        above 0, for 15m, kept for 5m" in found
    assert "critical     above 25, over at 20, kept for 5m" in found


def test_a_severity_that_is_no_number_beside_the_value_shows_its_own_expression() -> None:
    tree = "rules:\n  slo: {burn_rate: {errors: bad_total, total: all_total, objective: 99%}}\n"
    config = load_texts({"rules/slo.yaml": tree}, {}, START)
    found = account("slo", config)
    assert f"critical     where {config.rules['slo'].compiled.own[Severity.CRITICAL]}" in found
