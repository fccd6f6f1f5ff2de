"""Groups: Prometheus rule files as they are. Nothing in them is substituted, and names are those of Prometheus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sentinel.config.findings import Findings
from sentinel.config.offsets import place
from sentinel.config.provenance import Provenance
from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode, is_blank
from sentinel.core.alert import Origin, Patience
from sentinel.core.labels import Labels
from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.promql.literal import duration_ms
from sentinel.rules.expr import ExprForm
from sentinel.rules.form import Compiled, RuleInvalid, Setting, expression
from sentinel.rules.gotemplate import GoTemplateInvalid, check
from sentinel.rules.grouped import INTERVAL, Alerting, Recording, RuleGroup, severity_of
from sentinel.rules.threshold import Threshold

_GROUP = {"name", "interval", "query_offset", "limit", "labels", "rules"}
_ALERT = {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
_RECORD = {"record", "expr", "labels"}
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_DURATION = re.compile(r"0|(\d+(ms|[smhdwy]))+")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def build_groups(
    nodes: Iterable[Node], taken: Collection[str], findings: Findings, provenance: Provenance, agent: str
) -> tuple[RuleGroup, ...]:
    """Return the groups; what is wrong is reported.

    Args:
        nodes: what stands under `groups:`, in the order of the files.
        taken: names that other rules of the tree have.
        findings: takes what is wrong.
        provenance: of the tree, for each rule's origin.
        agent: name of the agent.
    """
    reading = _Reading(findings, provenance, agent)
    groups = [group for node in nodes for group in reading.groups(node)]
    return tuple(_named_apart(groups, list(taken)))


def _named_apart(groups: Sequence[RuleGroup], taken: Sequence[str]) -> Iterator[RuleGroup]:
    """Give each rule a name of its own: that of its alert or series, where it is not the only one with its labels."""
    rules = [rule for group in groups for rule in group.rules]
    count = Counter(map(_title, rules)) + Counter(taken)
    seen = Counter(taken)
    for group in groups:
        named: list[Alerting | Recording] = []
        for rule in group.rules:
            name = _title(rule)
            if count[name] > 1:
                name += str(Labels.of(rule.own_labels)) if rule.own_labels else ""
            seen[name] += 1
            named.append(replace(rule, name=name if seen[name] == 1 else f"{name}#{seen[name]}"))
        yield replace(group, rules=tuple(named))


def _title(rule: Alerting | Recording) -> str:
    return rule.alert if isinstance(rule, Alerting) else rule.record


@dataclass(frozen=True, slots=True)
class _Reading:
    findings: Findings
    provenance: Provenance
    agent: str

    def groups(self, node: Node) -> Iterator[RuleGroup]:
        """Yield the groups of one file."""
        if is_blank(node):
            return
        if not isinstance(node, SequenceNode):
            self._wrong(node, "groups: should be a list of groups", "begin each with - name:")
            return
        names: set[str] = set()
        for item in node.items:
            if (group := self._group(item)) is None:
                continue
            if group.name in names:
                self._wrong(item, f'the group "{group.name}" stands twice in this file', "rename one of them")
            names.add(group.name)
            yield group

    def _group(self, node: Node) -> RuleGroup | None:
        if not isinstance(node, MappingNode):
            self._wrong(node, "a group should be a mapping with name and rules")
            return None
        self._unknown(node, _GROUP, "a group")
        name, labels = self._text(node, "name"), self._labels(node)
        if not name:
            self._wrong(node.keys.get("name", node), "a group needs a name", "write name: and a word")
        interval = self._duration(node, "interval") or INTERVAL
        offset = self._duration(node, "query_offset")
        limit = self._limit(node)
        rules = [rule for item in self._items(node, "rules") if (rule := self._rule(item, labels, offset)) is not None]
        return RuleGroup(name, node.file.path, tuple(rules), interval, offset, limit, node.position)

    def _rule(self, node: Node, labels: Mapping[str, str], offset: timedelta) -> Alerting | Recording | None:
        if not isinstance(node, MappingNode):
            self._wrong(node, "a rule should be a mapping with alert or record, and expr")
            return None
        alert, record = self._text(node, "alert"), self._text(node, "record")
        if bool(alert) is bool(record):
            says = "a rule is an alert or a record, and not both" if alert else "a rule needs alert or record"
            self._wrong(node.keys.get("record", node), says, "part it into two rules" if alert else "name it")
            return None
        self._unknown(node, _ALERT if alert else _RECORD, "an alerting rule" if alert else "a recording rule")
        own = {**labels, **self._labels(node)}
        compiled = self._compiled(node)
        if compiled is None:
            return None
        if record:
            return self._recording(node, record, own)
        return self._alerting(node, alert, own, offset, compiled)

    def _recording(self, node: MappingNode, record: str, own: Mapping[str, str]) -> Recording | None:
        if not _METRIC.fullmatch(record):
            says = f'"{record}" is not a metric\'s name: letters, digits, _ and : only'
            self._wrong(node.values["record"], says)
            return None
        query = expression(self._text(node, "expr"))
        return Recording(record, record, query, own, node.keys["record"].position)

    def _alerting(
        self, node: MappingNode, alert: str, own: Mapping[str, str], offset: timedelta, compiled: Compiled
    ) -> Alerting:
        annotations = self._texts(node, "annotations")
        for key in ("labels", "annotations"):
            self._check_templates(node, key)
        patience = Patience(self._duration(node, "for"), self._duration(node, "keep_firing_for"))
        levels = self._severities(node, own)
        position, literal = node.keys["alert"].position, {k: v for k, v in own.items() if "{{" not in v}
        text = self._text(node, "expr")
        return Alerting(
            name=alert,
            form_name="expr",
            form=ExprForm(query=text),
            compiled=compiled,
            thresholds=dict.fromkeys(levels, compiled.thresholds.get(None, Threshold())),
            patience=dict.fromkeys(levels, patience),
            no_data="resolve",
            labels=literal,
            owner=literal.get("owner", ""),
            position=position,
            origin=Origin(position.file, position.line, self.provenance.commit, self.provenance.author),
            agent=self.agent,
            alert=alert,
            query=expression(text),
            own_labels=own,
            annotations=annotations,
            query_offset=offset,
        )

    def _severities(self, node: MappingNode, own: Mapping[str, str]) -> tuple[Severity, ...]:
        """Return the severities that the rule may have: one, unless a template says it."""
        word = own.get("severity", "")
        if "{{" in word:
            return tuple(Severity)
        if (level := severity_of(word)) is not None:
            return (level,)
        where = self._value(node, "labels", "severity") or node.keys["alert"]
        says = f'severity: "{word}" is none of ours, and taken for error' if word else "no severity: taken for error"
        fix = "add a label severity: info, warning, error or critical (page, ticket, warn and none are known too)"
        self.findings.add("group/severity", where, says, fix, severity=Severity.WARNING)
        return (Severity.ERROR,)

    def _compiled(self, node: MappingNode) -> Compiled | None:
        text, where = self._text(node, "expr"), node.values.get("expr")
        if not text or not isinstance(where, ScalarNode):
            self._wrong(node.keys.get("expr", node), "a rule needs an expr", "write expr: and PromQL")
            return None
        try:
            return ExprForm(query=text).compile(Setting())
        except RuleInvalid as exc:
            for fault in exc.faults:
                at = place(where, fault.start, fault.end) if fault.end else where.position
                self.findings.add("group/invalid", at, f"expr: {fault.says}", fault.fix)
            return None

    def _check_templates(self, node: MappingNode, key: str) -> None:
        for name, text in self._texts(node, key).items():
            try:
                check(text)
            except GoTemplateInvalid as exc:
                where = self._value(node, key, name)
                assert isinstance(where, ScalarNode)
                at = place(where, exc.start, exc.end)
                self.findings.add("group/template", at, f"{name}: {exc.says}", exc.fix)

    def _labels(self, node: MappingNode) -> dict[str, str]:
        found = self._texts(node, "labels")
        for name in found:
            if not _LABEL.fullmatch(name) or name == "__name__":
                given = node.values["labels"]
                assert isinstance(given, MappingNode)  # it has texts
                self._wrong(given.keys[name], f'"{name}" is not a label\'s name: letters, digits and _ only')
        return found

    def _texts(self, node: MappingNode, key: str) -> dict[str, str]:
        """Return a mapping of texts; what is none is reported where it is first asked for."""
        given = node.values.get(key)
        if given is None or is_blank(given):
            return {}
        if not isinstance(given, MappingNode):
            self._wrong(given, f"{key}: should be a mapping of names to texts")
            return {}
        for name, value in given.values.items():
            if not isinstance(value, ScalarNode):
                self._wrong(value, f"{name}: should be a text")
        return {name: value.text for name, value in given.values.items() if isinstance(value, ScalarNode)}

    def _items(self, node: MappingNode, key: str) -> Sequence[Node]:
        given = node.values.get(key)
        if given is None or is_blank(given):
            return ()
        if not isinstance(given, SequenceNode):
            self._wrong(given, f"{key}: should be a list")
            return ()
        return given.items

    def _text(self, node: MappingNode, key: str) -> str:
        given = node.values.get(key)
        if given is None:
            return ""
        if not isinstance(given, ScalarNode):
            self._wrong(given, f"{key}: should be a text")
            return ""
        return given.text

    def _duration(self, node: MappingNode, key: str) -> timedelta:
        text = self._text(node, key)
        try:
            if text and not _DURATION.fullmatch(text):
                raise ValueError
            return timedelta(milliseconds=duration_ms(text)) if text not in ("", "0") else timedelta()
        except ValueError:
            fix = f"write {text}s or {text}m" if text.isdigit() else "write 30s, 5m, 1h30m or 7d"
            self._wrong(node.values[key], f'{key}: "{text}" is not a duration', fix)
            return timedelta()

    def _limit(self, node: MappingNode) -> int:
        text = self._text(node, "limit")
        if not re.fullmatch(r"\d{0,9}", text):
            self._wrong(node.values["limit"], f'limit: "{text}" is not a number of alerts or series')
            return 0
        return int(text or 0)

    def _unknown(self, node: MappingNode, known: set[str], what: str) -> None:
        for name, key in node.keys.items():
            if name not in known:
                fix = near(name, known, "it takes")
                self.findings.add("group/unknown-key", key, f'"{name}" is not a key of {what}', fix)

    def _value(self, node: MappingNode, *path: str) -> Node | None:
        found: Node | None = node
        for key in path:
            found = found.values.get(key) if isinstance(found, MappingNode) else None
        return found

    def _wrong(self, where: Node, says: str, fix: str = "") -> None:
        self.findings.add("group/invalid", where, says, fix)
