"""minimum: the least value in a window.

Value
    The least of each series' samples in the window; with `by`, the least of each group.

In YAML
    rules:
      never-empty:
        minimum: {of: queue_depth, over: 1h, by: [queue]}
        above: 100
        severity: warning
        summary: "{{ labels.queue }} was never below {{ value }} in an hour: its workers do not keep up"

Compiles to
    min by (queue) (min_over_time(queue_depth[1h]))

Edges
    `above` speaks about the whole window ("it was never below"), so it waits until data cover it: data from its start
    on, the newest not older than two intervals of the probe. `below` speaks at once: one low value is enough.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from sentinel.rules.window import Windowed


class Minimum(Windowed):
    """The least value in a window."""

    FUNCTION: ClassVar[str] = "min_over_time"
    AMONG: ClassVar[str] = "min"
    WAITS: ClassVar[Literal["above", "below"] | None] = "above"
