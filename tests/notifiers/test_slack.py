"""slack: the real slack_sdk against a server that speaks Slack's Web API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError
from slack_sdk.models.blocks import SectionBlock

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.notifiers.message import Message
from sentinel.notifiers.slack import Slack
from sentinel.notifiers.slack_bot import HOPELESS
from tests.notifiers.messages import alert, message
from tests.receivers import OK, Answer, SlackServer, WebhookServer
from tests.receivers.slack import complaint_of, error


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


def notifier(server: SlackServer, **more: Any) -> Slack:
    return Slack.model_validate({"token": "xoxb-test", "channel": "#oncall", "base_url": server.base_url, **more})


def said(*args: Any, **more: Any) -> Message:
    return message(*args, markup="mrkdwn", **more)


async def test_a_first_message_is_posted_and_its_receipt_names_channel_id_and_ts(slack: SlackServer) -> None:
    """Slack wants the id for an update, not the name."""
    receipt = await notifier(slack).send(said())
    assert receipt == {"channel": "C0001", "ts": slack.messages[0]["ts"], "to": "#oncall"}
    posted = slack.messages[0]
    assert posted["text"].startswith("🔴 Critical: purchase-failure-rate")
    text = str(posted["attachments"][0]["blocks"])
    for part in ("6.2%", "above 5%", "02:10 UTC", "Runbook", "rules/payments.yaml:3 (abc1234567)", "shop-1"):
        assert part in text
    assert posted["metadata"]["event_payload"]["key"] == said().key


async def test_what_follows_updates_the_message_and_stands_in_its_thread(slack: SlackServer) -> None:
    """One message per incident, with its history below it."""
    first = await notifier(slack).send(said(alert(severity=Severity.WARNING)))
    risen = await notifier(slack).send(said(reason=Reason.ROSE, key="2", earlier=first))
    over = await notifier(slack).send(said(alert(over=True), reason=Reason.RESOLVED, key="3", earlier=risen))
    assert first == risen == over
    assert [parent["edits"] for parent in slack.parents] == [2]
    assert slack.parents[0]["text"].startswith("✅ Resolved")
    assert slack.parents[0]["attachments"][0]["color"] == "#2e7d32"
    assert [reply["reply_broadcast"] for reply in slack.replies] == [True, False]


async def test_a_new_value_changes_the_message_and_calls_nobody(slack: SlackServer) -> None:
    """`quiet`: no reply in the thread."""
    first = await notifier(slack).send(said())
    await notifier(slack).send(said(reason=Reason.UPDATED, key="2", earlier=first))
    assert (len(slack.parents), len(slack.replies), slack.parents[0]["edits"]) == (1, 0, 1)


@pytest.mark.parametrize("word", ["message_not_found", "cant_update_message", "edit_window_closed", "is_archived"])
async def test_a_fresh_message_is_posted_where_the_earlier_one_is_gone(slack: SlackServer, word: str) -> None:
    """Whoever deletes a message does not silence its alert."""
    first = await notifier(slack).send(said())
    slack.once.append(error(word))
    second = await notifier(slack).send(said(reason=Reason.ROSE, key="2", earlier=first))
    assert second["ts"] != first["ts"]
    assert len(slack.parents) == 2


async def test_another_channel_in_the_configuration_gets_a_fresh_message(slack: SlackServer) -> None:
    first = await notifier(slack).send(said())
    second = await notifier(slack, channel="#payments").send(said(reason=Reason.ROSE, key="2", earlier=first))
    assert second["channel"] == "C0002"


async def test_a_reply_that_failed_is_repeated_without_the_update(slack: SlackServer) -> None:
    """`done` says that the message above was changed already."""
    first = await notifier(slack).send(said())
    slack.once.extend([OK, Answer(status=503, body="<html>")])
    with pytest.raises(TryAgain) as failed:
        await notifier(slack).send(said(reason=Reason.ROSE, key="2", earlier=first))
    assert not failed.value.sure
    repeated = said(reason=Reason.ROSE, key="2", earlier=first, done=failed.value.done, again=True)
    await notifier(slack).send(repeated)
    assert (slack.parents[0]["edits"], len(slack.replies)) == (1, 1)


@pytest.mark.parametrize("channel", ["C0001", "#oncall"])
async def test_a_message_whose_acceptance_was_not_heard_is_found_by_its_key(slack: SlackServer, channel: str) -> None:
    """A crash between answer and commit makes no second message."""
    kind = notifier(slack, channel=channel)
    slack.once.append(Answer(close=True, takes=True))
    with pytest.raises(TryAgain) as failed:
        await kind.send(said())
    assert not failed.value.sure
    receipt = await kind.send(said(again=True))
    assert len(slack.messages) == 1
    assert receipt["ts"] == slack.messages[0]["ts"]


async def test_a_reply_whose_acceptance_was_not_heard_is_found_in_the_thread(slack: SlackServer) -> None:
    first = await notifier(slack).send(said())
    slack.once.extend([OK, Answer(close=True, takes=True)])
    with pytest.raises(TryAgain) as failed:
        await notifier(slack).send(said(reason=Reason.ROSE, key="2", earlier=first))
    repeated = said(reason=Reason.ROSE, key="2", earlier=first, done=failed.value.done, again=True)
    assert await notifier(slack).send(repeated) == first
    assert (slack.parents[0]["edits"], len(slack.replies)) == (1, 1)


async def test_a_fresh_message_in_the_stead_of_a_deleted_one_is_found_too(slack: SlackServer) -> None:
    """It was posted, nobody heard so, and the thread that it belongs to is gone."""
    first = await notifier(slack).send(said())
    slack.messages.clear()
    slack.once.extend([OK, Answer(close=True, takes=True)])
    with pytest.raises(TryAgain):
        await notifier(slack).send(said(reason=Reason.ROSE, key="2", earlier=first))
    receipt = await notifier(slack).send(said(reason=Reason.ROSE, key="2", earlier=first, again=True))
    assert [parent["ts"] for parent in slack.parents] == [receipt["ts"]]


async def test_a_channel_that_cannot_be_read_is_told_twice_rather_than_not_at_all(slack: SlackServer) -> None:
    """A bot with `chat:write` alone."""
    slack.once.append(Answer(close=True, takes=True))
    with pytest.raises(TryAgain):
        await notifier(slack).send(said())
    slack.once.append(error("missing_scope"))
    await notifier(slack).send(said(again=True))
    assert len(slack.parents) == 2


def webhook(server: SlackServer, **more: Any) -> Slack:
    return Slack.model_validate({"webhook": f"{server.url}/services/T0/B0/s3cret", **more})


async def test_an_incoming_webhook_posts_each_message_by_itself(slack: SlackServer) -> None:
    """It can change nothing, so a new value is none."""
    slack.always = Answer(200, "ok")
    kind = webhook(slack)
    assert not kind.edits
    for reason in (Reason.FIRING, Reason.UPDATED, Reason.REMINDER):
        await kind.send(said(reason=reason))
    posted = [json.loads(request.body) for request in slack.requests]
    assert [one["text"].split()[1] for one in posted] == ["Critical:", "Still"]
    assert complaint_of(posted[0]) == ""


@pytest.mark.parametrize(
    ("answer", "kind", "sure"),
    [
        pytest.param(Answer(400, "invalid_payload"), GiveUp, True, id="invalid_payload"),
        pytest.param(Answer(403, "action_prohibited"), GiveUp, True, id="action_prohibited"),
        pytest.param(Answer(404, "no_service"), GiveUp, True, id="no_service"),
        pytest.param(Answer(410, "channel_is_archived"), GiveUp, True, id="channel_is_archived"),
        pytest.param(Answer(500, "rollup_error"), TryAgain, True, id="rollup_error"),
        pytest.param(Answer(429, "", {"Retry-After": "30"}), TryAgain, True, id="429"),
        pytest.param(Answer(200, "<html>login</html>"), TryAgain, False, id="200 in HTML"),
    ],
)
async def test_a_webhooks_word_is_judged(slack: SlackServer, answer: Answer, kind: type[Exception], sure: bool) -> None:
    slack.always = answer
    with pytest.raises(kind, match=answer.body if answer.body.isidentifier() else "slack: ") as failed:
        await webhook(slack).send(said())
    assert getattr(failed.value, "sure", True) is sure
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize(
    "given",
    [{}, {"token": "t"}, {"channel": "#a"}, {"webhook": "https://h/s3cret", "channel": "#a"}, {"webhook": "s3cret"}],
)
def test_a_bot_or_a_webhook_and_not_both(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as failed:
        Slack.model_validate(given)
    assert "s3cret" not in str(failed.value)


BAD = [
    pytest.param(error("ratelimited", 7), TryAgain, True, 7.0, id="429 with Retry-After"),
    pytest.param(Answer(429, "slow"), TryAgain, True, 0.0, id="429 without"),
    pytest.param(Answer(500, "oops"), TryAgain, True, 0.0, id="500"),
    pytest.param(Answer(503, "<html>busy</html>"), TryAgain, True, 0.0, id="503 in HTML"),
    pytest.param(Answer(200, "<html>login</html>"), TryAgain, False, 0.0, id="200 in HTML"),
    pytest.param(Answer(200, ""), TryAgain, False, 0.0, id="200 with nothing"),
    pytest.param(Answer(200, '{"ok": true}'), TryAgain, False, 0.0, id="ok without ts"),
    pytest.param(Answer(200, "[]"), TryAgain, False, 0.0, id="200 with a list"),
    pytest.param(Answer(400, "invalid_payload"), GiveUp, True, 0.0, id="400"),
    pytest.param(Answer(404, "no_team"), GiveUp, True, 0.0, id="404"),
    pytest.param(Answer(408, ""), TryAgain, True, 0.0, id="408"),
    pytest.param(error("internal_error"), TryAgain, True, 0.0, id="ok:false that passes"),
    pytest.param(error("never_heard_of"), TryAgain, True, 0.0, id="ok:false unknown"),
    pytest.param(Answer(close=True), TryAgain, False, 0.0, id="closed without an answer"),
    pytest.param(Answer(reset=True), TryAgain, False, 0.0, id="reset"),
    *[pytest.param(error(word), GiveUp, True, 0.0, id=f"ok:false {word}") for word in sorted(HOPELESS)[::6]],
]


@pytest.mark.parametrize(("answer", "kind", "sure", "after"), BAD)
async def test_a_bad_answer_is_judged(
    slack: SlackServer, answer: Answer, kind: type[Exception], sure: bool, after: float
) -> None:
    """Passing or for good, surely refused or unknown, and when to ask again."""
    slack.always = answer
    with pytest.raises(kind) as failed:
        await notifier(slack).send(said())
    assert "slack: " in str(failed.value)
    assert "xoxb" not in str(failed.value)
    if isinstance(failed.value, TryAgain):
        assert (failed.value.sure, failed.value.after) == (sure, after)


async def test_a_server_that_is_down_surely_has_not_taken_it(slack: SlackServer) -> None:
    slack.down()
    with pytest.raises(TryAgain, match="refused") as failed:
        await notifier(slack).send(said())
    assert failed.value.sure


async def test_a_wrong_token_is_for_a_person_to_fix(slack: SlackServer) -> None:
    with pytest.raises(GiveUp, match="invalid_auth"):
        await notifier(slack, token="xoxb-other").send(said())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_the_token_goes_to_nobody_whom_a_redirect_names(slack: SlackServer, status: int) -> None:
    """Neither of a POST nor of a GET, which asks for what was said before."""
    with WebhookServer() as other:
        away = Answer(status, "", {"Location": f"{other.url}/api/chat.postMessage"})
        for repeated in (False, True):
            slack.always = away
            with pytest.raises(GiveUp, match=f"HTTP {status}"):
                await notifier(slack, channel="C0001").send(replace(said(), again=repeated))
    assert other.requests == []


async def test_no_text_of_ours_mentions_a_channel_or_forges_a_link(slack: SlackServer) -> None:
    """Label values and summaries come from outside."""
    evil = {"summary": "<!channel> <https://evil.example|Runbook> &amp;", "runbook": "javascript:alert(1)"}
    await notifier(slack).send(said(alert(texts=evil, path="<!here>")))
    whole = str(slack.messages[0])
    assert "<!" not in whole
    assert "<https://evil" not in whole
    assert "<javascript" not in whole
    assert "&lt;!channel&gt;" in whole


@pytest.mark.parametrize("count", [1, 11, 300])
@pytest.mark.parametrize("length", [10, 4000])
async def test_however_much_there_is_to_say_slack_takes_it(slack: SlackServer, count: int, length: int) -> None:
    """The server refuses what is beyond Slack's limits, and Slack's own models check each block."""
    many = [
        alert(texts={"summary": "&<x>" * (length // 4), "description": "d\n\n" * 50}, n=str(n)) for n in range(count)
    ]
    await notifier(slack).send(said(*many, others=tuple(alert("other", n=str(n)) for n in range(count))))
    for block in slack.messages[0]["attachments"][0]["blocks"]:
        if block["type"] == "section":
            SectionBlock(text=block["text"]["text"]).validate_json()
