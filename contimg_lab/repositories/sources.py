"""Sources: ``photometry`` as sorted columns, and grouped by source."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.database import Database
from contimg_lab.database.scan import Handed
from contimg_lab.errors import InvalidInput, NotFound
from contimg_lab.records._fields import cast, kinds, read
from contimg_lab.records.sources import Measurement, Source
from contimg_lab.repositories._base import Repository, json_list, number, page
from contimg_lab.times import mjd_from_values

__all__ = ["FLUXES", "MeasurementsRepository", "Photometry", "SourcesRepository"]

_SCAN = "contimg_lab.database._table_child:read"

FLUXES = ("flux_jy", "flux_err_jy", "peak_jyb", "peak_err_jyb")
"""Columns that a flux is chosen from."""

_USUAL = ("mjd", "flux_jy", "flux_err_jy")
_STAND_INS = ("measured_at", "peak_jyb", "peak_err_jyb")
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

    def needs_no_other(self) -> bool:
        """Whether each row has its own time and a valid ``flux_jy``: nothing stands in."""
        error = self.value["flux_err_jy"]
        with np.errstate(invalid="ignore"):
            valid = np.isfinite(self.value["flux_jy"]) & np.isfinite(error) & (error > 0.0)
        return bool(valid.all() and np.isfinite(mjd_from_values(self.mjd)).all())


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
        names = [name for name in (*_NUMBERS, *FLUXES) if table.has(name)]
        if source_ids is None or not table.indexed("source_id"):
            where, values = "source_id IS NOT NULL", list[object]()
            if source_ids is not None:
                where = "source_id IN (SELECT value FROM json_each(?))"
                values = [json_list(source_ids)]
            sql = f"SELECT p.source_id, {{}} FROM photometry AS p WHERE {where}"
            return await self._photometry(sql, values, names, None)
        # a source's number is read sooner than its name, and CROSS JOIN keeps SQLite from
        # beginning at the other end
        wanted = [name for name in dict.fromkeys(source_ids) if "\0" not in name]
        values = [json_list(wanted)]
        sql = (
            "SELECT j.key, {} FROM json_each(?) AS j CROSS JOIN photometry AS p "
            "ON p.source_id = j.value"
        )
        if all(table.has(name) for name in _USUAL):
            usual = [name for name in names if name not in _STAND_INS]
            found = await self._photometry(sql, values, usual, wanted)
            if found.needs_no_other():
                return found
        return await self._photometry(sql, values, names, wanted)

    async def _photometry(
        self, sql: str, values: list[object], names: list[str], wanted: list[str] | None
    ) -> Photometry:
        # the values are looked at here: SQL is slower at telling what kind each one is
        select = ", ".join(f"p.{name}" for name in ("id", "image_path", *names))
        rows = await self.database.fetch(self.table, sql.format(select), values)
        return await asyncio.to_thread(_photometry, rows, names, wanted)

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
        kind = kinds(Measurement)
        wanted = tuple(dict.fromkeys(names)) or tuple(kind)
        for name in wanted:
            if name not in kind:
                raise InvalidInput(f"a measurement has no field {name!r}; it has {', '.join(kind)}")
        table = await self.database.table(self.table)
        absent = list(table.absent(wanted))
        request: dict[str, object] = {"table": self.table, "told": {"absent": absent}}

        def columns(*, careful: bool) -> list[tuple[str, str, str]]:
            return [
                (name, "NULL" if name in absent else _sql(name, letter, careful), letter)
                for name in wanted
                for letter in ("i" if name == self.key else "t" if kind[name] is str else "f",)
            ]

        request["columns"] = columns(careful=False)
        try:
            handed, _ = await self.database.scan(self.table, _SCAN, request)
        except TypeError:  # a value of another kind among them
            request["columns"] = columns(careful=True)
            handed, _ = await self.database.scan(self.table, _SCAN, request)
        return wanted, handed

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


def _photometry(
    rows: Sequence[tuple[Any, ...]], names: Sequence[str], wanted: Sequence[str] | None
) -> Photometry:
    parts: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * (3 + len(names))
    found = {name: _numbers(part) for name, part in zip(names, parts[3:], strict=True)}
    none = np.full(len(rows), np.nan), np.zeros(len(rows), np.uint8)
    if wanted is None:
        source, source_ids = _codes(parts[0])
    else:
        source, source_ids = _present(np.array(parts[0], np.int32), wanted)
    image, images = _codes(parts[2])
    return Photometry(
        source_ids=source_ids,
        images=images,
        row_id=_whole(parts[1]),
        source=source,
        image=image,
        **{name: found.get(name, none)[0] for name in _NUMBERS},
        value={name: found.get(name, none)[0] for name in FLUXES},
        kind={name: found.get(name, none)[1] for name in FLUXES},
    )


def _present(code: NDArray[np.int32], wanted: Sequence[str]) -> tuple[NDArray[np.int32], list[str]]:
    """Codes and names of those that occur."""
    occurs = np.bincount(code, minlength=len(wanted)) > 0
    number = (np.cumsum(occurs) - 1).astype(np.int32)
    return number[code], [wanted[i] for i in np.flatnonzero(occurs).tolist()]


def _whole(values: Sequence[object]) -> NDArray[np.int64]:
    if set(map(type, values)) <= {int}:
        return np.array(values, np.int64)
    # a damaged id counts as the oldest
    return np.array([v if isinstance(v, int) else -1 for v in values], np.int64)


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
