"""Reads our own case files: `tests/cases/promql/**.yaml`, one for each function and aggregation.

A file is a list of cases; each has `data` (series notation, one sample each `every`, from 0 on), and under `ask` the
expressions with what they give at `at`:

    - data: {'up{job="a"}': 1 0 1}
      every: 1m
      at: 2m
      ask:
        up == 1: {'up{job="a"}': 1}
        scalar(up): 1
        rate(up): error
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentinel.core.labels import Labels
from sentinel.core.notation import parse_values
from sentinel.core.windows import STALE
from sentinel.promql.block import Block
from sentinel.promql.literal import duration_ms
from sentinel.promql.series import parse_series
from tests.texts import read_texts

FOLDER = Path(__file__).parents[1] / "cases" / "promql"


@dataclass(frozen=True)
class Ask:
    """An expression, what it is asked of and when, and what it gives: elements, a scalar, or "error"."""

    file: str
    expr: str
    block: Block
    at_ms: int
    gives: dict[Labels, float] | float | str

    def __str__(self) -> str:
        return f"{self.file}: {self.expr}"


def asks() -> Iterator[Ask]:
    """Iterate over everything that the files ask."""
    for path in sorted(FOLDER.rglob("*.yaml")):
        for case in read_texts(path.read_text(encoding="utf-8")):
            block, at_ms = _block(case), duration_ms(case.get("at", "1m"))
            for expr, gives in case["ask"].items():
                yield Ask(path.stem, expr, block, at_ms, _meant(gives))


def _block(case: dict[str, Any]) -> Block:
    every = duration_ms(case.get("every", "1m"))
    return Block({parse_series(name): list(_samples(values, every)) for name, values in case.get("data", {}).items()})


def _samples(values: str, every_ms: int) -> Iterator[tuple[int, float]]:
    for place, value in enumerate(parse_values(values)):
        if value is not None:
            yield place * every_ms, STALE if isinstance(value, str) else value


def _meant(gives: Any) -> dict[Labels, float] | float | str:
    if isinstance(gives, dict):
        return {parse_series(name): float(value) for name, value in gives.items()}
    return "error" if gives == "error" else float(gives)
