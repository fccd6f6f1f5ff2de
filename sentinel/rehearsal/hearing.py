"""Hearing: what was told is held against what a test expects to be told. What only changes a message calls nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from sentinel.config.cases import Case, ExpectKeys
from sentinel.core.labels import Labels
from sentinel.core.quantity import format_duration
from sentinel.rehearsal.failure import Failure, failure
from sentinel.rehearsal.likeness import Likeness
from sentinel.rehearsal.post import Heard
from sentinel.rehearsal.stage import Stage

#: Of what is one too many so many are listed.
_MOST = 10


class Hearing:
    """What was told on a stage since it was last asked, rule by rule."""

    def __init__(self, case: Case, stage: Stage) -> None:
        self._case, self._stage = case, stage
        self._asked: dict[str, int] = defaultdict(int)

    def of(
        self, word: str, expected: Mapping[int, tuple[Likeness, frozenset[str]]], at: timedelta
    ) -> Iterator[Failure]:
        """Yield what was told of a rule and is not expected, and the other way round.

        Args:
            word: what the test calls the rule.
            expected: number to what it says, and the alerts that are meant.
            at: the instant.
        """
        heard = self._news(word)
        listed: set[int] = set()
        for number, (likeness, meant) in expected.items():
            about = {place: told for place, told in heard.items() if self._about(told, word, likeness, meant)}
            if likeness.expected.notified is not None or likeness.expected.message is not None:
                listed |= about.keys()
            yield from self._one(number, likeness, list(about.values()), at)
        if left := [told for place, told in heard.items() if place not in listed]:
            yield self._unlisted(left, ("expect", max(expected), "rule"), at)

    def left(self, rules: frozenset[str]) -> Iterator[Failure]:
        """Yield what was told of these rules after the last time that they were asked about."""
        words = [word for word, names in self._case.rules.items() if rules & set(names)]
        found = {place: told for word in words for place, told in self._news(word).items()}
        if found:
            yield self._unlisted([found[place] for place in sorted(found)], (), None)

    def _news(self, word: str) -> dict[int, Heard]:
        """Return what was told of a rule since it was last asked, by number."""
        begin, self._asked[word] = self._asked[word], len(self._stage.heard)
        names = self._case.rules.get(word, ())
        return {
            place: told
            for place, told in enumerate(self._stage.heard[begin:], begin)
            if not told.message.quiet and any(fact.rule in names for fact in told.message.facts.news)
        }

    def _about(self, told: Heard, word: str, likeness: Likeness, meant: frozenset[str]) -> bool:
        """Say whether a message is about alerts that are meant; where none is there, about any that could be."""
        news = [fact for fact in told.message.facts.news if fact.rule in self._case.rules.get(word, ())]
        if meant:
            return any(fact.fingerprint in meant for fact in news)
        return any(likeness.labels_fit(Labels.of(fact.labels)) for fact in news)

    def _one(self, number: int, likeness: Likeness, heard: Sequence[Heard], at: timedelta) -> Iterator[Failure]:
        one, path = likeness.expected, ("expect", number, "notified")
        when, who = format_duration(at), ", ".join(sorted({told.message.notifier for told in heard})) or "nobody"
        if one.notified is not None:
            expected, got = _wanted(one), _lines(heard, reasons=isinstance(one.notified, Mapping))
            less = [line for line in expected if line not in got]
            more = [line for line in got if line not in expected]
            if less or more:
                says = f'at {when}, {who} heard of "{one.rule}"'
                yield failure(self._case, path, says, at, less, more, self._why_not(one))
        if one.message is not None and not heard:
            says = f'at {when}, nobody was told of "{one.rule}"'
            yield failure(self._case, ("expect", number, "message"), says, at)
        for told in heard:
            if (difference := likeness.of_message(told.message)) is not None:
                says = f"at {when}, the {difference.key} of the message to {told.message.notifier} is another"
                where = ("expect", number, "message", difference.key)
                lines = difference.wanted.splitlines(), difference.got.splitlines()
                yield failure(self._case, where, says, at, *lines)
                return

    def _why_not(self, one: ExpectKeys) -> str:
        """Return why an alert is not told now, if routing says so."""
        telling = self._stage.state.telling
        alerts = [alert for name in self._case.rules.get(one.rule or "", ()) for alert in telling.alerts.of(name)]
        return next((held.why for key in alerts if (held := telling.held.get(key)) is not None), "")

    def _unlisted(self, heard: Sequence[Heard], path: tuple[str | int, ...], at: timedelta | None) -> Failure:
        first, start = heard[0], self._case.start
        says = f"{first.message.notifier} was told at {format_duration(first.at - start)}, and that is not listed"
        got = [
            f"{format_duration(told.at - start)} {told.message.notifier}: {told.message.title}"
            for told in heard[:_MOST]
        ]
        return failure(self._case, path, says, at, (), got)


def _wanted(one: ExpectKeys) -> list[str]:
    if isinstance(one.notified, Mapping):
        return [f"{name}: {', '.join(told)}" for name, told in sorted(one.notified.items())]
    return sorted(one.notified or ())


def _lines(heard: Iterable[Heard], *, reasons: bool) -> list[str]:
    found: dict[str, list[str]] = defaultdict(list)
    for told in heard:
        found[told.message.notifier].append(str(told.message.reason))
    return [f"{name}: {', '.join(why)}" if reasons else name for name, why in sorted(found.items())]
