"""The circuit breaker, as timelines and on a real outbox."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.core.errors import TryAgain
from sentinel.core.notification import Settlement
from sentinel.delivery.backoff import JITTER, LONGEST, WAITS, wait
from sentinel.delivery.breaker import BREATH, Breaker, Circuit
from tests.delivery.house import NOW, House
from tests.notifiers.messages import alert

SHORT = {Circuit.CLOSED: "C", Circuit.OPEN: "O", Circuit.HALF_OPEN: "H"}


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param("---", "CCC", id="three refusals leave it closed"),
        pytest.param("----", "CCCO", id="four in a row open it"),
        pytest.param("---+---", "CCCCCCC", id="one that is accepted begins anew"),
        pytest.param("----.", "CCCOO", id="five seconds later it is open still"),
        pytest.param("----...", "CCCOOOH", id="after 15 s one may try"),
        pytest.param("----...-", "CCCOOOHO", id="a trial that is refused keeps it open"),
        pytest.param("----...+", "CCCOOOHC", id="a trial that is accepted closes it"),
    ],
)
def test_the_circuit(heard: str, expected: str) -> None:
    """`-` is refused a second after what was before, `+` accepted, `.` five seconds in which nothing is sent."""
    breaker, now, seen = Breaker(), NOW, ""
    for what in heard:
        match what:
            case "-":
                breaker = breaker.refused(now, "500")
                now += BREATH if breaker.opened_at is None else timedelta()
            case "+":
                breaker = breaker.accepted()
            case _:
                now += timedelta(seconds=5)
        seen += SHORT[breaker.circuit(now)]
    assert seen == expected


def test_what_a_receiver_asks_for_holds_for_all_its_messages() -> None:
    breaker = Breaker().refused(NOW, "429", after=30)
    assert breaker.holds(NOW + timedelta(seconds=29))
    assert not breaker.holds(NOW + timedelta(seconds=30))


@pytest.mark.parametrize("tries", range(1, 15))
def test_waits_grow_as_promised(tries: int) -> None:
    """1 s, 5 s, 30 s, 2 min, 5 min, then 10 min, each a tenth up or down, the same for the same attempt."""
    plain = WAITS[min(tries, 6) - 1]
    assert plain * (1 - JITTER) <= wait("a", tries) <= plain * (1 + JITTER)
    assert wait("a", tries) == wait("a", tries)
    assert wait("a", tries, after=1000) == timedelta(seconds=1000)
    assert wait("a", tries, after=1e12) == LONGEST


def opened(house: House) -> Breaker:
    return Breaker(3).refused(house.now, "500")


def test_an_open_circuit_sends_nothing_and_a_trial_is_not_counted(house: House) -> None:
    row, slack = house.owe(), house.notifier()
    house.settle(slack, house.lease(slack), TryAgain("500", after=600))
    house.breaker = opened(house)
    assert house.lease(slack).row is None
    assert house.lease(slack).next_at == house.now + timedelta(seconds=15)
    house.pass_time(seconds=15)
    trial = house.lease(slack)
    assert trial.trial
    house.settle(slack, trial, TryAgain("500"))
    assert (house.row(row.id).tries, len(house.row(row.id).attempts)) == (1, 2)


def test_a_trial_takes_what_was_tried_longest_ago(house: House) -> None:
    """However many messages there are which the receiver cannot bear, they do not keep all others waiting."""
    slack = house.notifier()
    first, second, third = (house.owe(alert(n=name), group=name) for name in "abc")
    house.breaker = opened(house)
    seen = []
    for _ in range(4):
        house.pass_time(seconds=15)
        trial = house.lease(slack)
        assert trial.row
        seen.append(trial.row.id)
        house.settle(slack, trial, TryAgain("500"))
    assert seen == [first.id, second.id, third.id, first.id]


def test_what_an_open_circuit_kept_back_is_dead_after_the_same_hour(house: House) -> None:
    """Not one is forgotten, and each says why."""
    rows = [house.owe(alert(n=str(n)), group=str(n)) for n in range(3)]
    slack = house.notifier(fallback="mail")
    house.breaker = opened(house)
    house.pass_time(hours=1)
    house.breaker = house.breaker.refused(house.now, "503")
    house.lease(slack)
    assert {house.row(row.id).settlement for row in rows} == {Settlement.WAITING}
    house.pass_time(minutes=20)
    house.breaker = house.breaker.refused(house.now, "503")
    house.lease(slack)
    for row in rows:
        assert house.row(row.id).settlement is Settlement.DEAD
        assert house.row(row.id).why.startswith("nothing was accepted since 2026-01-01 02:15 UTC: 503; mail ")
