"""How values made of parts become JSON and come back: one pair of functions each, for the columns of `tables.py`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text

from sentinel.core.alert import Origin, Phase, Standing
from sentinel.core.clock import from_ms, to_ms
from sentinel.core.labels import Labels
from sentinel.core.notification import Attempt
from sentinel.core.severity import Severity
from sentinel.store.columns import Packed, Stored, span_to_ms


class Level(Stored[Severity]):
    """A severity, stored as its name."""

    impl = Text
    cache_ok = True

    def write(self, value: Severity) -> str:  # noqa: D102
        return str(value)

    def read(self, value: str) -> Severity:  # noqa: D102
        return Severity.of(value)


def _standings(value: Mapping[Severity, Standing]) -> dict[str, Any]:
    return {
        str(severity): {
            "phase": str(standing.phase),  # to pydantic an enumeration is dear
            "since": to_ms(standing.since),
            "paused": span_to_ms(standing.paused),
            "unknown_since": None if standing.unknown_since is None else to_ms(standing.unknown_since),
            "scarce": standing.scarce,
            "between": standing.between,
        }
        for severity, standing in value.items()
    }


def _standings_again(value: dict[str, Any]) -> dict[Severity, Standing]:
    return {
        Severity.of(word): Standing(
            phase=Phase(parts["phase"]),
            since=from_ms(parts["since"]),
            paused=timedelta(milliseconds=parts["paused"]),
            unknown_since=None if parts["unknown_since"] is None else from_ms(parts["unknown_since"]),
            scarce=parts["scarce"],
            between=parts["between"],
        )
        for word, parts in value.items()
    }


def _origin(value: Origin) -> dict[str, Any]:
    return {"file": value.file, "line": value.line, "commit": value.commit, "author": value.author}


def _origin_again(value: dict[str, Any]) -> Origin:
    return Origin(**value)


def _attempts(value: tuple[Attempt, ...]) -> list[dict[str, Any]]:
    return [
        {"at": to_ms(one.at), "error": one.error, "took_seconds": one.took_seconds, "counts": one.counts}
        for one in value
    ]


def _attempts_again(value: list[dict[str, Any]]) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(from_ms(one["at"]), one["error"], one["took_seconds"], one.get("counts", True)) for one in value
    )


def _instants(value: Mapping[str, datetime]) -> dict[str, int]:
    return {name: to_ms(instant) for name, instant in value.items()}


def _instants_again(value: dict[str, int]) -> dict[str, datetime]:
    return {name: from_ms(ms) for name, ms in value.items()}


def _match_again(value: dict[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {name: want if isinstance(want, str) else tuple(want) for name, want in value.items()}


LABELS = Packed(dict, Labels.of)
MAPPING = Packed(dict, dict)
TEXTS = Packed(list, tuple)
STANDINGS = Packed(_standings, _standings_again)
ORIGIN = Packed(_origin, _origin_again)
ATTEMPTS = Packed(_attempts, _attempts_again)
INSTANTS = Packed(_instants, _instants_again)
MATCH = Packed(dict, _match_again)
