"""Readings: rules that look back beyond the head are observed by readers, so that the desk waits for no disk.

due ──► begin: a reader observes, as of now ──► arrived: what it found waits ──► decided with it, and forgotten
                      │
                      '── the rule changed, or nobody looked meanwhile: what it finds counts for nothing
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sentinel.core.alert import Alert, Observed
from sentinel.core.clock import to_ms
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, Source
from sentinel.engine.decide import Observations, Seen, known
from sentinel.probes.probe import Probe
from sentinel.probes.promql import Promql
from sentinel.rules.grouped import Recording
from sentinel.rules.observe import observe
from sentinel.rules.rule import Rule
from sentinel.rules.unreachable import unreachable
from sentinel.store.history import History
from sentinel.store.remote import Remote, RemoteUnavailable

log = structlog.get_logger()

#: What looks back further is answered from disk, by readers.
_LONGEST = timedelta(hours=1)
#: Samples may be ahead of the clock by so much.
_AHEAD = timedelta(minutes=1)


def span(rules: Iterable[Rule | Recording]) -> timedelta:
    """Return how long the head must keep samples, to answer all of these rules that look back an hour at most."""
    longest = max((back for rule in rules if (back := _back(rule)) <= _LONGEST), default=timedelta())
    return longest + timedelta(milliseconds=DEFAULT_LOOKBACK_MS) + _AHEAD


def _back(rule: Rule | Recording) -> timedelta:
    return max((rule.window, *(read.window for read in rule.reads)))


@dataclass(frozen=True, slots=True)
class Reading:
    """A rule that is being observed by a reader; compared by identity."""

    rule: Rule
    at: datetime


class Readings:
    """What readers do for the desk; only on its thread.

    Args:
        readers: run what may take long.
        history: that they read.
        arrived: called by a reader when it is done; has what it is given run on the desk's thread.
        source: returns what a rule looks at.
        remote: run what waits for servers of others, so that a slow one keeps nobody from the disk.
    """

    def __init__(
        self,
        readers: Executor,
        history: History,
        arrived: Callable[[Callable[[], object]], object],
        source: Callable[[Rule], AbstractContextManager[Source]],
        remote: Executor,
    ) -> None:
        self._readers, self._history, self._arrived = readers, history, arrived
        self._source, self._remote = source, remote
        self._begun: dict[str, Reading] = {}
        self._found: dict[str, Seen] = {}
        self._backs: dict[str, timedelta] = {}

    def needed(self, rule: Rule, now: datetime) -> bool:
        """Say whether a rule looks elsewhere, or further back than the head reaches, and nothing was found yet."""
        if rule.name in self._found or rule.rests(now):
            return False
        if rule.source:
            return True
        if (back := self._backs.get(rule.name)) is None:
            back = self._backs[rule.name] = _back(rule)
        return to_ms(now - back) - DEFAULT_LOOKBACK_MS < self._history.head.since_ms

    def begin(self, rule: Rule, alerts: Mapping[str, Alert], now: datetime, ready: Callable[[], None]) -> None:
        """Let a reader observe a rule as of now; `ready` is called when it has, unless that counts for nothing."""
        reading = self._begun[rule.name] = Reading(rule, now)
        labels = known(alerts)

        looked_at = self._source(rule)

        def read() -> list[Observed]:
            try:
                with looked_at as source:
                    return observe(rule, now, source, labels)
            except RemoteUnavailable as exc:
                log.warning("a source does not answer", rule=rule.name, why=str(exc))
                return unreachable(rule, labels, str(exc))

        def done(future: Future[list[Observed]]) -> None:
            self._arrived(lambda: self._take(reading, future, ready))

        (self._remote if rule.source else self._readers).submit(read).add_done_callback(done)

    @property
    def found(self) -> Observations:
        """What was found and is to be decided with."""
        return self._found

    def decided(self, rule: str) -> None:
        """Forget what was found for a rule: it was decided with."""
        self._begun.pop(rule, None)
        self._found.pop(rule, None)

    def follow(self, rules: Mapping[str, Rule]) -> None:
        """Let what is read for rules that changed, or that are gone, count for nothing."""
        self._backs.clear()
        for name in [name for name, reading in self._begun.items() if rules.get(name) != reading.rule]:
            del self._begun[name]
            self._found.pop(name, None)

    def drop(self) -> list[str]:
        """Let all that is read count for nothing; return the rules concerned."""
        names = list(self._begun)
        self._begun.clear()
        self._found.clear()
        return names

    def _take(self, reading: Reading, future: Future[list[Observed]], ready: Callable[[], None]) -> None:
        if self._begun.get(reading.rule.name) is not reading:
            return
        try:
            self._found[reading.rule.name] = future.result()
        except Exception as exc:  # that rule fails, and no other
            self._found[reading.rule.name] = exc
        ready()


def source_of(rule: Rule, probes: Mapping[str, Probe], history: History) -> AbstractContextManager[Source]:
    """Return what a rule looks at, for a thread that may wait: our own history, or the server that it names."""
    if not rule.source:
        return nullcontext(history.reader())
    probe = probes[rule.source]
    assert isinstance(probe.kind, Promql)  # the configuration was checked
    return Remote(probe.kind.server(probe.name, probe.timeout))
