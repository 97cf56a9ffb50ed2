"""Rows as they are stored, of several tables: what a night's report stands on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from contimg_lab.database import Database
from contimg_lab.times import night_bounds_mjd

__all__ = ["Stored", "StoredRepository", "shown"]

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows of one table, each value as SQLite returned it.

    Attributes
    ----------
    columns
        Of those asked for the ones that the file has, in their order.
    absent
        The others.
    rows
        Text that is no UTF-8 holds lone surrogates; see `shown`.
    """

    table: str
    columns: tuple[str, ...]
    absent: tuple[str, ...]
    rows: Sequence[Row]

    def column(self, name: str) -> list[Any]:
        """Values of one column; None throughout where the file lacks it."""
        if name not in self.columns:
            return [None] * len(self.rows)
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def shown(self) -> list[Row]:
        """Return the rows with text that can be shown, as every other read returns them."""
        return [tuple(map(shown, row)) for row in self.rows]


class StoredRepository:
    """Rows of any table of the pipeline, exactly as stored."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def of(
        self, table: str, wanted: Sequence[str], column: str, keys: Iterable[str | bytes]
    ) -> Stored | None:
        """Return the rows whose column is one of the keys, by one statement.

        Parameters
        ----------
        table, wanted
            The table, and the columns to read.
        column
            What the keys are of.
        keys
            Texts as read here, lone surrogates included, or blobs.

        Returns
        -------
        Stored or None
            None: this site has no such table, or it lacks the column.
        """
        found = await self.database.find_table(table)
        if found is None or not found.has(column):
            return None
        each = tuple(dict.fromkeys(keys))
        plain = [key for key in each if isinstance(key, str) and _is_plain(key)]
        odd = [key for key in each if isinstance(key, bytes) or not _is_plain(key)]
        listed, values = "SELECT value FROM json_each(?)", list[object]([json.dumps(plain)])
        if odd:  # what JSON cannot say is given as bytes, which SQLite compares alike
            texts = ["(?)" if isinstance(key, bytes) else "(CAST(? AS TEXT))" for key in odd]
            listed += f" UNION ALL SELECT * FROM (VALUES {', '.join(texts)})"
            values += [_bytes(key) for key in odd]
        return await self._read(table, wanted, f"{column} IN ({listed})", values)

    async def raw_files(self, night: str, wanted: Sequence[str]) -> Stored | None:
        """Return the rows of raw files whose group is named for a night or recorded in it."""
        found = await self.database.find_table("hdf5_files")
        if found is None or not found.has("group_id"):
            return None
        if not found.has("timestamp_mjd"):
            return await self._read("hdf5_files", wanted, "group_id GLOB ?", [f"{night}*"])
        # a group of the night may hold files beside its bounds: whole groups are read
        where = (
            "group_id IN (SELECT group_id FROM hdf5_files WHERE group_id GLOB ? UNION "
            "SELECT group_id FROM hdf5_files WHERE timestamp_mjd >= ? AND timestamp_mjd < ?)"
        )
        values = [f"{night}*", *night_bounds_mjd(night)]
        return await self._read("hdf5_files", wanted, where, values)

    async def between(
        self, table: str, wanted: Sequence[str], column: str, first: float, last: float
    ) -> Stored | None:
        """Return the rows whose column lies between two numbers; None as `of` returns it."""
        found = await self.database.find_table(table)
        if found is None or not found.has(column):
            return None
        return await self._read(table, wanted, f"{column} BETWEEN ? AND ?", [first, last])

    async def paths(self, table: str, column: str, named: Iterable[str]) -> dict[str, str | bytes]:
        """Return what is really stored for names that were shown, by name.

        A name with U+FFFD in it may stand for bytes that are no text.
        """
        told: dict[str, str | bytes] = {name: name for name in named}
        odd = {name for name in told if "\ufffd" in name}
        if odd:
            sql = f"SELECT DISTINCT {column} FROM {table}"
            for (value,) in await self.database.fetch(table, sql, exact=True):
                is_text = isinstance(value, (str, bytes))
                name = _replaced(_bytes(value)) if is_text else str(value)
                if name in odd and is_text:
                    told[name] = value
        return told

    async def _read(
        self, table: str, wanted: Sequence[str], where: str, values: Sequence[object]
    ) -> Stored:
        held = await self.database.table(table)
        columns = tuple(name for name in wanted if held.has(name))
        sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {where}"
        rows = await self.database.fetch(table, sql, values, exact=True)
        return Stored(table, columns, held.absent(wanted), rows)


def shown(value: Any) -> Any:
    """Text that can be shown, of text as stored; another value stays as it is."""
    if type(value) is not str or value.isascii():
        return value
    return _replaced(_bytes(value))


def _is_plain(key: str) -> bool:
    if key.isascii():
        return "\0" not in key  # SQLite's JSON ends there
    return "\0" not in key and not any("\ud800" <= letter <= "\udfff" for letter in key)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def _replaced(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
