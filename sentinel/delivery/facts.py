"""What a message says, as values: gathered when its row is sealed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from sentinel.core.alert import Alert, Phase
from sentinel.core.notification import Group
from sentinel.core.severity import Severity
from sentinel.notifiers.message import AlertFact, Facts, GroupFact
from sentinel.rules.prometheus import MEANT


def gather(
    agent: str,
    group: Group | None,
    news: Iterable[Alert],
    others: Iterable[Alert],
    now: datetime,
    heard: Mapping[str, Severity | None] = MappingProxyType({}),
) -> Facts:
    """Return what is known now.

    Args:
        agent: name of the agent that speaks.
        group: that the message is about; None where it is gone.
        news: alerts that the message is about, in the order in which they came.
        others: alerts of the group that this notifier was told of before; those that are over are left out.
        now: when the words are chosen.
        heard: fingerprint to the severity at which this notifier heard of it last.
    """
    facts = [_fact(alert, now, heard.get(alert.fingerprint), news=True) for alert in news]
    listed = {fact.fingerprint for fact in facts}
    facts.sort(key=lambda fact: (fact.over, -fact.severity))
    facts += [
        _fact(alert, now, heard.get(alert.fingerprint), news=False)
        for alert in sorted(others, key=lambda alert: -(alert.severity or 0))
        if alert.phase.active and alert.fingerprint not in listed
    ]
    return Facts(
        agent=agent,
        at=now,
        group=group.key if group else "",
        route=group.route if group else "",
        labels=dict(group.labels) if group else {},
        alerts=tuple(facts),
    )


def digest_of(parts: Sequence[Facts]) -> Facts:
    """Return what a digest of several groups' messages is about: their news, each alert once, and each group's sum."""
    news = {fact.fingerprint: fact for part in parts for fact in part.news}
    groups = tuple(_sum(part) for part in parts)
    worst_first = sorted(news.values(), key=lambda fact: (fact.over, -fact.severity))
    return Facts(agent=parts[0].agent, at=parts[0].at, alerts=tuple(worst_first), groups=groups)


def _sum(part: Facts) -> GroupFact:
    going_on = [fact for fact in part.news if not fact.over]
    return GroupFact(
        group=part.group,
        route=part.route,
        labels=part.labels,
        severity=max(fact.severity for fact in going_on or part.news),
        firing=len(going_on),
        over=len(part.news) - len(going_on),
        runbook=next((fact.runbook for fact in part.news if fact.runbook), ""),
        dashboard=next((fact.dashboard for fact in part.news if fact.dashboard), ""),
    )


def _fact(alert: Alert, now: datetime, heard: Severity | None, *, news: bool) -> AlertFact:
    over = alert.severity is None  # one that pends anew is over for those who heard that it fired
    return AlertFact(
        fingerprint=alert.fingerprint,
        rule=alert.rule,
        labels=dict(alert.labels),
        severity=alert.severity or max(alert.standings, default=None) or alert.peak or Severity.INFO,
        state=_state(alert, over=over),
        value=alert.texts.get("value") or (f"{alert.value:.6g}" if alert.value is not None else ""),
        threshold=alert.threshold,
        reason=alert.reason,
        since=alert.since or alert.fired_at,
        ended_at=(alert.changed_at or now) if over else None,
        summary=alert.texts.get("summary", ""),
        description=alert.texts.get("description", ""),
        runbook=alert.texts.get("runbook", ""),
        dashboard=alert.texts.get("dashboard", ""),
        owner=alert.owner,
        origin=alert.origin,
        news=news,
        rule_labels=dict(alert.rule_labels),
        heard=heard,
        unknown_since=alert.unknown_since,
        covers=alert.covers,
        fired_at=alert.fired_at,
        annotations=_annotations(alert) if alert.from_rule_file else None,
    )


def _annotations(alert: Alert) -> dict[str, str]:
    """Return what the rule file says, without what we call otherwise and say again."""
    again = {ours for name, ours in MEANT.items() if name in alert.texts and alert.texts[name] == alert.texts.get(ours)}
    return {name: text for name, text in alert.texts.items() if name not in again}


def _state(alert: Alert, *, over: bool) -> Literal["firing", "recovering", "no data", "resolved"]:
    if over:
        return "resolved"
    if alert.no_data_at is not None:
        return "no data"
    return "recovering" if alert.phase is Phase.RECOVERING else "firing"
