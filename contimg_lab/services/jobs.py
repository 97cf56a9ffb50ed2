"""Jobs: the run of each Measurement Set, its status and cause, its log and what it links."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from contimg_lab import _faces
from contimg_lab.analysis.runs import decide, valid_run_id
from contimg_lab.errors import InvalidInput
from contimg_lab.records.jobs import JobStep, LogTail, Provenance, Run
from contimg_lab.repositories._base import page
from contimg_lab.services._causes import Cause, Decided, find_causes, own_logs, run_key
from contimg_lab.services._context import Service
from contimg_lab.services._directory import Directory, Entry
from contimg_lab.services._jobs_table import runs_table
from contimg_lab.services._logs import find_run_log, shared_lines, tail_lines
from contimg_lab.services._origin import origin_of
from contimg_lab.services._provenance import log_roots, provenances
from contimg_lab.services.jobs_summary import JobsSummary, summarise_runs
from contimg_lab.times import parse_night

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["JobsService"]

_Shown = Run | Decided

_STEP = 2000


class JobsService(Service):
    """Runs: what people call jobs, one for each Measurement Set."""

    async def get_job(self, run_id: str) -> Run:
        """Return one run.

        Raises
        ------
        InvalidInput
            The run id holds characters that none has.
        NotFound
            There is no such run.
        """
        entry = await self._entry(run_id)
        shown = _show(await self._decide([entry]), None)
        return (await self._runs(shown, await self.context.directory()))[0]

    async def get_job_status(self, run_id: str) -> str:
        """Return the status of one run; raises as `get_job` does."""
        return (await self._decide([await self._entry(run_id)]))[0].decision.status

    async def run_id_of(self, ms_path: str) -> str:
        """Return the run id of an MS; raises NotFound where there is no such MS."""
        return (await self.context.directory()).of_ms(ms_path).run_id

    async def list_jobs(
        self,
        *,
        status: str | None = None,
        cause: str | None = None,
        night: str | date | None = None,
        text: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
    ) -> tuple[Run, ...]:
        """Return runs in order of the MS's start time, then path.

        Parameters
        ----------
        status, cause
            Only runs of this status or cause of failure.
        night
            Only runs of MS that started on this UTC date.
        text
            Only runs whose run id, MS path, step, cause or message holds this, in any case.
        limit, offset
            Most runs (None: all), and how many to leave out first.
        """
        most, first = page(limit, offset)
        for name, value in (("status", status), ("cause", cause), ("text", text)):
            if value is not None and not isinstance(value, str):
                raise InvalidInput(f"{name} {value!r} is no text")
        directory = await self.context.directory()
        if status is None and cause is None and not text:  # what is not shown is not asked for
            shown = await self._walk(directory, night, None, first, most)
            return await self._runs(shown, directory)
        if cause is None and not text:  # nor needs it a look into the logs
            enough = -1 if most < 0 else first + most
            shown = (await self._walk(directory, night, status, 0, -1, enough))[first:]
            return await self._runs(shown if most < 0 else shown[:most], directory)
        shown = await self._walk(directory, night, status, 0, -1)
        runs: Sequence[Run] = await self._runs(shown, directory)
        if cause is not None:
            runs = [run for run in runs if run.cause == cause]
        if text:
            needle = text.casefold()
            runs = [run for run in runs if needle in _words(run)]
        return tuple(runs[first:] if most < 0 else runs[first : first + most])

    async def table(
        self,
        *,
        status: str | None = None,
        cause: str | None = None,
        night: str | date | None = None,
        text: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """Return `list_jobs` as a DataFrame, with UTC datetimes beside MJD.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     failed = lab.jobs.table(status="failed")
        >>> sorted(set(failed["status"]))
        ['failed']
        """
        runs = await self.list_jobs(
            status=status, cause=cause, night=night, text=text, limit=limit, offset=offset
        )
        given = {"status": status, "cause": cause, "night": night, "text": text}
        return await asyncio.to_thread((await self.frame_maker(**given)), runs)

    async def frame_maker(self, **given: object) -> Callable[[Sequence[Run]], pd.DataFrame]:
        """Return what makes of runs listed now the DataFrame that `table` returns.

        Parameters
        ----------
        **given
            Arguments with which the runs were listed, for the DataFrame's provenance.
        """
        lacking = await self.context.jobs.absent()
        absent = [name for name in ("started_at", "finished_at") if name in lacking]
        asked = {name: value for name, value in given.items() if value is not None}
        origin = await origin_of(self.context, "jobs.table", **asked)
        return functools.partial(runs_table, absent=absent, origin=origin)

    async def summary(self, night: str | date | None = None) -> JobsSummary:
        """Count the runs of one UTC date, or of all, by status and cause, with their durations.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     told = lab.jobs.summary()
        >>> sum(told.cause_counts.values()) == told.status_counts["failed"]
        True
        """
        day = None if night is None else parse_night(night).isoformat()
        origin = await origin_of(self.context, "jobs.summary", night=day)
        runs = await self.list_jobs(night=day, limit=None)
        return await asyncio.to_thread(summarise_runs, runs, day, origin)

    async def build_provenance_links(self, run_id: str) -> Provenance:
        """Return what one run links: MS, cal tables, pointing, images, log."""
        return (await self.build_provenance_many([run_id]))[run_id]

    async def build_provenance_many(self, run_ids: Iterable[str]) -> dict[str, Provenance]:
        """Return what each of many runs links, by run id in the order given.

        A query or two a table serve all of them; raises as `build_provenance_links` does of
        one.

        Raises
        ------
        InvalidInput
            A run id holds characters that none has.
        NotFound
            There is no such run.
        ForbiddenPath
            A log file is a link that leads out of the allowed folders.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     runs = lab.jobs.list_jobs(limit=2)
        ...     links = lab.jobs.build_provenance_many(run.run_id for run in runs)
        >>> list(links) == [run.run_id for run in runs]
        True
        """
        if isinstance(run_ids, str):
            raise InvalidInput(f"run ids {run_ids!r} are one text; give a list of run ids")
        given = list(run_ids)
        for run_id in given:
            _check(run_id)
        wanted = list(dict.fromkeys(given))
        directory = await self.context.directory()
        entries = [directory.of_run(run_id) for run_id in wanted]
        return dict(zip(wanted, await provenances(self.context, entries), strict=True))

    async def find_log_file(self, run_id: str) -> Path | None:
        """Return the run's own ``{run_id}.log`` in the allowed folders, or None.

        Raises
        ------
        InvalidInput
            The run id holds characters that none has (``../``, for one).
        ForbiddenPath
            The file is a link that leads out of the allowed folders.
        """
        _check(run_id)
        return await asyncio.to_thread(find_run_log, run_id, log_roots(self.context))

    async def read_log_tail(self, run_id: str, n: int = 100) -> LogTail:
        """Return the last lines of a run's log, and say which log that is.

        The jobs row's own text, else ``{run_id}.log``, else the run's lines in the shared
        rotating files. Read from the end, off the event loop.

        Parameters
        ----------
        run_id
            The run.
        n
            Most lines.
        """
        n, _ = page(n, 0)
        entry = await self._entry(run_id)
        run = (await self._decide([entry]))[0]
        own = own_logs(run)
        if own:
            lines = [line for step in own for line in (step.logs or "").splitlines()]
            kinds = ", ".join(str(step.type) for step in own)
            return LogTail(
                run_id=run_id,
                source="jobs.logs",
                lines=tuple(lines[-n:] if n else ()),
                truncated=len(lines) > n,
                why=f"the jobs table's own text ({kinds})",
            )
        roots = log_roots(self.context)
        path = await asyncio.to_thread(find_run_log, run_id, roots)
        if path is not None:
            lines, more = await asyncio.to_thread(tail_lines, path, n)
            return LogTail(
                run_id=run_id,
                source="file",
                files=(str(path),),
                lines=tuple(lines),
                truncated=more,
                why=f"the run's own file {path.name}",
            )
        key = run_key(run, await self.context.directory())
        found = await asyncio.to_thread(
            shared_lines,
            roots,
            needles=[key.ms_path, *([key.group_id] if key.group_id else [])],
            window=key.window,
            zone=ZoneInfo(self.context.config.log_zone),
            limit=n + 1,
            longer_paths=key.longer_paths,
        )
        if found:
            files = tuple(dict.fromkeys(line.file for line in found))
            names = ", ".join(Path(name).name for name in files)
            return LogTail(
                run_id=run_id,
                source="shared",
                files=files,
                lines=tuple(line.text for line in found[max(0, len(found) - n) :]),
                truncated=len(found) > n,
                why=f"no {run_id}.log; its lines in the shared files {names}",
            )
        looked = ", ".join(str(folder) for folder in roots.folders) or "no folder"
        return LogTail(
            run_id=run_id,
            source="none",
            why=f"no log of this run: looked in the jobs table and in {looked}; "
            "set DSA110_ALLOWED_LOG_ROOTS to name other folders",
        )

    def panel(self, **options: Any) -> Any:
        """Show the runs of a night: filter, sort, choose one to see its log and provenance."""
        return _faces.panel("jobs", self.lab, **options)

    async def _entry(self, run_id: str) -> Entry:
        _check(run_id)
        return (await self.context.directory()).of_run(run_id)

    async def _walk(
        self,
        directory: Directory,
        night: str | date | None,
        status: str | None,
        first: int,
        most: int,
        enough: int = -1,
    ) -> list[_Shown]:
        """Runs in order, at least ``enough`` of the wanted status (-1: all).

        In steps: of all runs only what is shown is ever held, so that neither memory nor the
        garbage collector's pauses grow with the season.
        """
        shown: list[_Shown] = []
        while most != 0 and (enough < 0 or len(shown) < enough):
            step = _STEP if most < 0 else min(_STEP, most)
            entries = await asyncio.to_thread(
                directory.select, night, orphans=True, first=first, most=step
            )
            decided = await self._decide(entries)
            shown += await asyncio.to_thread(_show, decided, status)
            if len(entries) < step:
                break
            first, most = first + step, most if most < 0 else most - step
        return shown

    async def _decide(self, entries: Sequence[Entry]) -> list[Decided]:
        rows: Sequence[JobStep] = ()
        if entries and await self.context.jobs.exists():
            paths = [entry.ms.path for entry in entries]
            rows = await self.context.jobs.list(limit=None, ms_path=paths)
        return await asyncio.to_thread(_decide, entries, rows)

    async def _runs(self, shown: Sequence[_Shown], directory: Directory) -> tuple[Run, ...]:
        failed = [run for run in shown if isinstance(run, Decided)]
        causes = await find_causes(self.context, failed, directory, log_roots(self.context))
        return await asyncio.to_thread(_caused, shown, causes)


def _by_path(rows: Sequence[JobStep]) -> dict[str, list[JobStep]]:
    found: dict[str, list[JobStep]] = {}
    for row in rows:
        if row.ms_path is not None and isinstance(row.id, int):  # a damaged id has no order
            found.setdefault(row.ms_path, []).append(row)
    return found


def _decide(entries: Sequence[Entry], rows: Sequence[JobStep]) -> list[Decided]:
    steps = _by_path(rows)
    return [
        Decided(entry, mine, decide(entry.ms if entry.indexed else None, mine))
        for entry in entries
        for mine in (tuple(steps.get(entry.ms.path, ())),)
    ]


def _show(decided: Iterable[Decided], status: str | None) -> list[_Shown]:
    """Runs of a status (None: any); a failed one stays as it was decided, for its cause."""
    return [
        run if run.decision.status == "failed" else _make_run(run, None)
        for run in decided
        if status is None or run.decision.status == status
    ]


def _caused(shown: Iterable[_Shown], causes: Mapping[str, Cause]) -> tuple[Run, ...]:
    return tuple(
        _make_run(run, causes.get(run.entry.ms.path)) if isinstance(run, Decided) else run
        for run in shown
    )


def _make_run(run: Decided, cause: Cause | None) -> Run:
    entry, decision = run.entry, run.decision
    return Run(
        run_id=entry.run_id,
        ms_path=entry.ms.path,
        night=entry.night,
        hour=entry.hour,
        status=decision.status,
        cause=cause.cause if cause else None,
        message=cause.message if cause else None,
        cause_line=cause.line if cause else None,
        cause_source=cause.source if cause else None,
        step=decision.step,
        started_at=decision.started_at,
        finished_at=decision.finished_at,
        duration_s=decision.duration_s,
        attempts=len(run.steps),
    )


def _check(run_id: object) -> None:
    if not isinstance(run_id, str) or not valid_run_id(run_id):
        raise InvalidInput(
            f"run id {run_id!r} is none: letters, digits, '.', '_' and '-' only, "
            "for example job-2025-10-09-063000"
        )


def _words(run: Run) -> str:
    parts = (run.run_id, run.ms_path, run.step, run.cause, run.message)
    return "\n".join(part for part in parts if part).casefold()
