"""maximum: the greatest value in a window.

Value
    The greatest of each series' samples in the window; with `by`, the greatest of each group.

In YAML
    rules:
      nobody-online:
        maximum: {of: sessions_active, over: 30m}
        below: 1
        severity: error
        summary: nobody was online for half an hour

Compiles to
    max_over_time(sessions_active[30m])

Edges
    `below` speaks about the whole window ("it never reached"), so it waits until data cover it: data from its start on,
    the newest not older than two intervals of the probe. `above` speaks at once: one high value is enough, and the
    alert stands until that has left the window.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from sentinel.rules.window import Windowed


class Maximum(Windowed):
    """The greatest value in a window."""

    FUNCTION: ClassVar[str] = "max_over_time"
    AMONG: ClassVar[str] = "max"
    WAITS: ClassVar[Literal["above", "below"] | None] = "below"
