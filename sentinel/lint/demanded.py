"""Demanded: each rule with what its folder's policy asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sentinel.lint.context import Context
from sentinel.lint.summary import Summary

if TYPE_CHECKING:
    from sentinel.config.demands import Demands


def demanded(context: Context) -> Iterator[tuple[Summary, Demands]]:
    """Yield the rules for which there is a policy, with it."""
    if context.inspection is None or not context.inspection.demands:
        return
    from sentinel.config.demands import demands_for

    for rule in context.rules:
        if (demands := demands_for(rule.file, context.inspection.demands)) is not None:
            yield rule, demands
