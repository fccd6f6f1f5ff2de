"""Timers: the heap never loses one and never rings one that was moved."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.clock import ManualClock
from sentinel.routing.timers import Timers

NOW = ManualClock().now()
STEPS = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 50)), max_size=60)


@given(steps=STEPS, at=st.integers(0, 50))
def test_due_is_what_is_set_to_the_instant_or_before(steps: list[tuple[str, int | None]], at: int) -> None:
    """Whatever was set, moved and stopped: what counts is the last word on each."""
    timers, model = Timers(), dict[str, datetime]()
    for name, seconds in steps:
        when = None if seconds is None else NOW + timedelta(seconds=seconds)
        timers.set(name, when)
        model.pop(name, None)
        if when is not None:
            model[name] = when
    now = NOW + timedelta(seconds=at)
    assert timers.due(now) == sorted((n for n, when in model.items() if when <= now), key=lambda n: (model[n], n))
    assert timers.next_at == min(model.values(), default=None)
    assert timers.due(now) == timers.due(now)
