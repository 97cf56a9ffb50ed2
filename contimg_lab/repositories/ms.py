"""Measurement Sets: ``ms_index``, and the pointing history beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.layouts import ALIASES
from contimg_lab.records._fields import kinds
from contimg_lab.records.ms import MeasurementSet, RawGroup
from contimg_lab.repositories._base import Repository, number
from contimg_lab.times import mjd_from_name, mjd_from_value, night_bounds_mjd, night_of_mjd

__all__ = ["MsRepository"]


class MsRepository(Repository[MeasurementSet]):
    """``ms_index`` as records, in order of path (an MS is named for its time)."""

    table = "ms_index"
    noun = "Measurement Set"
    record = MeasurementSet
    key = "path"
    order = "path"

    async def stored(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the columns of a record that this file has, and every row of them as stored."""
        table = await self.database.table(self.table)
        names = tuple(name for name in kinds(self.record) if table.has(name))
        rows = await self.database.fetch(
            self.table, f"SELECT {', '.join(names)} FROM {self.table} ORDER BY {self.order}"
        )
        return names, rows

    async def first_paths(self, n: int) -> list[str]:
        """Return the first paths in order of ``created_at`` (where there is none: of path)."""
        table = await self.database.table(self.table)
        order = "created_at, path" if table.has("created_at") else "path"
        rows = await self.database.fetch(
            self.table, f"SELECT path FROM {self.table} ORDER BY {order} LIMIT ?", (n,)
        )
        return [str(row[0]) for row in rows]

    async def pointing_history(
        self, first_mjd: float, last_mjd: float
    ) -> dict[str, NDArray[np.float64]]:
        """Return recorded pointings between two MJDs: arrays ``mjd``, ``ra_deg``, ``dec_deg``.

        In order of time, only those that lie on the sky. The table has two shapes; empty
        arrays where it is absent or empty.
        """
        table = await self.database.find_table("pointing_history")
        names = ALIASES["pointing_history"]["mjd"]
        held = [name for name in names if table is not None and table.has(name)]
        if table is not None and table.absent(["ra_deg", "dec_deg"]):
            held = []
        if not held:
            empty = np.empty(0)
            return {"mjd": empty, "ra_deg": empty, "dec_deg": empty}
        rows = await self.database.fetch(
            "pointing_history",
            f"SELECT {held[0]}, {number('ra_deg')}, {number('dec_deg')} FROM pointing_history "
            f"WHERE {held[0]} BETWEEN ? AND ? ORDER BY {held[0]}",
            (first_mjd, last_mjd),
        )
        numbers = [[v if isinstance(v, (int, float)) else np.nan for v in row] for row in rows]
        values = np.array(numbers, float).reshape(-1, 3)
        ra, dec = values[:, 1], values[:, 2]
        with np.errstate(invalid="ignore"):
            values = values[(ra >= 0.0) & (ra <= 360.0) & (abs(dec) <= 90.0)]
        return {"mjd": values[:, 0], "ra_deg": values[:, 1], "dec_deg": values[:, 2]}

    async def raw_groups(self, night: str | None) -> tuple[RawGroup, ...] | None:
        """Return the groups of raw files of a night, or all, by name; None: no such table.

        A group's time is the earliest that its rows hold, else the one in its name.
        """
        table = await self.database.find_table("hdf5_files")
        if table is None or not table.has("group_id"):
            return None
        time = f"min({number('timestamp_mjd')})" if table.has("timestamp_mjd") else "NULL"
        count = "count(DISTINCT subband_code)" if table.has("subband_code") else "count(*)"
        where, values = "group_id IS NOT NULL", list[object]()
        if night is not None:
            # a group of a night is named for it, or recorded in it
            where = "group_id GLOB ?"
            values = [f"{night}*"]
            if table.has("timestamp_mjd"):
                where = "(group_id GLOB ? OR timestamp_mjd >= ? AND timestamp_mjd < ?)"
                values += night_bounds_mjd(night)
        rows = await self.database.fetch(
            "hdf5_files",
            f"SELECT group_id, {count}, {time} FROM hdf5_files WHERE {where} "
            "GROUP BY group_id ORDER BY group_id",
            values,
        )
        return tuple(_raw_group(str(row[0]), int(row[1]), row[2]) for row in rows)


def _raw_group(group_id: str, n_subbands: int, stored: object) -> RawGroup:
    mjd = mjd_from_value(stored)
    mjd = mjd_from_name(group_id) if mjd is None else mjd
    return RawGroup(
        group_id=group_id,
        n_subbands=n_subbands,
        start_mjd=mjd,
        night=None if mjd is None else night_of_mjd(mjd).isoformat(),
    )
