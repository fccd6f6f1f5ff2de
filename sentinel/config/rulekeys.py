"""Rule keys: what people write in rule files that Prometheus does not know, and what becomes of it."""

from __future__ import annotations

#: What other programs call the keys of a rule and of a group.
MEANT = {
    **dict.fromkeys(("expression", "query", "condition", "promql"), "expr"),
    **dict.fromkeys(("duration", "pending", "pending_for"), "for"),
    **dict.fromkeys(("name", "alertname", "alert_name", "title"), "alert"),
    **dict.fromkeys(("alerts", "alerting_rules"), "rules"),
    **dict.fromkeys(("evaluation_interval", "every"), "interval"),
    **dict.fromkeys(("evaluation_delay", "eval_delay"), "query_offset"),
}
#: Keys that people write beside `labels` and `annotations`, and where they belong.
BELONGS = {
    "severity": "write it under labels:",
    "team": "write it under labels:",
    **dict.fromkeys(
        ("summary", "description", "message", "runbook", "runbook_url", "dashboard", "dashboard_url"),
        "write it under annotations:",
    ),
}
#: Keys that other programs read in their rule files.
ELSEWHERE = {
    "partial_response_strategy": "Thanos",
    **dict.fromkeys(("source_tenants", "align_evaluation_time_on_interval"), "Mimir"),
    "remote_write": "Loki",
    **dict.fromkeys(
        (
            "concurrency",
            "debug",
            "eval_alignment",
            "eval_offset",
            "extra_filter_labels",
            "headers",
            "notifier_headers",
            "params",
            "tenant",
            "type",
            "update_entries_limit",
        ),
        "vmalert",
    ),
}
