"""Waits: which rules wait for a metric in vain, and for how long; judged on a reader's thread, every few minutes.

How long a rule has waited is a number of the agent's own, so the samples carry it over a restart, and the time in which
the agent was away, or blind, counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sentinel.core.clock import to_ms
from sentinel.core.labels import NAME, Matcher, MatchOp
from sentinel.core.sample import Sample
from sentinel.rules.blind import missing
from sentinel.rules.rule import Rule

if TYPE_CHECKING:
    from sentinel.core.windows import Source

#: Rules are looked at so often: it costs as much as evaluating each of them.
EVERY = timedelta(minutes=5)
#: A rule that has waited so long is blind.
PATIENCE = timedelta(hours=1)
#: The number that carries a wait over a restart.
WAITED = "sentinel_rule_waits_seconds"
#: What is not there of our own numbers is not the case; nobody waits for it.
_OURS = "sentinel_"


@dataclass(frozen=True, slots=True)
class Wait:
    """A rule that waits.

    Args:
        rule: its name.
        metric: that it waits for.
        owner: of the rule.
        lasted: for how long.
        uncounted: whether it counts what was never seen, so that nobody need hear of it.
    """

    rule: str
    metric: str
    owner: str
    lasted: timedelta = timedelta()
    uncounted: bool = False


class Waits:
    """What waits now.

    Args:
        alive_at: when the agent was last at work before it started; what had waited by then goes on.
    """

    def __init__(self, alive_at: datetime) -> None:
        self._alive_at = alive_at
        self._looked_at: datetime | None = None
        self._now: Mapping[str, Wait] = {}

    def due(self, now: datetime) -> bool:
        """Say whether it is time to look again."""
        return self._looked_at is None or not timedelta() <= now - self._looked_at < EVERY

    def look(self, rules: Iterable[Rule], source: Source, now: datetime, *, seeing: bool = True) -> None:
        """Look which rules wait.

        Args:
            rules: all that are configured.
            source: of samples, for the thread that this runs on.
            now: the instant.
            seeing: whether the agent sees anything; while it does not, no wait grows.
        """
        passed = min(EVERY, max(timedelta(), now - self._looked_at)) if seeing and self._looked_at else timedelta()
        before = self._now if self._looked_at else dict(_before(source, self._alive_at))
        found: dict[str, Wait] = {}
        for rule in rules:
            missed = missing(rule, now, source)
            if missed and not missed.metric.startswith(_OURS):
                was = before.get(rule.name)
                lasted = was.lasted + passed if was and was.metric == missed.metric else timedelta()
                found[rule.name] = Wait(rule.name, missed.metric, rule.owner, lasted, missed.uncounted)
        self._now, self._looked_at = found, now

    def of(self, rules: Iterable[str]) -> list[Wait]:
        """Return the waits of these rules, in the order of their names."""
        return [wait for name in sorted(rules) if (wait := self._now.get(name))]


def numbers(waits: Iterable[Wait]) -> Iterator[Sample]:
    """Yield how long each rule has waited, and what is blind by now: each metric once for everybody who owns a rule."""
    blind_to: dict[tuple[str, str], Wait] = {}
    for wait in waits:
        if wait.uncounted:
            continue
        yield Sample(WAITED, wait.lasted.total_seconds(), {"rule": wait.rule, "metric": wait.metric})
        if wait.lasted >= PATIENCE:
            blind_to.setdefault((wait.metric, wait.owner), wait)
    for wait in blind_to.values():
        owner = {"owner": wait.owner} if wait.owner else {}
        yield Sample("sentinel_rule_blind", 1.0, {"rule": wait.rule, "metric": wait.metric, **owner})


def _before(source: Source, at: datetime) -> Iterator[tuple[str, Wait]]:
    import numpy as np

    windows = source.windows([Matcher(NAME, MatchOp.EQUAL, WAITED)], np.array([to_ms(at)], np.int64), None)
    for place, labels in enumerate(windows.labels):
        lo, hi = int(windows.lo[place, 0]), int(windows.hi[place, 0])
        seconds = float(windows.v[hi - 1]) if hi > lo else float("nan")
        if seconds == seconds:  # neither gone nor never there
            rule, metric = labels.get("rule"), labels.get("metric")
            yield rule, Wait(rule, metric, "", timedelta(seconds=seconds))
