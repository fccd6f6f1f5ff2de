"""Suspect: what a rule may soon say, since a probe that it hears from has just failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.core.alert import Alert, Phase, Standing
from sentinel.core.clock import to_ms
from sentinel.core.labels import NAME, Matcher, MatchOp
from sentinel.rules.rule import Rule

if TYPE_CHECKING:
    from sentinel.core.windows import Source

_SUCCESS = (Matcher(NAME, MatchOp.EQUAL, "probe_success"),)


def suspects(rule: Rule, source: Source, now: datetime) -> tuple[Alert, ...]:
    """Return the alerts that may be about to come, as if they were pending: those whose probe failed its last look.

    Health does not tell: what a probe says of itself (`probe_consecutive_failures`) is well while it fails.
    """
    import numpy as np

    at = np.array([to_ms(now)], dtype=np.int64)
    looks = source.windows(_SUCCESS, at, None)
    newest = looks.hi[:, 0] - 1
    failed = (newest >= looks.lo[:, 0]).nonzero()[0]
    failing = {looks.labels[place].get("probe") for place in failed.tolist() if looks.v[newest[place]] == 0}
    if not failing:
        return ()
    by, standings = rule.compiled.by, dict.fromkeys(rule.thresholds, Standing(Phase.PENDING, now))
    series = (
        labels
        for matchers in dict.fromkeys(read.matchers for read in rule.reads)
        for labels in source.windows(matchers, at, None).labels
        if (labels.get("probe") or labels.get("job")) in failing
    )
    elements = dict.fromkeys(labels.unnamed if by is None else labels.only(*by) for labels in series)
    return tuple(replace(rule.blank, labels=labels, standings=standings) for labels in elements)
