"""last: the newest value of a selector.

Value
    The newest value of each series, as long as it counts: 5 minutes, or two and a half intervals of its probe,
    whichever is longer. So an hourly probe has a value all hour.

In YAML
    rules:
      dead-letters:
        last: dead_letters                    # short for last: {of: dead_letters}
        above: {error: 0, critical: 25}
        for: {error: 15m}

Compiles to
    dead_letters

Edges
    Each series is an alert of its own, with the labels of the series. A series that its probe no longer reports
    resolves its alert as "gone"; while the probe fails, the state is held. NaN is not enough data.
    A threshold is converted to the unit that the metric's name ends in: 80% of `cpu_percent` is 80.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sentinel.core.quantity import unit_of_metric
from sentinel.rules.form import Compiled, Form, Setting, selector


class Last(Form):
    """The newest value of each series that a selector finds."""

    SHORT: ClassVar[str | None] = "of"

    of: str = Field(description='A selector: dead_letters, or queue_depth{queue="mail"}.')

    def compile(self, setting: Setting) -> Compiled:
        """Take the selector as it is."""
        of = selector(self.of, "of")
        unit, scale = unit_of_metric(of.name)
        return Compiled(of, unit=unit, scale=scale, carriers=(of,))
