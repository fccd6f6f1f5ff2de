"""Returned: what the query of a grouped rule returns, as alerts or as samples. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sentinel.core.alert import Condition, Observed
from sentinel.core.clock import to_ms
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import NAME, Labels
from sentinel.core.sample import Sample
from sentinel.core.severity import Severity
from sentinel.core.windows import Source
from sentinel.promql import parse
from sentinel.promql.evaluate import evaluate_instant
from sentinel.rules import words
from sentinel.rules.gotemplate import CannotExpand, Expansion, expand
from sentinel.rules.grouped import Alerting, Elements, Recording
from sentinel.rules.prometheus import MEANT, severity_of


def alerting(
    rule: Alerting, now: datetime, source: Source, known: Iterable[Labels] = (), elements: Elements | None = None
) -> list[Observed]:
    """Return the elements of an alerting rule that are the case, and those known which are not any more.

    1. Each element's labels are those of the query, the rule's own laid over them, filled in, and `alertname`.
    2. Its severity is what the label `severity` says, `error` where that says nothing known.
    3. What is known and not returned is over, whatever is known of its probes.

    Args:
        rule: to evaluate.
        now: the instant.
        source: of samples.
        known: labels of the rule's present alerts.
        elements: what its query returns, where that is known already.

    Raises:
        QueryInvalid: the query cannot be evaluated, or two elements have the same labels.
    """
    at_ms = to_ms(now - rule.query_offset)

    def query(text: str) -> list[Mapping[str, Any]]:
        try:
            answer = evaluate_instant(parse(text), source, to_ms(now))
        except QueryInvalid as exc:
            raise CannotExpand(exc.says) from exc
        return [{"Labels": dict(labels), "Value": value} for labels, value in answer.latest()]

    found: dict[Labels, Observed] = {}
    returned = evaluate_instant(rule.query, source, at_ms).latest() if elements is None else elements
    for element, value in returned:
        expansion = Expansion(dict(element), value, query, now.timestamp(), rule.external_labels, rule.external_url)
        own = {name: expand(text, expansion) for name, text in rule.own_labels.items()}
        labels = element.unnamed.merge({**own, "alertname": rule.alert})
        if labels in found:
            says = f"two alerts have the labels {labels} once the rule's own are laid over them"
            raise QueryInvalid(says, fix="keep what tells them apart in the query")
        annotations = {name: expand(text, expansion) for name, text in rule.annotations.items()}
        found[labels] = _holds(rule, labels, value, annotations, now)
    over = dict.fromkeys(Severity, Condition.OVER)
    missing = [labels for labels in known if labels not in found]
    return [*found.values(), *(Observed(labels, None, over, "not the case any more") for labels in missing)]


def recording(
    rule: Recording, at: datetime, source: Source, limit: int = 0, elements: Elements | None = None
) -> dict[Labels, Sample]:
    """Return what a recording rule writes, by the labels of the series.

    Args:
        rule: to evaluate.
        at: the instant.
        source: of samples.
        limit: how many series it may write; 0 is any number.
        elements: what its query returns, where that is known already.

    Raises:
        QueryInvalid: the query cannot be evaluated, two series have the same labels, or there are too many.
    """
    found: dict[Labels, Sample] = {}
    returned = evaluate_instant(rule.query, source, to_ms(at)).latest() if elements is None else elements
    for element, value in returned:
        labels = element.unnamed.merge({**rule.own_labels, NAME: rule.record})
        if labels in found:
            says = f"two series have the labels {labels} once the rule's own are laid over them"
            raise QueryInvalid(says, fix="keep what tells them apart in the query")
        found[labels] = Sample(rule.record, value, dict(labels.unnamed))
    if 0 < limit < len(found):
        raise QueryInvalid(f"it writes {len(found)} series, and the group's limit is {limit}", fix="raise the limit")
    return found


def _holds(rule: Alerting, labels: Labels, value: float, annotations: Mapping[str, str], now: datetime) -> Observed:
    severity = severity_of(labels.get("severity")) or Severity.ERROR
    threshold = next(iter(rule.thresholds.values()))
    limit = threshold.above or threshold.below
    texts = {"value": words.written(rule, value, limit), **annotations}
    texts = {ours: annotations[name] for name, ours in MEANT.items() if name in annotations} | texts
    reason = words.reason(rule, value, threshold, {})
    return Observed(labels, value, {severity: Condition.HOLDS}, reason, texts, {severity: str(threshold)})
