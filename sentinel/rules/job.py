"""job: a job did not run when it should, failed, took too long or not long enough, or ran too often.

Value
    With `not_run_for`, the time since the job's last success or, if there never was one, since its heartbeat was first
    loaded; time in which the agent was blind does not count. With `failed`, how many runs failed since the last
    success. With `runs_longer_than`, how long the last run took, or the run going on where that is longer; with
    `runs_shorter_than`, how long the last run took. With `runs_too_often`, how many runs ended in the time that the
    rate names. With none of these, how long the job is past its own schedule and grace.

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
      import-hangs:
        job: {name: import, runs_longer_than: {warning: 30m, critical: 2h}}
      backup-empty:
        job: {name: nightly-backup, runs_shorter_than: 10s}
        severity: error
      import-loops:
        job: {name: import, runs_too_often: 6/h}
        severity: warning
      any-other-job:
        job: "*"                                # every job that no other rule of this form names, one alert each
        severity: warning

Compiles to
    job_idle_seconds{job="discovery"}, the case from 900 on
    job_overdue_seconds{job="nightly-backup"}, the case above 0
    job_consecutive_failures{job="import"}, the case from 1, and from 3 on
    job_running_seconds{job="import"} > job_last_duration_seconds{job="import"}
      or job_last_duration_seconds{job="import"} or job_running_seconds{job="import"}, the case above 1800, and 7200
    job_last_duration_seconds{job="nightly-backup"}, the case below 10
    sum without (status) (increase(job_runs_total{job="import"}[1h] anchored)) / 3600, the case above 6/h

Edges
    A job that never ran is counted from the moment when its heartbeat was first loaded, so a job that was forgotten
    fires too. A restart of the agent does not begin this anew. `not_run_for` does not ask why: a run that fails is no
    run. `runs_longer_than` and `runs_shorter_than` know only runs that sent a start. A run whose end never comes goes
    on until the job starts again, or for 72 h where starts carry a `rid`, which no other run ends. `runs_too_often`
    counts every run that ended, whether it succeeded or not.
    Of several jobs (`name: [import, export]`, `name: worker-*`, `"*"`) each has an alert of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, model_validator

from sentinel.core.quantity import Quantity, Unit
from sentinel.promql import VectorSelector, walk
from sentinel.rules.form import Compiled, Fault, Form, RuleInvalid, Setting, expression, selector, window_of
from sentinel.rules.names import Names, matcher
from sentinel.rules.threshold import Level, Quantities, Threshold

_PAST_ITS_DEADLINE: dict[Level, Threshold] = {None: Threshold(above=Quantity(0.0, Unit.SECONDS, "0s"))}
_QUESTIONS = ("not_run_for", "failed", "runs_longer_than", "runs_shorter_than", "runs_too_often")
_EXAMPLES = {Unit.SECONDS: "15m", Unit.NUMBER: "3", Unit.PER_SECOND: "6/h"}


class Job(Form):
    """A job that calls Sentinel (a heartbeat)."""

    SHORT: ClassVar[str | None] = "name"

    name: Names
    not_run_for: Quantities | None = Field(None, description="How long it may go without a success.")
    failed: Quantities | None = Field(None, description="From how many failed runs in a row on.")

    runs_longer_than: Quantities | None = Field(None, description="How long a run may take; the one going on counts.")
    runs_shorter_than: Quantities | None = Field(None, description="How long a run should take at least.")
    runs_too_often: Quantities | None = Field(None, description="How many runs there may be in a time: 6/h.")

    @model_validator(mode="after")
    def _one_question(self) -> Job:
        asked = [key for key in _QUESTIONS if getattr(self, key) is not None]
        if len(asked) > 1:
            raise ValueError(f"asks one thing: {' or '.join(asked)}; write a rule for each")
        return self

    def compile(self, setting: Setting) -> Compiled:
        """Ask the heartbeat's own numbers."""
        which = str(matcher("job", self.name, setting, "name"))
        if self.not_run_for is not None:
            limits = _from("not_run_for", self.not_run_for, Unit.SECONDS)
            idle = _asking(f"job_idle_seconds{{{which}}}", Unit.SECONDS, limits)
            return replace(idle, pace=timedelta(seconds=1))
        if self.failed is not None:
            return _asking(
                f"job_consecutive_failures{{{which}}}", Unit.NUMBER, _from("failed", self.failed, Unit.NUMBER)
            )
        if self.runs_longer_than is not None:
            took, going = f"job_last_duration_seconds{{{which}}}", f"job_running_seconds{{{which}}}"
            limits = _beyond("runs_longer_than", self.runs_longer_than, Unit.SECONDS)
            return _asking(f"{going} > {took} or {took} or {going}", Unit.SECONDS, limits)
        if self.runs_shorter_than is not None:
            limits = {
                level: Threshold(below=limit.above)
                for level, limit in _beyond("runs_shorter_than", self.runs_shorter_than, Unit.SECONDS).items()
            }
            return _asking(f"job_last_duration_seconds{{{which}}}", Unit.SECONDS, limits)
        if self.runs_too_often is not None:
            return _running_too_often(which, self.runs_too_often)
        return _asking(f"job_overdue_seconds{{{which}}}", Unit.SECONDS, _PAST_ITS_DEADLINE)

    @property
    def names(self) -> tuple[str, ...]:
        """The jobs that it names."""
        return self.name


def _asking(query: str, unit: Unit, thresholds: dict[Level, Threshold]) -> Compiled:
    of = expression(query, "name")
    carriers = tuple(dict.fromkeys(node for node in walk(of) if isinstance(node, VectorSelector)))
    return Compiled(of, unit=unit, carriers=carriers, thresholds=thresholds)


def _running_too_often(which: str, given: Quantities) -> Compiled:
    limits = _beyond("runs_too_often", given, Unit.PER_SECOND)
    periods = {quantity.period for quantity in given.values()}
    over = periods.pop()
    if periods or over is None:
        says = "should name the same time for every severity"
        raise RuleInvalid([Fault(("runs_too_often",), says, "write two rules")])
    runs = f"job_runs_total{{{which}}}"
    grown = f"sum without (status) (increase({runs}[{window_of(over)}] anchored))"
    return Compiled(
        expression(f"{grown} / {over.total_seconds():.0f}", "name"),
        unit=Unit.PER_SECOND,
        window=over,
        carriers=(selector(runs, "name"),),
        loose=True,
        thresholds=limits,
    )


def _from(key: str, quantities: Quantities, unit: Unit) -> dict[Level, Threshold]:
    """Return thresholds that hold from these quantities on."""
    return {level: replace(limit, inclusive=True) for level, limit in _beyond(key, quantities, unit).items()}


def _beyond(key: str, quantities: Quantities, unit: Unit) -> dict[Level, Threshold]:
    """Return thresholds that hold above these quantities."""
    for level, quantity in quantities.items():
        if quantity.unit is not unit or quantity.value <= 0:
            path = (key,) if level is None else (key, str(level))
            raise RuleInvalid([Fault(path, f'"{quantity}" does not fit', f"write {_EXAMPLES[unit]}")])
    return {level: Threshold(above=quantity) for level, quantity in quantities.items()}
