"""rate_limit: what is over it is told in one digest; what is critical knows no limit."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Notification, Reason, Settlement
from sentinel.core.severity import Severity
from sentinel.delivery.couriers import Couriers
from sentinel.delivery.deadletters import retry
from sentinel.delivery.pace import FRESH, Pace
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier
from sentinel.notifiers.rate import Rate
from tests.delivery.house import House
from tests.delivery.test_deliver import scripted, until, working
from tests.notifiers.messages import alert

TWO_A_MINUTE = Rate.parse("2/min")


def slack(house: House) -> Notifier:
    return house.notifier(rate_limit=TWO_A_MINUTE)


def owe(house: House, name: str, severity: Severity = Severity.WARNING, *, over: bool = False) -> Notification:
    reason = Reason.RESOLVED if over else Reason.FIRING
    return house.owe(alert(n=name, severity=severity, over=over), group=name, reason=reason, severity=severity)


def send_all(house: House, notifier: Notifier) -> list[Message]:
    """Send whatever may be sent now."""
    sent = []
    while parcels := house.lease(notifier, space=8).leased.parcels:
        for parcel in parcels:
            sent.append(parcel.message)
            house.settle(notifier, parcel, n=str(len(sent)))
    return sent


@pytest.mark.parametrize(("text", "count", "seconds"), [("1/s", 1, 1), ("20/min", 20, 60), (" 100 / h ", 100, 3600)])
def test_a_rate_is_a_number_of_messages_in_a_time(text: str, count: int, seconds: int) -> None:
    assert Rate.parse(text) == Rate(count, timedelta(seconds=seconds))


@pytest.mark.parametrize("text", ["20", "20/m", "0/min", "1.5/min", "-1/s", "20/minute"])
def test_what_is_no_rate_is_refused_with_a_proposal(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 1/s, 20/min|leave it out"):
        Rate.parse(text)


def test_the_last_message_that_has_room_tells_all_the_others(house: House) -> None:
    notifier = slack(house)
    rows = [owe(house, name) for name in "abcde"]
    first, digest = send_all(house, notifier)
    assert sorted(message.reason for message in (first, digest)) == [Reason.DIGEST, Reason.FIRING]
    assert {house.row(row.id).settlement for row in rows} == {Settlement.DELIVERED}


def test_what_is_over_the_limit_waits_and_is_one_digest_when_the_limit_allows(house: House) -> None:
    notifier = slack(house)
    for name in "ab":
        owe(house, name)
        assert [message.reason for message in send_all(house, notifier)] == [Reason.FIRING]
        house.pass_time(seconds=10)
    for name in "cde":
        owe(house, name)
        assert send_all(house, notifier) == []
    assert house.lease(notifier).next_at == house.now + timedelta(seconds=40)
    house.pass_time(seconds=40)
    [digest] = send_all(house, notifier)
    assert digest.reason is Reason.DIGEST
    assert [group.labels for group in digest.facts.groups] == [{"rule": "x"}] * 3
    assert {fact.labels["n"] for fact in digest.facts.news} == {"c", "d", "e"}


def test_no_stretch_of_a_minute_sees_more_than_the_limit(house: House) -> None:
    notifier, sent = slack(house), []
    for second in range(240):
        if second % 3 == 0:
            owe(house, f"n{second}")
        sent += [house.now for _ in send_all(house, notifier)]
        house.pass_time(seconds=1)
    for began in sent:
        assert sum(began <= at < began + timedelta(minutes=1) for at in sent) <= 2
    assert len(sent) == 8


def test_a_digest_names_groups_counts_the_worst_severity_and_links(house: House) -> None:
    notifier = slack(house)
    house.owe(alert(n="1", severity=Severity.WARNING), alert(n="2", severity=Severity.ERROR), group="g1")
    owe(house, "b", over=True)
    owe(house, "c")
    digest = next(message for message in send_all(house, notifier) if message.reason is Reason.DIGEST)
    assert digest.title.startswith("Held back (")
    assert "in 2 groups" in digest.title
    assert "rate limit of slack" in digest.text
    assert "RESOLVED (warning)  pages" in digest.text
    assert "runbook    https://" in digest.text


def test_a_digest_or_rate_limit_never_holds_back_a_critical_alert(house: House) -> None:
    """DESIGN: "A digest or rate limit never holds back a critical alert." Nor its end."""
    notifier = slack(house)
    for name in "abcd":
        owe(house, name)
    send_all(house, notifier)
    owe(house, "held")
    for number in range(5):
        owe(house, f"critical{number}", Severity.CRITICAL)
    assert [message.severity for message in send_all(house, notifier)] == [Severity.CRITICAL] * 5
    owe(house, "critical0", Severity.CRITICAL, over=True)
    [end] = send_all(house, notifier)
    assert end.resolved


@pytest.mark.parametrize("space", [1, 3, 4, 8])
def test_what_is_critical_takes_its_room_before_all_else(house: House, space: int) -> None:
    """It is never held back and counts: beside three of it a limit of four leaves room for one digest."""
    notifier, sent = house.notifier(rate_limit=Rate.parse("4/min")), []
    for name in "abcd":
        owe(house, name)
        owe(house, f"critical-{name}", Severity.CRITICAL) if name != "d" else None
    while parcels := house.lease(notifier, space).leased.parcels:
        sent += [parcel.message.reason for parcel in parcels]
        for parcel in parcels:
            house.settle(notifier, parcel)
    assert sorted(sent) == [Reason.DIGEST, *[Reason.FIRING] * 3]
    assert {row.settlement for row in house.rows()} == {Settlement.DELIVERED}


def test_after_a_crash_a_digest_is_the_same_words_under_the_same_key(house: House) -> None:
    notifier = slack(house)
    rows = [owe(house, name) for name in "abcd"]
    digest = next(parcel for parcel in house.lease(notifier, 8).leased.parcels if len(parcel.rows) > 1)
    owe(house, "later")
    house.pass_time(minutes=5)
    house.pace = FRESH
    house.reclaim()
    again = [parcel for parcel in house.lease(notifier, 8).leased.parcels if len(parcel.rows) > 1]
    assert [parcel.message.key for parcel in again] == [digest.message.key]
    assert (again[0].message.title, again[0].message.text) == (digest.message.title, digest.message.text)
    assert again[0].message.again
    assert {row.id for row in again[0].rows} == {row.id for row in digest.rows} <= {row.id for row in rows}


def test_all_that_a_digest_tells_is_settled_at_once_and_each_alert_was_told(house: House) -> None:
    """So that each resolve goes to those who heard of it, in a message that answers none of another group."""
    notifier = slack(house)
    rows = [owe(house, name) for name in "abc"]
    send_all(house, notifier)
    for row in rows:
        told = house.told("slack", row.alerts[0])
        assert told
        assert (told.group, told.severity) == (row.group, Severity.WARNING)
        assert told.receipt == ({} if house.row(row.id).digest else {"n": "2"})
    house.pass_time(minutes=1)
    owe(house, "c", over=True)
    [end] = send_all(house, notifier)
    assert end.resolved
    assert end.earlier == {}


def test_a_digest_that_was_surely_refused_is_made_anew(house: House) -> None:
    """What happened meanwhile joins it, under a new key."""
    notifier = slack(house)
    rows = [owe(house, name) for name in "abc"]
    digest, single = house.lease(notifier, 8).leased.parcels
    house.settle(notifier, digest, TryAgain("500"))
    house.settle(notifier, single)
    waiting = [house.row(row.id) for row in rows if house.row(row.id).settlement is Settlement.WAITING]
    assert [(row.key, row.digest, row.tries) for row in waiting] == [("", "", 1)] * 2
    owe(house, "d")
    house.pass_time(minutes=1)
    messages = send_all(house, notifier)
    assert sum(len(message.facts.news) for message in messages) == 3
    assert digest.message.key not in {message.key for message in messages}


def test_a_digest_whose_fate_is_unknown_is_sent_again_as_it_was(house: House) -> None:
    notifier = slack(house)
    for name in "abc":
        owe(house, name)
    digest, single = house.lease(notifier, 8).leased.parcels
    house.settle(notifier, single)
    house.settle(notifier, digest, TryAgain("no answer", sure=False))
    house.pass_time(minutes=2)
    [again] = send_all(house, notifier)
    assert (again.key, again.again) == (digest.message.key, True)
    assert {row.settlement for row in house.rows()} == {Settlement.DELIVERED}


def test_each_notification_of_a_digest_that_is_given_up_is_a_dead_letter_of_its_own(house: House) -> None:
    """Retried by hand, it is told by itself."""
    notifier = slack(house)
    for name in "abc":
        owe(house, name)
    digest, single = house.lease(notifier, 8).leased.parcels
    house.settle(notifier, single)
    house.settle(notifier, digest, GiveUp("slack: channel_not_found"))
    dead = [row for row in house.rows() if row.settlement is Settlement.DEAD]
    assert [row.why for row in dead] == ["slack: channel_not_found"] * 2
    house.pass_time(minutes=1)
    with house.database.begin() as tx:
        retry(tx, dead[1].id, "ann", house.now)
    [message] = send_all(house, notifier)
    assert [fact.fingerprint for fact in message.facts.news] == list(dead[1].alerts)


def test_the_limit_holds_over_a_restart(house: House) -> None:
    """What was sent lately is read from the outbox; a digest was one message."""
    notifier = slack(house)
    for name in "abcd":
        owe(house, name)
    send_all(house, notifier)
    with house.database.read() as tx:
        house.pace = Pace.resumed(tx.notifications.tried_since("slack", house.now - TWO_A_MINUTE.per))
    owe(house, "e")
    assert send_all(house, notifier) == []
    house.pass_time(minutes=1)
    assert len(send_all(house, notifier)) == 1


def test_a_new_value_is_in_no_digest(house: House) -> None:
    """It changes the message that is there, and calls nobody."""
    notifier = slack(house)
    owe(house, "a")
    house.owe(alert(n="b", severity=Severity.WARNING), group="b", reason=Reason.UPDATED)
    owe(house, "c")
    owe(house, "d")
    messages = send_all(house, notifier)
    assert [message.reason for message in messages if message.quiet] == [Reason.UPDATED]
    assert all(fact.labels["n"] != "b" for message in messages if message.facts.groups for fact in message.facts.news)


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        pytest.param(TryAgain("no connection"), False, id="refused for the time being"),
        pytest.param(TryAgain("no answer", sure=False), True, id="perhaps taken"),
        pytest.param(GiveUp("channel_not_found"), True, id="refused for good"),
    ],
)
@pytest.mark.parametrize("restarts", [False, True])
async def test_what_reached_nobody_does_not_use_up_the_rate(
    house: House, error: Exception, *, waits: bool, restarts: bool
) -> None:
    """One refused connection must not keep a message waiting for the rest of the hour; a restart knows as much."""
    notifier = house.notifier(rate_limit=Rate.parse("1/h"))
    scripted(notifier).script.append(error)
    owe(house, "a")
    async with working(house, notifier) as couriers:
        await until(lambda: bool(house.row("0001").attempts))
        owe(house, "b")
        house.pass_time(minutes=1)
        if not restarts:
            await _turns(couriers)
    if restarts:
        async with working(house, notifier) as couriers:
            await _turns(couriers)
    assert len(scripted(notifier).heard) == (1 if waits else 2)


async def _turns(couriers: Couriers) -> None:
    """Let the workers look, and do what they then do."""
    couriers.wake("slack")
    for _ in range(30):
        await asyncio.sleep(0)


async def test_what_was_leased_and_given_back_does_not_use_up_the_rate(house: House) -> None:
    """The first of ten is refused, and the others are not sent: the receiver that is back has its whole rate."""
    notifier = house.notifier(rate_limit=Rate.parse("10/h"))
    scripted(notifier).script.append(TryAgain("503"))
    scripted(notifier).hold(lambda: asyncio.sleep(0))
    rows = [owe(house, str(n)) for n in range(10)]
    async with working(house, notifier) as couriers:
        await until(lambda: bool(house.row("0001").attempts))
        house.pass_time(minutes=1)
        couriers.wake("slack")
        await until(lambda: all(house.row(row.id).settlement is Settlement.DELIVERED for row in rows))
