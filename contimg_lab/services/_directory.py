"""What is known of every Measurement Set at one moment: run, night, times and kind."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from contimg_lab.analysis.runs import MsTimes, ms_times, night_hour, run_ids
from contimg_lab.errors import NotFound
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.times import mjd_from_name, parse_night

__all__ = ["Directory", "Entry", "build_directory"]

_ONLY_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}[:-]\d{2}[:-]\d{2}(\.ms)?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One Measurement Set, with what follows from its row and its name.

    ``kind`` is ``tile``, ``calibrator`` (in a calibrators folder, or a cal table was solved
    on it) or ``twin`` (made again from an observation that another MS holds). ``indexed`` is
    False where only the jobs table names it.
    """

    ms: MeasurementSet
    run_id: str
    night: str | None
    hour: int | None
    times: MsTimes
    kind: str
    indexed: bool


@dataclass(frozen=True, slots=True)
class Directory:
    """Every Measurement Set, in order of start time (unknown last), then path."""

    entries: tuple[Entry, ...]
    by_path: dict[str, Entry]
    by_run: dict[str, Entry]
    paths: tuple[str, ...]

    def of_ms(self, ms_path: object) -> Entry:
        """Entry of an MS path.

        Raises
        ------
        NotFound
            There is no such MS.
        """
        entry = self.by_path.get(ms_path) if isinstance(ms_path, str) else None
        if entry is None:
            raise NotFound("Measurement Set", ms_path, "paths are compared to the letter")
        return entry

    def of_run(self, run_id: object) -> Entry:
        """Entry of a run id.

        Raises
        ------
        NotFound
            There is no such run.
        """
        entry = self.by_run.get(run_id) if isinstance(run_id, str) else None
        if entry is None:
            raise NotFound("job", run_id, "run ids look like job-2025-10-09-063000")
        return entry

    def longer(self, ms_path: str) -> tuple[str, ...]:
        """Paths that begin with this one and go on."""
        first = bisect.bisect_right(self.paths, ms_path)
        found = itertools.takewhile(
            lambda p: p.startswith(ms_path), itertools.islice(self.paths, first, None)
        )
        return tuple(found)

    def select(self, night: str | date | None, *, orphans: bool = False) -> tuple[Entry, ...]:
        """Entries of one night, or all; ``orphans``: also those that only a job names."""
        wanted = None if night is None else parse_night(night).isoformat()
        return tuple(
            entry
            for entry in self.entries
            if (wanted is None or entry.night == wanted) and (orphans or entry.indexed)
        )

    def nights(self) -> tuple[str, ...]:
        """Every night that has an MS, ascending."""
        return tuple(sorted({e.night for e in self.entries if e.night and e.indexed}))


def build_directory(
    rows: Sequence[MeasurementSet], worked: Iterable[str], solved: Iterable[str]
) -> Directory:
    """Work out what is known of each MS.

    Parameters
    ----------
    rows
        Every row of ``ms_index``.
    worked
        MS paths that the jobs table names; one that ``ms_index`` lacks is a run all the same.
    solved
        MS paths on which a cal table was solved.
    """
    known: dict[str, MeasurementSet] = {}
    for row in rows:
        if isinstance(row.path, str):  # SQLite lets a key of type TEXT be NULL
            known.setdefault(row.path, row)
    extra = sorted(set(worked) - set(known))
    every = [*known.values(), *(MeasurementSet(path=path) for path in extra)]
    ids = run_ids([ms.path for ms in every])
    first = _first_of_each_time(known)
    calibrators = set(solved)
    entries = []
    for ms in every:
        night, hour = night_hour(ms)
        if ms.path in calibrators or "/calibrators/" in ms.path:
            kind = "calibrator"
        elif (start := mjd_from_name(ms.path)) is not None and first.get(start) != ms.path:
            kind = "twin"
        else:
            kind = "tile"
        entries.append(
            Entry(
                ms=ms,
                run_id=ids[ms.path],
                night=night,
                hour=hour,
                times=ms_times(ms),
                kind=kind,
                indexed=ms.path in known,
            )
        )
    late = float("inf")
    entries.sort(
        key=lambda e: (late if e.times.start_mjd is None else e.times.start_mjd, e.ms.path)
    )
    return Directory(
        tuple(entries),
        {e.ms.path: e for e in entries},
        {e.run_id: e for e in entries},
        tuple(sorted(ids)),
    )


def _first_of_each_time(paths: Iterable[str]) -> dict[float, str]:
    """Of the MS that hold one time in their names, the one that is the observation itself.

    The name that is only the time, else the shortest, else the first: the others are made
    from it.
    """
    best: dict[float, tuple[bool, int, str]] = {}
    for path in paths:
        start = mjd_from_name(path)
        if start is None or "/calibrators/" in path:
            continue
        name = path.rstrip("/").rsplit("/", 1)[-1]
        rank = (_ONLY_TIME.fullmatch(name) is None, len(name), path)
        if start not in best or rank < best[start]:
            best[start] = rank
    return {start: rank[2] for start, rank in best.items()}
