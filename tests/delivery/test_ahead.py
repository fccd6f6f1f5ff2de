"""A quick receiver is leased for ahead; what is then not sent is given back, as if it had never been leased."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from sentinel.core.errors import TryAgain
from sentinel.core.notification import Notification, Settlement
from sentinel.delivery.pace import ahead
from sentinel.delivery.parcel import Result
from sentinel.notifiers.notifier import Notifier
from tests.delivery.house import House
from tests.delivery.test_deliver import scripted, settled, until, working
from tests.notifiers.messages import alert


def storm(house: House, count: int) -> list[Notification]:
    """Owe many notifications of one group each."""
    return [house.owe(alert(n=str(n)), group=str(n)) for n in range(count)]


def after(slack: Notifier, count: int, then: Callable[[], object]) -> None:
    """Let something happen before each answer once so many were heard."""

    async def before() -> None:
        await asyncio.sleep(0)
        if len(scripted(slack).heard) > count:
            then()

    scripted(slack).hold(before)


def unsent(house: House) -> list[Notification]:
    return [row for row in house.rows() if row.settlement is Settlement.WAITING and not row.tries]


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        pytest.param([], 0, id="nothing was sent: as before"),
        pytest.param([Result({}, None, 0.01)], 160, id="8 side by side, 10 ms each, for a fifth of a second"),
        pytest.param([Result({}, None, 0.0)], 400, id="never more than so many"),
        pytest.param([Result({}, None, 3.0)], 8, id="never fewer than go side by side"),
        pytest.param([Result({}, None, 0.01), Result(None, TryAgain("503"), 0.01)], 8, id="one was refused"),
    ],
)
def test_so_many_are_leased_as_the_receiver_takes_in_a_fifth_of_a_second(results: list[Result], expected: int) -> None:
    assert ahead(results, 8) == expected


async def test_a_quick_receiver_takes_a_storm_in_few_transactions(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction has its commit to disk, and the desk has more to do."""
    rows, slack, turns = storm(house, 240), house.notifier(), Counter[str]()
    write = house.write

    async def counted(work):  # type: ignore[no-untyped-def]
        turns["taken"] += 1
        return await write(work)

    monkeypatch.setattr(house, "write", counted)
    async with working(house, slack):
        await until(settled(house, *(row.id for row in rows)))
    assert turns["taken"] < 60
    assert Counter(message.facts.alerts[0].labels["n"] for message in scripted(slack).heard).most_common(1)[0][1] == 1


async def test_what_is_leased_is_given_back_when_the_receiver_refuses(house: House) -> None:
    """It is asked one thing at a time then, and what happens meanwhile joins the others."""
    rows, slack = storm(house, 100), house.notifier()

    def refuse() -> None:
        raise TryAgain("503")

    after(slack, 20, refuse)
    async with working(house, slack) as couriers:
        await until(lambda: couriers.status()["slack"].refusals > 0 and len(unsent(house)) > 60)
        assert len(scripted(slack).heard) <= 20 + 2 * 8
        assert all(not row.sealed and not row.attempts for row in unsent(house))
        scripted(slack).hold(None)
        house.pass_time(seconds=2)
        couriers.wake("slack")
        await until(settled(house, *(row.id for row in rows)))


async def test_stopping_gives_back_what_was_not_sent(house: House) -> None:
    """Nobody may have heard of it, so after the start it needs no key to be told apart."""
    storm(house, 100)
    slack, going = house.notifier(), asyncio.Event()
    after(slack, 20, going.set)
    async with working(house, slack):
        await going.wait()
    kept = Counter(row.settlement for row in house.rows())
    assert kept[Settlement.WAITING] == len(unsent(house)) > 0
    assert set(kept) == {Settlement.WAITING, Settlement.DELIVERED}


async def test_what_waited_for_its_turn_until_its_lease_might_end_is_leased_anew(house: House) -> None:
    """Else another worker might send it at the same time."""
    rows, slack = storm(house, 60), house.notifier()
    late = iter([timedelta(seconds=58)])
    after(slack, 20, lambda: house.clock.advance(next(late, timedelta())))
    async with working(house, slack):
        await until(settled(house, *(row.id for row in rows)))
    assert len(scripted(slack).heard) == 60
    assert {message.facts.at for message in scripted(slack).heard} == {rows[0].due_at, house.now}
