"""Groups by themselves: rule files and samples in, series out, step by step; nothing is delivered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sentinel.config.findings import Findings
from sentinel.config.groups import build_groups
from sentinel.config.provenance import Provenance
from sentinel.config.source import SourceFile
from sentinel.config.tree import MappingNode, parse
from sentinel.core.alert import Alert
from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.core.sample import Batch, Sample
from sentinel.core.windows import STALE
from sentinel.engine.turn import Turn, series_of, take_turn
from sentinel.promql import parse as parse_promql
from sentinel.promql.evaluate import evaluate_instant
from sentinel.rules.grouped import RuleGroup
from sentinel.store.head import Head

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def groups_of(text: str, file: str = "rules.yaml") -> tuple[RuleGroup, ...]:
    """Read a rule file."""
    source = SourceFile(file, text)
    root, malformed = parse(source)
    assert not malformed
    assert isinstance(root, MappingNode)
    findings = Findings({file: source})
    groups = build_groups([root.values["groups"]], [], findings, Provenance(), "agent")
    assert not findings.failed, findings.sorted()
    return groups


class Stage:
    """A head, the alerts of some groups and what their rules wrote: what the desk keeps, and no more."""

    def __init__(self, groups: Sequence[RuleGroup]) -> None:
        self.groups = groups
        self.head = Head(timedelta(hours=6), durable=False)
        self.alerts: dict[str, dict[str, Alert]] = {}
        self.written: dict[str, frozenset[Labels]] = {}
        self.changes: list[str] = []
        self.failures: dict[str, str] = {}

    def bring(self, at: datetime, values: Mapping[Labels, float]) -> None:
        """Store what a look finds."""
        samples = tuple(Sample(labels.name, value, dict(labels.unnamed)) for labels, value in values.items())
        self.head.append(Batch("test", samples, at, timedelta(seconds=45), whole=False))

    def evaluate(self, at: datetime) -> list[Turn]:
        """Evaluate every group once, and take over what that decides."""
        turns = []
        for group in self.groups:
            turn = take_turn(group, at, self.alerts, self.written, self.head.reader())
            for alert in (*turn.refreshed, *(change.alert for change in turn.transitions)):
                self._put(alert)
            self.changes += [f"{_seconds(at)} {change.alert.rule} {change.change}" for change in turn.transitions]
            self.failures = {**{k: v for k, v in self.failures.items() if k not in turn.evaluated}, **turn.failures}
            for rule, batch in turn.batches.items():
                self.written[rule] = frozenset(map(series_of, batch.samples))
                self.head.append(batch)
            turns.append(turn)
        return turns

    def query(self, text: str, at: datetime) -> dict[str, float]:
        """Ask what there is."""
        answer = evaluate_instant(parse_promql(text), self.head, to_ms(at))
        return {str(labels): value for labels, value in answer.latest()}

    def _put(self, alert: Alert) -> None:
        of = self.alerts.setdefault(alert.rule, {})
        of.pop(alert.fingerprint, None)
        if alert.standings:
            of[alert.fingerprint] = alert


def run(
    stage: Stage, series: Mapping[str, str], steps: int, every: timedelta, query: str
) -> Iterator[dict[str, float]]:
    """Bring the values of each series, evaluate, and yield what a query finds, step by step.

    Args:
        stage: to play on.
        series: name and labels to values as promtool has them: `1 2 _ stale`.
        steps: how many.
        every: distance of the steps.
        query: asked after each.
    """
    values = {_labels(name): text.split() for name, text in series.items()}
    for step in range(steps):
        at = EPOCH + step * every
        shown = {labels: row[step] for labels, row in values.items() if row[step] != "_"}
        stage.bring(at, {labels: STALE if text == "stale" else float(text) for labels, text in shown.items()})
        stage.evaluate(at)
        yield stage.query(query, at)


def _labels(text: str) -> Labels:
    name, _, inner = text.partition("{")
    pairs = [pair.partition("=") for pair in inner.rstrip("}").split(",") if pair]
    return Labels.of({key: value.strip('"') for key, _, value in pairs}, __name__=name)


def _seconds(at: datetime) -> int:
    return round((at - EPOCH).total_seconds())
