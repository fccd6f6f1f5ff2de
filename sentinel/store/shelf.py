"""A shelf: values of one type in one table. The columns' types convert, so one class serves every table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any, ClassVar, Generic, TypeVar

from pydantic_core import to_json
from sqlalchemy import Connection, CursorResult, Delete, Select, Table, delete, select, type_coerce
from sqlalchemy.dialects.sqlite import dialect, insert
from sqlalchemy.types import NULLTYPE, TypeEngine

from sentinel.store.columns import Stored
from sentinel.store.driver import driver_of
from sentinel.store.tables import Row

T = TypeVar("T")

_SQLITE = dialect()
Convert = Callable[[Any], Any] | None


def _converter(kind: TypeEngine[Any]) -> Convert:
    """Return what makes a column's value of a field that is not None."""
    return kind.write if isinstance(kind, Stored) else kind.dialect_impl(_SQLITE).bind_processor(_SQLITE)


def _back_converter(kind: TypeEngine[Any]) -> Convert:
    """Return what makes a field of a column's value, likewise."""
    return kind.read if isinstance(kind, Stored) else kind.dialect_impl(_SQLITE).result_processor(_SQLITE, None)


def table_of(row: type[Row]) -> Table:
    """Return the table of a row's class."""
    table: Table = row.__table__  # type: ignore[attr-defined] # SQLModel sets it
    return table


def texts(keys: Iterable[str]) -> str:
    """Return texts as one parameter, which `json_each` takes apart: any number of them in one statement."""
    return to_json(list(keys)).decode()


class Shelf(Generic[T]):
    """Values of one type, put whole and read whole; a value put again takes the place of the one with its key.

    Putting and reading is what a storm of alerts does ten thousand times: one statement for many rows, each converted
    by the columns' own types without SQLAlchemy's layers around them. The ORM would cost thirty times as much.
    """

    ROW: ClassVar[type[Row]]
    VALUE: ClassVar[type[Any]]

    table: ClassVar[Table]
    _put: ClassVar[str]
    _select: ClassVar[str]
    _rows: ClassVar[Select[*tuple[Any, ...]]]
    _gone: ClassVar[Delete]
    _columns: ClassVar[attrgetter[tuple[Any, ...]]]
    _convert: ClassVar[tuple[Convert, ...]]
    _convert_back: ClassVar[tuple[Convert, ...]]

    def __init_subclass__(cls) -> None:
        cls.table = table_of(cls.ROW)
        columns = cls.table.columns
        names = [field.name for field in fields(cls.VALUE) if field.init]
        cls._put = str(insert(cls.table).prefix_with("OR REPLACE").compile(dialect=_SQLITE))
        cls._rows = select(*(type_coerce(columns[name], NULLTYPE) for name in names))
        cls._select = str(cls._rows.compile(dialect=_SQLITE))
        cls._gone = delete(cls.table)
        cls._columns = attrgetter(*(column.name for column in columns))
        cls._convert = tuple(_converter(column.type) for column in columns)
        cls._convert_back = tuple(_back_converter(columns[name].type) for name in names)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, *values: T) -> None:
        """Write these values; many at once cost less than one by one."""
        if values:
            driver_of(self._connection).executemany(self._put, map(self._converted, values))

    def all(self) -> list[T]:
        """Return every value, in the order of their keys."""
        return self._read(self._rows.order_by(*self.table.primary_key))

    def _converted(self, value: T) -> tuple[Any, ...]:
        found = zip(self._convert, self._columns(value), strict=True)
        return tuple([part if part is None or convert is None else convert(part) for convert, part in found])

    def _read(self, statement: Select[Any]) -> list[T]:
        """Return the values of a statement that asks for `_rows`."""
        return self._values(self._connection.execute(statement))

    def _read_sql(self, rest: str, *parameters: object) -> list[T]:
        """Return the values of a statement in words of SQL, from what follows the table's name on."""
        return self._values(self._connection.exec_driver_sql(f"{self._select} {rest}", parameters))

    def _read_some(self, column: str, keys: Iterable[str]) -> list[T]:
        """Return the values that have one of these texts in a column."""
        return self._read_sql(f'WHERE "{column}" IN (SELECT value FROM json_each(?))', texts(keys))  # noqa: S608 # our own name

    def _values(self, found: CursorResult[Any]) -> list[T]:
        convert, value = self._convert_back, self.VALUE
        return [
            value(
                *[part if part is None or back is None else back(part) for back, part in zip(convert, row, strict=True)]
            )
            for row in found.all()
        ]

    def _remove(self, **key: str) -> bool:
        where = [self.table.c[name] == value for name, value in key.items()]
        return self._connection.execute(self._gone.where(*where)).rowcount > 0
