"""Demands: what `policy:` asks of the rules of a folder and of those below it, for `sentinel check`.

    policy:
      checks: {promql/regexp: off, rule/for-too-short: error, template/*: warning}
      require: [owner, runbook, summary]
      labels: {team: payments|search}
      names: {alerts: "[A-Z][A-Za-z]+", rules: "[a-z]+-.+"}

The nearest folder wins; mappings merge.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sentinel.config.build import Builder
from sentinel.core.fields import Duration, LabelName, Model, Pattern
from sentinel.core.severity import Severity

#: What a check may be: as grave as this, or not looked at.
Level = Literal["off", "info", "warning", "error"]


def _one_or_more(given: object) -> object:
    return [given] if isinstance(given, str) else given


class Demands(Model):
    """What is demanded in one folder."""

    checks: Mapping[str, Level] = Field(
        default_factory=dict, description="How grave a check is, or off; promql/* is all of a family."
    )
    require: Annotated[
        tuple[Literal["owner", "runbook", "summary", "description", "dashboard"], ...], BeforeValidator(_one_or_more)
    ] = Field((), description="What each rule that alerts must have; of Prometheus's, as a label or an annotation.")
    labels: Mapping[LabelName, Pattern] = Field(
        default_factory=dict, description="Labels that each rule that alerts must have, and what their values match."
    )
    annotations: Annotated[tuple[LabelName, ...], BeforeValidator(_one_or_more)] = Field(
        (), description="Annotations that each alert of Prometheus must have."
    )
    forbid: Annotated[tuple[LabelName, ...], BeforeValidator(_one_or_more)] = Field(
        (), description="Labels and annotations that no rule may have."
    )
    names: Mapping[Literal["rules", "alerts", "records"], Pattern] = Field(
        default_factory=dict, description="What whole names match: of ours, of Prometheus's alerts, of recorded series."
    )
    for_at_least: Duration | None = Field(None, description="The shortest `for` of a rule that alerts.")
    for_at_most: Duration | None = Field(None, description="The longest.")

    def level_of(self, check: str) -> Severity | Literal["off"] | None:
        """Return what a check is here; None where nothing is said. Its own name goes before its family's."""
        level = self.checks.get(check) or self.checks.get(f"{check.partition('/')[0]}/*")
        return level if level is None or level == "off" else Severity.of(level)


def build_demands(builder: Builder) -> dict[PurePosixPath, Demands]:
    """Return what is demanded, by folder, those of the folders above laid under it; what is wrong is reported."""
    read = {
        folder: demands
        for folder, node in builder.gathered.policies.items()
        if (demands := builder.reader.model(Demands, node, "policy", "policy"))
    }
    return {folder: _with_those_above(folder, read) for folder in read}


def demands_for(file: str, known: Mapping[PurePosixPath, Demands]) -> Demands | None:
    """Return what is demanded of a file; None where nothing is."""
    return next((known[folder] for folder in PurePosixPath(file).parents if folder in known), None)


def _with_those_above(folder: PurePosixPath, read: Mapping[PurePosixPath, Demands]) -> Demands:
    found: dict[str, Any] = {}
    for demands in (read[above] for above in (*reversed(folder.parents), folder) if above in read):
        for name in demands.model_fields_set:
            given = getattr(demands, name)
            found[name] = {**found.get(name, {}), **given} if isinstance(given, dict) else given
    return Demands.model_construct(None, **found)
