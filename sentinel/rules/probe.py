"""probe: a probe fails, several times in a row or several times of the last few.

Value
    With `fails: 3`, how many runs failed since the last that succeeded; with `fails: 3 of 5`, how many failed in the
    time of five runs.

In YAML
    rules:
      database-down:
        probe: {name: purchases, fails: 3}    # short for one failure: probe: purchases
        severity: critical
      checkout-flaky:
        probe: {name: checkout, fails: {warning: 3 of 10, critical: 6 of 10}}
      any-other-probe:
        probe: {name: "*", fails: 5}          # every probe that no other rule of this form names, one alert each
        severity: warning

Compiles to
    probe_consecutive_failures{probe="purchases"}, the case from 3 on
    count_over_time(probe_success{probe="checkout"}[150s]) - sum_over_time(probe_success{probe="checkout"}[150s])

Edges
    Failures in the first minute after the agent's start do not count until the probe has once succeeded, and none count
    while the agent is blind. A probe that is late holds the state: nobody knows. `N of M` takes M times the probe's
    `every`, whatever its pace while it fails. Of several probes (`name: [web, api]`, `name: worker-*`, `"*"`) each has
    an alert of its own. The alert's reason says how the last run failed, by `probe_failure`: `3 >= 3, the last: no
    answer in time (timeout)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainValidator, WithJsonSchema

from sentinel.core.quantity import Quantity, Unit
from sentinel.rules.form import (
    UNKNOWN_INTERVAL,
    Compiled,
    Fault,
    Form,
    RuleInvalid,
    Setting,
    expression,
    selector,
    window_of,
)
from sentinel.rules.names import Names, by_interval, matcher
from sentinel.rules.threshold import PerLevel, Threshold

#: How a run fails, by the `reason` of `probe_failure`, in the words of a message.
WORDS = {
    "dns": "its name is not known (dns)",
    "connect": "no connection (connect)",
    "tls": "no secure connection (tls)",
    "timeout": "no answer in time (timeout)",
    "status": "a status that is not expected (status)",
    "expect": "not what is expected (expect)",
    "auth": "it does not let us in (auth)",
    "error": "it says that it failed (error)",
}
_FAILS = re.compile(r"(\d{1,4})(?:\s+of\s+(\d{1,4}))?")


def _fails(given: Any) -> tuple[int, int]:
    found = _FAILS.fullmatch(str(given).strip()) if isinstance(given, (str, int)) else None
    if not found:
        raise ValueError("should be a number of failures in a row, 3, or of the last runs, 3 of 5")
    count, runs = int(found[1]), int(found[2] or 0)
    if not count or (runs and count > runs):
        raise ValueError("should be at least 1, and at most the number of runs")
    return count, runs


#: How many failures, and of how many runs; 0 runs stands for "in a row".
Fails = Annotated[tuple[int, int], PlainValidator(_fails), WithJsonSchema({"type": ["integer", "string"]})]


class Probe(Form):
    """The failures of a probe."""

    SHORT: ClassVar[str | None] = "name"

    name: Names
    fails: PerLevel[Fails] = Field({None: (1, 0)}, validate_default=False, description="3, or 3 of 5.")

    def compile(self, setting: Setting) -> Compiled:
        """Count failures in a row, or in the time of so many runs."""
        which = str(matcher("probe", self.name, setting, "name"))
        looking = by_interval(self.name, setting, "name") or {UNKNOWN_INTERVAL: self.name}
        spans = {runs for _, runs in self.fails.values()}
        if len(spans) > 1:
            says = "should count every severity over the same number of runs"
            raise RuleInvalid([Fault(("fails",), says, "write two rules")])
        runs = spans.pop()
        counted = [
            _failures(which if len(looking) == 1 else str(matcher("probe", names, setting, "name")), runs * interval)
            for interval, names in looking.items()
        ]
        return Compiled(
            expression(" or ".join(counted) if runs else f"probe_consecutive_failures{{{which}}}", "name"),
            window=runs * max(looking),
            carriers=(selector(f"probe_success{{{which}}}", "name"),),
            parts={
                reason: expression(f'max without (reason) (probe_failure{{{which},reason="{reason}"}})', "name")
                for reason in WORDS
            },
            thresholds={level: _at_least(*fails) for level, fails in self.fails.items()},
            pace=None if runs else min(looking),
        )

    def tell(self, why: str, parts: Mapping[str, float], limit: Quantity | None) -> str:
        """Say how the last run failed, too."""
        failed = [words for reason, words in WORDS.items() if parts.get(reason)]
        return f"{why}, the last: {failed[0]}" if failed else why

    @property
    def names(self) -> tuple[str, ...]:
        """The probes that it names."""
        return self.name


def _failures(which: str, over: timedelta) -> str:
    looked = f"probe_success{{{which}}}[{window_of(over)}]"
    return f"count_over_time({looked}) - sum_over_time({looked})"


def _at_least(count: int, runs: int) -> Threshold:
    text = f"{count} of {runs}" if runs else str(count)
    return Threshold(above=Quantity(float(count), Unit.NUMBER, text), inclusive=True)
