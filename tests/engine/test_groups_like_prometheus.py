"""Groups of Prometheus rule files stand as Prometheus has them: promtool's own rule manager is asked, step by step.

Prometheus 2.42 still counts a sample that is exactly as old as a window; so no window here is a multiple of the step.
promtool gives up at the first rule that fails; what a failure and a limit do is asked elsewhere.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.groups import Stage, groups_of, run

STEP, STEPS = timedelta(seconds=45), 26
ALL = '{__name__=~"rec_.*|ALERTS.*"}'

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian: prometheus)")


@needs_promtool
@pytest.mark.parametrize("seed", range(2))
def test_random_groups_stand_at_each_step_as_in_prometheus(seed: int, tmp_path: Path) -> None:
    """Same rules, same samples: the same recorded series, and alerts in the same states since the same instants."""
    dice = random.Random(seed)
    series = {f'{name}{{i="{i}"}}': _values(dice) for name in "abc" for i in range(3)}
    text = yaml.safe_dump({"groups": [_group(dice, f"g{number}") for number in range(12)]}, sort_keys=False)
    theirs = _ask_promtool(tmp_path, text, series)
    for step, ours in enumerate(run(Stage(groups_of(text)), series, STEPS, STEP, ALL)):
        assert ours.keys() == theirs[step].keys(), f"step {step}"
        assert ours == pytest.approx(theirs[step], rel=1e-6, nan_ok=True), f"step {step}"


def _values(dice: random.Random) -> str:
    """Return values that stay for a while, with gaps and ends."""
    row: list[str] = []
    while len(row) < STEPS:
        value = dice.choice(["0", "1", "2", "3", "5", "-1", "_", "_", "stale"])
        row += [value] * (dice.randint(1, 5) if value != "stale" else 1)
    return " ".join(row[:STEPS])


def _group(dice: random.Random, name: str) -> dict[str, Any]:
    """Return a group in which later rules read what earlier ones wrote."""
    rules: list[dict[str, Any]] = []
    names: list[str] = []
    for number in range(dice.randint(2, 6)):
        query = dice.choice(list(_queries(names)))
        if dice.random() < 0.4:
            names.append(f"rec_{name}_{number}")
            rule: dict[str, Any] = {"record": names[-1], "expr": query}
            if dice.random() < 0.4:
                rule["labels"] = {"own": "x"}
        else:
            alert = f"{name}A{dice.randint(0, 3)}"
            names.append(f'ALERTS{{alertname="{alert}"}}')
            own = dice.choice([{}, {}, {"about": "{{ $labels.i }}"}, {"seen": "{{ $value }}"}])
            rule = {"alert": alert, "expr": query, "labels": {"severity": "page", f"rule{number}": "x"} | own}
            for key in ("for", "keep_firing_for"):
                if dice.random() < 0.6:
                    rule[key] = dice.choice(["0s", "45s", "1m", "90s", "2m", "5m"])
        rules.append(rule)
    return {"name": name, "interval": "45s", "rules": rules}


def _queries(names: list[str]) -> Iterator[str]:
    yield from (
        "a > 1",
        "b == 0",
        "3 < c",
        "a > 0 and b > 0",
        "sum by (i) (a)",
        "absent(a)",
        "sum(b) > 2",
        "a unless c",
    )
    yield from (
        "count_over_time(b[100s]) > 1",
        "a / b",
        "max_over_time(c[130s])",
        "vector(1)",
        "scalar(b)",
    )
    for name in names:
        yield from (name, f"{name} > 1", f"count({name})", f"absent({name})", f"sum_over_time({name}[100s]) > 2")


def _ask_promtool(folder: Path, rules: str, series: dict[str, str]) -> list[dict[str, float]]:
    """Return what promtool's rule manager has written, by step: it prints what was not expected."""
    (folder / "rules.yaml").write_text(rules)
    asked = [
        {"expr": ALL, "eval_time": f"{45 * step}s", "exp_samples": [{"labels": "nobody", "value": 0}]}
        for step in range(STEPS)
    ]
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "45s",
        "tests": [
            {
                "interval": "45s",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": asked,
            }
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run(["promtool", "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    got = re.findall(r"^ +got: (.*)$", done.stdout + done.stderr, re.MULTILINE)
    assert len(got) == STEPS, done.stdout + done.stderr
    return [dict(_samples(line)) for line in got]


def _samples(line: str) -> Iterator[tuple[str, float]]:
    for inner, value in re.findall(r'\{((?:[^}"]|"[^"]*")*)\} (\S+?)(?:,|$)', line):
        pairs = re.findall(r'(\w+)="([^"]*)"', inner)
        name = dict(pairs).pop("__name__")
        labels = ", ".join(f'{key}="{text}"' for key, text in pairs if key != "__name__")
        yield f"{name}{{{labels}}}" if labels else name, float(value)
