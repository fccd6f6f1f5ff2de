"""Blind: a rule that waits for a metric in vain can neither fire nor resolve, and somebody should know."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sentinel.core.clock import to_ms
from sentinel.core.labels import NAME, Matcher, MatchOp
from sentinel.core.sample import COUNTER_ENDINGS
from sentinel.rules.names import REST
from sentinel.rules.rule import Rule

if TYPE_CHECKING:
    from sentinel.core.windows import Source


class Missing(NamedTuple):
    """What a rule has no newest value of.

    Args:
        metric: its name.
        uncounted: whether the rule counts it upwards, and it was never seen: nothing has happened yet.
    """

    metric: str
    uncounted: bool = False


def missing(rule: Rule, now: datetime, source: Source) -> Missing | None:
    """Return the metric that the rule has no newest value of, None where it has one.

    An expression that returns nothing may mean just that, so `expr` misses nothing, nor does `absent`; nor does a rule
    for all that no other names (`"*"`), where nothing is left. What is not judged now waits for nothing.
    A rule with a source of its own is blind while the probe of that source fails.
    """
    from sentinel.rules.scene import Scene

    compiled = rule.compiled
    if rule.rests(now):
        return None
    if rule.source:
        metric = compiled.carriers[-1].name if compiled.carriers else rule.source
        return None if _answers(rule.source, now, source) else Missing(metric)
    if compiled.empty_is_over or compiled.absence or not compiled.carriers:
        return None
    scene = Scene(compiled, source, to_ms(now))
    if scene.sighted or (REST in rule.form.names and not scene.seen):
        return None
    counts = any(carrier.name.endswith(COUNTER_ENDINGS) for carrier in compiled.carriers)
    upwards = compiled.window and all(threshold.below is None for threshold in rule.thresholds.values())
    return Missing(compiled.carriers[-1].name, uncounted=bool(counts and upwards and not scene.seen))


def nothing(rule: Rule, now: datetime, source: Source) -> str:
    """Say why a rule's expression returns nothing; "" where that alone is the answer."""
    from sentinel.rules.scene import Scene

    compiled = rule.compiled
    if compiled.absence:
        return ""
    scene = Scene(compiled, source, to_ms(now))
    if why := scene.trouble:
        return why
    if not compiled.carriers or scene.sighted:
        return ""
    metric = compiled.carriers[-1].name
    return f"{metric} has no newest value" if scene.seen else f"{metric} was not seen for a day, or never"


def _answers(probe: str, now: datetime, source: Source) -> bool:
    """Say whether a probe's newest look succeeded."""
    import numpy as np

    success = Matcher(NAME, MatchOp.EQUAL, "probe_success"), Matcher("probe", MatchOp.EQUAL, probe)
    windows = source.windows(success, np.array([to_ms(now)], np.int64), None)
    return any(windows.v[hi - 1] == 1 for lo, hi in zip(windows.lo[:, 0], windows.hi[:, 0], strict=True) if hi > lo)
