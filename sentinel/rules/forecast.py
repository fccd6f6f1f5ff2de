"""forecast: where a value will be, if it goes on as it went.

Value
    The value so far ahead (`in`) on the straight line that fits the samples of the window best. The message says when
    that line crosses the threshold.

In YAML
    rules:
      disk-fills:
        forecast: {of: 'node_filesystem_avail_bytes{mountpoint="/"}', over: 6h, in: 1d}
        below: 0
        severity: error
        summary: "{{ labels.instance }} runs out of disk: {{ reason }}"

Compiles to
    predict_linear(node_filesystem_avail_bytes{mountpoint="/"}[6h], 86400)

Edges
    A line through the first few samples after a start points anywhere, so it waits until data cover the window, without
    a hole. A step within the window (a large file was written) looks like a slope: a longer window, or `for`, is less
    easily fooled. A counter has no straight line of its own: take `increase(…)` of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import Quantity, format_duration
from sentinel.rules.form import Compiled, Form, Setting
from sentinel.rules.subject import Subject


class Forecast(Form):
    """A linear forecast."""

    of: str = Field(description="A selector, or any PromQL, of a value that goes up and down.")
    over: PositiveDuration = Field(description="The window whose samples the line is fitted to.")
    ahead: PositiveDuration = Field(alias="in", description="How far ahead.")

    def compile(self, setting: Setting) -> Compiled:
        """Fit a line, and look where it is then."""
        subject = Subject.read(self.of, "of")
        return Compiled(
            subject.over("predict_linear", self.over, self.ahead.total_seconds()),
            unit=subject.unit,
            scale=subject.scale,
            window=self.over,
            carriers=subject.carriers,
            by=subject.by,
            loose=subject.loose,
            waits="both",
            throughout=True,
            parts={"now": subject.over("predict_linear", self.over, 0.0), "slope": subject.over("deriv", self.over)},
        )

    def tell(self, why: str, parts: Mapping[str, float], limit: Quantity | None) -> str:
        """Add when the line crosses the threshold."""
        now, slope = parts.get("now"), parts.get("slope")
        if limit is None or now is None or not slope:
            return why
        seconds = (limit.value - now) / slope
        if not 0 <= seconds <= self.ahead.total_seconds():
            return f"{why}, which it has passed already"
        minute = timedelta(minutes=1)
        return (
            f"{why}, which it reaches in {format_duration(max(minute, timedelta(seconds=seconds) // minute * minute))}"
        )
