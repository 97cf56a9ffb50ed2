"""A night at a glance: UTC hours by checks, each with its value and a word."""

from __future__ import annotations

import asyncio
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from contimg_lab.analysis.drift import apparent_place
from contimg_lab.analysis.hour_checks import (
    CHECKS,
    HourFigures,
    Limit,
    flux_ratios,
    judge_hour,
    limits_of,
)
from contimg_lab.records.caltables import Coverage
from contimg_lab.records.images import Image
from contimg_lab.records.ms import Pointing
from contimg_lab.records.qa import Gap, HourSummary
from contimg_lab.services._context import Context
from contimg_lab.services._coverage import BANDPASS_TYPES, bandpass_of, cover_entries
from contimg_lab.services._directory import Directory, Entry
from contimg_lab.services._epochs import Epochs
from contimg_lab.services._field import all_epochs
from contimg_lab.services._gaps import find_gaps
from contimg_lab.services._hour_tiles import TileValue, tile_values
from contimg_lab.services._judged_hours import VALUES, JudgedHours, ordered
from contimg_lab.services._pointings import read_pointings
from contimg_lab.services._sidereal import sidereal_deg, within_hour
from contimg_lab.services.drift import night_medians
from contimg_lab.services.images import tile_images
from contimg_lab.thresholds import read_thresholds

__all__ = ["VALUES", "JudgedHours", "read_hours"]

_NIGHTS = 30  # earlier nights that a noise is compared with
_FEWEST = 5  # their tiles at the same sidereal time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read of one night, and of the nights around it."""

    tiles: Sequence[Entry]
    covers: Sequence[Coverage]
    images: Sequence[Image]
    others: Mapping[str, Entry]
    other_images: Sequence[Image]
    pointings: Sequence[Pointing]
    epochs: Epochs | None
    as_of: datetime | None
    absent: Mapping[str, str]
    limits: Mapping[str, Limit]


async def read_hours(
    context: Context, night: str, hours: Sequence[HourSummary], max_age_s: float
) -> JudgedHours:
    """Judge the hours of a night's summary."""
    directory = await context.directory()
    tiles = [e for e in directory.select(night) if e.kind == "tile" and e.hour is not None]
    others = await asyncio.to_thread(_before, directory, night)
    absent = await _absent(context)
    images: Sequence[Image] = ()
    other_images: Sequence[Image] = ()
    if "images" not in absent:
        paths = [e.ms.path for e in tiles]
        images = await context.images.list(limit=None, ms_path=paths)
        other_images = await context.images.list(limit=None, ms_path=list(others))
    epochs = as_of = None
    if "flux_ratio" not in absent:
        epochs, as_of = await all_epochs(context, max_age_s)
    found = _Read(
        tiles=tiles,
        covers=await cover_entries(context, tiles, BANDPASS_TYPES),
        images=images,
        others=others,
        other_images=other_images,
        pointings=await read_pointings(context, tiles),
        epochs=epochs,
        as_of=as_of,
        absent=absent,
        limits=limits_of(read_thresholds(context.config)),
    )
    return await asyncio.to_thread(_judge, night, hours, found)


async def _absent(context: Context) -> dict[str, str]:
    """Why a check cannot be made on this site, by check; ``images``: there is no such table."""
    why: dict[str, str] = {}
    database = context.database
    registry = database.layout.absent.get("cal_registry")
    if registry is not None:
        why["calibration"] = registry
    images, photometry = (
        await database.find_table("images"),
        await database.find_table("photometry"),
    )
    if images is None:
        why |= dict.fromkeys(("images", "noise", "beam", "flux_ratio"), "no table images here")
        return why
    for check, column in (
        ("noise", "noise_jy"),
        ("beam", "beam_major_arcsec"),
        ("beam", "beam_minor_arcsec"),
    ):
        if not images.has(column):
            why[check] = f"this file's images has no column {column}"
    if photometry is None:
        why["flux_ratio"] = "no table photometry here"
    elif not photometry.has("nvss_flux_mjy"):
        why["flux_ratio"] = "this file's photometry has no column nvss_flux_mjy"
    return why


def _before(directory: Directory, night: str) -> dict[str, Entry]:
    """Tiles of the nights before one, by path: a later night never changes a verdict."""
    nights = directory.nights()
    place = nights.index(night)
    return {
        entry.ms.path: entry
        for earlier in nights[max(0, place - _NIGHTS) : place]
        for entry in directory.select(earlier)
        if entry.kind == "tile"
    }


def _judge(night: str, hours: Sequence[HourSummary], found: _Read) -> JudgedHours:
    ratios = _flux_ratios(found)
    noise = _of_images(found.images, "noise_jy")
    references = _noise_references(found, noise)
    offsets = _declinations(found)
    cal = _bandpasses(found.covers)
    major, minor = (_of_images(found.images, f"beam_{a}_arcsec") for a in ("major", "minor"))
    rows: list[dict[str, Any]] = []
    reasons: dict[str, dict[int, str]] = {check: {} for check in CHECKS}
    tiles: dict[tuple[str, int], Sequence[TileValue]] = {}
    gaps = find_gaps(found.tiles, found.limits["gaps"].bounds["minutes"])
    for one in hours:
        mine = [e.ms.path for e in found.tiles if e.hour == one.hour]
        figures, row = _hour(one, mine, found, cal, noise, references, ratios, offsets, gaps)
        for check, verdict in judge_hour(figures, found.limits).items():
            row[f"{check}_word"] = verdict.word
            reasons[check][one.hour] = verdict.why
        rows.append(ordered({"night": night, "hour": one.hour} | row))
        reference = references.get(one.hour, (math.nan, ""))[0]
        of_each = tile_values(mine, cal, noise, reference, major, minor, offsets, found.limits)
        tiles |= {(check, one.hour): values for check, values in of_each.items()}
    return JudgedHours(
        night=night, rows=rows, reasons=reasons, tiles=tiles, as_of=found.as_of, limits=found.limits
    )


def _hour(
    one: HourSummary,
    mine: Sequence[str],
    found: _Read,
    cal: Mapping[str, Coverage],
    noise: Mapping[str, float],
    references: Mapping[int, tuple[float, str]],
    ratios: Mapping[int, tuple[float, int, int]],
    offsets: Mapping[str, tuple[float, float]],
    gaps: Sequence[Gap],
) -> tuple[HourFigures, dict[str, Any]]:
    absent = {check: why for check, why in found.absent.items() if check in CHECKS}
    states = [cal[path].state if path in cal else "none" for path in mine]
    far = [cal[p].distance_hours for p in mine if p in cal and cal[p].state == "nearest"]
    if not cal:
        absent.setdefault("calibration", "the registry holds no bandpass table at all")
    n_inside, n_nearest = states.count("inside"), states.count("nearest")
    n_none = len(mine) - n_inside - n_nearest

    levels = [noise[path] for path in mine if path in noise]
    level, largest = _median(levels), max(levels, default=math.nan)
    reference, reference_of = references.get(one.hour, (math.nan, ""))
    if not math.isfinite(level):
        absent.setdefault("noise", "no tile image of the hour has a noise")
    elif not math.isfinite(reference):
        absent.setdefault("noise", "no earlier night nor other hour to compare with")

    major, minor = (_of_images(found.images, f"beam_{a}_arcsec") for a in ("major", "minor"))
    axis = _median(major[p] / minor[p] for p in mine if p in major and p in minor)
    if not math.isfinite(axis):
        absent.setdefault("beam", "no tile image of the hour has both axes of its beam")

    ratio, n_flux, n_catalogued = ratios.get(one.hour, (math.nan, 0, 0))
    known = [offsets[path] for path in mine if path in offsets]
    if not known:
        absent.setdefault("declination", "no tile of the hour has a pointing and a time")
    off = max((value for _, value in known), key=abs, default=math.nan)

    holes = [gap.minutes for gap in gaps if gap.after_path in mine]
    figures = HourFigures(
        n_tiles=one.n_tiles,
        n_runs=one.n_ms,
        n_failed=one.n_failed,
        n_gaps=len(holes),
        longest_gap_minutes=max(holes, default=math.nan),
        n_inside=n_inside,
        n_nearest=n_nearest,
        n_none=n_none,
        farthest_hours=max((h for h in far if h is not None), default=math.nan),
        n_noise=len(levels),
        noise_ratio=level / reference,
        largest_noise_ratio=largest / reference,
        beam_axis_ratio=axis,
        flux_ratio=ratio,
        n_flux=n_flux,
        n_catalogued=n_catalogued,
        dec_offset_deg=off,
        absent=absent,
    )
    known_cal = "calibration" not in absent
    row = {
        "n_tiles": one.n_tiles,
        "n_failed": one.n_failed,
        "calibration": f"{n_inside} inside, {n_nearest} nearest, {n_none} none"
        if known_cal
        else None,
        "n_inside": n_inside if known_cal else None,
        "n_nearest": n_nearest if known_cal else None,
        "n_none": n_none if known_cal else None,
        "noise_median_jy": level,
        "noise_max_jy": largest,
        "noise_ratio": level / reference,
        "noise_reference_jy": reference,
        "noise_reference": reference_of or None,
        "beam_major_arcsec": _median(major.get(path) for path in mine),
        "beam_axis_ratio": axis,
        "flux_ratio": ratio,
        "n_flux": n_flux,
        "n_gaps": len(holes),
        "dec_deg": _median(value for value, _ in known),
        "dec_offset_deg": off,
    }
    return figures, row


def _median(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else math.nan


def _of_images(images: Iterable[Image], name: str) -> dict[str, float]:
    """A positive number of each tile image that has it, by MS."""
    told = {path: getattr(image, name) for path, image in tile_images(images).items()}
    return {k: v for k, v in told.items() if v is not None and 0.0 < v < math.inf}


def _bandpasses(covers: Iterable[Coverage]) -> dict[str, Coverage]:
    of_each: dict[str, list[Coverage]] = {}
    for cover in covers:
        of_each.setdefault(cover.ms_path, []).append(cover)
    chosen = {path: bandpass_of(mine) for path, mine in of_each.items()}
    return {path: cover for path, cover in chosen.items() if cover is not None}


def _noise_references(found: _Read, noise: Mapping[str, float]) -> dict[int, tuple[float, str]]:
    """What each hour's noise is compared with, and what that is of.

    The median of earlier nights' tiles at the same sidereal time, which is the same sky; where
    they are too few, that of the night's other hours.
    """
    others = _of_images(found.other_images, "noise_jy")
    levels = np.array(list(others.values()))
    lst = sidereal_deg(found.others[path] for path in others)
    told: dict[int, tuple[float, str]] = {}
    for hour in {e.hour for e in found.tiles if e.hour is not None}:
        same = within_hour(lst, sidereal_deg(e for e in found.tiles if e.hour == hour))
        if same.sum() >= _FEWEST:
            told[hour] = (float(np.median(levels[same])), f"{same.sum()} tiles of earlier nights")
            continue
        rest = [noise[e.ms.path] for e in found.tiles if e.hour != hour and e.ms.path in noise]
        if rest:
            told[hour] = (statistics.median(rest), "the night's other hours")
    return told


def _flux_ratios(found: _Read) -> dict[int, tuple[float, int, int]]:
    epochs = found.epochs
    if epochs is None:
        return {}
    hour_of = {e.ms.path: e.hour for e in found.tiles}
    of_path = {i.path: hour_of.get(i.ms_path or "") for i in found.images if i.path is not None}
    hour_of_image = np.full(len(epochs.images) + 1, -1, np.int8)  # the last is of no image
    for place, path in enumerate(epochs.images.tolist()):
        hour = of_path.get(path)
        hour_of_image[place] = -1 if hour is None else hour
    bounds = found.limits["flux_ratio"].bounds
    catalogued = np.repeat(epochs.nvss_flux_mjy >= bounds["least_mjy"], epochs.counts)
    rows = np.flatnonzero(catalogued & (hour_of_image[epochs.image] >= 0))
    source = np.searchsorted(epochs.offsets, rows, side="right") - 1
    flux, error = epochs.flux_jy[rows], epochs.flux_err_jy[rows]
    with np.errstate(invalid="ignore"):
        detected = (epochs.reason[rows] == 0) & (flux >= bounds["least_snr"] * error)
    ratio = flux * 1e3 / epochs.nvss_flux_mjy[source]
    return flux_ratios(hour_of_image[epochs.image[rows]], source, ratio, detected)


def _declinations(found: _Read) -> dict[str, tuple[float, float]]:
    """Declination of date of each tile, and how far it is from the night's median, by path."""
    mid = np.array([e.times.mid_mjd for e in found.tiles], float)
    ra = np.array([p.ra_deg for p in found.pointings], float)
    dec = np.array([p.dec_deg for p in found.pointings], float)
    _, of_date = apparent_place(ra, dec, mid)
    off = of_date - night_medians(found.tiles, of_date)
    return {
        e.ms.path: (value, apart)
        for e, value, apart in zip(found.tiles, of_date.tolist(), off.tolist(), strict=True)
        if math.isfinite(apart)
    }
