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
from contimg_lab.repositories._base import Repository, json_list, page

__all__ = ["FLUXES", "MeasurementsRepository", "Photometry", "SourcesRepository"]

FLUXES = ("flux_jy", "flux_err_jy", "peak_jyb", "peak_err_jyb")
"""Columns that a flux is chosen from."""

_NUMBERS = ("ra_deg", "dec_deg", "nvss_flux_mjy", "mjd", "measured_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Photometry:
    """Photometry rows in no order, one array of length n a column.

    ``source`` and ``image`` are positions in ``source_ids`` and ``images``; -1 for no image.
    ``kind`` holds for each flux and error column what is stored: 0 nothing (NULL or no such
    column), 1 a number, 2 something else. Where it is no number the value is NaN.
    """

    source_ids: Sequence[str]
    images: Sequence[str]
    row_id: NDArray[np.int64]
    source: NDArray[np.int32]
    image: NDArray[np.int32]
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
        select = ["id", "source_id", "image_path"]
        select += [name if table.has(name) else "NULL" for name in (*_NUMBERS, *FLUXES)]
        where, values = "source_id IS NOT NULL", []
        if source_ids is not None:
            where = "source_id IN (SELECT value FROM json_each(?))"
            values = [json_list(source_ids)]
        # the values are looked at here: SQL is slower at telling what kind each one is
        rows = await self.database.fetch(
            self.table, f"SELECT {', '.join(select)} FROM photometry WHERE {where}", values
        )
        return await asyncio.to_thread(_photometry, rows)


def _photometry(rows: Sequence[tuple[Any, ...]]) -> Photometry:
    width = 3 + len(_NUMBERS) + len(FLUXES)
    parts: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * width
    found = [_numbers(part) for part in parts[3:]]
    numbers = dict(zip((*_NUMBERS, *FLUXES), found, strict=True))
    source, source_ids = _codes(parts[1])
    image, images = _codes(parts[2])
    return Photometry(
        source_ids=source_ids,
        images=images,
        # a damaged id counts as the oldest
        row_id=np.array([v if isinstance(v, int) else -1 for v in parts[0]], np.int64),
        source=source,
        image=image,
        **{name: numbers[name][0] for name in _NUMBERS},
        value={name: numbers[name][0] for name in FLUXES},
        kind={name: numbers[name][1] for name in FLUXES},
    )


def _numbers(values: Sequence[object]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    kinds = set(map(type, values))
    if kinds <= {float}:
        return np.array(values, float), np.ones(len(values), np.uint8)
    number = np.array([isinstance(v, (int, float)) for v in values], bool)
    kind = np.where(number, 1, [0 if v is None else 2 for v in values]).astype(np.uint8)
    if kinds <= {float, int, type(None)}:
        return np.array(values, float), kind
    return np.array([v if n else np.nan for v, n in zip(values, number, strict=True)], float), kind


def _codes(values: Sequence[object]) -> tuple[NDArray[np.int32], list[str]]:
    """Positions in the texts that occur, in order of appearance; -1 for none."""
    place: dict[object, int] = {}
    code = np.fromiter((place.setdefault(v, len(place)) for v in values), np.int32, len(values))
    texts = [cast(value, str) for value in place]
    if None not in texts and len(set(texts)) == len(texts):
        return code, texts
    final: dict[str, int] = {}
    at = [-1 if text is None else final.setdefault(text, len(final)) for text in texts]
    return np.array(at, np.int32)[code], list(final)


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
