"""increase: by how much a counter grew in a window.

Value
    The growth of a counter from the last value before the window to the last one in it: exact, nothing extrapolated, so
    that five events are 5. A counter that was reset goes on from zero. All series that the selector finds are added
    up, or those of each group of `by`.

In YAML
    rules:
      domains-per-week:
        increase: {of: domains_extracted_total, over: 7d}
        below: {warning: 200, critical: 50}

Compiles to
    sum(increase(domains_extracted_total[7d] anchored))

Edges
    `below` speaks about the whole window, so it waits until data cover it: data from its start on, the newest not older
    than two intervals of the probe. On the first day of seven it says "1d of 7d" and wakes nobody. `above` does not
    wait. The first burst of a counter that a probe shows for the first time on a later run counts from zero.
"""

from __future__ import annotations

from pydantic import Field

from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import Unit, unit_of_metric
from sentinel.rules.compose import aggregated, growth
from sentinel.rules.form import By, Compiled, Form, Setting, counter


class Increase(Form):
    """The growth of a counter over a window."""

    of: str = Field(description="A selector of a counter.")
    over: PositiveDuration
    by: By = Field((), description="Labels to tell apart; all series are added up where none is given.")

    def compile(self, setting: Setting) -> Compiled:
        """Count exactly, and add up per group."""
        of = counter(self.of, "of")
        unit, scale = unit_of_metric(of.name)
        return Compiled(
            aggregated("sum", growth(of, self.over), self.by),
            unit=unit or Unit.NUMBER,
            scale=scale,
            window=self.over,
            carriers=(of,),
            by=self.by,
            waits="below" if setting.below else None,
        )
