"""Make: from the words of a rule to a rule that can be judged, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sentinel.core.alert import Origin, Patience
from sentinel.core.problem import Position, near
from sentinel.core.quantity import Quantity
from sentinel.core.severity import Severity
from sentinel.core.template import TemplateInvalid, find, names
from sentinel.rules.form import Compiled, Fault, Form, RuleInvalid, Setting
from sentinel.rules.keys import RuleKeys
from sentinel.rules.rule import Rule
from sentinel.rules.threshold import Durations, Quantities, Threshold
from sentinel.rules.units import in_base_units, misfit
from sentinel.rules.words import GIVEN, TEXTS

#: Too few data are held for at least so long before an alert is over.
SCARCE_FOR = timedelta(minutes=15)


def make_rule(
    name: str,
    form_name: str,
    form: Form,
    keys: RuleKeys,
    *,
    intervals: Mapping[str, timedelta] | None = None,
    named: frozenset[str] = frozenset(),
    position: Position | None = None,
    origin: Origin | None = None,
    agent: str = "",
) -> Rule:
    """Compile a rule.

    Args:
        name: of the rule.
        form_name: the form's word in YAML.
        form: what stands under it.
        keys: what stands beside it.
        intervals: how often each probe of the tree looks, by name; None where there is no tree to compare with.
        named: probes or jobs, patterns included, that the tree's other rules of the same form name.
        position: where the rule is written.
        origin: likewise, with commit and author.
        agent: name of the agent, for templates.

    Raises:
        RuleInvalid: with every fault found; paths begin at the rule's entry.
    """
    faults = list(_text_faults(keys))
    try:
        compiled = form.compile(Setting(keys.severity, bool(keys.above), bool(keys.below), intervals, named))
    except RuleInvalid as exc:
        faults += (replace(fault, path=(form_name, *fault.path)) for fault in exc.faults)
        raise RuleInvalid(faults) from exc
    if keys.until is not None and keys.enabled:
        faults.append(
            Fault(("until",), "says when a rule is on again that is not off", "add enabled: false, or drop it")
        )
    making = _Thresholds(form_name, keys, compiled, faults)
    thresholds = making.make()
    patience = _patience(keys, thresholds, compiled, faults)
    if faults:
        raise RuleInvalid(faults)
    return Rule(
        name,
        form_name,
        form,
        compiled,
        thresholds,
        patience,
        no_data=keys.no_data,
        labels=dict(keys.labels),
        texts={key: text for key in TEXTS if (text := getattr(keys, key)) is not None},
        owner=keys.owner,
        depends_on=keys.depends_on,
        limit=keys.limit,
        active=keys.active,
        enabled=keys.enabled,
        until=keys.until,
        source=keys.source or "",
        position=position or Position(""),
        origin=origin or Origin(),
        agent=agent,
    )


@dataclass(frozen=True, slots=True)
class _Thresholds:
    """The thresholds of one rule in the making; what is wrong is added to `faults`."""

    form_name: str
    keys: RuleKeys
    compiled: Compiled
    faults: list[Fault]

    def make(self) -> dict[Severity, Threshold]:
        """Return one per severity."""
        own = self.compiled.thresholds
        above, below = self._fitting("above"), self._fitting("below")
        recover = self._fitting("recover")
        if own and (above or below):
            key = "above" if above else "below"
            self._fault(f"the form {self.form_name} has its threshold under its own key", "drop it", key)
        if not (own or above or below):
            return self._without_number()
        levels = dict.fromkeys([*own, *above, *below])
        made: dict[Severity, Threshold] = {}
        for level in levels:
            threshold = own.get(level) or Threshold(above.get(level), below.get(level))
            threshold = replace(threshold, recover=recover.get(level, recover.get(None)))
            if (severity := self._named(level, len(levels))) is not None:
                self._sensible(threshold)
                made[severity] = threshold
        self._unused(recover, levels, "recover")
        return made

    def _without_number(self) -> dict[Severity, Threshold]:
        if not self.compiled.empty_is_over:
            self._fault(f"the form {self.form_name} needs a threshold", "add above or below")
        if self.keys.recover:
            self._fault("there is no threshold to recover from", "drop it, or add above or below", "recover")
        severity = self._named(None, 1)
        return {severity: Threshold()} if severity is not None else {}

    def _named(self, level: Severity | None, count: int) -> Severity | None:
        """Return the severity of a threshold: its own, or the rule's."""
        if level is not None:
            if self.keys.severity is not None:
                self._once("the threshold names its severities already", "drop it", "severity")
            return level
        if count > 1:
            self._once("above and below should both name severities, or neither", "", "above")
            return None
        if self.keys.severity is None:
            self._once("a severity is missing", f"add severity: one of {', '.join(map(str, Severity))}")
        return self.keys.severity

    def _fitting(self, key: str) -> dict[Severity | None, Quantity]:
        """Return the quantities under a key in base units of the value."""
        given: Quantities | None = getattr(self.keys, key)
        fitting = {}
        for level, quantity in (given or {}).items():
            says = misfit(quantity, self.compiled, self.form_name)
            if says:
                self._fault(says[0], says[1], key, *([str(level)] if level is not None else []))
            fitting[level] = in_base_units(quantity, self.compiled)
        return fitting

    def _sensible(self, threshold: Threshold) -> None:
        above, below, recover = threshold.above, threshold.below, threshold.recover
        if above and below:
            if below.value > above.value:
                self._once(f"each value is above {above} or below {below}", "exchange them", "below")
            if recover:
                self._once("recover needs one direction, and this is a band", "write two rules", "recover")
        elif recover and above and recover.value > above.value:
            self._once(f"recover {recover} lies above the threshold {above}", "write a smaller value", "recover")
        elif recover and below and recover.value < below.value:
            self._once(f"recover {recover} lies below the threshold {below}", "write a greater value", "recover")

    def _unused(
        self, given: Mapping[Severity | None, object], levels: Mapping[Severity | None, object], key: str
    ) -> None:
        for level in given:
            if level is not None and level not in levels:
                self._fault(f"the threshold does not name {level}", "", key, str(level))

    def _once(self, says: str, fix: str, *path: str) -> None:
        fault = Fault(path, says, fix)
        if fault not in self.faults:
            self.faults.append(fault)

    def _fault(self, says: str, fix: str, *path: str) -> None:
        self.faults.append(Fault(path, says, fix))


def _patience(
    keys: RuleKeys, thresholds: Mapping[Severity, Threshold], compiled: Compiled, faults: list[Fault]
) -> dict[Severity, Patience]:
    def of(key: str, given: Durations | None) -> dict[Severity, timedelta]:
        faults.extend(
            Fault((key, str(level)), f"the threshold does not name {level}")
            for level in given or {}
            if level is not None and level not in thresholds
        )
        everyone = (given or {}).get(None, timedelta())
        return {level: (given or {}).get(level, everyone) for level in thresholds}

    hold_for, keep = of("for", keys.hold_for), of("keep_firing_for", keys.keep_firing_for)
    return {
        level: Patience(hold_for[level], keep[level], max(SCARCE_FOR, compiled.window_of(level)))
        for level in thresholds
    }


def _text_faults(keys: RuleKeys) -> Iterator[Fault]:
    """Read each template, and look for names that it will not be given."""
    for key in TEXTS:
        text = getattr(keys, key) or ""
        try:
            unknown = sorted(names(text) - set(GIVEN))
        except TemplateInvalid as exc:
            says, _, fix = exc.says.partition("; ")
            yield Fault((key,), says, fix, exc.start, exc.end)
            continue
        for name in unknown:
            yield Fault((key,), f'"{name}" is not known here', near(name, set(GIVEN), "names"), *find(text, name))
