"""route/unknown-label: what routes, mutes and inhibitions ask for should be a label that alerts have.

Why
    A label that there is not is empty for every alert: a mistyped name matches none of them, and groups by nothing.

Bad
    notifiers:
      hook: {webhook: https://hooks.example.com/x}
    rules:
      deep: {last: queue_depth, above: 5, severity: error, owner: payments}
    routes:
      payments: {match: {ownr: payments}, notify: [hook]}
      everything: {notify: [hook]}

Good
    notifiers:
      hook: {webhook: https://hooks.example.com/x}
    rules:
      deep: {last: queue_depth, above: 5, severity: error, owner: payments}
    routes:
      payments: {match: {owner: payments}, notify: [hook]}
      everything: {notify: [hook]}
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from sentinel.config.edits import renamed
from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode
from sentinel.core.problem import surely
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: Of more names than these something is always near.
_MOST = 300
#: What each alert has.
_ALWAYS = frozenset({"rule", "severity", "owner", "probe", "file"})
#: What others call them.
_OTHERS = {"alertname": "rule", "team": "owner", "level": "severity", "priority": "severity", "job_name": "probe"}
#: Where labels are named, by section.
_MAPPINGS = {"routes": ("match",), "mutes": ("match",), "inhibit": ("cause", "covers")}
_LISTS = {"routes": "group_by", "inhibit": "equal"}


def check(context: Context) -> Iterator[Flaw]:
    """Flag a name that no rule, probe or selector of the tree knows, and that is near to one, or another program's."""
    if context.whole is None or not context.rules:
        return
    known = _known(context)
    if len(known) > _MOST:
        return
    for section, keys in _MAPPINGS.items():
        for name in context.inspection.builder.gathered.of(section) if context.inspection else ():
            for key in keys:
                match = context.find(section, name, key)
                if isinstance(match, MappingNode):
                    for label in match.keys.values():
                        yield from _judge(label, known, match)
            listed = context.find(section, name, _LISTS[section]) if section in _LISTS else None
            if isinstance(listed, SequenceNode):
                for item in listed.items:
                    if isinstance(item, ScalarNode):
                        yield from _judge(item, known, listed)


def _known(context: Context) -> frozenset[str]:
    """Return the labels that are spoken of anywhere."""
    found = set(_ALWAYS)
    for rule in context.rules:
        found.update(rule.labels)
        found.update(one[0] for read in rule.reads for one in read.matchers)
    for view in context.views.values():
        found.update(view.rule.compiled.by or () if view.rule else ())
    for probe in context.probes.values():
        found.update(probe.labels)
        found.update(getattr(probe.kind, "labels", ()))
    return frozenset(found)


@lru_cache(maxsize=1024)
def _near(word: str, known: frozenset[str]) -> str:
    return surely(word, known)


def _judge(label: ScalarNode, known: frozenset[str], within: Node) -> Iterator[Flaw]:
    word = label.text
    if not word or word in known:
        return
    if (other := _OTHERS.get(word)) is not None:
        yield Flaw(label, f"no alert has a label {word}", f"write {other}")
    elif better := _near(word, known):
        fix = f'did you mean "{better}"?'
        yield Flaw(label, f"no alert has a label {word}", fix, renamed(label, within, fix, known))
