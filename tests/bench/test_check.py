"""How long `sentinel check` takes: whole processes, beside promtool on the same rule files, and each rule of ours."""

from __future__ import annotations

import os
import resource
import shutil
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


#: Ten shapes of rules as people write them; 430 bytes each.
SHAPES = (
    "sum by (service) (rate(http_requests_total{{job='api-{n}', code=~'5..'}}[5m]))"
    " / sum by (service) (rate(http_requests_total{{job='api-{n}'}}[5m])) > 0.05",
    "up{{job='node-{n}'}} == 0",
    "histogram_quantile(0.99, sum by (le, service) (rate(request_duration_seconds_bucket{{job='api-{n}'}}[5m]))) > 1",
    "node_filesystem_avail_bytes{{mountpoint='/data{n}'}} / node_filesystem_size_bytes{{mountpoint='/data{n}'}} < 0.1",
    "queue_depth{{queue='q{n}'}} > 100 and rate(processed_total{{queue='q{n}'}}[10m]) == 0",
    "sum by (job) (rate(http_requests_total{{shard='{n}'}}[5m])) > 1000",
    "(probe_ssl_earliest_cert_expiry{{target='t{n}'}} - time()) / 86400 < 14",
    "absent(up{{job='worker-{n}'}})",
    "predict_linear(node_filesystem_free_bytes{{device='d{n}'}}[6h], 4 * 3600) < 0",
    "increase(kube_pod_container_status_restarts_total{{namespace='ns{n}'}}[1h]) > 3",
)
GROUPED = """  - alert: Alert{n}
    expr: |
      {expr}
    for: 5m
    labels:
      severity: critical
      team: team{team}
    annotations:
      summary: "Something is wrong with number {n}"
      description: "The value is {{{{ $value | humanize }}}}, which is beyond what is well for {n}."
      runbook_url: https://runbooks.example.com/alerts/{n}
"""


@pytest.mark.bench
@pytest.mark.parametrize(
    ("rules", "files", "cold", "warm"),
    [pytest.param(1_000, 20, 1.0, 1.0, id="1000"), pytest.param(10_000, 200, 0.7, 0.15, id="10000")],
)
def test_rule_files_are_checked_as_fast_as_by_promtool(
    rules: int, files: int, cold: float, warm: float, tmp_path: Path
) -> None:
    """Whole processes, one of each after the other, so that what else the machine does falls on both."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    folder = tmp_path / "tree"
    folder.mkdir()
    for file in range(files):
        (folder / f"{file:03}.yaml").write_text(_rule_file(file, rules // files))
    paths = [str(path) for path in sorted(folder.iterdir())]
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    check = [str(Path(sys.executable).with_name("sentinel")), "check", str(folder)]
    commands = {
        "promtool": [promtool, "check", "rules", *paths],
        "cold": [*check, "--no-cache"],
        "warm": check,
    }
    subprocess.run(check, env=environ, check=True, capture_output=True)
    took: dict[str, list[float]] = {name: [] for name in commands}
    memory: dict[str, int] = {}
    for _ in range(RUNS):
        for name, command in commands.items():
            began = time.monotonic()
            subprocess.run(command, env=environ, check=True, capture_output=True)
            took[name].append(time.monotonic() - began)
    for name, command in commands.items():
        timed = ["/usr/bin/time", "-f", "%M", *command]
        said = subprocess.run(timed, env=environ, capture_output=True, text=True) if Path(timed[0]).exists() else None
        memory[name] = int(said.stderr.split()[-1]) // 1024 if said else 0
    median = {name: statistics.median(times) for name, times in took.items()}
    for name, times in took.items():
        print(
            f"{rules} rules in {files} files, {name}: {min(times):.3f} / {median[name]:.3f} / {max(times):.3f} s,"
            f" {median[name] / median['promtool']:.2f} of promtool, {memory[name]} MiB"
        )
    assert median["cold"] <= cold * median["promtool"]
    assert median["warm"] <= warm * median["promtool"]


def _rule_file(file: int, count: int) -> str:
    """Write a file with groups of twenty rules."""
    lines = ["groups:\n"]
    for at in range(count):
        n = file * count + at
        if at % 20 == 0:
            lines.append(f"- name: group-{file}-{at}\n  interval: 1m\n  rules:\n")
        lines.append(GROUPED.format(n=n, expr=SHAPES[n % 10].format(n=n), team=n % 7))
    return "".join(lines)


def _processor_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
