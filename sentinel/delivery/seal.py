"""Seal: facts are gathered, put into words and written into the row, so that a repetition says the same."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sentinel.core.alert import Alert
from sentinel.core.notification import Group, Notification, Reason, Settlement, Told
from sentinel.delivery import phrases
from sentinel.delivery.facts import digest_of, gather
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Facts, Message
from sentinel.notifiers.notifier import Notifier

if TYPE_CHECKING:
    from sentinel.store.database import Transaction

#: A message that leaves later than this after it was due says so.
LATE = timedelta(minutes=1)


class Sealer:
    """Seals what one notifier is sent; what is known of all of it is at hand.

    Args:
        notifier: whose messages they are.
        words: how facts become messages.
        now: when the words are chosen.
        told: what the notifier heard in the groups concerned.
        alerts: by fingerprint, those concerned at least.
        groups: by key, likewise.
    """

    def __init__(
        self,
        notifier: Notifier,
        words: Words,
        now: datetime,
        told: Iterable[Told],
        alerts: Mapping[str, Alert],
        groups: Mapping[str, Group],
    ) -> None:
        self._notifier, self._words, self._now = notifier, words, now
        self._told: dict[str, list[Told]] = defaultdict(list)
        for one in told:
            self._told[one.group].append(one)
        self._alerts, self._groups = alerts, groups

    @classmethod
    def over(
        cls, tx: Transaction, notifier: Notifier, words: Words, now: datetime, rows: Sequence[Notification]
    ) -> Sealer:
        """Return one for these rows; what is known of all of them is read at once."""
        fresh = [row for row in rows if not row.sealed]
        keys = {row.group for row in fresh}
        told = [one for one in tx.told.of(notifier.name, keys) if one.severity is not None]
        alerts = tx.alerts.some([*(key for row in fresh for key in row.alerts), *(one.fingerprint for one in told)])
        return cls(notifier, words, now, told, alerts, tx.groups.some(keys))

    def seal(self, rows: Sequence[Notification]) -> tuple[Message, str] | None:
        """Return one message for these rows and its seal, or None if nothing is known any more of what it tells.

        What is sealed already keeps its words.
        """
        first = rows[0]
        if first.sealed:
            return replace(Message.unseal(first.content), again=True), first.content
        facts = [facts for row in rows if (facts := self._facts(row)) is not None]
        if not facts:
            return None
        message = self._message(rows, facts)
        return message, message.seal()

    def _facts(self, row: Notification) -> Facts | None:
        news = self._known(row.alerts)
        if row.alerts and not news:
            return None
        told = self._told[row.group]
        others = self._known(one.fingerprint for one in told)
        heard = {one.fingerprint: one.severity for one in told}
        return gather(self._words.agent, self._groups.get(row.group), news, others, self._now, heard)

    def _known(self, fingerprints: Iterable[str]) -> list[Alert]:
        return [alert for fingerprint in fingerprints if (alert := self._alerts.get(fingerprint))]

    def _message(self, rows: Sequence[Notification], facts: Sequence[Facts]) -> Message:
        now, first = self._now, rows[0]
        late_by = max(now - (row.created_at if row.fallback_of else row.due_at) for row in rows)
        all_facts = facts[0] if len(rows) == 1 else digest_of(facts)
        # A digest answers no earlier message: it speaks of many groups.
        receipts = [told.receipt for told in self._told[first.group] if told.receipt] if len(rows) == 1 else []
        return self._words.message(
            key=_key(first, now),
            notifier=first.notifier,
            reason=first.reason if len(rows) == 1 else Reason.DIGEST,
            severity=phrases.highest(all_facts.news, max(row.severity for row in rows)),
            facts=all_facts,
            markup=self._notifier.kind.MARKUP,
            earlier=receipts[-1] if receipts else {},
            late_by=late_by if late_by > LATE else timedelta(),
        )


def unsealed(row: Notification) -> Notification:
    """Return a row without its words: what has happened since joins it, and it leaves under a new key."""
    return replace(row, key="", content="", digest="", settlement=Settlement.WAITING, leased_until=None)


def _key(row: Notification, now: datetime) -> str:
    """Return an idempotency key: 32 hex digits, so that it can be an event's id at Sentry."""
    made_of = f"{row.id}\n{len(row.attempts)}\n{now.isoformat()}"
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]
