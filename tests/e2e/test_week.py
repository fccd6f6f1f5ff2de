"""The four rules of the product, on a clock that is pushed: each fires, rises, recovers and resolves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.fast import BEGAN, FastAgent

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

TREE = """
probes:
  shop: {scrape: http://127.0.0.1:1/metrics, every: 15s}
  extracted:
    sql: {url: "sqlite:///shop.db", query: "select count(*) as domains_extracted_total from domains limit 1"}
    every: 6h
  discovery: {heartbeat: {every: 10m, grace: 5m}}
rules:
  purchase-failure-rate:
    ratio: {of: 'purchases_total{status="failed"}', to: purchases_total, over: 5m, at_least: 20}
    above: {warning: 2%, critical: 5%}
    owner: payments
    summary: "{{ value }} of purchases failed in the last 5 minutes"
    runbook: https://runbooks.example.com/purchases
  discovery-not-run: {job: {name: discovery, not_run_for: 15m}, severity: critical}
  domains-per-week:
    increase: {of: domains_extracted_total, over: 7d}
    below: {warning: 200, critical: 50}
  tick-latency:
    quantile: {p: 99, of: tick_latency_seconds, over: 5m}
    above: 50ms
    severity: error
notifiers:
  oncall: {console: {}}
routes:
  everything: {notify: [oncall], group_wait: 0s, repeat: 90d}
"""


class Shop:
    """Counts purchases and ticks as time passes; a test changes the shares."""

    def __init__(self) -> None:
        self.failing, self.slow = 0.0, 0.0
        self._at = BEGAN
        self._counts = dict.fromkeys(("paid", "failed", "fast", "slow"), 0.0)

    def look(self, now: datetime) -> dict[str, float]:
        passed, self._at = (now - self._at).total_seconds(), now
        for name, share in (
            ("paid", 1 - self.failing),
            ("failed", self.failing),
            ("fast", 1 - self.slow),
            ("slow", self.slow),
        ):
            self._counts[name] += 2 * passed * share
        paid, failed, fast, slow = self._counts.values()
        return {
            'purchases_total{status="paid"}': paid,
            'purchases_total{status="failed"}': failed,
            'tick_latency_seconds_bucket{le="0.01"}': fast,
            'tick_latency_seconds_bucket{le="0.1"}': fast + slow,
            'tick_latency_seconds_bucket{le="+Inf"}': fast + slow,
            "tick_latency_seconds_count": fast + slow,
            "tick_latency_seconds_sum": fast * 0.005 + slow * 0.08,
        }


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def agent(tmp_path: Path, shop: Shop) -> FastAgent:
    agent = FastAgent(tmp_path, looks={"shop": shop.look})
    agent.write(TREE)
    return agent.start()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_purchases_that_fail_warn_then_page_then_fall_then_end(agent: FastAgent, shop: Shop) -> None:
    """Purchase failure over 5 %: told at 3 % as a warning, at 8 % as critical, and when it is over."""
    agent.ping("discovery")
    agent.run(minutes(10))
    assert agent.told() == []
    shop.failing = 0.03
    agent.run(minutes(6))
    shop.failing = 0.08
    agent.run(minutes(6))
    shop.failing = 0.03
    agent.ping("discovery")
    agent.run(minutes(6))
    shop.failing = 0.0
    agent.run(minutes(6))
    assert agent.changes("purchase-failure-rate") == [
        "fired warning",
        "rose critical",
        "fell warning",
        "resolved warning",
    ]
    rules = [line for line in agent.told() if "purchase" in line]
    assert [line.split()[0] for line in rules] == ["firing", "rose", "updated", "resolved"]


def test_a_job_that_does_not_run_for_15_minutes_pages(agent: FastAgent) -> None:
    """Discovery ran at noon and never again: told at 12:15, over with its next run."""
    agent.ping("discovery")
    agent.run(minutes(15))
    assert agent.changes("discovery-not-run") == []
    agent.run(minutes(1))
    assert agent.told() == ["firing critical discovery-not-run"]
    agent.ping("discovery")
    agent.run(minutes(1))
    assert agent.told()[1:] == ["resolved critical discovery-not-run"]


def test_a_job_that_never_ran_is_counted_from_when_it_was_loaded(agent: FastAgent) -> None:
    """Registered, and never run, with no error anywhere: told 15 minutes after its rule came to be."""
    agent.run(minutes(14))
    assert agent.told() == []
    agent.run(minutes(2))
    assert agent.told() == ["firing critical discovery-not-run"]


def test_slow_ticks_are_told_and_end(agent: FastAgent, shop: Shop) -> None:
    """p99 past 50 ms."""
    agent.ping("discovery")
    agent.run(minutes(6))
    shop.slow = 0.03
    agent.run(minutes(6))
    shop.slow = 0.0
    agent.ping("discovery")
    agent.run(minutes(7))
    assert agent.changes("tick-latency") == ["fired error", "resolved error"]


def weekly(tmp_path: Path, per_day: Callable[[float], float]) -> FastAgent:
    """An agent that only counts domains, every six hours."""
    agent = FastAgent(tmp_path)
    total, at = 1000.0, BEGAN

    def look(now: datetime) -> dict[str, float]:
        nonlocal total, at
        total += per_day((now - BEGAN) / DAY) * ((now - at) / DAY)
        at = now
        return {"domains_extracted_total": float(int(total))}

    agent.looks["extracted"] = look
    agent.write(
        TREE.replace("rules:\n", "rules:\n").split("  discovery: {heartbeat")[0]
        + TREE[TREE.index("rules:") :].replace(
            "  discovery-not-run: {job: {name: discovery, not_run_for: 15m}, severity: critical}\n", ""
        )
    )
    return agent.start()


def test_few_domains_in_a_week_warn_then_page_then_recover(tmp_path: Path) -> None:
    """27 domains a week instead of 200 to 500: no word in the first week, whatever it counts; then as they dwindle."""
    agent = weekly(tmp_path, lambda day: 40 if day < 8 or day > 24 else 2)
    agent.run(DAY * 7 - 6 * HOUR, 6 * HOUR)
    assert agent.changes("domains-per-week") == []  # "not enough data": the window is not covered
    agent.run(DAY * 35, 6 * HOUR)
    assert agent.changes("domains-per-week") == ["fired warning", "rose critical", "fell warning", "resolved warning"]


def test_a_seven_day_window_survives_a_restart(tmp_path: Path) -> None:
    """What was counted before a SIGKILL counts after it."""
    agent = weekly(tmp_path, lambda _: 20.0)
    agent.run(DAY * 8, 6 * HOUR)
    assert agent.changes("domains-per-week") == ["fired warning"]
    told = len(agent.heard)
    agent.restart(away=timedelta(seconds=30))
    agent.run(HOUR * 18, 6 * HOUR)
    assert agent.changes("domains-per-week") == ["fired warning"]
    assert len(agent.heard) == told
