"""The outbox under crashes: whatever happens between lease, send and settle, nothing is lost or told in two ways."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.alert import Alert
from sentinel.core.errors import TryAgain
from sentinel.core.notification import Reason, Settlement
from sentinel.notifiers.message import Message
from tests.delivery.house import House
from tests.dice import rolls
from tests.notifiers.messages import alert

#: What may become of one attempt: heard and settled, taken unheard (the agent dies, or the answer is lost), refused,
#: the agent dies before the send, or the answer comes when the lease is long over.
ENDINGS = ("accepted", "taken, then a crash", "taken, answer lost", "refused", "crash before the send", "too late")


class Receiver:
    """Takes messages; one with an idempotency key takes each key once."""

    def __init__(self) -> None:
        self.taken: list[Message] = []

    def take(self, message: Message) -> None:
        """Take a message."""
        self.taken.append(message)

    @property
    def kept(self) -> dict[str, Message]:
        """What is there by key."""
        kept: dict[str, Message] = {}
        for message in self.taken:
            kept.setdefault(message.key, message)
        return kept


@rolls(20)
@given(
    fate=st.lists(st.sampled_from(ENDINGS), max_size=10),
    groups=st.integers(1, 3),
    steps=st.integers(1, 3),
    wait_seconds=st.sampled_from([30, 70, 700]),
)
def test_at_least_once_and_exactly_once_where_there_is_a_key(
    fate: list[str], groups: int, steps: int, wait_seconds: int
) -> None:
    """After any sequence of endings the receiver has each message, once by key, the same words under the same key."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        try:
            receiver = Receiver()
            _live(house, receiver, [*fate], groups, steps, wait_seconds)
            _judge(house, receiver)
        finally:
            house.database.close()


def _live(house: House, receiver: Receiver, fate: list[str], groups: int, steps: int, wait_seconds: int) -> None:
    slack = house.notifier()
    for group in range(groups):
        for step in range(steps):
            house.owe(_alert(group, step, steps), group=str(group), reason=Reason.FIRING)
    for _ in range(500):
        leased = house.lease(slack)
        if not leased.row or not leased.message:
            if all(not row.settlement.open for row in house.rows()):
                return
            house.pass_time(seconds=wait_seconds)
            continue
        ending = fate.pop() if fate else "accepted"
        if ending not in ("refused", "crash before the send"):
            receiver.take(leased.message)
        match ending:
            case "accepted":
                house.settle(slack, leased)
            case "taken, answer lost":
                house.settle(slack, leased, TryAgain("closed", sure=False))
            case "refused":
                house.settle(slack, leased, TryAgain("500"))
            case "too late":
                house.clock.advance(timedelta(seconds=61))
                again = house.lease(slack)
                house.settle(slack, leased)
                if again.row and again.message and again.row.id != leased.row.id:
                    receiver.take(again.message)
                    house.settle(slack, again)
            case _:
                house.reclaim()
    raise AssertionError("it never came to an end")


def _judge(house: House, receiver: Receiver) -> None:
    rows = house.rows()
    assert {row.settlement for row in rows} == {Settlement.DELIVERED}
    delivered = [row.key for row in rows]
    assert set(delivered) <= set(receiver.kept), "nothing is lost"
    assert set(receiver.kept) == set(delivered), "no debt is told under two keys"
    said: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for message in receiver.taken:
        said[message.key].add((message.title, message.text))
    assert all(len(words) == 1 for words in said.values()), "the same words under the same key"
    for group in {row.group for row in rows}:
        order = [row.key for row in rows if row.group == group]
        assert [key for key in receiver.kept if key in order] == order, "in order"


def _alert(group: int, step: int, steps: int) -> Alert:
    return alert(over=step == steps - 1 and steps > 1, n=str(group))
