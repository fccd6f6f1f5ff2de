"""burn_rate: an error budget is used up too fast.

Value
    The burn rate: how many times as fast as in its period the error budget is used up, over the long window of the pair
    that is too fast. A pace is judged over two windows at once, so that it lasted (the long one) and still goes on (the
    short one):

    severity    pace    long    short    uses up of a budget for 30 days
    critical    14.4    1h      5m       2 % in an hour
    critical    6       6h      30m      5 % in six hours
    warning     3       1d      2h       10 % in a day
    warning     1       3d      6h       10 % in three days

    Pace 1 uses up the whole budget in just its period. With another `period` of four weeks or more the windows and
    shares stay, and the paces follow. Of a week's budget such shares are used up at a pace that a service may keep for
    ever: there, and up to four weeks, they are 8, 12.5, 20 and 42 %; `period: 7d` has the paces 13.44, 3.5, 1.4 and
    0.98. (Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"; for a week, Sloth's
    windows.)

In YAML
    rules:
      checkout-slo:
        burn_rate:
          errors: 'http_requests_total{code=~"5.."}'
          total: http_requests_total
          objective: 99.9%
          at_least: 100                         # a pair whose long window has fewer events says nothing

Compiles to
    of each severity, with burn[w] for (sum(increase(errors[w] anchored)) or sum(increase(total[w] anchored)) * 0)
    / sum(increase(total[w] anchored)) / 0.001:
    burn[1h] > 14.4 and burn[5m] > 14.4 or burn[6h] > 6 and burn[30m] > 6
    burn[1d] > 3 and burn[2h] > 3 or burn[3d] > 1 and burn[6h] > 1

Edges
    Missing errors are 0 where there is a total. After an hour without traffic a pair that is not too fast is not enough
    data: its state is held for as long as its own window. It speaks from the first events on: after a start, a window
    is only as long as there are data. The short window of the first pair is 5m, so the counters should be looked at
    every minute: between slower looks it is empty, and the pair not the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import Field

from sentinel.core.fields import PositiveDuration, Ratio
from sentinel.core.quantity import Quantity, format_duration, format_value
from sentinel.core.severity import Severity
from sentinel.promql import Expr, Number, Operator, Paren, VectorSelector
from sentinel.rules.compose import aggregated, growth, joined
from sentinel.rules.form import By, Compiled, Fault, Form, RuleInvalid, Setting, counter
from sentinel.rules.threshold import Threshold


@dataclass(frozen=True, slots=True)
class Pair:
    """Two windows that are judged together, and the share of the budget that the long one may use up."""

    severity: Severity
    of_month: float
    of_week: float
    long: timedelta
    short: timedelta

    def pace(self, period: timedelta) -> float:
        """Return how many times as fast as in its period the budget may burn."""
        return (self.of_week if period < _MONTH else self.of_month) * (period / self.long)


_WEEK, _MONTH = timedelta(days=7), timedelta(days=28)
PAIRS = (
    Pair(Severity.CRITICAL, 0.02, 0.08, timedelta(hours=1), timedelta(minutes=5)),
    Pair(Severity.CRITICAL, 0.05, 0.125, timedelta(hours=6), timedelta(minutes=30)),
    Pair(Severity.WARNING, 0.10, 0.20, timedelta(days=1), timedelta(hours=2)),
    Pair(Severity.WARNING, 0.10, 0.42, timedelta(days=3), timedelta(hours=6)),
)


class BurnRate(Form):
    """A multi-window, multi-burn-rate alert on an error budget."""

    errors: str = Field(description="A selector of a counter: what went wrong.")
    total: str = Field(description="A selector of a counter: all there was.")
    objective: Ratio = Field(description="The share that is to go well: 99.9%.")
    period: PositiveDuration = Field(timedelta(days=30), description="For how long the budget is to last: 7d or more.")
    by: By = Field((), description="Labels to tell apart; all series are added up where none is given.")
    at_least: float = Field(0, ge=0, description="A pair whose long window has fewer events says nothing.")

    def compile(self, setting: Setting) -> Compiled:
        """Judge each severity by its own two pairs."""
        errors, total = counter(self.errors, "errors"), counter(self.total, "total")
        if not 0 < self.objective < 1:
            raise RuleInvalid([Fault(("objective",), "leaves no budget to burn", "write 99.9%, or another below 100%")])
        if self.period < _WEEK:
            says = "is shorter than a week, and the longest window of a burn rate is 3d"
            raise RuleInvalid([Fault(("period",), says, "write 7d or more, or use ratio for a shorter time")])
        windows = dict.fromkeys(window for pair in PAIRS for window in (pair.long, pair.short))
        rates = {window: self._rate(errors, total, window) for window in windows}
        levels = (Severity.CRITICAL, Severity.WARNING)
        return Compiled(
            rates[PAIRS[0].long],
            window=max(windows),
            carriers=(total,),
            by=self.by,
            parts={format_duration(window): rate for window, rate in rates.items()},
            thresholds=dict.fromkeys(levels, Threshold()),
            own={level: self._too_fast(level, rates, total) for level in levels},
        )

    def unclear(self, parts: Mapping[str, float]) -> str:
        """Say that there was no traffic."""
        return "nothing to divide by"

    def tell(self, why: str, parts: Mapping[str, float], limit: Quantity | None) -> str:
        """Name both windows of the first pair that is too fast, else of the first."""
        said = []
        for pair in PAIRS:
            pace = pair.pace(self.period)
            windows = [format_duration(window) for window in (pair.long, pair.short)]
            rates = [parts.get(window, float("nan")) for window in windows]
            over = " and ".join(f"{format_value(rate)} over {of}" for rate, of in zip(rates, windows, strict=True))
            said.append((all(rate > pace for rate in rates), f"burns {over}; {format_value(pace)} is the limit"))
        return next((says for too_fast, says in said if too_fast), said[0][1])

    def _too_fast(self, severity: Severity, rates: Mapping[timedelta, Expr], total: VectorSelector) -> Expr:
        """Return the burn rate over the long window of a pair of this severity that is too fast in both."""
        one, other = (self._pair(pair, rates, total) for pair in PAIRS if pair.severity is severity)
        return joined(one, Operator.OR, other)

    def _pair(self, pair: Pair, rates: Mapping[timedelta, Expr], total: VectorSelector) -> Expr:
        pace = Number(float(f"{pair.pace(self.period):.10g}"))
        long, short = (joined(rates[window], Operator.GREATER, pace) for window in (pair.long, pair.short))
        both = joined(long, Operator.AND, short)
        if not self.at_least:
            return both
        events = aggregated("sum", growth(total, pair.long), self.by)
        return joined(both, Operator.AND, joined(events, Operator.GREATER_EQUAL, Number(self.at_least)))

    def _rate(self, errors: VectorSelector, total: VectorSelector, window: timedelta) -> Expr:
        failed = aggregated("sum", growth(errors, window), self.by)
        whole = aggregated("sum", growth(total, window), self.by)
        counted = Paren(joined(failed, Operator.OR, joined(whole, Operator.MUL, Number(0.0))))
        budget = Number(float(f"{1 - self.objective:.10g}"))  # 0.001, where 1 - 0.999 is 0.0010000000000000009
        return joined(joined(counted, Operator.DIV, whole), Operator.DIV, budget)
