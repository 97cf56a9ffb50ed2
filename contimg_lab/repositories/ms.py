"""Measurement Sets: ``ms_index``, and the pointing history beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.layouts import ALIASES
from contimg_lab.records._fields import kinds
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.repositories._base import Repository, number

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
