"""How long `sentinel check` takes: whole processes on the shipped tree, and each of a thousand rules."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel.config.load import inspect

ROOT = Path(__file__).parents[2]
RUNS = 7
RULES = 1_000
RULE = """
  purchase-failure-rate-{n}:
    ratio: {{of: 'purchases_{n}_total{{status="failed"}}', to: purchases_{n}_total, over: 5m, at_least: 20}}
    above: {{warning: 2%, critical: 5%}}
    owner: payments
    summary: "{{{{ value }}}} of purchases of shop {n} failed in the last 5 minutes"
    runbook: https://runbooks.example.com/purchases
"""


@pytest.mark.bench
def test_the_shipped_tree_is_checked_in_half_a_second() -> None:
    """Median of whole processes; people run it before each commit. Processor time, so that neighbours count less."""
    command = [sys.executable, "-m", "sentinel", "check", "rules", "probes", "notifiers"]
    took = [_processor_seconds(command) for _ in range(RUNS)]
    print(f"sentinel check: median {statistics.median(took):.3f} s CPU, best {min(took):.3f} s, of {RUNS}")
    assert statistics.median(took) < 0.5


@pytest.mark.bench
def test_a_rule_in_a_short_form_is_checked_in_a_millisecond() -> None:
    """From its text to its expression, with thresholds, templates and places."""
    text = "rules:\n" + "".join(RULE.format(n=number) for number in range(RULES))
    now = datetime(2026, 3, 1, tzinfo=UTC)
    inspect({"rules/warm.yaml": "rules:\n" + RULE.format(n=0)}, {}, now)
    began = time.process_time()
    found = inspect({"rules/many.yaml": text}, {}, now)
    each_ms = (time.process_time() - began) * 1000 / RULES
    print(f"{RULES} ratio rules: {each_ms:.2f} ms CPU each")
    assert found.config is not None
    assert len(found.config.own_rules) == RULES
    assert each_ms < 1


def _processor_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
