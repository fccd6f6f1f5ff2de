"""The workers, with a real database and real receivers where the network is the point."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.core.clock import SystemClock
from sentinel.core.errors import StoreUnavailable, TryAgain
from sentinel.core.notification import Settlement
from sentinel.delivery.breaker import Circuit
from sentinel.delivery.couriers import Couriers
from sentinel.notifiers.notifier import Notifier
from sentinel.notifiers.sentry import Sentry
from sentinel.notifiers.slack import Slack
from tests.delivery.house import House, Scripted
from tests.notifiers.messages import alert
from tests.receivers import Answer, SentryServer, SlackServer


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so; the test's own time-out ends it."""
    while not holds():
        await asyncio.sleep(0.005)


def settled(house: House, *ids: str) -> Callable[[], bool]:
    """Return whether these are delivered."""
    return lambda: set(ids) <= {row.id for row in house.rows() if row.settlement is Settlement.DELIVERED}


@contextlib.asynccontextmanager
async def working(house: House, *notifiers: Notifier, timeout: float = 5) -> AsyncIterator[Couriers]:
    couriers = Couriers(house.write, house.clock, timedelta(seconds=timeout))
    await couriers.start({notifier.name: notifier for notifier in notifiers}, house.words)
    try:
        yield couriers
    finally:
        await couriers.stop(timedelta(seconds=5))


def scripted(notifier: Notifier) -> Scripted:
    assert isinstance(notifier.kind, Scripted)
    return notifier.kind


async def test_what_is_owed_at_the_start_is_sent(house: House) -> None:
    row = house.owe()
    async with working(house, house.notifier()):
        await until(settled(house, row.id))


async def test_a_worker_sleeps_until_its_own_debts_change(house: House) -> None:
    """An agent commits all the time; a worker asks the desk only when it is its own business."""
    slack, mail = house.notifier(), house.notifier("mail")
    async with working(house, slack, mail) as couriers:
        await asyncio.sleep(0.05)
        row = house.owe()
        couriers.look([row])
        await until(settled(house, row.id))
        assert scripted(mail).heard == []
        woken: list[str] = []
        couriers.wake = woken.append  # type: ignore[method-assign, assignment]
        couriers.look([row])
        couriers.look([row])
        assert woken == []


async def test_a_retry_comes_when_it_is_due_and_not_before(house: House) -> None:
    row, slack = house.owe(), house.notifier()
    scripted(slack).script.append(TryAgain("500"))
    async with working(house, slack) as couriers:
        await until(lambda: house.row(row.id).tries == 1)
        couriers.wake("slack")
        await asyncio.sleep(0.05)
        assert len(scripted(slack).heard) == 1
        house.pass_time(seconds=2)
        couriers.wake("slack")
        await until(settled(house, row.id))


async def test_a_slow_receiver_delays_no_other(house: House) -> None:
    """DESIGN: "One slow receiver delays no other.", be it for ever."""
    slow, quick = house.notifier("slow"), house.notifier("quick")
    never = asyncio.Event()

    async def hang() -> None:
        await never.wait()

    scripted(slow).hold(hang)
    house.owe(notifier="slow")
    rows = [house.owe(alert(n=str(n)), notifier="quick", group=str(n)) for n in range(20)]
    async with working(house, slow, quick):
        await until(settled(house, *(row.id for row in rows)))
        never.set()


async def test_a_receiver_that_hangs_is_left_after_its_time(house: House) -> None:
    """Nobody knows whether it took the message: words and key are kept."""
    row, slack = house.owe(), house.notifier()
    scripted(slack).hold(asyncio.Event().wait)  # type: ignore[arg-type]
    async with working(house, slack, timeout=0.05):
        await until(lambda: house.row(row.id).tries == 1)
        assert house.row(row.id).sealed
        assert house.row(row.id).attempts[0].error == "no answer within 0.05 s"


async def test_a_mistake_in_a_notifier_is_one_dead_letter_and_not_the_end(house: House) -> None:
    bad, good = house.owe(group="a"), house.owe(alert(n="2"), group="b")
    slack = house.notifier()
    scripted(slack).script.append(ZeroDivisionError("secret"))
    async with working(house, slack):
        await until(settled(house, good.id))
    assert house.row(bad.id).why == "the notifier itself failed: ZeroDivisionError"


async def test_a_database_that_refuses_does_not_lose_the_answer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver took it; that is written down as soon as it can be, and nothing is sent again."""
    monkeypatch.setattr("sentinel.delivery.deliver._STORE_WAIT", timedelta(milliseconds=5))
    row, slack = house.owe(), house.notifier()
    writing, failures = house.write, [2]

    async def write(work: object) -> object:
        if house.row(row.id).settlement is Settlement.SENDING and failures[0]:
            failures[0] -= 1
            raise StoreUnavailable("disk full")
        return await writing(work)  # type: ignore[arg-type]

    house.write = write  # type: ignore[assignment, method-assign]
    async with working(house, slack):
        await until(settled(house, row.id))
    assert len(scripted(slack).heard) == 1


async def test_stopping_finishes_what_is_being_sent(house: House) -> None:
    row, slack = house.owe(), house.notifier()
    going = asyncio.Event()

    async def a_moment() -> None:
        going.set()
        await asyncio.sleep(0.05)

    scripted(slack).hold(a_moment)
    async with working(house, slack):
        await going.wait()
    assert house.row(row.id).settlement is Settlement.DELIVERED


async def test_stopping_leaves_what_takes_too_long_to_the_next_start(house: House) -> None:
    row, slack = house.owe(), house.notifier()
    scripted(slack).hold(asyncio.Event().wait)  # type: ignore[arg-type]
    couriers = Couriers(house.write, house.clock)
    await couriers.start({"slack": slack}, house.words)
    await until(lambda: bool(scripted(slack).heard))
    await couriers.stop(timedelta(seconds=0.05))
    assert house.row(row.id).settlement is Settlement.SENDING
    scripted(slack).hold(None)
    async with working(house, slack):
        await until(settled(house, row.id))
    assert len({message.key for message in scripted(slack).heard}) == 1


async def test_the_circuit_opens_and_one_accepted_trial_releases_all(house: House) -> None:
    slack = house.notifier()
    rows = [house.owe(alert(n=str(n)), group=str(n)) for n in range(6)]
    scripted(slack).script.extend(TryAgain("503") for _ in range(6 + 3))  # all six at once, then one by one
    async with working(house, slack) as couriers:
        for refusals in range(1, 5):
            await until(lambda refusals=refusals: couriers.status()["slack"].refusals == refusals)  # type: ignore[misc]
            house.pass_time(seconds=2 if refusals < 4 else 0)
            couriers.wake("slack")
        assert couriers.status()["slack"].circuit is Circuit.OPEN
        assert couriers.status()["slack"].last_error == "503"
        house.pass_time(seconds=15)
        couriers.wake("slack")
        await until(settled(house, *(row.id for row in rows)))
        assert couriers.status()["slack"].circuit is Circuit.CLOSED
        assert couriers.status()["slack"].accepted == 6


async def test_a_critical_message_behind_one_that_hangs_goes_to_the_fallback(house: House) -> None:
    """Not even a send that is going on is waited for."""
    slack, mail = house.notifier(fallback="mail"), house.notifier("mail")
    scripted(slack).hold(asyncio.Event().wait)  # type: ignore[arg-type]
    row = house.owe(due_at=house.now - timedelta(seconds=59.9))
    async with working(house, slack, mail, timeout=3) as couriers:
        await until(lambda: bool(scripted(slack).heard))
        house.pass_time(seconds=1)
        await until(settled(house, f"{row.id}>mail"))
        assert house.row(row.id).settlement is Settlement.SENDING
        await couriers.stop(timedelta())


async def test_a_reload_changes_a_notifier_between_two_messages(house: House) -> None:
    before, after, other = house.notifier(), house.notifier(), house.notifier("other")
    first = house.owe()
    async with working(house, before, other) as couriers:
        await until(settled(house, first.id))
        couriers.follow({"slack": after}, house.words)
        second = house.owe(alert(n="2"), group="h")
        couriers.look([second])
        await until(settled(house, second.id))
        assert (len(scripted(before).heard), len(scripted(after).heard)) == (1, 1)
        assert list(couriers.status()) == ["slack"]


async def test_real_receivers_that_fail_for_a_while_hear_all_of_it_once_and_in_order(house: House) -> None:
    """500, 429, a hang that was taken, a closed connection: each group's messages arrive in order."""
    with SlackServer() as slack_server, SentryServer() as sentry_server:
        slack = Notifier(
            "slack",
            Slack.model_validate({"token": "xoxb-test", "channel": "C0001", "base_url": slack_server.base_url}),
            "slack",
        )
        sentry = Notifier("sentry", Sentry.model_validate({"dsn": sentry_server.dsn}), "sentry")
        bad = [Answer(500), Answer(close=True, takes=True), Answer(429, "", {"Retry-After": "1"})]
        slack_server.once.extend(bad)
        sentry_server.once.extend(bad)
        rows = [
            house.owe(alert(n=str(n)), group=str(n), notifier=name) for n in range(3) for name in ("slack", "sentry")
        ]
        async with working(house, slack, sentry) as couriers:
            done = settled(house, *(row.id for row in rows))
            while not done():
                await asyncio.sleep(0.02)
                house.pass_time(seconds=1)
                couriers.wake("slack")
                couriers.wake("sentry")
        assert len(slack_server.parents) == 3
        assert len(set(slack_server.keys)) == 3
        assert len(sentry_server.events) == 3


async def test_the_machines_own_clock_will_do(house: House) -> None:
    house.clock = SystemClock()  # type: ignore[assignment]
    row = house.owe()
    async with working(house, house.notifier()):
        await until(settled(house, row.id))


async def test_a_worker_whose_notifier_is_renamed_goes_on(house: House) -> None:
    """What is on its way is booked on the new name, and its circuit is as it was."""
    row, slack = house.owe(), house.notifier()
    answer = asyncio.Event()

    async def wait() -> None:
        await answer.wait()

    scripted(slack).hold(wait)
    async with working(house, slack) as couriers:
        await until(lambda: len(scripted(slack).heard) == 1)
        with house.database.begin() as tx:
            tx.notifications.rename("slack", "pages")
        couriers.follow({"pages": replace(slack, name="pages", was="slack")}, house.words)
        answer.set()
        await until(settled(house, row.id))
        assert {name: status.accepted for name, status in couriers.status().items()} == {"pages": 1}
    assert house.told("slack", row.alerts[0]) is None
    assert house.told("pages", row.alerts[0])
