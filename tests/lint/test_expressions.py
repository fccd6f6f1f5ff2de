"""What checks say of expressions: mistakes are found, and what experienced people write is left alone."""

from __future__ import annotations

import json

import pytest

from tests.lint.examples import found

#: What would be said of each of these alerts alike, whatever the expression.
BESIDE = {"alert/no-text", "group/severity", "rule/for-too-short"}


def checks_of(expr: str, **keys: object) -> set[str]:
    """Return the names of what is found in an alert of this expression."""
    alert = {"alert": "Example", "expr": expr, "for": "5m", "labels": {"severity": "error"}, **keys}
    text = "groups:\n- name: example\n  interval: 1m\n  rules:\n  - " + json.dumps(alert)
    return {problem.check for problem in found(text)} - BESIDE


@pytest.mark.parametrize(
    ("expr", "check"),
    [
        ("up == 2", "never-true"),
        ("up < 0", "never-true"),
        ("probe_success > 1", "never-true"),
        ("count(up == 0) == 0", "never-true"),
        ("count by (job) (up == 0) < 1", "never-true"),
        ("rate(errors_total[5m]) < 0", "never-true"),
        ("sum(increase(errors_total[5m])) < 0", "never-true"),
        ("absent(up) == 0", "never-true"),
        ("hour() > 23", "never-true"),
        ("day_of_week() > 6", "never-true"),
        ("(x > 10) < 5", "never-true"),
        ("x > 90 and x < 80", "never-true"),
        ("80 > x and x >= 90", "never-true"),
        ('rate(q_total{code="500"}[5m]) / rate(q_total[5m]) > 1', "never-true"),
        ('sum(rate(q_total{code=~"5.."}[5m])) / sum(rate(q_total[5m])) * 100 > 500', "never-true"),
        ('1 - sum(rate(q_total{ok="1"}[5m])) / sum(rate(q_total[5m])) > 5', "never-true"),
        ("clamp_max(x, 1) > 2", "never-true"),
        ("count(up == 0) or vector(0) > 2", "never-true"),
        ("up >= 0", "always-true"),
        ("rate(errors_total[5m]) >= 0", "always-true"),
        ("count(up) > 0", "always-true"),
        ("x < 10 or x > 5", "always-true"),
        ("x >= 5 or x < 5", "always-true"),
        ("errors_total > 100", "counter"),
        ("sum(errors_total) / sum(requests_total) > 0.05", "counter"),
        ("100 < errors_total", "counter"),
        ("rate(queue_depth[5m]) > 1", "rate-of-gauge"),
        ("increase(node_memory_MemAvailable_bytes[5m]) > 1", "rate-of-gauge"),
        ("rate(process_resident_memory_bytes[5m]) > 1", "rate-of-gauge"),
        ("delta(errors_total[5m]) > 1", "delta-of-counter"),
        ("deriv(errors_total[5m]) > 1", "delta-of-counter"),
        ("rate(sum(errors_total)[5m:1m]) > 1", "rate-of-sum"),
        ("increase(sum by (job) (errors_total)[5m:]) > 1", "rate-of-sum"),
        ('up{job=~"shop"} == 0', "regexp"),
        ('up{job!~"shop"} == 0', "regexp"),
        ('up{job=~"^shop.+"} == 0', "regexp"),
        ('up{job=~".*"} == 0', "regexp"),
        ('up{instance=~"db.example.com:.+"} == 0', "regexp"),
        ("sum(rate(a_total[5m]) / rate(b_total[5m])) > 1", "nan"),
        ("avg(free_bytes / size_bytes) < 0.1", "nan"),
        ("topk(3, cpu_ratio) > 0.9", "fragile"),
        ("sum by (user_id) (rate(errors_total[5m])) > 1", "cardinality"),
        ("x offset -5m > 1", "future"),
        ("histogram_quantile(99, rate(x_seconds_bucket[5m])) > 1", "quantile"),
        ("quantile(95, x) > 1", "quantile"),
        ("quantile_over_time(-1, x[5m]) > 1", "quantile"),
        ("a_bytes > b_seconds", "units"),
        ("sum(a_bytes) + sum(b_seconds) > 1", "units"),
        ("histogram_quantile(0.9, sum by (job) (rate(x_bucket[5m]))) > 1", "lost-label"),
        ("count by (instance) (sum by (job) (up)) > 3", "lost-label"),
        ("sum by (job) (a) / on (instance) sum by (instance) (b) > 1", "lost-label"),
        ('label_replace(sum by (job) (x), "a", "$1", "instance", "(.*)") > 1', "lost-label"),
        ("rate(a_total[5m]) / sum(rate(b_total[5m])) > 0.1", "vector-matching"),
        ("sum by (job) (a) / sum by (instance) (b) > 0.1", "vector-matching"),
        ("x > 5 and sum(y) > 1", "vector-matching"),
    ],
)
def test_a_mistake_is_found(expr: str, check: str) -> None:
    """Each by the check that is about it."""
    assert f"promql/{check}" in checks_of(expr)


@pytest.mark.parametrize(
    "expr",
    [
        "up == 0",
        'up{job="shop"} != 1',
        "absent(up) == 1",
        "absent_over_time(x[5m])",
        "count(up == 0) > 2",
        "count(up == 0) by (job) / count(up) by (job) > 0.1",
        '(count(up{job="x"} == 0) or vector(0)) > 2',
        "sum by (job) (up) < 2",
        "changes(process_start_time_seconds[1h]) > 3",
        "time() - last_success_timestamp_seconds > 3600",
        "time() - max by (job) (last_success_timestamp_seconds) > 86400",
        "predict_linear(node_filesystem_avail_bytes[6h], 4 * 3600) < 0",
        "node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1",
        "(node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1) and (node_filesystem_readonly == 0)",
        "1 - avg by (instance) (rate(node_cpu_seconds_total{mode='idle'}[5m])) > 0.9",
        "100 - (avg by (instance) (rate(node_cpu_seconds_total{mode='idle'}[5m])) * 100) > 80",
        "rate(a_seconds_sum[5m]) / rate(a_seconds_count[5m]) > 0.5",
        "histogram_quantile(0.99, sum by (le, job) (rate(x_seconds_bucket[5m]))) > 1",
        "histogram_quantile(0.99, rate(x_seconds_bucket[5m])) > 1",
        "sum(accepted_total) - sum(published_total) > 0",
        "max_over_time(queue_depth[10m]) > 100",
        "sum(rate(a_total[5m])) by (job) / sum(rate(b_total[5m])) by (job) > 0.05",
        "rate(a_total[5m]) / on (job) group_left () sum by (job) (rate(b_total[5m])) > 0.05",
        "rate(a_total[5m]) / ignoring (code) group_left sum without (code) (rate(b_total[5m])) > 0.05",
        "kube_pod_status_ready == 0 and on (namespace, pod) kube_pod_status_phase == 1",
        'kube_pod_info * on (node) group_left (role) kube_node_role{role!=""} > 0',
        "x > 5 and x < 10",
        "x < 5 or x > 10",
        "x < 5 or absent(x)",
        "job:errors:ratio > 0.05",
        "job:errors:rate5m / scalar(sum(job:requests:rate5m)) > 0.05",
        "increase(kube_pod_container_status_restarts_total[1h]) > 3",
        'up{instance=~"web-[0-9]+:9100"} == 0',
        'x{path=~"/api/.+"} > 1',
        'x{version=~"1\\\\.2\\\\..+"} > 1',
        "errors_total == 0",
        "errors_total unless errors_total offset 1h",
        "sum(rate(a_total[5m])) / (sum(rate(b_total[5m])) > 0) > 0.1",
        "max(topk(3, x)) > 1",
        "delta(temperature_celsius[1h]) > 10",
        "avg_over_time(up[10m]) < 0.9",
        'min_over_time(probe_success{probe="shop"}[10m]) < 1',
        "label_replace(up, 'host', '$1', 'instance', '(.*):.*') == 0",
        "day_of_week() == 0 and hour() > 22",
        "go_goroutines > 1000",
        "vector(1)",
        "vector(1)  > 0 unless on () up == 1",
        "quantile by (job) (0.9, x) > 1",
        "sum without (instance) (x) > 1 and sum without (instance) (y) > 1",
    ],
)
def test_what_is_well_is_left_alone(expr: str) -> None:
    """A checker that cries wolf is switched off."""
    assert checks_of(expr) == set()


@pytest.mark.parametrize(
    ("keys", "check"),
    [
        ({"labels": {"severity": "error", "v": "{{ $value }}"}}, "template/value-in-label"),
        ({"labels": {"severity": "error", "v": "{{ .Value | humanize }}"}}, "template/value-in-label"),
        ({"annotations": {"summary": "{{ $labels.instanse }}"}}, "template/unknown-label"),
        ({"annotations": {"summary": "{{ $labels.namepace }}"}}, "template/unknown-label"),
        ({"expr": "sum(x) > 1", "annotations": {"summary": "{{ $labels.job }}"}}, "template/lost-label"),
        ({"expr": "sum without (pod) (x) > 1", "annotations": {"s": "{{ $labels.pod }}"}}, "template/lost-label"),
        ({"expr": "sum(x) > 1", "annotations": {"summary": '{{ index $labels "job" }}'}}, "template/lost-label"),
        ({"expr": "sum(x) > 1", "annotations": {"summary": "{{ $labels.severity }}"}}, "template/lost-label"),
        ({"annotations": {"summary": '{{ query "sum(" | first | value }}'}}, "template/fails"),
        ({"annotations": {"summary": "{{ $labels | humanize }}"}}, "template/fails"),
        ({"expr": "rate(x_total[5m]) > 1", "annotations": {"summary": "{{ $value }}"}}, "template/raw-value"),
    ],
)
def test_a_template_that_tells_nobody_anything_is_found(keys: dict[str, object], check: str) -> None:
    """Lost and misspelt labels, values in labels, and what fails when it is needed."""
    assert check in checks_of(str(keys.pop("expr", "x > 1")), **keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"annotations": {"summary": "{{ $labels.instance }} of {{ $labels.job }} {{ $value }}"}},
        {"annotations": {"summary": "{{ $labels.vhost }} {{ $labels.custom_thing }}"}},
        {"annotations": {"summary": '{{ with query "up" }}{{ . | first | value }}{{ end }}'}},
        {"annotations": {"summary": '{{ printf "up{job=\\"%s\\"}" $labels.job | query | first | value }}'}},
        {"annotations": {"summary": "{{ $labels.since | humanizeTimestamp }} {{ $value | humanizeDuration }}"}},
        {"labels": {"severity": "{{ if gt $value 5.0 }}critical{{ else }}warning{{ end }}"}},
        {"expr": "sum by (job) (x) > 1", "annotations": {"summary": "{{ $labels.job }}"}},
        {"expr": "a * on (node) group_left (role) b > 1", "annotations": {"summary": "{{ $labels.role }}"}},
    ],
)
def test_a_template_that_says_something_is_left_alone(keys: dict[str, object]) -> None:
    """Labels that only the series know are believed."""
    assert checks_of(str(keys.pop("expr", "x > 1")), **keys) == set()
