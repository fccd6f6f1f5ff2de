"""Column types: how each kind of value lies in the database. Instants and spans are integer milliseconds."""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator, UserDefinedType

from sentinel.core.clock import from_ms, to_ms

T = TypeVar("T")
_MILLISECOND = timedelta(milliseconds=1)


#: Writes JSON as it stands in every column: compact, in the letters that people typed. Made once: an encoder is dear.
dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def span_to_ms(span: timedelta) -> int:
    """Return a length of time in milliseconds."""
    return round(span / _MILLISECOND)


class Stored(TypeDecorator[T]):
    """A type of ours: `write` makes what lies in the column, `read` the value again; None is NULL.

    Shelves ask these two themselves: in a storm SQLAlchemy's layers around them cost more than they do.
    """

    @abstractmethod
    def write(self, value: T) -> object:
        """Return what lies in the column."""

    @abstractmethod
    def read(self, value: Any) -> T:
        """Return the value again."""

    def process_bind_param(self, value: T | None, dialect: Dialect) -> object:  # noqa: D102 # SQLAlchemy's
        return None if value is None else self.write(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> T | None:  # noqa: D102 # SQLAlchemy's
        return None if value is None else self.read(value)


class Instant(Stored[datetime]):
    """An aware instant, stored as UTC milliseconds since the Unix epoch."""

    impl = BigInteger
    cache_ok = True

    def write(self, value: datetime) -> int:  # noqa: D102
        return to_ms(value)

    def read(self, value: int) -> datetime:  # noqa: D102
        return from_ms(value)


class Span(Stored[timedelta]):
    """A length of time, stored as milliseconds."""

    impl = BigInteger
    cache_ok = True

    def write(self, value: timedelta) -> int:  # noqa: D102
        return span_to_ms(value)

    def read(self, value: int) -> timedelta:  # noqa: D102
        return timedelta(milliseconds=value)


class Number(UserDefinedType[float]):
    """A float that may be NaN, which SQLite's own REAL turns into NULL; NaN is stored as the text "NaN"."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:  # noqa: D102 # SQLAlchemy's
        return "FLOAT"

    def bind_processor(self, dialect: Dialect) -> Callable[[float | None], Any]:  # noqa: D102
        return lambda value: "NaN" if value is not None and math.isnan(value) else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], float | None]:  # noqa: D102
        return lambda value: None if value is None else float(value)


class Word(Stored[StrEnum]):
    """A member of an enumeration of texts, stored as its text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def write(self, value: StrEnum) -> str:  # noqa: D102
        return str(value)

    def read(self, value: str) -> StrEnum:  # noqa: D102
        return self.kind(value)


class Packed(Stored[Any]):
    """A value made of parts, stored as JSON, by pydantic's own reader and writer: a row of a storm has six of these.

    Args:
        pack: makes what JSON knows out of the value.
        unpack: makes the value again.
    """

    impl = Text
    cache_ok = True

    def __init__(self, pack: Callable[[Any], object], unpack: Callable[[Any], object]) -> None:
        super().__init__()
        self.pack = pack
        self.unpack = unpack

    def write(self, value: Any) -> str:  # noqa: D102
        return to_json(self.pack(value)).decode()

    def read(self, value: str) -> Any:  # noqa: D102
        return self.unpack(from_json(value))
