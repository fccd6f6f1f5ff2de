"""Turn: one group of a Prometheus rule file, evaluated whole in one of its slots.

 rule by rule, in order:  query ──► returned ──► advance ──► ALERTS, ALERTS_FOR_STATE ──┐
                                        └──────► recorded series ───────────────────────┤
                          the rules below it see that, at the same instant  ◄───────────┘

A rule that fails leaves all as it stood: its alerts, its series, and the rules below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from sentinel.alerts import Advanced, advance, retire
from sentinel.core.alert import Alert, Change, Condition, Observed, Phase, Standing, Transition
from sentinel.core.clock import to_ms
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import NAME, Labels, fingerprint
from sentinel.core.quantity import format_duration
from sentinel.core.sample import Batch, Sample
from sentinel.rules.grouped import Alerting, Elements, Recording, RuleGroup
from sentinel.rules.returned import alerting, recording

if TYPE_CHECKING:
    from sentinel.core.windows import Source
    from sentinel.engine.overlay import Overlay


_NOTHING: Mapping[str, Elements] = MappingProxyType({})
#: Before the name of a rule: who wrote its series.
SOURCE = "rule "


@dataclass(frozen=True, slots=True)
class Turn:
    """What one evaluation of a group decided, before routing.

    Args:
        group: that was evaluated.
        at: its slot.
        transitions: of its alerts, in order.
        refreshed: alerts that changed without one.
        failures: rule to why it could not be evaluated.
        evaluated: rules that were.
        batches: what each of these writes, all that it has: what it wrote before and not now is gone.
    """

    group: RuleGroup
    at: datetime
    transitions: tuple[Transition, ...] = ()
    refreshed: tuple[Alert, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    evaluated: tuple[str, ...] = ()
    batches: Mapping[str, Batch] = field(default_factory=dict)


def take_turn(
    group: RuleGroup,
    at: datetime,
    alerts: Mapping[str, Mapping[str, Alert]],
    written: Mapping[str, frozenset[Labels]],
    source: Source,
    returned: Mapping[str, Elements] = _NOTHING,
) -> Turn:
    """Evaluate a group; nothing is written by that.

    Args:
        group: to evaluate.
        at: its slot.
        alerts: rule to its present alerts, by fingerprint.
        written: rule to the series that it wrote the last time.
        source: of samples, for the thread that this runs on.
        returned: rule to what its query returns, where that is known already.
    """
    from sentinel.engine.overlay import Overlay

    looked_at = at - group.query_offset
    overlay = Overlay(source, to_ms(looked_at))
    done = Turn(group, at)
    for rule in group.rules:
        elements = returned.get(rule.name)
        try:
            if isinstance(rule, Recording):
                advanced, samples = Advanced(), recording(rule, looked_at, overlay, group.limit, elements)
            else:
                advanced, samples = _judged(rule, group.limit, at, alerts.get(rule.name, {}), overlay, elements)
        except _TooMany as exc:
            done = replace(done, transitions=done.transitions + exc.ended)
            done = replace(done, failures={**done.failures, rule.name: exc.says})
        except QueryInvalid as exc:
            done = replace(done, failures={**done.failures, rule.name: str(exc)})
        except Exception as exc:  # a fault of ours in one rule must not hold up those below it
            done = replace(done, failures={**done.failures, rule.name: f"{type(exc).__name__}: {exc}"})
        else:
            gone = written.get(rule.name, frozenset()) - samples.keys()
            overlay.lay({labels: sample.value for labels, sample in samples.items()}, tuple(gone))
            done = replace(
                done,
                transitions=done.transitions + advanced.transitions,
                refreshed=done.refreshed + advanced.refreshed,
                evaluated=(*done.evaluated, rule.name),
                batches={**done.batches, rule.name: batch_of(rule.name, samples.values(), looked_at, group)},
            )
    return done


def series_of(sample: Sample) -> Labels:
    """Return the labels of the series that a sample belongs to, its name among them."""
    return Labels.of(sample.labels, **{NAME: sample.name})


def batch_of(rule: str, samples: Iterable[Sample], at: datetime, group: RuleGroup) -> Batch:
    """Return all that a rule writes, as one look; none ends what it wrote before."""
    return Batch(f"{SOURCE}{rule}", tuple(samples), at, group.interval)


class _TooMany(Exception):
    """A rule has more alerts than it may: all of them end, as in Prometheus."""

    def __init__(self, says: str, ended: tuple[Transition, ...]) -> None:
        super().__init__(says)
        self.says, self.ended = says, ended


def _judged(
    rule: Alerting,
    limit: int,
    at: datetime,
    alerts: Mapping[str, Alert],
    source: Overlay,
    elements: Elements | None,
) -> tuple[Advanced, dict[Labels, Sample]]:
    seen = alerting(rule, at, source, [alert.labels for alert in alerts.values()], elements)
    back = {
        change.alert.fingerprint: change
        for one in seen
        if (change := _put_back(rule, alerts.get(fingerprint(rule.name, one.labels)), one, at))
    }
    rest = [one for one in seen if fingerprint(rule.name, one.labels) not in back]
    advanced = advance(rule.patience, rule.blank, alerts, rest, at)
    transitions = (*back.values(), *advanced.transitions)
    after = dict(alerts) | {alert.fingerprint: alert for alert in advanced.refreshed}
    after |= {change.alert.fingerprint: change.alert for change in transitions}
    active = [alert for alert in after.values() if alert.standings]
    if 0 < limit < len(active):
        says = f"it has {len(active)} alerts, and the group's limit is {limit}"
        raise _TooMany(says, tuple(retire(list(alerts.values()), says, at)))
    return Advanced(transitions, advanced.refreshed), _by_series(
        sample for one in active for sample in _of_alert(rule, one)
    )


def _by_series(samples: Iterable[Sample]) -> dict[Labels, Sample]:
    return {series_of(sample): sample for sample in samples}


def _put_back(rule: Alerting, alert: Alert | None, seen: Observed, at: datetime) -> Transition | None:
    """Let an alert that fires wait again, where `for` was raised beyond the time that it has been the case."""
    holds = Condition.HOLDS in seen.conditions.values()
    if not holds or alert is None or alert.severity is None or alert.since is None:
        return None
    if at - alert.since >= rule.hold_for:
        return None
    standings = {alert.severity: Standing(Phase.PENDING, alert.since)}
    says = f"`for` is {format_duration(rule.hold_for)} now, and not over"
    after = replace(alert, standings=standings, value=seen.value, texts=seen.texts, reason=says, changed_at=at)
    return Transition(Change.RESOLVED, alert.phase, after, at, alert.severity, says)


def _of_alert(rule: Alerting, alert: Alert) -> tuple[Sample, Sample]:
    """Return what Prometheus writes of an alert: how it stands, and since when it is the case.

    A label whose template became empty is none of the alert's, and stands here as it is written, as it does there.
    """
    pending = alert.phase is Phase.PENDING
    since = [standing.since + standing.paused for standing in alert.standings.values()] if pending else [alert.since]
    active_at = next(one for one in since if one is not None)
    labels = {**rule.own_labels, **alert.labels.as_dict()}
    return (
        Sample("ALERTS", 1.0, {**labels, "alertstate": "pending" if pending else "firing"}),
        Sample("ALERTS_FOR_STATE", float(int(active_at.timestamp())), labels),
    )
