"""job: a job did not run when it should, or failed.

Value
    With `not_run_for`, the time since the job's last success or, if there never was one, since its heartbeat was first
    loaded; time in which the agent was blind does not count. With `failed`, how many runs failed since the last
    success. With neither, how long the job is past its own schedule and grace.

In YAML
    rules:
      discovery-not-run:
        job: {name: discovery, not_run_for: 15m}
        severity: critical
      backup-late:
        job: nightly-backup                     # overdue by its heartbeat's schedule and grace
        severity: error
      import-fails:
        job: {name: import, failed: {warning: 1, critical: 3}}
      any-other-job:
        job: "*"                                # every job that no other rule of this form names, one alert each
        severity: warning

Compiles to
    job_idle_seconds{job="discovery"}, the case from 900 on
    job_overdue_seconds{job="nightly-backup"}, the case above 0
    job_consecutive_failures{job="import"}, the case from 1, and from 3 on

Edges
    A job that never ran is counted from the moment when its heartbeat was first loaded, so a job that was forgotten
    fires too. A restart of the agent does not begin this anew. `not_run_for` does not ask why: a run that fails is no
    run. Of several jobs (`name: [import, export]`, `name: worker-*`, `"*"`) each has an alert of its own.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from sentinel.core.quantity import Quantity, Unit
from sentinel.rules.form import Compiled, Fault, Form, RuleInvalid, Setting, selector
from sentinel.rules.names import Names, matcher
from sentinel.rules.threshold import Level, Quantities, Threshold

_PAST_ITS_DEADLINE: dict[Level, Threshold] = {None: Threshold(above=Quantity(0.0, Unit.SECONDS, "0s"))}


class Job(Form):
    """A job that calls Sentinel (a heartbeat)."""

    SHORT: ClassVar[str | None] = "name"

    name: Names
    not_run_for: Quantities | None = Field(None, description="How long it may go without a success.")
    failed: Quantities | None = Field(None, description="From how many failed runs in a row on.")

    @model_validator(mode="after")
    def _one_question(self) -> Job:
        if self.not_run_for is not None and self.failed is not None:
            raise ValueError("asks one thing: not_run_for or failed; write two rules for both")
        return self

    def compile(self, setting: Setting) -> Compiled:
        """Ask the heartbeat's own numbers."""
        which = str(matcher("job", self.name, setting, "name"))
        if self.not_run_for is not None:
            limits = _from("not_run_for", self.not_run_for, Unit.SECONDS)
            return _asking("job_idle_seconds", which, Unit.SECONDS, limits)
        if self.failed is not None:
            limits = _from("failed", self.failed, Unit.NUMBER)
            return _asking("job_consecutive_failures", which, Unit.NUMBER, limits)
        return _asking("job_overdue_seconds", which, Unit.SECONDS, _PAST_ITS_DEADLINE)

    @property
    def names(self) -> tuple[str, ...]:
        """The jobs that it names."""
        return self.name


def _asking(metric: str, which: str, unit: Unit, thresholds: dict[Level, Threshold]) -> Compiled:
    of = selector(f"{metric}{{{which}}}", "name")
    return Compiled(of, unit=unit, carriers=(of,), thresholds=thresholds)


def _from(key: str, quantities: Quantities, unit: Unit) -> dict[Level, Threshold]:
    """Return thresholds that hold from these quantities on."""
    for quantity in quantities.values():
        if quantity.unit is not unit or quantity.value <= 0:
            example = "15m" if unit is Unit.SECONDS else "3"
            raise RuleInvalid([Fault((key,), f'"{quantity}" does not fit', f"write {example}")])
    return {level: Threshold(above=quantity, inclusive=True) for level, quantity in quantities.items()}
