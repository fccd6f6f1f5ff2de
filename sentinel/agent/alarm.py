"""Alarm: that the database takes nothing is the one thing told from memory, since no row could be written that says so.

While nothing can be written, the desk does not decide `sentinel-database`; the alarm tells it to whom the policy names,
once, and tells the same people when writing works again. What is told so is not in the outbox: after a crash in between
nobody hears of its end.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from sentinel.agent.desk import Desk
from sentinel.agent.pen import RULE
from sentinel.alerts import advance
from sentinel.core.alert import Alert, Change, Patience
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.delivery.facts import gather
from sentinel.delivery.parcel import Result
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier
from sentinel.routing.draft import Draft
from sentinel.routing.hold import hold
from sentinel.routing.places import audience
from sentinel.rules.observe import observe

log = structlog.get_logger()

#: A lock may pass by itself; what will not (a full disk, a file that is read-only) is told at once.
PATIENCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be told, and to whom."""

    alert: Alert
    notifiers: frozenset[str]


def call_for(desk: Desk, now: datetime) -> Call | None:
    """Return what is to be told now, None where nothing is; only on the desk's thread."""
    pen, rule = desk.pen, desk.config.rules.get(RULE)
    if rule is None or pen.unwritten_since is None or not (pen.lasting or now - pen.unwritten_since >= PATIENCE):
        return None
    seen = observe(rule, now, desk.history)
    changes = advance(dict.fromkeys(rule.patience, Patience()), rule.blank, {}, seen, now).transitions
    alert = next((change.alert for change in changes if change.change is Change.FIRED), None)
    if alert is None or hold(alert, Draft(desk.state.telling, desk.config.policy, now, {})):
        return None
    return Call(
        replace(alert, since=pen.unwritten_since, reason=pen.unwritten_why), audience(alert, desk.config.policy)
    )


class Alarm:
    """Tells it, and its end.

    Args:
        send: hands one message to one notifier.
    """

    def __init__(self, send: Callable[[Notifier, Message], Awaitable[Result]]) -> None:
        self._send = send
        self._busy = asyncio.Lock()
        self._told: dict[str, tuple[Alert, Mapping[str, str]]] = {}

    async def tell(self, call: Call | None, notifiers: Mapping[str, Notifier], words: Words, now: datetime) -> None:
        """Tell those who are to hear and did not; what is refused is tried again at the next call.

        The fallback of one who refused is told in his stead, once.
        """
        if call is None or self._busy.locked():
            return
        async with self._busy:
            names, asked = set(call.notifiers), set[str]()
            while names := names & notifiers.keys() - self._told.keys() - asked:
                waiting = [notifiers[name] for name in sorted(names)]
                await asyncio.gather(*(self._tell(one, call.alert, Reason.FIRING, words, now) for one in waiting))
                asked |= names
                names = {one.fallback for one in waiting if one.name not in self._told}

    async def end(self, notifiers: Mapping[str, Notifier], words: Words, now: datetime) -> None:
        """Tell those who heard that writing works again."""
        if not self._told or self._busy.locked():
            return
        async with self._busy:
            for name in self._told.keys() - notifiers.keys():
                del self._told[name]
            over = {
                name: replace(alert, standings={}, reason="the database takes what is written again", changed_at=now)
                for name, (alert, _) in self._told.items()
            }
            await asyncio.gather(
                *(self._tell(notifiers[name], alert, Reason.RESOLVED, words, now) for name, alert in over.items())
            )

    async def _tell(self, notifier: Notifier, alert: Alert, reason: Reason, words: Words, now: datetime) -> None:
        _, earlier = self._told.get(notifier.name, (alert, {}))
        message = words.message(
            key=hashlib.sha256(f"{RULE}\n{notifier.name}\n{reason}\n{alert.since}".encode()).hexdigest()[:32],
            notifier=notifier.name,
            reason=reason,
            severity=alert.severity or alert.peak or Severity.CRITICAL,
            facts=gather(words.agent, None, [alert], (), now),
            markup=notifier.kind.MARKUP,
            earlier=earlier,
        )
        result = await self._send(notifier, message)
        if result.error is not None:
            log.warning("not told from memory", notifier=notifier.name, reason=str(reason), why=str(result.error))
            return
        log.info("told from memory", notifier=notifier.name, reason=str(reason))
        if reason is Reason.RESOLVED:
            del self._told[notifier.name]
        else:
            self._told[notifier.name] = (alert, result.receipt or {})
