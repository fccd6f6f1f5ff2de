"""probe/within-beyond-timeout: an answer should be expected before the probe gives up.

Why
    At the timeout the look ends and fails: a longer `within` is never the reason, and says less than it seems to.

Bad
    probes:
      shop: {http: {url: https://shop.example.com/health, expect: {within: 20s}}, timeout: 5s}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}

Good
    probes:
      shop: {http: {url: https://shop.example.com/health, expect: {within: 2s}}, timeout: 5s}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sentinel.core.quantity import format_duration
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a `within` that is not shorter than the timeout."""
    for name, probe in context.probes.items():
        within = getattr(getattr(probe.kind, "expect", None), "within", None)
        if isinstance(within, timedelta) and within >= probe.timeout:
            at = context.at("probes", name, probe.kind_name, "expect", "within")
            says = (
                f"within {format_duration(within)}: the look ends after {format_duration(probe.timeout)} (its timeout)"
            )
            yield Flaw(at, says, "write less, or give the probe a longer timeout")
