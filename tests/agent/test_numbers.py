"""Numbers: what the agent counts of itself."""

from __future__ import annotations

from sentinel.agent.numbers import numbers_of_samples
from sentinel.core.sample import Sample
from sentinel.store.head import Head
from tests.store.kit import at, gauge, look


def test_what_is_refused_is_counted_by_source_and_reason() -> None:
    """A source that shows too many series is named; those it had go on."""
    head = Head(series_limit=2)
    head.append(look(0, gauge("a", 1), gauge("b", 1), source="shop"))
    head.append(look(15, gauge("a", 2), gauge("b", 2), gauge("c", 2), source="shop"))
    head.append(look(30, gauge("a", 3), gauge("b", 3), Sample("d", 1.0, {}, at(300)), source="shop"))
    found = {(one.name, *one.labels.values()): one.value for one in numbers_of_samples(head)}
    assert found["sentinel_series",] == 2
    assert found["sentinel_samples_refused_total", "shop", "too many series"] >= 1
    assert sum(value for (name, *_), value in found.items() if name == "sentinel_samples_refused_total") == 2
