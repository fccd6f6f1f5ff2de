"""The keys that every rule has beside its form, as they stand in YAML."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from sentinel.core.fields import LabelMap, Model, SeverityName
from sentinel.rules.form import one_or_more
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
    depends_on: Annotated[tuple[str, ...], BeforeValidator(one_or_more)] = Field(
        (), description="Rules whose alerts explain this one's."
    )
    source: str | None = Field(None, description="A promql probe whose server answers it, instead of our own history.")
    limit: int = Field(LIMIT, ge=1, description="How many alerts the rule may have at a time.")
