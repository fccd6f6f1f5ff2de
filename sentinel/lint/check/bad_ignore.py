"""check/bad-ignore: a comment that suppresses must be understood.

Why
    A comment that cannot be read suppresses nothing, and whoever wrote it believes that it does.

Bad
    # sentinel: ignore rule/for-to-short because we know
    last: queue_depth
    above: 100
    for: 3m

Good
    last: queue_depth
    above: 100
    for: 3m
"""

from __future__ import annotations

from sentinel.core.severity import Severity

SEVERITY = Severity.WARNING
