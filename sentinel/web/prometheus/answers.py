"""The envelope around every answer, and what may be in its place: an error of one of Prometheus's kinds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from sentinel.core.errors import QueryInvalid, QueryTimedOut, StoreUnavailable
from sentinel.web.api import agent_of
from sentinel.web.prometheus.asked import Asked
from sentinel.web.prometheus.parameters import ParameterInvalid, parameters

TRUNCATED = "results truncated due to limit"


class ErrorType(StrEnum):
    """Prometheus's kinds of errors, as far as there are any here."""

    BAD_DATA = "bad_data"
    EXECUTION = "execution"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"


_STATUS = {ErrorType.BAD_DATA: 400, ErrorType.EXECUTION: 422, ErrorType.TIMEOUT: 503, ErrorType.UNAVAILABLE: 503}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that is well.

    Args:
        data: as JSON.
        warnings: about it.
        infos: likewise.
    """

    data: str
    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()

    @classmethod
    def of(cls, data: Any, warnings: Sequence[str] = ()) -> Said:
        """Write plain values."""
        return cls(write_json(data), warnings)

    @classmethod
    def limited(cls, data: Sequence[Any], limit: int) -> Said:
        """Write a list, no longer than its limit; 0 is none."""
        cut = 0 < limit < len(data)
        return cls.of(data[:limit] if cut else data, (TRUNCATED,) if cut else ())


async def answered(request: Request, ask: Callable[[Asked], Said]) -> Response:
    """Answer on a reader's thread: never on the loop, never on the desk, and one at a time, since rules read too."""
    agent = agent_of(request)
    asked = Asked(agent, await parameters(request), agent.clock.monotonic())
    async with request.app.state.query_turn:
        return await agent.read(lambda: _answer(ask, asked))


def write_json(data: Any) -> str:
    """Write JSON without blanks, as Go does."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _answer(ask: Callable[[Asked], Said], asked: Asked) -> Response:
    try:
        said = ask(asked)
    except ParameterInvalid as exc:
        return _failed(ErrorType.BAD_DATA, str(exc))
    except QueryTimedOut as exc:
        return _failed(ErrorType.TIMEOUT, f"query timed out in expression evaluation: {exc}")
    except QueryInvalid as exc:
        return _failed(ErrorType.EXECUTION, asked.placed(str(exc), exc.start))
    except StoreUnavailable as exc:
        return _failed(ErrorType.UNAVAILABLE, str(exc))
    parts = ['"status":"success"', f'"data":{said.data}']
    parts += [f'"{name}":{write_json(list(texts))}' for name, texts in _notes(said) if texts]
    return _response(f"{{{','.join(parts)}}}", 200)


def _notes(said: Said) -> tuple[tuple[str, Sequence[str]], ...]:
    return ("warnings", said.warnings), ("infos", said.infos)


def _failed(error: ErrorType, words: str) -> Response:
    return _response(write_json({"status": "error", "errorType": error, "error": words}), _STATUS[error])


def _response(text: str, status: int) -> Response:
    # A label may hold bytes that are no UTF-8 (`label_replace(…, "\xff", …)`), which JSON cannot.
    return Response(text.encode("utf-8", "replace"), status, media_type="application/json")
