"""Measurement Sets: where they pointed, when, and which cal table is theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.analysis.runs import stage_grade
from contimg_lab.errors import NotFound
from contimg_lab.records.jobs import Provenance
from contimg_lab.records.ms import MeasurementSet, MsMetadata, Pointing, PrimaryCal
from contimg_lab.repositories._base import page
from contimg_lab.services._context import Service
from contimg_lab.services._coverage import cover_entries, primary_cal
from contimg_lab.services._directory import Entry
from contimg_lab.services._frames import add_datetimes, frame
from contimg_lab.services._origin import origin_of, with_origin
from contimg_lab.services._pointings import read_pointings
from contimg_lab.services._provenance import provenance
from contimg_lab.services.drift import Drift, read_drift
from contimg_lab.times import parse_night

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MsService"]


class MsService(Service):
    """Measurement Sets."""

    async def get_ms(self, path: str) -> MeasurementSet:
        """Return the row of one MS.

        Raises
        ------
        NotFound
            ``ms_index`` has no such path.
        """
        entry = (await self.context.directory()).of_ms(path)
        if not entry.indexed:
            raise NotFound("Measurement Set", path, "the jobs table names it, ms_index does not")
        return entry.ms

    async def list_ms(
        self,
        *,
        status: str | None = None,
        night: str | date | None = None,
        limit: int | None = 100,
        offset: int = 0,
    ) -> tuple[MeasurementSet, ...]:
        """Return MS rows in order of start time (unknown last), then path.

        Parameters
        ----------
        status
            Only MS whose ``status`` is this word.
        night
            Only MS that started on this UTC date.
        limit, offset
            Most rows (None: all), and how many to leave out first.
        """
        return tuple(e.ms for e in await self._select(status, night, limit, offset))

    async def get_ms_metadata(self, path: str) -> MsMetadata:
        """Return what a detail page shows of one MS; raises NotFound."""
        entry = (await self.context.directory()).of_ms(path)
        covers = await cover_entries(self.context, [entry])
        return MsMetadata(
            ms=entry.ms,
            run_id=entry.run_id,
            night=entry.night,
            start_mjd=entry.times.start_mjd,
            mid_mjd=entry.times.mid_mjd,
            time_source=entry.times.mid_source,
            pointing=(await read_pointings(self.context, [entry]))[0],
            stage_grade=stage_grade(entry.ms.stage),
            cal_tables=tuple((c.table_type, c.caltable_path) for c in covers if c.caltable_path),
        )

    async def get_pointing(self, path: str) -> Pointing:
        """Return where an MS looked, and which columns say so; raises NotFound.

        ``pointing_ra_deg`` and ``pointing_dec_deg`` where both are there, else the field
        centre, else what ``pointing_history`` holds for its time. Never one column's right
        ascension with another's declination.
        """
        entry = (await self.context.directory()).of_ms(path)
        return (await read_pointings(self.context, [entry]))[0]

    async def get_primary_cal_table(self, path: str) -> PrimaryCal:
        """Return the bandpass table of an MS by validity, and what was really applied.

        The active table whose window holds the MS's mid time, else the nearest within 12 h
        with its distance, else none; raises NotFound for an unknown MS.
        """
        return await primary_cal(self.context, (await self.context.directory()).of_ms(path))

    async def build_provenance_links(self, path: str) -> Provenance:
        """Return what the run of this MS links; raises NotFound."""
        return await provenance(self.context, (await self.context.directory()).of_ms(path))

    async def table(
        self,
        *,
        status: str | None = None,
        night: str | date | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """Return `list_ms` as a DataFrame, with pointing, times and where they came from.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     ms = lab.ms.table(limit=5)
        >>> ms["mid_at"].dt.tz
        datetime.timezone.utc
        """
        entries = await self._select(status, night, limit, offset)
        pointings = await read_pointings(self.context, entries)
        made = await asyncio.to_thread(_table, entries, pointings)
        return await with_origin(self.context, made, "ms.table", status=status, night=night)

    async def drift(self, night: str | date | None = None) -> Drift:
        """Compare where the telescope looked with the meridian, night by night.

        A drift scan looks where the local sidereal time is the right ascension. Both are taken
        at the equinox of date: J2000 differs from it by 0.3 degrees. Jumps in declination,
        holes between tiles, and raw files that no MS was made from are found beside.

        Parameters
        ----------
        night
            UTC date; None: every night.

        Raises
        ------
        InvalidInput
            The text is no date.

        References
        ----------
        See `contimg_lab.analysis.drift`.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     drift = lab.ms.drift(lab.last_night())
        >>> bool(drift.off_meridian.any()), len(drift.raw_without_ms)
        (False, 2)
        """
        day = None if night is None else parse_night(night).isoformat()
        origin = await origin_of(self.context, "ms.drift", night=day)
        return await read_drift(self.context, await self._select(None, day, None, 0), day, origin)

    def panel(self, **options: Any) -> Any:
        """Show where the telescope pointed: a night's MS in a table and on the sky."""
        return _faces.panel("pointings", self.lab, **options)

    async def _select(
        self, status: str | None, night: str | date | None, limit: int | None, offset: int
    ) -> tuple[Entry, ...]:
        most, first = page(limit, offset)
        directory = await self.context.directory()
        if status is None:
            return await asyncio.to_thread(directory.select, night, first=first, most=most)
        every = await asyncio.to_thread(directory.select, night)
        entries = tuple(e for e in every if e.ms.status == status)
        return entries[first:] if most < 0 else entries[first : first + most]


def _table(entries: Sequence[Entry], pointings: Sequence[Pointing]) -> pd.DataFrame:
    data = {
        "path": [e.ms.path for e in entries],
        "run_id": [e.run_id for e in entries],
        "night": [e.night for e in entries],
        "hour": [e.hour for e in entries],
        "start_mjd": [e.times.start_mjd for e in entries],
        "mid_mjd": [e.times.mid_mjd for e in entries],
        "time_source": [e.times.mid_source for e in entries],
        "ra_deg": [p.ra_deg for p in pointings],
        "dec_deg": [p.dec_deg for p in pointings],
        "pointing_source": [p.source for p in pointings],
        "status": [e.ms.status for e in entries],
        "stage": [e.ms.stage for e in entries],
        "cal_applied": [e.ms.cal_applied for e in entries],
        "kind": [e.kind for e in entries],
        "group_id": [e.ms.group_id for e in entries],
        "field_name": [e.ms.field_name for e in entries],
        "imagename": [e.ms.imagename for e in entries],
    }
    numbers = ("start_mjd", "mid_mjd", "ra_deg", "dec_deg")
    kind: dict[str, type] = dict.fromkeys(data, str)
    kind |= dict.fromkeys(numbers, float) | dict.fromkeys(("hour", "cal_applied"), int)
    units = {
        "hour": "h (UTC)",
        "start_mjd": "d (MJD, UTC)",
        "mid_mjd": "d (MJD, UTC)",
        "ra_deg": "deg (ICRS)",
        "dec_deg": "deg (ICRS)",
    }
    made = frame(data, kind, units=units)
    return add_datetimes(made, {"start_at": "start_mjd", "mid_at": "mid_mjd"})
