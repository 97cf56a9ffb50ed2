"""Health: row counts that stay cheap, however large a table is."""

from __future__ import annotations

from contimg_lab.database import Database
from contimg_lab.errors import DatabaseError

__all__ = ["COUNT_LIMIT", "HealthRepository"]

COUNT_LIMIT = 100_000
"""Most rows that are counted one by one."""


class HealthRepository:
    """Counts of any table, whether contimg_lab reads it or not."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def count(self, table: str) -> tuple[int | None, bool]:
        """Rows of a table, and whether that is an estimate.

        Exact up to `COUNT_LIMIT`; beyond that the highest row number, which is read from the
        end of the table and is too high where rows were deleted; None where there is none.
        """
        name = '"' + table.replace('"', '""') + '"'
        try:
            rows = await self.database.fetch(
                table, f"SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT ?)", (COUNT_LIMIT + 1,)
            )
        except DatabaseError:  # a view or virtual table that this SQLite cannot run
            return None, False
        if rows[0][0] <= COUNT_LIMIT:
            return int(rows[0][0]), False
        try:
            highest = (await self.database.fetch(table, f"SELECT max(rowid) FROM {name}"))[0][0]
        except DatabaseError:  # a table WITHOUT ROWID
            return None, False
        return (highest, True) if isinstance(highest, int) else (None, False)
