"""`explain` over HTTP: alerts by name, those that are over, and who does the work."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sentinel.rules.observe import observe
from tests.web.conftest import House, Start


async def _fire(house: House) -> str:
    await house.measure("queue_depth", 60)
    await house.until("it is told", lambda: any(house.agent.view.told.values()))
    [alert] = house.agent.view.alerts
    return alert.fingerprint


async def _explained(house: House, name: str) -> dict[str, Any]:
    answer = await house.client.get(f"/api/alerts/{name}/explain")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_alert_is_explained_from_its_rule_to_each_attempt(start: Start) -> None:
    """By the beginning of its fingerprint: who was told and why, and what the receiver answered."""
    async with start() as house:
        key = await _fire(house)
        found = await _explained(house, key[:6])
        [element] = found["elements"]
        assert (element["fingerprint"], element["phase"], element["severity"]) == (key, "firing", "critical")
        assert element["reason"] == "60 > 50"
        assert {stage["stage"] for stage in element["stages"]} >= {"critical", "silence", "route", "group"}
        [hearer] = element["hearers"]
        assert (hearer["notifier"], hearer["told"]) == ("people", True)
        assert hearer["words"].endswith(": firing, critical")
        [delivery] = element["deliveries"]
        assert [attempt["error"] for attempt in delivery["attempts"]] == [""]
        assert [one["words"] for one in element["history"]] == ["fired (critical): 60 > 50"]
        assert "people: told at " in found["text"]
        assert "accepted after " in found["text"]
        assert found["text"] == (await _explained(house, "queue"))["text"]


async def test_an_alert_that_is_over_is_explained_from_what_it_left(start: Start) -> None:
    """The question is often asked in the morning."""
    async with start() as house:
        key = await _fire(house)
        await house.measure("queue_depth", 1)
        await house.until("it is over", lambda: not house.agent.view.alerts)
        found = await _explained(house, key[:8])
        assert (found["rule"], found["fingerprint"], found["phase"]) == ("queue", key, "inactive")
        assert [one["words"].split(":")[0] for one in found["history"]] == ["resolved (critical)", "fired (critical)"]
        assert "people firing delivered" in found["text"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("queu", 'there is no rule and no alert "queu"; did you mean "queue"?', id="nearly a rule"),
        pytest.param("abcdef", 'no alert goes on that is called "abcdef"', id="nothing near"),
    ],
)
async def test_what_nobody_knows_is_answered_with_what_is_near(start: Start, name: str, says: str) -> None:
    """And 404."""
    async with start() as house:
        answer = await house.client.get(f"/api/alerts/{name}/explain")
        assert (answer.status_code, answer.json()["detail"][: len(says)]) == (404, says)


async def test_a_reader_evaluates_and_never_the_desk(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule over weeks would hold up everything that is decided."""
    threads = []

    def watched(*args: Any, **kwargs: Any) -> Any:
        threads.append(threading.current_thread().name)
        return observe(*args, **kwargs)

    monkeypatch.setattr("sentinel.agent.inquiry.observe", watched)
    async with start() as house:
        await _explained(house, "queue")
    assert [name[:6] for name in threads] == ["reader"]
