"""DESIGN section 4, "Restart, reload, deploy" and "Identity": a test for each sentence that the engine keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.core.alert import Change, Patience
from sentinel.core.labels import Labels
from sentinel.core.notification import Settlement
from sentinel.core.severity import Severity
from sentinel.engine.decide import decide
from sentinel.promql.block import Block
from tests.engine.house import ALL, DB, House, make, policy, route

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def told() -> House:
    """A house in which `db` fires and slack has heard of it."""
    house = House(ALL)
    house.see("db", WARNING)
    house.wait(10)
    house.deliver()
    return house


def test_everything_survives_sigkill() -> None:
    """'States, timers, groups, silences, acknowledgements and unsent notifications survive SIGKILL.'."""
    house = told()
    house.see("web", CRITICAL)
    house.silence({"rule": "lonely"}, minutes=60)
    house.acknowledge(DB)
    before = house.state.telling
    house.crash()
    after = house.state.telling
    assert after.groups == before.groups
    assert after.open == before.open
    assert after.told == before.told
    assert after.silences == before.silences
    assert after.acknowledgements == before.acknowledgements
    assert after.timers.next_at == before.timers.next_at
    assert house.deliver() == ["slack firing"]


def test_a_restart_by_itself_sends_nothing_repeats_nothing_and_resolves_nothing() -> None:
    """'A restart or reload by itself sends nothing, repeats nothing and resolves nothing'."""
    house = told()
    for _ in range(5):
        house.crash(90)
        house.decide()
        house.see("db", WARNING)
        assert house.deliver() == []
    assert house.disk.alerts[DB].severity is WARNING


def test_a_repeat_that_fell_due_meanwhile_is_sent_once_and_after_a_look() -> None:
    """'each rule is evaluated on fresh data first; a repeat that fell due meanwhile is sent once'."""
    house = told()
    house.crash(9 * 3600)
    house.decide()
    assert house.deliver() == []
    house.wait(20)
    assert house.deliver() == ["slack reminder"]
    house.wait(hours=3.9)
    assert house.deliver() == []


def test_a_repeat_that_fell_due_while_the_machine_slept_waits_for_a_look_too() -> None:
    """'each rule is evaluated on fresh data first', also where nothing was started anew."""
    goes_on, is_over = told(), told()
    for house in (goes_on, is_over):
        house.suspend(9 * 3600)
        house.decide()
        assert house.deliver() == []
        house.see("db", WARNING if house is goes_on else None)
        house.wait(20)
    assert goes_on.deliver() == ["slack reminder"]
    assert is_over.deliver() == ["slack resolved"]


def test_what_ended_while_nobody_looked_is_resolved_and_not_repeated() -> None:
    """The rule is evaluated first, so no reminder tells of what is over."""
    house = told()
    house.crash(9 * 3600)
    house.see("db", None)
    house.wait(20)
    assert house.deliver() == ["slack resolved"]


def test_time_away_counts_for_no_for() -> None:
    """'Time in which the agent did not look … counts for no `for`', and two outages are added up."""
    house = House(ALL, [make("db", **{"for": "5m"})])
    house.see("db", CRITICAL)
    for _ in range(2):
        house.wait(minutes=2)
        house.crash(3600)
        house.see("db", CRITICAL)
        assert house.disk.alerts[DB].severity is None
    house.wait(minutes=1)
    house.see("db", CRITICAL)
    assert house.deliver() == ["slack firing"]


def test_a_removed_rule_resolves_its_alerts() -> None:
    """'A rule that is removed resolves its alerts with the reason "rule removed".'."""
    house = told()
    house.wait(minutes=2)
    house.reload(without="db")
    assert [(one.change, one.reason) for one in house.disk.audit][-1] == (Change.RESOLVED, "rule removed")
    assert house.deliver() == ["slack resolved"]
    assert not house.disk.alerts


def test_an_edit_does_not_restart_an_alert() -> None:
    """'Severity, the rule's own labels and its texts are not part of it: … and an edit does not restart it.'."""
    house = told()
    began = house.disk.alerts[DB].fired_at
    edited = make("db", summary="new words", owner="others", above={"warning": "1"}, keep_firing_for="5m")
    house.rules["db"] = edited
    house.reload()
    house.see("db", WARNING)
    assert house.disk.alerts[DB].fired_at == began
    assert house.disk.alerts[DB].owner == "others"
    assert edited.patience[WARNING] == replace(Patience(), keep_firing_for=timedelta(minutes=5))


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(policy(route("renamed", "slack")), id="a route renamed"),
        pytest.param(policy(route("all", "slack", group_by=("owner",))), id="grouped otherwise"),
        pytest.param(policy(route("all", "slack mail")), id="a notifier added"),
        pytest.param(policy(route("first", "mail", {"rule": "db"}), route("all", "slack")), id="a route before it"),
        pytest.param(policy(notifiers="slack mail"), id="routes removed"),
    ],
)
def test_a_reload_of_routes_tells_nobody_and_loses_no_resolve(after: object) -> None:
    """'A … reload by itself sends nothing', and who heard the firing hears the resolve."""
    house = told()
    house.reload(after)  # type: ignore[arg-type]
    house.see("db", WARNING)
    house.wait(minutes=5)
    assert house.deliver() == []
    house.see("db", None)
    assert house.deliver() == ["slack resolved"]
    assert not house.disk.groups


def test_a_notifier_added_by_a_reload_hears_with_the_next_reminder() -> None:
    """It is on the route from then on."""
    house = told()
    house.reload(policy(route("all", "slack mail")))
    house.wait(hours=4)
    assert house.deliver() == ["slack reminder", "mail reminder"]


def test_a_mute_removed_by_a_reload_tells_what_it_held() -> None:
    """'when it ends and the alert fires, it is told then': a commit may end it too."""
    house = House(ALL)
    house.silence({"rule": "db"}, minutes=60)
    house.see("db", CRITICAL)
    house.disk.silences.clear()
    house.state.telling.silences.drop("s0")
    house.reload()
    house.decide()
    assert house.deliver() == ["slack firing"]


def test_debts_to_a_notifier_that_is_gone_go_to_its_fallback() -> None:
    """'Removing … a notifier with messages waiting loses none.'."""
    house = House(policy(route("all", "slack"), notifiers="mail", fallbacks={"slack": "mail"}))
    house.see("db", CRITICAL)
    house.reload(policy(route("all", "mail")))
    assert house.deliver() == ["mail firing"]
    (dead,) = (row for row in house.disk.rows.values() if row.settlement is Settlement.DEAD)
    assert dead.why == 'notifier "slack" is not configured any more; mail is told in its stead'
    house.see("db", None)
    assert house.deliver() == ["mail resolved"]


def test_a_fallback_is_not_told_the_end_of_what_it_never_heard() -> None:
    """One debt about two alerts, of which one is over by now: the fallback hears of the other."""
    house = House(policy(route("all", "slack", group_by=("owner",)), notifiers="mail", fallbacks={"slack": "mail"}))
    house.see("db", CRITICAL)
    house.see("web", CRITICAL)
    leased = house.lease("slack")
    assert leased is not None
    house.refuse(leased, after=600)
    house.see("web", None)
    house.reload(policy(route("all", "mail")))
    assert house.deliver() == ["mail firing"]
    assert list(house.heard[0].alerts) == [DB]


def test_debts_to_a_notifier_that_is_gone_without_fallback_are_seen_by_a_person() -> None:
    """It 'leaves as delivered, or dead with a reason that a person sees', also if its lease was out."""
    house = House(policy(route("all", "slack")))
    house.see("db", CRITICAL)
    leased = house.lease("slack")
    assert leased is not None
    house.reload(policy(route("all", "mail")))
    assert house.disk.rows[leased.id].settlement is Settlement.SENDING
    house.refuse(leased)
    house.decide()
    assert house.disk.rows[leased.id].settlement is Settlement.DEAD
    assert house.disk.rows[leased.id].why == 'notifier "slack" is not configured any more'


def test_a_lease_of_a_notifier_that_is_gone_ends_by_itself() -> None:
    """Its worker never comes back: when the lease is over, a person sees it."""
    house = House(policy(route("all", "slack")))
    house.see("db", CRITICAL)
    leased = house.lease("slack")
    assert leased is not None
    house.reload(policy(route("all", "mail")))
    house.wait(61)
    assert house.disk.rows[leased.id].settlement is Settlement.DEAD


def test_a_rule_that_cannot_be_evaluated_fails_alone_and_holds_its_state() -> None:
    """'An evaluation error holds the state', and the rules beside it are judged."""
    house = told()
    labels = ({"x": "1", "host": "a"}, {"x": "1", "host": "b"})
    ms = round(house.now.timestamp() * 1000)
    source = Block({Labels.of({"__name__": name} | one): [(ms, 1.0)] for name in ("a", "b") for one in labels})
    broken = make("db", "a * on (x) b")
    outcome = decide([broken, make("web")], ALL, house.state, source, house.now, {"web": []})
    house.state.apply(outcome)
    assert list(outcome.failures) == ["db"]
    assert outcome.evaluated == ("web",)
    assert house.state.failures.keys() == {"db"}
    assert house.state.alerts.of("db")[DB].severity is WARNING
    house.see("db", WARNING)
    assert house.state.failures == {}
