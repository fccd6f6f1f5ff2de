"""query, query_range, query_exemplars: what an expression gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from numpy.typing import NDArray

from sentinel.core.labels import Matcher
from sentinel.core.sample import Health
from sentinel.core.windows import Instants, Source, Windows
from sentinel.promql import ValueType
from sentinel.promql.evaluate import evaluate, evaluate_instant
from sentinel.promql.times import FARTHEST_MS
from sentinel.web.prometheus.answers import Said, answered
from sentinel.web.prometheus.asked import Asked
from sentinel.web.prometheus.parameters import ParameterInvalid, invalid
from sentinel.web.prometheus.results import said

router = APIRouter()

#: Steps of a range query beside its first: enough for a week by the minute, or a year by the hour.
POINTS_LIMIT = 11_000


@router.api_route("/query", methods=["GET", "POST"])
async def query(request: Request) -> Response:
    """Evaluate at one instant."""
    return await answered(request, _query)


@router.api_route("/query_range", methods=["GET", "POST"])
async def query_range(request: Request) -> Response:
    """Evaluate at every step of a range."""
    return await answered(request, _query_range)


@router.api_route("/query_exemplars", methods=["GET", "POST"])
async def query_exemplars(request: Request) -> Response:
    """Check the query, and return that there are no exemplars."""
    return await answered(request, _query_exemplars)


def _query(asked: Asked) -> Said:
    limit = asked.parameters.count("limit")
    at_ms = asked.parameters.instant("time", asked.now_ms)
    limits = asked.limits()
    expr = asked.expression()
    answer = evaluate_instant(expr, _source(asked), at_ms, limits)
    return said(answer, asked, ranged=False, limit=limit)


def _query_range(asked: Asked) -> Said:
    limit = asked.parameters.count("limit")
    start_ms, end_ms = asked.parameters.instant("start"), asked.parameters.instant("end")
    if end_ms < start_ms:
        raise invalid("end", "end timestamp must not be before start time")
    step_ms = asked.parameters.duration("step")
    if step_ms <= 0:
        raise invalid("step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
    if (end_ms - start_ms) // step_ms > POINTS_LIMIT:
        raise ParameterInvalid(
            f"exceeded maximum resolution of {POINTS_LIMIT:,} points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )
    limits = asked.limits()
    expr = asked.expression()
    if expr.type not in (ValueType.SCALAR, ValueType.VECTOR):
        raise ParameterInvalid(
            f'invalid expression type "{expr.type.words}" for range query, must be Scalar or instant Vector'
        )
    answer = evaluate(expr, _source(asked), start_ms, end_ms, step_ms, limits)
    return said(answer, asked, ranged=True, limit=limit)


def _query_exemplars(asked: Asked) -> Said:
    start_ms, end_ms = asked.parameters.instant("start", -FARTHEST_MS), asked.parameters.instant("end", FARTHEST_MS)
    if end_ms < start_ms:
        raise invalid("end", "end timestamp must not be before start time")
    asked.expression()
    return Said.of([])


def _source(asked: Asked) -> Source:
    """Return where samples come from; `lookback_delta` says for how long a newest value is to count."""
    reader = asked.agent.history.reader()
    lookback_ms = asked.parameters.duration("lookback_delta", 0)
    return _LookingBack(reader, lookback_ms) if lookback_ms > 0 else reader


class _LookingBack:
    """A source whose newest values all count for the same time, however often their probes look."""

    def __init__(self, source: Source, lookback_ms: int) -> None:
        self._source, self._lookback_ms = source, lookback_ms

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher."""
        return self._source.windows(matchers, ends_ms, self._lookback_ms if range_ms is None else range_ms)

    def health(self, ids: NDArray[np.int64], at_ms: int) -> Health:
        """Return how the probes behind these series are, at worst."""
        return self._source.health(ids, at_ms)
