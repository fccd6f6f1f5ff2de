"""Decide: one round, whole: rules, policy, state, samples and `now` in, an outcome out; nothing is written yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from sentinel.alerts import advance, retire
from sentinel.core.alert import Alert, Observed
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.engine.outcome import Outcome
from sentinel.engine.state import State
from sentinel.engine.turn import Turn
from sentinel.routing.route import Policy
from sentinel.routing.tell import route
from sentinel.rules.observe import observe
from sentinel.rules.rule import Rule
from sentinel.rules.suspect import suspects

if TYPE_CHECKING:
    from sentinel.core.windows import Source

#: What was observed of a rule, or why it could not be.
Seen = Sequence[Observed] | Exception
#: Rule to that.
Observations = Mapping[str, Seen]
NONE: Observations = MappingProxyType({})


def decide(
    rules: Iterable[Rule],
    policy: Policy,
    state: State,
    source: Source,
    now: datetime,
    observed: Observations = NONE,
    turns: Sequence[Turn] = (),
) -> Outcome:
    """Evaluate these rules, look at every timer that is due: the whole house, nothing written yet.

    A rule found in `observed` (computed by a reader) is not observed again. One that cannot be evaluated fails alone:
    its alerts stand as they stood. The outcome is to be applied before the next round is decided. Groups of Prometheus
    rule files were evaluated before; their turns are only routed.
    """
    transitions = [change for turn in turns for change in turn.transitions]
    refreshed = [alert for turn in turns for alert in turn.refreshed]
    failures = {rule: why for turn in turns for rule, why in turn.failures.items()}
    evaluated = [rule for turn in turns for rule in turn.evaluated]
    recorded = tuple(batch for turn in turns for batch in turn.batches.values())
    suspected: dict[str, tuple[Alert, ...]] = {}
    for rule in rules:
        alerts = state.alerts.of(rule.name)
        if why := rule.rests(now):
            transitions += retire(list(alerts.values()), why, now)
            evaluated.append(rule.name)
            continue
        try:
            seen = observed[rule.name] if rule.name in observed else observe(rule, now, source, known(alerts))
            if isinstance(seen, Exception):
                raise seen
        except QueryInvalid as exc:
            failures[rule.name] = str(exc)
        except Exception as exc:  # a fault of ours in one rule's arithmetic must not blind all the others
            failures[rule.name] = f"{type(exc).__name__}: {exc}"
        else:
            advanced = advance(rule.patience, rule.blank, alerts, seen, now)
            transitions += advanced.transitions
            refreshed += advanced.refreshed
            evaluated.append(rule.name)
            if policy.inhibitions:
                suspected[rule.name] = suspects(rule, source, now)
    routed = route(transitions, state.telling, policy, now, refreshed, suspected)
    return Outcome(tuple(transitions), tuple(refreshed), routed, failures, tuple(evaluated), recorded)


def known(alerts: Mapping[str, Alert]) -> dict[Labels, datetime | None]:
    """Return what `observe` must know of a rule's alerts: their labels, and since when each is the case."""
    return {alert.labels: alert.since for alert in alerts.values()}
