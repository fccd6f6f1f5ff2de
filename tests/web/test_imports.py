"""Import over HTTP: samples of the past go into the history of a running agent."""

from __future__ import annotations

import json

from tests.web.conftest import Start


def line(name: str, *points: tuple[float, float]) -> str:
    """Return a line of JSON: times in seconds, and values."""
    times, values = [round(at * 1000) for at, _ in points], [value for _, value in points]
    return json.dumps({"metric": {"__name__": name}, "values": values, "timestamps": times})


async def test_the_past_is_taken_and_can_be_asked_for(start: Start) -> None:
    """What the head holds itself, what is too old, and what is there already is not; each is counted."""
    async with start() as house:
        now = house.agent.clock.now().timestamp()
        points = [(now - 40 * 86_400, 1.0), (now - 7200, 2.0), (now - 7140, 3.0), (now - 5, 4.0)]
        body = "\n".join([line("sold", *points), "", line("other", (now - 7200, 9.0))])
        answer = await house.client.post("/api/import", content=body)
        assert answer.json() == {"samples": {"taken": 3, "too old": 1, "too new": 1}}
        again = await house.client.post("/api/import", content=body)
        assert again.json()["samples"]["duplicate"] == 3
        asked = {"query": "sold", "time": f"{now - 7100:.3f}"}
        [found] = (await house.client.get("/api/v1/query", params=asked)).json()["data"]["result"]
        assert found["value"][1] == "3"


async def test_what_cannot_be_read_is_refused_whole(start: Start) -> None:
    """With the line, and nothing is taken."""
    async with start() as house:
        now = house.agent.clock.now().timestamp()
        answer = await house.client.post("/api/import", content=line("sold", (now - 7200, 2.0)) + "\nnonsense")
        assert (answer.status_code, answer.json()["detail"][:32]) == (400, "line 2: expected a JSON object (")
        assert (await house.client.get("/api/v1/series", params={"match[]": "sold"})).json()["data"] == []


async def test_it_needs_whoever_may_change_things(start: Start) -> None:
    """No token, no import."""
    async with start(token="s3cret") as house:
        assert (await house.client.post("/api/import", content="")).status_code == 401
