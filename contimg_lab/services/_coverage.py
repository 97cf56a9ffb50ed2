"""Coverage of Measurement Sets by the registry's tables, one record for each type."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.coverage import STATES, WARN_DISTANCE_HOURS, cover
from contimg_lab.records.caltables import Coverage
from contimg_lab.records.ms import PrimaryCal
from contimg_lab.services._context import Context
from contimg_lab.services._directory import Entry

__all__ = ["BANDPASS_TYPES", "bandpass_of", "cover_entries", "primary_cal", "table_types"]

BANDPASS_TYPES = ("BP", "BA", "G")
"""What counts as the bandpass table, best first (older registries know only G)."""


_ORDER = ("K", "BA", "BP", "G", "GA", "GP", "2G", "FLUX")


async def table_types(context: Context) -> tuple[str, ...]:
    """Table types that the registry holds, in order of application; none where it is absent."""
    if await context.database.find_table("caltables") is None:
        return ()
    arrays = await context.caltables.columns("table_type")
    found = {name for name in arrays["table_type"] if isinstance(name, str)}
    return tuple(sorted(found, key=lambda n: (_ORDER.index(n) if n in _ORDER else 99, n)))


async def cover_entries(context: Context, entries: Sequence[Entry]) -> tuple[Coverage, ...]:
    """Cover each MS by each table type: in order of the entries, then of application."""
    types = await table_types(context)
    if not types:
        return ()
    tables = await context.caltables.windows()
    return await asyncio.to_thread(_cover, entries, types, tables)


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
    path = entry.ms.path
    applied = await context.applied.of([path])
    paths = tuple(
        row.caltable_path
        for row in applied.get(path, ())
        if row.caltable_path is not None and row.success != 0
    )
    found = bandpass_of(await cover_entries(context, [entry]))
    if found is None:
        state = "unknown" if entry.times.mid_mjd is None else "none"
        why = context.database.layout.absent.get("cal_registry")
        return PrimaryCal(
            ms_path=path,
            state=state,
            applied_paths=paths,
            why=why or "the registry holds no bandpass table at all",
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


def _cover(
    entries: Sequence[Entry], types: Sequence[str], tables: Mapping[str, NDArray[Any]]
) -> tuple[Coverage, ...]:
    mid = np.array([e.times.mid_mjd for e in entries], float)
    by_type: list[list[Coverage]] = []
    for name in types:
        mine = np.flatnonzero(tables["table_type"] == name)
        covered = cover(
            mid,
            start_mjd=tables["valid_start_mjd"][mine],
            end_mjd=tables["valid_end_mjd"][mine],
            table_id=tables["id"][mine],
            is_active=tables["status"][mine] == "active",
            is_retired=tables["status"][mine] == "retired",
        )
        paths = tables["path"][mine]
        by_type.append(
            [
                Coverage(
                    ms_path=entry.ms.path,
                    table_type=name,
                    state=STATES[covered.state[i]],
                    distance_hours=None
                    if np.isnan(covered.distance_hours[i])
                    else float(covered.distance_hours[i]),
                    caltable_path=_at(paths, covered.active[i]),
                    retired_path=_at(paths, covered.retired[i]),
                )
                for i, entry in enumerate(entries)
            ]
        )
    return tuple(row for rows in zip(*by_type, strict=True) for row in rows)


def _at(paths: NDArray[Any], row: np.intp) -> str | None:
    return None if row < 0 else str(paths[row])
