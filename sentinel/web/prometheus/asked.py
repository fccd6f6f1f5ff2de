"""One request on its way to an answer: the agent, the parameters, and the time that is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sentinel.agent.agent import Agent
from sentinel.core.clock import to_ms
from sentinel.core.errors import QueryInvalid, QueryTimedOut
from sentinel.core.labels import Labels, Matcher
from sentinel.promql import Expr, parse
from sentinel.promql.frame import Limits
from sentinel.promql.series import parse_matchers
from sentinel.promql.times import FARTHEST_MS
from sentinel.web.prometheus.parameters import Parameters, invalid

#: How long a query may run, whatever `timeout` says; Prometheus's default as well.
LONGEST_MS = 120_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of whom, and when (on the clock that never jumps)."""

    agent: Agent
    parameters: Parameters
    began: float

    @property
    def now_ms(self) -> int:
        """The instant of a query that names none."""
        return to_ms(self.agent.clock.now())

    def limits(self) -> Limits:
        """Return what a query may take; the time that it waited for its turn counts.

        Raises:
            QueryTimedOut: none is left.
        """
        allowed = min(self.parameters.duration("timeout", LONGEST_MS), LONGEST_MS) / 1000
        waited = self.agent.clock.monotonic() - self.began
        if waited >= allowed:
            raise QueryTimedOut(f"it waited {waited:.3g} of {allowed:g} seconds for its turn")
        return Limits(seconds=allowed - waited)

    def expression(self) -> Expr:
        """Return the query's tree."""
        text = self.parameters.text("query")
        try:
            return parse(text)
        except QueryInvalid as exc:
            raise invalid("query", _parse_error(text, exc)) from None

    def selectors(self) -> list[tuple[Matcher, ...]]:
        """Return the matchers of every `match[]`."""
        return [_selector(text) for text in self.parameters.texts("match[]")]

    def series(self, selectors: Sequence[tuple[Matcher, ...]]) -> list[Labels]:
        """Return the series that fulfil any of these, and had samples between `start` and `end`, sorted."""
        since_ms = self.parameters.instant("start", -FARTHEST_MS)
        until_ms = self.parameters.instant("end", FARTHEST_MS)
        reader = self.agent.history.reader()
        found = [reader.series(matchers, since_ms, until_ms) for matchers in selectors]
        return found[0] if len(found) == 1 else sorted({labels for some in found for labels in some})

    def placed(self, words: str, start: int) -> str:
        """Return words about the query with their place behind them, as Prometheus's annotations have it."""
        return f"{words} ({_place(self.parameters.text('query'), start)})"


def _selector(text: str) -> tuple[Matcher, ...]:
    try:
        matchers = parse_matchers(text)
    except QueryInvalid as exc:
        raise invalid("match[]", _parse_error(text, exc)) from None
    if all(matcher.matches("") for matcher in matchers):
        raise invalid("match[]", "match[] must contain at least one non-empty matcher")
    return matchers


def _parse_error(text: str, exc: QueryInvalid) -> str:
    return f"{_place(text, exc.start)}: parse error: {exc}"


def _place(text: str, start: int) -> str:
    before = text[:start]
    return f"{before.count(chr(10)) + 1}:{start - before.rfind(chr(10))}"
