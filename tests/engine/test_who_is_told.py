"""DESIGN section 4, "Who is told, and when": each sentence that the engine keeps, and a test that quotes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.core.alert import Condition
from sentinel.core.labels import Labels
from sentinel.core.notification import Settlement
from sentinel.core.severity import Severity
from tests.engine.house import ALL, DB, House, firing, make, policy, route

WARNING, ERROR, CRITICAL = Severity.WARNING, Severity.ERROR, Severity.CRITICAL
PAGES = policy(
    route("pages", "slack mail", {"severity": "critical"}, continue_=True),
    route("team", "team", {"severity": "warning+"}),
    route("rest", "slack"),
)


def test_firing_a_rise_joining_no_data_a_reminder_and_a_resolve_are_told() -> None:
    """'Firing, a rise, joining a group, no data, a reminder (`repeat`), … and a resolve are told'."""
    house = House(policy(route("all", "slack", group_by=("owner",))))
    house.see("db", WARNING)
    house.wait(10)
    heard = house.deliver()
    house.wait(minutes=2)
    house.see("db", ERROR)
    heard += house.deliver()
    house.wait(minutes=2)
    house.see("web", WARNING)
    house.wait(10)
    heard += house.deliver()
    house.wait(hours=4)
    heard += house.deliver()
    house.see("db", Condition.UNKNOWN)
    house.wait(minutes=15)
    house.see("db", Condition.UNKNOWN)
    heard += house.deliver()
    house.wait(minutes=2)
    house.see("db", None)
    heard += house.deliver()
    assert heard == [f"slack {why}" for why in ("firing", "rose", "joined", "reminder", "no data", "resolved")]


def test_a_fall_and_a_new_value_only_change_the_message_that_is_there() -> None:
    """'a fall and a new value only change the message that is there': the reason that calls nobody."""
    house = firing(ERROR)
    house.see("db", WARNING)
    assert house.deliver() == ["slack updated"]
    house.see("db", WARNING, value="7 %")
    assert house.deliver() == []
    house.wait(minutes=1)
    assert house.deliver() == ["slack updated"]
    house.see("db", WARNING, value="7 %")
    house.wait(minutes=10)
    assert house.deliver() == []


def test_an_alert_that_ends_within_group_wait_is_not_told() -> None:
    """'an alert that ends within `group_wait` is not told'; 'never leased, is settled as `withdrawn`'."""
    house = House(ALL)
    house.see("db", WARNING)
    house.wait(9)
    house.see("db", None)
    house.wait(minutes=5)
    assert house.deliver() == []
    assert [row.settlement for row in house.disk.rows.values()] == [Settlement.WITHDRAWN]
    assert not house.disk.alerts
    assert not house.disk.groups


def test_a_firing_that_is_not_sealed_and_its_resolve_become_one_message() -> None:
    """'A firing that is not sealed and its resolve become one message': the receiver was down for all of it."""
    house = House(ALL)
    house.see("db", WARNING)
    house.wait(10)
    leased = house.lease("slack")
    assert leased is not None
    house.refuse(leased, after=300)
    house.see("db", None)
    house.wait(minutes=5)
    assert house.deliver() == ["slack firing"]
    assert house.heard[0].alerts == {DB: None}
    assert not house.disk.alerts


def test_a_resolve_waits_for_the_receipt_of_a_firing_that_is_on_its_way() -> None:
    """'A resolve goes to exactly those who heard the firing': whether he did is known with the receipt."""
    heard, dead = House(ALL), House(ALL)
    for house in (heard, dead):
        house.see("db", CRITICAL)
        leased = house.lease("slack")
        assert leased is not None
        house.see("db", None)
        assert house.lease("slack") is None
        (house.accept if house is heard else house.bury)(leased)
        house.decide()
        house.deliver()
    assert [str(one) for one in heard.heard] == ["slack firing", "slack resolved"]
    assert [str(one) for one in dead.heard] == []
    assert not dead.disk.alerts


def test_an_alert_is_routed_anew_when_its_severity_changes() -> None:
    """'An alert is routed anew when its severity changes: those no longer on its route hear that once, …'.

    '… get no more reminders, and hear the resolve'.
    """
    house = firing(CRITICAL, PAGES)
    assert [str(one) for one in house.heard] == ["slack firing", "mail firing", "team firing"]
    house.see("db", WARNING)
    assert house.deliver() == ["slack rerouted", "mail rerouted", "team updated"]
    house.wait(hours=5)
    assert house.deliver() == ["team reminder"]
    house.see("db", ERROR)
    assert house.deliver() == ["team rose"]
    house.wait(minutes=5)
    house.see("db", None)
    assert sorted(house.deliver()) == ["mail resolved", "slack resolved", "team resolved"]


def test_a_rise_calls_those_who_are_new_on_the_route() -> None:
    """Whoever is paged for critical had not heard of the warning: to him it fires."""
    house = firing(WARNING, PAGES)
    house.see("db", CRITICAL)
    assert house.deliver() == ["slack firing", "mail firing", "team rose"]


@pytest.mark.parametrize("told_before", [False, True])
def test_a_critical_alert_waits_for_nothing(told_before: bool) -> None:
    """'A critical alert, and a rise to critical, waits for neither of the first two unless the route sets them'."""
    house = House(ALL)
    if told_before:
        house.see("db", WARNING)
        house.wait(10)
        house.deliver()
    house.see("db", CRITICAL)
    assert house.owed() == [f"slack {'rose' if told_before else 'firing'} in 0"]


def test_a_critical_alert_waits_where_the_route_says_so() -> None:
    """'… unless the route sets them'."""
    house = House(policy(route("all", "slack", group_wait=timedelta(seconds=30))))
    house.see("db", CRITICAL)
    assert house.owed() == ["slack firing in 30"]


def test_a_rise_to_critical_pulls_what_still_gathers_forward() -> None:
    """One message, at once: the firing that waited and the rise."""
    house = House(ALL)
    house.see("db", WARNING)
    house.wait(3)
    house.see("db", CRITICAL)
    assert house.owed() == ["slack firing in 0"]
    assert house.deliver() == ["slack firing"]
    assert house.heard[0].alerts == {DB: CRITICAL}


def test_alerts_of_one_group_are_told_together() -> None:
    """Transitions that come before it is sent join it: one debt per notifier and group."""
    house = House(ALL)
    for host in "abc":
        house.see("db", WARNING, host=host)
    house.wait(10)
    assert house.deliver() == ["slack firing"]
    assert len(house.heard[0].alerts) == 3


def test_alerts_of_one_instant_are_told_in_the_order_in_which_they_came() -> None:
    """Debts of one round have one instant; their ids say which was first, and what is leased together came together."""
    house = House(policy(route("all", "slack", group_by=("host",))))
    house.rules["db"] = make("db")
    hosts = [f"h{n:02}" for n in range(30)]
    house.seen["db"] = {Labels.of(host=host): CRITICAL for host in hosts}
    house.decide("db")
    house.deliver()
    assert [heard.group for heard in house.heard] == [f'all{{host="{host}"}}' for host in hosts]


def test_what_joins_later_keeps_the_groups_distance() -> None:
    """'Defaults: `group_by: [rule]`, `group_wait: 10s`, `group_interval: 1m`, `repeat: 4h`'."""
    house = House(ALL)
    house.see("db", WARNING, host="a")
    house.wait(10)
    house.deliver()
    house.wait(15)
    house.see("db", WARNING, host="b")
    house.see("db", WARNING, host="c")
    house.wait(44)
    assert house.deliver() == []
    house.wait(1)
    assert house.deliver() == ["slack joined"]


def test_a_group_whose_content_did_not_change_is_not_sent_again() -> None:
    """The same observation over and over: one message, then reminders."""
    house = House(ALL)
    for _ in range(100):
        house.see("db", WARNING)
        house.wait(15)
        house.deliver()
    assert [str(one) for one in house.heard] == ["slack firing"]


def test_no_data_is_told_once_to_those_who_were_told() -> None:
    """'after 15 minutes those who were told hear once "no data since 02:10"'."""
    house = firing(WARNING)
    for _ in range(80):
        house.see("db", Condition.UNKNOWN)
        house.wait(15)
        house.deliver()
    assert [str(one) for one in house.heard] == ["slack firing", "slack no data"]


def test_a_notifier_hears_of_an_alert_once_through_the_first_route_that_names_it() -> None:
    """'A notifier hears of an alert once, through the first route that names it'."""
    both = policy(route("pages", "slack", {"severity": "critical"}, continue_=True), route("rest", "slack team"))
    house = House(both)
    house.see("db", CRITICAL)
    assert house.deliver() == ["slack firing", "team firing"]


def test_a_tree_without_routes_sends_everything_to_every_notifier() -> None:
    """'a tree with none sends everything to every notifier'."""
    house = House(policy(notifiers="slack mail"))
    house.see("db", CRITICAL)
    assert house.deliver() == ["slack firing", "mail firing"]


def test_a_route_may_drop_alerts_knowingly() -> None:
    """'`notify: []` drops it knowingly', and says so."""
    house = House(policy(route("drop", "", {"rule": "db"}), route("rest", "slack")))
    assert house.see("db", CRITICAL).routed.reasons == {DB: ("route drop tells nobody",)}
    house.wait(hours=9)
    house.see("db", None)
    assert house.deliver() == []
    assert not house.disk.groups


def test_a_pending_alert_is_told_to_nobody() -> None:
    """`for` is not over."""
    house = House(ALL, [make("db", **{"for": "5m"})])
    house.see("db", CRITICAL)
    house.wait(minutes=4)
    house.see("db", None)
    assert house.deliver() == []
    assert not house.disk.alerts


def test_fired_again_before_the_resolve_was_told_is_told_as_firing() -> None:
    """Nothing is lost: it is a new occurrence, and those who heard of the old one hear of it."""
    house = firing(WARNING)
    house.see("db", None)
    house.see("db", WARNING)
    house.wait(minutes=2)
    assert house.deliver() == ["slack firing"]
    house.wait(minutes=2)
    house.see("db", None)
    assert house.deliver() == ["slack resolved"]


def test_a_new_value_owes_nothing_to_those_whose_messages_cannot_change() -> None:
    """A mail a minute for as long as a value moves would be the end of reading mails."""
    house = House(policy(route("everything", "mail"), editors=frozenset()))
    house.see("db", ERROR)
    house.wait(10)
    assert house.deliver() == ["mail firing"]
    for percent in range(5):
        house.see("db", ERROR, value=f"{percent} %")
        house.wait(minutes=2)
    assert house.deliver() == []


def test_a_resolve_is_told_always_whatever_is_muted_by_then() -> None:
    """'A resolve goes to exactly those who heard the firing, and always, whatever is muted by then'."""
    house = firing(CRITICAL, PAGES)
    house.silence({}, minutes=60)
    house.decide()
    house.reload(policy(route("nobody", ""), notifiers="slack mail team"))
    house.crash()
    house.see("db", None)
    assert sorted(house.deliver()) == ["mail resolved", "slack resolved", "team resolved"]
