"""How long tests of rules take, beside promtool: whole processes, in turns, wall clock and processor time."""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

RUNS = 3
TESTS, RULES = 100, 100

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian: prometheus)")


@needs_promtool
@pytest.mark.bench
@pytest.mark.parametrize(("shared", "minutes", "interval"), [(False, 10, "1m"), (True, 10, "1m"), (False, 60, "15s")])
def test_a_hundred_tests_take_half_of_promtools_time(shared: bool, minutes: int, interval: str, tmp_path: Path) -> None:
    """A file of 100 rules, two series and two alerts a test; each rule has a metric of its own, or all share one."""
    tests = TESTS if minutes == 10 else TESTS // 10
    rules = [_rule(number, 0 if shared else number) for number in range(RULES)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
    file = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": interval,
        "tests": [_test(0 if shared else number, minutes, interval) for number in range(tests)],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(file, sort_keys=False))
    ours, theirs = [sys.executable, "-m", "sentinel", "test", "test.yml"], ["promtool", "test", "rules", "test.yml"]
    took: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for _ in range(RUNS):
        took["theirs"].append(_timed(theirs, tmp_path))
        took["ours"].append(_timed(ours, tmp_path))
    wall, cpu = ({who: statistics.median(one[at] for one in runs) for who, runs in took.items()} for at in (0, 1))
    what = f"{tests} tests, {RULES} rules ({'one metric' if shared else 'a metric each'}), {minutes} min at {interval}"
    print(f"{what}: sentinel {wall['ours']:.2f} s ({cpu['ours']:.2f} CPU), ", end="")
    print(f"promtool {wall['theirs']:.2f} s ({cpu['theirs']:.2f} CPU); ", end="")
    print(f"{wall['ours'] / wall['theirs']:.2f}x, {cpu['ours'] / cpu['theirs']:.2f}x of the CPU")
    assert cpu["ours"] <= 0.5 * cpu["theirs"]  # neighbours make more noise than a margin can hold


def _rule(number: int, metric: int) -> dict[str, Any]:
    return {
        "alert": f"A{number}",
        "expr": f"rate(m{metric}_total[4m30s]) > {0.5 + (number if metric == 0 else 0)}",
        "for": "2m",
        "labels": {"severity": "page"},
        "annotations": {"summary": "{{ $labels.instance }} is at {{ $value }}"},
    }


def _test(number: int, minutes: int, interval: str) -> dict[str, Any]:
    fires = {
        "exp_labels": {"severity": "page", "instance": "b"},
        "exp_annotations": {"summary": "b is at 1"},
    }
    return {
        "name": f"test {number}",
        "interval": "1m",
        "input_series": [
            {"series": f'm{number}_total{{instance="a"}}', "values": f"0x{minutes}"},
            {"series": f'm{number}_total{{instance="b"}}', "values": f"0+60x{minutes}"},
        ],
        "alert_rule_test": [
            {"eval_time": "2m", "alertname": f"A{number}"},
            {"eval_time": f"{minutes}m", "alertname": f"A{number}", "exp_alerts": [fires]},
        ],
    }


def _timed(command: list[str], folder: Path) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
