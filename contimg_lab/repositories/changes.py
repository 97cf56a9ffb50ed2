"""What a table holds, packed so that two states of it are compared without making rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contimg_lab.database import Database
from contimg_lab.errors import DatabaseError
from contimg_lab.repositories._base import json_list
from contimg_lab.schema import Table

__all__ = ["BLOCK_ROWS", "FIELD", "ROW", "ChangesRepository", "Packed"]

Packed = tuple[tuple[str, ...], Mapping[int, str]]
"""Columns, and the packed text of each block by its first rowid."""

BLOCK_ROWS = 256
"""Rowids that one packed text covers."""
FIELD, ROW = "\x1f", "\x1e"
"""What stands between the values of a row, and between rows."""

# found by leaps along the rowids: nothing is sorted, and empty blocks cost nothing
_STARTS = """
WITH RECURSIVE block(start) AS (
    SELECT min(rowid) & ~{most} FROM {table}
    UNION ALL
    SELECT (SELECT min(rowid) & ~{most} FROM {table} WHERE rowid > start + {most})
    FROM block WHERE start IS NOT NULL
)
SELECT start FROM block WHERE start IS NOT NULL
"""
_BLOCKS = """
SELECT value, (
    SELECT group_concat(rowid || char(31) || {values}, char(30))
    FROM {table} WHERE rowid BETWEEN value AND value + {most}
) FROM json_each(?)
"""


class ChangesRepository:
    """The watched tables, whole; made inside SQLite, which needs no interpreter for it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def starts(self, name: str) -> list[int] | None:
        """Return the first rowid of each block of a table that has rows, ascending.

        None where this site has no such table, or its rows have no rowid.
        """
        table = await self.database.find_table(name)
        if table is None:
            return None
        try:
            rows = await self.database.fetch(name, _STARTS.format(table=name, most=BLOCK_ROWS - 1))
        except DatabaseError as error:
            if "rowid" in str(error):
                return None
            raise
        return [row[0] for row in rows]

    async def packed(
        self,
        name: str,
        starts: Sequence[int],
        columns: Sequence[str],
        lengths: Sequence[str] = (),
    ) -> Packed:
        """Return the columns held, and a text for each of some blocks.

        A row is its rowid and its values as SQL literals, in the order of the columns.

        Parameters
        ----------
        name, starts, columns
            The table, its blocks, and those of its columns that matter.
        lengths
            Columns of long texts, of which only the length is packed.
        """
        table = await self.database.table(name)
        held = [c for c in columns if table.has(c)]
        values = [f"quote({c})" for c in held]
        values += [f"ifnull(length({c}), 'NULL')" for c in lengths if table.has(c)]
        packed = " || char(31) || ".join(values)
        rows = await self.database.fetch(
            name,
            _BLOCKS.format(table=name, most=BLOCK_ROWS - 1, values=packed),
            (json_list(starts),),
        )
        return tuple(held), {start: text or "" for start, text in rows}

    async def blocks_of(self, name: str, column: str, values: Sequence[str]) -> set[int]:
        """Return the blocks in which rows with these values of a column lie."""
        rows = await self.database.fetch(
            name,
            f"SELECT DISTINCT rowid & ~{BLOCK_ROWS - 1} FROM {name} "
            f"WHERE {column} IN (SELECT value FROM json_each(?))",
            (json_list(values),),
        )
        return {row[0] for row in rows}

    async def last_measurement(self) -> int | None:
        """Return the highest rowid of ``photometry``; None where there is no such table."""
        if await self._photometry() is None:
            return None
        rows = await self.database.fetch("photometry", "SELECT max(rowid) FROM photometry")
        return int(rows[0][0] or 0)

    async def measurements_after(self, rowid: int) -> list[tuple[str, int, int, int]]:
        """Return image path, rows, sources and highest rowid of what came after a rowid."""
        table = await self._photometry()
        if table is None:
            return []
        rows = await self.database.fetch(
            "photometry",
            "SELECT image_path, count(*), count(DISTINCT source_id), max(rowid) FROM photometry "
            "WHERE rowid > ? GROUP BY image_path ORDER BY min(rowid)",
            (rowid,),
        )
        return [(str(path or ""), int(n), int(k), int(last)) for path, n, k, last in rows]

    async def _photometry(self) -> Table | None:
        table = await self.database.find_table("photometry")
        return None if table is None or table.absent(["image_path", "source_id"]) else table
