"""Silences, acknowledgements and dead letters over HTTP, by the API and by the page's forms."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tests.web.conftest import House, Start

ANN = {"author": "ann", "reason": "deploy"}


async def _fire(house: House) -> str:
    await house.measure("queue_depth", 60)
    await house.until("it is told", lambda: any(house.agent.view.told.values()))
    [alert] = house.agent.view.alerts
    return alert.fingerprint


async def _form(house: House, path: str, **fields: str) -> Any:
    token = re.search(r'name="token" value="(\w+)"', (await house.client.get("/")).text)
    body = urlencode({"token": token[1] if token else "", **fields})
    return await house.client.post(f"/forms/{path}", content=body)


async def test_a_silence_is_on_disk_when_it_is_acknowledged(start: Start) -> None:
    """With its audit row; the answer says what it covers."""
    async with start() as house:
        await _fire(house)
        asked = {**ANN, "match": {"rule": ["queue", "other"], "severity": "warning+"}, "for": "2h"}
        answer = (await house.client.post("/api/silences", json=asked)).json()
        assert (answer["text"], answer["state"], answer["warning"]) == (
            "rule=queue,other, severity=warning+",
            "active",
            "",
        )
        assert [alert["rule"] for alert in answer["alerts"]] == ["queue"]
        with house.agent.database.read() as tx:
            [silence] = tx.silences.all()
            [entry] = tx.audit.newest(1)
        assert silence.ends_at - silence.starts_at == timedelta(hours=2)
        assert (entry.kind, entry.subject, entry.body["change"]) == ("silence", silence.id, "set")
        assert entry.body["by"].startswith("nobody known at ")


async def test_a_silence_of_the_future_waits(start: Start) -> None:
    """It is listed as pending."""
    async with start() as house:
        begin = datetime.now(UTC) + timedelta(hours=1)
        asked = {**ANN, "match": ["rule=queue"], "starts_at": begin.isoformat(), "for": "1h"}
        assert (await house.client.post("/api/silences", json=asked)).json()["state"] == "pending"
        [listed] = (await house.client.get("/api/silences")).json()["silences"]
        assert listed["state"] == "pending"


MISASKED: list[tuple[dict[str, Any], str]] = [
    ({"match": {}, "for": "2h"}, "name at least one condition"),
    ({"match": {"severity": "bad"}, "for": "2h"}, "info, warning, error, critical"),
    ({"match": {"rule": "x"}}, "give either for (2h) or ends_at"),
    ({"match": {"rule": "x"}, "for": "0"}, '"0" lasts no time'),
    ({"match": {"rule": "x"}, "for": "2h", "author": ""}, "author: "),
    ({"match": {"rule": "x"}, "for": "2h", "ofr": "1h"}, "ofr: "),
    ({"match": {"rule": "x"}, "ends_at": "2020-01-01T00:00:00Z"}, "in the past"),
]


async def test_what_cannot_be_meant_is_refused_in_words(start: Start) -> None:
    """With 400, and nothing is silenced."""
    async with start() as house:
        for asked, says in MISASKED:
            answer = await house.client.post("/api/silences", json={**ANN, **asked})
            assert (answer.status_code, says in answer.json()["detail"]) == (400, True), answer.text
        assert not house.agent.view.silences


async def test_the_page_acknowledges_silences_and_ends(start: Start) -> None:
    """Each form leads back; the page says who, until when and why."""
    async with start() as house:
        key = await _fire(house)
        assert (await _form(house, f"ack/{key}", author="ann", reason="on it", **{"for": "8h"})).status_code == 303
        assert "ann is on it until" in (await house.client.get("/")).text
        assert (await _form(house, f"unack/{key}", author="ann")).status_code == 303
        assert "is on it until" not in (await house.client.get("/")).text
        fields = {"match": 'rule=queue\r\nprobe="shop"\r\n', "author": "ann", "reason": "deploy", "for": "2h"}
        assert (await _form(house, "silence", **fields)).status_code == 303
        page = (await house.client.get("/")).text
        assert "no more is told: silenced by ann until" in page
        [silence] = house.agent.view.silences.values()
        assert silence.match == {"rule": "queue", "probe": "shop"}
        assert (await _form(house, f"silences/{silence.id}/end", author="bob")).status_code == 303
        assert not house.agent.view.silences


UNFOLLOWED = [
    ("ack/abcdef", {"author": "a", "reason": "", "for": "8h"}, 404, "No alert goes on"),
    ("silence", {"match": "rule=x", "author": "", "reason": "", "for": "2h"}, 400, "A name and a reason are needed"),
    ("silence", {"match": "rule=x", "for": "2h"}, 400, "The form lacks author"),
    ("silence", {"token": "guess"}, 403, "not of this page"),
    ("silences/nothing/end", {"author": "a"}, 404, "There is no silence"),
    ("deliveries/nothing/retry", {}, 404, "There is no delivery"),
    ("deliveries/nothing/drop", {}, 404, "There is no delivery"),
]


async def test_a_form_that_cannot_be_followed_says_why(start: Start) -> None:
    """On a page, with the way back."""
    async with start() as house:
        await _fire(house)
        for path, fields, status, says in UNFOLLOWED:
            answer = await _form(house, path, **fields)
            assert (answer.status_code, says in answer.text, 'href="/"' in answer.text) == (status, True, True), path
