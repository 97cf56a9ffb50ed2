"""Columns of a night, as checks see them, made of the rows that were read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from contimg_lab.analysis.cal_quality import metrics_of
from contimg_lab.analysis.causes import cause_of_texts
from contimg_lab.analysis.drift import apparent_place, drift_residual_deg
from contimg_lab.analysis.runs import decide
from contimg_lab.records._fields import cast, reader
from contimg_lab.records.caltables import AppliedCalTable, CalTable, Coverage
from contimg_lab.records.images import Image
from contimg_lab.records.jobs import JobStep
from contimg_lab.records.ms import RawGroup
from contimg_lab.repositories.jobs import ERROR_TEXTS, ErrorText
from contimg_lab.repositories.stored import Stored
from contimg_lab.services._cal_quality import solved_night, tiers
from contimg_lab.services._causes import UNKNOWN, Decided, row_texts
from contimg_lab.services._coverage import bandpass_of
from contimg_lab.services._directory import Entry
from contimg_lab.services._night_rows import NightRows
from contimg_lab.services.drift import night_medians, unmade
from contimg_lab.services.images import tile_images
from contimg_lab.times import (
    mjd_from_name,
    mjd_from_value,
    night_of_mjd,
    unix_from_mjd,
    unix_from_value,
)

__all__ = [
    "Values",
    "astrometry_values",
    "caltable_values",
    "clock_values",
    "cover_values",
    "group_values",
    "image_records",
    "image_values",
    "ms_values",
    "run_values",
    "tier_values",
]

Values = Mapping[str, Iterable[Any]]

_METRICS = ("snr_mean", "flagged_fraction", "n_antennas")
_CLOCKS = ("ms_index", "images", "jobs", "photometry")


def ms_values(rows: NightRows) -> Values:
    """Every MS of the night, with where it looked."""
    pairs = [(e, p) for e, p in zip(rows.entries, rows.pointings, strict=True) if e.indexed]
    entries = [entry for entry, _ in pairs]
    mid = np.array([e.times.mid_mjd for e in entries], float)
    ra = np.array([p.ra_deg for _, p in pairs], float)
    dec = np.array([p.dec_deg for _, p in pairs], float)
    _, of_date = apparent_place(ra, dec, mid)
    return {
        "path": [e.ms.path for e in entries],
        "hour": hours_of(entries),
        "kind": [e.kind for e in entries],
        "status": [e.ms.status for e in entries],
        "stage": [e.ms.stage for e in entries],
        "start_mjd": [e.times.start_mjd for e in entries],
        "mid_mjd": mid,
        "time_source": [e.times.mid_source for e in entries],
        "stored_start_mjd": [e.ms.start_mjd for e in entries],
        "stored_mid_mjd": [e.ms.mid_mjd for e in entries],
        "stored_end_mjd": [e.ms.end_mjd for e in entries],
        "name_mjd": [mjd_from_name(e.ms.path) for e in entries],
        "ra_deg": ra,
        "dec_deg": dec,
        "lst_residual_deg": drift_residual_deg(ra, dec, mid),
        "dec_of_date_deg": of_date,
        "dec_offset_deg": of_date - night_medians(entries, of_date),
        "damaged": [",".join(e.ms.damaged) for e in entries],
    }


def hours_of(entries: Iterable[Entry]) -> list[float]:
    """UTC hour of each MS; NaN where it is unknown."""
    return [math.nan if e.hour is None else float(e.hour) for e in entries]


def run_values(rows: NightRows) -> Values:
    """The run of every MS, those included that only a job names.

    A cause is told by rows alone: log files are gone when a verdict is looked at years later.
    """
    steps: dict[str, list[JobStep]] = {}
    jobs = rows.stored.get("jobs")
    if jobs is not None and {"id", "ms_path"} <= set(jobs.columns):
        for step in map(reader(JobStep, jobs.columns), jobs.shown()):
            if isinstance(step.id, int) and step.ms_path is not None:  # a damaged id has no order
                steps.setdefault(step.ms_path, []).append(step)
    said = _error_texts(rows.stored)
    decided = []
    for entry in rows.entries:
        mine = tuple(sorted(steps.get(entry.ms.path, ()), key=lambda step: step.id))
        decided.append(Decided(entry, mine, decide(entry.ms if entry.indexed else None, mine)))
    return {
        "path": [run.entry.ms.path for run in decided],
        "run_id": [run.entry.run_id for run in decided],
        "hour": hours_of(run.entry for run in decided),
        "status": [run.decision.status for run in decided],
        "cause": [_cause(run, said.get(run.entry.ms.path, ())) for run in decided],
        "step": [run.decision.step for run in decided],
        "started_at": [run.decision.started_at for run in decided],
        "finished_at": [run.decision.finished_at for run in decided],
        "attempts": [len(run.steps) for run in decided],
    }


def _cause(run: Decided, said: Iterable[ErrorText]) -> str | None:
    if run.decision.status != "failed":
        return None
    texts = [text for _, text in row_texts(run, said)]
    found = cause_of_texts(texts, paths=[run.entry.ms.path])
    return UNKNOWN if found is None else found.cause


def _error_texts(stored: Mapping[str, Stored]) -> dict[str, list[ErrorText]]:
    """What other tables say went wrong with each MS, as `JobsRepository.error_texts`."""
    found: dict[str, list[ErrorText]] = {}
    for name, text, when, job, at in ERROR_TEXTS:
        table = stored.get(name)
        if table is None or not {"ms_path", text} <= set(table.columns):
            continue
        order = next((c for c in ("id", at, text) if c in table.columns), text)
        told = [dict(zip(table.columns, row, strict=True)) for row in table.shown()]
        told.sort(key=lambda row: _sortable(row[order]))
        for row in told:
            is_error = when is None or when[0] not in row or row[when[0]] == when[1]
            if not is_error or row[text] is None or row[text] == "":
                continue
            job_id, moment = row.get(job), row.get(at)
            one = ErrorText(
                f"{name}.{text}",
                cast(row[text], str),
                job_id if isinstance(job_id, int) else None,
                unix_from_value(moment),
            )
            found.setdefault(cast(row["ms_path"], str), []).append(one)
    return found


def _sortable(value: object) -> tuple[int, Any]:
    """SQLite's order of values: NULL, numbers, texts, blobs."""
    if value is None:
        return (0, 0)
    if isinstance(value, (int, float)):
        return (1, value)
    return (2, value) if isinstance(value, str) else (3, value)


def group_values(rows: NightRows) -> Values:
    """Groups of raw files of the night, and whether an MS of any night was made from each."""
    table = rows.stored.get("hdf5_files")
    if table is None:
        return {}
    times: dict[str, list[float]] = {}
    bands: dict[str, set[Any]] = {}
    for place, (group, band, moment) in enumerate(
        zip(
            table.column("group_id"),
            table.column("subband_code"),
            table.column("timestamp_mjd"),
            strict=True,
        )
    ):
        if group is None:
            continue
        name = str(cast(group, str)).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        known = times.setdefault(name, [])
        if isinstance(moment, (int, float)) and not math.isnan(moment):
            known.append(float(moment))
        held = bands.setdefault(name, set())
        if "subband_code" not in table.columns:
            held.add(place)
        elif band is not None:
            held.add(band)
    groups = [_group(name, len(bands[name]), times[name]) for name in sorted(times)]
    groups = [group for group in groups if group.night == rows.night]
    left = unmade(groups, rows.entries)
    if left:  # an MS may stand under another night than its raw files
        left = unmade(left, rows.directory.select(None))
    without = {group.group_id for group in left}
    starts = [group.start_mjd for group in groups]
    return {
        "group_id": [group.group_id for group in groups],
        "hour": [math.nan if mjd is None else _hour_of(mjd) for mjd in starts],
        "n_subbands": [group.n_subbands for group in groups],
        "has_ms": [float(group.group_id not in without) for group in groups],
    }


def _group(name: str, n: int, times: Sequence[float]) -> RawGroup:
    mjd = mjd_from_value(min(times)) if times else None
    mjd = mjd_from_name(name) if mjd is None else mjd
    night = None if mjd is None else night_of_mjd(mjd).isoformat()
    return RawGroup(group_id=name, n_subbands=n, start_mjd=mjd, night=night)


def _hour_of(mjd: float) -> float:
    return round(unix_from_mjd(mjd), 3) // 3600.0 % 24.0


def cover_values(entries: Sequence[Entry], covers: Iterable[Coverage]) -> Values:
    """How each tile is covered, one row for each table type."""
    tiles = {e.ms.path: e for e in entries if e.kind == "tile" and e.indexed}
    mine = [cover for cover in covers if cover.ms_path in tiles]
    of_each: dict[str, list[Coverage]] = {}
    for cover in mine:
        of_each.setdefault(cover.ms_path, []).append(cover)
    chosen = {path: bandpass_of(of_path) for path, of_path in of_each.items()}
    return {
        "path": [c.ms_path for c in mine],
        "hour": hours_of(tiles[c.ms_path] for c in mine),
        "table_type": [c.table_type for c in mine],
        "state": [c.state for c in mine],
        "distance_hours": [c.distance_hours for c in mine],
        "table_path": [c.caltable_path for c in mine],
        "is_bandpass": [float(chosen[c.ms_path] is c) for c in mine],
    }


def tier_values(rows: NightRows, covers: Sequence[Coverage]) -> Values:
    """Whether each tile's tables were solved on its own date: as applied, else by validity."""
    stored, applied = (rows.stored.get(name) for name in ("caltables", "calibration_applied"))
    if stored is None:
        return {}
    used: dict[str, list[AppliedCalTable]] = {}
    if applied is not None:
        for row in map(reader(AppliedCalTable, applied.columns), applied.shown()):
            used.setdefault(str(row.ms_path), []).append(row)
    tiles = [e for e in rows.entries if e.kind == "tile" and e.indexed]
    known = list(map(reader(CalTable, stored.columns), stored.shown()))
    told = tiers(tiles, covers, used, known)
    return {
        "path": [tier.ms_path for tier in told],
        "hour": hours_of(tiles),
        "tier": [tier.tier for tier in told],
        "bandpass_night": [tier.bandpass_date for tier in told],
        "gain_night": [tier.gain_date for tier in told],
        "why": [tier.why for tier in told],
    }


def caltable_values(stored: Stored | None, covers: Iterable[Coverage]) -> Values:
    """Tables that are named as covering or nearest."""
    if stored is None:
        return {}
    named = {cover.caltable_path for cover in covers if cover.caltable_path is not None}
    read = map(reader(CalTable, stored.columns), stored.shown())
    tables = sorted((t for t in read if t.path in named), key=lambda table: str(table.path))
    metrics = [metrics_of(table.quality_metrics) for table in tables]
    return {
        "path": [t.path for t in tables],
        "set_name": [t.set_name for t in tables],
        "table_type": [t.table_type for t in tables],
        "status": [t.status for t in tables],
        "valid_start_mjd": [mjd_from_value(t.valid_start_mjd) for t in tables],
        "valid_end_mjd": [
            math.inf if t.valid_end_mjd is None else mjd_from_value(t.valid_end_mjd) for t in tables
        ],
        "created_at": [t.created_at for t in tables],
        **{name: [one.get(name, math.nan) for one in metrics] for name in _METRICS},
        "solved_night": [solved_night(t) for t in tables],
    }


def image_records(stored: Stored | None) -> tuple[Image, ...]:
    """Images of the night's MS, in order of id."""
    if stored is None:
        return ()
    read = map(reader(Image, stored.columns), stored.shown())
    # a damaged id is None, and has no order
    return tuple(sorted(read, key=lambda image: (image.id is not None, image.id or 0)))


def image_values(rows: NightRows, images: Sequence[Image]) -> Values:
    """Images of every type, and which are the tiles' own."""
    by_path = {entry.ms.path: entry for entry in rows.entries}
    tiles = {p for p, e in by_path.items() if e.kind == "tile"}
    chosen = tile_images(i for i in images if i.ms_path in tiles and i.id is not None)
    own = {id(image) for image in chosen.values()}
    hours = {path: math.nan if e.hour is None else float(e.hour) for path, e in by_path.items()}
    told: dict[str, Iterable[Any]] = {
        "id": [str(i.id) for i in images],
        "hour": [hours.get(i.ms_path or "", math.nan) for i in images],
        "is_tile": [float(id(i) in own) for i in images],
        "damaged": [",".join(i.damaged) for i in images],
    }
    for name in (
        "path", "ms_path", "type", "created_at", "noise_jy", "dynamic_range",
        "beam_major_arcsec", "beam_minor_arcsec", "beam_pa_deg",
    ):  # fmt: skip
        told[name] = [getattr(image, name) for image in images]
    return told


def astrometry_values(rows: NightRows) -> Values:
    """Measured offsets of the night's mosaics."""
    mosaics, solutions = (rows.stored.get(n) for n in ("mosaics", "astrometric_solutions"))
    if mosaics is None or solutions is None:
        return {}
    start = dict(zip(mosaics.column("id"), mosaics.column("start_mjd"), strict=True))
    moments = [mjd_from_value(start.get(key)) for key in solutions.column("mosaic_id")]
    names = ("n_matches", "ra_offset_mas", "dec_offset_mas", "rms_residual_mas")
    return {
        "id": list(map(str, solutions.column("id"))),
        "hour": [math.nan if mjd is None else _hour_of(mjd) for mjd in moments],
        **{name: [_number(v) for v in solutions.column(name)] for name in names},
    }


def clock_values(
    rows: NightRows, keys: Mapping[str, Sequence[Any]], hours: Mapping[str, Any]
) -> Values:
    """Every stored time of the night's rows.

    Parameters
    ----------
    rows
        What was read.
    keys, hours
        By table: of each row its key, and its UTC hour as text or None.
    """
    table: list[str] = []
    key: list[str] = []
    hour: list[float] = []
    column: list[str] = []
    value: list[float] = []
    for name in _CLOCKS:
        stored = rows.stored.get(name)
        if stored is None:
            continue
        of_hour = [math.nan if h is None else float(h) for h in hours[name]]
        of_key = list(map(str, keys[name]))
        for moment in stored.columns:
            if not moment.endswith(("_at", "_mjd")) and moment not in ("mjd", "timestamp"):
                continue
            values = stored.column(moment)
            there = [i for i, v in enumerate(values) if v is not None]
            table += [name] * len(there)
            column += [moment] * len(there)
            key += [of_key[i] for i in there]
            hour += [of_hour[i] for i in there]
            value += [_number(values[i]) for i in there]
    return {"table": table, "key": key, "hour": hour, "column": column, "value": value}


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
