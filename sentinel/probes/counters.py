"""Which series count, and since when: what an exposition says of its types, else what a name says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentinel.core.sample import COUNTER_ENDINGS

#: Endings that samples of a type add to its name, and whether those count.
_ENDINGS: Mapping[str, Mapping[str, bool]] = {
    "counter": {"": True, "_total": True},
    "histogram": {"_bucket": True, "_count": True, "_sum": True},
    "summary": {"_count": True, "_sum": True},
    "gauge": {"": False},
    "gaugehistogram": {"_bucket": False, "_gcount": False, "_gsum": False},
    "info": {"_info": False},
    "stateset": {"": False},
}


@dataclass(frozen=True, slots=True)
class Series:
    """What stands before a value."""

    name: str
    labels: Mapping[str, str]


def counting(types: Mapping[str, str]) -> Callable[[str], bool]:
    """Return whether series of a name count: what the exposition says, else what the name says."""
    said: dict[str, bool] = {}
    for name, word in types.items():
        for ending, counter in _ENDINGS.get(word, {}).items():
            said[name + ending] = counter

    def counts(name: str) -> bool:
        counter = said.get(name)
        return counter if counter is not None else name.endswith(COUNTER_ENDINGS)

    return counts


def group_of(series: Series) -> tuple[str, frozenset[tuple[str, str]]]:
    """Return what a series shares with its `_created`: the metric's name, and the labels less those of its parts."""
    name = series.name
    for ending in (*COUNTER_ENDINGS, "_created"):
        if name.endswith(ending):
            name = name.removesuffix(ending)
            break
    return name, frozenset(pair for pair in series.labels.items() if pair[0] != "le")


def beginnings(
    rows: Sequence[tuple[Series, float, datetime | None]], types: Mapping[str, str]
) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return when counters began: `x_created` beside a counter, histogram or summary `x` (or `x_total`)."""
    found = {}
    for series, value, _ in rows:
        if series.name.endswith("_created"):
            base = series.name.removesuffix("_created")
            word = types.get(base) or types.get(f"{base}_total")
            if word in ("counter", "histogram", "summary"):
                found[group_of(series)] = value
    return found
