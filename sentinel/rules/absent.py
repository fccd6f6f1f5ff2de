"""absent: nothing is heard of something any more.

Value
    1 where the selector found no sample in the window. With `by`, for each label set that was there in the day before.

In YAML
    rules:
      no-orders-counted:
        absent: {of: orders_total, over: 15m}
        severity: error
      instance-gone:
        absent: {of: up, over: 10m, by: [instance]}
        severity: error
        summary: "instance {{ labels.instance }} is gone"

Compiles to
    absent_over_time(orders_total[15m])
    group by (instance) (last_over_time(up[1d])) unless group by (instance) (last_over_time(up[10m]))

Edges
    It waits until the agent has looked for the whole window. A probe that fails counts as looking: what it does not
    bring is absent. An agent that is down or blind does not look. With `by`, what has been absent for a day is
    forgotten, and its alert resolves; without, it stands for as long as nothing comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import Quantity, format_duration
from sentinel.promql import Operator
from sentinel.rules.compose import aggregated, joined, over_time
from sentinel.rules.form import By, Compiled, Fault, Form, RuleInvalid, Setting, selector
from sentinel.rules.threshold import Threshold

#: What was there so long ago, and not since, is not missed any more.
REMEMBERED = timedelta(days=1)


class Absent(Form):
    """No samples for a window."""

    of: str = Field(description="A selector.")
    over: PositiveDuration
    by: By = Field((), description="Labels of what is missed one by one, where it was there in the day before.")

    def compile(self, setting: Setting) -> Compiled:
        """Look for what is not there, or no longer."""
        of = selector(self.of, "of")
        if not self.by:
            missed = over_time("absent_over_time", of, self.over)
        elif self.over >= REMEMBERED:
            says = "is as long as what was there is remembered: a day"
            raise RuleInvalid([Fault(("over",), says, "write a shorter window, or drop by")])
        else:
            once, lately = (
                aggregated("group", over_time("last_over_time", of, span), self.by) for span in (REMEMBERED, self.over)
            )
            missed = joined(once, Operator.UNLESS, lately)
        return Compiled(
            missed,
            window=self.over,
            carriers=(of,),
            by=self.by or None,
            loose=not self.by,
            thresholds={None: Threshold()},
            absence=True,
        )

    def tell(self, why: str, parts: Mapping[str, float], limit: Quantity | None) -> str:
        """Say for how long nothing came."""
        return f"no sample of {self.of} for {format_duration(self.over)}"
