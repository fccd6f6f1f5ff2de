"""Window: what the forms share that take the values of a selector over a window into one number each."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import unit_of_metric
from sentinel.rules.compose import aggregated, over_time
from sentinel.rules.form import By, Compiled, Form, Setting, selector


class Windowed(Form):
    """A value that is not counted, over a window.

    A form says by which function of PromQL (`FUNCTION`), how the series of a group become one (`AMONG`), and, where it
    speaks about the whole window, on which side of its threshold it must have seen all of that (`WAITS`).
    """

    FUNCTION: ClassVar[str]
    AMONG: ClassVar[str]
    WAITS: ClassVar[Literal["above", "below"] | None] = None

    of: str = Field(description='A selector: queue_depth, or cpu_percent{mode="user"}.')
    over: PositiveDuration
    by: By = Field((), description="Labels of the groups; each series stands for itself where none is given.")

    def compile(self, setting: Setting) -> Compiled:
        """Take each series over the window, and of a group the one number that it stands for."""
        of = selector(self.of, "of")
        unit, scale = unit_of_metric(of.name)
        each = over_time(self.FUNCTION, of, self.over)
        return Compiled(
            aggregated(self.AMONG, each, self.by) if self.by else each,
            unit=unit,
            scale=scale,
            window=self.over,
            carriers=(of,),
            by=self.by or None,
            waits=self.WAITS if self.WAITS and getattr(setting, self.WAITS) else None,
            throughout=True,
        )
