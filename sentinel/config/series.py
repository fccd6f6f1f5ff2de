"""Fields of tests that speak of series: what they are called, their values, and what is asked of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels, MatchOp
from sentinel.core.notation import parse_values
from sentinel.promql import VectorSelector, parse


def labels_of(series: str) -> Labels:
    """Return the labels of a series as it is written: `queue_depth{queue="a"}`.

    Raises:
        ValueError: it is not the name of one series; the text says what would be.
    """
    try:
        selector = parse(series)
    except QueryInvalid as exc:
        raise ValueError(f'"{series}" is not a series: {exc.says}') from None
    plain = isinstance(selector, VectorSelector) and not selector.offset and selector.at is None
    matchers = getattr(selector, "matchers", ())
    if not plain or any(matcher.op is not MatchOp.EQUAL for matcher in matchers):
        raise ValueError(f'"{series}" is not one series; write queue_depth{{queue="a"}}')
    return Labels.of({matcher.name: matcher.value for matcher in matchers})


def _series(given: Any) -> str:
    labels_of(str(given))
    return str(given)


def _values(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("should be values such as 0+10x5, 7x3 or 1 _ 3")
    parse_values(given)
    return str(given)


def _query(given: Any) -> str:
    try:
        parse(str(given))
    except QueryInvalid as exc:
        raise ValueError(str(exc)) from None
    return str(given)


_TEXT = WithJsonSchema({"type": "string"})
#: The name of one series.
SeriesName = Annotated[str, BeforeValidator(_series)]
#: Values in Prometheus's notation.
SeriesValues = Annotated[str, PlainValidator(_values), _TEXT]
#: An expression.
PromQL = Annotated[str, PlainValidator(_query), _TEXT]
