"""One group of a Prometheus rule file, slot by slot: what promtool cannot be asked, since it gives up or is too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentinel.config.load import load
from sentinel.core.alert import Phase
from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.core.severity import Severity
from sentinel.engine.slots import Slots
from sentinel.rules.grouped import RuleGroup
from sentinel.rules.prometheus import severity_of
from tests.engine.groups import EPOCH, Stage, groups_of, run

MINUTE = timedelta(minutes=1)


def played(
    rules: str, series: dict[str, str], query: str = '{__name__=~"rec.*|ALERTS"}'
) -> tuple[Stage, list[set[str]]]:
    """Play a rule file over samples, one a minute; return the stage, and the series that there are at each step."""
    stage = Stage(groups_of(rules))
    steps = len(next(iter(series.values())).split())
    return stage, [set(found) for found in run(stage, series, steps, MINUTE, query)]


def test_a_query_that_fails_is_not_no_data() -> None:
    """While the query fails, the alert stands as it stood, and its series are neither written nor ended."""
    rules = """
groups:
  - name: g
    rules:
      - {alert: A, expr: x * on () y > 0}
      - {record: rec, expr: sum(x)}
"""
    stage, _ = played(rules, {"x": "1 1 1 1", 'y{i="1"}': "1 1 1 1", 'y{i="2"}': "_ 1 1 _"})
    assert stage.changes == ["0 A fired"]
    stage, found = played(rules, {"x": "1 1 1", 'y{i="1"}': "1 1 1", 'y{i="2"}': "_ 1 1"})
    assert "many" in stage.failures["A"]
    assert all('ALERTS{alertname="A", alertstate="firing"}' in step and "rec" in step for step in found)


def test_a_template_that_cannot_ask_says_so_in_the_text_and_the_alert_is_told() -> None:
    """As in Prometheus: neither does the rule fail nor does its alert stand still."""
    rules = """
groups:
  - name: g
    query_offset: 1m
    rules:
      - alert: A
        expr: x > 0
        annotations:
          many: '{{ query "x * on () y" }}'
          none: '{{ query "x +" }}'
          newest: '{{ query "x" | first | value }} {{ now }}'
"""
    stage, _ = played(rules, {"x": "1 2 0", 'y{i="1"}': "1 1 1", 'y{i="2"}': "1 1 1"})
    assert stage.failures == {}
    assert stage.changes == ["60 A fired"]
    [alert] = stage.alerts["A"].values()
    assert alert.texts["many"].startswith("<error expanding template: error calling query: ")
    assert alert.texts["none"].startswith("<error expanding template: error calling query: ")
    assert (
        alert.texts["newest"] == "0 120"
    )  # what is asked in a text is of the evaluation's instant, whatever the offset


def test_more_alerts_than_the_limit_end_all_of_them() -> None:
    """As in Prometheus the rule then has none and fails; here those who heard of one hear that it is over."""
    rules = "groups: [{name: g, limit: 1, rules: [{alert: A, expr: x > 0}, {record: rec, expr: x}]}]"
    stage, found = played(rules, {'x{i="1"}': "1 1 1", 'x{i="2"}': "0 1 0"})
    assert stage.changes == ["0 A fired", "60 A resolved", "120 A fired"]
    assert "limit is 1" in stage.failures["rec"]
    assert not any("rec" in series for step in found for series in step)


def test_two_results_with_the_same_labels_are_an_error() -> None:
    """A label that makes two alerts one fails the rule, and the rules below it go on."""
    rules = """
groups:
  - name: g
    rules:
      - {alert: A, expr: x, labels: {i: same}}
      - {record: rec, expr: x, labels: {i: ""}}
      - {record: rec2, expr: count(x)}
"""
    stage, found = played(rules, {'x{i="1"}': "1", 'x{i="2"}': "1"})
    assert found == [{"rec2"}]
    assert set(stage.failures) == {"A", "rec"}


def test_an_offset_moves_queries_and_samples_and_not_the_alert() -> None:
    """What is asked and written lies in the past; since when an alert is the case does not."""
    rules = "groups: [{name: g, query_offset: 1m, rules: [{record: rec, expr: x}, {alert: A, expr: rec > 1}]}]"
    stage, _ = played(rules, {"x": "1 2 3 4"})
    end = EPOCH + 3 * MINUTE
    assert stage.query("timestamp(rec)", end - MINUTE) == {"{}": to_ms(end - MINUTE) / 1000}
    assert stage.query("rec", end - MINUTE) == {"rec": 3.0}
    assert stage.changes == ["120 A fired"]


def test_labels_of_a_group_lie_under_those_of_its_rules() -> None:
    """Both of its recorded series and of its alerts."""
    rules = """
groups:
  - name: g
    labels: {team: a, of: group}
    rules:
      - {record: rec, expr: x}
      - {alert: A, expr: x, labels: {of: rule}}
"""
    _, found = played(rules, {"x": "1"})
    assert found == [{'rec{of="group", team="a"}', 'ALERTS{alertname="A", alertstate="firing", of="rule", team="a"}'}]


def test_raising_for_lets_an_alert_wait_again() -> None:
    """Where it has not been the case for so long; then it fires without having begun anew."""
    stage = Stage(groups_of("groups: [{name: g, rules: [{alert: A, expr: x > 0}]}]"))
    for _ in run(stage, {"x": "1 1"}, 2, MINUTE, "x"):
        pass
    stage.groups = groups_of("groups: [{name: g, rules: [{alert: A, expr: x > 0, for: 3m}]}]")
    stage.evaluate(EPOCH + 2 * MINUTE)
    [alert] = stage.alerts["A"].values()
    assert (alert.phase, alert.since) == (Phase.PENDING, EPOCH)
    stage.evaluate(EPOCH + 3 * MINUTE)
    assert stage.changes == ["0 A fired", "120 A resolved", "180 A fired"]


def test_one_alert_name_may_stand_twice() -> None:
    """Each rule has alerts of its own, told apart by the labels that it gives them."""
    rules = """
groups:
  - name: g
    rules:
      - {alert: A, expr: x > 0, labels: {severity: warn}}
      - {alert: A, expr: x > 1, labels: {severity: page}}
      - {alert: A, expr: x > 2, labels: {severity: page}}
      - {alert: B, expr: x > 2}
"""
    names = [rule.name for group in groups_of(rules) for rule in group.rules]
    assert names == ['A{severity="warn"}', 'A{severity="page"}', 'A{severity="page"}#2', "B"]
    stage, _ = played(rules, {"x": "2"})
    assert [(rule, alert.severity) for rule, of in stage.alerts.items() for alert in of.values()] == [
        ('A{severity="warn"}', Severity.WARNING),
        ('A{severity="page"}', Severity.CRITICAL),
    ]


@pytest.mark.parametrize(
    ("word", "severity"),
    [("page", "critical"), ("Critical", "critical"), ("ticket", "warning"), ("warn", "warning"), ("none", "info")],
)
def test_severities_of_others_are_known(word: str, severity: str) -> None:
    """What people write in rule files most; a word that nobody knows is told by `check`, and counts as error."""
    assert str(severity_of(word)) == severity
    assert severity_of("sev2") is None


def test_a_severity_may_come_out_of_a_template() -> None:
    """Then each alert has its own."""
    template = "'{{ if gt $value 5.0 }}page{{ else }}warn{{ end }}'"
    rules = f"groups: [{{name: g, rules: [{{alert: A, expr: x, labels: {{severity: {template}}}}}]}}]"
    stage, _ = played(rules, {'x{i="1"}': "9", 'x{i="2"}': "1"})
    assert sorted(alert.severity or 0 for alert in stage.alerts["A"].values()) == [Severity.WARNING, Severity.CRITICAL]


@pytest.mark.parametrize(("name", "seconds", "slot"), [("g", 2, 1795334800.071), ("other group", 3, 1795334800.870)])
def test_slots_lie_where_prometheus_has_them(name: str, seconds: int, slot: float) -> None:
    """The samples of Debian's Prometheus 2.42 had these times; file, name and interval alone decide."""
    group = RuleGroup(name, "/tmp/rules.yml", (), timedelta(seconds=seconds))
    at = datetime.fromtimestamp(slot, UTC)
    assert group.slot(at) == at
    assert group.slot(at + timedelta(seconds=seconds, milliseconds=-1)) == at
    assert group.slot_after(at) == at + group.interval


def test_slots_that_went_by_are_counted_and_not_caught_up() -> None:
    """After a long evaluation the newest slot is next; what lies between is missed."""
    group = RuleGroup("g", "f", (), MINUTE)
    start = group.slot(datetime(2026, 1, 1, tzinfo=UTC))
    slots = Slots([group], start)
    assert slots.due(start) == []
    assert slots.next_at == start + MINUTE
    late = start + timedelta(minutes=4, seconds=10)
    [(_, slot)] = slots.due(late)
    slots.taken(group, slot)
    assert (slot, slots.missed[group.key], slots.next_at) == (start + 4 * MINUTE, 3, start + 5 * MINUTE)
    slots.reload([group], late)
    assert slots.next_at == start + 5 * MINUTE
    slots.reload([], late)
    assert slots.next_at is None


def test_a_clock_that_was_set_back_stops_no_group() -> None:
    """Slots begin anew from the time that it is now."""
    group = RuleGroup("g", "f", (), MINUTE)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    slots = Slots([group], now)
    slots.due(now)
    slots.due(now - timedelta(hours=1))
    assert slots.next_at == group.slot_after(now - timedelta(hours=1))


def test_labels_are_those_of_prometheus() -> None:
    """The metric's name goes, an empty label removes one, `alertname` is among them."""
    stage, _ = played("groups: [{name: g, rules: [{alert: A, expr: x, labels: {i: ''}}]}]", {'x{i="1",j="2"}': "1"})
    [alert] = stage.alerts["A"].values()
    assert alert.labels == Labels.of(j="2", alertname="A")


#: Debian's ceph-prometheus-alerts.
CEPH = Path("/etc/prometheus/ceph/ceph_default_alerts.yml")


@pytest.mark.skipif(not CEPH.exists(), reason="needs Ceph's alerts (Debian: ceph-prometheus-alerts)")
def test_a_rule_file_that_a_package_ships_loads_as_it_is() -> None:
    """All of it, with nothing to say about it."""
    config = load([CEPH], {}, datetime(2026, 1, 1, tzinfo=UTC))
    rules = [rule for group in config.groups for rule in group.rules]
    assert len(rules) == CEPH.read_text().count("- alert:") > 40
    assert config.problems == ()
