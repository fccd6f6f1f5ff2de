"""Suspect: what a rule may soon say, since a probe that it hears from has just failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.core.alert import Alert, Phase, Standing
from sentinel.core.clock import to_ms
from sentinel.core.sample import Health
from sentinel.rules.rule import Rule

if TYPE_CHECKING:
    from sentinel.core.windows import Source


def suspects(rule: Rule, source: Source, now: datetime) -> tuple[Alert, ...]:
    """Return the alerts that may be about to come, as if they were pending: those whose probe fails at this instant."""
    import numpy as np

    at_ms = to_ms(now)
    standings = dict.fromkeys(rule.thresholds, Standing(Phase.PENDING, now))
    found = {}
    for matchers in dict.fromkeys(read.matchers for read in rule.reads):
        windows = source.windows(matchers, np.array([at_ms], dtype=np.int64), None)
        if not len(windows.ids) or source.health(windows.ids, at_ms) is not Health.FAILING:
            continue
        for place, labels in enumerate(windows.labels):
            if source.health(windows.ids[place : place + 1], at_ms) is Health.FAILING:
                by = rule.compiled.by
                element = labels.unnamed if by is None else labels.only(*by)
                found[element] = replace(rule.blank, labels=element, standings=standings)
    return tuple(found.values())
