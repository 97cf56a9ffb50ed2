"""Coverage of Measurement Sets by the registry's tables, one record for each type."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.coverage import MAX_DISTANCE_HOURS, STATES, WARN_DISTANCE_HOURS, cover
from contimg_lab.records.caltables import AppliedCalTable, Coverage
from contimg_lab.records.ms import PrimaryCal
from contimg_lab.services._context import Context
from contimg_lab.services._directory import Entry

__all__ = [
    "BANDPASS_TYPES",
    "bandpass_of",
    "cover_by",
    "cover_entries",
    "primary_cal",
    "primary_cals",
    "table_types",
    "types_in_order",
]

BANDPASS_TYPES = ("BP", "BA", "G")
"""What counts as the bandpass table, best first (older registries know only G)."""


_ORDER = ("K", "BA", "BP", "G", "GA", "GP", "2G", "FLUX")


async def table_types(context: Context) -> tuple[str, ...]:
    """Table types that the registry holds, in order of application; none where it is absent."""
    if await context.database.find_table("caltables") is None:
        return ()
    arrays = await context.caltables.columns("table_type")
    found = {name for name in arrays["table_type"] if isinstance(name, str)}
    return types_in_order(found)


def types_in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return table types in order of application, unknown ones last."""
    return tuple(sorted(names, key=lambda n: (_ORDER.index(n) if n in _ORDER else 99, n)))


async def cover_entries(
    context: Context, entries: Sequence[Entry], among: Collection[str] | None = None
) -> tuple[Coverage, ...]:
    """Cover each MS by each table type: in order of the entries, then of application.

    ``among``: only these types.
    """
    types = [t for t in await table_types(context) if among is None or t in among]
    if not types:
        return ()
    tables = await context.caltables.windows()
    return await asyncio.to_thread(cover_by, entries, types, tables)


def bandpass_of(covers: Iterable[Coverage]) -> Coverage | None:
    """Choose the coverage of one MS by its bandpass; None where the registry has none.

    A table that covers comes before one that is nearest, then BP before BA before G.
    """
    bandpass = [c for c in covers if c.table_type in BANDPASS_TYPES]
    return min(
        bandpass,
        key=lambda c: (STATES.index(c.state), BANDPASS_TYPES.index(c.table_type)),
        default=None,
    )


async def primary_cal(context: Context, entry: Entry) -> PrimaryCal:
    """Find the bandpass table of one MS by validity, and what was really applied to it."""
    return (await primary_cals(context, [entry]))[0]


async def primary_cals(context: Context, entries: Sequence[Entry]) -> list[PrimaryCal]:
    """Find the bandpass table of each MS, one for each entry; see `primary_cal`."""
    applied = await context.applied.of([entry.ms.path for entry in entries])
    covers: dict[str, list[Coverage]] = {}
    for row in await cover_entries(context, entries, BANDPASS_TYPES):
        covers.setdefault(row.ms_path, []).append(row)
    absent = context.database.layout.absent.get("cal_registry")
    return [
        _primary_cal(entry, applied.get(path, ()), bandpass_of(covers.get(path, ())), absent)
        for entry in entries
        for path in (entry.ms.path,)
    ]


def _primary_cal(
    entry: Entry, applied: Iterable[AppliedCalTable], found: Coverage | None, absent: str | None
) -> PrimaryCal:
    path = entry.ms.path
    paths = tuple(
        row.caltable_path for row in applied if row.caltable_path is not None and row.success != 0
    )
    if found is None:
        return PrimaryCal(
            ms_path=path,
            state="unknown" if entry.times.mid_mjd is None else "none",
            applied_paths=paths,
            why=absent or "the registry holds no bandpass table at all",
        )
    return PrimaryCal(
        ms_path=path,
        state=found.state,
        caltable_path=found.caltable_path,
        table_type=found.table_type,
        distance_hours=found.distance_hours,
        retired_path=found.retired_path,
        applied_paths=paths,
        why=_in_words(found.state, found.table_type, found.distance_hours),
    )


def _in_words(state: str, table_type: str, hours: float | None) -> str:
    if state == "inside":
        return f"an active {table_type} window holds its mid time"
    if state == "nearest":
        far = (hours or 0.0) > WARN_DISTANCE_HOURS
        warned = f", beyond the {WARN_DISTANCE_HOURS:g} h of the pipeline's warning" * far
        return f"no active {table_type} window holds it; nearest is {hours:.1f} h away{warned}"
    if state == "none":
        return f"no active {table_type} table within 12 h"
    return "the MS has no time, so no window can be told to hold it"


def cover_by(
    entries: Sequence[Entry], types: Sequence[str], tables: Mapping[str, NDArray[Any]]
) -> tuple[Coverage, ...]:
    """Cover each MS by each of these types; the tables are as `CalTablesRepository.windows`."""
    mid = np.array([e.times.mid_mjd for e in entries], float)
    near = _within_reach(mid, tables["valid_start_mjd"], tables["valid_end_mjd"])
    by_type: list[list[Coverage]] = []
    for name in types:
        mine = np.flatnonzero((tables["table_type"] == name) & near)
        covered = cover(
            mid,
            start_mjd=tables["valid_start_mjd"][mine],
            end_mjd=tables["valid_end_mjd"][mine],
            table_id=tables["id"][mine],
            is_active=tables["status"][mine] == "active",
            is_retired=tables["status"][mine] == "retired",
        )
        paths = tables["path"][mine]
        figures = zip(
            entries,
            covered.state.tolist(),
            covered.distance_hours.tolist(),
            covered.active.tolist(),
            covered.retired.tolist(),
            strict=True,
        )
        by_type.append(
            [
                Coverage(
                    ms_path=entry.ms.path,
                    table_type=name,
                    state=STATES[state],
                    distance_hours=None if math.isnan(hours) else hours,
                    caltable_path=_at(paths, active),
                    retired_path=_at(paths, retired),
                )
                for entry, state, hours, active, retired in figures
            ]
        )
    return tuple(row for rows in zip(*by_type, strict=True) for row in rows)


def _within_reach(
    mid: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which windows can cover any of the times or be named as nearest: of years only a few."""
    known = mid[np.isfinite(mid)]
    if not len(known):
        return np.zeros(len(start), bool)
    reach = MAX_DISTANCE_HOURS / 24.0 + 1e-3
    low, high = np.fmin(start, end), np.fmax(start, end)
    reached: NDArray[np.bool_] = (low <= known.max() + reach) & (high >= known.min() - reach)
    return reached


def _at(paths: NDArray[Any], row: int) -> str | None:
    return None if row < 0 else str(paths[row])
