"""Pairing: each expectation gets an alert of its own, if there is a way; the first way that there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def pair(expected: Sequence[int], fits: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """Return which place each expectation has; one that finds none has an empty list.

    Args:
        expected: in order.
        fits: to each, the places that would do.
    """
    owner: dict[int, int] = {}

    def settle(one: int, tried: set[int]) -> bool:
        for place in fits[one]:
            if place in tried:
                continue
            tried.add(place)
            if place not in owner or settle(owner[place], tried):
                owner[place] = one
                return True
        return False

    for one in expected:
        settle(one, set())
    return {one: [place for place, of in owner.items() if of == one] for one in expected}
