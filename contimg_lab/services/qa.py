"""Quality of nights: the report of one or many, its hours, and the quick summary."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.analysis.gaps import GAP_MINUTES
from contimg_lab.errors import NotFound
from contimg_lab.records.jobs import Run
from contimg_lab.services._coverage import cover_entries
from contimg_lab.services._directory import Entry
from contimg_lab.services._origin import with_origin
from contimg_lab.services.images import tile_images
from contimg_lab.services.jobs import JobsService
from contimg_lab.services.night_summary import NightSummary, summarise
from contimg_lab.services.sign_off import SignOffs
from contimg_lab.times import parse_night

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.services.night_report import HourReport, NightReport

__all__ = ["GAP_MINUTES", "NightSummary", "QaService"]


class QaService(SignOffs):
    """Quality of nights."""

    async def night(
        self,
        night: str | date,
        *,
        thresholds: str | None = None,
        as_of: datetime | None = None,
    ) -> NightReport:
        """Judge one night: every check, what follows by rule, and the rows that it stands on.

        All rows are read in one state of the database, each once; they are the report's
        evidence. Nothing that is later than the night is looked at.

        Parameters
        ----------
        night
            UTC date, ``YYYY-MM-DD``.
        thresholds
            Name of the set to judge by; None: the site's own.
        as_of
            When it counts as read, aware: what the age of a running step is counted to. None:
            now.

        Raises
        ------
        InvalidInput
            The text is no date.
        NotFound
            No MS started on that date.
        ConfigError
            There is no such set, or the site's file of thresholds cannot be read.
        DatabaseBusy
            The night's rows change faster than they can be read.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     report = lab.qa.night(lab.last_night())
        >>> sum(report.status_counts.values()) == report.n_ms
        True
        >>> {one.word for one in report.outcomes} <= {"pass", "warn", "fail", "not applicable"}
        True
        """
        from contimg_lab.services.night_columns import read_night
        from contimg_lab.services.night_report import make_report
        from contimg_lab.thresholds import read_thresholds

        day = parse_night(night).isoformat()
        context = self.context
        limits = await asyncio.to_thread(read_thresholds, context.config, thresholds)

        async def runs() -> tuple[Run, ...]:
            return await JobsService(context, self.lab).list_jobs(night=day, limit=None)

        moment = None if as_of is None else as_of.timestamp()
        read = await read_night(context, day, moment, runs)
        identity = await context.identity()
        layout = context.database.layout.name
        return await asyncio.to_thread(make_report, read, limits, identity, layout)

    async def hour(
        self, night: str | date, hour: int, *, thresholds: str | None = None
    ) -> HourReport:
        """Judge one UTC hour of a night: the unit that is accepted or rejected.

        Parameters
        ----------
        night, hour
            UTC date and hour.
        thresholds
            Name of the set to judge by; None: the site's own.

        Raises
        ------
        InvalidInput, ConfigError, DatabaseBusy
            As for `night`.
        NotFound
            No MS started on that date, or no tile in that hour.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     night = lab.last_night()
        ...     hour = lab.qa.hour(night, lab.qa.summary(night).hours[0].hour)
        >>> hour.recommendation.decision in ("accept", "accept with exceptions", "hold", "reject")
        True
        """
        return (await self.night(night, thresholds=thresholds)).hour(hour)

    async def nights(
        self,
        first: str | date | None = None,
        last: str | date | None = None,
        *,
        thresholds: str | None = None,
    ) -> AsyncIterator[NightReport]:
        """Judge nights one after the other: ``async for report in lab.qa.nights(first, last)``.

        One report is held at a time, if you keep none. Nights without an MS are left out.

        Parameters
        ----------
        first, last
            UTC dates, both among them; None: from the first night, or to the last.
        thresholds
            Name of the set to judge by; None: the site's own.

        Raises
        ------
        InvalidInput, ConfigError, DatabaseBusy
            As for `night`.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     [report.night for report in lab.qa.nights("2025-11-05")]
        ['2025-11-05', '2025-11-06']
        """
        low = "" if first is None else parse_night(first).isoformat()
        high = "9" if last is None else parse_night(last).isoformat()
        for day in (await self.context.directory()).nights():
            if low <= day <= high:
                yield await self.night(day, thresholds=thresholds)

    async def summary(self, night: str | date) -> NightSummary:
        """Summarise one night and its UTC hours, quickly: no check is made.

        Parameters
        ----------
        night
            UTC date, ``YYYY-MM-DD``.

        Raises
        ------
        InvalidInput
            The text is no date.
        NotFound
            No MS started on that date.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     night = lab.qa.summary(lab.last_night())
        >>> sum(night.status_counts.values()) == night.n_ms
        True
        """
        directory = await self.context.directory()
        day = parse_night(night).isoformat()
        entries = directory.select(day)
        if not entries:
            nights = directory.nights()
            span = f"nights run from {nights[0]} to {nights[-1]}" if nights else "it has no MS"
            raise NotFound("night", day, span)
        runs = await JobsService(self.context, self.lab).list_jobs(night=day, limit=None)
        covers = await cover_entries(self.context, entries)
        noise = await self._noise(entries)
        return await asyncio.to_thread(summarise, day, entries, runs, covers, noise)

    async def hours(self, night: str | date, *, max_age_s: float = 0.0) -> pd.DataFrame:
        """Judge the UTC hours of a night that have tiles: one row an hour, two columns a check.

        The checks are tiles, failed, calibration, noise, beam, flux_ratio, gaps and declination.
        Each has a value and a word, ``<check>_word``: pass, warn, fail or not applicable.
        Noise is compared with earlier nights' tiles at the same sidereal time, and where they are
        too few with the night's other hours (``noise_reference`` says which).

        Parameters
        ----------
        night
            UTC date.
        max_age_s
            For the flux ratio: as for `SourcesService.variability`.

        Returns
        -------
        pandas.DataFrame
            ``attrs["checks"]`` names the column of each check's value, ``attrs["limits"]`` its
            limits and whose they are, ``attrs["reasons"]`` why, by check and hour, and
            ``attrs["not_applicable"]`` the checks that no hour of the night could have.

        Raises
        ------
        InvalidInput
            The text is no date.
        NotFound
            No MS started on that date.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     hours = lab.qa.hours(lab.last_night())
        >>> hours.attrs["limits"]["flux_ratio"]["fail"]
        'outside 0.8 to 1.2, or fewer than 3 sources found'
        """
        from contimg_lab.services.hours import read_hours

        summary = await self.summary(night)
        judged = await read_hours(self.context, summary.night, summary.hours, max_age_s)
        made = await asyncio.to_thread(judged.to_pandas)
        return await with_origin(self.context, made, "qa.hours", night=summary.night)

    def panel(self, **options: Any) -> Any:
        """Show a night at a glance: what broke, and its hours by checks."""
        return _faces.panel("night", self.lab, **options)

    def calendar_panel(self, **options: Any) -> Any:
        """Show in a calendar how each night stands: unsigned, accepted ..., or stale since when."""
        return _faces.panel("calendar", self.lab, **options)

    async def _noise(self, entries: Sequence[Entry]) -> dict[str, float]:
        if await self.context.database.find_table("images") is None:
            return {}
        paths = [entry.ms.path for entry in entries]
        rows = await self.context.images.list(limit=None, ms_path=paths)
        return {
            path: image.noise_jy
            for path, image in tile_images(rows).items()
            if image.noise_jy is not None and 0.0 < image.noise_jy < float("inf")
        }
