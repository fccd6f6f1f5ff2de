"""The agent's own numbers: appended like any probe's, so that the built-in rules judge Sentinel by its own engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sentinel.agent.lookout import Lookout
from sentinel.agent.view import View
from sentinel.agent.waits import Wait
from sentinel.agent.waits import numbers as numbers_of_waits
from sentinel.core.sample import OWN_PROBE, Batch, Sample
from sentinel.core.severity import Severity
from sentinel.delivery.breaker import Circuit
from sentinel.delivery.deliver import Status
from sentinel.store.head import Head

#: They are appended so often.
EVERY = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the numbers are made of.

    Args:
        view: how everything stands.
        started_at: when the agent began.
        lookouts: by probe.
        couriers: how each notifier fares.
        blind: whether the agent reaches none of its reference addresses.
        dead: notifier, also one that is gone, to how many notifications to it were given up.
        loaded_at: when a tree was last taken into use.
        waits: rules that wait for a metric in vain.
        missed: group of a rule file to how many of its slots went by.
    """

    view: View
    started_at: datetime
    lookouts: Mapping[str, Lookout]
    couriers: Mapping[str, Status]
    blind: bool
    dead: Mapping[str, int]
    loaded_at: datetime | None
    waits: Sequence[Wait] = ()
    missed: Mapping[str, int] = field(default_factory=dict)


def numbers(standing: Standing, now: datetime) -> Iterator[Sample]:
    """Yield everything that the agent counts of itself."""
    view = standing.view
    loaded = standing.loaded_at or view.config.revision.loaded_at
    yield Sample("sentinel_up_seconds", (now - standing.started_at).total_seconds())
    yield Sample("sentinel_config_valid", float(view.reload.ok))
    yield Sample("sentinel_config_last_reload_successful", float(view.reload.ok))
    yield Sample("sentinel_config_last_reload_success_timestamp_seconds", loaded.timestamp())
    yield Sample("sentinel_database_up", float(view.unwritten_since is None))
    yield Sample("sentinel_blind", float(standing.blind))
    for notifier in (*standing.couriers, *(standing.dead.keys() - standing.couriers.keys())):
        yield Sample("sentinel_dead_letters", float(standing.dead.get(notifier, 0)), {"notifier": notifier})
    yield Sample("sentinel_rules", float(len(view.config.rules)))
    for rule in view.failures:
        owner = view.config.rules[rule].owner if rule in view.config.rules else ""
        yield Sample("sentinel_rule_failures", 1.0, {"rule": rule} | _owned(owner))
    yield from numbers_of_waits(standing.waits)
    for group in view.config.groups:
        missed = float(standing.missed.get(group.key, 0))
        yield Sample("sentinel_rule_group_slots_missed_total", missed, {"group": group.key}, counter=True)
    alerts = Counter(alert.severity for alert in view.standing)
    for severity in Severity:
        yield Sample("sentinel_alerts", float(alerts[severity]), {"severity": str(severity)})
    for lookout in standing.lookouts.values():
        yield from _of_probe(lookout, standing.started_at, now)
    for status in standing.couriers.values():
        yield from _of_notifier(status, view)


def numbers_of_samples(head: Head) -> Iterator[Sample]:
    """Yield how many series are in memory, what a clock set back left in the future, and what was refused, and why."""
    yield Sample("sentinel_series", float(len(head)))
    yield Sample("sentinel_samples_set_aside_total", float(head.set_aside), counter=True)
    for (source, reason), count in head.refused.copy().items():
        labels = {"source": source, "reason": reason}
        yield Sample("sentinel_samples_refused_total", float(count), labels, counter=True)


def _of_probe(lookout: Lookout, started_at: datetime, now: datetime) -> Iterator[Sample]:
    labels = {"target": lookout.probe.name} | _owned(lookout.probe.labels.get("owner", ""))
    last = lookout.last.batch.at if lookout.last else max(started_at, lookout.since)
    yield Sample("sentinel_probe_last_run_age_seconds", (now - last).total_seconds(), labels)
    yield Sample("sentinel_probe_interval_seconds", lookout.probe.interval.total_seconds(), labels)
    yield Sample("sentinel_probe_runs_total", float(lookout.runs), labels, counter=True)
    yield Sample("sentinel_probe_runs_skipped_total", float(lookout.skipped), labels, counter=True)
    yield Sample("sentinel_probe_runs_late_total", float(lookout.late), labels, counter=True)


def _of_notifier(status: Status, view: View) -> Iterator[Sample]:
    labels = {"notifier": status.name}
    waiting = sum(row.notifier == status.name for row in view.owed)
    yield Sample("sentinel_notifier_up", float(status.circuit is Circuit.CLOSED), labels)
    for circuit in Circuit:
        yield Sample("sentinel_notifier_circuit", float(status.circuit is circuit), {**labels, "state": str(circuit)})
    yield Sample("sentinel_notifications_waiting", float(waiting), labels)
    yield Sample("sentinel_notifications_accepted_total", float(status.accepted), labels, counter=True)
    yield Sample("sentinel_notifications_refused_total", float(status.refused), labels, counter=True)


def _owned(owner: str) -> dict[str, str]:
    """Return the label by which routes find whom a number concerns."""
    return {"owner": owner} if owner else {}


def writing_again(now: datetime) -> Batch:
    """Return what is known at once when the database takes again what is written; the other numbers come in time."""
    up = Sample("sentinel_database_up", 1.0, {"probe": OWN_PROBE})
    return Batch(OWN_PROBE, (up,), now, EVERY, whole=False)


def own_batch(samples: Iterable[Sample], now: datetime) -> Batch:
    """Return the numbers as a look of the probe `sentinel`, which always succeeds: it is we who look."""
    labelled = [Sample(s.name, s.value, {**s.labels, "probe": OWN_PROBE}, counter=s.counter) for s in samples]
    labelled.append(Sample("probe_success", 1.0, {"probe": OWN_PROBE}))
    return Batch(OWN_PROBE, tuple(labelled), now, EVERY)
