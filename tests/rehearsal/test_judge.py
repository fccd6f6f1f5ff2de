"""Tests of rules: what happens and what is expected, through the whole house on a clock that is pushed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsal.playing import verdicts

CASES = sorted((Path(__file__).parents[1] / "cases" / "rehearsal").glob("*.yaml"))

QUEUE = """
notifiers: {slack: {console: {}}, cto: {console: {}}}
routes: {all: {notify: [slack], group_wait: 0s}}
rules:
  queue: {last: queue_depth, above: {warning: 10, critical: 20}, summary: "{{ labels.q }} holds {{ value }}"}
  other: {last: other_depth, above: 10, severity: error}
tests:
  it:
"""


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_each_case_passes(path: Path) -> None:
    """What these files expect of the house is so."""
    found = verdicts(path.read_text())
    assert found
    assert not any(found.values()), found


def failing(keys: str) -> list[str]:
    """Return what is wrong with a test that has these keys."""
    body = "\n".join(f"    {line}" for line in keys.strip().splitlines())
    return verdicts(QUEUE + body)["it"]


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        ("{at: 0s, rule: queue, severity: warning}", []),
        ("{at: [0s, 1m], rule: queue, labels: {q: a}, value: 15, summary: a holds 15}", []),
        ("{at: 0s, rule: queue, labels: {q: 'a*'}, summary: {matches: 'a holds \\d+'}, reason: '15 > 10'}", []),
        ("{at: 0s, rule: queue, count: 1}", []),
        (
            "{at: 0s, rule: queue, severity: critical}",
            ['at 0s, the severity of queue{q="a"} is warning, not critical'],
        ),
        ("{at: 0s, rule: queue, labels: {q: b}}", ['at 0s, the label q of queue{q="a"} is a, not b']),
        ("{at: 0s, rule: queue, value: 16}", ['at 0s, the value of queue{q="a"} is 15, not 16']),
        ("{at: 0s, rule: queue, summary: b*}", ['at 0s, the summary of queue{q="a"} is a holds 15, not b*']),
        ("{at: 0s, rule: queue, state: pending}", ['at 0s, the state of queue{q="a"} is firing, not pending']),
        ("{at: 0s, rule: queue, state: inactive}", ['at 0s, "queue" is firing, not inactive']),
        ("{at: 0s, rule: queue, count: 2}", ['at 0s, "queue" has 1 alerts like this, not 2']),
        ("{at: 0s, rule: queue, count: 0}", ['at 0s, "queue" has 1 alerts like this, not 0']),
        ("{at: 5m30s, rule: queue, since: 1m}", ['at 5m30s, the since of queue{q="a"} is 0s, not 1m']),
        ("{at: 0s, rule: other}", ['at 0s, "other" has no alert that is firing']),
        ("{at: 0s, query: sum(queue_depth), samples: 15}", []),
        ("{at: 0s, query: queue_depth, samples: {'queue_depth{q=\"a\"}': 15}}", []),
        ("{at: 0s, query: sum(queue_depth), samples: 16}", ["at 0s, the query returns something else"]),
    ],
)
def test_what_differs_is_said(expected: str, wrong: list[str]) -> None:
    """One alert that fires, held against one expectation."""
    found = failing(f"""series: {{'queue_depth{{q="a"}}': 15x40}}\nexpect: [{expected}]""")
    assert found == wrong


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        ("{at: 1m, rule: queue, labels: {q: a}}", ['at 1m, queue{q="b"} fires, and is not listed']),
        ("{at: 1m, rule: queue}, {at: 1m, rule: queue}", []),
        ("{at: 1m, rule: queue, count: 2}", []),
        ("{at: 1m, rule: queue}, {at: 1m, rule: queue, labels: {q: a}}", []),
        ("{at: 1m, rule: queue, labels: {q: a}}, {at: 1m, rule: queue, labels: {q: a}}",
         ['at 1m, the label q of queue{q="b"} is b, not a']),
    ],
)  # fmt: skip
def test_each_alert_of_a_named_rule_is_listed(expected: str, wrong: list[str]) -> None:
    """An expectation takes one alert, whatever order they are written in; what is left over is one too many."""
    series = """series: {'queue_depth{q="a"}': 15x40, 'queue_depth{q="b"}': 15x40, other_depth: 15x40}"""
    assert failing(f"{series}\nexpect: [{expected}]") == wrong


def test_an_alert_that_came_and_went_unlisted_fails() -> None:
    """Between two instants that a test speaks of nothing is overlooked."""
    keys = """
series: {'queue_depth{q="a"}': 0x3 15x3 0x40}
expect: [{at: 0s, rule: queue, state: inactive}, {at: 5m, rule: queue, count: 0}]
"""
    assert failing(keys) == ['queue{q="a"} fired at 1m, and is not listed']
    assert failing(keys.replace("count: 0", "state: resolved, severity: warning")) == []


def test_only_extends_that_to_every_rule() -> None:
    """`only: true` looks at the rules that the test does not name, too."""
    keys = "series: {other_depth: 15x40}\nexpect: [{at: 1m, rule: queue, state: inactive}]"
    assert failing(keys) == []
    assert failing(f"only: true\n{keys}") == ["at 1m, other fires, and is not listed"]


def test_what_was_told_is_listed_once_a_test_speaks_of_it() -> None:
    """Who hears, why, and in which words; what is told besides fails."""
    series = """series: {'queue_depth{q="a"}': 15x8 25x20 0x40}"""
    well = f"""
{series}
expect:
  - {{at: 1m, rule: queue, notified: {{slack: firing}}, message: {{title: 'Warning: queue{{q="a"}}: a holds 15'}}}}
  - {{at: 3m, rule: queue, severity: critical, notified: {{slack: rose}}}}
  - {{at: 8m, rule: queue, state: resolved, notified: [slack]}}
"""
    assert failing(well) == []
    assert failing(well.replace("notified: {slack: rose}", "value: 25")) == [
        "slack was told at 2m15s, and that is not listed"
    ]
    assert failing(well.replace("a holds 15", "b holds 15")) == ["at 1m, the title of the message to slack is another"]
    assert failing(well.replace("{slack: rose}", "[cto]")) == ['at 3m, slack heard of "queue"']


def test_a_rule_that_cannot_be_evaluated_fails_its_test() -> None:
    """What nobody could judge is not well."""
    keys = "series: {'a{x=\"1\"}': 1x9, 'a{x=\"2\"}': 1x9, b: 1x9}\nexpect: [{at: 1m, rule: odd, state: inactive}]"
    odd = "rules:\n  odd: {expr: 'b * on () a', above: 5, severity: error}"
    [says] = verdicts(QUEUE.replace("rules:", odd) + "\n".join(f"    {line}" for line in keys.splitlines()))["it"]
    assert says.startswith("odd cannot be evaluated: ")
