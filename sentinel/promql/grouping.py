"""Grouping the series of a vector by their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import NAME, Labels
from sentinel.promql.ast import Aggregate
from sentinel.promql.memo import MEMO, LabelList
from sentinel.promql.values import Indices, Mask

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Groups:
    """A partition of S series into G groups.

    Args:
        labels: of the groups.
        order: of shape (S,), the rows, group after group; None if that is the order in which they stand.
        bounds: of shape (G + 1,), where each group begins in that order.
        ids: of shape (S,), the group of each row as it stands.
    """

    labels: LabelList
    order: Indices | None
    bounds: Indices
    ids: Indices

    def sort(self, rows: NDArray[Number]) -> NDArray[Number]:
        """Return rows in the order of the groups."""
        return rows if self.order is None else rows[self.order]

    def any_of(self, flags: Mask) -> Mask:
        """Say for each group whether any of its rows has the flag."""
        found: Mask = np.logical_or.reduceat(self.sort(flags), self.bounds[:-1])
        return found


def groups_of(node: Aggregate, labels: LabelList) -> Groups:
    """Return the groups that an aggregation asks for."""
    return MEMO.get(_groups, (labels,), node.grouping, node.without)


def _groups(labels: LabelList, grouping: tuple[str, ...], without: bool) -> Groups:
    found: dict[Labels, int] = {}
    ids = np.empty(len(labels), dtype=np.int64)
    for row, series in enumerate(labels):
        key = series.without(NAME, *grouping) if without else series.only(*grouping)
        ids[row] = found.setdefault(key, len(found))
    order = np.argsort(ids, kind="stable")
    bounds = np.concatenate(([0], np.cumsum(np.bincount(ids, minlength=len(found))))).astype(np.int64)
    in_order = bool((order == np.arange(len(order))).all())
    return Groups(list(found), None if in_order else order, bounds, ids)
