"""Rules: entries under `rules:` become compiled rules, and what the forms find wrong gets its place in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sentinel.config.build import Builder, Read
from sentinel.config.entries import RuleEntry, keys_of
from sentinel.config.read import locate
from sentinel.config.tree import MappingNode, ScalarNode
from sentinel.core.alert import Origin
from sentinel.core.problem import Position, near
from sentinel.core.severity import Severity
from sentinel.rules.form import Fault, RuleInvalid, Setting
from sentinel.rules.make import make_rule
from sentinel.rules.names import REST
from sentinel.rules.rule import Rule


def build_rules(builder: Builder, intervals: Mapping[str, timedelta] | None) -> dict[str, Rule]:
    """Return the rules by name; what is wrong is reported.

    Args:
        builder: what reads and reports.
        intervals: how often each probe looks; None where the tree around is not known.
    """
    reads = [read for entry in builder.gathered.of("rules").values() if (read := builder.read(entry)) is not None]
    found = {}
    for read in reads:
        if read.keys is None:
            _check_expressions(builder, read, intervals)
            continue
        _check_causes(builder, read)
        _check_source(builder, read, complete=intervals is not None)
        if rule := _rule(builder, read, intervals, _named(read, reads)):
            found[rule.name] = rule
    return found


def _named(read: Read, reads: Sequence[Read]) -> frozenset[str]:
    """Return what the other rules of the same form name; only `"*"` asks."""
    if REST not in read.kind.names:
        return frozenset()
    others = (other.kind.names for other in reads if other is not read and other.word == read.word)
    return frozenset(name for names in others for name in names if name != REST)


def _rule(
    builder: Builder, read: Read, intervals: Mapping[str, timedelta] | None, named: frozenset[str]
) -> Rule | None:
    position, whose = read.entry.key.position, builder.provenance
    try:
        made = make_rule(
            read.entry.name,
            read.word,
            read.kind,
            read.keys,
            intervals=intervals,
            named=named,
            position=position,
            origin=Origin(position.file, position.line, whose.commit, whose.author),
            agent=builder.agent,
        )
        return replace(made, defaults=_defaults(read))
    except RuleInvalid as exc:
        for fault in exc.faults:
            if fault.path or not _has_strangers(read):  # what is missing may be what is misspelt
                _report(builder, read, fault)
    return None


def _has_strangers(read: Read) -> bool:
    """Say whether a key of the rule is not known, which is reported."""
    node = read.entry.node
    return isinstance(node, MappingNode) and not set(node.keys) <= {read.word, *keys_of(RuleEntry)}


def _defaults(read: Read) -> dict[str, Position]:
    """Return the keys that an entry does not say itself, and where its defaults do."""
    own, whole = read.entry.node, read.node
    if not (isinstance(own, MappingNode) and isinstance(whole, MappingNode)):
        return {}
    found = {name: key.position for name, key in whole.keys.items() if name not in own.keys}
    for name, value in whole.values.items():
        mine = own.values.get(name)
        if mine is not None and isinstance(value, MappingNode):
            said = mine.keys.values() if isinstance(mine, MappingNode) else (own.keys[name],)
            found |= {f"{name}.{inner}": key.position for inner, key in value.keys.items() if key not in said}
    return found


def _check_expressions(builder: Builder, read: Read, intervals: Mapping[str, timedelta] | None) -> None:
    """Report what does not parse in a rule whose other keys are wrong, as if those were well."""
    try:
        read.kind.compile(Setting(Severity.ERROR, above=True, below=True, intervals=intervals))
    except RuleInvalid as exc:
        for fault in exc.faults:
            if fault.end:
                _report(builder, read, replace(fault, path=(read.word, *fault.path)))


def _report(builder: Builder, read: Read, fault: Fault) -> None:
    """Report a fault: at its part of an expression or a template, else at the whole value."""
    reader = builder.reader
    found = locate(read.found, fault.path)
    if reader.undecided(found.node):
        return
    if fault.end and isinstance(found.node, ScalarNode):
        at = reader.at(found.node, fault.start, fault.end)
        says = reader.conceal(found.node, f"{found.label}: {fault.says}")
        reader.findings.add("rule/invalid", at, says, reader.conceal(found.node, fault.fix))
    else:
        reader.report(fault.says, found, "rule", fault.fix)


def _check_causes(builder: Builder, read: Read) -> None:
    """Look whether the rules that `depends_on` names are there."""
    if not read.keys.depends_on:
        return
    known = builder.gathered.of("rules").keys() | builder.gathered.alerts
    for at, cause in enumerate(read.keys.depends_on):
        node = locate(read.found, ("depends_on", at)).node
        if cause == read.entry.name:
            builder.reader.findings.add("rule/depends-on", node, f'"{cause}" depends on itself', "drop it")
        elif cause not in known and not builder.reader.undecided(node):
            fix = near(cause, set(known))
            builder.reader.findings.add("rule/depends-on", node, f'no rule is named "{cause}"', fix)


def _check_source(builder: Builder, read: Read, *, complete: bool) -> None:
    """Look whether `source` names a probe that can answer, and the form asks what another server may know."""
    source = read.keys.source
    if source is None:
        return
    probes = builder.gathered.of("probes")
    able = {name for name, entry in probes.items() if "promql" in getattr(entry.node, "values", {})}
    if read.kind.names:
        says = f"the form {read.word} looks at probes and jobs of our own"
        builder.report(read, "source", "rule/source", says, "drop source, or write the form expr")
    elif complete and source not in probes:
        builder.report(read, "source", "rule/source", f'no probe is named "{source}"', near(source, able))
    elif complete and source not in able:
        says = f'probe "{source}" answers no PromQL'
        builder.report(read, "source", "rule/source", says, "name a probe of the kind promql")
