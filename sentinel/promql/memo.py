"""Remembering what was derived from a list of labels, keyed by the list's identity.

A store hands out the same list object as long as the same series match, so grouping, joining and dropping names need
to be worked out once and not at each evaluation. What is remembered keeps its keys alive (an identity must not be
reused) and the least recently used goes first once there are too many labels in all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Any, TypeVar

from sentinel.core.labels import Labels

LabelList = Sequence[Labels]
Derived = TypeVar("Derived")

#: How many label sets all remembered lists may hold together; about 30 MB at the most.
CAPACITY = 100_000


class Memo:
    """Values derived from label lists."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity, self._held = capacity, 0
        self._kept: OrderedDict[Hashable, tuple[tuple[LabelList, ...], Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, derive: Callable[..., Derived], lists: tuple[LabelList, ...], *args: Hashable) -> Derived:
        """Return `derive(*lists, *args)`, from memory where these very lists were asked for before."""
        key = (derive, *map(id, lists), *args)
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                value: Derived = found[1]
                return value
        value = derive(*lists, *args)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = lists, value
                self._held += _weight(lists)
            while self._held > self._capacity and len(self._kept) > 1:
                _, (old, _) = self._kept.popitem(last=False)
                self._held -= _weight(old)
        return value


def _weight(lists: tuple[LabelList, ...]) -> int:
    return 1 + sum(map(len, lists))


#: The evaluator's memory. Results do not depend on it, only how soon they come.
MEMO = Memo()


def without_names(labels: LabelList) -> LabelList:
    """Return the labels less `__name__`, `__type__` and `__unit__`; the same list where there are none."""
    return MEMO.get(_without_names, (labels,))


def _without_names(labels: LabelList) -> LabelList:
    bare = [row.without("__name__", "__type__", "__unit__") for row in labels]
    return labels if all(len(a) == len(b) for a, b in zip(labels, bare, strict=True)) else bare
