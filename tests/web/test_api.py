"""What the agent answers over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import Start


async def test_an_alert_is_shown_with_what_a_person_needs(start: Start) -> None:
    """Rule, value, threshold, reason, runbook, place in the file, and who was told."""
    async with start() as house:
        await house.measure("queue_depth", 60)
        await house.until("it fires", lambda: house.agent.view.alerts)
        await house.until("it is told", lambda: any(house.agent.view.told.values()))
        [alert] = (await house.client.get("/api/alerts")).json()["alerts"]
        assert alert["rule"] == "queue"
        assert alert["severity"] == "critical"
        assert alert["summary"] == "60 wait <in> line"
        assert alert["runbook"] == "https://runbooks.example.com/queue"
        assert alert["origin"]["line"] == 6
        assert [told["notifier"] for told in alert["told"]] == ["people"]
        [row] = (await house.client.get("/api/deliveries?settlement=delivered")).json()["deliveries"]
        assert row["notifier"] == "people"
        text = (await house.client.get("/api/rules/queue/explain")).json()["text"]
        assert "60 > 50" in text
        page = (await house.client.get("/")).text
        assert "60 wait &lt;in&gt; line" in page


async def test_the_page_is_well_when_nothing_is_wrong(start: Start) -> None:
    """It says so, under a policy that lets nothing foreign in."""
    async with start() as house:
        answer = await house.client.get("/")
        assert "All is well" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "<style" not in answer.text
        assert (await house.client.get("/static/page.css")).status_code == 200


async def test_health_readiness_and_numbers(start: Start) -> None:
    """Orchestrators and Prometheus can read them."""
    async with start() as house:
        assert (await house.client.get("/healthz")).status_code == 200
        assert (await house.client.get("/readyz")).text == "ready\n"
        text = (await house.client.get("/metrics")).text
        found = {family.name for family in text_string_to_metric_families(text)}
        assert {"sentinel_config_valid", "sentinel_database_up", "sentinel_notifier_up"} <= found


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        pytest.param("GET", "/ping/nightly", 200, "OK", id="success"),
        pytest.param("HEAD", "/ping/nightly", 200, "", id="by HEAD"),
        pytest.param("POST", "/ping/nightly/start", 200, "OK", id="start"),
        pytest.param("POST", "/ping/nightly/3", 200, "OK", id="an exit code"),
        pytest.param("GET", "/ping/nightyl", 404, "not found", id="no such job"),
        pytest.param("GET", "/ping/nightly/999", 400, "invalid url format", id="no exit code"),
    ],
)
async def test_a_ping_is_answered_as_healthchecks_does(
    start: Start, method: str, path: str, status: int, text: str
) -> None:
    """Status and words are those that its clients know."""
    async with start() as house:
        answer = await house.client.request(method, path)
        assert (answer.status_code, answer.text[: len(text)]) == (status, text)
        assert answer.headers["ping-body-limit"] == "10000"


async def test_an_acknowledged_ping_is_on_disk(start: Start) -> None:
    """The answer comes after the commit."""
    async with start() as house:
        await house.client.post("/ping/nightly")
        with house.agent.database.read() as tx:
            [job] = tx.heartbeats.all()
        assert job.successes == 1


async def test_a_bad_edit_is_reported_and_what_was_good_goes_on(start: Start) -> None:
    """The caret is in the answer, the metric says so, and the rules stay."""
    async with start() as house:
        good = (house.folder / "tree.yaml").read_text()
        (house.folder / "tree.yaml").write_text(good.replace("above:", "abvoe:"))
        answer = (await house.client.post("/api/reload")).json()
        assert not answer["ok"]
        assert "^^^^^" in answer["text"]
        assert "queue" in {rule["name"] for rule in (await house.client.get("/api/rules")).json()["rules"]}
        assert "sentinel_config_last_reload_successful 0.0" in (await house.client.get("/metrics")).text
        (house.folder / "tree.yaml").write_text(good)
        assert (await house.client.post("/api/reload")).json()["ok"]


async def test_a_rule_that_is_removed_resolves_its_alert(start: Start) -> None:
    """With that reason, in the audit."""
    async with start() as house:
        await house.measure("queue_depth", 60)
        await house.until("it fires", lambda: house.agent.view.alerts)
        (house.folder / "tree.yaml").write_text("notifiers: {people: {console: {}}}\nrules: {}\n")
        assert (await house.client.post("/api/reload")).json()["ok"]
        await house.until("it is over", lambda: not house.agent.view.alerts)
        [newest, *_] = (await house.client.get("/api/audit?kind=transition")).json()["audit"]
        assert (newest["body"]["change"], newest["body"]["reason"]) == ("resolved", "rule removed")


async def test_a_test_message_is_sent_at_once(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    """And an unknown notifier is answered with a near one."""
    async with start() as house:
        assert (await house.client.post("/api/notifiers/people/test")).json()["accepted"]
        answer = await house.client.post("/api/notifiers/poeple/test")
        assert answer.status_code == 404
        assert 'did you mean "people"?' in answer.json()["detail"]
    assert "This is a test" in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        pytest.param("/api/alerts", {}, 401, id="nothing"),
        pytest.param("/api/alerts", {"authorization": "Bearer wrong"}, 401, id="a wrong token"),
        pytest.param("/api/alerts", {"authorization": "Bearer s3cret"}, 200, id="the token"),
        pytest.param("/", {"authorization": "Basic YW5uOnMzY3JldA=="}, 200, id="as a browser gives it"),
        pytest.param("/ping/nightly", {}, 401, id="a ping"),
        pytest.param("/healthz", {}, 200, id="health is open"),
        pytest.param("/api/alerts", {"authorization": "Bearer s3cret", "host": "evil.example"}, 421, id="another name"),
    ],
)
async def test_a_token_that_is_set_is_asked_for(start: Start, path: str, headers: dict[str, str], status: int) -> None:
    """On loopback too, by everything but health."""
    async with start(token="s3cret") as house:
        assert (await house.client.get(path, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="no browser"),
        pytest.param({"origin": "http://127.0.0.1:9160", "sec-fetch-site": "same-origin"}, 200, id="our page"),
        pytest.param({"origin": "https://evil.example"}, 403, id="another origin"),
        pytest.param({"origin": "null", "sec-fetch-site": "same-origin"}, 200, id="our page, by a shy browser"),
        pytest.param({"origin": "null"}, 403, id="nobody knows which"),
        pytest.param({"sec-fetch-site": "cross-site"}, 403, id="another site"),
    ],
)
async def test_another_site_may_change_nothing(start: Start, headers: dict[str, str], status: int) -> None:
    """A page that a person happens to visit can reach their loopback, too."""
    async with start() as house:
        assert (await house.client.post("/api/reload", headers=headers)).status_code == status


async def test_a_form_without_our_token_is_refused(start: Start) -> None:
    """The page's own button carries it."""
    async with start() as house:
        answer = await house.client.post("/forms/deliveries/x/retry", content="token=guess")
        assert answer.status_code == 403


async def _parts() -> AsyncIterator[bytes]:
    for _ in range(20):
        yield b"x" * 100_000


@pytest.mark.parametrize(
    "content", [pytest.param(b"x" * 1_100_000, id="said before"), pytest.param(_parts, id="in parts")]
)
async def test_a_body_that_is_too_large_is_refused(
    start: Start, content: bytes | Callable[[], AsyncIterator[bytes]]
) -> None:
    """Whether it says so before or not."""
    async with start() as house:
        body = content if isinstance(content, bytes) else content()
        assert (await house.client.post("/forms/silence", content=body)).status_code == 413
