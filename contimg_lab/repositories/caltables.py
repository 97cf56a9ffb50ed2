"""Calibration tables: the registry's ``caltables``, and what was really applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.records._fields import cast, kinds, reader
from contimg_lab.records.caltables import AppliedCalTable, Calibrator, CalTable
from contimg_lab.repositories._base import Repository, aside, json_list, number
from contimg_lab.times import mjd_from_values

__all__ = ["AppliedRepository", "CalTablesRepository"]

_CALIBRATORS = (("bandpass_calibrators", "calibrator_name"), ("calibrator_catalog", "name"))
"""Tables that name calibrators, the first that has any is believed; column of the name."""


class CalTablesRepository(Repository[CalTable]):
    """``caltables`` as records, in order of id; the key is the path."""

    table = "caltables"
    noun = "cal table"
    record = CalTable
    key = "path"
    order = "id"

    async def solved_on(self) -> list[str]:
        """Return the MS paths on which tables were solved; none where that is not recorded."""
        table = await self.database.find_table(self.table)
        if table is None or not table.has("source_ms_path"):
            return []
        rows = await self.database.fetch(
            self.table,
            f"SELECT DISTINCT source_ms_path FROM {self.table} WHERE source_ms_path IS NOT NULL",
        )
        return [cast(row[0], str) for row in rows]

    async def calibrators(self) -> tuple[Calibrator, ...]:
        """Return the calibrators that have a place, by name; none where no table names any."""
        for name, called in _CALIBRATORS:
            table = await self.database.find_table(name)
            if table is None or table.absent([called, "ra_deg", "dec_deg"]):
                continue
            flux = number("flux_jy") if table.has("flux_jy") else "NULL"
            rows = await self.database.fetch(
                name,
                f"SELECT DISTINCT {called}, {number('ra_deg')}, {number('dec_deg')}, {flux} "
                f"FROM {name} WHERE {called} IS NOT NULL ORDER BY {called}",
            )
            found = tuple(
                Calibrator(name=str(row[0]), ra_deg=row[1], dec_deg=row[2], flux_jy=row[3])
                for row in rows
                if row[1] is not None and row[2] is not None and abs(row[2]) <= 90.0
            )
            if found:
                return found
        return ()

    async def windows(self) -> dict[str, NDArray[Any]]:
        """Return the validity windows as columns, each of shape (n,).

        ``id`` (-1 where damaged), ``path``, ``table_type``, ``status``, and
        ``valid_start_mjd`` and ``valid_end_mjd`` in MJD: an end of infinity is open. A window
        that cannot be placed (no start, a damaged end, no path) has a start of NaN.
        """
        names = ("id", "path", "table_type", "status", "valid_start_mjd", "valid_end_mjd")
        found = await self.columns(*names)
        table = await self.database.table(self.table)
        open_end = await self.database.fetch(
            self.table,
            f"SELECT {'valid_end_mjd IS NULL' if table.has('valid_end_mjd') else '1'} "
            f"FROM {self.table} ORDER BY {self.order}",
        )
        stored_end = found["valid_end_mjd"]
        is_open = np.array([row[0] for row in open_end], bool) | (stored_end == np.inf)
        end = np.where(is_open, np.inf, mjd_from_values(stored_end))
        start = mjd_from_values(found["valid_start_mjd"])
        named = np.array([path is not None for path in found["path"]], bool)
        found["valid_start_mjd"] = np.where(np.isnan(end) | ~named, np.nan, start)
        found["valid_end_mjd"] = end
        found["id"] = np.nan_to_num(found["id"], nan=-1.0).astype(np.int64)
        return found


class AppliedRepository(Repository[AppliedCalTable]):
    """``calibration_applied`` as records, in order of id."""

    table = "calibration_applied"
    noun = "applied cal table"
    record = AppliedCalTable
    key = "id"
    order = "id"

    async def of(self, ms_paths: Sequence[str]) -> dict[str, tuple[AppliedCalTable, ...]]:
        """Return what was applied to each MS; empty where this site does not record it."""
        if await self.database.find_table(self.table) is None:
            return {}
        table = await self.database.table(self.table)
        if table.absent(["ms_path", "caltable_path"]):
            return {}
        names = [name for name in kinds(self.record) if table.has(name)]
        order = next(name for name in ("id", "applied_at", "caltable_path") if table.has(name))
        rows = await self.database.fetch(
            self.table,
            f"SELECT {', '.join(names)} FROM {self.table} "
            f"WHERE ms_path IN (SELECT value FROM json_each(?)) ORDER BY {order}",
            [json_list(ms_paths)],
        )
        return await aside(len(rows), _by_ms, names, rows)


def _by_ms(
    names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> dict[str, tuple[AppliedCalTable, ...]]:
    found: dict[str, list[AppliedCalTable]] = {}
    for row in map(reader(AppliedCalTable, names), rows):
        found.setdefault(str(row.ms_path), []).append(row)
    return {path: tuple(rows) for path, rows in found.items()}
