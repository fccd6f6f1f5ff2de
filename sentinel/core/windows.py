"""Samples of many series in one block, cut into windows; handed from the store to the evaluator. Needs numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import Labels, Matcher
from sentinel.core.sample import Health

Instants = NDArray[np.int64]
Values = NDArray[np.float64]

#: Prometheus's stale marker: this exact bit pattern, told from other NaNs by its bits alone.
STALE_BITS = np.uint64(0x7FF0000000000002)
STALE: float = float(np.array([STALE_BITS]).view(np.float64)[0])

#: How long a newest value counts where the store knows of no probe's interval.
DEFAULT_LOOKBACK_MS = 300_000


@dataclass(frozen=True, slots=True)
class Windows:
    """For each of S series and each of T window ends, the samples in the left-open window (end - range, end].

    Args:
        labels: S label sets. The same list object as long as the same series match: caches are keyed by its identity,
            and it is never changed.
        ids: the store's id of each series, S of them.
        ts: flat block of sample times; integer milliseconds since the Unix epoch once `epoch_ms` is added.
        v: flat block of values, as long as `ts`; stale markers are in it, bit for bit.
        lo: first index of each window in the flat block, of shape (S, T).
        hi: index one past its last; `hi == lo` is an empty window.
        lookback_ms: S times; how long a newest value of the series counts.
        has_stale: whether `v` may hold a stale marker between some `lo` and `hi`; if not, nobody needs to look.
        epoch_ms: what to add to `ts`.
    """

    labels: Sequence[Labels]
    ids: NDArray[np.int64]
    ts: NDArray[np.int64] | NDArray[np.int32]
    v: Values
    lo: NDArray[np.int64]
    hi: NDArray[np.int64]
    lookback_ms: NDArray[np.int64]
    has_stale: bool = True
    epoch_ms: int = 0


class Source(Protocol):
    """Where samples come from. The head, a reader of history, and a test's own block each satisfy it unseen."""

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher.

        Args:
            matchers: over labels and `__name__`.
            ends_ms: T window ends, ascending, in Unix milliseconds.
            range_ms: length of the windows; None means each series' own lookback (for instant selectors).
        """
        ...

    def health(self, ids: NDArray[np.int64], at_ms: int) -> Health:
        """Return how the probes behind these series are at an instant: the worst of them; WELL where none is known."""
        ...


def is_stale(values: Values) -> NDArray[np.bool_]:
    """Say which of these are stale markers."""
    found: NDArray[np.bool_] = values.view(np.uint64) == STALE_BITS
    return found
