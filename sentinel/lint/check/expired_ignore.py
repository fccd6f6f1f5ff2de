"""check/expired-ignore: a comment that suppresses until a day is over on that day.

Why
    The day was the promise to mend it by then, or to decide anew.

Bad
    # sentinel: ignore alert/comparison until 2020-01-01 because the threshold is being measured
    - alert: Queue
      expr: queue_depth
      labels: {severity: warning}

Good
    - alert: Queue
      expr: queue_depth > 100
      labels: {severity: warning}
"""

from __future__ import annotations

from sentinel.core.severity import Severity

SEVERITY = Severity.WARNING
