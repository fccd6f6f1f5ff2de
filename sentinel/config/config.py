"""Config: everything that a tree of YAML says, validated and ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sentinel.config.cases import Case
from sentinel.config.promtool import PromtoolFile
from sentinel.config.secrets import NOTHING, Secrets
from sentinel.core.problem import Problem
from sentinel.core.revision import Revision
from sentinel.core.schedule import Schedule
from sentinel.notifiers.notifier import Notifier
from sentinel.probes.probe import Probe
from sentinel.routing.route import Policy
from sentinel.rules.grouped import Recording, RuleGroup
from sentinel.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Config:
    """One state of the configuration.

    Args:
        probes: by name.
        rules: by name, the built-in ones included.
        notifiers: by name.
        policy: who is told.
        schedules: by name.
        revision: the texts that all this was read from, and whose commit they are.
        renamed: earlier name (`was`) to present one, by section: `{"rules": {"old-name": "new-name"}}`.
        problems: what was found that does not stand in the way: warnings.
        secrets: what must never be shown.
        groups: of Prometheus rule files, in order; their alerting rules are among the rules.
        tests: by name; `sentinel test` runs them, the agent does not.
        promtool: files that `promtool test rules` reads, too.
    """

    probes: Mapping[str, Probe] = field(repr=False)
    rules: Mapping[str, Rule] = field(repr=False)
    notifiers: Mapping[str, Notifier] = field(repr=False)
    policy: Policy
    schedules: Mapping[str, Schedule]
    revision: Revision
    renamed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    secrets: Secrets = field(default=NOTHING, repr=False)
    groups: tuple[RuleGroup, ...] = field(default=(), repr=False)
    tests: Mapping[str, Case] = field(default_factory=dict, repr=False)
    promtool: tuple[PromtoolFile, ...] = field(default=(), repr=False)

    @property
    def own_rules(self) -> tuple[Rule, ...]:
        """The rules that stand in the tree, without those that are built in."""
        return tuple(rule for rule in self.rules.values() if rule.position.file in self.revision.files)

    @property
    def looking(self) -> tuple[Rule | Recording, ...]:
        """All that looks back over samples."""
        return (*self.rules.values(), *(rule for group in self.groups for rule in group.rules))
