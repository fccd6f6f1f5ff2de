"""rule/window-too-short: a window should hold at least four samples of its probe.

Why
    With fewer, one look that is late or fails empties the window, and a rate of one sample is nothing at all.

Bad
    probes:
      sales: {sql: {url: "sqlite:///shop.db", query: "select count(*) as orders_total from orders"}, every: 1m}
    rules:
      no-orders:
        increase: {of: orders_total, over: 2m}
        below: 1
        severity: error

Good
    probes:
      sales: {sql: {url: "sqlite:///shop.db", query: "select count(*) as orders_total from orders"}, every: 1m}
    rules:
      no-orders:
        increase: {of: orders_total, over: 10m}
        below: 1
        severity: error
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.emitted import emitted, interval_of
from sentinel.lint.flaw import Flaw
from sentinel.lint.words import words

SEVERITY = Severity.WARNING

_SAMPLES = 4
#: The shortest window of forms that bring their own.
_SHORTEST_MS = {"burn_rate": 300_000}


def check(context: Context) -> Iterator[Flaw]:
    """Flag a range that is shorter than four intervals of the probe behind it."""
    if not context.probes:
        return
    made = emitted(context)
    for rule in context.rules:
        for read in rule.reads:
            every, window_ms = interval_of(read, context, made), _SHORTEST_MS.get(rule.form, read.window_ms)
            if not window_ms or every * _SAMPLES <= window_ms:
                continue
            view = context.views.get(rule.name)
            over = view.find(view.form, "over") if view is not None else None
            says = f"{words(window_ms)} holds fewer than {_SAMPLES} samples, which come every {words(every)}"
            longer = f"use at least {words(_SAMPLES * every)}"
            fix = f"let its probe look every {words(window_ms // _SAMPLES)}" if rule.form in _SHORTEST_MS else longer
            yield Flaw(over or rule.at(read.mark), says, fix)
