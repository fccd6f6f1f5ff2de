"""A form: the words under a rule's key, and the PromQL that they become."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal

from sentinel.core.errors import QueryInvalid
from sentinel.core.fields import LabelName, Model, OneOrMore
from sentinel.core.quantity import Quantity, Unit, format_duration
from sentinel.core.sample import COUNTER_ENDINGS
from sentinel.core.severity import Severity
from sentinel.promql import Expr, Read, ValueType, VectorSelector, parse, reads
from sentinel.rules.threshold import Threshold

#: What a probe's `every` is by default, where nothing is known of the probe.
UNKNOWN_INTERVAL = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a rule.

    Args:
        path: keys from the rule's entry down to the offending value: ("ratio", "of").
        says: what is wrong, in one sentence without a full stop.
        fix: what to do about it, or "".
        start: offset of the offending text in that value, where it is only a part of it.
        end: offset one past its last character; 0 means the whole value.
    """

    path: tuple[str, ...]
    says: str
    fix: str = ""
    start: int = 0
    end: int = 0


class RuleInvalid(ValueError):
    """A rule that cannot be compiled; `faults` holds everything found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.says for fault in faults))


@dataclass(frozen=True, slots=True)
class Setting:
    """What a form must know of the rule and the tree around it.

    Args:
        severity: of the rule; None where its thresholds name theirs.
        above: whether the rule says `above`.
        below: whether the rule says `below`.
        intervals: how often each probe looks, by its name; None where no probes are known to compare with.
        named: the probes or jobs, patterns included, that the other rules of the same form name.
    """

    severity: Severity | None = None
    above: bool = False
    below: bool = False
    intervals: Mapping[str, timedelta] | None = None
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A form as PromQL.

    Args:
        expr: gives the value of each element.
        unit: of the value; None where nobody can know (`expr`).
        scale: how many of the expression's own units are one base unit: 1000 for a metric in `_ms`.
        window: the longest time that it looks back over; zero where it takes newest values.
        carriers: the selectors whose series carry an element: once they are gone, so is it.
        by: labels of the elements where series are added up; None where each series is an element.
        waits: the side of its threshold that is judged only once data cover the whole window; both, or none.
        throughout: whether a hole in the window leaves it uncovered: what is no count says nothing of that time.
        events: how many events each element counts; judged from `at_least` on.
        at_least: fewer events than these are not enough data.
        parts: expressions that explain the value, by the name that `wording` uses.
        wording: how the parts make the value: "{of} / {to}".
        thresholds: those that the form brings itself, by severity; None stands for the rule's.
        own: expressions of severities that are not judged by the value: the case where one gives an element.
        absence: whether an element stands for what is not there: not its probe, the agent must have been well.
        empty_is_over: whether no element at all means "not the case" while the probes are well (`expr`).
        pace: of a value that counts up to now how often something was so, or how long: the time that one of it takes.
        loose: whether nobody can know which series are behind an element: any may that contradicts it in no label.
    """

    expr: Expr
    unit: Unit | None = Unit.NUMBER
    scale: float = 1.0
    window: timedelta = timedelta()
    carriers: tuple[VectorSelector, ...] = ()
    by: tuple[str, ...] | None = None
    waits: Literal["above", "below", "both"] | None = None
    throughout: bool = False
    events: Expr | None = None
    at_least: float = 0.0
    parts: Mapping[str, Expr] = field(default_factory=dict)
    wording: str = ""
    thresholds: Mapping[Severity | None, Threshold] = field(default_factory=dict)
    own: Mapping[Severity, Expr] = field(default_factory=dict)
    absence: bool = False
    empty_is_over: bool = False
    pace: timedelta | None = None
    loose: bool = False

    def window_of(self, severity: Severity) -> timedelta:
        """Return how far judging a severity looks back."""
        own = self.own.get(severity)
        return self.window if own is None else max(read.window for read in reads(own))

    @property
    def reads(self) -> tuple[Read, ...]:
        """Every selector that deciding needs: of the value, and of what is enough."""
        found = [read for expr in (self.expr, *self.own.values()) for read in reads(expr)]
        found += reads(self.events) if self.events else ()
        return tuple(dict.fromkeys(found))


class Form(Model, ABC):
    """What stands under a form's key. Its docstring is its manual page."""

    @abstractmethod
    def compile(self, setting: Setting) -> Compiled:
        """Return the PromQL of this form.

        Raises:
            RuleInvalid: the words make no sense together; paths begin below the form's own key.
        """

    @property
    def names(self) -> tuple[str, ...]:
        """The probes or jobs that it names, patterns included; `"*"` is all that the others of its form do not name."""
        return ()

    def lacks(self, count: str, at_least: str) -> str:
        """Return what is missing where an element counts fewer events than `at_least`."""
        return f"{count} of {at_least} events"

    def unclear(self, parts: Mapping[str, float]) -> str:
        """Return what is missing where the value of an element is NaN; `parts` as for `tell`."""
        return "no value"

    def tell(self, why: str, parts: Mapping[str, float], limit: Quantity | None) -> str:
        """Return why an element is judged as it is, with what only this form knows to say.

        Args:
            why: how the value stands to the threshold: "-3 GB < 0".
            parts: values of `Compiled.parts` for the element, in the expression's own units.
            limit: the threshold that the value is beyond, in the same units, or None.
        """
        return why


#: Labels that elements are told apart by: `by: channel` or `by: [channel, region]`.
By = Annotated[tuple[LabelName, ...], OneOrMore()]


def selector(text: str, *path: str) -> VectorSelector:
    """Parse what must be a plain selector with a metric's name: `purchases_total{status="failed"}`.

    Raises:
        RuleInvalid: it is none; the fault is at `path`.
    """
    found = expression(text, *path)
    if not isinstance(found, VectorSelector):
        says = f"should be a selector, and is {_article(found.type)}"
        fix = "write the metric and its labels only; what is done with them says the form"
        if re.fullmatch(r"[a-zA-Z_]\w*(?:-[a-zA-Z_]\w*)+", text):
            fix = f'a metric has no "-" in its name; write {text.replace("-", "_")}'
        raise RuleInvalid([Fault(path, says, fix, found.start, found.end)])
    if not found.name:
        raise RuleInvalid([Fault(path, "should name its metric", 'write metric_name{label="value"}')])
    if found.offset or found.at is not None:
        raise RuleInvalid([Fault(path, "should look at the present", "use the form `expr` for `offset` and `@`")])
    return found


def counter(text: str, *path: str) -> VectorSelector:
    """Parse what must be the selector of a counter.

    Raises:
        RuleInvalid: it is none; the fault is at `path`.
    """
    found = selector(text, *path)
    if not found.name.endswith(COUNTER_ENDINGS):
        says = f"{found.name} is not a counter by its name ({', '.join(COUNTER_ENDINGS)}), so its growth counts nothing"
        fix = "use `last` for a value that goes up and down, or `expr` if you know better"
        raise RuleInvalid([Fault(path, says, fix, found.start, found.start + len(found.name))])
    return found


def expression(text: str, *path: str) -> Expr:
    """Parse PromQL.

    Raises:
        RuleInvalid: it does not parse; the fault is at `path` and has the place in the text.
    """
    try:
        return parse(text)
    except QueryInvalid as exc:
        raise RuleInvalid([Fault(path, exc.says, exc.fix, exc.start, exc.end)]) from exc


def _article(kind: ValueType) -> str:
    return {"scalar": "a number", "string": "a string"}.get(str(kind), "an expression")


def window_of(over: timedelta) -> str:
    """Write a duration for a range in brackets: `5m`, `1h30m`."""
    return format_duration(over)
