"""check/useless-ignore: a comment that suppresses must suppress something.

Why
    It would hide the next problem of its kind, which nobody has seen yet.

Bad
    # sentinel: ignore alert/comparison because it was so once
    - alert: Queue
      expr: queue_depth > 100
      labels: {severity: warning}

Good
    - alert: Queue
      expr: queue_depth > 100
      labels: {severity: warning}
"""

from __future__ import annotations

from sentinel.core.severity import Severity

SEVERITY = Severity.WARNING
