"""rule/unknown-metric: a metric that a rule reads should be one that some probe of the tree produces.

Why
    A mistyped name has no samples, so that the rule never says anything.

Bad
    probes:
      shop: {http: {url: https://shop.example.com/health, metrics: {queue_depth: queue.depth}}}
    rules:
      deep: {last: queue_dpeth, above: 5, severity: error}

Good
    probes:
      shop: {http: {url: https://shop.example.com/health, metrics: {queue_depth: queue.depth}}}
    rules:
      deep: {last: queue_depth, above: 5, severity: error}

Exceptions
    What a `scrape`, a `select *` or a plugin's probe produces stands nowhere in the tree: where there is one that a
    selector may mean, only names of Sentinel's own (`probe_`, `job_`) are judged. Rules with a `source` are not, nor
    are names that some kind of probe has, though no probe here is of that kind: a rule may wait for one.
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.emitted import documented_somewhere, emitted, probes_behind
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: Names that only probes of ours have.
_OURS = ("probe_", "job_")
#: What names begin with that pages of ours list.
_DOCUMENTED = ("probe_", "job_", "host_", "container_", "scrape_", "up")
_PARTS = ("_bucket", "_sum", "_count")


def check(context: Context) -> Iterator[Flaw]:
    """Flag each selector of a metric that nothing here can produce."""
    if not context.probes or context.whole is None:
        return
    made = emitted(context)
    names = made.names
    for rule in context.rules:
        if (view := context.views.get(rule.name)) is not None and view.rule is not None and view.rule.source:
            continue
        for read in rule.reads:
            metric = read.metric
            if not metric or metric.startswith("sentinel_") or known(metric, names):
                continue
            if not metric.startswith(_OURS) and any(
                probe.name in made.open for probe in probes_behind(read, context, made)
            ):
                continue
            if metric.startswith(_DOCUMENTED) and documented_somewhere(metric):
                continue
            begin, end = read.mark
            where = rule.at((begin, min(end, begin + len(metric))))
            yield Flaw(where, f"no probe of this tree produces {metric}", near(metric, set(names)))


def known(metric: str, names: frozenset[str]) -> bool:
    """Say whether a metric, or the histogram that it is a part of, is produced."""
    return metric in names or any(metric.removesuffix(end) in names for end in _PARTS if metric.endswith(end))
