"""DESIGN section 4, "Causes": what explains others is told, what it explains is not; each sentence and its test."""

from __future__ import annotations

from sentinel.core.labels import Labels, fingerprint
from sentinel.core.severity import Severity
from sentinel.routing import Inhibition, Match
from tests.engine.house import DB, House, make, policy, route

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
CAUSE = Inhibition("behind", Match.of({"rule": "db"}), Match.of({"rule": "shop-*"}), ("env",))


def test_while_the_cause_fires_its_dependents_are_not_told() -> None:
    """'While the cause fires, muted or not, its dependents are not told; … still firing one minute after its end …'."""
    house = House(policy(route("all", "slack"), inhibitions=(CAUSE,)))
    house.silence({"rule": "db"}, minutes=3)
    house.see("db", WARNING, env="a")
    house.see("shop-a", CRITICAL, env="a")
    house.see("shop-b", CRITICAL, env="b")
    assert house.deliver() == ["slack firing"]
    house.wait(minutes=10)
    house.deliver()
    house.see("db", None, env="a")
    assert house.deliver() == ["slack resolved"]
    house.wait(59)
    assert house.deliver() == []
    house.wait(1)
    assert house.deliver() == ["slack firing"]
    assert list(house.heard[-1].alerts) == [fingerprint("shop-a", Labels.of(env="a"))]


def test_dependents_wait_for_a_cause_that_pends_at_most_one_minute() -> None:
    """'while it is pending …, they wait for it, at most one minute'."""
    house = House(policy(route("all", "slack"), inhibitions=(CAUSE,)), [make("db", **{"for": "5m"})])
    house.see("db", WARNING)
    house.see("shop-a", CRITICAL)
    house.wait(59)
    assert house.deliver() == []
    house.wait(1)
    assert house.deliver() == ["slack firing"]


def test_a_cause_that_comes_while_its_dependents_gather_takes_them_back() -> None:
    """The dependent is seen first: it is not told all the same."""
    house = House(policy(route("all", "slack"), inhibitions=(CAUSE,)))
    house.see("shop-a", WARNING)
    house.wait(2)
    house.see("db", CRITICAL)
    house.wait(minutes=5)
    assert house.deliver() == ["slack firing"]
    assert list(house.heard[0].alerts) == [DB]
    house.see("shop-a", None)
    assert house.deliver() == []


ROUTED = policy(route("all", "slack"), inhibitions=(CAUSE,))


def test_dependents_wait_for_a_cause_whose_probe_has_just_failed_at_most_one_minute() -> None:
    """'while it is pending or its probe has just failed, they wait for it, at most one minute'."""
    house = House(ROUTED)
    house.look("db", fails=True, env="a")
    house.see("shop-a", CRITICAL, env="a")
    house.see("shop-b", CRITICAL, env="b")
    assert house.deliver() == ["slack firing"]
    assert list(house.heard[-1].alerts) == [fingerprint("shop-b", Labels.of(env="b"))]
    house.wait(59)
    assert house.deliver() == []
    house.wait(1)
    assert house.deliver() == ["slack firing"]


def test_a_cause_that_fires_while_dependents_wait_for_it_is_the_one_that_is_told() -> None:
    """The probe failed once, then often enough: one message, of the cause."""
    house = House(ROUTED)
    house.look("db", fails=True)
    house.see("shop-a", CRITICAL)
    house.wait(30)
    house.see("db", CRITICAL)
    house.wait(minutes=10)
    assert house.deliver() == ["slack firing"]
    assert list(house.heard[0].alerts) == [DB]


def test_dependents_are_told_as_soon_as_the_causes_probe_is_well_again() -> None:
    """It was no cause: nobody waits for the rest of the minute."""
    house = House(ROUTED)
    house.look("db", fails=True)
    house.see("shop-a", CRITICAL)
    assert house.deliver() == []
    house.wait(15)
    house.look("db", fails=False)
    assert house.deliver() == ["slack firing"]


def test_why_a_dependent_waits_is_said() -> None:
    """In the words of `explain`."""
    house = House(ROUTED)
    house.look("db", fails=True)
    (why,) = house.see("shop-a", CRITICAL).routed.reasons.values()
    assert why == ("waits for db, whose probe has just failed (behind)",)


def test_only_equal_labels_make_a_cause() -> None:
    """'equal: [env]': another environment's database explains nothing; a label that both lack is equal."""
    house = House(ROUTED)
    house.see("db", CRITICAL, env="a")
    house.deliver()
    house.see("shop-a", CRITICAL, env="b")
    house.see("shop-b", CRITICAL)
    assert house.deliver() == ["slack firing", "slack firing"]
    house.see("shop-c", CRITICAL, env="a")
    assert house.deliver() == []


def test_who_heard_of_a_dependent_before_its_cause_is_not_reminded_and_hears_the_end() -> None:
    """A cause stops the telling, and never a resolve."""
    house = House(ROUTED)
    house.see("shop-a", CRITICAL)
    assert house.deliver() == ["slack firing"]
    house.see("db", CRITICAL)
    assert house.deliver() == ["slack firing"]
    house.wait(hours=4.1)
    assert house.deliver() == ["slack reminder"]
    assert list(house.heard[-1].alerts) == [DB]
    house.see("shop-a", None)
    assert house.deliver() == ["slack resolved"]


def test_a_cause_that_falls_so_far_that_it_is_none_any_more_releases_its_dependents() -> None:
    """The cause is `severity: critical`; at warning it explains nothing."""
    severe = Inhibition("severe", Match.of({"severity": "critical"}), Match.of({"rule": "shop"}))
    house = House(policy(route("all", "slack"), inhibitions=(severe,)))
    house.see("db", CRITICAL)
    house.deliver()
    house.see("shop", WARNING)
    house.wait(minutes=5)
    assert house.deliver() == ["slack updated"]  # with what it covers
    house.see("db", WARNING)
    house.wait(10)
    assert sorted(house.deliver()) == ["slack firing", "slack updated"]


def test_a_chain_of_causes_tells_of_its_beginning_alone() -> None:
    """A cause that is covered itself, and so not told, covers what depends on it all the same."""
    chain = tuple(
        Inhibition(f"{rule} depends on", Match.of({"rule": cause}), Match.of({"rule": rule}))
        for cause, rule in (("disk", "db"), ("db", "shop"))
    )
    house = House(policy(route("all", "slack"), inhibitions=chain))
    for name in ("disk", "db", "shop"):
        house.see(name, CRITICAL)
    house.wait(minutes=5)
    assert house.deliver() == ["slack firing"]
    assert list(house.heard[0].alerts) == [fingerprint("disk", Labels())]


def test_its_message_names_what_it_covers() -> None:
    """'Its message names what it covers': what comes later changes the message that is there, and calls nobody."""
    house = House(ROUTED)
    house.see("db", CRITICAL)
    house.deliver()
    house.see("shop-a", CRITICAL)
    house.see("shop-b", WARNING, host="h1")
    assert house.disk.alerts[DB].covers == ("shop-a", 'shop-b{host="h1"}')
    assert house.owed() == ["slack updated in 60"]
    house.wait(60)
    house.see("shop-a", None)
    assert house.disk.alerts[DB].covers == ('shop-b{host="h1"}',)
    house.wait(60)
    assert house.deliver() == ["slack updated"]
    house.crash()
    house.see("db", CRITICAL)
    house.see("shop-b", WARNING, host="h1")
    house.wait(minutes=5)
    assert house.deliver() == []


def test_of_two_that_explain_one_another_the_first_is_told() -> None:
    """They do not keep each other quiet for ever."""
    mutual = tuple(
        Inhibition(cause, Match.of({"rule": cause}), Match.of({"rule": covered}))
        for cause, covered in (("db", "web"), ("web", "db"))
    )
    house = House(policy(route("all", "slack"), inhibitions=mutual))
    house.see("db", CRITICAL)
    house.wait(1)
    house.see("web", CRITICAL)
    house.wait(minutes=5)
    assert house.deliver() == ["slack firing"]
    assert list(house.heard[0].alerts) == [DB]


def test_what_waits_for_a_cause_waits_over_a_restart() -> None:
    """The cause is on the disk, and its dependents are looked at again."""
    house = House(ROUTED)
    house.see("db", CRITICAL)
    house.deliver()
    house.see("shop-a", CRITICAL)
    house.crash(60)
    house.see("db", CRITICAL)
    house.see("shop-a", CRITICAL)
    house.wait(minutes=5)
    assert house.deliver() == ["slack updated"]  # with what it covers
    house.see("db", None)
    house.wait(minutes=2)
    assert house.deliver() == ["slack resolved", "slack firing"]
