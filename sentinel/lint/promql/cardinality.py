"""promql/cardinality: alerts should not be grouped by what has no end of values.

Why
    A label such as a user's or a request's number makes an alert each: a thousand customers are a thousand messages,
    and each of them is new.

Bad
    - alert: Errors
      expr: sum by (user_id) (increase(errors_total[5m])) > 10
      labels: {severity: warning}

Good
    - alert: Errors
      expr: sum by (service) (increase(errors_total[5m])) > 10
      labels: {severity: warning}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import Aggregate

SEVERITY = Severity.WARNING

_ENDLESS = re.compile(
    r"(?:(?:user|customer|client|account|order|session|request|trace|span|transaction|message|event|correlation|payment"
    r"|invoice|cart|visitor|device)_?(?:id|uuid|guid)|email|e_mail|ip|ip_address|remote_addr|client_ip|url|uri|full_url"
    r"|query_string|user_agent|uuid|guid|timestamp|referr?er|phone)",
    re.IGNORECASE,
)


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag `by` labels without an end of values in the outermost aggregation of what alerts."""
    if not rule.alerts:
        return
    for label in rule.rule.compiled.by or () if rule.rule else ():
        if _ENDLESS.fullmatch(label):
            yield Flaw(rule.at(rule.form, "by"), _says(label), _FIX)
    for query in rule.queries:
        for node in query.aggregates:
            if not node.without and not _is_inner(query, node):
                for label in node.grouping:
                    if _ENDLESS.fullmatch(label):
                        yield Flaw(query.at(node), _says(label), _FIX)


_FIX = "group by what a person can act on, and look up the rest in logs"


def _says(label: str) -> str:
    return f'"{label}" has no end of values, and each of them is an alert'


def _is_inner(query: Query, node: Aggregate) -> bool:
    above = query.above(node)
    while above is not None:
        if isinstance(above, Aggregate):
            return True
        above = query.above(above)
    return False
