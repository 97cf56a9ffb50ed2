"""What every repository can do: get, get_many, list, count and columns of one table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from contimg_lab.database import Database
from contimg_lab.errors import AbsentFeature, InvalidInput, NotFound
from contimg_lab.records._fields import kinds, read
from contimg_lab.schema import Table

__all__ = ["MAX_LIMIT", "Repository", "json_list", "number", "page"]

R = TypeVar("R")

MAX_LIMIT = 1_000_000
"""Most rows that one call lists."""


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
        """Return whole columns in the stable order: float64 with NaN, or objects.

        A column that this file lacks is all NaN (numbers) or None (others).
        """
        table = await self.database.table(self.table)
        held = [name for name in names if table.has(name)]
        where, values = self.where(table, filters)
        rows = await self.database.fetch(
            self.table,
            f"SELECT {', '.join(['1', *held])} FROM {self.table}{where} ORDER BY {self.order}",
            values,
        )
        kind = kinds(self.record)
        arrays: dict[str, NDArray[Any]] = {}
        parts = list(zip(*rows, strict=True)) if rows else [()] * (len(held) + 1)
        for name in names:
            if name not in held:
                fill = None if kind[name] is str else np.nan
                arrays[name] = np.full(len(rows), fill, object if kind[name] is str else float)
            elif kind[name] is str:
                column = np.empty(len(rows), object)
                column[:] = parts[held.index(name) + 1]
                arrays[name] = column
            else:
                arrays[name] = np.array(
                    [
                        v if isinstance(v, (int, float)) else np.nan
                        for v in parts[held.index(name) + 1]
                    ],
                    float,
                )
        return arrays

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
        return tuple(read(self.record, dict(zip(names, row, strict=True))) for row in rows)


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
    keys = list(values)
    try:
        return json.dumps(keys, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput("a key to look up is neither text nor a finite number") from error


def number(column: str) -> str:
    """SQL of a column's value where it is a number, else NULL (text in a REAL column)."""
    return f"CASE WHEN typeof({column}) IN ('real', 'integer') THEN {column} END"
