"""Tests: entries under `tests:` become cases, and whether all that they name is there. Nothing is run here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sentinel.config.build import Builder
from sentinel.config.cases import Case, CaseKeys
from sentinel.config.gather import Entry
from sentinel.config.read import Found, locate
from sentinel.config.tree import MappingNode
from sentinel.core.problem import near
from sentinel.rules.grouped import Alerting, RuleGroup


def build_tests(builder: Builder, groups: Iterable[RuleGroup], *, complete: bool) -> dict[str, Case]:
    """Return the tests by name; what is wrong is reported.

    Args:
        builder: what reads and reports.
        groups: of Prometheus rule files, whose alerts may be named, too.
        complete: whether the whole tree is known, so that a name that is not there is wrong.
    """
    named: dict[str, tuple[str, ...]] = {name: (name,) for name in builder.gathered.of("rules")}
    for rule in (rule for group in groups for rule in group.rules if isinstance(rule, Alerting)):
        named.setdefault(rule.name, (rule.name,))
        if rule.alert != rule.name:
            named[rule.alert] = (*named.get(rule.alert, ()), rule.name)
    found = {}
    for name, entry in builder.gathered.of("tests").items():
        if isinstance(keys := builder.plain(CaseKeys, entry), CaseKeys):
            if complete:
                _Names(builder, entry, named).check(keys)
            found[name] = Case(name, keys, Found(entry.node, entry.key, entry.name), named)
    return found


@dataclass(frozen=True, slots=True)
class _Names:
    """Looks whether what one test names is there."""

    builder: Builder
    entry: Entry
    rules: Mapping[str, tuple[str, ...]]

    def check(self, keys: CaseKeys) -> None:
        """Report what is not."""
        gathered = self.builder.gathered
        jobs = {name for name, probe in gathered.of("probes").items() if _is_job(probe)}
        looking = set(gathered.of("probes")) - jobs
        for at, expected in enumerate(keys.expect):
            if expected.rule is not None:
                self._one("rule", expected.rule, self.rules, "expect", at, "rule")
            for place, name in enumerate(expected.notified or ()):
                within = (name, "[key]") if isinstance(expected.notified, Mapping) else (place,)
                self._one("notifier", name, gathered.of("notifiers"), "expect", at, "notified", *within)
        for section in ("alerts", "acknowledge"):
            for at, given in enumerate(getattr(keys, section)):
                self._one("rule", given.rule, self.rules, section, at, "rule")
        for name in keys.probes:
            self._one("probe", name, looking, "probes", name, "[key]", hint=_other(name, jobs, "a job", "jobs:"))
        for name in keys.jobs:
            self._one("heartbeat", name, jobs, "jobs", name, "[key]", hint=_other(name, looking, "a probe", "probes:"))

    def _one(self, what: str, name: str, known: Collection[str], *path: str | int, hint: str = "") -> None:
        node = locate(Found(self.entry.node, self.entry.key, self.entry.name), path).node
        if name not in known and not self.builder.reader.undecided(node):
            fix = (
                hint or near(name, set(known), f"{what}s") or f"define it under {what.replace('heartbeat', 'probe')}s:"
            )
            self.builder.reader.findings.add(f"test/{what}", node, f'no {what} is named "{name}"', fix)


def _other(name: str, others: Collection[str], what: str, section: str) -> str:
    return f"it is {what}: write it under {section}" if name in others else ""


def _is_job(entry: Entry) -> bool:
    return isinstance(entry.node, MappingNode) and "heartbeat" in entry.node.values
