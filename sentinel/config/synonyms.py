"""Synonyms: what keys are called by other programs, and what they are called, or where they belong, here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sentinel.core.problem import near

_INSIDE = "it stands under the kind: http: {url: …}"
#: By the room of the check's name: another program's word, and the key of ours or a sentence.
_MEANT: Mapping[str, Mapping[str, str]] = {
    "probe": {
        **dict.fromkeys(("interval", "scrape_interval", "period", "check_interval", "frequency"), "every"),
        **dict.fromkeys(("type", "kind", "prober"), "the kind is the key itself: http: https://…"),
        **dict.fromkeys(("url", "target", "address"), _INSIDE),
        **dict.fromkeys(("postgres", "postgresql", "mysql", "mariadb", "sqlite", "database"), "sql"),
        **dict.fromkeys(("prometheus", "openmetrics"), "scrape"),
        **dict.fromkeys(("exec", "script", "nagios"), "command"),
        **dict.fromkeys(("code", "status_code", "expected_status"), "status"),
        **dict.fromkeys(("conditions", "assertions", "checks"), "expect"),
        **dict.fromkeys(("response_time", "latency", "duration"), "within"),
        **dict.fromkeys(("keyword", "contains"), "body"),
        "icmp": "ping",
        "basic_auth": "auth: {basic: {username: …, password: …}}",
        **dict.fromkeys(("bearer_token", "authorization"), "auth: {bearer: …}"),
        **dict.fromkeys(("tls_config", "insecure_skip_verify"), "tls: {ca: …} says whom to trust"),
        **dict.fromkeys(("max_age", "age"), "newest"),
        "https": "http",
        "host": "address",
        "job": "a job that calls Sentinel is a probe of its own: its-name: {heartbeat: {every: 10m}}",
        "port": "it stands behind the host: db:5432",
    },
    "rule": {
        "alert": "the key above it is the rule's name",
        "disabled": "write enabled: false",
        "annotations": "summary, description, runbook and dashboard stand beside the form",
        "threshold": "above or below",
        **dict.fromkeys((">", ">=", "greater_than", "gt", "over", "max"), "above"),
        **dict.fromkeys(("<", "<=", "less_than", "lt", "under", "min"), "below"),
        **dict.fromkeys(("message", "text", "title"), "summary"),
        **dict.fromkeys(("runbook_url", "docs"), "runbook"),
        **dict.fromkeys(("dashboard_url", "grafana"), "dashboard"),
        **dict.fromkeys(("duration", "pending"), "for"),
        **dict.fromkeys(("window", "range", "interval"), "over"),
        "team": "owner",
        "metric": "last",
        "query": "expr",
        "priority": "severity",
        "q": "p",
        "weeks": "seasons",
    },
    "notifier": {
        **dict.fromkeys(("slack_configs", "slack_config"), "slack"),
        **dict.fromkeys(("email_configs", "mail", "smtp"), "email"),
        **dict.fromkeys(("webhook_configs", "http", "url", "pagerduty", "pagerduty_configs"), "webhook"),
        **dict.fromkeys(("teams", "discord", "telegram", "opsgenie", "opsgenie_configs"), "webhook"),
    },
    "route": {
        **dict.fromkeys(("receiver", "notifier", "notifiers", "to"), "notify"),
        **dict.fromkeys(("matchers", "match_re"), "match"),
        "repeat_interval": "repeat",
        "routes": "routes stand one below the other; continue: true tries the next as well",
    },
    "inhibit": {
        **dict.fromkeys(("source_matchers", "source_match", "source"), "cause"),
        **dict.fromkeys(("target_matchers", "target_match", "target"), "covers"),
    },
    "mute": {
        **dict.fromkeys(("matchers", "matcher"), "match"),
        **dict.fromkeys(("schedule", "when", "time_intervals"), "during"),
        **dict.fromkeys(("comment", "why", "description"), "reason"),
    },
}


def meant(section: str, name: str, known: Collection[str]) -> str:
    """Return the key of ours that another program calls by this name, "" for none of these."""
    word = _MEANT.get(section, {}).get(name, "")
    return word if word in known else ""


def proposal(section: str, name: str, known: Collection[str], what: str = "it takes") -> str:
    """Return what to write in place of a key that is not known."""
    word = _MEANT.get(section, {}).get(name, "")
    if word and (word in known or " " in word):
        return f"write {word}" if word in known or word == "above or below" else word
    return near(name, set(known), what)
