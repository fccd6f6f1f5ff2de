"""Jobs: what the desk remembers of those that call, and what it says of them every 15 seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sentinel.core.clock import to_ms
from sentinel.core.errors import SentinelError
from sentinel.core.heartbeat import Heartbeat, Ping
from sentinel.core.problem import near
from sentinel.core.sample import Batch
from sentinel.probes.heartbeat import HeartbeatKind, heartbeat_batch
from sentinel.probes.job import loaded, pinged, resumed
from sentinel.probes.probe import Probe
from sentinel.store.database import Transaction

#: So many jobs that nobody defined are remembered, each until it did not call for so long.
MOST_UNCLAIMED = 100
UNCLAIMED_FOR = timedelta(days=30)


class NoSuchJob(SentinelError):
    """A ping for a heartbeat that the configuration does not have."""


class Jobs:
    """The heartbeats of the configuration; changed on the desk, after the commit, and nowhere else."""

    def __init__(self) -> None:
        self.known: dict[str, Heartbeat] = {}
        self._probes: Mapping[str, Probe] = {}
        self._names: Mapping[str, str] = {}
        self._unsaid: set[str] = set()
        self._said_ms: dict[str, int] = {}

    @property
    def unsaid(self) -> bool:
        """Whether a job called of which nothing was said yet."""
        return bool(self._unsaid)

    def write(
        self, tx: Transaction, probes: Mapping[str, Probe], renamed: Mapping[str, str], now: datetime
    ) -> dict[str, Heartbeat]:
        """Write what is remembered under a configuration, and return it for `follow`.

        A job that was renamed keeps what is remembered of it; of one that is gone nothing is kept. One that called
        before it was defined is remembered while it calls.
        """
        stored = {one.name: one for one in tx.heartbeats.all()}
        earlier = {new: old for old, new in renamed.items()}
        found: dict[str, Heartbeat] = {}
        for name, probe in _jobs(probes).items():
            assert isinstance(probe.kind, HeartbeatKind)
            was = stored.get(name) or _under(stored.get(earlier.get(name, "")), name)
            found[name] = loaded(was, name, probe.kind.timing, now)
        found |= {name: one for name, one in stored.items() if name not in found and _waits(one, now)}
        tx.heartbeats.put(*(one for name, one in found.items() if stored.get(name) != one))
        for name in stored.keys() - found.keys():
            tx.heartbeats.remove(name)
        return found

    def follow(self, probes: Mapping[str, Probe], found: dict[str, Heartbeat]) -> None:
        """Take over what `write` returned, after the commit."""
        self.known, self._probes = found, _jobs(probes)
        self._names = {uuid: name for name, probe in self._probes.items() if (uuid := _uuid(probe))}
        self._unsaid &= self._probes.keys()
        self._said_ms = {name: ms for name, ms in self._said_ms.items() if name in self._probes}

    def work(self, ping: Ping) -> Callable[[Transaction], Heartbeat]:
        """Return how a ping is written.

        Raises:
            NoSuchJob: the configuration has no heartbeat of this name or UUID, and none is to be remembered without.
        """
        name = self._names.get(ping.name, ping.name)
        kind = probe.kind if (probe := self._probes.get(name)) else None
        if kind is None and not (name in self.known or (ping.create and self._may_wait())):
            hint = near(name, set(self._probes), "heartbeats")
            raise NoSuchJob(f'there is no heartbeat "{name}"{"; " + hint if hint else ""}')
        assert kind is None or isinstance(kind, HeartbeatKind)
        timing, metrics = (kind.timing, kind.metrics) if kind else (None, {})

        def do(tx: Transaction) -> Heartbeat:
            # From the table and not from memory: two calls of one job may share a commit.
            was = tx.heartbeats.get(name)
            if was is None:
                was = loaded(None, name, timing, ping.at) if timing else Heartbeat(name, ping.at)
            now = pinged(was, ping, timing, metrics)
            tx.heartbeats.put(now)
            return now

        return do

    def took(self, heartbeat: Heartbeat) -> None:
        """Take over what a ping left; of an unclaimed job nothing is said."""
        self.known[heartbeat.name] = heartbeat
        if heartbeat.name in self._probes:
            self._unsaid.add(heartbeat.name)

    def look(self, now: datetime) -> Iterator[Batch]:
        """Iterate over how each job stands."""
        self._unsaid |= self._probes.keys()
        return self.say(now)

    def say(self, now: datetime) -> Iterator[Batch]:
        """Iterate over how the jobs stand of which there is something to say.

        A series has one sample a millisecond: what a job called in the one of its last samples is said in the next.
        """
        ms = to_ms(now)
        for name in [name for name in self._unsaid if self._said_ms.get(name) != ms]:
            self._unsaid.discard(name)
            self._said_ms[name] = ms
            yield heartbeat_batch(self._probes[name], self.known[name], now)

    def _may_wait(self) -> bool:
        return sum(one.due_at is None for one in self.known.values()) < MOST_UNCLAIMED


def resume_jobs(
    tx: Transaction, probes: Mapping[str, Probe], renamed: Mapping[str, str], away_from: datetime, now: datetime
) -> Mapping[str, datetime]:
    """Write down that nobody listened for a time; return the runs that fell due in it and are not judged, by job.

    Args:
        tx: the transaction.
        probes: by name.
        renamed: earlier name to present one, under which `Jobs.write` will write what is found under the earlier one.
        away_from: since when nobody listened.
        now: the instant.
    """
    unjudged: dict[str, datetime] = {}
    for one in tx.heartbeats.all():
        name = renamed.get(one.name, one.name)
        probe = probes.get(name)
        if probe is None or not isinstance(probe.kind, HeartbeatKind):
            continue
        after = resumed(one, probe.kind.timing, away_from, now)
        tx.heartbeats.put(after.heartbeat)
        if after.unjudged is not None:
            unjudged[name] = after.unjudged
    return unjudged


def excused(tx: Transaction, probes: Mapping[str, Probe], away_from: datetime, now: datetime) -> dict[str, Heartbeat]:
    """Likewise, and return what is remembered of each job, for `follow`."""
    resume_jobs(tx, probes, {}, away_from, now)
    return {one.name: one for one in tx.heartbeats.all()}


def _jobs(probes: Mapping[str, Probe]) -> Mapping[str, Probe]:
    return {name: probe for name, probe in probes.items() if isinstance(probe.kind, HeartbeatKind)}


def _uuid(probe: Probe) -> str:
    assert isinstance(probe.kind, HeartbeatKind)
    return probe.kind.uuid.get_secret_value() if probe.kind.uuid else ""


def _waits(one: Heartbeat, now: datetime) -> bool:
    """Say whether a job without a definition is one that waits for it, and not one whose definition is gone."""
    return one.due_at is None and now - (one.last_run_at or one.loaded_at) <= UNCLAIMED_FOR


def _under(heartbeat: Heartbeat | None, name: str) -> Heartbeat | None:
    return None if heartbeat is None else replace(heartbeat, name=name)
