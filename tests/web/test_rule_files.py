"""Groups of Prometheus rule files in the HTTP API."""

from __future__ import annotations

from tests.web.conftest import TREE, Start

GROUPS = """
groups:
  - name: queues
    interval: 1s
    limit: 7
    rules:
      - {record: "queue:max", expr: max(queue_depth), labels: {by: us}}
      - alert: QueueLong
        expr: queue:max > 10
        labels: {severity: page}
        annotations: {runbook_url: "https://runbooks.example.com/{{ $labels.by }}"}
"""

#: Evaluated at once, and nothing comes of it.
FAST = """
  - {name: fast, interval: 1s, rules: [{alert: QueueThere, expr: absent(queue_depth), labels: {severity: page}}]}
"""


async def test_groups_are_shown_as_prometheus_shows_them(start: Start) -> None:
    """By their names, rules in order with their own labels and annotations, alerts with the labels that they have."""
    async with start(TREE + GROUPS) as house:
        await house.measure("queue_depth", 60)
        await house.until("it fires", lambda: any(alert.rule == "QueueLong" for alert in house.agent.view.alerts))
        answer = await house.client.get("/api/v1/rules", params={"rule_group[]": "queues"})
        [group] = answer.json()["data"]["groups"]
        assert (group["name"], group["interval"], group["limit"]) == ("queues", 1, 7)
        recording, alerting = group["rules"]
        assert (recording["type"], recording["name"], recording["query"], recording["labels"]) == (
            "recording", "queue:max", "max(queue_depth)", {"by": "us"},
        )  # fmt: skip
        assert (alerting["type"], alerting["query"], alerting["state"]) == ("alerting", "queue:max > 10", "firing")
        assert alerting["labels"] == {"severity": "page"}
        [alert] = alerting["alerts"]
        assert alert["labels"] == {"alertname": "QueueLong", "by": "us", "severity": "page"}
        assert alert["annotations"] == {"runbook_url": "https://runbooks.example.com/us"}
        listed = (await house.client.get("/api/v1/alerts")).json()["data"]["alerts"]
        assert alert in listed


async def test_rules_of_one_kind_can_be_asked_for(start: Start) -> None:
    """Recording rules alone, or alerting rules alone; ours are alerting rules."""
    async with start(TREE + GROUPS) as house:
        recording = (await house.client.get("/api/v1/rules", params={"type": "record"})).json()["data"]["groups"]
        assert [rule["name"] for group in recording for rule in group["rules"]] == ["queue:max"]
        alerting = (await house.client.get("/api/v1/rules", params={"type": "alert"})).json()["data"]["groups"]
        names = [rule["name"] for group in alerting for rule in group["rules"]]
        assert "QueueLong" in names
        assert "queue:max" not in names


async def test_what_was_not_evaluated_yet_is_unknown(start: Start) -> None:
    """As Prometheus says it of a group whose first slot is still to come: at no time, and not that it is well."""
    async with start(TREE + GROUPS.replace("interval: 1s", "interval: 365d") + FAST) as house:
        await house.measure("queue_depth", 60)

        async def said(group: str) -> list[tuple[str, str, str]]:
            answer = await house.client.get("/api/v1/rules", params={"rule_group[]": group})
            [found] = answer.json()["data"]["groups"]
            return [(found["lastEvaluation"], rule["lastEvaluation"], rule["health"]) for rule in found["rules"]]

        await house.until("one is evaluated", lambda: "QueueThere" in house.agent.view.evaluated)
        assert await said("queues") == [("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "unknown")] * 2
        [(group_at, at, health)] = await said("fast")
        assert (group_at, health) == (at, "ok")
        assert at > "2000"


async def test_an_alert_of_a_rule_file_is_explained(start: Start) -> None:
    """Like any other: its query, its threshold, its alert."""
    async with start(TREE + GROUPS) as house:
        await house.measure("queue_depth", 60)
        await house.until("it fires", lambda: any(alert.rule == "QueueLong" for alert in house.agent.view.alerts))
        said = (await house.client.get("/api/rules/QueueLong/explain")).text
        assert "queue:max" in said
        assert "above 10" in said
