"""average: the mean of a value over a window.

Value
    The mean of each series' samples in the window; with `by`, the mean of those means in each group.

In YAML
    rules:
      cpu-busy:
        average: {of: cpu_percent, over: 10m}
        above: {warning: 80%, critical: 95%}

Compiles to
    avg_over_time(cpu_percent[10m])

Edges
    It speaks from the first sample on, so after a start the window is a short one: `for` makes it more patient. Each
    sample counts the same, however long it was the newest. NaN is not enough data. A threshold is converted to the unit
    that the metric's name ends in: 80% of `cpu_percent` is 80.
"""

from __future__ import annotations

from typing import ClassVar

from sentinel.rules.window import Windowed


class Average(Windowed):
    """The mean of a value over a window."""

    FUNCTION: ClassVar[str] = "avg_over_time"
    AMONG: ClassVar[str] = "avg"
