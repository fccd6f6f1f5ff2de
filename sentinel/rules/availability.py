"""availability: the share of a probe's runs that succeeded.

Value
    Of all runs of the probe in the window, the share that succeeded.

In YAML
    rules:
      checkout-available:
        availability: {of: checkout, over: 1h}
        below: {warning: 99.9%, critical: 99%}
      all-available:
        availability: {of: "*", over: 1d}       # every probe that no other rule of this form names, one alert each
        below: 99%
        severity: warning

Compiles to
    avg_over_time(probe_success{probe="checkout"}[1h])

Edges
    It speaks from the first run on. Each run counts the same, so a probe with `every_when_failing` counts its failures
    more finely. Runs that were not made (the agent was down) and those that stored nothing (in warm-up, or while the
    agent was blind) count neither way. A probe that is late holds the state.
"""

from __future__ import annotations

from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import Unit
from sentinel.rules.compose import over_time
from sentinel.rules.form import Compiled, Form, Setting, selector
from sentinel.rules.names import Names, matcher


class Availability(Form):
    """The share of a probe's runs that succeeded."""

    of: Names
    over: PositiveDuration

    def compile(self, setting: Setting) -> Compiled:
        """Take the mean of ones and zeros."""
        of = selector(f"probe_success{{{matcher('probe', self.of, setting, 'of')}}}", "of")
        return Compiled(over_time("avg_over_time", of, self.over), unit=Unit.RATIO, window=self.over, carriers=(of,))

    @property
    def names(self) -> tuple[str, ...]:
        """The probes that it names."""
        return self.of
