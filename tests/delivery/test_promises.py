"""DESIGN, section 4, "Delivery": each sentence, and a test that quotes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.core.errors import DeliveryFailed, GiveUp, TryAgain
from sentinel.core.notification import Reason, Settlement
from sentinel.core.severity import Severity
from sentinel.delivery.breaker import Breaker, Circuit
from sentinel.delivery.deadletters import retry
from tests.delivery.house import House
from tests.notifiers.messages import alert


def test_retries_come_when_promised(house: House) -> None:
    """DESIGN: "Retries come after 1 s, 5 s, 30 s, 2 min, 5 min, then every 10 min, with jitter"."""
    row, slack = house.owe(), house.notifier()
    waits = []
    for _ in range(8):
        house.settle(slack, house.lease(slack), TryAgain("HTTP 503"))
        next_at = house.row(row.id).next_at
        assert next_at
        waits.append((next_at - house.now).total_seconds())
        house.clock.advance(next_at - house.now)
    for waited, promised in zip(waits, (1, 5, 30, 120, 300, 600, 600, 600), strict=True):
        assert 0.9 * promised <= waited <= 1.1 * promised
    assert [attempt.error for attempt in house.row(row.id).attempts] == ["HTTP 503"] * 8


def test_a_receiver_is_not_asked_before_it_wants_to_be(house: House) -> None:
    """DESIGN: "honouring `Retry-After`" for all that waits for it."""
    row, slack = house.owe(), house.notifier()
    house.settle(slack, house.lease(slack), TryAgain("HTTP 429", after=45))
    assert house.row(row.id).next_at == house.now + timedelta(seconds=45)
    house.breaker = Breaker().refused(house.now, "HTTP 429", after=45)
    house.owe(alert(n="2"), group="other")
    assert house.lease(slack).row is None
    assert house.lease(slack).next_at == house.now + timedelta(seconds=45)


def test_one_trial_each_15_s_is_not_counted_and_releases_all(house: House) -> None:
    """DESIGN: "a half-open circuit's trial, one each 15 s, is not counted, and releases all that wait if accepted"."""
    slack = house.notifier()
    rows = [house.owe(alert(n=str(n)), group=str(n)) for n in range(5)]
    for parcel in house.lease(slack, space=5).leased.parcels:
        house.settle(slack, parcel, TryAgain("HTTP 500", after=600))
    house.breaker = Breaker(3).refused(house.now, "HTTP 500")
    assert house.breaker.circuit(house.now) is Circuit.OPEN
    house.pass_time(seconds=15)
    [trial] = house.lease(slack, space=8).leased.parcels
    assert trial.trial
    house.settle(slack, trial, TryAgain("HTTP 500"))
    assert house.row(trial.rows[0].id).tries == 1
    house.breaker = house.breaker.refused(house.now, "HTTP 500")
    house.pass_time(seconds=15)
    [trial] = house.lease(slack, space=8).leased.parcels
    house.settle(slack, trial, recovered=True)
    house.breaker = house.breaker.accepted()
    assert len(house.lease(slack, space=8).leased.parcels) == len(rows) - 1


@pytest.mark.parametrize("error", [GiveUp("slack: channel_not_found"), GiveUp("HTTP 404")])
def test_a_permanent_error_is_dead_at_once(house: House, error: GiveUp) -> None:
    """DESIGN: "A permanent error (unknown channel, 4xx but 408 and 429) is dead at once and goes to the `fallback`"."""
    row, slack = house.owe(), house.notifier(fallback="mail")
    house.settle(slack, house.lease(slack), error)
    assert house.row(row.id).settlement is Settlement.DEAD
    assert house.row(f"{row.id}>mail").settlement is Settlement.WAITING


def test_a_critical_message_does_not_wait_for_the_circuit(house: House) -> None:
    """DESIGN: "a critical message not accepted within 60 s does not wait for that: the `fallback` gets it too"."""
    row, slack = house.owe(), house.notifier(fallback="mail")
    house.breaker = Breaker(3).refused(house.now, "HTTP 500", after=3000)
    assert house.lease(slack).instead_at == house.now + timedelta(seconds=60)
    house.pass_time(seconds=60)
    house.lease(slack)
    assert house.row(f"{row.id}>mail").severity is Severity.CRITICAL
    assert house.row(row.id).settlement is Settlement.WAITING


def test_a_fallback_hears_of_no_end_whose_beginning_it_did_not_hear(house: House) -> None:
    """DESIGN: "A resolve goes to exactly those who heard the firing"."""
    slack = house.notifier(fallback="mail")
    house.owe()
    house.settle(slack, house.lease(slack))
    end = house.owe(alert(over=True), reason=Reason.RESOLVED)
    house.settle(slack, house.lease(slack), GiveUp("HTTP 404"))
    assert house.row(end.id).why == "HTTP 404; it is over, and mail hears of no end whose beginning it did not hear"
    assert [row.notifier for row in house.rows()] == ["slack", "slack"]


def test_a_firing_and_its_end_are_one_message(house: House) -> None:
    """DESIGN: "A firing that is not sealed and its resolve become one message", which says how late it is."""
    slack = house.notifier()
    house.owe()
    house.settle(slack, house.lease(slack), TryAgain("HTTP 500"))
    with house.database.begin() as tx:
        tx.alerts.put(alert(over=True))
    house.pass_time(minutes=7)
    message = house.lease(slack).message
    assert message
    assert message.resolved
    assert message.late_by == timedelta(minutes=7)
    assert "7m late" in message.text


def test_what_one_receiver_cannot_take_delays_no_other_group(house: House) -> None:
    """DESIGN: "in order per alert and notifier", and no further: other groups fly beside it."""
    slack = house.notifier()
    first = house.owe(group="a")
    house.owe(alert(over=True), group="a", reason=Reason.RESOLVED)
    other = house.owe(alert(n="2"), group="b")
    parcels = house.lease(slack, space=8).leased.parcels
    assert [parcel.rows[0].id for parcel in parcels] == [first.id, other.id]
    assert house.lease(slack, space=8).leased.parcels == ()


@pytest.mark.parametrize(
    ("errors", "anew"),
    [
        pytest.param([GiveUp("HTTP 404")], True, id="refused for good"),
        pytest.param([TryAgain("HTTP 500")] * 2, True, id="refused too often"),
        pytest.param([TryAgain("no answer", sure=False), GiveUp("HTTP 404")], False, id="perhaps taken before"),
    ],
)
def test_what_was_surely_refused_is_worded_anew_when_a_person_retries_it(
    house: House, errors: list[DeliveryFailed], anew: bool
) -> None:
    """DESIGN: "can be retried by hand"; "surely refused … unseals the row …, under a new key; … unknown … keeps"."""
    row, slack = house.owe(), house.notifier(tries=2)
    keys = set()
    for error in errors:
        leased = house.lease(slack)
        keys.add(leased.message and leased.message.key)
        house.settle(slack, leased, error)
        house.pass_time(seconds=2)
    assert house.row(row.id).settlement is Settlement.DEAD
    with house.database.begin() as tx:
        tx.alerts.put(alert(over=True))
    house.pass_time(hours=6)
    with house.database.begin() as tx:
        retry(tx, row.id, "ann", house.now)
    message = house.lease(slack).message
    assert message
    assert message.resolved is anew
    assert (message.key not in keys) is anew
    assert ("6h late" in message.text) is anew
