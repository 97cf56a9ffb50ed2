"""What is known of every Measurement Set at one moment: run, night, times and kind."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import merge
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.runs import (
    MsTimes,
    night_of_hour,
    run_ids,
    times_of,
    unix_hour,
)
from contimg_lab.errors import NotFound
from contimg_lab.records._fields import cast, reader
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.times import parse_night, time_in_name

__all__ = ["Directory", "Entry", "build_directory"]

Row = tuple[Any, ...]
Fact = tuple[str | None, float | None, float | None, str, str, int | None]
"""What follows from one row: time in its name, fields of `MsTimes`, full hours since 1970."""

_ONLY_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}[:-]\d{2}[:-]\d{2}(\.ms)?", re.ASCII | re.IGNORECASE
)
_NO_DAY = -(1 << 40)
_MOST_MADE = 20_000  # entries kept when made: what is looked at is looked at again


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
class _Names:
    """What follows from the paths alone; a position is a place in ``paths``."""

    paths: list[str]
    orphans: tuple[str, ...]
    solved: frozenset[str]
    ids: list[str]
    kinds: list[str]
    at_path: dict[str, int]
    at_run: dict[str, int]
    indexed: NDArray[np.bool_]


class Directory:
    """Every Measurement Set, in order of start time (unknown last), then path.

    Rows are kept as they were read, and an entry is made when it is asked for: of many
    Measurement Sets few are looked at.
    """

    def __init__(
        self, columns: Sequence[str], names: _Names, rows: list[Row | None], facts: list[Fact]
    ) -> None:
        self._columns = tuple(columns)
        self._names = names
        self._rows = rows  # None: an orphan, which only the jobs table names
        self._facts = facts
        self._made: dict[int, Entry] = {}
        self._read: Callable[[Row], MeasurementSet] = reader(MeasurementSet, self._columns)
        n = len(facts)
        start = np.fromiter((np.nan if f[1] is None else f[1] for f in facts), float, n)
        self._order = np.argsort(start, kind="stable")  # NaN comes last
        day = (_NO_DAY if f[5] is None else f[5] // 24 for f in facts)
        days = np.fromiter(day, np.int64, n)
        days = days[self._order]
        edges = np.flatnonzero(np.diff(days, prepend=_NO_DAY - 1, append=_NO_DAY - 1))
        self._nights: dict[str, tuple[int, int]] = {
            night_of_hour(int(days[low]) * 24): (int(low), int(high))
            for low, high in pairwise(edges)
            if days[low] != _NO_DAY
        }

    def __len__(self) -> int:
        return len(self._rows)

    def of_ms(self, ms_path: object) -> Entry:
        """Entry of an MS path.

        Raises
        ------
        NotFound
            There is no such MS.
        """
        at = self._names.at_path.get(ms_path) if isinstance(ms_path, str) else None
        if at is None:
            raise NotFound("Measurement Set", ms_path, "paths are compared to the letter")
        return self._entry(at)

    def of_run(self, run_id: object) -> Entry:
        """Entry of a run id.

        Raises
        ------
        NotFound
            There is no such run.
        """
        at = self._names.at_run.get(run_id) if isinstance(run_id, str) else None
        if at is None:
            raise NotFound("job", run_id, "run ids look like job-2025-10-09-063000")
        return self._entry(at)

    def longer(self, ms_path: str) -> tuple[str, ...]:
        """Paths that begin with this one and go on."""
        paths = self._names.paths
        first = last = bisect.bisect_right(paths, ms_path)
        while last < len(paths) and paths[last].startswith(ms_path):
            last += 1
        return tuple(paths[first:last])

    def select(
        self,
        night: str | date | None,
        *,
        orphans: bool = False,
        first: int = 0,
        most: int = -1,
    ) -> tuple[Entry, ...]:
        """Entries of one night, or all; ``orphans``: also those that only a job names.

        The first ones are left out, and most of the rest taken (-1: all).
        """
        places = self._of_night(night)
        if not orphans and self._names.orphans:
            places = places[self._names.indexed[places]]
        places = places[first:] if most < 0 else places[first : first + most]
        return tuple(map(self._entry, places.tolist()))

    def tiles(
        self, night: str | date | None
    ) -> tuple[list[str], list[float | None], list[int | None]]:
        """Path, middle (MJD) and full hours since 1970 of each tile of one night, or all.

        In the order of `select`, without making an entry of each.
        """
        kinds, paths, facts = self._names.kinds, self._names.paths, self._facts
        at = [i for i in self._of_night(night).tolist() if kinds[i] == "tile"]
        return [paths[i] for i in at], [facts[i][2] for i in at], [facts[i][5] for i in at]

    def facts(self, night: str | date | None) -> dict[str, tuple[float | None, int | None, str]]:
        """Middle (MJD), full hours since 1970 and kind of each MS of one night, or all, by path."""
        names, facts = self._names, self._facts
        return {
            names.paths[i]: (facts[i][2], facts[i][5], names.kinds[i])
            for i in self._of_night(night).tolist()
        }

    def nights(self) -> tuple[str, ...]:
        """Every night that has an MS, ascending."""
        indexed = self._names.indexed[self._order]
        return tuple(
            sorted(night for night, (low, high) in self._nights.items() if indexed[low:high].any())
        )

    def _of_night(self, night: str | date | None) -> NDArray[np.int64]:
        if night is None:
            return self._order
        low, high = self._nights.get(parse_night(night).isoformat(), (0, 0))
        return self._order[low:high]

    def _entry(self, at: int) -> Entry:
        made = self._made.get(at)
        if made is None:
            made = self._make(at)
            if len(self._made) < _MOST_MADE:
                self._made[at] = made
        return made

    def _make(self, at: int) -> Entry:
        names, row = self._names, self._rows[at]
        _, start, mid, start_source, mid_source, hours = self._facts[at]
        return Entry(
            ms=MeasurementSet(path=names.paths[at]) if row is None else self._read(row),
            run_id=names.ids[at],
            night=None if hours is None else night_of_hour(hours),
            hour=None if hours is None else hours % 24,
            times=MsTimes(start, mid, start_source, mid_source),
            kind=names.kinds[at],
            indexed=row is not None,
        )


def build_directory(
    columns: Sequence[str],
    rows: list[Row],
    worked: Iterable[str],
    solved: Iterable[str],
    before: Directory | None = None,
) -> Directory:
    """Work out what is known of each MS.

    Parameters
    ----------
    columns
        Names of the columns of each row.
    rows
        Every row of ``ms_index`` as stored, in order of path; the list is taken over.
    worked
        MS paths that the jobs table names; one that ``ms_index`` lacks is a run all the same.
    solved
        MS paths on which a cal table was solved.
    before
        The directory of an earlier state: what has not changed is taken from it, and it is
        returned where nothing has.
    """
    columns = tuple(columns)
    if before is not None and before._columns != columns:
        before = None
    changed = before is None or not _keep_same(rows, columns.index("path"), before)
    paths, stored = _in_order(rows, columns.index("path"))
    orphans = tuple(sorted(set(worked).difference(paths)))
    calibrators = frozenset(solved)
    renamed = (
        before is None or before._names.orphans != orphans or before._names.solved != calibrators
    )
    if before is not None and not changed and not renamed:
        return before
    places: list[Row | None] = [*stored]
    if orphans:
        both = merge(zip(paths, stored, strict=True), ((path, None) for path in orphans))
        paths, places = [], []
        for path, row in both:
            paths.append(path)
            places.append(row)
    facts = _facts(columns, paths, places, before)
    if before is None or renamed or before._names.paths != paths:
        names = _name(paths, places, [fact[0] for fact in facts], orphans, calibrators)
    else:
        names = before._names
    return Directory(columns, names, places, facts)


def _keep_same(rows: list[Row], key: int, before: Directory) -> bool:
    """Put the rows of before in the place of equal ones; whether all are the same."""
    find, held, same = before._names.at_path.get, before._rows, 0
    for i, row in enumerate(rows):
        at = find(row[key])
        old = None if at is None else held[at]
        if old is not None and old == row:
            rows[i] = old
            same += 1
    return same == len(rows) == len(held) - len(before._names.orphans)


def _in_order(rows: list[Row], key: int) -> tuple[list[str], list[Row]]:
    """Paths and rows in order of path, each path once."""
    paths = [row[key] for row in rows]
    if all(type(path) is str for path in paths) and all(a < b for a, b in pairwise(paths)):
        return paths, rows
    # SQLite lets a key of type TEXT be NULL or a blob, and has orders of its own
    first: dict[str, Row] = {}
    for row in rows:
        if row[key] is not None:
            first.setdefault(cast(row[key], str), row)
    paths = sorted(first)
    return paths, [first[path] for path in paths]


def _facts(
    columns: Sequence[str],
    paths: Sequence[str],
    places: Sequence[Row | None],
    before: Directory | None,
) -> list[Fact]:
    names = ("start_mjd", "mid_mjd", "group_id")
    start, mid, group = (columns.index(n) if n in columns else None for n in names)
    known: Mapping[str, int] = {} if before is None else before._names.at_path
    facts: list[Fact] = []
    for path, row in zip(paths, places, strict=True):
        at = known.get(path)
        if at is not None and before is not None and before._rows[at] is row:
            facts.append(before._facts[at])
            continue
        begun, middle, begun_by, middle_by = times_of(
            path,
            None if row is None or start is None else cast(row[start], float),
            None if row is None or mid is None else cast(row[mid], float),
            None if row is None or group is None else cast(row[group], str),
        )
        facts.append((time_in_name(path), begun, middle, begun_by, middle_by, unix_hour(begun)))
    return facts


def _name(
    paths: list[str],
    places: Sequence[Row | None],
    times: Sequence[str | None],
    orphans: tuple[str, ...],
    solved: frozenset[str],
) -> _Names:
    by_path = run_ids(paths, dict(zip(paths, times, strict=True)))
    ids = [by_path[path] for path in paths]
    held = Counter(times)
    first = _first_of_each_time(
        (path, time)
        for path, row, time in zip(paths, places, times, strict=True)
        if held[time] > 1 and row is not None
    )
    kinds = []
    for path, row, time in zip(paths, places, times, strict=True):
        if path in solved or "/calibrators/" in path:
            kinds.append("calibrator")
        elif time is None or (held[time] == 1 and row is not None) or first.get(time) == path:
            kinds.append("tile")
        else:
            kinds.append("twin")
    return _Names(
        paths=paths,
        orphans=orphans,
        solved=solved,
        ids=ids,
        kinds=kinds,
        # not dict(zip()): one step in C so long would hold the interpreter's lock
        at_path={path: at for at, path in enumerate(paths)},
        at_run={run_id: at for at, run_id in enumerate(ids)},
        indexed=np.array([row is not None for row in places], bool),
    )


def _first_of_each_time(named: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Of the MS that hold one time in their names, the one that is the observation itself.

    The name that is only the time, else the shortest, else the first: the others are made
    from it.
    """
    best: dict[str, str] = {}
    for path, time in named:
        if time is None or "/calibrators/" in path:
            continue
        held = best.setdefault(time, path)
        if held is not path and _rank(path) < _rank(held):
            best[time] = path
    return best


def _rank(path: str) -> tuple[bool, int, str]:
    name = path.rstrip("/").rsplit("/", 1)[-1]
    return _ONLY_TIME.fullmatch(name) is None, len(name), path
