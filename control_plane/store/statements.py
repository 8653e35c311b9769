"""SQL whose text is made once.

Making a query's text costs the mapper about ten times what SQLite takes to answer it, and the calls of a fleet ask the
same few questions all day. Both forms go through the database's `execute_sql`, as the mapper's own queries do.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from peewee import OP, Expression, Field, Model, Node, Value


class Prepared:
    """A query with names in place of values: `Prepared(lambda machine: R.select().where(R.machine == machine))`.

    The values are given to the database as they are, so they are of the columns' plain types. A condition on a list
    has no fixed text, unless the list is a constant.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._texts: dict[str, tuple[str, list[Any]]] = {}  # by the database's sign for a parameter

    def execute(self, handle: Any, **values: Any) -> Any:
        """Run it; the cursor."""
        text, params = self._texts.get(handle.param) or self._make_text(handle)
        return handle.execute_sql(text, [values[one.name] if isinstance(one, _Named) else one for one in params])

    def _make_text(self, handle: Any) -> tuple[str, list[Any]]:
        names = inspect.signature(self._make).parameters
        query = self._make(**{name: Value(_Named(name), converter=False) for name in names})
        text, params = query.sql()
        return self._texts.setdefault(handle.param, (str(text), list(params)))


class _Named:
    """Stands where a value will."""

    def __init__(self, name: str) -> None:
        self.name = name


class Lookup:
    """The first row of a table in which some columns have certain values: the text is kept by the columns' names."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str, tuple[str, ...]], str] = {}

    def first(self, handle: Any, record: type[Any], fields: Sequence[Field], params: Sequence[Any]) -> Any:
        """The record, or None."""
        columns = record._meta.sorted_fields
        row = handle.execute_sql(self._text(handle, record, fields), list(params)).fetchone()
        if row is None:
            return None
        found = record(__no_default__=1)
        for field, value in zip(columns, row, strict=True):
            found.__data__[field.name] = field.python_value(value)
        found._dirty.clear()
        return found

    def _text(self, handle: Any, record: type[Any], fields: Sequence[Field]) -> str:
        table, names = record._meta.table_name, tuple(field.column_name for field in fields)
        key = (handle.param, table, names)
        if key not in self._texts:
            columns = ", ".join(f'"{field.column_name}"' for field in record._meta.sorted_fields)
            where = " AND ".join(f'"{name}" = {handle.param}' for name in names)
            self._texts[key] = f'SELECT {columns} FROM "{table}" WHERE {where} LIMIT 1'
        return self._texts[key]


def equalities(record: type[Any], query: Sequence[Any]) -> tuple[list[Field], list[Any]] | None:
    """The fields and their values as the database takes them, where a query says of fields only what they equal."""
    fields: list[Field] = []
    params: list[Any] = []
    pending = list(reversed(query))
    while pending:
        one = pending.pop()
        if not isinstance(one, Expression):
            return None
        if one.op == OP.AND:
            pending += [one.rhs, one.lhs]
        elif one.op == OP.EQ and isinstance(one.lhs, Field) and one.lhs.model is record and _is_plain(one.rhs):
            fields.append(one.lhs)
            params.append(_as_stored(one.lhs, one.rhs))
        else:
            return None
    return fields, params


def _as_stored(field: Any, value: Any) -> Any:
    return field.db_value(value)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | Model) and not isinstance(value, Node)
