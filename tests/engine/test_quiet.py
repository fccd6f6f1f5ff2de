"""What stops the telling and never the judging: silences, mutes, acknowledgements; and escalation, which one stops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sentinel.core.alert import Condition
from sentinel.core.clock import ManualClock
from sentinel.core.hours import parse_schedule
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.severity import Severity
from sentinel.routing import Escalation, Match, Mute
from tests.engine.house import ALL, DB, House, firing, policy, route

WARNING, ERROR, CRITICAL = Severity.WARNING, Severity.ERROR, Severity.CRITICAL
STEPS = (Escalation(timedelta(minutes=15), ("boss",)), Escalation(timedelta(minutes=45), ("chief",)))
STAIRS = policy(route("all", "slack", escalate=STEPS), notifiers="boss chief")


def test_a_silence_stops_the_telling_never_the_judging() -> None:
    """'A silence … stops the telling, never the judging; when it ends and the alert fires, it is told then'."""
    house = House(ALL)
    house.silence({"rule": "d*"}, minutes=30)
    began = house.now
    house.see("db", CRITICAL)
    house.wait(minutes=29)
    assert house.deliver() == []
    assert house.disk.alerts[DB].severity is CRITICAL
    house.wait(minutes=1)
    assert house.deliver() == ["slack firing"]
    assert house.disk.alerts[DB].fired_at == began


def test_a_rise_under_a_silence_is_told_when_it_ends() -> None:
    """What happened meanwhile is told then, also over a restart."""
    house = firing(WARNING)
    house.silence({"rule": "db"}, minutes=10)
    house.decide()
    house.see("db", CRITICAL)
    house.wait(minutes=5)
    house.crash()
    assert house.deliver() == []
    house.wait(minutes=6)
    assert house.deliver() == ["slack rose"]


def test_a_silence_takes_back_what_nobody_has_leased() -> None:
    """It is set while the group still gathers: the alert is not told, and told when it ends."""
    house = House(ALL)
    house.see("db", WARNING)
    house.silence({"rule": "db"}, minutes=5)
    house.decide()
    house.wait(minutes=4)
    assert house.deliver() == []
    house.wait(minutes=2)
    assert house.deliver() == ["slack firing"]


def test_who_had_not_heard_before_a_silence_hears_when_it_ends() -> None:
    """One receiver has heard, the other is down: the silence ends, and the alert still fires."""
    house = House(policy(route("all", "slack mail")))
    house.see("db", CRITICAL)
    assert house.deliver("slack") == ["slack firing"]
    house.silence({"rule": "db"}, minutes=5)
    house.decide()
    house.wait(minutes=2)
    house.crash()
    assert house.deliver() == []
    house.wait(minutes=5)
    assert house.deliver() == ["mail firing"]


def test_a_mute_by_schedule_holds_until_its_hours_are_over() -> None:
    """'mutes: nights: {match: {severity: warning}, during: …}' and critical is told all the same."""
    hours = parse_schedule({"days": "mon-sun", "from": "22:00", "to": "06:00"})
    muted = policy(route("all", "slack"), mutes=(Mute("nights", Match.of({"severity": "warning"}), hours, "sleep"),))
    house = House(muted, clock=ManualClock(datetime(2026, 1, 5, 23, tzinfo=UTC)))
    house.see("db", WARNING)
    house.see("web", CRITICAL)
    assert house.deliver() == ["slack firing"]
    house.wait(hours=6.9)
    house.see("web", None)
    assert house.deliver() == ["slack resolved"]
    house.wait(hours=0.2)
    assert house.deliver() == ["slack firing"]


def test_an_acknowledgement_stops_repeats_and_escalation() -> None:
    """'An acknowledgement stops repeats and escalation … and ends with the alert, with a rise, or after 8 h'."""
    steps = (Escalation(timedelta(minutes=15), ("boss",)),)
    house = firing(WARNING, policy(route("all", "slack", escalate=steps), notifiers="boss"))
    house.acknowledge(DB)
    house.wait(hours=7.9)
    assert house.deliver() == []
    house.wait(hours=5)
    assert house.deliver() == ["slack reminder", "boss escalation"]
    house.acknowledge(DB)
    house.see("db", ERROR)
    assert house.deliver() == ["slack rose"]
    house.wait(minutes=15)
    assert house.deliver() == ["boss escalation"]


def test_escalation_counts_from_the_first_message_at_this_severity() -> None:
    """'Escalation counts from the first message at this severity.' Who was called so hears the resolve too."""
    steps = (Escalation(timedelta(minutes=15), ("boss",)),)
    house = House(policy(route("all", "slack", escalate=steps), notifiers="boss"))
    house.see("db", WARNING)
    house.wait(minutes=14)
    assert house.deliver() == ["slack firing"]
    house.see("db", CRITICAL)
    house.wait(minutes=14)
    assert house.deliver() == ["slack rose"]
    house.wait(minutes=1)
    assert house.deliver() == ["boss escalation"]
    house.see("db", None)
    assert sorted(house.deliver()) == ["boss resolved", "slack resolved"]


def test_a_silence_that_overlaps_another_holds_until_its_own_end() -> None:
    """The first to end is not the end."""
    house = House(ALL)
    house.silence({"rule": "db"}, minutes=10)
    house.silence({"severity": "critical"}, minutes=20)
    house.see("db", CRITICAL)
    house.wait(minutes=19)
    assert house.deliver() == []
    house.wait(minutes=1)
    assert house.deliver() == ["slack firing"]


def test_a_silence_ended_early_tells_at_once() -> None:
    """'when it ends and the alert fires, it is told then'."""
    house = House(ALL)
    silence = house.silence({"rule": "db"}, minutes=60)
    house.see("db", CRITICAL)
    house.wait(minutes=5)
    assert house.deliver() == []
    house.state.unsilenced(silence.id)
    house.decide()
    assert house.deliver() == ["slack firing"]


def test_a_silence_that_ends_while_the_agent_is_down_is_told_after_a_look() -> None:
    """'each rule is evaluated on fresh data first': what is over by then is told to nobody."""
    fires, is_over = House(ALL), House(ALL)
    for house in (fires, is_over):
        house.silence({"rule": "db"}, minutes=5)
        house.see("db", CRITICAL)
        house.crash(3600)
        house.decide()
        assert house.deliver() == []
        house.see("db", CRITICAL if house is fires else None)
        house.wait(20)
    assert fires.deliver() == ["slack firing"]
    assert is_over.deliver() == []


def test_a_silence_over_what_was_told_stops_reminders_and_escalation() -> None:
    """They go on when it ends; the firing itself is not told again."""
    house = firing(ERROR, STAIRS)
    house.silence({"rule": "db"}, minutes=5 * 60)
    house.decide()
    house.wait(hours=4.9)
    assert house.deliver() == []
    house.wait(hours=4)
    assert house.deliver("slack") == ["slack reminder"]


NAMED = {"business-hours": parse_schedule({"days": "mon-fri", "from": "09:00", "to": "18:00"})}


@pytest.mark.parametrize(
    ("during", "timezone", "fires_at", "told_at"),
    [
        pytest.param({"from": "22:00", "to": "06:00"}, "UTC", "2026-01-05 23:00", "2026-01-06 06:00", id="midnight"),
        pytest.param("!business-hours", "UTC", "2026-01-09 20:00", "2026-01-12 09:00", id="outside of named hours"),
        pytest.param(
            {"from": "22:00", "to": "06:00"}, "Europe/Berlin", "2026-03-28 22:00", "2026-03-29 04:00", id="spring"
        ),
        pytest.param(
            {"from": "22:00", "to": "06:00"}, "Europe/Berlin", "2026-10-24 21:00", "2026-10-25 05:00", id="autumn"
        ),
        pytest.param(
            {"cron": "0 2 * * sun", "lasts": "2h"}, "UTC", "2026-01-11 02:30", "2026-01-11 04:00", id="by cron"
        ),
        pytest.param(
            {"start": "2026-01-05 20:00", "end": "2026-01-05 23:00"},
            "America/New_York",
            "2026-01-06 02:00",
            "2026-01-06 04:00",
            id="once",
        ),
        pytest.param(
            ["!business-hours", {"days": "mon", "from": "08:00", "to": "12:00"}],
            "UTC",
            "2026-01-11 12:00",
            "2026-01-12 12:00",
            id="any of a list",
        ),
    ],
)
def test_a_mute_ends_with_its_hours(during: Any, timezone: str, fires_at: str, told_at: str) -> None:
    """Whatever form the schedule has, and whatever the clocks of its zone do meanwhile; with its true start."""
    began, ends = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (fires_at, told_at))
    mute = Mute("nights", Match.of({"severity": "critical"}), parse_schedule(during, NAMED, timezone), "nobody acts")
    house = House(policy(route("all", "slack"), mutes=(mute,)), clock=ManualClock(began))
    house.see("db", CRITICAL)
    house.wait((ends - began).total_seconds() - 1)
    assert house.deliver() == []
    house.wait(1)
    assert house.deliver() == ["slack firing"]
    assert house.disk.alerts[DB].fired_at == began


def test_an_acknowledgement_covers_the_alerts_that_the_group_has_now() -> None:
    """What joins later is told, and reminded of."""
    house = House(policy(route("all", "slack", group_by=("owner",))))
    house.see("db", ERROR)
    house.wait(10)
    house.deliver()
    house.acknowledge(DB)
    house.wait(minutes=5)
    house.see("web", ERROR)
    house.wait(10)
    assert house.deliver() == ["slack joined"]
    house.wait(hours=4)
    assert house.deliver() == ["slack reminder"]
    assert list(house.heard[-1].alerts) == [fingerprint("web", Labels())]


def test_an_acknowledgement_ends_with_a_rise_also_if_it_falls_back() -> None:
    """What was taken in hand was less than what it became."""
    house = firing(WARNING)
    house.acknowledge(DB)
    for level in (ERROR, WARNING):
        house.see("db", level)
        house.wait(minutes=2)
        house.deliver()
    assert house.disk.acknowledgements[DB].ends_at < house.now
    house.wait(hours=4)
    assert house.deliver() == ["slack reminder"]


def test_an_acknowledgement_ends_with_the_alert() -> None:
    """When it fires again, nobody has it in hand."""
    house = firing(ERROR)
    house.acknowledge(DB)
    house.see("db", None)
    house.deliver()
    assert not house.disk.acknowledgements
    house.see("db", ERROR)
    house.wait(minutes=2)
    assert house.deliver() == ["slack firing"]
    house.wait(hours=4)
    assert house.deliver() == ["slack reminder"]


def test_each_step_of_an_escalation_is_taken_once() -> None:
    """Also over a restart; whoever heard so hears the resolve."""
    house = firing(ERROR, STAIRS)
    heard = []
    for _ in range(6):
        house.wait(minutes=10)
        house.see("db", ERROR)
        heard += house.deliver()
        house.crash()
        house.see("db", ERROR)
    assert heard == ["boss escalation", "chief escalation"]
    house.see("db", None)
    assert sorted(house.deliver()) == ["boss resolved", "chief resolved", "slack resolved"]


def test_a_new_height_begins_the_escalation_anew() -> None:
    """'Escalation counts from the first message at this severity.': the boss, who knows of the error, hears of more."""
    house = firing(ERROR, STAIRS)
    house.wait(minutes=20)
    assert house.deliver() == ["boss escalation"]
    house.see("db", CRITICAL)
    assert house.deliver() == ["slack rose"]
    house.wait(minutes=14)
    assert house.deliver() == []
    house.wait(minutes=1)
    assert house.deliver() == ["boss escalation"]


def test_a_step_that_fell_due_in_somebodys_hands_is_taken_when_he_lets_go() -> None:
    """'An acknowledgement stops repeats and escalation': they go on when it is taken back, at once."""
    house = firing(ERROR, STAIRS)
    house.acknowledge(DB)
    house.wait(minutes=40)
    assert house.deliver() == []
    house.state.unacknowledged(DB, house.now)
    house.decide()
    assert house.deliver() == ["boss escalation"]
    house.wait(minutes=3)
    assert house.deliver() == ["chief escalation"]


def test_a_step_that_fell_due_under_a_silence_is_taken_when_it_ends() -> None:
    """'when it ends and the alert fires, it is told then', also where the silence is ended before its time."""
    house = firing(ERROR, STAIRS)
    silence = house.silence({"rule": "db"}, minutes=300)
    house.decide()
    house.wait(minutes=60)
    assert house.deliver() == []
    house.state.unsilenced(silence.id)
    house.decide()
    assert house.deliver() == ["boss escalation", "chief escalation"]


def test_who_is_on_the_route_no_more_hears_that_when_the_silence_ends() -> None:
    """'those no longer on its route hear that once': a fall under a silence is no way to keep them in the dark."""
    pages = policy(route("pages", "mail", {"severity": "critical"}, continue_=True), route("rest", "slack"))
    house = firing(CRITICAL, pages)
    house.silence({"rule": "db"}, minutes=30)
    house.decide()
    house.see("db", WARNING)
    house.wait(minutes=20)
    assert house.deliver() == []
    house.wait(minutes=11)
    assert sorted(house.deliver()) == ["mail rerouted", "slack updated"]
    house.wait(hours=5)
    assert house.deliver() == ["slack reminder"]
    house.see("db", None)
    assert sorted(house.deliver()) == ["mail resolved", "slack resolved"]


def test_that_there_are_no_data_is_told_when_the_silence_ends() -> None:
    """'those who were told hear once "no data since 02:10"', if not then, then later."""
    house = firing(ERROR)
    house.silence({"rule": "db"}, minutes=60)
    for _ in range(80):
        house.see("db", Condition.UNKNOWN)
        house.wait(minutes=1)
    assert house.deliver() == ["slack no data"]


def test_an_update_on_its_way_stands_in_no_reminders_way() -> None:
    """Where the message is kept at the newest value, and that moves all the time, people are reminded nevertheless."""
    house = firing()
    heard = []
    for minute in range(250):
        house.see("db", WARNING, value=str(minute))
        house.wait(minutes=1)
        heard += house.deliver()
    assert heard.count("slack reminder") == 1
    assert heard.count("slack updated") > 200


def test_a_mute_that_begins_before_a_late_word_is_sent_keeps_it_until_its_end() -> None:
    """The receiver is down as the mute begins; a look at the group's reminder finds it, and takes the word back."""
    mute = Mute("breaks", Match(), parse_schedule({"cron": "0 * * * *", "lasts": "30m"}), "a break")
    began = datetime(2026, 1, 5, 10, 50, tzinfo=UTC)
    house = House(
        policy(route("all", "slack", escalate=STEPS), notifiers="boss", mutes=(mute,)), clock=ManualClock(began)
    )
    house.see("db", WARNING)
    house.wait(minutes=21)
    assert house.deliver() == []
    house.wait(minutes=29)
    assert house.deliver() == ["slack firing"]
