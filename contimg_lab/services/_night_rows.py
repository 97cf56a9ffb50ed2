"""Every row that a night's report stands on, read once, a statement a table."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.errors import NotFound
from contimg_lab.records._fields import kinds
from contimg_lab.records.caltables import AppliedCalTable, CalTable
from contimg_lab.records.images import Image
from contimg_lab.records.ms import MeasurementSet, Pointing
from contimg_lab.records.sources import Measurement
from contimg_lab.repositories.stored import Stored, StoredRepository
from contimg_lab.services._context import Context
from contimg_lab.services._directory import Directory, Entry
from contimg_lab.services._epochs import Epochs
from contimg_lab.services._field import all_epochs
from contimg_lab.services._pointings import read_pointings
from contimg_lab.services._sidereal import MARGIN_DEG
from contimg_lab.times import night_bounds_mjd

__all__ = ["KINDS", "NIGHTS_BACK", "NightRows", "read_rows"]

NIGHTS_BACK = 30
"""Earlier nights that a night is compared with; later ones never."""

_REACH_D = 0.5  # of a cal table from the night's first and last moment, see analysis.coverage
_HALF_MS_D = 155.0 / 86400.0
_LEAST_CATALOGUED_JY = 0.05


def _without(record: type, *names: str) -> dict[str, type]:
    return {name: kind for name, kind in kinds(record).items() if name not in names}


KINDS: Mapping[str, Mapping[str, type]] = {
    "ms_index": kinds(MeasurementSet),
    "jobs": {
        "id": int, "type": str, "status": str, "ms_path": str, "logs": str,
        "created_at": float, "started_at": float, "finished_at": float,
    },
    "batch_job_items": {
        "id": int, "batch_id": int, "ms_path": str, "job_id": int, "status": str, "error": str,
        "started_at": float, "completed_at": float,
    },
    "calibration_applied": kinds(AppliedCalTable),
    "ms_state": {"ms_path": str, "error_message": str, "job_id": int, "updated_at": float},
    "dead_letter_queue": {
        "id": int, "ms_path": str, "reason": str, "job_id": int, "created_at": float,
    },
    "hdf5_files": {"path": str, "group_id": str, "subband_code": str, "timestamp_mjd": float},
    "caltables": _without(CalTable, "notes", "solver_command", "solver_version", "solver_params"),
    "images": kinds(Image),
    "photometry": {**_without(Measurement, "snr", "local_rms"), "quality_flag": str},
    "pointing_history": {
        "timestamp_mjd": float, "timestamp": float, "ra_deg": float, "dec_deg": float,
    },
    "mosaics": {"id": int, "start_mjd": float},
    "astrometric_solutions": {
        "id": int, "mosaic_id": int, "n_matches": int, "ra_offset_mas": float,
        "dec_offset_mas": float, "rms_residual_mas": float,
    },
    "catalog_sources": {
        "id": int, "source_name": str, "ra_deg": float, "dec_deg": float, "flux_jy": float,
    },
}  # fmt: skip
"""Columns that are read of each table, with the type that each is declared to have."""

_OF_MS = (
    "jobs",
    "batch_job_items",
    "calibration_applied",
    "ms_state",
    "dead_letter_queue",
    "images",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NightRows:
    """What was read of one night, and of the nights before it.

    Attributes
    ----------
    night
        UTC date.
    entries
        Every MS of the night, and those that only a job names, in order of time.
    stored
        Rows by table; a table that this site lacks is missing.
    held
        Tables that have any row at all, of those without a row for the night.
    pointings
        Of each entry.
    windows
        Validity windows of the cal tables up to the night's end, columns by name.
    earlier
        Tiles of the nights before, by path, and columns of their images by name.
    epochs
        Photometry of the field, for the sources' earlier nights; None: there is none.
    every
        Every MS that there is: only for raw groups that none of the night's was made from.
    """

    night: str
    entries: Sequence[Entry]
    directory: Directory
    stored: Mapping[str, Stored] = field(repr=False)
    held: frozenset[str]
    pointings: Sequence[Pointing]
    windows: Mapping[str, NDArray[Any]]
    earlier: Mapping[str, Entry]
    earlier_images: Mapping[str, NDArray[Any]]
    epochs: Epochs | None


async def read_rows(context: Context, night: str) -> NightRows:
    """Read the rows of one night; what is committed meanwhile is the caller's affair.

    Raises
    ------
    NotFound
        No MS started on that date.
    """
    directory = await context.directory()
    entries = await asyncio.to_thread(directory.select, night, orphans=True)
    if not any(entry.indexed for entry in entries):
        nights = directory.nights()
        span = f"nights run from {nights[0]} to {nights[-1]}" if nights else "it has no MS"
        raise NotFound("night", night, span)
    reader = StoredRepository(context.database)
    found = await _of_the_night(reader, entries)
    found["hdf5_files"] = await reader.raw_files(night, tuple(KINDS["hdf5_files"]))
    found["photometry"] = await _photometry(reader, found["images"])
    found |= await _astrometry(reader, night)
    windows = await _windows(context, night)
    found["caltables"] = await _caltables(reader, windows, entries, found["calibration_applied"])
    pointings = await read_pointings(context, entries)
    found["catalog_sources"] = await _catalogue(reader, pointings)
    found["pointing_history"] = await _history(reader, entries, pointings)
    earlier = await asyncio.to_thread(_earlier, directory, night)
    images: Mapping[str, NDArray[Any]] = {}
    if found["images"] is not None:
        wanted = ("id", "ms_path", "type", "noise_jy")
        images = await context.images.columns(*wanted, ms_path=list(earlier))
    rows = found["photometry"]
    epochs = None
    if rows is not None and rows.rows and "source_id" in rows.columns:
        epochs, _ = await all_epochs(context)
    return NightRows(
        night=night,
        entries=entries,
        directory=directory,
        stored={name: stored for name, stored in found.items() if stored is not None},
        held=await _held(context, [name for name, s in found.items() if s and not s.rows]),
        pointings=pointings,
        windows=windows,
        earlier=earlier,
        earlier_images=images,
        epochs=epochs,
    )


async def _of_the_night(
    reader: StoredRepository, entries: Iterable[Entry]
) -> dict[str, Stored | None]:
    indexed = [e.ms.path for e in entries if e.indexed]
    orphans = [e.ms.path for e in entries if not e.indexed]
    of_index = await reader.paths("ms_index", "path", indexed)
    of_jobs = await reader.paths("jobs", "ms_path", orphans) if orphans else {}
    keys = [*of_index.values(), *of_jobs.values()]
    found = {"ms_index": await reader.of("ms_index", tuple(KINDS["ms_index"]), "path", keys)}
    for table in _OF_MS:
        found[table] = await reader.of(table, tuple(KINDS[table]), "ms_path", keys)
    return found


async def _photometry(reader: StoredRepository, images: Stored | None) -> Stored | None:
    paths = [] if images is None else [p for p in images.column("path") if isinstance(p, str)]
    return await reader.of("photometry", tuple(KINDS["photometry"]), "image_path", paths)


async def _astrometry(reader: StoredRepository, night: str) -> dict[str, Stored | None]:
    """Solutions of the night's mosaics: the only astrometry that was measured."""
    first, end = night_bounds_mjd(night)
    names = tuple(KINDS["mosaics"])
    mosaics = await reader.between("mosaics", names, "start_mjd", first, np.nextafter(end, 0.0))
    solutions = None
    if mosaics is not None and "id" in mosaics.columns:
        keys = [str(key) for key in mosaics.column("id")]
        solutions = await reader.of(
            "astrometric_solutions", tuple(KINDS["astrometric_solutions"]), "mosaic_id", keys
        )
    return {"mosaics": mosaics, "astrometric_solutions": solutions}


async def _catalogue(reader: StoredRepository, pointings: Sequence[Pointing]) -> Stored | None:
    """Catalogued sources of at least 50 mJy in the declinations that were looked at."""
    decs = [pointing.dec_deg for pointing in pointings if pointing.dec_deg is not None]
    first, last = (min(decs), max(decs)) if decs else (0.0, -1.0)
    found = await reader.between(
        "catalog_sources",
        tuple(KINDS["catalog_sources"]),
        "dec_deg",
        first - MARGIN_DEG,
        last + MARGIN_DEG,
    )
    if found is None or "flux_jy" not in found.columns:
        return None
    fluxes = found.column("flux_jy")
    bright = [isinstance(flux, float) and flux >= _LEAST_CATALOGUED_JY for flux in fluxes]
    return replace(found, rows=list(itertools.compress(found.rows, bright)))


async def _windows(context: Context, night: str) -> Mapping[str, NDArray[Any]]:
    """Windows of the tables up to the night's end: a later calibrator decides nothing here."""
    if await context.database.find_table("caltables") is None:
        return {}
    windows = await context.caltables.windows()
    start, end = windows["valid_start_mjd"], windows["valid_end_mjd"]
    middle = np.where(np.isinf(end), start, 0.5 * (start + end))
    _, night_end = night_bounds_mjd(night)
    mine = middle < night_end
    return {name: values[mine] for name, values in windows.items()}


async def _caltables(
    reader: StoredRepository,
    windows: Mapping[str, NDArray[Any]],
    entries: Sequence[Entry],
    applied: Stored | None,
) -> Stored | None:
    """Tables that can cover any MS of the night or be the nearest to it, and those applied."""
    if not windows:
        return None
    mid = np.array([e.times.mid_mjd for e in entries if e.times.mid_mjd is not None], float)
    paths: list[str] = []
    if len(mid):
        first, last = mid.min() - _REACH_D - _HALF_MS_D, mid.max() + _REACH_D + _HALF_MS_D
        start, end = windows["valid_start_mjd"], windows["valid_end_mjd"]
        near = (np.fmin(start, end) <= last) & (np.fmax(start, end) >= first)
        paths = windows["path"][near].tolist()
    keys = [*(await reader.paths("caltables", "path", paths)).values()]
    if applied is not None:
        keys += [p for p in applied.column("caltable_path") if isinstance(p, (str, bytes))]
    return await reader.of("caltables", tuple(KINDS["caltables"]), "path", keys)


async def _history(
    reader: StoredRepository, entries: Sequence[Entry], pointings: Sequence[Pointing]
) -> Stored | None:
    """Recorded pointings that stand in for those that an MS lacks."""
    mids = [
        entry.times.mid_mjd
        for entry, pointing in zip(entries, pointings, strict=True)
        if entry.times.mid_mjd is not None and pointing.source in ("pointing_history", "unknown")
    ]
    if not mids:
        return None
    table = "pointing_history"
    for column in ("timestamp_mjd", "timestamp"):
        first, last = min(mids) - _HALF_MS_D, max(mids) + _HALF_MS_D
        found = await reader.between(table, tuple(KINDS[table]), column, first, last)
        if found is not None:
            return found
    return None


def _earlier(directory: Directory, night: str) -> dict[str, Entry]:
    nights = [earlier for earlier in directory.nights() if earlier < night][-NIGHTS_BACK:]
    entries = itertools.chain.from_iterable(map(directory.select, nights))
    return {entry.ms.path: entry for entry in entries if entry.kind == "tile"}


async def _held(context: Context, tables: Iterable[str]) -> frozenset[str]:
    """Of these tables the ones that have any row."""
    held = set()
    for table in tables:
        if await context.database.fetch(table, f"SELECT 1 FROM {table} LIMIT 1"):
            held.add(table)
    return frozenset(held)
