"""Turns: groups of Prometheus rule files are evaluated by readers, so that the desk waits for no long group.

a slot comes ──► begin: a reader evaluates the group as of the slot ──► the turn waits ──► decided with, and forgotten
                       │
                       '── the tree changed, or nobody looked meanwhile: what it finds counts for nothing
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime

import structlog

from sentinel.core.labels import Labels
from sentinel.core.sample import Batch
from sentinel.engine.slots import Slots
from sentinel.engine.state import State
from sentinel.engine.turn import Turn, batch_of, series_of, take_turn
from sentinel.rules.grouped import RuleGroup
from sentinel.store.history import History

log = structlog.get_logger()


class Turns:
    """What readers evaluate for the desk; only on its thread.

    Args:
        groups: all of them.
        readers: run what may take long.
        history: that they read.
        arrived: called by a reader when it is done; has what it is given run on the desk's thread.
        now: the instant.
    """

    def __init__(
        self,
        groups: Sequence[RuleGroup],
        readers: Executor,
        history: History,
        arrived: Callable[[Callable[[], object]], object],
        now: datetime,
    ) -> None:
        self.slots = Slots(groups, now)
        self._groups, self._readers, self._history, self._arrived = groups, readers, history, arrived
        self._begun: dict[str, object] = {}
        self._written: dict[str, frozenset[Labels]] = {}
        self.found: tuple[Turn, ...] = ()

    def begin(self, state: State, now: datetime) -> tuple[Turn, ...]:
        """Let readers evaluate the groups whose slot has come, and return what they found of earlier ones.

        A group that is still at its last slot misses this one.
        """
        for group, slot in self.slots.due(now):
            self.slots.taken(group, slot)
            if group.key in self._begun:
                self.slots.missed[group.key] += 1
                log.warning("a group takes longer than its interval", group=group.key)
            else:
                self._begin(group, slot, state)
        return self.found

    def decided(self, turns: Iterable[Turn]) -> None:
        """Forget turns that were decided with; what their rules wrote is what they have."""
        for turn in turns:
            self._begun.pop(turn.group.key, None)
            for rule, batch in turn.batches.items():
                self._written[rule] = frozenset(map(series_of, batch.samples))
        self.found = ()

    def reload(self, groups: Sequence[RuleGroup], now: datetime) -> list[Batch]:
        """Take over other groups; return what ends the series of rules that are gone."""
        before, self._groups = self._groups, groups
        same = {group.key for group in groups if group in before}
        self._begun = {key: begun for key, begun in self._begun.items() if key in same}
        self.found = tuple(turn for turn in self.found if turn.group.key in same)
        self.slots.reload(groups, now)
        kept = {rule.name for group in groups for rule in group.rules}
        gone = {rule.name: group for group in before for rule in group.rules if rule.name not in kept}
        for name in gone:
            self._written.pop(name, None)
        return [batch_of(name, (), now, group) for name, group in gone.items()]

    def begin_anew(self, now: datetime) -> None:
        """Let all that is being evaluated count for nothing, and count the slots from now on."""
        self.slots = Slots(self._groups, now)
        self._begun.clear()
        self.found = ()

    @property
    def next_at(self) -> datetime | None:
        """When the next slot is."""
        return self.slots.next_at

    def _begin(self, group: RuleGroup, slot: datetime, state: State) -> None:
        alerts = {rule.name: dict(state.alerts.of(rule.name)) for rule in group.rules}
        written = {rule.name: self._written.get(rule.name, frozenset()) for rule in group.rules}
        source, begun = self._history.reader(), object()
        self._begun[group.key] = begun

        def done(future: Future[Turn]) -> None:
            self._arrived(lambda: self._take(group, slot, begun, future))

        self._readers.submit(take_turn, group, slot, alerts, written, source).add_done_callback(done)

    def _take(self, group: RuleGroup, slot: datetime, begun: object, future: Future[Turn]) -> None:
        if self._begun.get(group.key) is not begun:
            return
        try:
            turn = future.result()
        except Exception as exc:  # that group fails, and no other
            turn = Turn(group, slot, failures={rule.name: f"{type(exc).__name__}: {exc}" for rule in group.rules})
        self.found = (*self.found, turn)
