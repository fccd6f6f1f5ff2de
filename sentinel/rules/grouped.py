"""Grouped rules: what stands under `groups:` in a Prometheus rule file, and means what it means there.

An alerting rule is a rule like ours, so that all that is shown and told of it is the same; only what is the case is
decided by its query alone, and its labels are part of an alert's identity. A group is evaluated whole, in its slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sentinel.core.labels import Labels
from sentinel.core.problem import Position
from sentinel.promql import Expr, Number, Read, reads
from sentinel.promql.xxhash import xxh64
from sentinel.rules.prometheus import INTERVAL
from sentinel.rules.rule import Rule

#: Elements that a query returns, each with its value.
Elements = Sequence[tuple[Labels, float]]


@dataclass(frozen=True, slots=True)
class Alerting(Rule):
    """An alerting rule of a group.

    Args:
        alert: its name there; several rules may have the same.
        query: what is the case for each element that it returns.
        own_labels: templates of its labels by name, those of the group among them.
        annotations: templates, likewise.
        query_offset: how far before the evaluation the query looks.
        external_labels: of the server, for templates; only a test says any.
        external_url: likewise.
    """

    alert: str = ""
    query: Expr = field(default_factory=lambda: Number(value=0.0))
    own_labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    query_offset: timedelta = timedelta()
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""

    @property
    def hold_for(self) -> timedelta:
        """How long it must be the case before it fires."""
        return next(iter(self.patience.values())).hold_for


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule of a group.

    Args:
        name: what tells it from all other rules of the tree.
        record: name of the metric that it writes.
        query: what it writes.
        own_labels: laid over those of each element.
        position: where it is written.
    """

    name: str
    record: str
    query: Expr
    own_labels: Mapping[str, str] = field(default_factory=dict)
    position: Position = field(default_factory=lambda: Position(""))

    @property
    def reads(self) -> tuple[Read, ...]:
        """The selectors that it reads."""
        return reads(self.query)

    @property
    def window(self) -> timedelta:
        """The longest time that it looks back over."""
        return max((read.window for read in self.reads), default=timedelta())


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated one after the other: a later one sees what an earlier one wrote.

    Args:
        name: unique in its file.
        file: where it stands.
        rules: in order.
        interval: how far apart its slots lie.
        query_offset: how far before the evaluation queries look, and samples are written.
        limit: how many alerts or series a rule may have at a time; 0 is any number.
        position: where it is written.
    """

    name: str
    file: str
    rules: tuple[Alerting | Recording, ...]
    interval: timedelta = INTERVAL
    query_offset: timedelta = timedelta()
    limit: int = 0
    position: Position = field(default_factory=lambda: Position(""))

    @property
    def key(self) -> str:
        """What tells it from all other groups of the tree."""
        return f"{self.file};{self.name}"

    def slot(self, now: datetime) -> datetime:
        """Return the newest slot up to now: Prometheus's, which spreads groups over the interval by a hash.

        As in `rules/group.go`, `EvalTimestamp`; less than a millisecond of the offset is left out, as in its samples.
        """
        interval = self.interval // _MS
        text = b"".join(part.encode() + b"\xff" for part in ("file", self.file, "name", self.name))
        offset = xxh64(text) % (interval * 1_000_000) // 1_000_000
        since = (now - _EPOCH) // _MS - offset
        return _EPOCH + (since - since % interval + offset) * _MS

    def slot_after(self, now: datetime) -> datetime:
        """Return the first slot after now."""
        return self.slot(now) + self.interval


_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
