"""Judge: a test is played, and what is so is held against what it expects.

Of the rules that a test names, each alert that fires and each message (if it speaks of messages at all) must be listed:

1. At each instant that it speaks of, each expectation about a rule takes an alert of its own, or as many as it counts.
2. What fires then and is taken by none is one too many; and so is what fired in between and is taken by none anywhere.
3. What was told since the instant before must be what the expectations that took those alerts say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from sentinel.config.cases import Case, ExpectKeys
from sentinel.config.config import Config
from sentinel.core.alert import Alert, Change
from sentinel.core.clock import to_ms
from sentinel.core.errors import QueryInvalid
from sentinel.core.problem import near
from sentinel.core.quantity import format_duration
from sentinel.promql import parse
from sentinel.promql.evaluate import evaluate_instant
from sentinel.rehearsal.cast import cast_of, rules_named, speaks_of_telling
from sentinel.rehearsal.failure import Failure, failure
from sentinel.rehearsal.hearing import Hearing
from sentinel.rehearsal.likeness import Likeness, state_of
from sentinel.rehearsal.pairing import pair
from sentinel.rehearsal.samples import differ, wanted_samples
from sentinel.rehearsal.script import script_of
from sentinel.rehearsal.stage import Stage
from sentinel.rules.blind import nothing
from sentinel.rules.observe import observe
from sentinel.rules.rule import Rule

#: Of what is one too many so many are listed.
_MOST = 10


def judge(case: Case, config: Config) -> list[Failure]:
    """Play a test, and return what is not as it expects it."""
    return list(_unknown(case, config)) or list(_Judge(case, config).failures())


def _unknown(case: Case, config: Config) -> Iterator[Failure]:
    """Yield the rules that are not there: a test of them means nothing."""
    keys = case.keys
    for section, entries in (("expect", keys.expect), ("alerts", keys.alerts), ("acknowledge", keys.acknowledge)):
        for number, one in enumerate(entries):
            word = getattr(one, "rule", None)
            if word is not None and word not in case.rules:
                says, fix = f'no rule is named "{word}"', near(word, set(case.rules), "there are")
                yield failure(case, (section, number, "rule"), says, note=fix)
    for name in sorted(rules_named(case) - config.rules.keys()):
        says = f'the rule "{name}" cannot be tried: a name in it has no value'
        yield failure(case, (), says, note="define it in the environment, or write ${NAME:-default}")


class _Judge:
    """One test while it is played."""

    def __init__(self, case: Case, config: Config) -> None:
        self.case, self.config = case, config
        self.stage = Stage(cast_of(case, config), case.start, script_of(case, config.probes))
        own = frozenset(rule.name for rule in config.own_rules)
        self.strict = own if case.keys.only else rules_named(case)
        self.hearing = Hearing(case, self.stage) if speaks_of_telling(case) else None
        self.spoken_of: set[str] = set()

    def failures(self) -> Iterator[Failure]:
        """Yield what is wrong, in the order of time."""
        for at in sorted({at for one in self.case.keys.expect for at in one.at}):
            self.stage.play(self.case.start + at)
            yield from self._at(at)
        self.stage.play(self.case.start + self.case.lasts)
        yield from self._left()

    def _at(self, at: timedelta) -> Iterator[Failure]:
        expected = {number: one for number, one in enumerate(self.case.keys.expect) if at in one.at}
        for number, one in expected.items():
            if one.query is not None:
                yield from self._query(number, one, at)
        words = dict.fromkeys(one.rule for one in expected.values() if one.rule is not None)
        for word in words:
            likenesses = {
                number: Likeness(one, self.case, self.config) for number, one in expected.items() if one.rule == word
            }
            yield from self._rule(word, likenesses, at)
        if self.case.keys.only:
            spoken = {name for word in words for name in self.case.rules[word]}
            yield from self._too_many(self._alive(sorted(self.strict - spoken)), (), at)

    # -- the alerts of one rule at one instant ---------------------------------------------------------------------

    def _rule(self, word: str, likenesses: Mapping[int, Likeness], at: timedelta) -> Iterator[Failure]:
        names = self.case.rules[word]
        alerts = [*self._alive(names), *self._ended(names)]
        fits = {
            number: [place for place, alert in enumerate(alerts) if not any(like.differences(alert))]
            for number, like in likenesses.items()
        }
        single = [number for number, like in likenesses.items() if _takes_one(like.expected)]
        taken = fits | pair(single, fits)
        meant = {number: frozenset(alerts[place].fingerprint for place in places) for number, places in taken.items()}
        spoken_of = set().union(*meant.values())
        for number, like in likenesses.items():
            nearest, found = self._held(number, like, alerts, taken[number], at)
            spoken_of |= nearest
            yield from found
        self.spoken_of |= spoken_of
        left = [alert for alert in alerts if alert.fingerprint not in spoken_of]
        yield from self._too_many(left, ("expect", min(likenesses), "rule"), at)
        if self.hearing:
            expected = {number: (like, meant[number]) for number, like in likenesses.items()}
            yield from self.hearing.of(word, expected, at)

    def _held(
        self, number: int, like: Likeness, alerts: Sequence[Alert], taken: Sequence[int], at: timedelta
    ) -> tuple[set[str], list[Failure]]:
        """Return why an expectation is not met, and which alerts that speaks of."""
        one, when, path = like.expected, format_duration(at), ("expect", number)
        if one.state == "inactive":
            standing = [alert for alert in alerts if alert.standings and not any(like.of_labels(alert))]
            if not standing:
                return set(), []
            says, key = f'at {when}, "{one.rule}" is {state_of(standing[0])}, not inactive', "state"
        elif one.count is not None:
            if len(taken) == one.count:
                return set(), []
            standing = [alerts[place] for place in taken]
            says, key = f'at {when}, "{one.rule}" has {len(taken)} alerts like this, not {one.count}', "count"
        elif taken:
            return set(), []
        else:
            return self._missed(number, like, alerts, at)
        got = [self._line(alert) for alert in standing[:_MOST]] or self._instead(one, alerts)
        return {alert.fingerprint for alert in standing}, [failure(self.case, (*path, key), says, at, (), got)]

    def _missed(
        self, number: int, like: Likeness, alerts: Sequence[Alert], at: timedelta
    ) -> tuple[set[str], list[Failure]]:
        """Say what is nearest to an expectation that no alert meets, and how it differs."""
        one, when, path = like.expected, format_duration(at), ("expect", number)
        found = sorted(
            ((list(like.differences(alert)), alert) for alert in alerts), key=lambda one: (not one[0], len(one[0]))
        )
        if not found or not found[0][0]:
            says = f'at {when}, "{one.rule}" has no {"other " if found else ""}alert that is {one.state}'
            return set(), [failure(self.case, (*path, "rule"), says, at, (), self._instead(one, alerts))]
        differences, alert = found[0]
        first = differences[0]
        says = f"at {when}, the {first.key} of {alert.named} is {first.got}, not {first.wanted}"
        expected = [f"{difference.key}: {difference.wanted}" for difference in differences]
        got = [f"{difference.key}: {difference.got}" for difference in differences]
        return {alert.fingerprint}, [
            failure(self.case, (*path, *first.path), says, at, expected, got, self._line(alert))
        ]

    def _too_many(self, alerts: Sequence[Alert], path: tuple[str | int, ...], at: timedelta) -> Iterator[Failure]:
        if firing := [alert for alert in alerts if alert.severity is not None]:
            self.spoken_of |= {alert.fingerprint for alert in firing}
            others = f" and {len(firing) - 1} more fire, and are" if len(firing) > 1 else " fires, and is"
            says = f"at {format_duration(at)}, {firing[0].named}{others} not listed"
            yield failure(self.case, path, says, at, (), [self._line(alert) for alert in firing[:_MOST]])

    def _instead(self, one: ExpectKeys, alerts: Sequence[Alert]) -> list[str]:
        """Return what there is in the stead of an alert: others, or what the rule sees, or why it sees nothing."""
        if standing := [alert for alert in alerts if alert.standings]:
            return [self._line(alert) for alert in standing[:_MOST]]
        seen: list[str] = []
        for name in self.case.rules[one.rule or ""]:
            if why := self.stage.failures.get(name):
                seen.append(f"{name} cannot be evaluated: {why}")
            elif (rule := self.stage.rules.get(name)) is not None:
                seen += self._seen(rule)
        return seen[:_MOST] or ["nothing"]

    def _seen(self, rule: Rule) -> Iterator[str]:
        """Yield what a rule sees that is not the case, and why it is not."""
        if why := rule.rests(self.stage.now):
            yield f"{rule.name} is not judged: {why}"
            return
        try:
            found = observe(rule, self.stage.now, self.stage.head, every=True)
            for seen in found:
                yield f"{rule.name}{seen.labels or ''}: {seen.reason}"
            if not found and (why := nothing(rule, self.stage.now, self.stage.head)):
                yield f"nothing: {why}"
        except QueryInvalid as exc:
            yield f"{rule.name}: {exc}"

    # -- besides ---------------------------------------------------------------------------------------------------

    def _left(self) -> Iterator[Failure]:
        """Yield what happened besides: alerts that came and went, words that nobody expects, rules that failed."""
        fired = [change for change in self.stage.transitions if change.change is Change.FIRED]
        first = {change.alert.fingerprint: change for change in reversed(fired) if change.alert.rule in self.strict}
        for fingerprint in first.keys() - self.spoken_of:
            change = first[fingerprint]
            at = change.at - self.case.start
            says = f"{change.alert.named} fired at {format_duration(at)}, and is not listed"
            yield failure(self.case, (), says, at, (), [self._line(change.alert)])
        if self.hearing:
            yield from self.hearing.left(self.strict)
        for rule in sorted(self.stage.failures.keys() & self.strict):
            yield failure(self.case, (), f"{rule} cannot be evaluated: {self.stage.failures[rule]}")

    def _query(self, number: int, one: ExpectKeys, at: timedelta) -> Iterator[Failure]:
        path, when = ("expect", number, "samples"), format_duration(at)
        try:
            answer = evaluate_instant(parse(one.query or ""), self.stage.head, to_ms(self.stage.now))
            less, more = differ(wanted_samples(one.samples), answer.latest())
        except QueryInvalid as exc:
            yield failure(self.case, path, f"at {when}, the query fails: {exc}", at)
            return
        if less or more:
            yield failure(self.case, path, f"at {when}, the query returns something else", at, less, more)

    def _alive(self, rules: Sequence[str]) -> list[Alert]:
        alerts = [alert for rule in rules for alert in self.stage.state.alerts.of(rule).values()]
        return sorted(alerts, key=lambda alert: (alert.rule, alert.labels))

    def _ended(self, rules: Sequence[str]) -> list[Alert]:
        """Return the alerts that fired and are over, as they ended."""
        last = {change.alert.fingerprint: change for change in self.stage.transitions if change.alert.rule in rules}
        ended = [change.alert for change in last.values() if change.change is Change.RESOLVED]
        return [alert for alert in ended if not alert.standings]

    def _line(self, alert: Alert) -> str:
        severity = alert.severity or max(alert.standings, default=None) or alert.peak
        value = f", value {alert.texts['value']}" if alert.texts.get("value") else ""
        since = f", since {format_duration(alert.since - self.case.start)}" if alert.since else ""
        return f"{alert.named}: {state_of(alert)}, {severity}{value}{since}: {alert.reason}"


def _takes_one(expected: ExpectKeys) -> bool:
    return expected.count is None and expected.state != "inactive"
