"""Set operators: and, or, unless. They match on labels, many to many, step by step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sentinel.promql.ast import Binary, Matching, Operator
from sentinel.promql.frame import Frame
from sentinel.promql.joins import Signatures, signatures_of
from sentinel.promql.memo import MEMO, LabelList
from sentinel.promql.values import Indices, Mask, Vector


def combine(frame: Frame, node: Binary, left: Vector, right: Vector) -> Vector:
    """Return the intersection, union or complement of two evaluated vectors."""
    signatures = signatures_of(left.labels, right.labels, node.matching or Matching())
    if node.op is Operator.OR:
        return _union(frame, left, right, signatures)
    matched = _shown(right.present, signatures.right, signatures)[signatures.left]
    keep = matched if node.op is Operator.AND else ~matched
    return Vector(left.labels, left.values, left.present & keep, left.drop)


def _union(frame: Frame, left: Vector, right: Vector, signatures: Signatures) -> Vector:
    if not len(left.labels):
        return replace(right, times_ms=None)
    if not len(right.labels):
        return replace(left, times_ms=None)
    beside = right.present & ~_shown(left.present, signatures.left, signatures)[signatures.right]
    return Vector(
        MEMO.get(_both, (left.labels, right.labels)),
        np.concatenate([left.values, right.values]),
        np.concatenate([left.present, beside]),
        np.concatenate([left.drop, right.drop]),
    )


def _both(left: LabelList, right: LabelList) -> LabelList:
    return [*left, *right]


def _shown(present: Mask, ids: Indices, signatures: Signatures) -> Mask:
    """Say for each signature and step whether any element has it."""
    found = np.zeros((signatures.count, present.shape[1]), dtype=np.bool_)
    np.logical_or.at(found, ids, present)
    return found
