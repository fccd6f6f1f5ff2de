"""change: how a value differs from what it was a while ago.

Value
    The relative change of each element against its value one `versus` earlier: -50% is half as much, 100% is twice.

In YAML
    rules:
      orders-fell:
        change: {of: 'sum(increase(orders_total[1h] anchored))', versus: 1w, at_least: 50}
        below: -50%
        severity: error
        summary: "orders changed by {{ value }} against the same hour a week ago"
      disk-jumped:
        change: {of: disk_used_bytes, versus: 1h}
        above: 20%
        severity: warning

Compiles to
    sum(increase(orders_total[1h] anchored)) / (sum(increase(orders_total[1h] anchored offset 1w)) != 0) - 1

Edges
    Where the earlier value was less than `at_least`, there is not enough data: few orders vary much. So it is where
    there was none (the first week of all), or where it was zero: nothing can be compared with it. `versus` is
    elapsed time: across a change of the clocks the hour of the day is another.
"""

from __future__ import annotations

from pydantic import Field

from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import Unit
from sentinel.promql import Number, Operator, Paren
from sentinel.rules.compose import joined
from sentinel.rules.form import Compiled, Form, Setting
from sentinel.rules.subject import Subject


class Change(Form):
    """The relative change of a value."""

    of: str = Field(description="A selector, or any PromQL.")
    versus: PositiveDuration = Field(description="How much earlier the value is that it is compared with.")
    at_least: float = Field(0, ge=0, description="An earlier value of less than this is not enough data.")

    def compile(self, setting: Setting) -> Compiled:
        """Divide by what was."""
        subject = Subject.read(self.of, "of")
        before = subject.earlier(self.versus)
        divisor = Paren(joined(before, Operator.NOT_EQUAL, Number(0.0)))
        share = joined(subject.expr, Operator.DIV, divisor)
        return Compiled(
            joined(share, Operator.SUB, Number(1.0)),
            unit=Unit.RATIO,
            carriers=subject.carriers,
            by=subject.by,
            loose=subject.loose,
            events=before if self.at_least else None,
            at_least=self.at_least,
            parts={"now": subject.expr, "before": before},
            wording="{now} against {before}",
        )

    def lacks(self, count: str, at_least: str) -> str:
        """Say what it was then."""
        return f"it was {count} then, and less than {at_least} says nothing"
