"""sentry: the real SDK's client packs, a server like Sentry's ingest takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sentry_sdk
from pydantic import ValidationError

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.labels import Labels
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.notifiers.base import WHY
from sentinel.notifiers.sentry import Sentry
from sentinel.notifiers.sentry_envelope import project_of
from sentinel.notifiers.sentry_limits import limited_for
from tests.notifiers.messages import alert, message
from tests.receivers import Answer, SentryServer


@pytest.fixture
def sentry() -> Iterator[SentryServer]:
    with SentryServer() as server:
        yield server


def notifier(server: SentryServer, **more: Any) -> Sentry:
    return Sentry.model_validate({"dsn": server.dsn, **more})


async def test_the_event_says_what_is_wrong_and_has_our_key_as_its_id(sentry: SentryServer) -> None:
    said = message(alert(env="production"))
    assert await notifier(sentry, environment="shop").send(said) == {"event_id": said.key}
    event = sentry.events[said.key]
    assert event["level"] == "fatal"
    assert event["message"].startswith("Critical: purchase-failure-rate")
    assert event["environment"] == "shop"
    assert event["server_name"] == "shop-1"
    assert event["tags"]["env"] == "production"
    assert event["contexts"]["alert 1"]["rule at"] == "rules/payments.yaml:3 (abc1234567)"
    assert "threshold: above 5%" in event["extra"]["message"]


async def test_a_repetition_is_one_event(sentry: SentryServer) -> None:
    """The id is the key: Sentry stores the first of two."""
    sentry.once.append(Answer(close=True, takes=True))
    with pytest.raises(TryAgain) as failed:
        await notifier(sentry).send(message())
    assert not failed.value.sure
    await notifier(sentry).send(message(again=True))
    assert (len(sentry.events), sentry.repeated) == (1, 1)


async def test_what_happens_to_one_group_is_one_issue(sentry: SentryServer) -> None:
    first = await notifier(sentry).send(message(alert(severity=Severity.WARNING)))
    await notifier(sentry).send(message(reason=Reason.ROSE, key="2", earlier=first))
    assert len(sentry.issues) == 1
    assert [event["level"] for event in sentry.events.values()] == ["warning", "fatal"]


async def test_the_end_resolves_the_issue_by_the_web_api(sentry: SentryServer) -> None:
    """DESIGN: "`sentry` resolves the issue by Sentry's Web API where `auth_token` and `organization` are set"."""
    kind = notifier(sentry, auth_token="sntrys-test", organization="acme")
    first = await kind.send(message())
    over = message(alert(over=True), reason=Reason.RESOLVED, key="2", earlier=first)
    assert (await kind.send(over))[WHY] == "issue 1000 resolved"
    assert [issue["status"] for issue in sentry.issues.values()] == ["resolved"]
    assert len(sentry.events) == 1


async def test_without_a_token_the_end_is_settled_without_a_request(sentry: SentryServer) -> None:
    """DESIGN: "its resolve is settled as "delivered: Sentry keeps the issue open", without a request"."""
    first = await notifier(sentry).send(message())
    over = message(alert(over=True), reason=Reason.RESOLVED, key="2", earlier=first)
    assert (await notifier(sentry).send(over))[WHY] == "Sentry keeps the issue open"
    assert len(sentry.requests) == 1


async def test_an_event_that_sentry_has_not_stored_yet_is_asked_for_again(sentry: SentryServer) -> None:
    kind = notifier(sentry, auth_token="sntrys-test", organization="acme")
    over = message(alert(over=True), reason=Reason.RESOLVED, earlier={"event_id": "f" * 32})
    with pytest.raises(TryAgain, match="not there"):
        await kind.send(over)


async def test_a_wrong_token_is_for_a_person_to_fix(sentry: SentryServer) -> None:
    kind = notifier(sentry, auth_token="sntrys-wrong", organization="acme")
    over = message(alert(over=True), reason=Reason.RESOLVED, earlier={"event_id": "f" * 32})
    with pytest.raises(GiveUp, match="401: Invalid token") as failed:
        await kind.send(over)
    assert "wrong" not in str(failed.value)


async def test_a_new_value_sends_nothing(sentry: SentryServer) -> None:
    receipt = await notifier(sentry).send(message(reason=Reason.UPDATED, earlier={"event_id": "a"}))
    assert receipt["event_id"] == "a"
    assert not sentry.requests


LIMITS = {"X-Sentry-Rate-Limits": "60:transaction:key, 9:error;default:organization"}


@pytest.mark.parametrize(
    ("answer", "kind", "sure", "after"),
    [
        pytest.param(Answer(429, "", {"Retry-After": "7"}), TryAgain, True, 7, id="429 with Retry-After"),
        pytest.param(Answer(429, ""), TryAgain, True, 60, id="429 without"),
        pytest.param(Answer(429, "", LIMITS), TryAgain, True, 9, id="429 with limits by category"),
        pytest.param(Answer(500), TryAgain, True, 0, id="500"),
        pytest.param(Answer(503, "<html>"), TryAgain, True, 0, id="503 in HTML"),
        pytest.param(Answer(302, "", {"Location": "http://127.0.0.1:1/"}), GiveUp, True, 0, id="302"),
        pytest.param(Answer(400, '{"detail": "bad envelope"}'), GiveUp, True, 0, id="400"),
        pytest.param(Answer(413), GiveUp, True, 0, id="413"),
        pytest.param(Answer(close=True), TryAgain, False, 0, id="closed without an answer"),
        pytest.param(Answer(reset=True), TryAgain, False, 0, id="reset"),
    ],
)
async def test_a_bad_answer_is_judged(
    sentry: SentryServer, answer: Answer, kind: type[Exception], sure: bool, after: float
) -> None:
    """An id from the SDK is no proof of anything; the answer of the server is."""
    sentry.always = answer
    with pytest.raises(kind) as failed:
        await notifier(sentry).send(message())
    if isinstance(failed.value, TryAgain):
        assert (failed.value.sure, failed.value.after) == (sure, after)


async def test_a_server_that_is_down_surely_has_not_taken_it(sentry: SentryServer) -> None:
    sentry.down()
    with pytest.raises(TryAgain, match="refused") as failed:
        await notifier(sentry).send(message())
    assert failed.value.sure


async def test_another_sdk_in_the_process_gives_nothing_and_gets_nothing(sentry: SentryServer) -> None:
    """Tags, user and breadcrumbs of the host stay with the host; its events do not come to us."""
    with SentryServer() as host:
        try:
            sentry_sdk.init(dsn=host.dsn, default_integrations=False, auto_enabling_integrations=False)
            sentry_sdk.set_tag("host", "yes")
            sentry_sdk.set_user({"id": "u1"})
            sentry_sdk.add_breadcrumb(message="crumb")
            before = sentry_sdk.get_client()
            said = message()
            await notifier(sentry).send(said)
            assert sentry_sdk.get_client() is before
            sentry_sdk.capture_message("of the host")
            sentry_sdk.flush(2)
        finally:
            sentry_sdk.get_client().close()
            sentry_sdk.get_global_scope().set_client(None)
        event = sentry.events[said.key]
        assert "host" not in event["tags"]
        assert "user" not in event
        assert "breadcrumbs" not in event
        assert [event["message"] for event in host.events.values()] == ["of the host"]
        assert len(sentry.events) == 1


async def test_tags_stay_within_sentrys_limits(sentry: SentryServer) -> None:
    said = message(replace(alert(), labels=Labels.of({"a" * 60: "x" * 500, "line": "one\ntwo"})))
    await notifier(sentry).send(said)
    tags = sentry.events[said.key]["tags"]
    assert all(len(name) <= 32 and len(value) <= 200 and "\n" not in value for name, value in tags.items())


@pytest.mark.parametrize(
    ("dsn", "envelope_url", "api_url"),
    [
        ("https://k@o1.ingest.sentry.io/123", "https://o1.ingest.sentry.io/api/123/envelope/", "https://sentry.io"),
        (
            "https://k@o1.ingest.de.sentry.io/1",
            "https://o1.ingest.de.sentry.io/api/1/envelope/",
            "https://de.sentry.io",
        ),
        (
            "http://k@sentry.corp:9000/path/7",
            "http://sentry.corp:9000/path/api/7/envelope/",
            "http://sentry.corp:9000/path",
        ),
    ],
)
def test_a_dsn_says_where_things_are(dsn: str, envelope_url: str, api_url: str) -> None:
    assert (project_of(dsn).envelope_url, project_of(dsn).api_url) == (envelope_url, api_url)


@pytest.mark.parametrize("given", [{"dsn": "https://sentry.io"}, {"dsn": "https://k@h/1", "auth_token": "secret"}])
def test_what_cannot_work_is_refused_when_it_is_read(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as failed:
        Sentry.model_validate(given)
    assert "secret" not in str(failed.value)


def test_limits_of_other_categories_are_not_ours() -> None:
    assert limited_for({"x-sentry-rate-limits": "60:transaction:key"}, 200) == 0
    assert limited_for({"x-sentry-rate-limits": "60::organization"}, 200) == 60
    assert limited_for({"x-sentry-rate-limits": "nonsense"}, 429) == 60
    date = {"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    assert limited_for(date, 503) == 30
