"""What every repository can do: get, get_many, list, count and columns of one table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from contimg_lab.database import Database
from contimg_lab.errors import AbsentFeature, InvalidInput, NotFound
from contimg_lab.records._fields import cast, kinds, reader
from contimg_lab.schema import Table

__all__ = ["MAX_LIMIT", "Repository", "aside", "json_list", "number", "page"]

R = TypeVar("R")
T = TypeVar("T")
Row = tuple[Any, ...]

MAX_LIMIT = 1_000_000
"""Most rows that one call lists."""

_MANY = 200
_PART = 2_000  # rows turned into columns at once


class Repository(Generic[R]):
    """One table as records.

    Subclasses name the table, its record, its key and a stable order; filters are given as
    ``column=value`` (None: IS NULL; a list, tuple or set: any of them).
    """

    table: ClassVar[str]
    noun: ClassVar[str]
    record: ClassVar[type]
    key: ClassVar[str]
    order: ClassVar[str]

    def __init__(self, database: Database) -> None:
        self.database = database

    async def get(self, key: object) -> R:
        """Return the record with this key.

        Raises
        ------
        NotFound
            There is none.
        """
        if isinstance(key, (list, tuple, set, frozenset)):
            raise InvalidInput(f"{self.noun} {key!r}: give one key; get_many takes many")
        found = await self._select({self.key: key}, 1, 0)
        if not found or key is None:
            raise NotFound(self.noun, key)
        return found[0]

    async def get_many(self, keys: Iterable[object]) -> dict[Any, R]:
        """Return the records of many keys in one query, by key, in the order given."""
        wanted = list(dict.fromkeys(key for key in keys if key is not None))
        found = await self._select({self.key: wanted}, None, 0)
        by_key = {getattr(record, self.key): record for record in reversed(found)}
        return {key: by_key[key] for key in wanted if key in by_key}

    async def count(self, **filters: object) -> int:
        """Count the rows that pass the filters."""
        table = await self.database.table(self.table)
        where, values = self.where(table, filters)
        rows = await self.database.fetch(
            self.table, f"SELECT count(*) FROM {self.table}{where}", values
        )
        return int(rows[0][0])

    async def columns(self, *names: str, **filters: object) -> dict[str, NDArray[Any]]:
        """Return whole columns in the stable order: float64 with NaN, or text as objects.

        A column that this file lacks is all NaN (numbers) or None (text), and so is a value
        of another kind (text in a REAL column).
        """
        table = await self.database.table(self.table)
        held = [name for name in names if table.has(name)]
        where, values = self.where(table, filters)
        rows = await self.database.fetch(
            self.table,
            f"SELECT {', '.join(['1', *held])} FROM {self.table}{where} ORDER BY {self.order}",
            values,
        )
        return await aside(len(rows), _columns, kinds(self.record), names, held, rows)

    async def absent(self) -> tuple[str, ...]:
        """Name the record's columns that this file lacks."""
        found = await self.database.find_table(self.table)
        wanted = tuple(kinds(self.record))
        return wanted if found is None else found.absent(wanted)

    def where(self, table: Table, filters: Mapping[str, object]) -> tuple[str, list[object]]:
        """SQL text and values of ``column=value`` filters.

        Raises
        ------
        InvalidInput
            The noun has no field of that name.
        AbsentFeature
            This file's table lacks the column.
        """
        clauses: list[str] = []
        values: list[object] = []
        for name, value in filters.items():
            if name not in kinds(self.record):
                raise InvalidInput(
                    f"{self.noun} has no field {name!r} to filter on; "
                    f"it has {', '.join(kinds(self.record))}"
                )
            if not table.has(name):
                raise AbsentFeature(f"this file's {self.table} has no column {name}")
            if value is None:
                clauses.append(f"{name} IS NULL")
            elif isinstance(value, (list, tuple, set, frozenset)):
                clauses.append(f"{name} IN (SELECT value FROM json_each(?))")
                values.append(json_list(value))
            else:
                clauses.append(f"{name} = ?")
                values.append(value)
        return (" WHERE " + " AND ".join(clauses) if clauses else ""), values

    async def list(
        self, *, limit: int | None = 100, offset: int = 0, **filters: object
    ) -> tuple[R, ...]:
        """Return the records that pass the filters, in the stable order.

        Parameters
        ----------
        limit
            Most records, at most `MAX_LIMIT`; None for all.
        offset
            How many to leave out first.
        **filters
            ``column=value``.
        """
        return await self._select(filters, limit, offset)

    async def _select(
        self, filters: Mapping[str, object], limit: int | None, offset: int
    ) -> tuple[R, ...]:
        table = await self.database.table(self.table)
        names = [name for name in kinds(self.record) if table.has(name)]
        where, values = self.where(table, filters)
        rows = await self.database.fetch(
            self.table,
            f"SELECT {', '.join(names)} FROM {self.table}{where} "
            f"ORDER BY {self.order} LIMIT ? OFFSET ?",
            [*values, *page(limit, offset)],
        )
        return await aside(len(rows), _records, self.record, names, rows)


async def aside(n: int, work: Callable[..., T], *given: Any) -> T:
    """Work on many rows in a thread, so that the kernel's loop goes on; on a few at once.

    For a few the way there costs more than the work.
    """
    return await asyncio.to_thread(work, *given) if n > _MANY else work(*given)


def _records(record: type[R], names: Sequence[str], rows: Sequence[Row]) -> tuple[R, ...]:
    return tuple(map(reader(record, names), rows))


def _columns(
    kind: Mapping[str, type], names: Sequence[str], held: Sequence[str], rows: list[Row]
) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        name: np.full(len(rows), None if kind[name] is str else np.nan) for name in names
    }
    # in parts, which are let go at once: one step in C over so many rows, or the end of them all
    # in the caller, would hold the interpreter, and the loop with it
    for start in reversed(range(0, len(rows), _PART)):
        part_rows, stop = rows[start:], len(rows)
        del rows[start:]
        for name, part in zip(["1", *held], zip(*part_rows, strict=True), strict=True):
            if name not in arrays:
                continue
            if kind[name] is str:
                arrays[name][start:stop] = [v if type(v) is str else cast(v, str) for v in part]
            else:
                numbers = [v if isinstance(v, (int, float)) else np.nan for v in part]
                arrays[name][start:stop] = numbers
    return arrays


def page(limit: int | None, offset: int) -> tuple[int, int]:
    """Check a limit and an offset; -1 is SQLite's word for no limit.

    Raises
    ------
    InvalidInput
        One of them is negative, too large or no whole number.
    """
    for name, value, most in (("limit", limit, MAX_LIMIT), ("offset", offset, 2**62)):
        if value is None and name == "limit":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise InvalidInput(f"{name} {value!r} is no whole number")
        if not 0 <= value <= most:
            raise InvalidInput(f"{name} {value} lies outside 0 to {most}")
    return (-1 if limit is None else int(limit)), int(offset)


def json_list(values: Iterable[object]) -> str:
    """JSON array of keys, for one ``IN (SELECT value FROM json_each(?))``.

    Raises
    ------
    InvalidInput
        A value is no text and no finite number.
    """
    # a key with a NUL would match what stands before it: SQLite's JSON ends there
    keys = [key for key in values if not (isinstance(key, str) and "\0" in key)]
    try:
        return json.dumps(keys, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput("a key to look up is neither text nor a finite number") from error


def number(column: str) -> str:
    """SQL of a column's value where it is a number, else NULL (text in a REAL column)."""
    return f"CASE WHEN typeof({column}) IN ('real', 'integer') THEN {column} END"
