"""rule/for-too-short: `for` should span at least two samples of its probe, or two evaluations of its group.

Why
    A probe that looks once a minute cannot tell 30 seconds of trouble from one unlucky look; a shorter `for` reads like
    patience but gives none.

Bad
    probes:
      shop: {http: https://shop.example.com/health, every: 1m}
    rules:
      shop-slow:
        last: probe_duration_seconds{probe="shop"}
        above: 2s
        for: 90s
        severity: warning

Good
    probes:
      shop: {http: https://shop.example.com/health, every: 1m}
    rules:
      shop-slow:
        last: probe_duration_seconds{probe="shop"}
        above: 2s
        for: 3m
        severity: warning
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.emitted import emitted, interval_of
from sentinel.lint.flaw import Flaw
from sentinel.lint.words import words
from sentinel.rules.prometheus import INTERVAL

SEVERITY = Severity.WARNING

#: What Sentinel takes for a group that says nothing; what a Prometheus takes, only its own configuration says.
_DEFAULT_MS = round(INTERVAL.total_seconds() * 1000)


def check(context: Context) -> Iterator[Flaw]:
    """Flag a `for` shorter than two samples or evaluations; zero means that the author chose none."""
    made = emitted(context)
    for rule in context.rules:
        if not rule.hold_ms or rule.kind == "record":
            continue
        group_ms = rule.interval_ms or (_DEFAULT_MS if rule.group and context.inspection else 0)
        every_ms = max((interval_of(read, context, made) for read in rule.reads), default=0) if context.probes else 0
        interval_ms = max(group_ms, every_ms)
        if rule.hold_ms < 2 * interval_ms:
            hold, interval = words(rule.hold_ms), words(interval_ms)
            what = f"evaluations {interval} apart" if group_ms >= every_ms else f"samples {interval} apart"
            says = f"for: {hold} passes between two {what}"
            yield Flaw(rule.at(rule.hold_mark), says, f"use at least {words(2 * interval_ms)}, or drop for")
