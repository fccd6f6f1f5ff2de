"""Names: the probes or jobs that a rule is about. One, several, or a pattern (`worker-*`); one alert each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from sentinel.core.fields import OneOrMore
from sentinel.core.labels import Matcher, MatchOp
from sentinel.core.problem import near
from sentinel.core.regex import full_match
from sentinel.rules.form import UNKNOWN_INTERVAL, Fault, RuleInvalid, Setting

#: Every one that no other rule of the same form names.
REST = "*"


def _some(given: tuple[str, ...]) -> tuple[str, ...]:
    if not given:
        raise ValueError('should name at least one; "*" is every one that no other rule of this form names')
    return given


#: A name, a pattern in which `*` stands for anything, or a list of these.
Names = Annotated[
    tuple[str, ...],
    OneOrMore(),
    AfterValidator(_some),
    Field(description='A name, a pattern such as worker-*, several; "*" is all that no other such rule names.'),
]


def matcher(label: str, names: Sequence[str], setting: Setting, *path: str) -> Matcher:
    """Return the condition on a label that these names make.

    Raises:
        RuleInvalid: the tree has no probe of such a name; the fault is at `path`.
    """
    _check(names, setting, path)
    if REST in names:
        return Matcher(label, MatchOp.NOT_REGEX, "|".join(map(_pattern, ["", *sorted(setting.named)])))
    if len(names) == 1 and "*" not in names[0]:
        return Matcher(label, MatchOp.EQUAL, names[0])
    return Matcher(label, MatchOp.REGEX, "|".join(map(_pattern, names)))


def by_interval(names: Sequence[str], setting: Setting, *path: str) -> Mapping[timedelta, tuple[str, ...]]:
    """Return these names, patterns spelled out, by how often the probes look.

    Raises:
        RuleInvalid: as for `matcher`.
    """
    _check(names, setting, path)
    if setting.intervals is None:
        return {UNKNOWN_INTERVAL: tuple(names)}
    found: dict[timedelta, tuple[str, ...]] = {}
    for name, interval in sorted(setting.intervals.items()):
        if _chosen(name, names, setting):
            found[interval] = (*found.get(interval, ()), name)
    return found


def _chosen(name: str, names: Sequence[str], setting: Setting) -> bool:
    if REST in names:
        return not any(full_match(_pattern(other), name) for other in setting.named)
    return any(full_match(_pattern(one), name) for one in names)


def _check(names: Sequence[str], setting: Setting, path: tuple[str, ...]) -> None:
    if setting.intervals is None:
        return
    for name in names:
        if name == REST:
            continue
        if "*" not in name and name not in setting.intervals:
            fix = near(name, set(setting.intervals), "probes")
            raise RuleInvalid([Fault(path, f'no probe is named "{name}"', fix)])
        if "*" in name and not any(full_match(_pattern(name), probe) for probe in setting.intervals):
            fix = near(name, set(setting.intervals), "probes")
            raise RuleInvalid([Fault(path, f'no probe has a name like "{name}"', fix)])


def _pattern(name: str) -> str:
    return ".*".join(map(re.escape, name.split("*")))
