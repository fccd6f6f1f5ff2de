"""Where an expression is being evaluated: the query around it, and the instants."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TypedDict

from sentinel.core.errors import QueryInvalid, QueryTimedOut
from sentinel.core.windows import Instants, Source
from sentinel.promql.ast import Expr, Length
from sentinel.promql.duration import resolve_ms
from sentinel.promql.fixed import fixed_parts
from sentinel.promql.values import Vector


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take.

    Args:
        samples: that it may read, and values that any part of it may yield.
        series: that one selector may match, or one part may yield.
        seconds: that it may run.
    """

    samples: int = 20_000_000
    series: int = 200_000
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Note:
    """A warning or an info about an expression, and the part of the text that it is about."""

    says: str
    start: int
    end: int


class Notes(TypedDict):
    """What was noted, as an answer takes it."""

    warnings: tuple[Note, ...]
    infos: tuple[Note, ...]


def _ordered(notes: set[Note]) -> tuple[Note, ...]:
    return tuple(sorted(notes, key=lambda note: (note.start, note.end, note.says))) if notes else ()


@dataclass(slots=True)
class Query:
    """One evaluation from outside: its source, bounds, limits, and what is noted on the way.

    The only thing that changes during an evaluation: notes are added, the stopwatch runs, and `known` learns what the
    aggregations gave, by the identity of their nodes, where a caller has other expressions that share them.
    """

    expr: Expr
    source: Source
    start_ms: int
    end_ms: int
    step_ms: int
    limits: Limits
    known: dict[int, Vector] | None = None
    began: float = field(default_factory=time.perf_counter)
    warnings: set[Note] = field(default_factory=set)
    infos: set[Note] = field(default_factory=set)
    _fixed: frozenset[int] | None = None

    @property
    def ranged(self) -> bool:
        """Whether this is a range query; an instant query has no step."""
        return self.step_ms > 0

    def is_fixed(self, node: Expr) -> bool:
        """Say whether a node gives the same at every step."""
        if self._fixed is None:
            self._fixed = fixed_parts(self.expr)
        return id(node) in self._fixed

    def notes(self) -> Notes:
        """Return what was noted, in the order of the text."""
        return {"warnings": _ordered(self.warnings), "infos": _ordered(self.infos)}

    def warn(self, says: str, at: Expr) -> None:
        """Note something that is most likely a mistake."""
        self.warnings.add(Note(says, at.start, at.end))

    def inform(self, says: str, at: Expr) -> None:
        """Note something that is worth a look."""
        self.infos.add(Note(says, at.start, at.end))

    def tick(self, at: Expr) -> None:
        """Stop a query that takes too long."""
        if time.perf_counter() - self.began > self.limits.seconds:
            raise QueryTimedOut(
                f"the query took longer than {self.limits.seconds:g} seconds",
                at.start,
                at.end,
                "ask for fewer series, a shorter range or a longer step",
            )

    def check_size(self, series: int, values: int, at: Expr) -> None:
        """Stop a query that grows too large: `values` are samples read or values computed."""
        if series > self.limits.series:
            raise QueryInvalid(
                f"{series} series are more than the {self.limits.series} that a query may touch",
                at.start,
                at.end,
                "add matchers",
            )
        if values > self.limits.samples:
            raise QueryInvalid(
                f"{values} samples are more than the {self.limits.samples} that a query may hold",
                at.start,
                at.end,
                "add matchers, or ask for a shorter range or a longer step",
            )


@dataclass(frozen=True, slots=True)
class Frame:
    """The instants at which a node is evaluated, in Unix milliseconds, ascending."""

    query: Query
    times: Instants

    @property
    def steps(self) -> int:
        """How many instants there are."""
        return len(self.times)

    @property
    def instant(self) -> bool:
        """Whether the order of elements can matter: an instant query, and not the steps of a subquery in it."""
        return not self.query.ranged and len(self.times) == 1

    def resolve(self, length: Length, at: Expr) -> int:
        """Return a length in milliseconds."""
        if isinstance(length, int):
            return length
        try:
            return resolve_ms(length, self.query.step_ms, self.query.end_ms - self.query.start_ms)
        except ValueError as exc:
            raise QueryInvalid(str(exc), at.start, at.end) from None

    def length(self, length: Length, at: Expr) -> int:
        """Return a length in milliseconds that must be positive, such as a range."""
        found = self.resolve(length, at)
        if found <= 0:
            raise QueryInvalid("a duration must be greater than 0", at.start, at.end)
        return found

    def fixed(self, at: int | str) -> int:
        """Return the instant that an `@` names."""
        if isinstance(at, int):
            return at
        return self.query.start_ms if at == "start" else self.query.end_ms
