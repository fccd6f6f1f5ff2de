"""Samples that a query returns, held against those that are expected."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from sentinel.config.series import labels_of
from sentinel.core.labels import Labels
from sentinel.core.quantity import format_value

#: So near is the same.
_NEAR = 1e-9


def wanted_samples(given: Mapping[str, float] | float | None) -> dict[Labels, float]:
    """Return what is expected: one number has no labels."""
    if isinstance(given, Mapping):
        return {labels_of(name): value for name, value in given.items()}
    return {} if given is None else {Labels(): given}


def differ(expected: Mapping[Labels, float], got: Iterable[tuple[Labels, float]]) -> tuple[list[str], list[str]]:
    """Return the lines that are missing and those that are one too many; both empty where all is as expected."""
    found = dict(got)
    same = {labels for labels in expected.keys() & found.keys() if _near(expected[labels], found[labels])}
    lines = [
        [f"{labels or '{}'} {format_value(value)}" for labels, value in sorted(side.items()) if labels not in same]
        for side in (expected, found)
    ]
    return lines[0], lines[1]


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_NEAR, abs_tol=1e-12) or (one != one and other != other)
