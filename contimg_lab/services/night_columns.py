"""A night read once: its columns for the checks, and the same rows as evidence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from contimg_lab.analysis.checks import Night, make_night
from contimg_lab.errors import DatabaseBusy
from contimg_lab.ledger.evidence import Evidence
from contimg_lab.records.caltables import Coverage
from contimg_lab.records.jobs import Run
from contimg_lab.repositories.stored import Stored
from contimg_lab.services import _night_tables as tables
from contimg_lab.services._context import Context
from contimg_lab.services._coverage import cover_by, types_in_order
from contimg_lab.services._night_evidence import evidence_of, hours_of_rows, keys_of_rows
from contimg_lab.services._night_photometry import catalogue_values, photometry_values, sources_of
from contimg_lab.services._night_references import noise_references, source_references
from contimg_lab.services._night_rows import NightRows, read_rows

__all__ = ["NightRead", "read_night"]

_TRIES = 6
_NO_CATALOGUE = "no catalogue is filled here (catalog_sources)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NightRead:
    """One night as it was in one state of the database.

    Attributes
    ----------
    rows
        As they were read.
    night
        Columns for the checks.
    covers
        Of every MS, by the cal tables up to the night's end.
    evidence
        The rows, and what was derived from others.
    runs
        The runs with what log files say of them, where they were asked for.
    token
        State of the database in which it was read; None where it fell among commits.
    """

    rows: NightRows
    night: Night
    covers: tuple[Coverage, ...]
    noise_jy: Mapping[str, float]
    evidence: Evidence
    runs: tuple[Run, ...]
    token: tuple[object, ...] | None


async def read_night(
    context: Context,
    night: str,
    as_of_unix_s: float | None = None,
    runs: Callable[[], Awaitable[tuple[Run, ...]]] | None = None,
) -> NightRead:
    """Read one night within one state of the database.

    While the pipeline commits, it is read until two readings in a row hold the same: then
    what they hold stood together in between.

    Parameters
    ----------
    context
        What to read with.
    night
        UTC date, ``YYYY-MM-DD``.
    as_of_unix_s
        When it counts as read; None: now.
    runs
        Lists the night's runs, where they are wanted beside.

    Raises
    ------
    NotFound
        No MS started on that date.
    DatabaseBusy
        The night's rows change faster than they can be read.
    """
    last = ""
    for _ in range(_TRIES):
        before = await context.database.token()
        rows = await read_rows(context, night)
        absent = await _absent(context, rows)
        listed = () if runs is None else await runs()
        now = time.time() if as_of_unix_s is None else as_of_unix_s
        is_one = before == await context.database.token()
        token = before if is_one else None
        read = await asyncio.to_thread(_read, rows, absent, now, listed, token)
        digest = await asyncio.to_thread(_digest, read)
        if is_one or digest == last:
            return read
        last = digest
    raise DatabaseBusy(f"the rows of {night} change faster than they can be read; try again")


def _digest(read: NightRead) -> str:
    return read.evidence.digest


def _read(
    rows: NightRows,
    absent: Mapping[str, str],
    now_unix_s: float,
    runs: tuple[Run, ...],
    token: tuple[object, ...] | None,
) -> NightRead:
    covers = _covers(rows)
    images = tables.image_records(rows.stored.get("images"))
    image = tables.image_values(rows, images)
    noise = {
        one.ms_path: one.noise_jy
        for one, own in zip(images, image["is_tile"], strict=True)
        if own
        and one.ms_path is not None
        and one.noise_jy is not None
        and 0.0 < one.noise_jy < float("inf")
    }
    references = noise_references(rows, noise)
    sources = source_references(rows.epochs, rows.night, sources_of(rows.stored.get("photometry")))
    photometry, ra, dec = photometry_values(rows, images, sources)
    keys = {name: keys_of_rows(stored) for name, stored in rows.stored.items()}
    groups = tables.group_values(rows)
    of_group = dict(zip(groups.get("group_id", ()), groups.get("hour", ()), strict=True))
    hours = hours_of_rows(rows, images, of_group)
    night = make_night(
        rows.night,
        as_of_unix_s=now_unix_s,
        absent=absent,
        ms=tables.ms_values(rows),
        runs=tables.run_values(rows),
        groups=groups,
        covers=tables.cover_values(rows.entries, covers),
        tiers=tables.tier_values(rows, covers),
        caltables=tables.caltable_values(rows.stored.get("caltables"), covers),
        images=image,
        references={
            "hour": [one.hour for one in references],
            "noise_median_jy": [one.median_jy for one in references],
            "noise_mad_jy": [one.mad_jy for one in references],
            "n": [one.n for one in references],
            "of": [one.of for one in references],
        },
        photometry=photometry,
        catalogue=catalogue_values(rows, images, image["is_tile"], photometry, ra, dec),
        astrometry=tables.astrometry_values(rows),
        clocks=tables.clock_values(rows, keys, hours),
    )
    evidence = evidence_of(rows, night, keys, hours, references, sources)
    return NightRead(
        rows=rows,
        night=night,
        covers=covers,
        noise_jy=noise,
        evidence=evidence,
        runs=runs,
        token=token,
    )


def _covers(rows: NightRows) -> tuple[Coverage, ...]:
    if not rows.windows:
        return ()
    types = {name for name in rows.windows["table_type"] if isinstance(name, str)}
    indexed = [entry for entry in rows.entries if entry.indexed]
    return cover_by(indexed, types_in_order(types), rows.windows) if types else ()


async def _absent(context: Context, rows: NightRows) -> dict[str, str]:
    """Say why a table or column of a night is not to be had here."""
    stored, held = rows.stored, rows.held
    why: dict[str, str] = {}

    def lacking(table: str, of: str, columns: Mapping[str, str]) -> None:
        found = stored.get(of)
        if found is None:
            why[table] = f"no table {of} here"
            return
        for column, needed in columns.items():
            if needed in found.absent:
                why[f"{table}.{column}"] = f"this file's {of} has no column {needed}"

    same = ("noise_jy", "dynamic_range", "beam_major_arcsec", "beam_minor_arcsec", "beam_pa_deg")
    stored_as = {f"stored_{name}": name for name in ("start_mjd", "mid_mjd", "end_mjd")}
    lacking("ms", "ms_index", {"status": "status", "stage": "stage", **stored_as})
    lacking("groups", "hdf5_files", {"n_subbands": "subband_code"})
    lacking("images", "images", {n: n for n in ("type", "created_at", *same)})
    lacking("photometry", "photometry", {n: n for n in ("nvss_flux_mjy", "quality_flag", "flags")})
    lacking("catalogue", "catalog_sources", {})
    lacking("astrometry", "astrometric_solutions", {})
    if await context.database.find_table("jobs") is None:
        told = "no table jobs here"
        why |= dict.fromkeys(("runs.started_at", "runs.finished_at", "runs.attempts"), told)
    registry = context.database.layout.absent.get("cal_registry")
    if not rows.windows:
        told = registry or "no table caltables here"
        why |= {"covers": told, "tiers": told, "caltables": told}
    else:
        lacking("caltables", "caltables", {n: "quality_metrics" for n in _METRICS})
        if not len(rows.windows["path"]):
            told = "the registry holds no table up to this night"
            why |= {"covers": told, "tiers": told, "caltables": told}
    if "images.noise_jy" in why or "images" in why:
        why["references"] = why.get("images.noise_jy") or why["images"]
    if all(pointing.source == "unknown" for pointing in rows.pointings):
        places = ("ra_deg", "dec_deg", "lst_residual_deg", "dec_of_date_deg", "dec_offset_deg")
        told = "nothing here says where the telescope pointed"
        why |= {f"ms.{name}": told for name in places}
    empty = {
        "groups": "hdf5_files",
        "photometry": "photometry",
        "catalogue": "catalog_sources",
        "astrometry": "astrometric_solutions",
    }
    for table, of in empty.items():
        if table not in why and _is_empty(stored.get(of), held):
            why[table] = _NO_CATALOGUE if table == "catalogue" else f"the table {of} is empty here"
    return why


_METRICS = ("snr_mean", "flagged_fraction", "n_antennas")


def _is_empty(stored: Stored | None, held: frozenset[str]) -> bool:
    return stored is not None and not stored.rows and stored.table not in held
