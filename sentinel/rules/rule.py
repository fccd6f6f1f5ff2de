"""A rule: what is watched, from where on it is the case, how patient to be, and what to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sentinel.core.alert import Alert, Origin, Patience
from sentinel.core.labels import Labels
from sentinel.core.problem import Position
from sentinel.core.schedule import Schedule
from sentinel.core.severity import Severity
from sentinel.promql import Read
from sentinel.rules.form import Compiled, Form
from sentinel.rules.threshold import Threshold

NoData = Literal["hold", "resolve"]

#: How many alerts one rule may have at a time unless it says otherwise.
LIMIT = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry under `rules:`, compiled.

    Args:
        name: unique in the tree.
        form_name: the form's word in YAML.
        form: what stands under it.
        compiled: the form as PromQL.
        thresholds: one per severity that the rule knows.
        patience: likewise.
        no_data: whether not knowing holds the state, or is taken for "not the case".
        labels: the rule's own; on each alert, not part of its identity.
        texts: templates by name: `summary`, `description`, `runbook`, `dashboard`.
        owner: who answers for it.
        depends_on: rules whose alerts explain this one's.
        limit: how many alerts it may have at a time.
        active: the hours in which it is judged; None is always.
        enabled: whether it is judged at all.
        until: from when on it is judged though it is not enabled.
        source: the `promql` probe whose server answers it; "" is our own history.
        position: where it is written.
        origin: likewise, with commit and author, for messages.
        agent: name of the agent, for templates.
        defaults: keys that it takes from a folder's `defaults`, and where that says so.
    """

    name: str
    form_name: str
    form: Form
    compiled: Compiled
    thresholds: Mapping[Severity, Threshold]
    patience: Mapping[Severity, Patience]
    no_data: NoData = "hold"
    labels: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    depends_on: tuple[str, ...] = ()
    limit: int = LIMIT
    active: Schedule | None = None
    enabled: bool = True
    until: datetime | None = None
    source: str = ""
    position: Position = field(default_factory=lambda: Position(""))
    origin: Origin = field(default_factory=Origin)
    agent: str = ""
    defaults: Mapping[str, Position] = field(default_factory=dict)

    @property
    def reads(self) -> tuple[Read, ...]:
        """The selectors that it reads: an arrival of one of their series makes it due."""
        return () if self.source else self.compiled.reads

    @property
    def window(self) -> timedelta:
        """The longest time that it looks back over."""
        return self.compiled.window

    def rests(self, now: datetime) -> str:
        """Return why it is not judged at this instant, "" where it is."""
        if not self.enabled and (self.until is None or now < self.until):
            return "disabled"
        return "outside its hours" if self.active is not None and not self.active.contains(now) else ""

    def changes_after(self, now: datetime) -> datetime | None:
        """Return when it next begins or ends to be judged; None where it never does."""
        if not self.enabled and (self.until is None or now < self.until):
            return self.until
        return self.active.next_change_after(now) if self.active is not None else None

    @property
    def blank(self) -> Alert:
        """What each new alert of this rule starts from, and what every evaluation brings up to date."""
        return Alert(self.name, Labels(), {}, rule_labels=self.labels, owner=self.owner, origin=self.origin)
