"""Lease and settle on a real database: what is said, under which key, and what is on disk at each moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Reason, Settlement
from sentinel.core.severity import Severity
from sentinel.delivery.deadletters import retry
from sentinel.delivery.parcel import LEASE
from sentinel.notifiers.message import Message
from tests.delivery.house import House
from tests.notifiers.messages import alert


def test_the_words_are_on_disk_before_the_receiver_sees_them(house: House) -> None:
    row, slack = house.owe(), house.notifier()
    leased = house.lease(slack)
    on_disk = house.row(row.id)
    assert leased.message
    assert on_disk.settlement is Settlement.SENDING
    assert on_disk.leased_until == house.now + LEASE
    assert Message.unseal(on_disk.content) == leased.message
    assert on_disk.key == leased.message.key


def test_nothing_is_leased_before_it_is_due(house: House) -> None:
    house.owe(due_at=house.now + timedelta(seconds=10))
    leased = house.lease(house.notifier())
    assert leased.row is None
    assert leased.next_at == house.now + timedelta(seconds=10)


def test_a_crash_after_the_send_says_the_same_words_under_the_same_key(house: House) -> None:
    """What happened meanwhile does not change them; the receiver can tell that it heard them before."""
    row, slack = house.owe(alert()), house.notifier()
    first = house.lease(slack).message
    house.owe(replace(alert(), value=0.5, texts={"summary": "half of purchases failed"}), notifier="other")
    house.pass_time(minutes=20)
    house.reclaim()
    second = house.lease(slack)
    assert first
    assert second.row
    assert second.row.id == row.id
    assert second.message == replace(first, again=True)


def test_a_lease_that_ran_out_is_taken_again_and_one_that_holds_is_not(house: House) -> None:
    house.owe()
    slack = house.notifier()
    house.lease(slack)
    assert house.lease(slack).row is None
    house.pass_time(seconds=61)
    assert house.lease(slack).row


def test_what_is_accepted_is_told_in_the_same_transaction(house: House) -> None:
    row, slack = house.owe(), house.notifier()
    settled = house.settle(slack, house.lease(slack), channel="C1", ts="1.2", why="posted")
    told = house.told("slack", alert().fingerprint)
    assert told
    assert told.severity is Severity.CRITICAL
    assert told.receipt == {"channel": "C1", "ts": "1.2"}
    assert settled.told == (told,)
    assert house.row(row.id).settlement is Settlement.DELIVERED
    assert house.row(row.id).why == "posted"


def test_the_receipt_comes_back_with_the_groups_next_message(house: House) -> None:
    slack = house.notifier()
    house.owe()
    house.settle(slack, house.lease(slack), ts="1.2")
    house.owe(alert(n="2"), reason=Reason.JOINED)
    message = house.lease(slack).message
    assert message
    assert message.earlier == {"ts": "1.2"}
    assert [fact.news for fact in message.facts.alerts] == [True, False]


def test_a_resolve_is_told_as_over_and_ends_the_thread(house: House) -> None:
    slack = house.notifier()
    house.owe()
    house.settle(slack, house.lease(slack), ts="1.2")
    house.owe(alert(over=True), reason=Reason.RESOLVED)
    over = house.lease(slack)
    assert over.message
    assert over.message.resolved
    assert over.message.earlier == {"ts": "1.2"}
    house.settle(slack, over, ts="1.2")
    told = house.told("slack", alert().fingerprint)
    assert told
    assert told.severity is None
    house.owe()
    fresh = house.lease(slack).message
    assert fresh
    assert fresh.earlier == {}


def test_a_firing_and_its_end_that_waited_together_are_one_message(house: House) -> None:
    slack = house.notifier()
    house.owe(alert(over=True), reason=Reason.FIRING)
    message = house.lease(slack).message
    assert message
    assert message.title.startswith("Resolved: ")
    assert "lasted     5m" in message.text


def test_what_was_surely_refused_is_worded_anew_under_a_new_key(house: House) -> None:
    """So that what happened since is in it."""
    row, slack = house.owe(), house.notifier()
    first = house.lease(slack)
    house.settle(slack, first, TryAgain("500"))
    waiting = house.row(row.id)
    assert (waiting.settlement, waiting.content, waiting.key, waiting.tries) == (Settlement.WAITING, "", "", 1)
    house.pass_time(seconds=2)
    second = house.lease(slack)
    assert first.message
    assert second.message
    assert second.message.key != first.message.key
    assert not second.message.again


def test_what_may_have_been_taken_unheard_keeps_words_and_key(house: House) -> None:
    """Also over refusals that come after it: the first attempt may be the one that was taken."""
    house.owe()
    slack = house.notifier()
    first = house.lease(slack)
    house.settle(slack, first, TryAgain("no answer", sure=False))
    for _ in range(3):
        house.pass_time(minutes=10)
        following = house.lease(slack)
        assert first.message
        assert following.message == replace(first.message, again=True)
        house.settle(slack, following, TryAgain("500"))


def test_what_was_granted_in_part_is_remembered_with_the_words(house: House) -> None:
    house.owe()
    slack = house.notifier()
    house.settle(slack, house.lease(slack), TryAgain("greylisted", done={"accepted": "a@b.c"}))
    house.pass_time(seconds=2)
    message = house.lease(slack).message
    assert message
    assert message.done == {"accepted": "a@b.c"}


def test_a_result_that_comes_after_the_lease_was_lost_changes_nothing(house: House) -> None:
    """Compare and set: a lost race is no error."""
    row, slack = house.owe(), house.notifier()
    lost = house.lease(slack)
    house.settle(slack, lost, TryAgain("500"))
    before = house.row(row.id)
    assert house.settle(slack, lost, GiveUp("late")).notifications == ()
    assert house.row(row.id) == before


def test_one_group_is_told_in_order(house: House) -> None:
    """Nobody hears of an end before the beginning, though the beginning waits for its next attempt."""
    slack = house.notifier()
    house.owe(alert())
    house.owe(alert(n="9"), group="other")
    house.settle(slack, house.lease(slack), TryAgain("500", after=100))
    house.owe(alert(over=True), reason=Reason.RESOLVED)
    other = house.lease(slack)
    assert other.row
    assert other.row.group == "other"
    house.settle(slack, other)
    assert house.lease(slack).row is None


def test_many_that_wait_for_older_ones_keep_no_other_waiting(house: House) -> None:
    slack = house.notifier()
    for number in range(20):
        house.owe(alert(n=str(number)), group=str(number))
        house.settle(slack, house.lease(slack), TryAgain("no answer", after=1000, sure=False))
        house.owe(alert(over=True, n=str(number)), group=str(number), reason=Reason.RESOLVED)
    free = house.owe(alert(n="free"), group="free")
    row = house.lease(slack).row
    assert row
    assert row.id == free.id


def test_an_alert_in_two_groups_is_told_in_order(house: House) -> None:
    slack = house.notifier()
    house.owe(alert(), group="a")
    house.settle(slack, house.lease(slack), TryAgain("500", after=100))
    house.owe(alert(), group="b", reason=Reason.REROUTED)
    assert house.lease(slack).row is None


def test_a_dead_letter_says_why_and_can_be_retried_by_hand(house: House) -> None:
    row, slack = house.owe(), house.notifier()
    house.settle(slack, house.lease(slack), GiveUp("slack: channel_not_found (#oncall)"))
    dead = house.row(row.id)
    assert (dead.settlement, dead.why) == (Settlement.DEAD, "slack: channel_not_found (#oncall)")
    with house.database.begin() as tx:
        retry(tx, row.id, "ann", house.now)
    assert house.lease(slack).row
    with house.database.read() as tx:
        [entry] = tx.audit.newest(1)
    assert (entry.kind, entry.subject, entry.body["author"]) == ("retry", row.id, "ann")
    with house.database.begin() as tx, pytest.raises(LookupError, match="only a dead one"):
        retry(tx, row.id, "ann", house.now)
    with house.database.begin() as tx, pytest.raises(LookupError, match="no delivery"):
        retry(tx, "nothing", "ann", house.now)


def test_after_all_tries_it_is_a_dead_letter(house: House) -> None:
    """Twelve tries take a little more than an hour."""
    row, slack = house.owe(), house.notifier()
    began = house.now
    for _ in range(12):
        leased = house.lease(slack)
        assert leased.row
        last = house.now
        house.settle(slack, leased, TryAgain("500"))
        house.clock.advance(max(timedelta(), (house.row(row.id).next_at or house.now) - house.now))
    dead = house.row(row.id)
    assert (dead.settlement, dead.tries, len(dead.attempts)) == (Settlement.DEAD, 12, 12)
    assert dead.why == "500 (attempt 12 of 12)"
    assert timedelta(minutes=60) < last - began < timedelta(minutes=75)


def test_a_message_that_is_late_says_so(house: House) -> None:
    house.owe(due_at=house.now - timedelta(minutes=12))
    message = house.lease(house.notifier()).message
    assert message
    assert message.late_by == timedelta(minutes=12)
    assert "12m late" in message.text


def test_a_reminder_says_still(house: House) -> None:
    slack = house.notifier()
    house.owe()
    house.settle(slack, house.lease(slack))
    house.owe(reason=Reason.REMINDER)
    message = house.lease(slack).message
    assert message
    assert message.title.startswith("Still critical: ")


def test_what_is_about_nothing_that_is_known_is_withdrawn(house: House) -> None:
    row = house.owe()
    with house.database.begin() as tx:
        tx.alerts.remove(alert().fingerprint)
    house.lease(house.notifier())
    assert house.row(row.id).settlement is Settlement.WITHDRAWN
