"""Calibration tables: the registry, how good its tables are, and how they cover each MS."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.records.caltables import Calibrator, CalTable, Coverage, Tier
from contimg_lab.repositories._base import page
from contimg_lab.services._cal_quality import quality_frame, tiers
from contimg_lab.services._context import Service
from contimg_lab.services._coverage import cover_entries
from contimg_lab.services._directory import Entry
from contimg_lab.services._frames import add_datetimes, record_frame
from contimg_lab.services._origin import with_origin
from contimg_lab.times import night_bounds_mjd

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CalTablesService"]


class CalTablesService(Service):
    """Calibration tables."""

    async def get_caltable(self, path: str) -> CalTable:
        """Return one cal table by its path.

        Raises
        ------
        NotFound
            The registry has no such path.
        AbsentFeature
            This site has no registry.
        """
        return await self.context.caltables.get(path)

    async def list_caltables(
        self,
        *,
        status: str | None = None,
        table_type: str | None = None,
        night: str | date | None = None,
        limit: int | None = 100,
        offset: int = 0,
    ) -> tuple[CalTable, ...]:
        """Return cal tables in order of id.

        Parameters
        ----------
        status, table_type
            Only tables of this status (active, retired, failed) or type (BP, GA ...).
        night
            Only tables whose window meets this UTC date.
        limit, offset
            Most rows (None: all), and how many to leave out first.
        """
        filters: dict[str, Any] = {"status": status, "table_type": table_type}
        filters = {name: value for name, value in filters.items() if value is not None}
        if night is None:
            return await self.context.caltables.list(limit=limit, offset=offset, **filters)
        most, first = page(limit, offset)
        start, end = night_bounds_mjd(night)
        rows = [
            row
            for row in await self.context.caltables.list(limit=None, **filters)
            if row.valid_start_mjd is not None
            and row.valid_start_mjd < end
            and (row.valid_end_mjd is None or row.valid_end_mjd >= start)
        ]
        return tuple(rows[first:] if most < 0 else rows[first : first + most])

    async def table(
        self,
        *,
        status: str | None = None,
        table_type: str | None = None,
        night: str | date | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """Return `list_caltables` as a DataFrame, with UTC datetimes beside MJD and Unix."""
        rows = await self.list_caltables(
            status=status, table_type=table_type, night=night, limit=limit, offset=offset
        )
        absent = await self.context.caltables.absent()
        made = await asyncio.to_thread(record_frame, CalTable, rows, absent)
        made = add_datetimes(
            made,
            {
                "created_datetime": "created_at",
                "valid_start_at": "valid_start_mjd",
                "valid_end_at": "valid_end_mjd",
            },
        )
        given = {"status": status, "table_type": table_type, "night": night}
        return await with_origin(self.context, made, "caltables.table", **given)

    async def coverage(self, night: str | date | None = None) -> pd.DataFrame:
        """Return how each MS is covered by each table type: one row for each pair.

        By active tables: ``inside`` a window, ``nearest`` within 12 h (``distance_hours`` from
        the MS's mid time to the window's middle), ``none``, or ``unknown`` where the MS has no
        time at all. A retired table whose window holds the MS is named beside it.

        Parameters
        ----------
        night
            Only MS that started on this UTC date.
        """
        entries = await asyncio.to_thread((await self.context.directory()).select, night)
        covers = await cover_entries(self.context, entries)
        made = await asyncio.to_thread(_coverage_frame, entries, covers)
        return await with_origin(self.context, made, "caltables.coverage", night=night)

    async def quality(
        self, *, status: str | None = None, table_type: str | None = None
    ) -> pd.DataFrame:
        """Return the quality metrics of cal tables as columns: one row a table.

        Each metric that has a floor has a word beside it, ``<metric>_word``, and ``word`` is the
        worst of them: pass, warn, fail or not recorded. ``night`` is the UTC date that the
        table was solved on.

        Parameters
        ----------
        status, table_type
            Only tables of this status (active, retired, failed) or type (BP, GA ...).

        Returns
        -------
        pandas.DataFrame
            ``attrs["floors"]`` holds the limits by metric, in words too, and whose they are.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     quality = lab.caltables.quality(status="failed")
        >>> quality["word"].unique().tolist(), quality["flagged_fraction"].min()
        (['fail'], 1.0)
        """
        rows = await self.list_caltables(status=status, table_type=table_type, limit=None)
        made = await asyncio.to_thread(quality_frame, rows)
        return await with_origin(
            self.context, made, "caltables.quality", status=status, table_type=table_type
        )

    async def tiers(self, night: str | date | None = None) -> pd.DataFrame:
        """Return the provenance tier of each MS: one row an MS.

        A: bandpass and gains solved on the MS's own UTC date. B: bandpass of the same date,
        gains borrowed from another. C: the bandpass is borrowed. By what was really applied
        where that is recorded, else by the windows (``told_by`` says which).

        Parameters
        ----------
        night
            Only MS that started on this UTC date.
        """
        entries = await asyncio.to_thread((await self.context.directory()).select, night)
        covers = await cover_entries(self.context, entries)
        applied = await self.context.applied.of([entry.ms.path for entry in entries])
        tables = await self.context.caltables.list(limit=None)
        rows = await asyncio.to_thread(tiers, entries, covers, applied, tables)
        made = await asyncio.to_thread(record_frame, Tier, rows)
        return await with_origin(self.context, made, "caltables.tiers", night=night)

    async def calibrators(self) -> pd.DataFrame:
        """Return the calibrators that this site names, with their places: one row a source."""
        rows = await self.context.caltables.calibrators()
        made = record_frame(Calibrator, rows)
        return await with_origin(self.context, made, "caltables.calibrators")

    def panel(self, **options: Any) -> Any:
        """Show the validity of cal tables against the MS of a night."""
        return _faces.panel("caltables", self.lab, **options)


def _coverage_frame(entries: Sequence[Entry], covers: Sequence[Coverage]) -> pd.DataFrame:
    made = record_frame(Coverage, covers)
    by_path = {e.ms.path: e for e in entries}
    inside = [by_path[c.ms_path] for c in covers]
    made.insert(1, "night", [e.night for e in inside])
    made.insert(2, "mid_mjd", [e.times.mid_mjd for e in inside])
    made = made.astype({"night": "string", "mid_mjd": "Float64"})
    made.attrs["units"]["mid_mjd"] = "d (MJD, UTC)"
    return made
