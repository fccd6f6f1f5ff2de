"""Units: whether a threshold fits what the value counts, and what it is in the same unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sentinel.core.quantity import Quantity, Unit, unit_of_metric
from sentinel.promql import VectorSelector, walk
from sentinel.rules.form import Compiled


def misfit(quantity: Quantity, compiled: Compiled, form_name: str) -> tuple[str, str] | None:
    """Say why a quantity cannot be held against the value, and what to write."""
    if quantity.unit is Unit.NUMBER:
        if compiled.unit is Unit.PER_SECOND:
            return f"{form_name} needs a rate", f"write {quantity}/s or {quantity}/min"
        return None
    if compiled.unit is None:
        for metric in _metrics(compiled):
            unit, scale = unit_of_metric(metric)
            if unit is quantity.unit and scale != 1:
                return f'"{quantity}" is {quantity.value:g}, and {metric} counts otherwise', "write a plain number"
        return None
    if quantity.unit is not compiled.unit:
        wanted = "plain numbers" if compiled.unit is Unit.NUMBER else compiled.unit.value
        return f'"{quantity}" counts {quantity.unit.value}, and this counts {wanted}', _EXAMPLES[compiled.unit]
    return None


_EXAMPLES = {
    Unit.NUMBER: "write 200 or 1.5k",
    Unit.RATIO: "write 5% or 0.05",
    Unit.SECONDS: "write 50ms, 2s or 15m",
    Unit.BYTES: "write 1.5GB or 2GiB",
    Unit.PER_SECOND: "write 10/s or 8000/min",
}


def _metrics(compiled: Compiled) -> Iterator[str]:
    return (node.name for node in walk(compiled.expr) if isinstance(node, VectorSelector) and node.name)


def in_base_units(quantity: Quantity, compiled: Compiled) -> Quantity:
    """Let a plain number count what the metric counts: 80 beside `cpu_percent` is 0.8."""
    if quantity.unit is not Unit.NUMBER or compiled.scale == 1:
        return quantity
    return replace(quantity, value=quantity.value / compiled.scale)
