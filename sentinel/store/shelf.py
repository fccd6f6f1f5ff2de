"""A shelf: values of one type in one table. The columns' types convert, so one class serves every table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Delete, Select, Table, delete, select
from sqlalchemy.dialects.sqlite import dialect, insert
from sqlalchemy.types import TypeDecorator, TypeEngine

from sentinel.store.tables import Row

T = TypeVar("T")

_SQLITE = dialect()
#: So many keys are asked for in one statement; SQLite bears more, but not any number.
_IN_ONE = 500


def _converter(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """Return what makes a column's value of a field; of a type of ours without SQLAlchemy's layers around it."""
    if isinstance(kind, TypeDecorator) and type(kind).process_bind_param is not TypeDecorator.process_bind_param:
        return partial(kind.process_bind_param, dialect=_SQLITE)
    return kind.dialect_impl(_SQLITE).bind_processor(_SQLITE)


def table_of(row: type[Row]) -> Table:
    """Return the table of a row's class."""
    table: Table = row.__table__  # type: ignore[attr-defined] # SQLModel sets it
    return table


class Shelf(Generic[T]):
    """Values of one type, put whole and read whole; a value put again takes the place of the one with its key.

    Putting is what a storm of alerts does ten thousand times: one statement, compiled once, for many rows, each made by
    the columns' own converters. The ORM would cost thirty times as much.
    """

    ROW: ClassVar[type[Row]]
    VALUE: ClassVar[type[Any]]

    table: ClassVar[Table]
    _put: ClassVar[str]
    _convert: ClassVar[tuple[Callable[[Any], Any] | None, ...]]
    _all: ClassVar[Select[Any]]
    _gone: ClassVar[Delete]
    _fields: ClassVar[attrgetter[tuple[Any, ...]]]
    _in_order: ClassVar[itemgetter[Any]]

    def __init_subclass__(cls) -> None:
        cls.table = table_of(cls.ROW)
        cls._put = str(insert(cls.table).prefix_with("OR REPLACE").compile(dialect=_SQLITE))
        cls._convert = tuple(_converter(column.type) for column in cls.table.columns)
        cls._all = select(cls.table).order_by(*cls.table.primary_key)
        cls._gone = delete(cls.table)
        columns = [column.name for column in cls.table.columns]
        cls._fields = attrgetter(*columns)
        cls._in_order = itemgetter(*(columns.index(field.name) for field in fields(cls.VALUE) if field.init))

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, *values: T) -> None:
        """Write these values; many at once cost less than one by one."""
        if values:
            self._connection.exec_driver_sql(self._put, [self._converted(value) for value in values])

    def all(self) -> list[T]:
        """Return every value, in the order of their keys."""
        return self._read(self._all)

    def _converted(self, value: T) -> tuple[Any, ...]:
        found = zip(self._convert, self._fields(value), strict=True)
        return tuple([part if convert is None else convert(part) for convert, part in found])

    def _read(self, statement: Select[Any]) -> list[T]:
        """Return the values of a statement that asks for whole rows."""
        return [self.VALUE(*self._in_order(row)) for row in self._connection.execute(statement)]

    def _read_some(self, column: Column[str], keys: Iterable[str], *where: ColumnElement[bool]) -> list[T]:
        """Return the values that have one of these texts in a column, a few hundred in one statement."""
        wanted = list(dict.fromkeys(keys))
        parts = [wanted[at : at + _IN_ONE] for at in range(0, len(wanted), _IN_ONE)]
        return [value for part in parts for value in self._read(self._all.where(column.in_(part), *where))]

    def _remove(self, **key: str) -> bool:
        where = [self.table.c[name] == value for name, value in key.items()]
        return self._connection.execute(self._gone.where(*where)).rowcount > 0
