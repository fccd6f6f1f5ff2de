"""quantile: the value that a share of all observations stays under.

Value
    The p-th percentile of what was observed in the window: from the buckets of a histogram where the metric has them
    (all series added up, or those of each group of `by`), else from the raw values of the metric, of several series the
    worst.

In YAML
    rules:
      tick-latency:
        quantile: {p: 99, of: tick_latency_seconds, over: 5m, by: [channel]}
        above: 50ms
        severity: error

Compiles to
    histogram_quantile(0.99, sum by (le, channel) (increase(tick_latency_seconds_bucket[5m] anchored)))
    or max by (channel) (quantile_over_time(0.99, tick_latency_seconds[5m]))

Edges
    Without observations in the window there is not enough data, as with fewer than `at_least`. Where the percentile
    lies in the topmost bucket (`+Inf`), it is that bucket's lower bound: choose buckets that reach past the threshold.
"""

from __future__ import annotations

from pydantic import Field, field_validator

from sentinel.core.fields import PositiveDuration
from sentinel.core.labels import NAME, Matcher
from sentinel.core.quantity import unit_of_metric
from sentinel.promql import Call, Number, Operator, VectorSelector
from sentinel.rules.compose import aggregated, growth, joined, over_time
from sentinel.rules.form import By, Compiled, Form, Setting, selector


class Quantile(Form):
    """A percentile of observations over a window."""

    p: float = Field(description="The percentile, from 1 and under 100: 99 is the value that 99 % stay under.")
    of: str = Field(description="A selector: the name of a histogram (without _bucket) or of raw values.")
    over: PositiveDuration
    by: By = Field((), description="Labels to tell apart; all series are taken together where none is given.")
    at_least: float = Field(0, ge=0, description="Fewer observations than these are not enough data.")

    @field_validator("p")
    @classmethod
    def _percentile(cls, p: float) -> float:
        if 0 < p < 1:
            raise ValueError(f"should be a percentile from 1 and under 100; write {p * 100:g} for {p:g}")
        if not 1 <= p < 100:
            raise ValueError("should be a percentile from 1 and under 100, such as 99")
        return p

    def compile(self, setting: Setting) -> Compiled:
        """Take buckets where there are any, else raw values."""
        of = selector(self.of, "of")
        bucket, count = _named(of, "_bucket"), _named(of, "_count")
        share = float(f"{self.p / 100:.10g}")  # 0.999, where 99.9 / 100 is 0.9990000000000001
        buckets = aggregated("sum", growth(bucket, self.over), ("le", *self.by))
        raw = aggregated("max", over_time("quantile_over_time", of, self.over, share), self.by)
        counted = aggregated("sum", growth(count, self.over), self.by)
        raw_count = aggregated("sum", over_time("count_over_time", of, self.over), self.by)
        unit, scale = unit_of_metric(of.name)
        return Compiled(
            joined(Call("histogram_quantile", (Number(share), buckets)), Operator.OR, raw),
            unit=unit,
            scale=scale,
            window=self.over,
            carriers=(bucket, of),
            by=self.by,
            events=joined(counted, Operator.OR, raw_count) if self.at_least else None,
            at_least=self.at_least,
        )


def _named(of: VectorSelector, ending: str) -> VectorSelector:
    """Return the selector of a histogram's part."""
    matchers = (Matcher(m.name, m.op, m.value + ending) if m.name == NAME else m for m in of.matchers)
    return VectorSelector(tuple(matchers))
