"""Which rules read which series, while series come and go."""

from __future__ import annotations

import numpy as np

from sentinel.core.labels import Labels
from sentinel.engine.readers import Readers
from tests.engine.house import make


def _pod(number: int) -> Labels:
    return Labels.of(__name__="pod_seconds", pod=f"web-{number}")


def test_series_that_come_and_go_take_no_room_for_ever() -> None:
    """Ids grow for ever; only of those that are there something is kept, and one that comes back is read again."""
    readers = Readers([make("slow", "pod_seconds"), make("first", 'pod_seconds{pod="web-1"}')], [(1, _pod(1))])
    for begin in range(2, 240_000, 10_000):
        ids = range(begin, begin + 100)
        readers.appeared((id_, _pod(id_)) for id_ in ids)
        assert readers.of(np.array(ids)) == {"slow"}
        readers.vanished(ids)
        assert readers.of(np.array(ids)) == set()
        assert len(readers) == 1
    assert readers.of(np.array([1, 7])) == {"slow", "first"}
    readers.appeared([(50_000, _pod(50_000)), (7, _pod(7))])
    assert readers.of(np.array([7])) == readers.of(np.array([50_000])) == {"slow"}
    readers.vanished([1, 7, 50_000])
    assert readers.of(np.array([1])) == set()
