"""Checks of Measurement Sets: where they looked, and when."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from contimg_lab.analysis.checks._declared import FAIL, PASS, WARN, Found, Limits, check
from contimg_lab.analysis.checks._hours import by_hour, found_of, nothing, rows_by_hour
from contimg_lab.analysis.checks._night import Columns, Night
from contimg_lab.analysis.drift import looks_of_date
from contimg_lab.analysis.gaps import minutes_between
from contimg_lab.analysis.hour_checks import HourFigures

__all__ = ["damaged", "declination", "empty_hours", "gaps", "ms_times", "pointing"]


def _tiles(night: Night) -> Columns:
    return night.ms.where(night.ms["kind"] == "tile")


def _in_time(night: Night) -> Columns:
    """The tiles that have a start, in order of it."""
    tiles = _tiles(night)
    tiles = tiles.where(np.isfinite(tiles["start_mjd"]))
    return tiles.where(np.argsort(tiles["start_mjd"], kind="stable"))


@check(
    "gaps",
    protects_against="time that was not observed, or lost",
    metric="longest time between the starts of neighbouring tiles",
    unit="min",
    severity="notice",
    needs=["ms", "ms.start_mjd"],
)
def gaps(night: Night, limits: Limits) -> Iterator[Found]:
    """Find the holes that begin in each hour."""
    tiles = _in_time(night)
    between = np.append(minutes_between(tiles["start_mjd"]), np.nan)
    for hour, mine in rows_by_hour(tiles, night):
        holes = mine & (between > limits["minutes"])
        figures = HourFigures(
            n_gaps=int(holes.sum()), longest_gap_minutes=float(np.nanmax(between[mine], initial=0))
        )
        yield found_of("gaps", hour, figures, limits, {"ms": tiles["path"][holes]})


@check(
    "empty_hours",
    protects_against="hours of a night that nobody misses because they have no row",
    metric="hours without a tile between the first and the last that have one",
    unit="h",
    scope="night",
    severity="notice",
    needs=["ms", "ms.start_mjd"],
)
def empty_hours(night: Night, limits: Limits) -> Iterator[Found]:
    """Count the hours between the night's first and last tile that have none."""
    if not night.hours:
        return
    between = set(range(night.hours[0], night.hours[-1] + 1)) - set(night.hours)
    told = ", ".join(f"{hour:02d}" for hour in sorted(between)) or "none"
    yield Found(
        word=WARN if len(between) > limits["warn"] else PASS, why=f"hours without a tile: {told}",
        value=len(between), limit="warn",
    )  # fmt: skip


@check(
    "declination",
    protects_against="tiles of another pointing in one mosaic",
    metric="largest distance of a tile's declination from the night's median",
    unit="deg (of date)",
    needs=["ms", "ms.dec_offset_deg"],
)
def declination(night: Night, limits: Limits) -> Iterator[Found]:
    """Find tiles at another declination than the rest of the night."""
    tiles = _tiles(night)
    off = np.abs(tiles["dec_offset_deg"])
    for hour, mine in by_hour(tiles, night, np.isfinite(off)):
        if not mine.any():
            yield nothing("no tile of the hour has a pointing and a time", hour=hour)
            continue
        moved = mine & (off > limits["warn_deg"])
        figures = HourFigures(dec_offset_deg=float(off[mine].max()))
        yield found_of("declination", hour, figures, limits, {"ms": tiles["path"][moved]})


@check(
    "pointing",
    protects_against="a wrong clock, a wrong phase centre, or coordinates of the wrong frame",
    metric="right ascension less local sidereal time at the middle, both of date",
    unit="deg (of date)",
    scope="MS",
    needs=["ms", "ms.lst_residual_deg"],
)
def pointing(night: Night, limits: Limits) -> Iterator[Found]:
    """Compare where each tile looked with where the meridian stood."""
    tiles = _tiles(night)
    wrong_frame = looks_of_date(tiles["ra_deg"], tiles["dec_deg"], tiles["mid_mjd"])
    aside = "; the right ascensions look like those of date, not J2000" if wrong_frame else ""
    for path, hour, residual in zip(
        tiles["path"], tiles["hour"], tiles["lst_residual_deg"], strict=True
    ):
        if hour not in night.hours:
            continue
        told = {"key": path, "hour": int(hour)}
        if not np.isfinite(residual):
            yield nothing("no pointing, or no time", **told)
            continue
        off = abs(float(residual))
        limit = "fail_deg" if off > limits["fail_deg"] else "warn_deg"
        word = FAIL if limit == "fail_deg" else WARN if off > limits["warn_deg"] else PASS
        rows = {"ms": [path]} if word != PASS else None
        why = f"{residual:+.3f} deg from the meridian{aside}"
        yield Found(word=word, why=why, value=off, limit=limit, rows=rows, **told)


@check(
    "ms_times",
    protects_against="one observation counted twice, or times that contradict each other",
    metric="tiles that overlap another, or whose times are out of order",
    unit="1",
    needs=["ms", "ms.start_mjd"],
)
def ms_times(night: Night, limits: Limits) -> Iterator[Found]:
    """Find tiles that start (nearly) together, and recorded times that are out of order."""
    tiles = _in_time(night)
    start, middle, end = (tiles[f"stored_{n}_mjd"] for n in ("start", "mid", "end"))
    disordered = (end <= start) | (middle < start) | (middle > end)
    close = np.zeros(tiles.n_rows, bool)
    near = minutes_between(tiles["start_mjd"]) * 60.0 < limits["spacing_s"] - limits["overlap_s"]
    close[1:] |= near
    close[:-1] |= near
    for hour, mine in rows_by_hour(tiles, night):
        bad = mine & (disordered | close)
        why = (
            f"{(mine & close).sum()} overlap another tile, "
            f"{(mine & disordered).sum()} have times out of order"
        )
        yield Found(
            word=FAIL if bad.any() else PASS, why=why, value=float(bad.sum()), limit="overlap_s",
            hour=hour, rows={"ms": tiles["path"][bad]},
        )  # fmt: skip


@check(
    "damaged",
    protects_against="values that cannot be read, or mean nothing, in rows that look whole",
    metric="rows with a value of the wrong kind, or a time or pointing that is not known",
    unit="1",
    needs=["ms"],
)
def damaged(night: Night, limits: Limits) -> Iterator[Found]:
    """Find rows of tiles and of their images that hold text for a number, or no time or place."""
    tiles = _tiles(night)
    unplaced = night.why_absent("ms.ra_deg", "ms.dec_deg")
    lost = ~np.isfinite(tiles["mid_mjd"])
    if not unplaced:
        lost |= ~np.isfinite(tiles["ra_deg"]) | ~np.isfinite(tiles["dec_deg"])
    aside = f" (pointings not looked at: {unplaced})" if unplaced else ""
    broken = np.array([bool(held) for held in tiles["damaged"]], bool)
    images = night.images
    mine_broken = np.array([bool(held) for held in images["damaged"]], bool)
    for hour, mine in rows_by_hour(tiles, night):
        bad = mine & (lost | broken)
        of_images = (images["hour"] == hour) & mine_broken
        count = int(bad.sum() + of_images.sum())
        why = (
            f"{(mine & lost).sum()} tiles without time or pointing; {(mine & broken).sum()} tiles "
            f"and {of_images.sum()} images with a value of the wrong kind{aside}"
        )
        yield Found(
            word=WARN if count > limits["most"] else PASS, why=why, value=count, limit="most",
            hour=hour, rows={"ms": tiles["path"][bad], "images": images["id"][of_images]},
        )  # fmt: skip
