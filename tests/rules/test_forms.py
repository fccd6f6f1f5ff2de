"""Forms: what each compiles to, and what is refused with which words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.core.severity import Severity
from sentinel.promql import parse
from sentinel.rules import FORMS, RuleInvalid, form_named
from tests.rules.making import rule

RATIO = {"of": 'purchases_total{status="failed"}', "to": "purchases_total", "over": "5m"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"last": "dead_letters", "above": "0"}, "dead_letters"),
        (
            {"increase": {"of": "domains_total", "over": "7d"}, "below": "200"},
            "sum(increase(domains_total[7d] anchored))",
        ),
        (
            {"increase": {"of": "domains_total", "over": "1h", "by": ["channel", "env"]}, "below": "200"},
            "sum by (channel, env) (increase(domains_total[1h] anchored))",
        ),
        (
            {"ratio": RATIO, "above": "5%"},
            '(sum(increase(purchases_total{status="failed"}[5m] anchored))'
            " or sum(increase(purchases_total[5m] anchored)) * 0)"
            " / sum(increase(purchases_total[5m] anchored))",
        ),
        (
            {"ratio": {"of": "connections", "to": "connections_limit", "by": "pool"}, "above": "80%"},
            "(sum by (pool) (connections) or sum by (pool) (connections_limit) * 0)"
            " / sum by (pool) (connections_limit)",
        ),
        (
            {"quantile": {"p": "99", "of": "tick_latency_seconds", "over": "5m", "by": "channel"}, "above": "50ms"},
            "histogram_quantile(0.99, sum by (le, channel) (increase(tick_latency_seconds_bucket[5m] anchored)))"
            " or max by (channel) (quantile_over_time(0.99, tick_latency_seconds[5m]))",
        ),
        ({"job": "discovery"}, 'job_overdue_seconds{job="discovery"}'),
        ({"job": {"name": "discovery", "not_run_for": "15m"}}, 'job_idle_seconds{job="discovery"}'),
        ({"job": {"name": "discovery", "failed": "3"}}, 'job_consecutive_failures{job="discovery"}'),
        (
            {"job": {"name": "discovery", "runs_longer_than": "30m"}},
            'job_running_seconds{job="discovery"} > job_last_duration_seconds{job="discovery"}'
            ' or job_last_duration_seconds{job="discovery"} or job_running_seconds{job="discovery"}',
        ),
        ({"job": {"name": "discovery", "runs_shorter_than": "10s"}}, 'job_last_duration_seconds{job="discovery"}'),
        (
            {"job": {"name": "discovery", "runs_too_often": "6/h"}},
            'sum without (status) (increase(job_runs_total{job="discovery"}[1h] anchored)) / 3600',
        ),
        ({"probe": "shop"}, 'probe_consecutive_failures{probe="shop"}'),
        ({"probe": {"name": "shop", "fails": "3"}}, 'probe_consecutive_failures{probe="shop"}'),
        (
            {"probe": {"name": "shop", "fails": "3 of 5"}},
            'count_over_time(probe_success{probe="shop"}[75s]) - sum_over_time(probe_success{probe="shop"}[75s])',
        ),
        ({"job": {"name": ["discovery", "purchases"]}}, 'job_overdue_seconds{job=~"discovery|purchases"}'),
        ({"job": {"name": "disc*"}}, 'job_overdue_seconds{job=~"disc.*"}'),
        ({"probe": {"name": "*", "fails": "3"}}, 'probe_consecutive_failures{probe!~""}'),
        (
            {"average": {"of": "cpu_percent", "over": "5m"}, "above": "80%"},
            "avg_over_time(cpu_percent[5m])",
        ),
        (
            {"minimum": {"of": "queue_depth", "over": "1h", "by": "queue"}, "above": "100"},
            "min by (queue) (min_over_time(queue_depth[1h]))",
        ),
        ({"maximum": {"of": "sessions", "over": "30m"}, "below": "1"}, "max_over_time(sessions[30m])"),
        (
            {"rate": {"of": "events_total", "over": "10m"}, "below": "8000/min"},
            "sum(increase(events_total[10m] anchored)) / 600",
        ),
        (
            {"availability": {"of": "shop", "over": "1h"}, "below": "99.9%"},
            'avg_over_time(probe_success{probe="shop"}[1h])',
        ),
        ({"certificate": "shop", "below": "14d"}, 'probe_ssl_earliest_cert_expiry{probe="shop"} - time()'),
        (
            {"change": {"of": "orders_open", "versus": "1w"}, "below": "-50%"},
            "orders_open / (orders_open offset 1w != 0) - 1",
        ),
        (
            {
                "change": {"of": "sum(rate(a_total[5m] offset 1h)) - -max_over_time(b[1h:5m])", "versus": "1d"},
                "above": "1",
            },
            "(sum(rate(a_total[5m] offset 1h)) - -max_over_time(b[1h:5m]))"
            " / ((sum(rate(a_total[5m] offset 25h)) - -max_over_time(b[1h:5m] offset 1d)) != 0) - 1",
        ),
        (
            {"forecast": {"of": "disk_free_bytes", "over": "6h", "in": "1d"}, "below": "0"},
            "predict_linear(disk_free_bytes[6h], 86400)",
        ),
        (
            {"forecast": {"of": "sum by (pool) (disk_free_bytes)", "over": "6h", "in": "1d"}, "below": "0"},
            "predict_linear(sum by (pool) (disk_free_bytes)[6h:90s], 86400)",
        ),
        (
            {"anomaly": {"of": "x", "over": "1h", "seasons": "2", "season": "1d"}, "above": "4"},
            "(avg_over_time(x[1h]) - ((avg_over_time(x[1h] offset 1d) + avg_over_time(x[1h] offset 2d)) / 2))"
            " / (sqrt(clamp_min(((stdvar_over_time(x[1h] offset 1d) + stdvar_over_time(x[1h] offset 2d)"
            " + avg_over_time(x[1h] offset 1d) ^ 2 + avg_over_time(x[1h] offset 2d) ^ 2) / 2)"
            " - ((avg_over_time(x[1h] offset 1d) + avg_over_time(x[1h] offset 2d)) / 2) ^ 2, 0))"
            " + abs(((avg_over_time(x[1h] offset 1d) + avg_over_time(x[1h] offset 2d)) / 2)) / 100 + 1e-9)",
        ),
        ({"absent": {"of": "orders_total", "over": "15m"}}, "absent_over_time(orders_total[15m])"),
        (
            {"absent": {"of": "up", "over": "10m", "by": "instance"}},
            "group by (instance) (last_over_time(up[1d])) unless group by (instance) (last_over_time(up[10m]))",
        ),
        ({"expr": "up == 0"}, "up == 0"),
        ({"expr": "queue_depth > 100"}, "queue_depth"),
        ({"expr": "queue_depth > 100", "above": "200"}, "queue_depth > 100"),
        ({"expr": "(-3 >= temperature)"}, "temperature"),
        ({"expr": "queue_depth > bool 100"}, "queue_depth > bool 100"),
        ({"expr": "queue_depth > queue_limit"}, "queue_depth > queue_limit"),
    ],
)
def test_a_form_becomes_one_expression(entry: dict[str, Any], expected: str) -> None:
    compiled = rule({**entry, "severity": "error"}).compiled
    assert compiled.expr == parse(expected)
    for expr in (compiled.expr, compiled.events, *compiled.parts.values(), *compiled.carriers, *compiled.own.values()):
        assert expr is None or parse(str(expr)) == expr


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"ratio": RATIO, "above": {"warning": "2%", "critical": "5%"}},
            {"warning": "above 2%", "critical": "above 5%"},
        ),
        ({"job": {"name": "discovery", "not_run_for": "15m"}, "severity": "critical"}, {"critical": "at least 15m"}),
        ({"job": {"name": "discovery", "failed": {"error": "3"}}}, {"error": "at least 3"}),
        ({"job": "discovery", "severity": "error"}, {"error": "above 0s"}),
        ({"probe": {"name": "shop", "fails": "3 of 5"}, "severity": "error"}, {"error": "at least 3 of 5"}),
        ({"expr": "queue_depth > 100", "severity": "error"}, {"error": "above 100"}),
        ({"expr": "-3 >= temperature", "severity": "error"}, {"error": "at most -3"}),
        ({"expr": "up == 0", "severity": "error"}, {"error": ""}),
        ({"expr": "depth > 0x1F", "severity": "error"}, {"error": "above 31"}),
        ({"expr": "depth > Inf", "severity": "error"}, {"error": ""}),
        ({"last": "level", "above": "9", "below": "2", "severity": "info"}, {"info": "above 9 or below 2"}),
    ],
)
def test_a_threshold_reads_as_it_was_written(entry: dict[str, Any], expected: dict[str, str]) -> None:
    made = rule(entry)
    assert {str(level): str(threshold) for level, threshold in made.thresholds.items()} == expected


@pytest.mark.parametrize(
    ("metric", "above", "value"),
    [
        ("cpu_percent", "80%", 0.8),
        ("cpu_percent", "80", 0.8),
        ("cpu_ratio", "80%", 0.8),
        ("latency_ms", "50ms", 0.05),
        ("latency_ms", "50", 0.05),
        ("latency_seconds", "50ms", 0.05),
        ("memory_bytes", "1.5GB", 1.5e9),
        ("queue_age", "5m", 300.0),
        ("queue_depth", "1.5k", 1500.0),
    ],
)
def test_a_threshold_is_converted_to_what_the_metric_counts(metric: str, above: str, value: float) -> None:
    (threshold,) = rule({"last": metric, "above": above, "severity": "error"}).thresholds.values()
    assert threshold.above is not None
    assert threshold.above.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("entry", "path", "says"),
    [
        ({"last": "a + b", "above": "1"}, "last of", "should be a selector, and is an expression"),
        ({"last": '{job="shop"}', "above": "1"}, "last of", "should name its metric"),
        ({"last": "depth offset 5m", "above": "1"}, "last of", "should look at the present"),
        ({"last": "depth{", "above": "1"}, "last of", ""),
        ({"last": "depth"}, "", "the form last needs a threshold"),
        ({"last": "depth", "above": "1", "severity": None}, "", "a severity is missing"),
        ({"last": "depth", "above": {"error": "1"}}, "severity", "the threshold names its severities already"),
        ({"last": "memory_bytes", "above": "5m"}, "above", '"5m" counts seconds, and this counts bytes'),
        ({"last": "depth", "above": "9", "recover": "10"}, "recover", "recover 10 lies above the threshold 9"),
        ({"last": "depth", "below": "9", "recover": "8"}, "recover", "recover 8 lies below the threshold 9"),
        ({"last": "depth", "above": "1", "below": "9"}, "below", "each value is above 1 or below 9"),
        ({"last": "depth", "above": "9", "below": "1", "recover": "5"}, "recover", "recover needs one direction"),
        (
            {"last": "depth", "above": "1", "for": {"warning": "5m"}},
            "for warning",
            "the threshold does not name warning",
        ),
        ({"last": "depth", "above": "1", "summary": "{{ vale }}"}, "summary", '"vale" is not known here'),
        ({"last": "depth", "above": "1", "summary": "{{ value"}, "summary", "is not a template"),
        (
            {"increase": {"of": "depth", "over": "5m"}, "above": "5"},
            "increase of",
            "depth is not a counter by its name",
        ),
        ({"increase": {"of": "x_total", "over": "5m"}, "above": "5%"}, "above", '"5%" counts ratio'),
        ({"ratio": RATIO, "above": "5m"}, "above", '"5m" counts seconds, and this counts ratio'),
        ({"job": "discvery"}, "job name", 'no probe is named "discvery"'),
        ({"job": "discovery", "above": "5"}, "above", "the form job has its threshold under its own key"),
        ({"job": {"name": "discovery", "not_run_for": "15"}}, "job not_run_for", '"15" does not fit'),
        ({"job": {"name": "discovery", "runs_longer_than": "3"}}, "job runs_longer_than", '"3" does not fit'),
        ({"job": {"name": "discovery", "runs_too_often": "3"}}, "job runs_too_often", '"3" does not fit'),
        (
            {"job": {"name": "discovery", "runs_too_often": {"warning": "6/h", "error": "50/d"}}, "severity": None},
            "job runs_too_often",
            "should name the same time for every severity",
        ),
        ({"probe": "shp"}, "probe name", 'no probe is named "shp"'),
        (
            {"probe": {"name": "shop", "fails": {"error": "3", "info": "1 of 5"}}},
            "probe fails",
            "the same number of runs",
        ),
        ({"rate": {"of": "x_total", "over": "5m"}, "above": "5"}, "above", "rate needs a rate"),
        ({"probe": {"name": "wrk-*"}}, "probe name", 'no probe has a name like "wrk-*"'),
        (
            {"change": {"of": "x[5m]", "versus": "1d"}, "above": "1"},
            "change of",
            "should give a number for each label set",
        ),
        (
            {"burn_rate": {"errors": "a_total", "total": "b_total", "objective": "100%"}, "severity": None},
            "burn_rate objective",
            "leaves no budget to burn",
        ),
        ({"burn_rate": {"errors": "a", "total": "b_total", "objective": "99%"}}, "burn_rate errors", "not a counter"),
        (
            {"burn_rate": {"errors": "a_total", "total": "b_total", "objective": "99%", "period": "1d"}},
            "burn_rate period",
            "is shorter than a week",
        ),
        (
            {"absent": {"of": "up", "over": "2d", "by": "job"}},
            "absent over",
            "is as long as what was there is remembered",
        ),
        ({"absent": {"of": "up", "over": "2d"}, "above": "1"}, "above", "has its threshold under its own key"),
        ({"change": {"of": "x", "versus": "1500us"}, "above": "1"}, "change versus", "is finer than a millisecond"),
        ({"expr": "rate(x[5m]"}, "expr query", ""),
        ({"expr": "x[5m]"}, "expr query", "gives a range of samples"),
        ({"expr": "'up'"}, "expr query", "gives a text"),
        ({"expr": "cpu_percent", "above": "80%"}, "above", '"80%" is 0.8, and cpu_percent counts otherwise'),
        ({"expr": "up == 0", "recover": "1"}, "recover", "there is no threshold to recover from"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(entry: dict[str, Any], path: str, says: str) -> None:
    with pytest.raises(RuleInvalid) as caught:
        rule({"severity": "error", **entry})
    assert (path, True) in [(" ".join(fault.path), says in fault.says) for fault in caught.value.faults]


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(RuleInvalid) as caught:
        rule({"ratio": {**RATIO, "of": "a b", "to": "(", "over": "5m"}, "above": "5%", "summary": "{{ who }}"})
    assert [fault.path for fault in caught.value.faults] == [("summary",), ("ratio", "of"), ("ratio", "to")]


def test_a_fault_inside_an_expression_has_its_place_in_it() -> None:
    text = "sum(rate(x_total[5m])) > nope(1)"
    with pytest.raises(RuleInvalid) as caught:
        rule({"expr": text, "severity": "error"})
    (fault,) = caught.value.faults
    assert text[fault.start : fault.end] == "nope"


@pytest.mark.parametrize(("p", "says"), [("0.99", "write 99 for 0.99"), ("100", "under 100"), ("0", "from 1")])
def test_a_percentile_is_written_as_people_say_it(p: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        rule({"quantile": {"p": p, "of": "x_seconds", "over": "5m"}, "above": "50ms", "severity": "error"})


@pytest.mark.parametrize("fails", ["0", "6 of 5", "often", "3 out of 5"])
def test_failures_are_a_number_or_a_number_of_runs(fails: str) -> None:
    with pytest.raises(ValidationError, match="should be"):
        rule({"probe": {"name": "shop", "fails": fails}, "severity": "error"})


def test_patience_is_that_of_each_severity() -> None:
    made = rule(
        {
            "last": "depth",
            "above": {"warning": "0", "critical": "9"},
            "for": {"warning": "15m"},
            "keep_firing_for": "5m",
        }
    )
    waits = {str(level): (wait.hold_for, wait.keep_firing_for) for level, wait in made.patience.items()}
    minutes = timedelta(minutes=1)
    assert waits == {"warning": (15 * minutes, 5 * minutes), "critical": (0 * minutes, 5 * minutes)}


def test_too_few_data_are_held_as_long_as_the_window() -> None:
    entry = {"increase": {"of": "x_total", "over": "7d"}, "below": {"warning": "5"}}
    assert rule(entry).patience[Severity.WARNING].scarce_for == timedelta(days=7)


def test_a_rule_reads_what_deciding_needs() -> None:
    made = rule({"quantile": {"p": "99", "of": "x_seconds", "over": "5m", "at_least": "10"}, "above": {"error": "1s"}})
    names = {matcher.value for read in made.reads for matcher in read.matchers}
    assert names == {"x_seconds", "x_seconds_bucket", "x_seconds_count"}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_has_its_page(name: str) -> None:
    """The manual page of a form says its value, shows it in YAML, what it compiles to, and its edges."""
    page = __import__(form_named(name).__module__, fromlist=["__doc__"]).__doc__ or ""
    assert page.startswith(f"{name}: ")
    assert all(f"\n{part}\n" in page for part in ("Value", "In YAML", "Compiles to", "Edges"))


def test_runs_are_counted_at_each_probe_s_own_pace() -> None:
    paces = {"web": timedelta(seconds=15), "api": timedelta(seconds=15), "nightly": timedelta(hours=1)}
    made = rule({"probe": {"name": "*", "fails": "2 of 4"}, "severity": "error"}, paces)
    counted = "count_over_time(probe_success{%s}[%s]) - sum_over_time(probe_success{%s}[%s])"
    fast, slow = ('probe=~"api|web"', "1m"), ('probe="nightly"', "4h")
    assert made.compiled.expr == parse(f"{counted % (fast * 2)} or {counted % (slow * 2)}")


@pytest.mark.parametrize(
    ("period", "paces"),
    [("30d", (14.4, 6, 3, 1)), ("28d", (13.44, 5.6, 2.8, 0.9333333333)), ("7d", (13.44, 3.5, 1.4, 0.98))],
)
def test_a_budget_burns_at_the_paces_of_the_workbook_and_of_sloth(period: str, paces: tuple[float, ...]) -> None:
    """Those of 7, 28 and 30 days are what Sloth publishes, which spends a greater share of a week's budget."""
    made = rule({"burn_rate": {"errors": "bad_total", "total": "all_total", "objective": "99.9%", "period": period}})
    burn = "(sum(increase(bad_total[%s] anchored)) or sum(increase(all_total[%s] anchored)) * 0)"
    burn += " / sum(increase(all_total[%s] anchored)) / 0.001"
    windows = ("1h", "5m"), ("6h", "30m"), ("1d", "2h"), ("3d", "6h")
    pairs = [
        " and ".join(f"{burn % (window, window, window)} > {pace}" for window in pair)
        for pair, pace in zip(windows, paces, strict=True)
    ]
    assert made.compiled.own == {
        Severity.CRITICAL: parse(f"{pairs[0]} or {pairs[1]}"),
        Severity.WARNING: parse(f"{pairs[2]} or {pairs[3]}"),
    }
