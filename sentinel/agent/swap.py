"""Swap: another configuration takes over, at the start too; what that changes is decided whole, then written whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sentinel.agent.jobs import Jobs, resume_jobs
from sentinel.agent.ledger import write_labels, write_notifiers, write_outcome, write_renaming, write_revision
from sentinel.config.config import Config
from sentinel.core.heartbeat import Heartbeat
from sentinel.core.labels import Labels
from sentinel.core.relabelling import Relabelling
from sentinel.engine.outcome import Outcome
from sentinel.engine.reload import reload
from sentinel.engine.rename import Renaming, rename, retitled
from sentinel.engine.state import State
from sentinel.routing.route import Policy
from sentinel.store.database import Transaction
from sentinel.store.head import Head


@dataclass(frozen=True, slots=True)
class Written:
    """What is known once the swap is written.

    Args:
        heartbeats: what is remembered of the jobs of the new configuration.
        unjudged: job to the run of it that fell due while nobody looked.
        sources: who brings samples under another name from now on: earlier name to present one.
        series: the labels of each series, by id, that is called otherwise now.
    """

    heartbeats: dict[str, Heartbeat]
    unjudged: Mapping[str, datetime]
    sources: Mapping[str, str]
    series: Mapping[int, Labels]


@dataclass(frozen=True, slots=True)
class Swap:
    """What one swap changes.

    Args:
        config: that holds from now on.
        state: as it stands under the new names, before the outcome.
        labels: how series are called now.
        renaming: what moves to other names; None where nothing does.
        outcome: resolves of rules that are gone, groups and debts under the new policy.
        now: the instant.
        away_from: since when nobody looked; None where somebody did.
    """

    config: Config
    state: State
    labels: Relabelling
    renaming: Renaming | None
    outcome: Outcome
    now: datetime
    away_from: datetime | None

    def write(self, tx: Transaction, jobs: Jobs, head: Head) -> Written:
        """Write revision, audit, names, resolves, groups, debts and jobs: one transaction."""
        write_notifiers(tx, self.config.renamed.get("notifiers", {}), self.now)
        if self.renaming:
            write_renaming(tx, self.renaming, self.now)
        sources = head.movable(self.labels.probes)
        series = write_labels(tx, self.labels, sources, head, self.now)
        write_outcome(tx, self.outcome, self.config.revision.id)
        last = tx.revisions.last_good()
        if last is None or last.id != self.config.revision.id:
            write_revision(tx, self.config.revision, self.now)
        probes, renamed = self.config.probes, self.labels.probes
        unjudged = resume_jobs(tx, probes, renamed, self.away_from, self.now) if self.away_from else {}
        heartbeats = jobs.write(tx, probes, renamed, self.now)
        return Written(heartbeats, unjudged, sources, series)


def swap(config: Config, state: State, now: datetime, former: Policy | None, away_from: datetime | None) -> Swap:
    """Decide what changes when a configuration takes over.

    Args:
        config: that holds from now on.
        state: how the house stands; it is not changed.
        now: the instant.
        former: the policy that held until now; None at the start of the agent.
        away_from: since when nobody looked; None where somebody did.
    """
    names, labels = _names(config, "rules", config.rules), relabelling(config)
    renaming = rename(
        state,
        names | retitled(state, config.rules),
        config.renamed.get("notifiers", {}),
        config.renamed.get("routes", {}),
        labels,
        {rule.name for rule in config.rules.values() if rule.source},
    )
    renamed = renaming.state(state, now) if renaming else state
    away = max(timedelta(), now - away_from) if away_from else timedelta()
    outcome = reload(config.rules.keys(), config.policy, renamed, now, former=former, away=away)
    return Swap(config, renamed, labels, renaming, outcome, now, away_from)


def relabelling(config: Config) -> Relabelling:
    """Return how series are called under a configuration that were called otherwise before."""
    probes = _names(config, "probes", config.probes)
    return Relabelling(
        probes,
        {was: name for was, name in probes.items() if "job" in config.probes[name].kind.identity(name)},
        frozenset(config.probes) - set(probes.values()),
        {
            "target": probes,
            "rule": _names(config, "rules", config.rules),
            "notifier": config.renamed.get("notifiers", {}),
        },
    )


def _names(config: Config, section: str, present: Collection[str]) -> dict[str, str]:
    """Return what has another name, earlier to present, where nothing has the earlier one."""
    earlier = config.renamed.get(section, {})
    return {was: name for was, name in earlier.items() if name in present and was not in present}
