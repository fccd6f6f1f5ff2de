"""promql/word-as-metric: a value should be compared with a number.

Why
    Values are numbers. A word on the other side is taken for the name of a metric; there is none, so the alert never
    fires.

Bad
    - alert: Down
      expr: service_state == down
      labels: {severity: critical}

Good
    - alert: Down
      expr: service_state{state="down"} == 1
      labels: {severity: critical}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import VectorSelector
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

_YES = dict.fromkeys(("true", "yes", "on", "ok", "active", "running", "healthy", "ready", "online"), "1")
_NO = dict.fromkeys(("false", "no", "off", "down", "inactive", "stopped", "unhealthy", "failed", "offline"), "0")
_NONE = dict.fromkeys(("null", "none", "nil", "undefined"), "")
_WORDS = {**_YES, **_NO, **_NONE}


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a comparison with a word that is a state, and hardly the name of a metric."""
    for query in rule.queries:
        for node in query.binaries:
            side = unwrap(node.rhs)
            if node.op.compares and isinstance(side, VectorSelector):
                word = query.written(side)
                if word.lower() in _WORDS:
                    number = _WORDS[word.lower()]
                    fix = (
                        f"compare with a number, such as {number}" if number else "for what is missing write absent(…)"
                    )
                    yield Flaw(query.at(side), f"{word} is taken for the name of a metric", fix)
