"""webhook: a real HTTP server verifies what it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import certifi
import pytest
from pydantic import ValidationError

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.delivery.facts import digest_of
from sentinel.notifiers.base import WHY
from sentinel.notifiers.signature import signed
from sentinel.notifiers.webhook import Webhook
from tests.notifiers.conftest import certified
from tests.notifiers.messages import NOW, alert, message
from tests.receivers import Answer, WebhookServer

CRITICAL = Severity.CRITICAL
SECRET, OLD = (f"whsec_{letter * 32}" for letter in "Ab")


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    with WebhookServer() as made:
        yield made


def notifier(server: WebhookServer, **more: Any) -> Webhook:
    return Webhook.model_validate({"url": f"{server.url}/alerts", **more})


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of Standard Webhooks' own libraries."""
    at = datetime.fromtimestamp(1614265330, UTC)
    made = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    )
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


async def test_its_own_format_says_what_is_known(server: WebhookServer) -> None:
    said = message(alert(queue="orders"), others=(alert("other", Severity.WARNING),))
    assert await notifier(server).send(said) == {}
    [body] = server.bodies
    assert (body["version"], body["type"], body["timestamp"]) == (1, "alert.firing", "2026-01-01T02:15:00Z")
    data = body["data"]
    assert {name: data[name] for name in ("key", "severity", "resolved", "route", "group")} == {
        "key": said.key,
        "severity": "critical",
        "resolved": False,
        "route": "pages",
        "group": {"rule": "purchase-failure-rate"},
    }
    first, other = data["alerts"]
    assert (first["rule"], first["labels"], first["value"], first["since"], first["ended_at"], first["news"]) == (
        "purchase-failure-rate", {"queue": "orders"}, "6.2%", "2026-01-01T02:10:00Z", None, True,
    )  # fmt: skip
    assert (first["file"], first["line"], first["author"]) == ("rules/payments.yaml", 3, "jane")
    assert (other["rule"], other["news"]) == ("other", False)


async def test_a_receiver_can_verify_who_speaks(server: WebhookServer) -> None:
    """Also with the old secret, while the two are changed."""
    server.secret = OLD
    await notifier(server, secret=[SECRET, OLD]).send(message())
    with pytest.raises(GiveUp, match=r"401: .*signature does not match"):
        await notifier(server, secret=SECRET).send(message(key="2"))
    assert len(server.taken) == 1


async def test_a_repetition_has_the_same_id_and_body_and_the_time_of_its_attempt(server: WebhookServer) -> None:
    server.once.append(Answer(close=True, takes=True))
    kind = notifier(server, secret=SECRET)
    with pytest.raises(TryAgain) as failed:
        await kind.send(message(sent_at=NOW))
    assert not failed.value.sure
    await kind.send(message(sent_at=NOW.replace(minute=16), again=True))
    assert (len(server.taken), server.repeated) == (1, 1)
    first, second = server.requests
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 60


async def test_alertmanagers_format_is_its_payload_of_version_4(server: WebhookServer) -> None:
    over = replace(alert("disk-full", over=True, host="b"), rule_labels={"team": "infra"})
    await notifier(server, format="alertmanager").send(message(alert("disk-full", host="a"), over))
    [body] = server.bodies
    assert list(body) == [
        "receiver", "status", "alerts", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "version",
        "groupKey", "truncatedAlerts",
    ]  # fmt: skip
    assert (body["status"], body["version"], body["groupKey"], body["truncatedAlerts"]) == ("firing", "4", "pages{}", 0)
    assert body["groupLabels"] == {"alertname": "purchase-failure-rate"}
    assert body["commonLabels"] == {"alertname": "disk-full", "owner": "payments", "severity": "critical"}
    firing, resolved = body["alerts"]
    assert (firing["status"], firing["startsAt"], firing["endsAt"]) == (
        "firing", "2026-01-01T02:10:00Z", "0001-01-01T00:00:00Z",
    )  # fmt: skip
    assert (resolved["status"], resolved["endsAt"], resolved["labels"]["team"]) == (
        "resolved", "2026-01-01T02:15:00Z", "infra",
    )  # fmt: skip
    assert firing["annotations"]["runbook_url"] == "https://runbooks.example.com/purchases?a=1&b=2"


async def test_a_body_of_ones_own_is_filled_in(server: WebhookServer) -> None:
    """What PagerDuty wants, for one."""
    body = '{"event_action": "{{ "resolve" if resolved else "trigger" }}", "dedup_key": {{ group_key | tojson }}}'
    await notifier(server, body=body, method="PUT", headers={"X-Team": "a"}).send(message())
    await notifier(server, body=body).send(message(alert(over=True), reason=Reason.RESOLVED, key="2"))
    assert [one["event_action"] for one in server.bodies] == ["trigger", "resolve"]
    assert (server.requests[0].method, server.requests[0].headers["X-Team"]) == ("PUT", "a")


async def test_text_need_not_be_json(server: WebhookServer) -> None:
    await notifier(server, body="{{ title }}", headers={"Content-Type": "text/plain"}).send(message())
    assert server.bodies[0].startswith("Critical: purchase-failure-rate")


async def test_a_fall_is_posted_in_sentinels_format_only(server: WebhookServer) -> None:
    """In a chat it would be one more message."""
    fall = message(reason=Reason.UPDATED)
    assert (await notifier(server, body="{}").send(fall))[WHY]
    assert (await notifier(server, format="alertmanager").send(fall))[WHY]
    assert not server.requests
    await notifier(server).send(fall)
    assert server.bodies[0]["type"] == "alert.updated"


async def test_a_login_goes_with_it(server: WebhookServer) -> None:
    await notifier(server, auth={"basic": {"username": "u", "password": "p"}}).send(message())
    await notifier(server, auth={"bearer": "t0ken"}).send(message(key="2"))
    with_user = server.url.replace("://", "://v:p@")
    await notifier(server, url=with_user).send(message(key="3"))
    await notifier(server, url=with_user, auth={"bearer": "t0ken"}).send(message(key="4"))
    logins = ["Basic dTpw", "Bearer t0ken", "Basic djpw", "Bearer t0ken"]
    assert [one.headers["Authorization"] for one in server.requests] == logins


async def test_a_burst_goes_over_one_connection(server: WebhookServer) -> None:
    server.keeps = True
    async with notifier(server).ready() as send:
        for number in range(5):
            await send(message(key=str(number)))
    assert (len(server.taken), server.connections) == (5, 1)


@pytest.mark.parametrize(
    ("answer", "kind", "sure", "after"),
    [
        pytest.param(Answer(500, "oops"), TryAgain, True, 0, id="500"),
        pytest.param(Answer(429, "", {"Retry-After": "7"}), TryAgain, True, 7, id="429 with Retry-After"),
        pytest.param(Answer(308, "", {"Location": "http://127.0.0.1:1/"}), GiveUp, True, 0, id="308"),
        pytest.param(Answer(410, "no longer"), GiveUp, True, 0, id="410"),
        pytest.param(Answer(reset=True), TryAgain, False, 0, id="reset"),
    ],
)
async def test_a_bad_answer_is_judged(
    server: WebhookServer, answer: Answer, kind: type[Exception], sure: bool, after: float
) -> None:
    server.always = answer
    with pytest.raises(kind, match=r"webhook: 127\.0\.0\.1: ") as failed:
        await notifier(server).send(message())
    if isinstance(failed.value, TryAgain):
        assert (failed.value.sure, failed.value.after) == (sure, after)


async def test_nothing_secret_is_in_an_error_though_the_receiver_repeats_it(server: WebhookServer) -> None:
    server.always = Answer(403, "no Bearer s3cret-token here, nor /alerts-s3cret?key=s3cret-key")
    kind = Webhook.model_validate(
        {"url": f"{server.url}/alerts-s3cret?key=s3cret-key", "auth": {"bearer": "s3cret-token"}}
    )
    with pytest.raises(GiveUp) as failed:
        await kind.send(message())
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "hooks.example.com/s3cret"}, "should be a URL"),
        ({"url": "https://u:s3cret@h:port/"}, "should be a URL"),
        ({"secret": "s3cret"}, "openssl rand"),
        ({"secret": "whsec_czNjcmV0"}, "24 to 64 bytes"),
        ({"body": "{{ titel }}"}, "'titel' is undefined; it may use key, agent"),
        ({"body": '{"text": "{{ title }}"}'}, "body: makes no JSON: .*write texts as {{ title | tojson }}"),
        ({"body": '{"text": {{ ended }}}'}, "ended"),
        ({"body": "{}", "format": "sentinel"}, "exclude each other"),
        ({"timeout": "1m"}, "at most 30s"),
        ({"auth": {}}, "exactly one of basic and bearer"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_read(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as failed:
        Webhook.model_validate({"url": "https://hooks.example.com/", **given})
    assert "s3cret" not in str(failed.value)


async def test_a_file_of_certificates_that_is_none_is_for_a_person_to_fix() -> None:
    kind = Webhook.model_validate({"url": "https://127.0.0.1:1/", "tls": {"ca": "/nowhere/ca.pem"}})
    with pytest.raises(GiveUp, match=r"webhook: 127\.0\.0\.1: .*/nowhere/ca\.pem"):
        await kind.send(message())


async def test_a_file_of_certificates_that_was_renewed_counts_at_once(certificate: Path, tmp_path: Path) -> None:
    """Also on connections that are held: nobody restarts an agent for a certificate."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Path(certifi.where()).read_bytes())
    with WebhookServer(tls=certified(certificate)) as server:
        async with notifier(server, tls={"ca": str(ca)}).ready() as send:
            with pytest.raises(TryAgain, match="not trusted"):
                await send(message())
            ca.write_bytes(certificate.read_bytes())
            await send(message())
        assert len(server.taken) == 1


async def test_a_digest_names_its_groups(server: WebhookServer) -> None:
    """It has no group of its own."""
    one, other = (message(alert(rule, severity)).facts for rule, severity in (("a", CRITICAL), ("b", Severity.WARNING)))
    digest = replace(message(reason=Reason.DIGEST), facts=digest_of([one, other]))
    await notifier(server).send(digest)
    data = server.bodies[0]["data"]
    assert (data["group_key"], len(data["alerts"])) == ("", 2)
    assert [(group["group_key"], group["severity"], group["firing"]) for group in data["groups"]] == [
        ("pages{}", "critical", 1),
        ("pages{}", "warning", 1),
    ]


async def test_its_own_format_is_json_of_plain_values(server: WebhookServer) -> None:
    """A test message has no alert, and is one all the same."""
    await notifier(server).send(message(reason=Reason.TEST))
    assert server.bodies[0]["type"] == "alert.test"
    assert json.loads(server.requests[0].body)["data"]["alerts"] == []
