"""alertmanager: a real Alertmanager takes what is posted, and amtool shows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.core.clock import SystemClock
from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.labels import Labels
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.notifiers.alertmanager import Alertmanager
from sentinel.notifiers.base import WHY
from sentinel.notifiers.message import Message
from sentinel.notifiers.prometheus_alert import rfc3339, webhook_payload
from tests.e2e.fast import BEGAN as BEGINNING
from tests.e2e.fast import FastAgent
from tests.notifiers.messages import BEGAN, NOW, alert, message
from tests.receivers import Answer
from tests.receivers.alertmanager import INSTALLED, AlertmanagerServer
from tests.receivers.http import HttpReceiver, Request

needs_alertmanager = pytest.mark.skipif(not INSTALLED, reason="needs Debian's prometheus-alertmanager")


class Hook(HttpReceiver):
    """What Alertmanager posts to."""

    def answer(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        """Take it."""
        return 200, {}, {}

    def about(self, rule: str) -> list[dict[str, Any]]:
        """Return the messages about a rule."""
        bodies = [json.loads(request.body) for request in self.requests]
        return [body for body in bodies if body["groupLabels"]["alertname"] == rule]


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with Hook() as made:
        yield made


@pytest.fixture(scope="module")
def peer(hook: Hook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertmanagerServer]:
    with AlertmanagerServer(tmp_path_factory.mktemp("alertmanager"), hook.url) as made:
        yield made


@pytest.fixture
def fake() -> Iterator[Hook]:
    with Hook() as made:
        yield made


def notifier(*urls: str, **more: Any) -> Alertmanager:
    return Alertmanager.model_validate({"url": list(urls), **more})


def now(said: Message, heard: Severity | None = None) -> Message:
    """Return a message as it is sent now, to one who heard of its alerts before at a severity."""
    told = tuple(replace(one, heard=heard) for one in said.facts.alerts)
    return replace(said, facts=replace(said.facts, alerts=told), sent_at=SystemClock().now())


@needs_alertmanager
async def test_alertmanager_has_the_alert_from_its_beginning_to_its_end(peer: AlertmanagerServer) -> None:
    """What amtool shows has every label, and the end is told at once."""
    kind = notifier(f"{peer.url}/", labels={"cluster": "shop"})
    fires, over = (replace(alert("disk-full", over=over), rule_labels={"team": "infra"}) for over in (False, True))
    await kind.send(now(message(fires)))
    shown = json.loads(peer.amtool("alert", "query", "alertname=disk-full", "-o", "json"))
    assert [one["labels"] for one in shown] == [
        {"alertname": "disk-full", "cluster": "shop", "owner": "payments", "severity": "critical", "team": "infra"}
    ]
    assert shown[0]["annotations"]["summary"] == "6.2% of purchases failed in the last 5 minutes"
    await kind.send(now(message(over, reason=Reason.RESOLVED), Severity.CRITICAL))
    assert "disk-full" not in peer.amtool("alert", "query")


@needs_alertmanager
async def test_our_payload_is_alertmanagers_own(peer: AlertmanagerServer, hook: Hook) -> None:
    """Key by key, what it posts about an alert is what `webhook` posts in its format."""
    fires = now(message(alert("queue-too-long", queue="ä\nb"), alert("queue-too-long", queue="c")))
    await notifier(peer.url).send(fires)
    while not hook.about("queue-too-long"):
        await asyncio.sleep(0.01)
    theirs, ours = hook.about("queue-too-long")[0], webhook_payload(fires)
    assert list(theirs) == list(ours)
    for both in (theirs, ours):
        both["alerts"].sort(key=lambda one: one["fingerprint"])
        for stranger in ("receiver", "groupKey", "groupLabels", "externalURL"):
            del both[stranger]
    assert theirs == ours


@needs_alertmanager
async def test_what_rises_is_another_alert_there(peer: AlertmanagerServer) -> None:
    """The severity is a label: the alert at the old one ends."""
    kind = notifier(peer.url)
    await kind.send(now(message(alert("rising", Severity.WARNING))))
    await kind.send(now(message(alert("rising"), reason=Reason.ROSE), Severity.WARNING))
    assert [one["labels"]["severity"] for one in peer.alerts() if one["labels"]["alertname"] == "rising"] == [
        "critical"
    ]
    await kind.send(now(message(alert("rising", over=True), reason=Reason.RESOLVED), Severity.CRITICAL))
    assert not [one for one in peer.alerts() if one["labels"]["alertname"] == "rising"]


async def test_each_alert_has_an_end_that_is_put_off_by_renewals(fake: Hook) -> None:
    """Should Sentinel be gone for good, what it told of does not fire for ever."""
    await notifier(fake.url, renew="2m").send(message(sent_at=NOW))
    [posted] = json.loads(fake.requests[0].body)
    assert (posted["startsAt"], posted["endsAt"]) == (rfc3339(BEGAN), rfc3339(NOW + timedelta(minutes=8)))
    assert notifier(fake.url).renews == timedelta(minutes=5)


async def test_what_goes_to_another_route_ends_here(fake: Hook) -> None:
    """At the severity that Alertmanager knows."""
    said = now(message(alert(severity=Severity.WARNING), reason=Reason.REROUTED), Severity.CRITICAL)
    await notifier(fake.url).send(said)
    [posted] = json.loads(fake.requests[0].body)
    assert said.sent_at
    assert (posted["labels"]["severity"], posted["endsAt"]) == ("critical", rfc3339(said.sent_at))


async def test_an_alert_of_a_rule_file_is_posted_as_prometheus_posts_it(fake: Hook) -> None:
    """Its labels and annotations and no more, however the rule is called here; it starts when it fires."""
    labels = {"alertname": "Down", "instance": "a", "severity": "page"}
    texts = {"message": "a is down", "summary": "a is down", "impact": "nobody can pay"}
    one = replace(
        alert('Down{severity="page"}', texts=texts), labels=Labels.of(labels), since=BEGAN - timedelta(minutes=2)
    )
    await notifier(fake.url).send(now(message(one, reason=Reason.ROSE), Severity.WARNING))
    [posted] = json.loads(fake.requests[0].body)
    assert (posted["labels"], posted["startsAt"]) == (labels, rfc3339(BEGAN))
    asked = {"message": "a is down", "impact": "nobody can pay"}
    assert {name: posted["annotations"].get(name) for name in (*asked, "summary", "reason")} == {
        **asked, "summary": None, "reason": None,
    }  # fmt: skip


async def test_every_member_of_a_pair_is_told_and_one_is_enough(fake: Hook) -> None:
    with Hook() as other:
        kind = notifier(fake.url, other.url)
        assert await kind.send(message()) == {}
        assert len(fake.requests) == len(other.requests) == 1
        other.down()
        receipt = await kind.send(message())
        assert receipt[WHY] == f"not taken by alertmanager: connection refused (127.0.0.1:{other.port})"
        fake.down()
        with pytest.raises(TryAgain, match=f"{fake.port}.*{other.port}") as failed:
            await kind.send(message())
        assert failed.value.sure


@pytest.mark.parametrize(
    ("answer", "kind", "sure"),
    [
        pytest.param(Answer(400, '{"code": 601, "message": "bad"}'), GiveUp, True, id="400"),
        pytest.param(Answer(503), TryAgain, True, id="503"),
        pytest.param(Answer(close=True), TryAgain, False, id="closed without an answer"),
    ],
)
async def test_a_bad_answer_is_judged(fake: Hook, answer: Answer, kind: type[Exception], sure: bool) -> None:
    fake.always = answer
    with pytest.raises(kind) as failed:
        await notifier(fake.url).send(message())
    assert getattr(failed.value, "sure", True) is sure


def test_what_cannot_work_is_refused_when_it_is_read() -> None:
    wrong: list[dict[str, Any]] = [{"url": []}, {"url": "am:9093"}, {"url": "http://a", "labels": {"a-b": "c"}}]
    for given in wrong:
        with pytest.raises(ValidationError):
            Alertmanager.model_validate(given)


TREE = """
probes:
  shop: {scrape: http://127.0.0.1:1/metrics, every: 15s}
rules:
  queue-long: {last: queue_depth, above: 10, severity: critical}
notifiers:
  peer: {alertmanager: {url: http://127.0.0.1:1, renew: 3m}}
  people: {console: {}}
"""


def test_from_the_tree_to_its_renewals(tmp_path: Path) -> None:
    """Every `renew`, until the end; people hear nothing of it."""
    agent = FastAgent(tmp_path)
    agent.write(TREE)
    agent.looks["shop"] = lambda now: {"queue_depth": 20.0 if now < BEGINNING + timedelta(minutes=8) else 1.0}
    agent.start().run(timedelta(minutes=15))
    assert agent.told("peer") == [
        "firing critical queue-long",
        "updated critical queue-long",
        "updated critical queue-long",
        "resolved critical queue-long",
    ]
    assert agent.told("people") == ["firing critical queue-long", "resolved critical queue-long"]
    agent.crash()
