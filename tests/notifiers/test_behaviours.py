"""Bad receivers: what becomes of a message, through the real delivery; docs/receivers.md is made from the cases."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.core.notification import Notification, Reason, Settlement
from sentinel.delivery.attempt import attempt
from sentinel.delivery.couriers import Couriers
from sentinel.notifiers import kind as kind_of
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier
from tests.delivery.house import House
from tests.notifiers.conftest import certified
from tests.notifiers.messages import alert
from tests.receivers import Answer, SentryServer, SlackServer, SmtpServer, WebhookServer
from tests.receivers.dribbler import Dribbler
from tests.receivers.http import HttpReceiver, Request

CASES = yaml.safe_load((Path(__file__).parent.parent / "cases" / "receivers.yaml").read_text())
KINDS = ("slack", "slack webhook", "sentry", "webhook", "alertmanager", "email")


class Plain(HttpReceiver):
    """Answers one text, and keeps what it was sent."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.always = Answer(200, text)

    def answer(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        """Never asked: the text is all that it says."""
        raise AssertionError


class Scene:
    """One receiver of each kind, and what a notifier is configured with to reach it."""

    def __init__(self) -> None:
        self.slack, self.sentry, self.webhook, self.mail = SlackServer(), SentryServer(), WebhookServer(), SmtpServer()
        self.simple, self.alertmanager = Plain("ok"), Plain()
        self.http: dict[str, HttpReceiver] = {
            "slack": self.slack,
            "slack webhook": self.simple,
            "sentry": self.sentry,
            "webhook": self.webhook,
            "alertmanager": self.alertmanager,
        }

    def notifier(self, kind: str, address: str = "", *, tls: bool = False) -> Notifier:
        """Return a notifier of a kind that speaks to its receiver, or to another address."""
        host = address or f"127.0.0.1:{self.mail.port if kind == 'email' else self.http[kind].port}"
        url = f"{'https' if tls else 'http'}://{host}"
        given = {
            "slack": {"token": "xoxb-test", "channel": "C0001", "base_url": f"{url}/api/"},
            "slack webhook": {"webhook": f"{url}/services/1"},
            "sentry": {"dsn": f"{url.replace('://', '://publickey@')}/7"},
            "webhook": {"url": f"{url}/alerts"},
            "alertmanager": {"url": url},
            "email": {
                "to": ["a@example.com", "b@example.com", "c@example.com"],
                "from": "sentinel@example.org",
                "smtp": f"smtp://{host}?tls={'tls' if tls else 'none'}",
            },
        }[kind]
        word = kind.partition(" ")[0]
        return Notifier(kind, kind_of(word).model_validate(given), word, fallback="somebody else")

    def behave(self, case: Mapping[str, Any]) -> None:
        """Let the receivers be as the case says."""
        if answer := case.get("http"):
            for server in self.http.values():
                takes = answer.get("takes") and not isinstance(server, Plain)
                server.once.append(Answer(**{**answer, "takes": takes}))
        self.mail.refuse = dict(case.get("smtp", {}))
        self.mail.drop_after_data = "DROP" in self.mail.refuse

    def recover(self) -> None:
        """Let them be well again, also where what they were to do was not reached in time."""
        for server in self.http.values():
            server.once.clear()
        self.mail.refuse, self.mail.drop_after_data = {}, False

    def there(self, kind: str) -> int:
        """Return how many messages people, or programs, see: what is told twice under one identity is one."""
        seen = {
            "slack": lambda: len(self.slack.messages),
            "slack webhook": lambda: len(self.simple.requests),
            "sentry": lambda: len(self.sentry.events),
            "webhook": lambda: len(self.webhook.taken),
            "alertmanager": lambda: len({request.body.split(b"endsAt")[0] for request in self.alertmanager.requests}),
            "email": lambda: len({letter["Message-ID"] for _, letter in self.mail.mails}),
        }
        return seen[kind]()

    def close(self) -> None:
        """End all of them."""
        for server in self.http.values():
            server.down()
        self.mail.down()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["receiver"])
async def test_what_becomes_of_a_message(case: dict[str, Any], scene: Scene, certificate: Path, tmp_path: Path) -> None:
    """Each kind comes to the outcome that stands beside it, and no behaviour of a receiver ends a worker."""
    kinds = [kind for kind in KINDS if kind in case]
    house = House(tmp_path)
    with _elsewhere(case.get("network", ""), scene, certificate) as notifier:
        scene.behave(case)
        rows = {kind: house.owe(alert(n=kind), notifier=kind, group=kind).id for kind in kinds}
        slow = case.get("network") == "dribbles" or case.get("http", {}).get("hang")
        couriers = Couriers(house.write, house.clock, timedelta(seconds=1 if slow else 30))
        await couriers.start({kind: notifier(kind) for kind in kinds}, house.words)
        try:
            await _until(lambda: all(house.row(id_).attempts for id_ in rows.values()))
            found = {kind: _outcome(house, house.row(id_)) for kind, id_ in rows.items()}
            if any("; there" in case[kind] for kind in kinds):
                scene.recover()
                while any((row := house.row(id_)).settlement.open for id_ in rows.values()):
                    if row.settlement is Settlement.WAITING:  # also once more, where the machine was too busy
                        house.pass_time(seconds=2)
                        couriers.wake(row.notifier)
                    await asyncio.sleep(0.02)
                times = {1: "once", 2: "twice"}
                found = {kind: f"{said}; there {times[scene.there(kind)]}" for kind, said in found.items()}
        finally:
            await couriers.stop(timedelta(seconds=5))
            house.database.close()
    assert found == {kind: case[kind] for kind in kinds}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_crash_between_the_answer_and_its_commit_tells_nobody_twice(
    kind: str, scene: Scene, tmp_path: Path
) -> None:
    """Where the receiver can tell: Slack's message is found by its key, an event, a mail, a webhook has one id.

    What follows knows what went before it: the receipt of the second attempt is as good as that of the first.
    """
    house, notifier = House(tmp_path), scene.notifier(kind)
    try:
        house.owe(notifier=kind)
        unheard = house.lease(notifier)
        assert unheard.message
        assert (await attempt(notifier, unheard.message, house.clock)).accepted
        house.reclaim()
        heard = house.lease(notifier)
        assert heard.message
        assert heard.message.again
        result = await attempt(notifier, heard.message, house.clock)
        receipt: dict[str, Any] = {**(result.receipt or {})}
        house.settle(notifier, heard, **receipt)
        assert scene.there(kind) == (2 if kind == "slack webhook" else 1)
        house.owe(notifier=kind, reason=Reason.REMINDER)
        follows = house.lease(notifier)
        assert follows.message
        assert follows.message.earlier == receipt
        assert (await attempt(notifier, follows.message, house.clock)).accepted
        assert len(scene.slack.parents) == (kind == "slack")
    finally:
        house.database.close()


@contextlib.contextmanager
def _elsewhere(network: str, scene: Scene, certificate: Path) -> Iterator[Callable[[str], Notifier]]:
    """Yield how a notifier is made where the network is so."""
    with contextlib.ExitStack() as stack:
        if network == "down":
            scene.close()
        elif network == "untrusted":
            web = stack.enter_context(WebhookServer(tls=certified(certificate)))
            mail = stack.enter_context(SmtpServer(certified(certificate), implicit=True))
            ports = {"email": mail.port}
            yield lambda kind: scene.notifier(kind, f"127.0.0.1:{ports.get(kind, web.port)}", tls=True)
            return
        elif network == "dribbles":
            web_slow = stack.enter_context(Dribbler("HTTP/1.1 200 OK\r\nX-Padding: "))
            mail_slow = stack.enter_context(Dribbler("220-"))
            yield lambda kind: scene.notifier(kind, (mail_slow if kind == "email" else web_slow).address)
            return
        elif network == "no name":
            yield lambda kind: scene.notifier(kind, "nobody.invalid:80")
            return
        yield scene.notifier


def _outcome(house: House, row: Notification) -> str:
    """Return what became of a message after one attempt, in the words of the page."""
    if row.settlement is Settlement.DELIVERED:
        return "delivered, with a note" if row.why else "delivered"
    if row.settlement is Settlement.DEAD:
        assert house.row(f"{row.id}>somebody else").settlement is Settlement.WAITING, "the fallback is owed it"
        return "dead"
    assert row.next_at
    seconds = (row.next_at - house.now).total_seconds()
    after = f" after {seconds:.0f} s" if seconds > 1.5 else ""
    if not row.sealed:
        return f"again{after}"
    return f"again{after}, {'the rest' if Message.unseal(row.content).done else 'unchanged'}"


async def _until(holds: Callable[[], bool]) -> None:
    """Wait until something is so; the test's own time-out ends it."""
    while not holds():
        await asyncio.sleep(0.005)
