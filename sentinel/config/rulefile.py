"""Rule files: what stands under `groups:`, as Prometheus's users write it, read and not yet made into rules of ours.

All that is wrong is reported, also what stands beside a mistake. Needs no form and no model, so that thousands of
rules are read in the time that others take.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from sentinel.config.edits import in_place_of, renamed
from sentinel.config.findings import Findings
from sentinel.config.offsets import place
from sentinel.config.rulekeys import BELONGS, ELSEWHERE, MEANT
from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode, is_blank
from sentinel.core.errors import QueryInvalid
from sentinel.core.problem import Edit, near
from sentinel.core.severity import Severity
from sentinel.promql.ast import Expr
from sentinel.promql.check import misfit_of_rule
from sentinel.promql.literal import duration_ms
from sentinel.promql.mistakes import amount_meant
from sentinel.promql.parser import parse
from sentinel.rules.gotemplate import GoTemplateInvalid, check
from sentinel.rules.prometheus import INTERVAL, severity_of

_GROUP = {"name", "interval", "query_offset", "limit", "labels", "rules"}
_ALERT = {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
_RECORD = {"record", "expr", "labels"}
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_DURATION = re.compile(r"0|(\d+(ms|[smhdwy]))+")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NOTHING = timedelta()


class WrittenRule(NamedTuple):
    """One rule of a group as it was written.

    Args:
        kind: "alert" or "record".
        name: of the alert, or of the series that is written.
        node: its mapping.
        query: its expression; None where that does not parse, which is reported.
        labels: templates by name, those of the group among them.
        annotations: templates by name.
        hold_for: `for`.
        keep_firing_for: likewise.
        levels: the severities that an alert may have.
    """

    kind: str
    name: str
    node: MappingNode
    query: Expr | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    hold_for: timedelta = _NOTHING
    keep_firing_for: timedelta = _NOTHING
    levels: tuple[Severity, ...] = ()

    @property
    def key(self) -> ScalarNode:
        """The word that says what it is, where it is pointed at."""
        return self.node.keys[self.kind]

    @property
    def expr(self) -> ScalarNode:
        """The expression's text."""
        found = self.node.values["expr"]
        assert isinstance(found, ScalarNode)  # it was parsed
        return found


class WrittenGroup(NamedTuple):
    """A group as it was written."""

    name: str
    node: MappingNode
    rules: tuple[WrittenRule, ...]
    interval: timedelta = INTERVAL
    query_offset: timedelta = _NOTHING
    limit: int = 0


def read_groups(node: Node, findings: Findings) -> list[WrittenGroup]:
    """Read what stands under `groups:` in one file; what is wrong is reported."""
    return list(_Reading(findings).groups(node))


@lru_cache(maxsize=1024)
def _length(text: str) -> timedelta:
    if not _DURATION.fullmatch(text):
        raise ValueError
    return timedelta(milliseconds=duration_ms(text))


class _Reading(NamedTuple):
    findings: Findings

    def groups(self, node: Node) -> Iterator[WrittenGroup]:
        if is_blank(node):
            return
        if not isinstance(node, SequenceNode):
            self._wrong(node, "groups: should be a list of groups", "begin each with - name:")
            return
        names: set[str] = set()
        for item in node.items:
            if (group := self._group(item)) is None:
                continue
            if group.name and group.name in names:
                self._wrong(item, f'the group "{group.name}" stands twice in this file', "rename one of them")
            names.add(group.name)
            yield group

    def _group(self, node: Node) -> WrittenGroup | None:
        if not isinstance(node, MappingNode):
            self._wrong(node, "a group should be a mapping with name and rules")
            return None
        self._unknown(node, _GROUP, "a group")
        name, labels = self._text(node, "name"), self._labels(node)
        if not name and not isinstance(node.values.get("name"), (MappingNode, SequenceNode)):
            self._wrong(node.keys.get("name", node), "a group needs a name", "write name: and a word")
        interval = self._duration(node, "interval") or INTERVAL
        offset = self._duration(node, "query_offset")
        limit = self._limit(node)
        rules = [rule for item in self._items(node, "rules") if (rule := self._rule(item, labels, node)) is not None]
        return WrittenGroup(name, node, tuple(rules), interval, offset, limit)

    def _rule(self, node: Node, labels: Mapping[str, str], group: MappingNode) -> WrittenRule | None:
        if not isinstance(node, MappingNode):
            old = isinstance(node, ScalarNode) and node.text.startswith("ALERT ")
            fix = (
                "this is the language of Prometheus 1; write alert:, expr: and for:"
                if old
                else "write - alert: and expr:"
            )
            self._wrong(node, "a rule should be a mapping with alert or record, and expr", fix)
            return None
        alert, record = self._text(node, "alert"), self._text(node, "record")
        if bool(alert) is bool(record):
            if not node.broken:
                self._nameless(node, both=bool(alert))
            return None
        idle = {name for name, value in node.values.items() if name in _ALERT | _RECORD and _is_idle(value)}
        known = (_ALERT if alert else _RECORD) | idle
        self._unknown(node, known, "an alerting rule" if alert else "a recording rule")
        if "expr" not in node.values:
            if "expr" not in group.keys and not self._misplaced(node, "expr"):
                self._wrong(node, "a rule needs an expr", "write expr: and PromQL")
            return None
        given = self._labels(node)
        own = {**labels, **given}
        query = self._query(node)
        if record:
            if not _METRIC.fullmatch(record):
                says = f'"{record}" is not a metric\'s name: letters, digits, _ and : only'
                self._wrong(node.values["record"], says, _as_name(record))
            return WrittenRule("record", record, node, query, own, {})
        return WrittenRule(
            "alert",
            alert,
            node,
            query,
            own,
            self._annotations(node, given),
            self._duration(node, "for"),
            self._duration(node, "keep_firing_for"),
            self._severities(node, own),
        )

    def _annotations(self, node: MappingNode, labels: Mapping[str, str]) -> Mapping[str, str]:
        annotations = self._texts(node, "annotations")
        self._check_names(node, "annotations", annotations)
        self._check_templates(node, "labels", labels)
        self._check_templates(node, "annotations", annotations)
        return annotations

    def _severities(self, node: MappingNode, own: Mapping[str, str]) -> tuple[Severity, ...]:
        """Return the severities that the rule may have: one, unless a template says it."""
        word = own.get("severity", "")
        if "{{" in word:
            return tuple(Severity)
        if (level := severity_of(word)) is not None:
            return (level,)
        given = node.values.get("labels")
        if (given and not is_blank(given) and not isinstance(given, MappingNode)) or (
            not word and ("severity" in node.keys or self._misplaced(node, "labels"))
        ):
            return (Severity.ERROR,)  # which is reported
        aside = self._value(node, "annotations")
        if not word and isinstance(aside, MappingNode) and "severity" in aside.keys:
            says = "severity is an annotation here, and taken for error: routes know labels only"
            self.findings.add(
                "group/severity", aside.keys["severity"], says, "write it under labels:", severity=Severity.WARNING
            )
            return (Severity.ERROR,)
        where = self._value(node, "labels", "severity") or node.keys["alert"]
        says = f'severity: "{word}" is none of ours, and taken for error' if word else "no severity: taken for error"
        add = "write" if word else "add a label severity:"
        fix = f"{add} info, warning, error or critical (page, ticket, warn and none are known too)"
        meant = near(word.lower(), set(map(str, Severity))) if word else ""
        fix = meant or fix
        edit = in_place_of(where, meant[14:-2]) if fix == meant and word else None
        self.findings.add("group/severity", where, says, fix, severity=Severity.WARNING, edit=edit)
        return (Severity.ERROR,)

    def _query(self, node: MappingNode) -> Expr | None:
        text, where = self._text(node, "expr"), node.values.get("expr")
        if not text and not isinstance(where, ScalarNode):
            return None  # which is reported
        if not text or not isinstance(where, ScalarNode):
            self._wrong(node.keys.get("expr", node), "a rule needs an expr", "write expr: and PromQL")
            return None
        try:
            query = parse(text)
        except QueryInvalid as exc:
            at = place(where, exc.start, exc.end) if exc.end else where.position
            self.findings.add("group/invalid", at, f"expr: {exc.says}", exc.fix)
            return None
        if misfit := misfit_of_rule(query):
            self.findings.add("group/invalid", where.position, f"expr: {misfit[0]}", misfit[1])
            return None
        return query

    def _check_templates(self, node: MappingNode, key: str, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            if "{%" in text and isinstance(where := self._value(node, key, name), ScalarNode):
                at = place(where, text.index("{%"), text.index("{%") + 2)
                says = f"{name}: {{% is Jinja's, and is printed as it stands"
                self.findings.add("group/template", at, says, "write {{ if … }}", severity=Severity.WARNING)
            if "{{" not in text:
                continue
            try:
                check(text)
            except GoTemplateInvalid as exc:
                where = self._value(node, key, name)
                assert isinstance(where, ScalarNode)
                at = place(where, exc.start, exc.end)
                self.findings.add("group/template", at, f"{name}: {exc.says}", exc.fix)

    def _labels(self, node: MappingNode) -> dict[str, str]:
        found = self._texts(node, "labels")
        self._check_names(node, "labels", found)
        return found

    def _check_names(self, node: MappingNode, key: str, found: Mapping[str, str]) -> None:
        for name in found:
            if not _LABEL.fullmatch(name) or (name == "__name__" and key == "labels"):
                given = node.values[key]
                assert isinstance(given, MappingNode)  # it has texts
                noun = "a label's name" if key == "labels" else "an annotation's name"
                says = f'"{name}" is not {noun}: letters, digits and _ only'
                self._wrong(given.keys[name], says, _as_name(name) if name != "__name__" else "drop it")

    def _texts(self, node: MappingNode, key: str) -> dict[str, str]:
        """Return a mapping of texts; what is none is reported, once however often it is asked for."""
        given = node.values.get(key)
        if given is None or is_blank(given):
            return {}
        if not isinstance(given, MappingNode):
            if not (isinstance(given, MappingNode) and given.broken):
                fix = "write name: and a text" if not isinstance(given, SequenceNode) else "drop the dashes"
                self._wrong(given, f"{key}: should be a mapping of names to texts", fix)
            return {}
        found = {}
        for name, value in given.values.items():
            if isinstance(value, ScalarNode):
                found[name] = "" if is_blank(value) else value.text
                if is_blank(value) and name != "severity":  # of which more is said
                    says = f"{name}: has no value, and is as if it were not there"
                    self.findings.add(
                        "group/invalid", given.keys[name], says, "write one, or drop it", severity=Severity.WARNING
                    )
            else:
                self._wrong(value, f"{name}: should be a text")
        return found

    def _items(self, node: MappingNode, key: str) -> Sequence[Node]:
        given = node.values.get(key)
        if given is None or is_blank(given):
            return ()
        if not isinstance(given, SequenceNode):
            if not (isinstance(given, MappingNode) and given.broken):
                self._wrong(given, f"{key}: should be a list", "begin each rule with - alert: or - record:")
            return ()
        return given.items

    def _text(self, node: MappingNode, key: str) -> str:
        given = node.values.get(key)
        if given is None:
            return ""
        if not isinstance(given, ScalarNode):
            if not (isinstance(given, MappingNode) and given.broken):
                fix = "write it without brackets and dashes" if isinstance(given, SequenceNode) else ""
                self._wrong(given, f"{key}: should be a text", fix)
            return ""
        return "" if is_blank(given) else given.text

    def _duration(self, node: MappingNode, key: str) -> timedelta:
        text = self._text(node, key)
        if text in ("", "0"):
            if key in node.values and is_blank(node.values[key]):
                says, fix = f"{key}: has no value, and is taken for none", "write one, or drop it"
                self.findings.add("group/invalid", node.keys[key], says, fix, severity=Severity.WARNING)
            return _NOTHING
        try:
            return _length(text)
        except ValueError:
            fix = f"write {text}s or {text}m" if text.isdigit() else amount_meant(text) or "write 30s, 5m, 1h30m or 7d"
            sure = re.fullmatch(r"write ([0-9a-z]+)", fix)
            edit = in_place_of(node.values[key], sure[1]) if sure else None
            self._wrong(node.values[key], f'{key}: "{text}" is not a duration', fix, edit)
            return _NOTHING

    def _limit(self, node: MappingNode) -> int:
        text = self._text(node, "limit")
        try:
            return max(0, int(text or "0", 0))
        except ValueError:
            self._wrong(node.values["limit"], f'limit: "{text}" is not a number of alerts or series')
            return 0

    def _unknown(self, node: MappingNode, known: set[str], what: str) -> None:
        for name, key in node.keys.items():
            if name not in known:
                fix = BELONGS.get(name, "") if "alert" in known else ""
                if "rules" in known and name in _ALERT | _RECORD:
                    fix = "indent it: it belongs to a rule"
                if (word := MEANT.get(name)) in known:
                    fix = f"write {word}"
                if program := ELSEWHERE.get(name):
                    fix = f"only {program} knows it: drop it"
                fix = fix or near(name.lower(), known, "it takes")
                edit = renamed(key, node, fix, known)
                self.findings.add("group/unknown-key", key, f'"{name}" is not a key of {what}', fix, edit=edit)

    def _nameless(self, node: MappingNode, *, both: bool) -> None:
        """Report a rule that is not one thing: both alert and record, or neither."""
        if both:
            self._wrong(node.keys["record"], "a rule is an alert or a record, and not both", "part it into two rules")
        elif meant := self._misplaced(node, "alert") or self._misplaced(node, "record"):
            self._unknown(MappingNode(node.file, node.begin, node.end, {meant.text: meant}), _ALERT | _RECORD, "a rule")
        else:
            self._wrong(node.keys.get("record", node), "a rule needs alert or record", "name it")

    def _misplaced(self, node: MappingNode, wanted: str) -> ScalarNode | None:
        """Return a key that was meant as another one, and is reported as unknown."""
        known = _ALERT | _RECORD
        return next(
            (
                key
                for name, key in node.keys.items()
                if name not in known and (MEANT.get(name) == wanted or near(name.lower(), {wanted}))
            ),
            None,
        )

    def _value(self, node: MappingNode, *path: str) -> Node | None:
        found: Node | None = node
        for key in path:
            found = found.values.get(key) if isinstance(found, MappingNode) else None
        return found

    def _wrong(self, where: Node, says: str, fix: str = "", edit: Edit | None = None) -> None:
        self.findings.add("group/invalid", where, says, fix, edit=edit)


def _is_idle(value: Node) -> bool:
    """Say whether a key says what is the case without it: Prometheus lets any rule have it."""
    if isinstance(value, MappingNode):
        return not value.values and not value.broken
    return isinstance(value, ScalarNode) and (is_blank(value) or value.text in ("", "0", "0s", "0m"))


def _as_name(text: str) -> str:
    """Propose a name for what is none."""
    if "{" in text:
        return "write its labels under labels:"
    better = re.sub(r"[^a-zA-Z0-9_:]+", "_", text)
    return f"write {'_' if better[:1].isdigit() else ''}{better}" if better else ""
