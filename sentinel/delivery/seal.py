"""Seal: facts are gathered, put into words and written into the row, so that a repetition says the same."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sentinel.core.alert import Alert
from sentinel.core.notification import Notification, Reason, Settlement, Told
from sentinel.delivery import phrases
from sentinel.delivery.facts import digest_of, gather
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Facts, Message
from sentinel.notifiers.notifier import Notifier
from sentinel.routing.telling import Telling

#: A message that leaves later than this after it was due says so.
LATE = timedelta(minutes=1)


class Sealer:
    """Seals what one notifier is sent.

    Args:
        notifier: whose messages they are.
        words: how facts become messages.
        now: when the words are chosen.
        telling: what was committed.
        heard: what the notifier heard, as this transaction has it and nothing that was committed.
    """

    def __init__(
        self, notifier: Notifier, words: Words, now: datetime, telling: Telling, heard: Iterable[Told] = ()
    ) -> None:
        self._notifier, self._words, self._now, self._telling = notifier, words, now, telling
        self._heard: set[str] = set()
        self._heard_in: dict[str, list[Told]] = defaultdict(list)
        for one in heard:
            self._heard.add(one.fingerprint)
            self._heard_in[one.group].append(one)

    def seal(self, rows: Sequence[Notification]) -> tuple[Message, str] | None:
        """Return one message for these rows and its seal, or None if nothing is known any more of what it tells.

        What is sealed already keeps its words.
        """
        first = rows[0]
        if first.sealed:
            return replace(Message.unseal(first.content), again=True), first.content
        told = [self._told(row.group) for row in rows]
        facts = [facts for row, one in zip(rows, told, strict=True) if (facts := self._facts(row, one)) is not None]
        if not facts:
            return None
        # A digest answers no earlier message: it speaks of many groups.
        receipts = [one.receipt for one in told[0] if one.receipt] if len(rows) == 1 else []
        message = self._message(rows, facts, receipts[-1] if receipts else {})
        return message, message.seal()

    def _told(self, group: str) -> list[Told]:
        """Return what the notifier heard in a group's messages of alerts whose end it waits for, the oldest first."""
        name = self._notifier.name
        keys = [key for notifier, key in self._telling.told_in(group) if notifier == name and key not in self._heard]
        told = [self._telling.told_of(key)[name] for key in keys]
        told += [one for one in self._heard_in.get(group, ()) if one.severity is not None]
        return sorted(told, key=lambda one: (one.at, one.fingerprint))

    def _facts(self, row: Notification, told: Sequence[Told]) -> Facts | None:
        news = self._known(row.alerts)
        if row.alerts and not news:
            return None
        others = self._known(one.fingerprint for one in told)
        heard = {one.fingerprint: one.severity for one in told}
        return gather(self._words.agent, self._telling.groups.get(row.group), news, others, self._now, heard)

    def _known(self, fingerprints: Iterable[str]) -> list[Alert]:
        return [alert for fingerprint in fingerprints if (alert := self._telling.alerts.get(fingerprint))]

    def _message(self, rows: Sequence[Notification], facts: Sequence[Facts], earlier: Mapping[str, str]) -> Message:
        now, first = self._now, rows[0]
        late_by = max(now - (row.created_at if row.fallback_of else row.due_at) for row in rows)
        all_facts = facts[0] if len(rows) == 1 else digest_of(facts)
        return self._words.message(
            key=_key(first, now),
            notifier=first.notifier,
            reason=first.reason if len(rows) == 1 else Reason.DIGEST,
            severity=phrases.highest(all_facts.news, max(row.severity for row in rows)),
            facts=all_facts,
            markup=self._notifier.kind.MARKUP,
            earlier=earlier,
            late_by=late_by if late_by > LATE else timedelta(),
        )


def unsealed(row: Notification) -> Notification:
    """Return a row without its words: what has happened since joins it, and it leaves under a new key."""
    return replace(row, key="", content="", digest="", settlement=Settlement.WAITING, leased_until=None)


def _key(row: Notification, now: datetime) -> str:
    """Return an idempotency key: 32 hex digits, so that it can be an event's id at Sentry."""
    made_of = f"{row.id}\n{len(row.attempts)}\n{now.isoformat()}"
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]
