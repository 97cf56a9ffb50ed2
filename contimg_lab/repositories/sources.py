"""Sources: ``photometry`` as sorted columns, and grouped by source."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from contimg_lab.database import Database
from contimg_lab.database.scan import Handed
from contimg_lab.errors import InvalidInput, NotFound
from contimg_lab.records._fields import kinds, read
from contimg_lab.records.sources import Measurement, Source
from contimg_lab.repositories._base import Repository, json_list, number, page
from contimg_lab.repositories._photometry import (
    FLUXES,
    NUMBERS,
    PLACES,
    USUAL,
    Photometry,
    photometry_of,
    usual_photometry,
)

__all__ = ["MeasurementsRepository", "SourcesRepository"]

# what a curve needs where nothing stands in for anything; then, as the last rows, each source's
# latest row (highest id) with its place, under a number below 0: one statement, one state
_USUAL_SQL = """
SELECT j.key, p.id, p.image_path, p.mjd, p.flux_jy, p.flux_err_jy
FROM json_each(?) AS j CROSS JOIN photometry AS p ON p.source_id = j.value
UNION ALL
SELECT -1 - j.key, p.id, NULL, p.ra_deg, p.dec_deg, p.nvss_flux_mjy
FROM json_each(?) AS j CROSS JOIN photometry AS p
ON p.id = (SELECT max(q.id) FROM photometry AS q WHERE q.source_id = j.value)
"""


class MeasurementsRepository(Repository[Measurement]):
    """``photometry`` as records, in order of id."""

    table = "photometry"
    noun = "measurement"
    record = Measurement
    key = "id"
    order = "id"

    async def photometry(self, source_ids: Sequence[str] | None) -> Photometry:
        """Return the rows of some sources, or of all that have a source (None), as columns."""
        table = await self.database.table(self.table)
        names = [name for name in (*NUMBERS, *FLUXES) if table.has(name)]
        if source_ids is None or not table.indexed("source_id"):
            where, values = "source_id IS NOT NULL", list[object]()
            if source_ids is not None:
                where = "source_id IN (SELECT value FROM json_each(?))"
                values = [json_list(source_ids)]
            sql = f"SELECT p.source_id, {{}} FROM photometry AS p WHERE {where}"
            return await self._photometry(sql, values, names, None)
        wanted = [name for name in dict.fromkeys(source_ids) if "\0" not in name]
        values = [json_list(wanted)]
        if all(table.has(name) for name in (*USUAL, *PLACES)):
            rows = await self.database.fetch(self.table, _USUAL_SQL, values * 2)
            found = await asyncio.to_thread(usual_photometry, rows, wanted)
            if found is not None:
                return found
        # CROSS JOIN keeps SQLite from beginning at the other end
        sql = (
            "SELECT j.key, {} FROM json_each(?) AS j CROSS JOIN photometry AS p "
            "ON p.source_id = j.value"
        )
        return await self._photometry(sql, values, names, wanted)

    async def _photometry(
        self, sql: str, values: list[object], names: list[str], wanted: list[str] | None
    ) -> Photometry:
        select = ", ".join(f"p.{name}" for name in ("id", "image_path", *names))
        rows = await self.database.fetch(self.table, sql.format(select), values)
        return await asyncio.to_thread(photometry_of, rows, names, wanted)

    async def scan(self, names: Sequence[str]) -> tuple[tuple[str, ...], Handed]:
        """Read fields of every row (none named: all), in order of row, in a child process.

        Returns
        -------
        names, handed
            The fields, and a column for each; ``told["texts"]`` and ``told["absent"]``.

        Raises
        ------
        InvalidInput
            A measurement has no such field.
        """
        from contimg_lab.database._table_child import WORK

        kind = kinds(Measurement)
        wanted = tuple(dict.fromkeys(names)) or tuple(kind)
        for name in wanted:
            if name not in kind:
                raise InvalidInput(f"a measurement has no field {name!r}; it has {', '.join(kind)}")
        table = await self.database.table(self.table)
        absent = list(table.absent(wanted))
        request: dict[str, object] = {"table": self.table, "told": {"absent": absent}}

        for careful in (False, True):
            request["columns"] = [
                (name, "NULL" if name in absent else _sql(name, letter, careful), letter)
                for name, letter in ((name, self._letter(name)) for name in wanted)
            ]
            try:
                handed, _ = await self.database.scan(self.table, WORK, request)
            except TypeError:  # a value of another kind among them: each kind must be asked for
                if careful:
                    raise
            else:
                break
        return wanted, handed

    def _letter(self, name: str) -> str:
        """Kind of a field, as the child process calls it."""
        return "i" if name == self.key else "t" if kinds(Measurement)[name] is str else "f"

    async def most_rows(self) -> int:
        """Return how many rows there can be at most: a look at the ends, no count."""
        await self.database.table(self.table)
        rows = await self.database.fetch(
            self.table, "SELECT max(rowid) - min(rowid) + 1 FROM photometry"
        )
        return int(rows[0][0] or 0)


def _sql(name: str, kind: str, careful: bool) -> str:
    if not careful:
        return name
    if kind == "t":
        return f"CAST({name} AS TEXT)"
    if kind == "i":
        return f"CASE typeof({name}) WHEN 'integer' THEN {name} ELSE -1 END"
    return f"CAST({number(name)} AS REAL)"


class SourcesRepository:
    """Sources that have photometry, in order of name."""

    noun = "source"

    def __init__(self, database: Database) -> None:
        self.database = database

    async def get(self, source_id: object) -> Source:
        """Return one source.

        Raises
        ------
        NotFound
            No photometry row names it.
        """
        found = await self.get_many([source_id]) if isinstance(source_id, str) else {}
        if not found:
            raise NotFound(self.noun, source_id, "see lab.sources.table() for those it has")
        return found[source_id]

    async def get_many(self, source_ids: Iterable[object]) -> dict[Any, Source]:
        """Return many sources in one query, by name, in the order given."""
        wanted = [key for key in dict.fromkeys(source_ids) if isinstance(key, str)]
        found = {s.source_id: s for s in await self.list(limit=None, source_ids=wanted)}
        return {key: found[key] for key in wanted if key in found}

    async def count(self) -> int:
        """Count the sources."""
        rows = await self.database.fetch(
            "photometry", "SELECT count(DISTINCT source_id) FROM photometry"
        )
        return int(rows[0][0])

    async def list(
        self,
        *,
        limit: int | None = 100,
        offset: int = 0,
        source_ids: Sequence[object] | None = None,
        prefix: str = "",
    ) -> tuple[Source, ...]:
        """Return sources in order of name: all, those named, or those that begin alike."""
        where, values = "source_id IS NOT NULL", list[object]()
        if prefix:
            # a range, which an index answers; no name that begins so comes after the last
            # character that there is
            where, values = "source_id BETWEEN ? AND ?", [prefix, prefix + chr(sys.maxunicode)]
        if source_ids is not None:
            where = "source_id IN (SELECT value FROM json_each(?))"
            values = [json_list([key for key in source_ids if isinstance(key, str)])]
        table = await self.database.table("photometry")
        nvss = "nvss_flux_mjy" if table.has("nvss_flux_mjy") else "NULL"
        # with one max() SQLite takes the bare columns from the row that holds it
        rows = await self.database.fetch(
            "photometry",
            f"SELECT source_id, ra_deg, dec_deg, {nvss}, count(*), max(id) FROM photometry "
            f"WHERE {where} GROUP BY source_id ORDER BY source_id LIMIT ? OFFSET ?",
            [*values, *page(limit, offset)],
        )
        names = ("source_id", "ra_deg", "dec_deg", "nvss_flux_mjy", "n_rows")
        return tuple(read(Source, dict(zip(names, row, strict=False))) for row in rows)
