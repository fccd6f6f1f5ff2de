"""Pings over HTTP: the answers of a healthchecks server, jobs called by UUID, by key, and before they are defined."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from pydantic import ValidationError

from sentinel.agent import jobs
from sentinel.intake.ping import BODY_LIMIT
from sentinel.probes.heartbeat import HeartbeatKind
from tests.web.conftest import House, Start

UUID = "f3a1b2c4-5d6e-4f70-8a9b-0c1d2e3f4a5b"
RID = "123e4567-e89b-12d3-a456-426614174000"
TREE = f"""
probes:
  nightly: {{heartbeat: {{every: 1h}}}}
  backup: {{heartbeat: {{cron: "0 2 * * *", timezone: Europe/Berlin, uuid: {UUID}}}}}
notifiers: {{people: {{console: {{}}}}}}
"""


async def job(house: House, name: str) -> dict[str, object]:
    """Return what the API says of a job."""
    found: dict[str, object] = (await house.client.get(f"/api/jobs/{name}")).json()
    return found


#: Whatever a client of healthchecks.io sends, and what a healthchecks server answers (healthchecks.io/docs/http_api).
DIALECT = [
    (UUID, 200, "OK"),
    (f"{UUID}/", 200, "OK"),
    (f"{UUID}/start", 200, "OK"),
    (f"{UUID}/fail", 200, "OK"),
    (f"{UUID}/log", 200, "OK"),
    (f"{UUID}/0", 200, "OK"),
    (f"{UUID}/255", 200, "OK"),
    (f"{UUID}?rid={RID}", 200, "OK"),
    (f"{UUID}/256", 400, "invalid url format"),
    (f"{UUID}?rid=7", 400, "invalid uuid format"),
    (RID, 404, "not found"),
    (f"{RID}?create=1", 404, "not found"),
    ("some-key/nightly", 200, "OK"),
    ("some-key/nightly/start", 200, "OK"),
    ("some-key/nightly/3", 200, "OK"),
    ("some-key/nightly/3/4", 400, "invalid url format"),
    ("some-key/Nightly", 400, "invalid url format"),
    ("some-key/other", 404, "not found"),
    ("some-key/other?create=0", 404, "not found"),
    ("some-key/other?create=1", 201, "Created"),
    ("some-key/other?create=1", 200, "OK"),
    ("some-key/other/fail", 200, "OK"),
]


async def test_each_answer_is_that_of_a_healthchecks_server(start: Start) -> None:
    """Status, words and headers, by GET, HEAD and POST."""
    async with start(TREE) as house:
        for path, status, words in DIALECT:
            for method in ("GET", "POST", "HEAD"):
                fresh = path.replace("other", f"other-{method.lower()}")
                answer = await house.client.request(method, f"/ping/{fresh}")
                assert (answer.status_code, path) == (status, path)
                assert answer.text == words or method == "HEAD"
                assert answer.headers["ping-body-limit"] == str(BODY_LIMIT)
                assert answer.headers["access-control-allow-origin"] == "*"
                assert answer.headers["content-type"].startswith("text/plain")
        assert (await house.client.put("/ping/nightly")).status_code == 405


async def test_a_page_in_a_browser_may_ping(start: Start) -> None:
    """Also with a body of any type, which a browser asks for beforehand."""
    async with start(TREE) as house:
        origin = {"origin": "https://shop.example.com", "sec-fetch-site": "cross-site"}
        asked = await house.client.options("/ping/nightly", headers=origin)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")
        assert "POST" in asked.headers["access-control-allow-methods"]
        assert (await house.client.post("/ping/nightly", headers=origin, json={"n": 1})).status_code == 200


async def test_by_its_name_alone_a_job_is_called_with_a_hint(start: Start) -> None:
    """Healthchecks has no such URL, so the answer may say what is near."""
    async with start(TREE) as house:
        answer = await house.client.get("/ping/nihgtly")
        assert answer.status_code == 404
        assert answer.text == 'not found: there is no heartbeat "nihgtly"; did you mean "nightly"?'
        assert "exit code 0-255" in (await house.client.get("/ping/nightly/999")).text


async def test_what_a_job_said_last_is_shown(start: Start) -> None:
    """Its last lines beside other jobs, all that is kept for itself; on the page, too, without control letters."""
    async with start(TREE) as house:
        said = "".join(f"line {number}\n" for number in range(30)) + "\x1b[31mfailed <b>\x1b[0m\n"
        await house.client.post(f"/ping/{UUID}/start?rid={RID}")
        await house.client.post(f"/ping/{UUID}/7?rid={RID}", content=said)
        await house.until("it is shown", lambda: house.agent.view.heartbeats["backup"].failures)
        found = await job(house, "backup")
        assert found["output"] == said
        assert (found["exit_code"], found["tone_words"], found["running_since"]) == (7, "failed", None)
        assert isinstance(found["last_duration_seconds"], float)
        status = {one["name"]: one for one in (await house.client.get("/api/status")).json()["jobs"]}
        assert status["backup"]["output"].splitlines()[-2:] == ["line 29", "failed <b>"]
        assert len(status["backup"]["output"].splitlines()) == 10
        assert status["backup"]["schedule"] == "cron 0 2 * * * Europe/Berlin, grace 1h"
        page = (await house.client.get("/")).text
        assert "failed &lt;b&gt;" in page
        await house.client.get(f"/ping/{UUID}/start")
        await house.until("it runs", lambda: house.agent.view.heartbeats["backup"].started_at)
        assert (await job(house, "backup"))["output"] == said
        missing = await house.client.get("/api/jobs/bakcup")
        assert (missing.status_code, missing.json()["detail"]) == (
            404,
            'there is no job "bakcup"; did you mean "backup"?',
        )


async def test_explain_shows_what_the_job_said(start: Start) -> None:
    """Whoever is woken because a job failed reads why at once."""
    tree = TREE + "rules: {failed: {job: {name: nightly, failed: 1}, severity: error}}\n"
    async with start(tree) as house:
        await house.client.post("/ping/nightly/1", content="connecting\nno space left on device\n")
        await house.until("it fires", lambda: any(alert.severity for alert in house.agent.view.alerts))
        found = (await house.client.get("/api/rules/failed/explain")).json()
        assert "    job said   connecting\n               no space left on device\n" in found["text"]
        assert found["elements"][0]["job_output"].splitlines()[-1] == "no space left on device"


async def _log() -> AsyncIterator[bytes]:
    for _ in range(30):
        yield b"x" * 100_000


async def test_a_long_log_does_not_lose_the_call(start: Start) -> None:
    """Its beginning is kept, the rest is read and dropped."""
    async with start(TREE) as house:
        assert (await house.client.post("/ping/nightly", content=_log())).status_code == 200
        await house.until("it is kept", lambda: house.agent.view.heartbeats["nightly"].successes)
        assert house.agent.view.heartbeats["nightly"].body == "x" * BODY_LIMIT


async def test_a_secret_in_what_a_job_says_is_hidden(start: Start) -> None:
    """What YAML takes from the environment stands in no page and no database, whoever prints it."""
    tree = TREE + "rules: {}\ndefaults: {probes: {labels: {a: b}}}\n"
    async with start(tree.replace("console: {}", 'webhook: {url: "https://u:hunter22@hooks.example.com/"}')) as house:
        await house.client.post("/ping/nightly/1", content=f"login hunter22 failed, called {UUID}")
        await house.until("it is kept", lambda: house.agent.view.heartbeats["nightly"].failures)
        assert house.agent.view.heartbeats["nightly"].body == "login *** failed, called ***"


async def test_a_job_that_calls_before_it_is_defined_waits_for_it(start: Start) -> None:
    """`create=1`: it is listed with the YAML to add; once that is there, nothing of what it said is lost."""
    async with start(TREE) as house:
        assert (await house.client.post("/ping/new-job?create=1", content="hello")).status_code == 201
        await house.until("it is known", lambda: "new-job" in house.agent.view.heartbeats)
        found = await job(house, "new-job")
        assert (found["tone_words"], found["output"], found["due_at"]) == ("unclaimed", "hello", None)
        assert "probes: {new-job: {heartbeat: {every: 1d}}}" in str(found["words"])
        assert "unclaimed" in (await house.client.get("/")).text
        assert "new-job" not in (await house.client.get("/metrics")).text
        await house.client.post("/api/reload")
        assert "new-job" in house.agent.view.heartbeats
        (house.folder / "tree.yaml").write_text(TREE.replace("probes:", "probes:\n  new-job: {heartbeat: {every: 1d}}"))
        assert (await house.client.post("/api/reload")).json()["ok"]
        found = await job(house, "new-job")
        assert (found["tone_words"], found["successes"], found["output"]) == ("well", 1, "hello")
        (house.folder / "tree.yaml").write_text(TREE)
        assert (await house.client.post("/api/reload")).json()["ok"]
        assert "new-job" not in house.agent.view.heartbeats


async def test_jobs_that_nobody_defines_do_not_fill_the_disk(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are remembered, then none is made any more; those that are there go on."""
    monkeypatch.setattr(jobs, "MOST_UNCLAIMED", 3)
    async with start(TREE) as house:
        for number in range(3):
            assert (await house.client.get(f"/ping/made-{number}?create=1")).status_code == 201
        assert (await house.client.get("/ping/one-more?create=1")).status_code == 404
        assert (await house.client.get("/ping/made-2")).status_code == 200
        assert (await house.client.get("/ping/nightly?create=1")).status_code == 200


async def test_two_jobs_with_one_uuid_are_refused(start: Start) -> None:
    """They would take each other's calls; nothing that runs is changed by it."""
    async with start(TREE) as house:
        twin = TREE.replace("nightly: {heartbeat: {every: 1h}}", f"nightly: {{heartbeat: {{every: 1h, uuid: {UUID}}}}}")
        (house.folder / "tree.yaml").write_text(twin)
        answer = (await house.client.post("/api/reload")).json()
        assert not answer["ok"]
        assert "has the uuid of nightly" in json.dumps(answer)
        assert UUID not in json.dumps(answer)


def test_what_is_no_uuid_is_refused() -> None:
    """With an example of one; capitals are no other UUID."""
    with pytest.raises(ValidationError, match="should be a UUID such as"):
        HeartbeatKind.model_validate({"every": "1h", "uuid": "f3a1b2c4"})
    kind = HeartbeatKind.model_validate({"every": "1h", "uuid": UUID.upper()})
    assert kind.uuid
    assert kind.uuid.get_secret_value() == UUID
