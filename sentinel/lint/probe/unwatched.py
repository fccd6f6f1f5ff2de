"""probe/unwatched: some rule should look at each probe and each job.

Why
    A probe whose failure wakes nobody looks like monitoring and is none.

Bad
    probes:
      shop: {http: https://shop.example.com/health}
      stock: {http: https://stock.example.com/health}
    rules:
      shop-down:
        probe: {name: shop, fails: 3}
        severity: critical

Good
    probes:
      shop: {http: https://shop.example.com/health}
      stock: {http: https://stock.example.com/health}
    rules:
      any-down:
        probe: {name: "*", fails: 3}
        severity: critical
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.emitted import emitted, probes_behind
from sentinel.lint.flaw import Flaw
from sentinel.lint.summary import Reads

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a probe of which no rule of the tree reads a series."""
    if context.whole is None or not context.rules:
        return
    made = emitted(context)
    sources = {view.rule.source for view in context.views.values() if view.rule is not None}
    sources |= {name for view in context.views.values() if view.rule is not None for name in view.rule.form.names}
    watched = {probe.name for read in _reads(context) for probe in probes_behind(read, context, made)} | sources
    for name, probe in context.probes.items():
        if name not in watched:
            what = "job" if probe.kind_name == "heartbeat" else "probe"
            fix = f'add a rule with {what}: {name}, or one with {what}: "*" for all that no other names'
            yield Flaw(context.at("probes", name), f"no rule looks at the {what} {name}", fix)


def _reads(context: Context) -> set[Reads]:
    """Return the selectors of all rules, each once: what says the same means the same probes."""
    return {
        read._replace(mark=(), matchers=tuple(map(tuple, read.matchers)))
        for rule in context.rules
        for read in rule.reads
    }
