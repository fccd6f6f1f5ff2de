"""The keys that every rule has beside its form, as they stand in YAML.

**Thresholds.** `above`, `below`, `recover`, `for` and `keep_firing_for` are one value for the rule, or one for each
severity: `above: {warning: 2%, critical: 5%}`. Both `above` and `below` are a band: the case is what lies outside. A
plain number counts what the metric counts; `80%`, `50ms`, `1.5GB`, `10/s` are converted to it and must fit it.

**No data.** What the probe ran well and no longer reports is *gone*: its alert resolves. While the probe fails, is late
or the agent is blind, nobody *knows*: alerts are held as they are, and those who were told hear so after 15 minutes;
`no_data: resolve` takes that for not the case. *Not enough* data (too few events, NaN, a window that is not covered)
hold an alert for 15 minutes or the window, the longer, and then resolve it.

**Hours.** With `active` a rule is judged in these hours only: `business-hours`, `"!nights"` or
`{days: mon-fri, from: 09:00, to: 18:00, timezone: Europe/Berlin}`. At their end what fires resolves as "outside its
hours". At their begin all begins anew: a window looks back no further, `not_run_for` and `fails` count from
then on. A job's own schedule (`job: name`) has its deadlines whatever the hours are. To judge always and only not to
tell at night, write a mute.

**Off.** `enabled: false` takes a rule out of service and resolves what it says; with `until: 2026-12-01 08:00` it comes
back by itself. `sentinel explain` says which rule is not judged, why, and until when.

**Limit.** A rule has 200 alerts at a time at most (`limit`); one more says how many others there would be.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sentinel.core.fields import LabelMap, Model, Moment, OneOrMore, ScheduleValue, SeverityName
from sentinel.rules.rule import LIMIT
from sentinel.rules.threshold import Durations, Quantities


class RuleKeys(Model):
    """What may stand beside the form of any rule."""

    above: Quantities | None = Field(None, description="The case where the value is above this.")
    below: Quantities | None = Field(None, description="The case where the value is below this.")
    recover: Quantities | None = Field(None, description="Where a firing alert is over.")
    severity: SeverityName | None = Field(None, description="Needed unless the threshold names its severities.")
    hold_for: Durations | None = Field(None, alias="for", description="How long it must be the case before it fires.")
    keep_firing_for: Durations | None = Field(None, description="How long it must be over before it resolves.")
    no_data: Literal["hold", "resolve"] = Field("hold", description="What not knowing does to a firing alert.")
    labels: LabelMap = Field(default_factory=dict, description="Labels of each alert, for routes and messages.")
    summary: str | None = Field(None, description="One line for people; a template.")
    description: str | None = Field(None, description="What it means and what is known; a template.")
    runbook: str | None = Field(None, description="Where to read what to do; a template.")
    dashboard: str | None = Field(None, description="Where to look; a template.")
    owner: str = Field("", description="Who answers for it.")
    depends_on: Annotated[tuple[str, ...], OneOrMore()] = Field(
        (), description="Rules whose alerts explain this one's."
    )
    source: str | None = Field(None, description="A promql probe whose server answers it, instead of our own history.")
    active: ScheduleValue | None = Field(None, description="The hours in which it is judged; default always.")
    enabled: bool = Field(True, description="Whether it is judged.")
    until: Moment | None = Field(None, description="From when on it is judged again; beside enabled: false.")
    limit: int = Field(LIMIT, ge=1, description="How many alerts the rule may have at a time.")
