"""rate: how fast a counter grows.

Value
    The growth of a counter in the window, counted exactly as `increase` does, per second of the window. All series that
    the selector finds are added up, or those of each group of `by`. The threshold is a rate: 10/s, 8000/min, 2MB/s.

In YAML
    rules:
      ingest-slow:
        rate: {of: events_accepted_total, over: 10m}
        below: 8000/min
        severity: error

Compiles to
    sum(increase(events_accepted_total[10m] anchored)) / 600

Edges
    `below` speaks about the whole window, so it waits until data cover it: data from its start on, the newest not older
    than two intervals of the probe. `above` does not wait: what grew in a part of the window is shared out over all of
    it. A counter that was reset goes on from zero.
"""

from __future__ import annotations

from pydantic import Field

from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import Unit
from sentinel.promql import Number, Operator
from sentinel.rules.compose import aggregated, growth, joined
from sentinel.rules.form import By, Compiled, Form, Setting, counter


class Rate(Form):
    """The growth of a counter per second."""

    of: str = Field(description="A selector of a counter.")
    over: PositiveDuration
    by: By = Field((), description="Labels to tell apart; all series are added up where none is given.")

    def compile(self, setting: Setting) -> Compiled:
        """Count exactly, add up per group, and share out over the window."""
        of = counter(self.of, "of")
        grown = aggregated("sum", growth(of, self.over), self.by)
        return Compiled(
            joined(grown, Operator.DIV, Number(self.over.total_seconds())),
            unit=Unit.PER_SECOND,
            window=self.over,
            carriers=(of,),
            by=self.by,
            waits="below" if setting.below else None,
        )
