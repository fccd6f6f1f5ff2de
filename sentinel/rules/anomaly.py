"""anomaly: how unusual a value is for this hour.

Value
    How many standard deviations the mean of the last `over` lies above (or, negative, below) what the same time showed
    in the last `seasons`: on the same weekday of the last weeks, or at the same hour of the last days (`season: 1d`).
    Mean and deviation are those of all samples of these earlier windows.

In YAML
    rules:
      signups-unusual:
        anomaly: {of: 'sum(increase(signups_total[15m] anchored))', over: 1h, seasons: 4}
        above: 4
        below: -4
        severity: warning

Compiles to
    (avg_over_time(x[1h]) - mean) / (deviation + |mean| / 100), where mean and deviation are put together from
    avg_over_time(x[1h] offset 1w) and stdvar_over_time(x[1h] offset 1w), … of each season

Edges
    Until all seasons were seen there is not enough data: four weeks with `seasons: 4`, so that one bad week is not what
    is usual. To the deviation a hundredth of the mean is added, so that a value which never moved does not page for its
    first twitch. Seasons are apart in elapsed time: in the weeks after a change of the clocks, 9 is compared with 8 or
    10. A season that began before retention (`SENTINEL_RETENTION`) is never seen.
"""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

from pydantic import Field

from sentinel.core.fields import PositiveDuration
from sentinel.promql import Call, Expr, Number, Operator, Paren
from sentinel.rules.compose import joined
from sentinel.rules.form import Compiled, Form, Setting
from sentinel.rules.subject import Subject

#: So that nothing is divided by zero where a value has always been zero.
_LEAST = 1e-9


class Anomaly(Form):
    """The distance from what is usual, in standard deviations."""

    of: str = Field(description="A selector, or any PromQL.")
    over: PositiveDuration = Field(description="The window: now, and in each season.")
    seasons: int = Field(4, ge=2, le=14, description="With how many earlier windows it is compared.")
    season: PositiveDuration = Field(timedelta(weeks=1), description="How far these are apart: 1w or 1d.")

    def compile(self, setting: Setting) -> Compiled:
        """Compare the mean with the pooled mean and deviation of the seasons."""
        subject = Subject.read(self.of, "of")
        present = subject.over("avg_over_time", self.over)
        means = [self._of_season(subject, "avg_over_time", n) for n in range(1, self.seasons + 1)]
        variances = [self._of_season(subject, "stdvar_over_time", n) for n in range(1, self.seasons + 1)]
        mean = _mean(means)
        squares = _mean([*variances, *(joined(one, Operator.POW, Number(2.0)) for one in means)], len(means))
        variance = joined(squares, Operator.SUB, joined(mean, Operator.POW, Number(2.0)))
        deviation = Call("sqrt", (Call("clamp_min", (variance, Number(0.0))),))
        softened = joined(Call("abs", (mean,)), Operator.DIV, Number(100.0))
        usual = Paren(joined(joined(deviation, Operator.ADD, softened), Operator.ADD, Number(_LEAST)))
        return Compiled(
            joined(Paren(joined(present, Operator.SUB, mean)), Operator.DIV, usual),
            window=self.over,
            carriers=subject.carriers,
            by=subject.by,
            loose=subject.loose,
            waits="both",
            parts={"now": present, "usual": mean},
            wording="({now} against {usual})",
        )

    def _of_season(self, subject: Subject, function: str, number: int) -> Expr:
        return subject.over(function, self.over, earlier=number * self.season)


def _mean(exprs: list[Expr], count: int = 0) -> Expr:
    """Return the sum of these divided by their number, or by `count`."""
    total = reduce(lambda one, other: joined(one, Operator.ADD, other), exprs)
    return Paren(joined(Paren(total), Operator.DIV, Number(float(count or len(exprs)))))
