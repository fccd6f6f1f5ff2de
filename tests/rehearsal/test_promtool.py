"""promtool's tests have promtool's verdicts: Debian's promtool is asked about the same files.

Prometheus 2.42 still counts a sample that is exactly as old as a window: a test that passes only so is told apart.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.rehearsal.result import summary
from tests.engine.test_groups_like_prometheus import _group, _values
from tests.rehearsal.promtool import needs_promtool, ours, passes, theirs

RULES = """
groups:
  - name: first
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: page, env: "{{ $externalLabels.env }}"}
        annotations: {summary: "{{ $labels.instance }} of {{ $externalURL }} is down: {{ $value }}"}
      - alert: Kept
        expr: up == 0
        keep_firing_for: 3m
  - name: second
    rules:
      - alert: NoneUp
        expr: job:up:sum == 0
      - alert: Twice
        expr: up == 0
        labels: {severity: "{{ if eq $labels.instance \\"1\\" }}page{{ else }}ticket{{ end }}"}
      - alert: Gone
        expr: absent(up{job="c"}) and on () up{job="d"}
"""
SERIES = """
  - interval: 1m
    input_series:
      - {series: 'up{job="a", instance="1"}', values: '1 1 0x10'}
      - {series: 'up{job="a", instance="2"}', values: '1x4 0x10'}
"""
CASES = Path(__file__).parents[1] / "cases" / "promtool.txt"
#: What is put below `SERIES`: a part of one test, and what stands beside it.
PARTS = dict(re.findall(r"^== (.*)\n((?:(?!==).*\n)*)", CASES.read_text(), re.MULTILINE))
OTHERS = {
    "failing": "groups: [{name: g, rules: [{record: x, expr: up * on (job) up}]}]",
    "colliding": "groups: [{name: g, rules: [{alert: Other, expr: up == 0, labels: {instance: x}}]}]",
    "limited": "groups: [{name: g, limit: 1, rules: [{alert: Other, expr: up == 0}]}]",
    "wrong": "groups: [{name: g, rules: [{alert: Other, expr: up ==}]}]",
    "asking": """
groups: [{name: g, rules: [{alert: Asks, expr: up == 0,
  annotations: {now: '{{ query "sum(up)" | first | value }} of {{ query "count(up)" | first | value }}'}}]}]
""",
    "ahead": "groups: [{name: g, rules: [{alert: Ahead, expr: 'up offset -1m == 0'}]}]",
}


def write(folder: Path) -> list[str]:
    """Write every case as a file of its own."""
    for name, text in {"rules": RULES, **OTHERS}.items():
        (folder / f"{name}.yaml").write_text(text)
    for number, part in enumerate(PARTS.values()):
        below, _, above = part.partition("---\n")
        head = above if "rule_files" in above else f"rule_files: [rules.yaml]\n{above}"
        # Without it promtool takes groups in whatever order its map has.
        head += "" if "rule_files" in above or "group_eval_order" in above else "group_eval_order: [first, second]\n"
        (folder / f"{number}.yml").write_text(f"{head}\ntests:{SERIES}{below.strip(chr(10))}\n")
    return [f"{number}.yml" for number in range(len(PARTS))]


@needs_promtool
def test_each_file_has_promtools_verdict(tmp_path: Path) -> None:
    """What passes there passes here, what fails there fails here; and both happen often."""
    names = write(tmp_path)
    said = theirs(tmp_path, names)
    verdicts = {case: passes(ours(tmp_path, name)) for case, name in zip(PARTS, names, strict=True)}
    assert verdicts == {case: "FAILED" not in said[name] for case, name in zip(PARTS, names, strict=True)}
    assert min(sum(verdicts.values()), sum(not one for one in verdicts.values())) > 12


@pytest.mark.parametrize(("value", "closed"), [(4, True), (3, False)])
def test_what_passes_only_as_in_prometheus_2_is_counted(value: int, closed: bool, tmp_path: Path) -> None:
    """The agent itself would say something else, so the last line tells of it."""
    name = write(tmp_path)[list(PARTS).index("as old as a window")]
    text = (tmp_path / name).read_text()
    (tmp_path / name).write_text(text.replace("value: 4", f"value: {value}"))
    results = ours(tmp_path, name)
    assert results
    assert [(result.passed, result.closed) for result in results] == [(True, closed)]
    assert ("1 with the windows of Prometheus 2 only" in summary(results, 0.1)) is closed


STEPS = 26
ASKED = '{__name__=~"rec_.*|ALERTS.*"}'


@needs_promtool
@pytest.mark.parametrize("seed", [5])
def test_random_files_pass_with_what_promtool_found(seed: int, tmp_path: Path) -> None:
    """What promtool finds is expected, and both pass; a bit of it is changed, and both fail."""
    dice = random.Random(seed)
    rules = {"groups": [_group(dice, f"g{number}") for number in range(4)]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules, sort_keys=False))
    alerts = sorted({rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule})
    tests = {f"{number}.yml": _test(dice, alerts, queries=number == 0) for number in range(3)}
    said = _both(tmp_path, tests, passing=False)
    full = {name: _filled(test, _found(said[name])) for name, test in tests.items()}
    _both(tmp_path, full, passing=True)
    _both(tmp_path, {name: _changed(test, dice) for name, test in full.items()}, passing=False)


def _test(dice: random.Random, alerts: list[str], *, queries: bool) -> dict[str, Any]:
    series = [{"series": f'{name}{{i="{i}"}}', "values": _values(dice)} for name in "abc" for i in range(3)]
    times = list(dict.fromkeys(f"{45 * dice.randrange(STEPS)}s" for _ in range(4)))
    return {
        "interval": "45s",
        "input_series": series,
        "alert_rule_test": [{"eval_time": at, "alertname": name} for at in times for name in alerts],
        "promql_expr_test": [{"eval_time": at, "expr": ASKED} for at in times if queries],
    }


def _both(folder: Path, tests: dict[str, dict[str, Any]], *, passing: bool) -> dict[str, str]:
    """Ask both, and hold their verdicts against what is to come out; return what promtool says."""
    for name, test in tests.items():
        file = {"rule_files": ["rules.yaml"], "evaluation_interval": "45s", "tests": [test]}
        (folder / name).write_text(yaml.safe_dump(file, sort_keys=False))
    said = theirs(folder, list(tests))
    for name in tests:
        assert ("FAILED" not in said[name]) is passing, said[name]
        results = ours(folder, name)
        assert passes(results) is passing, results
    return said


def _found(said: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Read what promtool got: by alert ("" is the query) and time."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for part in re.split(r"^    (?=alertname|expr)", said, flags=re.MULTILINE)[1:]:
        if asked := re.match(r"alertname: (\S+), time: (\S+),", part):
            got = re.findall(r"Labels:\{(.*)\}", part.partition("got:")[2])
            found[asked[1], asked[2]] = [{"exp_labels": _pairs(labels)} for labels in got]
        elif asked := re.match(r"expr: .*, time: (\S+),", part):
            got = re.findall(r'\{((?:[^}"]|"[^"]*")*)\} (\S+?)(?:,|$)', part.partition("got: ")[2], re.MULTILINE)
            found["", asked[1]] = [{"labels": f"{{{labels}}}", "value": float(value)} for labels, value in got]
    return found


def _pairs(text: str) -> dict[str, str]:
    return {name: value for name, value in re.findall(r'(\w+)="([^"]*)"', text) if name != "alertname"}


def _filled(test: dict[str, Any], found: dict[tuple[str, str], list[dict[str, Any]]]) -> dict[str, Any]:
    """Expect what was found."""
    filled = yaml.safe_load(yaml.safe_dump(test))
    for one in filled["alert_rule_test"]:
        one["exp_alerts"] = found.get((one["alertname"], _go(one["eval_time"])), [])
    for one in filled["promql_expr_test"]:
        one["exp_samples"] = found.get(("", _go(one["eval_time"])), [])
    filled["promql_expr_test"] = [one for one in filled["promql_expr_test"] if not _has_nan(one["exp_samples"])]
    return dict(filled)


def _has_nan(samples: list[dict[str, Any]]) -> bool:
    """Say whether a sample can never be as expected: NaN is not itself."""
    return any(sample["value"] != sample["value"] for sample in samples)


def _changed(test: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """Change one label of an alert, or one value."""
    changed = yaml.safe_load(yaml.safe_dump(test))
    alerts = [alert for one in changed["alert_rule_test"] for alert in one["exp_alerts"]]
    samples = [sample for one in changed["promql_expr_test"] for sample in one["exp_samples"]]
    if alerts and (dice.random() < 0.5 or not samples):
        dice.choice(alerts)["exp_labels"]["severity"] = "other"
    else:
        dice.choice(samples)["value"] += 1.0
    return dict(changed)


def _go(text: str) -> str:
    """Write a number of seconds as promtool does: 1m30s, 3m, 0s."""
    minutes, seconds = divmod(int(text.removesuffix("s")), 60)
    return f"{minutes}m" * bool(minutes) + f"{seconds}s" * bool(seconds or not minutes)
