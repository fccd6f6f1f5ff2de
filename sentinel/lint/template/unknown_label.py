"""template/unknown-label: a label in a message should be spelt as the series spell it.

Why
    A label that no series has is an empty text, and nobody notices before the first alert.

Bad
    - alert: Down
      expr: up == 0
      labels: {severity: critical}
      annotations: {summary: "{{ $labels.instanse }} is down"}

Good
    - alert: Down
      expr: up == 0
      labels: {severity: critical}
      annotations: {summary: "{{ $labels.instance }} is down"}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.texts import labels_in
from sentinel.lint.view import RuleView

SEVERITY = Severity.WARNING

_WORDS = """
    instance job namespace pod container node service deployment cluster env environment region zone host hostname
    device mountpoint fstype method handler path route code status endpoint name version queue topic partition
    consumergroup database schema table user channel probe reason image ingress workload daemonset statefulset
    cronjob job_name persistentvolumeclaim interface cpu mode state phase condition resource type le quantile
    exported_job exported_instance target severity team owner app component role shard replica group
"""
#: Labels that the series of nearly every tree have.
_USUAL = frozenset(_WORDS.split())


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a label that is nearly another one which the expression, or every tree, knows, and is not known itself."""
    known: set[str] | None = None
    for written in rule.templates:
        for label, begin, end in labels_in(rule, written):
            if label in _USUAL:
                continue
            known = known or {*_USUAL, *_mentioned(rule)}
            if label not in known and (meant := _meant(label, known)):
                says = f'"{label}" is a label that nothing else here knows'
                yield Flaw(written.at(begin, end), says, f'did you mean "{meant}"?')


def _meant(label: str, known: set[str]) -> str:
    """Return what a label is a slip of the pen for; a short word, such as vhost, is too near to others to tell."""
    from difflib import get_close_matches  # a file without such a label does not wait for it

    alike = {name for name in known if name[:1] == label[:1]} if len(label) > 5 else ()
    return next(iter(get_close_matches(label, alike, 1, 0.85)), "")


def _mentioned(rule: RuleView) -> Iterator[str]:
    """Yield each label that the expressions of a rule speak of."""
    for query in rule.queries:
        for selector in query.selectors:
            yield from (matcher.name for matcher in selector.matchers)
        for aggregate in query.aggregates:
            yield from aggregate.grouping
        for binary in query.binaries:
            if binary.matching:
                yield from (*binary.matching.labels, *binary.matching.include)
        for call in query.calls:
            if call.function in ("label_replace", "label_join"):
                yield str(getattr(call.args[1], "value", ""))
    if rule.rule is not None:
        yield from (*(rule.rule.compiled.by or ()), *rule.labels)
