"""The ledger: how what was decided is written down, all of it in the transaction that it is given, and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import structlog

from sentinel.core.alert import Transition
from sentinel.core.labels import Labels
from sentinel.core.relabelling import Relabelling
from sentinel.core.revision import Revision
from sentinel.engine.outcome import Outcome
from sentinel.engine.rename import Renaming
from sentinel.engine.state import State
from sentinel.store.database import Transaction
from sentinel.store.head import Head

log = structlog.get_logger()
T = TypeVar("T")


def write_outcome(tx: Transaction, outcome: Outcome, revision: str) -> None:
    """Write one round: transitions with their audit rows, groups, and the debts that they cause.

    Args:
        tx: the transaction; with the samples that led to the round it is one commit.
        outcome: what was decided.
        revision: id of the configuration that decided it.
    """
    tx.alerts.put(*outcome.alerts)
    tx.audit.transitions(outcome.transitions, revision)
    tx.acknowledgements.put(*outcome.acknowledgements)
    for fingerprint in outcome.forgotten:
        tx.alerts.remove(fingerprint)
        tx.acknowledgements.remove(fingerprint)
        tx.told.forget(fingerprint)
    tx.groups.put(*outcome.groups)
    for key in outcome.removed_groups:
        tx.groups.remove(key)
    tx.notifications.put(*outcome.notifications)


def write_revision(tx: Transaction, revision: Revision, now: datetime) -> None:
    """Write that this configuration is in use from now on."""
    tx.revisions.put(revision)
    body = {"commit": revision.commit, "author": revision.author, "dirty": revision.dirty, "files": len(revision.files)}
    tx.audit.append(now, "revision", revision.id, body)


def write_notifiers(tx: Transaction, notifiers: Mapping[str, str], now: datetime) -> None:
    """Write that notifiers have other names: what they are owed, heard and were sent, dead letters too, moves to these.

    Those that nothing is known of are passed over, so a `was` that stays in the file is written once.

    Args:
        tx: the transaction.
        notifiers: earlier name to present one.
        now: the instant.
    """
    for was, name in notifiers.items():
        moved, heard = tx.notifications.rename(was, name), tx.told.rename(was, name)
        if moved or heard:
            tx.audit.append(now, "rename", name, {"was": was, "notifications": moved, "alerts": heard})


def write_renaming(tx: Transaction, renaming: Renaming, now: datetime) -> None:
    """Write that rules and routes have other names: rows move to the present fingerprints and keys."""
    alerts = [one for one in tx.alerts.all() if one.fingerprint in renaming.alerts]
    groups, told = tx.groups.all(), tx.told.all()
    acknowledgements = tx.acknowledgements.all()
    for fingerprint in renaming.alerts:
        tx.alerts.remove(fingerprint)
        tx.acknowledgements.remove(fingerprint)
        tx.told.forget(fingerprint)
    for key in renaming.groups:
        tx.groups.remove(key)
    tx.alerts.put(*map(renaming.alert, alerts))
    tx.groups.put(*_changed(renaming.group, groups))
    tx.told.put(*_changed(renaming.told, told))
    tx.acknowledgements.put(*_changed(renaming.acknowledgement, acknowledgements))
    tx.notifications.put(*_changed(renaming.notification, tx.notifications.open()))
    tx.silences.put(*_changed(renaming.silence, tx.silences.all()))
    for was, name in renaming.names.items():
        count = sum(alert.rule == was for alert in alerts)
        tx.audit.append(now, "rename", name, {"was": was, "alerts": count})


def write_labels(
    tx: Transaction, labels: Relabelling, sources: Mapping[str, str], head: Head, now: datetime
) -> dict[int, Labels]:
    """Write that probes have other names: their samples are found under these; return what was relabelled, by id.

    Nothing is read where neither a source nor a series in memory has an earlier name, so a `was` that stays in the file
    costs nothing.

    Args:
        tx: the transaction, in which the samples that wait are written already.
        labels: how series are called now.
        sources: those of the probes that bring samples: earlier name to present one.
        head: the samples in memory.
        now: the instant.
    """
    for was, name in labels.probes.items():
        tx.memory.rename(was, name)
    if not sources and not head.has_any(labels.pairs()):
        return {}
    tx.samples.looked(head.looks())
    tx.samples.rename_sources(sources)
    moved = tx.samples.relabel(labels)
    for was, name in sources.items():
        series = sum(name in (one.get("probe"), one.get("job")) for one in moved.values())
        tx.audit.append(now, "rename", name, {"was": was, "series": series})
    return moved


def _changed(rename: Callable[[T], T], rows: Iterable[T]) -> list[T]:
    return [after for row in rows if (after := rename(row)) != row]


def load_state(tx: Transaction, now: datetime) -> State:
    """Read how everything stood when an agent last wrote."""
    return State.load(
        now,
        alerts=tx.alerts.all(),
        groups=tx.groups.all(),
        notifications=tx.notifications.open(),
        told=tx.told.all(),
        silences=tx.silences.all(),
        acknowledgements=tx.acknowledgements.all(),
    )


def tell(transitions: Iterable[Transition]) -> None:
    """Log transitions."""
    bound = log.bind()  # once: of a storm, these are ten thousand lines
    for transition in transitions:
        alert = transition.alert
        bound.info(
            f"alert {transition.change}",
            rule=alert.rule,
            labels=str(alert.labels),
            change=str(transition),
            severity=str(transition.severity or ""),
            value=alert.texts.get("value") or alert.value,
            why=transition.reason or alert.reason,
        )
