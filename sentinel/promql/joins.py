"""Which elements of two vectors meet, worked out once per pair of label lists.

Two elements meet when the labels that count, their signature, are equal. Whether a signature is unique is a question
of each step (two series of one signature may follow each other in time), so a plan only says where to look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sentinel.core.labels import NAME, Labels
from sentinel.promql.ast import Cardinality, Matching
from sentinel.promql.memo import MEMO, LabelList
from sentinel.promql.values import Indices

METADATA = (NAME, "__type__", "__unit__")


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures of two sides.

    Args:
        count: how many distinct ones there are, N.
        left: of shape (L,), that of each left row.
        right: of shape (R,), that of each right row.
        labels: N label sets: the labels that count.
        pairs: how many pairs of rows have one signature.
        repeated: whether two right rows have one signature.
    """

    count: int
    left: Indices
    right: Indices
    labels: LabelList
    pairs: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Pairs:
    """The rows of a join's result.

    Args:
        many: row on the side of many (the left one in a one-to-one match); -1 is a filled element.
        one: row on the side of one, likewise.
        labels: of the result.
        signature: of each pair.
        ids: pairs of one id would give the same element; None if all are different.
    """

    many: Indices
    one: Indices
    labels: LabelList
    signature: Indices
    ids: Indices | None


def signatures_of(left: LabelList, right: LabelList, matching: Matching) -> Signatures:
    """Return the signatures of two sides."""
    return MEMO.get(_signatures, (left, right), matching.on, matching.labels)


def _signatures(left: LabelList, right: LabelList, on: bool, names: tuple[str, ...]) -> Signatures:
    found: dict[Labels, int] = {}

    def number(rows: LabelList) -> Indices:
        ids = [found.setdefault(row.only(*names) if on else row.without(NAME, *names), len(found)) for row in rows]
        return np.array(ids, dtype=np.int64)

    left_ids, right_ids = number(left), number(right)
    on_left, on_right = np.bincount(left_ids, minlength=len(found)), np.bincount(right_ids, minlength=len(found))
    pairs, repeated = int((on_left * on_right).sum()), bool((on_right > 1).any())
    return Signatures(len(found), left_ids, right_ids, list(found), pairs, repeated)


def pairs_of(many: LabelList, one: LabelList, matching: Matching, arithmetic: bool) -> Pairs:
    """Return all pairs of rows of one signature, from memory where the lists are known.

    Args:
        many: labels of the side of many; of the left side in a one-to-one match.
        one: those of the other side.
        matching: how they match, fills already turned so that `left` is the side of many.
        arithmetic: whether the operator computes, so that the name goes at once.
    """
    return MEMO.get(_pairs, (many, one), matching, arithmetic)


def _pairs(many: LabelList, one: LabelList, matching: Matching, arithmetic: bool) -> Pairs:
    signatures = signatures_of(many, one, matching)
    by_signature: list[list[int]] = [[] for _ in range(signatures.count)]
    for row, signature in enumerate(signatures.right.tolist()):
        by_signature[signature].append(row)
    found: list[tuple[int, int, int]] = []
    for row, signature in enumerate(signatures.left.tolist()):
        found += [(row, partner, signature) for partner in by_signature[signature]]
        if matching.fill_right is not None:
            found.append((row, -1, signature))
    if matching.fill_left is not None:
        found += [(-1, row, signature) for row, signature in enumerate(signatures.right.tolist())]
    labels = []
    for many_row, one_row, signature in found:
        common = signatures.labels[signature]
        labels.append(
            _result(
                common if many_row < 0 else many[many_row],
                common if one_row < 0 else one[one_row],
                matching,
                arithmetic,
            )
        )
    columns = np.array(found, dtype=np.int64).reshape(-1, 3)
    one_to_one = matching.cardinality is Cardinality.ONE_TO_ONE
    ids = columns[:, 2] if one_to_one else _same_labels(labels, columns[:, 2])
    distinct = bool(np.bincount(ids).max(initial=0) <= 1)  # np.unique would import numpy.ma, 1.4 MB
    return Pairs(columns[:, 0], columns[:, 1], labels, columns[:, 2], None if distinct else ids)


def _same_labels(labels: LabelList, signature: Indices) -> Indices:
    found: dict[tuple[int, Labels], int] = {}
    ids = [found.setdefault((key, row), len(found)) for key, row in zip(signature.tolist(), labels, strict=True)]
    return np.array(ids, dtype=np.int64)


def _result(many: Labels, one: Labels, matching: Matching, arithmetic: bool) -> Labels:
    labels = many.without(*METADATA) if arithmetic else many
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        labels = labels.only(*matching.labels) if matching.on else labels.without(*matching.labels)
    if matching.include:
        labels = labels.merge({name: one.get(name) for name in matching.include})
    return labels
