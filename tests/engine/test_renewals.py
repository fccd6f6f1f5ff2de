"""Renewals: a receiver that forgets what it does not hear of for long."""

from __future__ import annotations

from datetime import timedelta

from sentinel.core.severity import Severity
from sentinel.routing import Policy
from sentinel.routing.route import Escalation
from tests.engine.house import House, policy, route

EVERY = timedelta(minutes=5)


def renewing() -> Policy:
    """Return a policy under which `peer` is to hear every five minutes, and `slack` is not."""
    return policy(route("all", "peer slack", repeat=timedelta(hours=4)), renewals={"peer": EVERY}, editors=frozenset())


def live(house: House, minutes: int) -> list[str]:
    """Let time pass, and whatever is due be delivered; return what was heard, with the minute."""
    began, before = house.now, len(house.heard)
    for _ in range(minutes):
        house.wait(minutes=1)
        house.deliver()
    return [f"{heard} {(heard.at - began).total_seconds() / 60:.0f}" for heard in house.heard[before:]]


def fire(house: House, *elements: str) -> None:
    """Let elements fire, one after the other, and be told."""
    for element in elements:
        house.see("db-down", Severity.CRITICAL, n=element)
        house.deliver()


def test_what_fires_is_renewed_until_it_is_over_and_only_where_it_must_be() -> None:
    house = House(renewing())
    fire(house, "1")
    assert live(house, 12) == ["peer updated 5", "peer updated 10"]
    house.see("db-down", None, n="1")
    assert sorted(house.deliver()) == ["peer resolved", "slack resolved"]
    assert live(house, 12) == []


def test_a_group_is_renewed_as_one() -> None:
    """Of alerts that were told at different times, the oldest word counts."""
    house = House(renewing())
    fire(house, "1")
    live(house, 2)
    fire(house, "2")
    assert live(house, 9) == ["peer updated 3", "peer updated 8"]
    assert [len(heard.alerts) for heard in house.heard[-2:]] == [2, 2]


def test_a_silence_stops_the_telling_and_not_the_renewals() -> None:
    """Left out, it would be told to be over while it fires."""
    house = House(renewing())
    fire(house, "1")
    house.silence({"rule": "db-down"}, minutes=30)
    assert live(house, 11) == ["peer updated 5", "peer updated 10"]


def test_renewals_go_on_after_a_crash_and_a_restart_by_itself_sends_none() -> None:
    house = House(renewing())
    fire(house, "1")
    live(house, 3)
    house.crash(seconds=30)
    assert live(house, 6) == ["peer updated 2"]
    house.crash(seconds=900)
    house.deliver()
    assert live(house, 6) == ["peer updated 1", "peer updated 6"]


def test_a_renewal_that_was_not_delivered_is_owed_once() -> None:
    house = House(renewing())
    fire(house, "1")
    house.wait(minutes=25)
    assert house.owed() == ["peer updated in -1200"]
    assert house.deliver() == ["peer updated"]


def test_who_is_on_the_route_no_more_is_not_renewed() -> None:
    """He heard once that it went elsewhere; his receiver ends it there."""
    house = House(renewing())
    fire(house, "1")
    house.reload(policy(route("all", "slack"), notifiers="peer", renewals={"peer": EVERY}))
    assert live(house, 11) == []


def test_an_escalations_step_is_renewed_as_well() -> None:
    step = Escalation(timedelta(minutes=1), ("peer",))
    paged = route("all", "slack", repeat=timedelta(hours=4), escalate=(step,))
    house = House(policy(paged, notifiers="peer", renewals={"peer": EVERY}, editors=frozenset()))
    fire(house, "1")
    assert live(house, 8) == ["peer escalation 1", "peer updated 6"]
