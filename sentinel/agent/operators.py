"""Operators: what people set at run time; each is one transaction with its audit row, answered when committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import structlog

from sentinel.agent.desk import Desk
from sentinel.config.config import Config
from sentinel.core.alert import Alert
from sentinel.core.clock import Clock
from sentinel.core.errors import StoreUnavailable
from sentinel.core.labels import Labels
from sentinel.core.operator import Acknowledgement, Silence, write_match
from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.engine.state import State
from sentinel.routing.match import Match
from sentinel.routing.telling import Telling
from sentinel.store.database import Database, Transaction

log = structlog.get_logger()
T = TypeVar("T")

#: A part of a fingerprint that is shorter names nothing.
PREFIX_AT_LEAST = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants something, and why.

    Args:
        author: the person, by the name that they gave.
        reason: in their words.
        by: how they asked: which token, from where.
    """

    author: str
    reason: str = ""
    by: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """For the audit."""
        return {"author": self.author, "reason": self.reason, "by": self.by}


class Operators:
    """Sets silences and acknowledgements.

    Args:
        desk: writes them.
        database: is read to say whether a silence ever covered anything.
        clock: what time it is.
        read: runs what reads, in a thread for that.
    """

    def __init__(
        self,
        desk: Desk,
        database: Database,
        clock: Clock,
        read: Callable[[Callable[[], int]], Awaitable[int]],
    ) -> None:
        self._desk, self._database, self._clock, self._read = desk, database, clock, read

    async def silence(self, silence: Silence, by: str) -> Silence:
        """Stop the telling of what it matches, until it ends."""

        def write(tx: Transaction) -> Silence:
            tx.silences.put(silence)
            tx.audit.append(self._clock.now(), "silence", silence.id, {"change": "set", "by": by, **_facts(silence)})
            return silence

        return await self._written(write, lambda state, one: state.silenced(one))

    async def end_silence(self, id_: str, asked: Asked) -> Silence:
        """End a silence before its time; what it held back and still fires is told now.

        Raises:
            LookupError: there is none of this id; the text names a near one.
        """
        if not (found := await self._silences(lambda one: one.id == id_)):
            hint = near(id_, {one.id for one in await self._silences()})
            raise LookupError(f'there is no silence "{id_}"{"; " + hint if hint else ""}')
        why = {"ended_by": asked.author, "ended_because": asked.reason, "by": asked.by}
        return await self._over(found[0], "ended", why)

    async def expire(self) -> None:
        """Write down which silences are over, and whether they ever covered anything."""
        now = self._clock.now()
        for silence in await self._silences(lambda one: one.ends_at <= now):
            try:
                await self._over(silence, "expired", {})
            except (LookupError, StoreUnavailable) as exc:  # somebody was faster; or it is tried again in 15 s
                log.info("the end of a silence is not written down", id=silence.id, why=str(exc))

    async def _silences(self, wanted: Callable[[Silence], bool] = lambda _: True) -> list[Silence]:
        return await self._asked(lambda: [one for one in self._desk.state.telling.silences.values() if wanted(one)])

    async def _over(self, silence: Silence, change: str, facts: Mapping[str, Any]) -> Silence:
        over = replace(silence, ends_at=min(silence.ends_at, self._clock.now()))
        alerts = await self._asked(lambda: tuple(self._desk.state.telling.alerts))
        covered = await self._read(lambda: self._covered(over, alerts))

        def write(tx: Transaction) -> Silence:
            if not tx.silences.remove(over.id):
                raise LookupError(f'silence "{over.id}" is over already')
            body = {"change": change, "covered": covered, **_facts(over), **facts}
            tx.audit.append(self._clock.now(), "silence", over.id, body)
            return over

        await self._written(write, lambda state, one: state.unsilenced(one.id))
        tell = log.info if covered else log.warning
        tell(f"silence {change}", id=over.id, match=write_match(over.match), alerts=covered, author=over.author)
        return over

    def _covered(self, silence: Silence, alerts: Iterable[Alert]) -> int:
        """Count the alerts that went on while a silence held and are what it matches.

        Those that go on are known; those that ended meanwhile left a transition.
        """
        match = Match.of(dict(silence.match))
        if silence.ends_at <= silence.starts_at:
            return 0
        there = (alert for alert in alerts if alert.since is None or alert.since <= silence.ends_at)
        found = {alert.fingerprint for alert in there if match.matches(alert)}
        with self._database.read() as tx:
            for body in tx.audit.between(silence.starts_at, silence.ends_at, "transition"):
                alert = _alert_of(body, self._desk.config)
                if match.matches(alert):
                    found.add(alert.fingerprint)
        return len(found)

    async def acknowledge(
        self, choose: Callable[[Iterable[Alert]], list[Alert]], asked: Asked, ends_at: datetime
    ) -> tuple[Acknowledgement, ...]:
        """Take alerts in hand, and with each all that its group has now: no reminders, no escalation.

        Args:
            choose: picks among the alerts that go on.
            asked: by whom, and why.
            ends_at: until when, if nothing ends it before.

        Raises:
            LookupError: nothing was chosen, or what does not fire.
        """
        now = self._clock.now()

        def write(tx: Transaction) -> tuple[Acknowledgement, ...]:
            telling = self._desk.state.telling
            taken = tuple(
                Acknowledgement(alert.fingerprint, asked.author, asked.reason, now, ends_at, alert.severity)
                for alert in _with_groups(choose(telling.alerts), telling)
                if alert.severity is not None
            )
            if not taken:
                raise LookupError("it does not fire yet, so nobody was told; a silence keeps it so")
            for one in taken:
                body = {"change": "set", "ends_at": _instant(ends_at), "severity": str(one.severity), **asked.facts}
                tx.audit.append(now, "acknowledgement", one.fingerprint, body)
            tx.acknowledgements.put(*taken)
            return taken

        def then(state: State, taken: tuple[Acknowledgement, ...]) -> None:
            for one in taken:
                state.acknowledged(one)

        return await self._written(write, then)

    async def unacknowledge(
        self, choose: Callable[[Iterable[Alert]], list[Alert]], asked: Asked
    ) -> tuple[Acknowledgement, ...]:
        """Let go of alerts again: reminders and escalation go on.

        Raises:
            LookupError: nobody has any of them in hand.
        """

        def write(tx: Transaction) -> tuple[Acknowledgement, ...]:
            telling = self._desk.state.telling
            held = [telling.acknowledgements.get(alert.fingerprint) for alert in choose(telling.alerts)]
            let_go = tuple(one for one in held if one is not None)
            if not let_go:
                raise LookupError("nobody has it in hand")
            for one in let_go:
                tx.acknowledgements.remove(one.fingerprint)
                tx.audit.append(
                    self._clock.now(), "acknowledgement", one.fingerprint, {"change": "ended", **asked.facts}
                )
            return let_go

        def then(state: State, let_go: tuple[Acknowledgement, ...]) -> None:
            for one in let_go:
                state.unacknowledged(one.fingerprint, self._clock.now())

        return await self._written(write, then)

    async def _asked(self, run: Callable[[], T]) -> T:
        """Look at what only the desk's thread may look at."""
        return await asyncio.wrap_future(self._desk.ask(run))

    async def _written(self, do: Callable[[Transaction], T], then: Callable[[State, T], None]) -> T:
        """Write something, let it be true in memory, and wait until it is shown, too."""
        # The state is asked for after the commit: a reload may have replaced it meanwhile.
        answer = await asyncio.wrap_future(self._desk.write(do, lambda answer: then(self._desk.state, answer)))
        await self._asked(lambda: None)  # whatever the turn of the commit changed is published when the next one begins
        return answer


def named(word: str, alerts: Iterable[Alert]) -> list[Alert]:
    """Return the alerts that a person means by a rule's name, a fingerprint, or the beginning of one.

    Raises:
        LookupError: none, or one of several; the text says which there are.
    """
    alerts = list(alerts)
    if of_rule := [alert for alert in alerts if alert.rule == word]:
        return of_rule
    begin = [alert for alert in alerts if alert.fingerprint.startswith(word)] if len(word) >= PREFIX_AT_LEAST else []
    if len(begin) == 1:
        return begin
    if begin:
        several = ", ".join(f"{alert.fingerprint} ({alert.rule}{alert.labels})" for alert in begin[:5])
        raise LookupError(f'"{word}" is the beginning of several: {several}')
    hint = near(word, {*(alert.rule for alert in alerts), *(alert.fingerprint for alert in alerts)}, "those that go on")
    raise LookupError(f'no alert goes on that is called "{word}"{"; " + hint if hint else ""}')


def matched(match: Match, alerts: Iterable[Alert]) -> list[Alert]:
    """Return the alerts that conditions mean.

    Raises:
        LookupError: they mean none.
    """
    found = [alert for alert in alerts if match.matches(alert)]
    if not found:
        raise LookupError(f"no alert goes on that is {match}")
    return found


def _with_groups(alerts: list[Alert], telling: Telling) -> list[Alert]:
    """Return alerts and whatever else is told with them now, each once."""
    keys = dict.fromkeys(key for alert in alerts for key in telling.groups_of(alert.fingerprint))
    members = (telling.alerts.get(member) for key in keys for member in telling.groups[key].alerts)
    found = {alert.fingerprint: alert for alert in (*alerts, *members) if alert is not None}
    return list(found.values())


def _facts(silence: Silence) -> dict[str, Any]:
    return {
        "match": {key: value if isinstance(value, str) else list(value) for key, value in silence.match.items()},
        "author": silence.author,
        "reason": silence.reason,
        "starts_at": _instant(silence.starts_at),
        "ends_at": _instant(silence.ends_at),
    }


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _alert_of(body: Mapping[str, Any], config: Config) -> Alert:
    """Return the alert that a transition in the audit was about, as far as matching asks."""
    rule = config.rules.get(body["rule"])
    blank = rule.blank if rule else Alert(body["rule"], Labels(), {})
    peak = Severity.of(body["severity"]) if body["severity"] else None
    return replace(blank, labels=Labels.of(body["labels"]), peak=peak)
