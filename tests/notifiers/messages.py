"""What the tests of notifiers share: messages as delivery makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sentinel.core.alert import Alert, Origin, Phase, Standing
from sentinel.core.labels import Labels
from sentinel.core.notification import Group, Reason
from sentinel.core.severity import Severity
from sentinel.delivery.facts import gather
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Message

NOW = datetime(2026, 1, 1, 2, 15, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=5)


def alert(
    rule: str = "purchase-failure-rate",
    severity: Severity = Severity.CRITICAL,
    *,
    over: bool = False,
    texts: Mapping[str, str] | None = None,
    **labels: str,
) -> Alert:
    """Return an alert that has gone on for five minutes, or ended now."""
    return Alert(
        rule=rule,
        labels=Labels.of(labels),
        standings={} if over else {severity: Standing(Phase.FIRING, BEGAN)},
        value=0.062,
        threshold="above 5%",
        reason="0.062 = 31 / 500 > 0.05",
        since=BEGAN,
        fired_at=BEGAN,
        changed_at=NOW if over else BEGAN,
        texts={
            "summary": "6.2% of purchases failed in the last 5 minutes",
            "value": "6.2%",
            "runbook": "https://runbooks.example.com/purchases?a=1&b=2",
            **(texts or {}),
        },
        owner="payments",
        origin=Origin("rules/payments.yaml", 3, "abc1234567890", "jane"),
        peak=severity,
    )


def message(
    *alerts: Alert,
    reason: Reason = Reason.FIRING,
    markup: str = "",
    key: str = "1",
    others: tuple[Alert, ...] = (),
    **more: Any,
) -> Message:
    """Return a message about these alerts as delivery would hand it over."""
    about = alerts or (() if reason is Reason.TEST else (alert(),))
    group = Group("pages{}", "pages", Labels.of(rule="purchase-failure-rate"))
    severity = max((one.severity or one.peak or Severity.INFO for one in about), default=Severity.INFO)
    made = Words("shop-1").message(
        key=hashlib.sha256(key.encode()).hexdigest()[:32],
        notifier="under-test",
        reason=reason,
        severity=severity,
        facts=gather("shop-1", group, about, others, NOW),
        markup=markup,
        earlier=more.pop("earlier", {}),
        late_by=more.pop("late_by", timedelta()),
    )
    return replace(made, **more)
