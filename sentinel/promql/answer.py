"""What a query gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.core.windows import Instants, Values
from sentinel.promql.ast import Expr, ValueType
from sentinel.promql.frame import Frame, Note
from sentinel.promql.memo import MEMO, without_names
from sentinel.promql.values import LabelList, Mask, Ranges, Vector, every, some


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a query.

    Args:
        type: of the expression. A range vector at an instant has the samples' own times as `times_ms`.
        times_ms: T instants, Unix milliseconds.
        labels: S label sets, in the order in which they are to be shown. A scalar has one, empty.
        values: of shape (S, T).
        present: of shape (S, T); where it is False, there is no value.
        text: of a string.
        warnings: what is most likely a mistake, sorted by place.
        infos: what is worth a look, likewise.
    """

    type: ValueType
    times_ms: Instants
    labels: Sequence[Labels]
    values: Values
    present: Mask
    text: str = ""
    warnings: tuple[Note, ...] = ()
    infos: tuple[Note, ...] = ()

    def latest(self) -> list[tuple[Labels, float]]:
        """Return the elements at the last step."""
        if not self.present.size:
            return []
        rows = np.flatnonzero(self.present[:, -1]).tolist()
        return [(self.labels[row], float(self.values[row, -1])) for row in rows]


def unite(vector: Vector, at: Expr) -> Vector:
    """Merge series of the same labels that never overlap, such as those of `a or b`.

    Raises:
        QueryInvalid: two of them have a value at the same step.
    """
    if len(vector.labels) < 2 or (slots := MEMO.get(_duplicates, (vector.labels,))) is None:
        return vector
    labels, slot = slots
    values = np.zeros((len(labels), vector.values.shape[1]))
    present = np.zeros(values.shape, dtype=np.bool_)
    drop = np.zeros(len(labels), dtype=np.bool_)
    for row, into in enumerate(slot):
        shown = vector.present[row]
        if not shown.any():
            continue
        if (present[into] & shown).any():
            raise QueryInvalid(
                f"vector cannot contain metrics with the same labelset: {labels[into]}",
                at.start,
                at.end,
                "aggregate the series, or keep what tells them apart",
            )
        values[into][shown] = vector.values[row][shown]
        present[into] |= shown
        drop[into] |= vector.drop[row]
    return Vector(labels, values, present, drop)


def _duplicates(labels: LabelList) -> tuple[LabelList, list[int]] | None:
    """Return the distinct labels and which of them each row has; None if all are distinct."""
    places: dict[Labels, int] = {}
    slot = [places.setdefault(row, len(places)) for row in labels]
    return None if len(places) == len(labels) else (list(places), slot)


def settle(vector: Vector, at: Expr) -> Vector:
    """Remove the names that are to go, and merge what is then the same."""
    labels = vector.labels
    if some(vector.drop):
        bare = without_names(labels)
        labels = bare if every(vector.drop) else MEMO.get(_some_bare, (labels, bare), vector.drop.tobytes())
    return unite(Vector(labels, vector.values, vector.present, vector.drop), at)


def _some_bare(labels: LabelList, bare: LabelList, drop: bytes) -> LabelList:
    return [bare[row] if gone else labels[row] for row, gone in enumerate(drop)]


def vector_answer(vector: Vector, frame: Frame) -> Answer:
    """Make the answer from a settled vector.

    An instant query's elements stay in the order in which they came, which `sort` chose; a range query's series are
    ordered by their labels.
    """
    shown = vector.present.any(axis=1)
    if every(shown) and not frame.query.ranged:
        return Answer(
            ValueType.VECTOR, frame.times, vector.labels, vector.values, vector.present, **frame.query.notes()
        )
    rows = np.flatnonzero(shown)
    labels = [vector.labels[row] for row in rows.tolist()]
    if frame.query.ranged:
        order = sorted(range(len(labels)), key=labels.__getitem__)
        labels, rows = [labels[place] for place in order], rows[order]
    return Answer(
        ValueType.VECTOR, frame.times, labels, vector.values[rows], vector.present[rows], **frame.query.notes()
    )


def matrix_answer(ranges: Ranges, frame: Frame) -> Answer:
    """Make the answer from a range vector at one instant: every sample at its own time."""
    lo, hi = ranges.lo[:, 0], ranges.hi[:, 0]
    rows = np.flatnonzero(hi > lo)
    samples = [
        (ranges.ts[lo[row] : hi[row]] + np.int64(ranges.epoch_ms), ranges.v[lo[row] : hi[row]]) for row in rows.tolist()
    ]
    times = np.unique(np.concatenate([ts for ts, _ in samples])) if samples else np.empty(0, dtype=np.int64)
    values = np.zeros((len(rows), len(times)))
    present = np.zeros(values.shape, dtype=np.bool_)
    for place, (ts, v) in enumerate(samples):
        columns = np.searchsorted(times, ts)
        values[place, columns], present[place, columns] = v, True
    vector = Vector([ranges.labels[row] for row in rows.tolist()], values, present, ranges.drop[rows])
    vector = settle(vector, frame.query.expr)
    return Answer(ValueType.MATRIX, times, vector.labels, vector.values, vector.present, **frame.query.notes())
