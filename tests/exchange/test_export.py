"""Rules as Prometheus rules: promtool accepts them all, and fires them when Sentinel does."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.config.config import Config
from sentinel.config.load import inspect
from sentinel.core.problem import Position
from sentinel.core.severity import Severity
from sentinel.exchange.export import GENERAL, export
from sentinel.exchange.given import Source
from sentinel.exchange.systems import draft_of
from sentinel.exchange.write import settled
from sentinel.promql.write import write
from sentinel.rules.grouped import Recording, RuleGroup
from sentinel.rules.rule import Rule
from tests.engine.groups import groups_of
from tests.engine.test_groups_like_prometheus import _group
from tests.rules.making import INTERVALS, rule
from tests.rules.test_cases import cases

ROOT = Path(__file__).parents[2]
CEPH = Path("/etc/prometheus/ceph/ceph_default_alerts.yml")
NOW = datetime(2026, 11, 30, tzinfo=UTC)
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def config_of(*texts: str) -> Config:
    files = {f"rules/{at}.yaml": text for at, text in enumerate(texts)}
    found = inspect(files, {}, NOW, undefined=Severity.WARNING)
    assert found.config is not None, found.problems
    return found.config


def exported(*texts: str) -> tuple[str, list[str]]:
    config = config_of(*texts)
    text, notes = export(config, config.revision.files)
    return text, [str(note) for note in notes]


def alerts(text: str) -> list[dict[str, Any]]:
    return [one for group in yaml.safe_load(text)["groups"] for one in group["rules"]]


def promtool(*words: str) -> None:
    ran = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
def test_promtool_accepts_every_shipped_rule_and_every_case(tmp_path: Path) -> None:
    """Rules, packs, the example, the five systems and each rule of the case files."""
    texts = [path.read_text() for path in sorted(ROOT.glob("rules/**/*.yaml"))]
    texts.append((ROOT / "examples/shop/rules/shop.yaml").read_text())
    systems = sorted((ROOT / "tests/cases/systems").glob("*.yaml"))
    texts += [path.read_text().partition("\n---\n")[0] for path in systems]
    files = []
    for at, text in enumerate(texts):
        found = inspect({"rules/x.yaml": text}, {}, NOW, undefined=Severity.WARNING, complete=False)
        assert found.config is not None, found.problems
        files.append(tmp_path / f"{at}.yml")
        files[-1].write_text(export(found.config, {"rules/x.yaml"})[0])
    files.append(tmp_path / "cases.yml")
    files[-1].write_text(export(_cases(), {"c"})[0])
    promtool("check", "rules", *map(str, files))


def _cases() -> Config:
    made: dict[str, Rule] = {}
    for at, parameters in enumerate(cases()):
        made[str(at)] = replace(
            rule(parameters.values[0]["rule"], INTERVALS), name=f"case-{at}", position=Position("c")
        )
    empty = config_of("rules: {}")
    return replace(empty, rules=made, revision=replace(empty.revision, files={"c": ""}))


SEMANTICS = """\
rules:
  queue-long:
    last: queue_depth
    above: {warning: 10, critical: 50}
    for: {warning: 2m}
    recover: 5
  failures:
    ratio: {of: 'done_total{ok="no"}', to: done_total, over: 5m, at_least: 20}
    above: 5%
    severity: error
  slow:
    average: {of: took_ms, over: 2m}
    above: 50ms
    severity: warning
    labels: {team: web}
  odd: {last: temperature, above: 30, below: 10, severity: info}
"""
#: minute -> who fires then: name, severity.
FIRING = {
    1: set(),
    3: {("queue-long", "warning"), ("odd", "info")},
    6: {("queue-long", "warning"), ("queue-long", "critical"), ("slow", "warning"), ("failures", "error")},
    9: {("queue-long", "warning"), ("queue-long", "critical"), ("failures", "error"), ("slow", "warning")},
    13: {("queue-long", "warning"), ("queue-long", "critical")},
    18: set(),
}
SERIES = {
    "queue_depth": "0 20 20 20 20 60 60 8 8 8 8 8 8 8 4x10",
    'done_total{ok="yes"}': "0+19x8 152x20",
    'done_total{ok="no"}': "0x4 3+3x5 18x20",
    "took_ms": "10x4 90x5 10x20",
    "temperature": "20 20 35 35 20x20",
}


@needs_promtool
def test_what_is_exported_fires_as_it_does_here(tmp_path: Path) -> None:
    """Severities with their own `for`, `recover`, enough events, units and a band, on Prometheus's own engine."""
    text, _ = exported(SEMANTICS)
    (tmp_path / "rules.yml").write_text(text)
    names = sorted({one["alert"] for one in alerts(text)})
    checks = [
        {
            "eval_time": f"{at}m",
            "alertname": name,
            "exp_alerts": [_fired(*one) for one in fired if one[0] == name],
        }
        for at, fired in FIRING.items()
        for name in names
    ]
    case = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
                "alert_rule_test": checks,
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(case))
    promtool("test", "rules", str(tmp_path / "test.yml"))


def _fired(name: str, severity: str) -> dict[str, Any]:
    return {"exp_labels": {"severity": severity} | ({"team": "web"} if name == "slow" else {})}


def test_each_severity_is_a_rule_of_its_own() -> None:
    """With its own threshold, `for` and `keep_firing_for`; the texts are Go's."""
    text, notes = exported(
        "rules:\n  a:\n    last: cpu_percent\n    above: {warning: 80%, critical: 95%}\n    for: {critical: 1m}\n"
        "    keep_firing_for: {warning: 5m}\n    owner: web\n    summary: '{{ labels.host }} is at {{ value }}'\n"
    )
    warning, critical = alerts(text)
    assert (warning["expr"], critical["expr"]) == ("cpu_percent > 80", "cpu_percent > 95")
    assert (warning.get("for"), critical["for"], warning["keep_firing_for"]) == (None, "1m", "5m")
    assert warning["labels"] == {"owner": "web", "severity": "warning"}
    assert warning["annotations"] == {"summary": "{{ $labels.host }} is at {{ $value | humanize }}%"}
    assert notes == []


OTHER = "  b: {expr: y > 1, severity: info}"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("depends_on: b", "inhibit a by b"),
        ("active: {days: mon-fri}", "judged at all hours"),
        ("limit: 5", "limit: 5"),
        ("recover: 1", "ALERTS, one evaluation late"),
        ("enabled: false", "is switched off, and left out"),
        ("summary: '{{ reason | upper }}'", "summary: {{ reason | upper }} cannot be said"),
    ],
)
def test_what_promql_cannot_say_is_noted_and_commented(more: str, says: str) -> None:
    """On standard error with the rule's place, and above the rule."""
    text, notes = exported(f"rules:\n  a:\n    last: x\n    above: 5\n    severity: error\n    {more}\n{OTHER}")
    assert [note for note in notes if says in note and note.startswith("rules/0.yaml:2:3: a: ")]
    assert re.search(rf"^ +# .*{re.escape(says)}", text, re.MULTILINE)


def test_what_is_otherwise_for_all_is_said_once() -> None:
    """On top."""
    text, _ = exported("rules: {a: {expr: x, severity: info}}")
    assert text.startswith("".join(f"# {line}\n" for line in GENERAL.splitlines()))


GROUPS = """\
groups:
  - name: g
    interval: 30s
    limit: 10
    labels: {dc: a}
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: |
          job:up:sum == 0
            unless on (job) maintenance
        for: 5m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} is down\\nsince {{ $value }}"}
"""


def test_groups_stay_what_they_are() -> None:
    """What was Prometheus's goes back to it with the same meaning, the labels of its group at each rule."""
    text, _ = exported(GROUPS, GROUPS)
    first, second = yaml.safe_load(text)["groups"]
    assert (first["name"], second["name"]) == ("g", "g 2")
    assert (first["interval"], first["limit"]) == ("30s", 10)
    record, alert = first["rules"]
    assert record == {"record": "job:up:sum", "expr": "sum by (job) (up)", "labels": {"dc": "a"}}
    assert alert["labels"] == {"dc": "a", "severity": "page"}
    assert alert["annotations"] == {"summary": "{{ $labels.job }} is down\nsince {{ $value }}"}


@needs_promtool
def test_what_was_exported_can_be_imported_again(tmp_path: Path) -> None:
    """Every case of every form: exported, imported as a rule file, and accepted by the check as it is."""
    text, _ = export(_cases(), {"c"})
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "sentinel.yml").write_text(text + GROUPS.partition("\n")[2])
    (tmp_path / "prometheus.yml").write_text("rule_files: [rules/*.yml]\n")
    draft = draft_of("prometheus", [Source.read(tmp_path / "prometheus.yml")])
    texts = settled(draft, NOW)
    assert texts["rules/sentinel.yaml"] == (tmp_path / "rules" / "sentinel.yml").read_text()
    found = inspect(texts, {}, NOW)
    assert found.config is not None, found.problems[:3]
    assert draft.notes == []


@needs_promtool
@pytest.mark.skipif(not CEPH.exists(), reason="needs Ceph's alerts (Debian: ceph-prometheus-alerts)")
def test_a_real_rule_file_goes_both_ways(tmp_path: Path) -> None:
    """Ceph's alerts: imported byte for byte; exported, promtool reads them, and every rule means what it meant."""
    (tmp_path / "prometheus.yml").write_text(f"rule_files: [{CEPH}]\n")
    texts = settled(draft_of("prometheus", [Source.read(tmp_path / "prometheus.yml")]), NOW)
    assert texts["rules/ceph-default-alerts.yaml"] == CEPH.read_text()
    text, notes = exported(CEPH.read_text())
    (tmp_path / "out.yml").write_text(text)
    promtool("check", "rules", str(tmp_path / "out.yml"))
    assert notes == []
    assert _meanings(groups_of(text)) == _meanings(groups_of(CEPH.read_text()))


@pytest.mark.parametrize("seed", range(5))
def test_random_groups_mean_the_same_after_an_export(seed: int) -> None:
    """Alerts and records, their order, labels, durations and queries; and a second export changes nothing."""
    dice = random.Random(seed)
    given = yaml.safe_dump({"groups": [_group(dice, f"g{n}") for n in range(4)]})
    text, _ = exported(given)
    assert _meanings(groups_of(text)) == _meanings(groups_of(given))
    assert exported(text)[0] == text


def _meanings(groups: tuple[RuleGroup, ...]) -> list[Any]:
    return [
        (
            group.name,
            group.interval,
            group.limit,
            [
                (rule.name, write(rule.query), rule.own_labels)
                if isinstance(rule, Recording)
                else (rule.alert, write(rule.query), rule.own_labels, rule.annotations, dict(rule.patience))
                for rule in group.rules
            ],
        )
        for group in groups
    ]
