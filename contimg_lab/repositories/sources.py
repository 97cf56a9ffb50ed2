"""Sources: ``photometry`` as sorted columns, and grouped by source."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.database import Database
from contimg_lab.errors import NotFound
from contimg_lab.records._fields import cast, read
from contimg_lab.records.sources import Measurement, Source
from contimg_lab.repositories._base import Repository, json_list, number, page

__all__ = ["MeasurementsRepository", "Photometry", "SourcesRepository"]

_FLUXES = ("flux_jy", "flux_err_jy", "peak_jyb", "peak_err_jyb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Photometry:
    """Photometry rows in order of (source_id, id), one array of length n a column.

    ``kind`` holds for each flux and error column what is stored: 0 nothing (NULL or no such
    column), 1 a number, 2 something else. Where it is no number the value is NaN.
    """

    row_id: NDArray[np.int64]
    source_id: NDArray[np.object_]
    image_path: NDArray[np.object_]
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    nvss_flux_mjy: NDArray[np.float64]
    mjd: NDArray[np.float64]
    measured_at: NDArray[np.float64]
    value: dict[str, NDArray[np.float64]]
    kind: dict[str, NDArray[np.uint8]]

    def __len__(self) -> int:
        return len(self.row_id)


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
        numbers = ("ra_deg", "dec_deg", "nvss_flux_mjy", "mjd", "measured_at", *_FLUXES)
        # a damaged id counts as the oldest
        select = ["CASE typeof(id) WHEN 'integer' THEN id ELSE -1 END", "source_id", "image_path"]
        select += [number(name) if table.has(name) else "NULL" for name in numbers]
        select += [_kind(name) if table.has(name) else "0" for name in _FLUXES]
        where, values = "source_id IS NOT NULL", []
        if source_ids is not None:
            where = "source_id IN (SELECT value FROM json_each(?))"
            values = [json_list(source_ids)]
        rows = await self.database.fetch(
            self.table,
            f"SELECT {', '.join(select)} FROM photometry WHERE {where} ORDER BY source_id, id",
            values,
        )
        return await asyncio.to_thread(_photometry, rows, numbers)


def _photometry(rows: Sequence[tuple[Any, ...]], numbers: Sequence[str]) -> Photometry:
    parts: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 99
    arrays = {name: np.array(parts[3 + i], float) for i, name in enumerate(numbers)}
    kinds = {
        name: np.array(parts[3 + len(numbers) + i], np.uint8) for i, name in enumerate(_FLUXES)
    }
    return Photometry(
        row_id=np.array(parts[0], np.int64),
        source_id=_objects(parts[1]),
        image_path=_objects(parts[2]),
        ra_deg=arrays["ra_deg"],
        dec_deg=arrays["dec_deg"],
        nvss_flux_mjy=arrays["nvss_flux_mjy"],
        mjd=arrays["mjd"],
        measured_at=arrays["measured_at"],
        value={name: arrays[name] for name in _FLUXES},
        kind=kinds,
    )


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
    ) -> tuple[Source, ...]:
        """Return sources in order of name."""
        where, values = "source_id IS NOT NULL", list[object]()
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


def _kind(column: str) -> str:
    number_or_not = "WHEN 'null' THEN 0 WHEN 'real' THEN 1 WHEN 'integer' THEN 1 ELSE 2"
    return f"CASE typeof({column}) {number_or_not} END"


def _objects(values: Sequence[object]) -> NDArray[np.object_]:
    column = np.empty(len(values), object)
    column[:] = [cast(value, str) for value in values]
    return column
