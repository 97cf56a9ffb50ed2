"""What a night is compared with: earlier nights only, so that no later one changes a verdict."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.segments import offsets_of, over_blocks
from contimg_lab.services._epochs import Epochs
from contimg_lab.services._night_rows import NIGHTS_BACK, NightRows
from contimg_lab.services._sidereal import sidereal_deg, within_hour
from contimg_lab.services._trends import TILE_TYPES
from contimg_lab.times import night_bounds_mjd

__all__ = ["NoiseReference", "SourceReference", "noise_references", "source_references"]

Floats = NDArray[np.float64]

_FEWEST = 5  # tiles at the same sidereal time


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseReference:
    """What the noise of one hour is compared with, Jy/beam; ``of`` says it in words."""

    hour: int
    median_jy: float
    mad_jy: float
    n: int
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReference:
    """One source before the night: weighted mean, its error (Jy), epochs, reduced chi-squared.

    ``eta`` is NaN of one epoch.
    """

    flux_jy: float
    err_jy: float
    n: int
    eta: float


def noise_references(rows: NightRows, noise_jy: Mapping[str, float]) -> tuple[NoiseReference, ...]:
    """Find what each hour's noise is compared with.

    The earlier nights' tiles at the same sidereal time, which is the same sky; where they are
    too few, the night's other hours.

    Parameters
    ----------
    rows
        What was read.
    noise_jy
        Noise of the night's tiles by MS, where they have one.
    """
    earlier = _earlier_noise(rows)
    levels = np.array(list(earlier.values()), float)
    lst = sidereal_deg(rows.earlier[path] for path in earlier)
    tiles = [e for e in rows.entries if e.kind == "tile" and e.indexed]
    found = []
    for hour in sorted({e.hour for e in tiles if e.hour is not None}):
        same = within_hour(lst, sidereal_deg(e for e in tiles if e.hour == hour))
        if same.sum() >= _FEWEST:
            values, of = levels[same], "tiles of earlier nights at the same sidereal time"
        else:
            others = [e.ms.path for e in tiles if e.hour != hour]
            rest = [noise_jy[path] for path in others if path in noise_jy]
            values, of = np.array(rest, float), "the night's other hours"
        if len(values):
            median = statistics.median(values.tolist())
            found.append(
                NoiseReference(
                    hour=hour,
                    median_jy=median,
                    mad_jy=statistics.median(np.abs(values - median).tolist()),
                    n=len(values),
                    of=of,
                )
            )
    return tuple(found)


def _earlier_noise(rows: NightRows) -> dict[str, float]:
    """Noise of the tile image of each earlier tile that has one; see `images.tile_images`."""
    images = rows.earlier_images
    if not images:
        return {}
    ranks = {name: rank for rank, names in enumerate(TILE_TYPES) for name in names}
    best: dict[str, tuple[int, float, float]] = {}
    for number, path, kind, noise in zip(
        *(images[name].tolist() for name in ("id", "ms_path", "type", "noise_jy")), strict=True
    ):
        rank = ranks.get(kind)
        if rank is None or path not in rows.earlier:
            continue
        one = (-rank, -math.inf if math.isnan(number) else number, noise)
        if path not in best or one[:2] > best[path][:2]:
            best[path] = one
    return {path: noise for path, (_, _, noise) in best.items() if 0.0 < noise < math.inf}


def source_references(
    epochs: Epochs | None, night: str, source_ids: frozenset[str]
) -> dict[str, SourceReference]:
    """Find what each source was in the nights before, by source; those without are left out.

    Epochs that count, of the 30 days before the night.

    References
    ----------
    Bevington & Robinson 2003, Data Reduction and Error Analysis, eq. 4.17 and 4.19 (weighted
    mean and its error).
    """
    if epochs is None:
        return {}
    start, _ = night_bounds_mjd(night)
    at = np.array(sorted(epochs.places[s] for s in source_ids if s in epochs.places), np.int64)
    counts = epochs.counts[at]
    mean, err, eta = (np.full(len(at), np.nan) for _ in range(3))
    n = np.zeros(len(at), np.int64)

    def block(first: int, last: int) -> None:
        of = slice(first, last)
        begin = offsets_of(counts[of])
        since = np.arange(begin[-1]) - np.repeat(begin[:-1], counts[of])
        rows = since + np.repeat(epochs.offsets[at[of]], counts[of])
        source = np.repeat(np.arange(last - first), counts[of])
        mjd = epochs.mjd[rows]
        with np.errstate(invalid="ignore"):
            counted = (epochs.reason[rows] == 0) & (mjd >= start - NIGHTS_BACK) & (mjd < start)
        rows, source = rows[counted], source[counted]
        flux, err_jy = epochs.flux_jy[rows], epochs.flux_err_jy[rows]
        weight = 1.0 / (err_jy * err_jy)  # a power may differ in its last bit between machines
        n[of] = np.bincount(source, minlength=last - first)
        total = np.bincount(source, weight, minlength=last - first)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean[of] = np.bincount(source, weight * flux, minlength=last - first) / total
            away = weight * (flux - mean[of][source]) ** 2
            chi2 = np.bincount(source, away, minlength=last - first)
            eta[of] = np.where(n[of] > 1, chi2 / (n[of] - 1), np.nan)
            err[of] = 1.0 / np.sqrt(total)

    over_blocks(block, offsets_of(counts))
    return {
        epochs.source_ids[place]: SourceReference(flux_jy=m, err_jy=e, n=k, eta=x)
        for place, m, e, k, x in zip(
            at.tolist(), mean.tolist(), err.tolist(), n.tolist(), eta.tolist(), strict=True
        )
        if k
    }
