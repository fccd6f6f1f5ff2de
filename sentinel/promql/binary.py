"""Binary operators between scalars and vectors; set operators are in sets.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.windows import Values
from sentinel.promql.ast import Binary, Cardinality, Matching
from sentinel.promql.frame import Frame
from sentinel.promql.joins import Pairs, Signatures, pairs_of, signatures_of
from sentinel.promql.operators import ARITHMETIC, COMPARISON
from sentinel.promql.sets import combine
from sentinel.promql.values import Indices, Mask, Value, Vector, dropping, every, nothing


def binary(frame: Frame, node: Binary, left: Value, right: Value) -> Value:
    """Return the result for evaluated operands."""
    if isinstance(left, Vector) and isinstance(right, Vector):
        if node.op.sets:
            return combine(frame, node, left, right)
        return _join(frame, node, left, right)
    if isinstance(left, Vector) and isinstance(right, np.ndarray):
        return _with_scalar(node, left, left.values, right)
    if isinstance(right, Vector) and isinstance(left, np.ndarray):
        return _with_scalar(node, right, left, right.values)
    assert isinstance(left, np.ndarray)
    assert isinstance(right, np.ndarray)
    if node.op.compares:
        return COMPARISON[node.op](left, right).astype(np.float64)
    return ARITHMETIC[node.op](left, right)


def _with_scalar(node: Binary, vector: Vector, left: Values, right: Values) -> Vector:
    if not node.op.compares:
        return vector.nameless(ARITHMETIC[node.op](left, right))
    holds = COMPARISON[node.op](left, right)
    if node.return_bool:
        return vector.nameless(holds.astype(np.float64))
    # A filter keeps the vector's own value, on whichever side it stands.
    return Vector(vector.labels, vector.values, vector.present & holds, vector.drop)


def _join(frame: Frame, node: Binary, left: Vector, right: Vector) -> Vector:
    matching = node.matching or Matching()
    swapped = matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = (right, left) if swapped else (left, right)
    if swapped:
        matching = matching._replace(fill_left=matching.fill_right, fill_right=matching.fill_left)
    filled = matching.fill_left is not None or matching.fill_right is not None
    if not (len(many.labels) and len(one.labels)) and not filled:
        return nothing(frame.steps)
    many, one = _beside_something(many, one, filled)
    signatures = signatures_of(many.labels, one.labels, matching)
    if signatures.repeated:
        _refuse_duplicates(node, one, signatures, "left" if swapped else "right")
    if signatures.pairs > 4 * (len(many.labels) + len(one.labels)) + 1_000:
        # Rows that are never there would multiply with all others, as in `a + on () b` with one element on each side.
        many, one = _ever_present(many), _ever_present(one)
        signatures = signatures_of(many.labels, one.labels, matching)
    frame.query.check_size(signatures.pairs, signatures.pairs * frame.steps, node)
    pairs = pairs_of(many.labels, one.labels, matching, not node.op.compares)
    values_many, values_one, present = _met(pairs, many, one, matching, signatures)
    _refuse_unclear(node, pairs, present)
    a, b = (values_one, values_many) if swapped else (values_many, values_one)
    if not node.op.compares:
        return Vector(pairs.labels, ARITHMETIC[node.op](a, b), present, _drop(pairs, many, filled))
    holds = COMPARISON[node.op](a, b)
    if node.return_bool:
        return Vector(pairs.labels, holds.astype(np.float64), present, dropping(len(pairs.labels)))
    return Vector(pairs.labels, a, present & holds, _drop(pairs, many, filled))


def _drop(pairs: Pairs, many: Vector, filled: bool) -> Mask:
    return np.append(many.drop, False)[pairs.many] if filled else many.drop[pairs.many]


def _beside_something(many: Vector, one: Vector, filled: bool) -> tuple[Vector, Vector]:
    """Hide the steps at which nothing can come out, so that duplicates there are no error: as in Prometheus."""
    if every(many.present) and every(one.present) and not filled:
        return many, one
    some_many, some_one = many.present.any(axis=0), one.present.any(axis=0)
    useful = (some_many | some_one) if filled else (some_many & some_one)
    if every(useful):
        return many, one
    return replace(many, present=many.present & useful), replace(one, present=one.present & useful)


def _ever_present(vector: Vector) -> Vector:
    rows = np.flatnonzero(vector.present.any(axis=1))
    labels = [vector.labels[row] for row in rows.tolist()]
    return Vector(labels, vector.values[rows], vector.present[rows], vector.drop[rows])


def _refuse_duplicates(node: Binary, side: Vector, signatures: Signatures, name: str) -> None:
    """Stop where the side of one has two elements of one signature at one step."""
    signature = _first_clash(side.present, signatures.right, signatures.count)
    if signature is None:
        return
    labels = signatures.labels[signature]
    raise QueryInvalid(
        f"found duplicate series for the match group {labels} on the {name} hand-side of the operation; "
        "many-to-many matching not allowed: matching labels must be unique on one side",
        node.start,
        node.end,
        "aggregate that side, or name more labels in on (…)",
    )


def _refuse_unclear(node: Binary, pairs: Pairs, present: Mask) -> None:
    """Stop where several elements would give the same one."""
    if pairs.ids is None or _first_clash(present, pairs.ids, int(pairs.ids.max()) + 1) is None:
        return
    one_to_one = node.matching is None or node.matching.cardinality is Cardinality.ONE_TO_ONE
    says = (
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        if one_to_one
        else "multiple matches for labels: grouping labels must ensure unique matches"
    )
    raise QueryInvalid(says, node.start, node.end, "name the labels that tell the elements apart")


def _first_clash(present: Mask, ids: Indices, count: int) -> int | None:
    """Return an id that two rows have at the same step, None if there is none."""
    times = np.zeros((count, present.shape[1]), dtype=np.int64)
    np.add.at(times, ids, present)
    clashes = np.flatnonzero((times > 1).any(axis=1))
    return int(clashes[0]) if len(clashes) else None


def _met(
    pairs: Pairs, many: Vector, one: Vector, matching: Matching, signatures: Signatures
) -> tuple[Values, Values, Mask]:
    """Return the values of both sides of each pair, and where both are there, or one is and the other filled."""
    if matching.fill_left is None and matching.fill_right is None:
        shown = many.present[pairs.many] & one.present[pairs.one]
        return many.values[pairs.many], one.values[pairs.one], shown
    steps = many.present.shape[1] if len(many.labels) else one.present.shape[1]
    values_many, shown_many = _filled(many, pairs.many, matching.fill_left, steps)
    values_one, shown_one = _filled(one, pairs.one, matching.fill_right, steps)
    # A fill stands in only where no element of the other side has the signature at that step.
    some_many = _any_of(many, signatures.left, signatures.count, steps)[pairs.signature]
    some_one = _any_of(one, signatures.right, signatures.count, steps)[pairs.signature]
    shown_many &= ~((pairs.many < 0)[:, None] & some_many)
    shown_one &= ~((pairs.one < 0)[:, None] & some_one)
    return values_many, values_one, shown_many & shown_one


def _filled(side: Vector, rows: Indices, fill: float | None, steps: int) -> tuple[Values, Mask]:
    """Return the rows of a side; -1 stands for the filled element, which is put behind all others."""
    shape = (len(side.labels), steps)
    values = np.vstack([side.values.reshape(shape), np.full((1, steps), 0.0 if fill is None else fill)])
    present = np.vstack([side.present.reshape(shape), np.ones((1, steps), dtype=np.bool_)])
    return values[rows], present[rows]


def _any_of(side: Vector, ids: Indices, count: int, steps: int) -> Mask:
    found = np.zeros((count, steps), dtype=np.bool_)
    np.logical_or.at(found, ids, side.present.reshape(len(side.labels), steps))
    return found
