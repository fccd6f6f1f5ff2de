"""Silences: those that people have set, found by the alerts that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sentinel.core.alert import Alert
from sentinel.core.operator import Silence
from sentinel.routing.index import Index
from sentinel.routing.match import Match


class Silences(Mapping[str, Silence]):
    """Silences by id."""

    def __init__(self, silences: Iterable[Silence] = ()) -> None:
        self._by_id = {silence.id: silence for silence in silences}
        self._index: Index[Silence] | None = None

    def put(self, silence: Silence) -> None:
        """Take a silence as it is now."""
        self._by_id[silence.id] = silence
        self._index = None

    def drop(self, id_: str) -> None:
        """Forget one."""
        self._by_id.pop(id_, None)
        self._index = None

    def matching(self, alert: Alert, now: datetime) -> Iterator[Silence]:
        """Iterate over those that hold now and are about this alert."""
        if self._index is None:
            self._index = Index((Match.of(silence.match), silence) for silence in self._by_id.values())
        return (one for one in self._index.matching(alert) if one.starts_at <= now < one.ends_at)

    def __getitem__(self, id_: str) -> Silence:
        return self._by_id[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)
