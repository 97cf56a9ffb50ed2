"""What each tile image measures, and each night of them against the nights before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.grouping import take_rows
from contimg_lab.analysis.runs import night_of_hour
from contimg_lab.analysis.segments import spread
from contimg_lab.analysis.trends import Rollup, against_earlier, axis_ratio, roll_up
from contimg_lab.database import heartbeat
from contimg_lab.services._directory import Directory
from contimg_lab.services._field import all_epochs
from contimg_lab.services._frames import add_datetimes, frame

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.services._context import Context
    from contimg_lab.services._epochs import Epochs

__all__ = [
    "LEAST_NVSS_MJY",
    "LEAST_SOURCES",
    "NO_CATALOGUE",
    "QUANTITIES",
    "TILE_TYPES",
    "cells",
    "enough_sources",
    "nightly_frame",
    "nights_of",
    "nvss_ratios",
    "positive",
    "tile_figures",
    "trends_frame",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TILE_TYPES = (("image", "5min"), ("pbcor",))
"""Words for the tile image of an MS, best first."""

LEAST_NVSS_MJY = 50.0
"""Sources of this flux in NVSS and more make the flux ratio (mJy)."""

LEAST_SOURCES = 5
"""Fewer of them make none."""

QUANTITIES: dict[str, tuple[str, str]] = {
    "noise_jy": ("Jy/beam", "rms noise"),
    "beam_major_arcsec": ("arcsec", "major axis of the beam (FWHM)"),
    "beam_minor_arcsec": ("arcsec", "minor axis of the beam (FWHM)"),
    "axis_ratio": ("1", "major over minor axis of the beam"),
    "dynamic_range": ("1", "peak over noise"),
    "flux_ratio": ("1", "median of flux over NVSS flux, sources of 50 mJy and more in NVSS"),
}
"""What a night is judged by: unit and meaning of each; position angles have no median."""

_STORED = ("noise_jy", "beam_major_arcsec", "beam_minor_arcsec", "dynamic_range")
_NEEDS = {"axis_ratio": ("beam_major_arcsec", "beam_minor_arcsec")}
_NO_PHOTOMETRY = "no photometry in an image of this MS"
NO_CATALOGUE = "no NVSS fluxes in this database"
"""Why no image has a flux ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFigures:
    """Figures of n tile images, in order of time (unknown last).

    Attributes
    ----------
    ms_path, mid_mjd, hours
        Of each Measurement Set: its path, its middle (MJD, NaN for unknown) and its start in
        full hours since 1970 (None for unknown).
    image_id, image_path
        Shape (n,): the tile image of each.
    figures
        Of each quantity, and of ``beam_pa_deg``: shape (n,), NaN where there is none.
    flux
        Of the flux ratio: median, scatter and number of sources of each.
    why
        Shape (n,): why there is no flux ratio; empty where there is.
    absent
        Quantities that this file has no column for.
    as_of
        When the photometry was current; None: when it was read.
    """

    ms_path: list[str]
    mid_mjd: Floats
    hours: list[int | None]
    image_id: Ints
    image_path: NDArray[np.object_]
    figures: dict[str, Floats]
    flux: Rollup
    why: NDArray[np.object_]
    absent: tuple[str, ...]
    as_of: datetime | None


async def tile_figures(
    context: Context, nights: Iterable[str | date] | str | date | None, max_age_s: float
) -> TileFigures:
    """Read the tile images of some nights, or of all (None), with their flux ratios.

    Raises
    ------
    AbsentFeature
        This site has no table of images.
    InvalidInput
        A night is no date.
    """
    lacking = set(await context.images.absent())
    names = (*_STORED, "beam_pa_deg")
    rows = await context.images.columns("id", "path", "ms_path", "type", *names)
    directory = await context.directory()
    epochs, as_of = None, None
    measured = await context.database.find_table("photometry")
    if measured is not None:
        epochs, as_of = await all_epochs(context, max_age_s)
    catalogued = measured is not None and measured.has("nvss_flux_mjy")
    absent = [n for n in names if n in lacking]
    absent += [n for n, needs in _NEEDS.items() if lacking.intersection(needs)]
    absent += [] if catalogued else ["flux_ratio"]

    def find() -> TileFigures:
        paths, mid, hours, at = _tiles(directory, nights, rows)
        figures = {n: positive(rows[n][at]) for n in _STORED}
        figures["axis_ratio"] = axis_ratio(
            figures["beam_major_arcsec"], figures["beam_minor_arcsec"]
        )
        figures["beam_pa_deg"] = np.where(
            np.isfinite(rows["beam_pa_deg"][at]), rows["beam_pa_deg"][at], np.nan
        )
        flux, seen = _flux_ratios(epochs, rows, paths, at)
        lacking_nvss = measured is not None and not catalogued
        flux, why = enough_sources(flux, seen, _NO_PHOTOMETRY, catalogued=not lacking_nvss)
        figures["flux_ratio"] = flux.median
        return TileFigures(
            ms_path=paths,
            mid_mjd=mid,
            hours=hours,
            image_id=rows["id"][at].astype(np.int64),
            image_path=rows["path"][at],
            figures=figures,
            flux=flux,
            why=why,
            absent=tuple(absent),
            as_of=as_of,
        )

    with heartbeat():
        return await asyncio.to_thread(find)


def trends_frame(tiles: TileFigures) -> pd.DataFrame:
    """One row a tile image; see `ImagesService.trends`."""
    data: dict[str, Any] = {
        "night": nights_of(tiles.hours),
        "hour": [None if h is None else h % 24 for h in tiles.hours],
        "mid_mjd": cells(tiles.mid_mjd),
        "image_id": tiles.image_id,
        "image_path": tiles.image_path,
        "ms_path": tiles.ms_path,
        **{name: cells(tiles.figures[name]) for name in (*QUANTITIES, "beam_pa_deg")},
        "flux_ratio_mad": cells(tiles.flux.mad),
        "flux_ratio_n": tiles.flux.n,
        "flux_ratio_reason": tiles.why,
    }
    kind: dict[str, type] = dict.fromkeys(data, float)
    kind |= dict.fromkeys(("hour", "image_id", "flux_ratio_n"), int)
    kind |= dict.fromkeys(("night", "image_path", "ms_path", "flux_ratio_reason"), str)
    units = {n: unit for n, (unit, _) in QUANTITIES.items()}
    units |= {"hour": "h (UTC)", "mid_mjd": "d (MJD, UTC)", "beam_pa_deg": "deg"}
    units |= {"flux_ratio_mad": "1", "flux_ratio_n": "1"}
    meanings = {n: meaning for n, (_, meaning) in QUANTITIES.items()} | {
        "mid_mjd": "middle of the observation",
        "beam_pa_deg": "position angle of the beam, east of north",
        "flux_ratio_mad": "median absolute deviation of the sources' ratios (not scaled)",
        "flux_ratio_n": "sources that made it",
        "flux_ratio_reason": "why there is no flux ratio",
    }
    made = frame(data, kind, units=units, meanings=meanings, absent=tiles.absent)
    return add_datetimes(made, {"mid_datetime": "mid_mjd"})


def nightly_frame(tiles: TileFigures) -> pd.DataFrame:
    """One row a night; see `ImagesService.nightly`."""
    import pandas as pd

    of = nights_of(tiles.hours)
    nights = sorted({night for night in of if night is not None})
    place = {night: i for i, night in enumerate(nights)}
    group = np.array([-1 if night is None else place[night] for night in of], np.int64)
    count = np.bincount(group[group >= 0], minlength=len(nights))
    data: dict[str, Any] = {
        "night": nights,
        "mid_mjd": cells(roll_up(tiles.mid_mjd, group, len(nights)).median),
        "n_tiles": count,
    }
    kind: dict[str, type] = {"night": str, "mid_mjd": float, "n_tiles": int, "regressions": str}
    units = {"mid_mjd": "d (MJD, UTC)", "n_tiles": "1"}
    meanings = {"mid_mjd": "median over the tiles of their middles", "n_tiles": "tile images"}
    told: list[list[str]] = [[] for _ in nights]
    for name, (unit, meaning) in QUANTITIES.items():
        found = roll_up(tiles.figures[name], group, len(nights))
        earlier = against_earlier(found.median)
        compared = np.isfinite(earlier.median)
        data |= {
            name: cells(found.median),
            f"{name}_mad": cells(found.mad),
            f"{name}_n": found.n,
            f"{name}_before": cells(earlier.median),
            f"{name}_before_sigma": cells(earlier.sigma),
            f"{name}_deviation": cells(earlier.deviation),
            f"{name}_regression": pd.arrays.BooleanArray(earlier.regression, ~compared),
        }
        floats = (name, *(f"{name}_{what}" for what in ("mad", "before", "before_sigma")))
        kind |= dict.fromkeys((*floats, f"{name}_deviation"), float) | {f"{name}_n": int}
        units |= dict.fromkeys(floats, unit) | {f"{name}_n": "1", f"{name}_deviation": "1"}
        meanings |= {
            name: f"median over the tiles: {meaning}",
            f"{name}_mad": "median absolute deviation of the tiles (not scaled)",
            f"{name}_n": "tiles that have one",
            f"{name}_before": "median of the 14 nights before at most; of 5 at least",
            f"{name}_before_sigma": "1.4826 MAD of those nights",
            f"{name}_deviation": "from that median, in 1.4826 MAD of those nights",
            f"{name}_regression": "further than 4 of them",
        }
        for i in np.flatnonzero(earlier.regression).tolist():
            told[i].append(f"{name} {earlier.deviation[i]:+.1f} sigma")
    data["regressions"] = [", ".join(words) for words in told]
    made = frame(data, kind, units=units, meanings=meanings, absent=tiles.absent)
    return add_datetimes(made, {"mid_datetime": "mid_mjd"})


def _tiles(
    directory: Directory,
    nights: Iterable[str | date] | str | date | None,
    rows: dict[str, NDArray[Any]],
) -> tuple[list[str], Floats, list[int | None], Ints]:
    """Tiles that have an image, in order of time: path, middle, hours, row of the tile image."""
    wanted: list[tuple[str, float | None, int | None]] = []
    single = nights is None or isinstance(nights, (str, date))
    for night in (nights,) if single else dict.fromkeys(nights or ()):  # type: ignore[arg-type]
        wanted += zip(*directory.tiles(night), strict=True)  # type: ignore[arg-type]
    place = {path: i for i, (path, _, _) in enumerate(wanted)}
    # one step in C over so many objects would hold the interpreter's lock
    count = len(rows["id"])
    ms = np.fromiter((place.get(path, -1) for path in rows["ms_path"]), np.int64, count)
    rank_of = {word: i for i, words in enumerate(TILE_TYPES) for word in words}
    rank = np.fromiter((rank_of.get(t, len(TILE_TYPES)) for t in rows["type"]), np.int64, count)
    # the last assignment counts: best type, then highest id
    order = np.lexsort((rows["id"], -rank))
    order = order[(rank[order] < len(TILE_TYPES)) & (ms[order] >= 0)]
    best = np.full(len(wanted), -1, np.int64)
    best[ms[order]] = order
    when = np.array([np.nan if mid is None else mid for _, mid, _ in wanted], float)
    kept = np.flatnonzero(best >= 0)
    kept = kept[np.argsort(when[kept], kind="stable")]
    found = [wanted[i] for i in kept.tolist()]
    return [p for p, _, _ in found], when[kept], [h for _, _, h in found], best[kept]


def nights_of(hours: list[int | None]) -> list[str | None]:
    """UTC date of each count of full hours since 1970."""
    written = {day: night_of_hour(day * 24) for day in {h // 24 for h in hours if h is not None}}
    return [None if h is None else written[h // 24] for h in hours]


def _flux_ratios(
    epochs: Epochs | None, rows: dict[str, NDArray[Any]], tiles: list[str], at: Ints
) -> tuple[Rollup, NDArray[np.bool_]]:
    """Flux over NVSS flux in each tile, and whether any source was measured in it.

    Photometry may have been made in another image of the MS than its tile image (the one
    corrected for the primary beam): then the latest such image counts.
    """
    count = len(tiles)
    seen = np.zeros(count, bool)
    if epochs is None or not len(epochs.images):
        return roll_up(np.zeros(0), np.zeros(0, np.int64), count), seen
    place = {path: i for i, path in enumerate(tiles)}
    row_of = {path: row for row, path in enumerate(rows["path"])}  # the latest row of a path
    row = np.array([row_of.get(path, -1) for path in epochs.images], np.int64)
    known = np.flatnonzero(row >= 0)
    tile = np.array([place.get(path, -1) for path in rows["ms_path"][row[known]]], np.int64)
    known, tile = known[tile >= 0], tile[tile >= 0]
    own = row[known] == at[tile]
    order = np.lexsort((row[known], own))
    chosen = np.full(count, -1, np.int64)
    chosen[tile[order]] = known[order]
    tile_of = np.full(len(epochs.images) + 1, -1, np.int64)  # the last: no image
    seen = chosen >= 0
    tile_of[chosen[seen]] = np.flatnonzero(seen)
    ratio, image = nvss_ratios(epochs)
    return roll_up(ratio, tile_of[image], count), seen


def nvss_ratios(epochs: Epochs) -> tuple[Floats, Ints]:
    """Flux over NVSS flux of each measurement of a bright source that counts, and its image."""
    with np.errstate(invalid="ignore"):
        bright = epochs.nvss_flux_mjy >= LEAST_NVSS_MJY
    of_bright = spread(bright, epochs.offsets) & (epochs.reason == 0)
    nvss = take_rows(spread(epochs.nvss_flux_mjy, epochs.offsets), of_bright)
    image = take_rows(epochs.image, of_bright)
    return take_rows(epochs.flux_jy, of_bright) * 1e3 / nvss, image.astype(np.int64)


def enough_sources(
    flux: Rollup, seen: NDArray[np.bool_], unseen: str, *, catalogued: bool
) -> tuple[Rollup, NDArray[np.object_]]:
    """Take the flux ratios that rest on too few sources away, and say why there is none."""
    enough = flux.n >= LEAST_SOURCES
    words = [
        f"{n} of the {LEAST_SOURCES} sources needed ({LEAST_NVSS_MJY:.0f} mJy or more)"
        for n in range(LEAST_SOURCES)
    ]
    why = np.array(words, object)[np.minimum(flux.n, LEAST_SOURCES - 1)]
    why[~seen] = unseen
    if not catalogued:
        why[:] = NO_CATALOGUE
    why[enough] = ""
    return Rollup(
        np.where(enough, flux.median, np.nan), np.where(enough, flux.mad, np.nan), flux.n
    ), why


def positive(values: Floats) -> Floats:
    """Take what is not positive and finite as missing (NaN)."""
    with np.errstate(invalid="ignore"):
        found: Floats = np.where((values > 0.0) & np.isfinite(values), values, np.nan)
    return found


def cells(values: Floats) -> Any:
    """Nullable numbers: missing where NaN, an infinity as it is."""
    import pandas as pd

    return pd.arrays.FloatingArray(np.asarray(values, np.float64), np.isnan(values))
