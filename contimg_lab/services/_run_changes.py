"""What changed between two states of the watched tables, told as events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contimg_lab.analysis.runs import decide
from contimg_lab.errors import DatabaseError
from contimg_lab.records._fields import kinds, read
from contimg_lab.records.caltables import CalTable
from contimg_lab.records.events import Event
from contimg_lab.records.images import Image
from contimg_lab.records.jobs import JobStep
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.repositories.changes import ChangesRepository, Packed
from contimg_lab.services._context import Context
from contimg_lab.services._packed import Difference, PackedTable

__all__ = ["State"]

_LONG = ("params", "logs", "artifacts")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "ms_index": tuple(kinds(MeasurementSet)),
    "jobs": tuple(name for name in kinds(JobStep) if name not in _LONG),
    "caltables": tuple(kinds(CalTable)),
    "images": tuple(kinds(Image)),
}
_AT_ONCE = 32  # blocks read in one query: more would hold the interpreter for too long
_NOUNS = {"caltables": ("caltable", "cal table", "status"), "images": ("image", "image", "type")}


@dataclass(frozen=True, slots=True)
class _Was:
    """One MS and its jobs at one time."""

    ms: MeasurementSet | None
    steps: Sequence[JobStep]

    @property
    def status(self) -> str | None:
        return None if self.ms is None and not self.steps else decide(self.ms, self.steps).status


class State:
    """The watched tables as they were at the last look."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._changes = ChangesRepository(context.database)
        self._tables = {name: PackedTable() for name in _COLUMNS}
        self._measured: int | None = None
        self._told: dict[str, str | None] = {}
        self._files = context.database.files()

    @property
    def due(self) -> int:
        """Blocks that were not looked at since the last commit."""
        return sum(table.due for table in self._tables.values())

    async def begin(self) -> None:
        """Take the first state; nothing of it is an event."""
        self._measured = await self._changes.last_measurement()
        for name, table in self._tables.items():
            starts = await self._changes.starts(name) or []
            for first in range(0, len(starts), _AT_ONCE):
                packed = await self._packed(name, starts[first : first + _AT_ONCE])
                await asyncio.to_thread(table.update, packed, first=True)

    async def changes(self, *, committed: bool) -> list[Event]:
        """Look again, and return what differs from the last look, in order of making.

        Cal tables, then Measurement Sets and jobs in the order of their rows, images,
        measurements: what follows from something stands after it. Of long tables a part is
        looked at; ``committed`` is whether anything was committed since the last look.
        """
        files = self._context.database.files()
        replaced, self._files = files != self._files, files
        # everything is read before anything is taken as seen: a read that fails loses nothing
        measured = await self._new_measurements()
        # what is made last is read first, so that what it was made of is never missing
        read = {
            name: await self._read(name, committed=committed) for name in reversed(tuple(_COLUMNS))
        }
        found = {
            name: await asyncio.to_thread(self._tables[name].update, *read[name]) for name in read
        }
        at = datetime.now(UTC)
        events = _row_events("caltables", found["caltables"], at)
        try:
            events += await self._runs(found["ms_index"], found["jobs"], at)
        except DatabaseError as error:
            text = f"runs changed, and could not be read: {error}"
            events.append(_event("other", "", at, None, None, text))
        events += _row_events("images", found["images"], at)
        for image, n, n_sources, rowid in measured:
            self._measured = max(self._measured or 0, rowid)
            text = f"{n} new measurements of {n_sources} sources in {image}"
            events.append(_event("photometry", image, at, None, n, text))
        if replaced:
            text = "a database file was replaced: anything in it may differ"
            events.append(_event("other", "", at, None, None, text))
        return events

    async def _read(self, name: str, *, committed: bool) -> tuple[Packed, list[int]]:
        starts = await self._changes.starts(name) or []
        turn = self._tables[name].turn(starts, committed=committed)
        return await self._packed(name, turn), starts

    async def _packed(self, name: str, starts: Sequence[int]) -> Packed:
        if not starts:
            return (), {}
        lengths = _LONG if name == "jobs" else ()
        return await self._changes.packed(name, starts, _COLUMNS[name], lengths)

    async def _new_measurements(self) -> list[tuple[str, int, int, int]]:
        last = await self._changes.last_measurement()
        if last is None or self._measured is None or last <= self._measured:
            self._measured = last  # rows can be taken away, too
            return []
        return await self._changes.measurements_after(self._measured)

    async def _runs(self, ms: Difference, jobs: Difference, at: datetime) -> list[Event]:
        wanted: list[str] = []
        known: set[str] = set()
        # their other rows may have changed too, in blocks whose turn has not come; and there
        # may be changes of others beside them
        while more := [path for path in _paths(ms, jobs) if path not in known]:
            wanted += more
            known.update(more)
            ms = ms.then(await self._rest("ms_index", "path", more))
            jobs = jobs.then(await self._rest("jobs", "ms_path", more))
        if not wanted:
            return []
        ms_now = await self._context.ms.get_many(wanted)
        steps: Sequence[JobStep] = ()
        if await self._context.jobs.exists():
            steps = await self._context.jobs.list(limit=None, ms_path=wanted)
        last_id = self._tables["jobs"].last_rowid
        pairs = await asyncio.to_thread(_pairs, wanted, ms, jobs, ms_now, steps, last_id)
        events = []
        for path, old, new in pairs:
            # a job read ahead of its own look was told then: what was told goes on from there
            before = self._told.get(path, old)
            self._told[path] = new
            if before is not None or new is not None:
                events.append(_run_event(path, before, new, at))
        return events

    async def _rest(self, name: str, column: str, values: Sequence[str]) -> Difference:
        table = await self._context.database.find_table(name)
        if table is None or not table.has(column):
            return Difference()
        starts = await self._changes.blocks_of(name, column, values)
        packed = await self._packed(name, sorted(starts)[:_AT_ONCE])
        return await asyncio.to_thread(self._tables[name].update, packed)


def _paths(ms: Difference, jobs: Difference) -> list[str]:
    rows = [row.get("path") for part in (ms.old, ms.new) for row in part.values()]
    rows += [row.get("ms_path") for part in (jobs.old, jobs.new) for row in part.values()]
    return [path for path in dict.fromkeys(rows) if isinstance(path, str)]


def _pairs(
    paths: Sequence[str],
    ms: Difference,
    jobs: Difference,
    ms_now: Mapping[Any, MeasurementSet],
    steps: Iterable[JobStep],
    last_id: int,
) -> list[tuple[str, str | None, str | None]]:
    """Status of each run before and now; None where there was, or is, no run."""
    untouched: dict[str | None, list[JobStep]] = {}
    for step in steps:
        if step.id not in jobs.new and step.id not in jobs.old and step.id <= last_id:
            untouched.setdefault(step.ms_path, []).append(step)
    ms_old, ms_new = _by_path(ms.old.values()), _by_path(ms.new.values())
    jobs_old, jobs_new = _by_ms(jobs.old.values()), _by_ms(jobs.new.values())
    found = []
    for path in paths:
        same = untouched.get(path, [])
        touched = path in ms_old or path in ms_new
        now = ms_new.get(path) if touched else ms_now.get(path)
        was = ms_old.get(path) if touched else now
        old = _Was(was, [*same, *jobs_old.get(path, ())])
        new = _Was(now, [*same, *jobs_new.get(path, ())])
        found.append((path, old.status, new.status))
    return found


def _by_path(rows: Iterable[Mapping[str, Any]]) -> dict[str | None, MeasurementSet]:
    return {ms.path: ms for ms in (read(MeasurementSet, dict(row)) for row in rows)}


def _by_ms(rows: Iterable[Mapping[str, Any]]) -> dict[str | None, list[JobStep]]:
    found: dict[str | None, list[JobStep]] = {}
    for step in (read(JobStep, dict(row)) for row in rows):
        if isinstance(step.id, int):  # a damaged id has no order
            found.setdefault(step.ms_path, []).append(step)
    return found


def _run_event(path: str, old: str | None, new: str | None, at: datetime) -> Event:
    name = path.rstrip("/").rsplit("/", 1)[-1]
    if old is None:
        return _event("job", path, at, None, new, f"new run of {name}: {new}")
    if new is None:
        return _event("job", path, at, old, None, f"run of {name} is gone; it was {old}")
    if old == new:
        return _event("job", path, at, old, new, f"run of {name} changed, still {new}")
    return _event("status", path, at, old, new, f"run of {name}: {old}, now {new}")


def _row_events(table: str, found: Difference, at: datetime) -> list[Event]:
    kind, noun, label = _NOUNS[table]
    old = {_key(row): row for row in found.old.values()}
    new = {_key(row): row for row in found.new.values()}
    events = []
    for key in [*(key for key in old if key not in new), *new]:
        before, now = old.get(key), new.get(key)
        was = None if before is None else _text(before.get(label))
        is_now = None if now is None else _text(now.get(label))
        if before is None:
            text = f"new {noun} {key} ({is_now})"
        elif now is None:
            text = f"{noun} {key} is gone; it was {was}"
        elif {**before, "id": 0} == {**now, "id": 0}:
            continue  # the same row under another id
        else:
            text = f"{noun} {key} changed: {was}" + ("" if was == is_now else f", now {is_now}")
        events.append(_event(kind, key, at, was, is_now, text))
    return events


def _key(row: Mapping[str, Any]) -> str:
    return _text(row.get("path")) or ""


def _text(value: object) -> str:
    return "unknown" if value is None else str(value)


def _event(
    kind: str, key: str, at: datetime, old: str | None, new: str | int | None, text: str
) -> Event:
    return Event(kind=kind, key=key, at=at, old=old, new=new, text=text)
