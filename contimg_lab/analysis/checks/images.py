"""Checks of images: noise against the same sky, dynamic range, and the beam."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks._declared import PASS, WARN, Found, Limits, check
from contimg_lab.analysis.checks._hours import (
    by_hour,
    found_of,
    graded,
    nothing,
    positive,
)
from contimg_lab.analysis.checks._night import Columns, Night
from contimg_lab.analysis.hour_checks import HourFigures

__all__ = ["beam", "beam_angle", "beam_size", "dynamic_range", "noise"]

Floats = NDArray[np.float64]


def _tiles(night: Night) -> Columns:
    """The tile image of each tile."""
    return night.images.where(night.images["is_tile"] == 1.0)


@check(
    "noise",
    protects_against="images that are worse than this field usually is",
    metric="median noise of the hour's tiles over that of earlier nights at the same sidereal time",
    unit="1",
    needs=["images", "images.noise_jy"],
)
def noise(night: Night, limits: Limits) -> Iterator[Found]:
    """Compare the noise of each hour with that of the same sky on earlier nights."""
    images, references = _tiles(night), night.references
    level = images["noise_jy"]
    n_tiles = {hour: int(m.sum()) for hour, m in by_hour(night.ms, night, _is_tile(night))}
    for hour, mine in by_hour(images, night, positive(level)):
        row = np.flatnonzero((references["hour"] == hour) & positive(references["noise_median_jy"]))
        if not mine.any():
            yield nothing("no tile image of the hour has a noise", hour=hour)
        elif not len(row):
            yield nothing("no earlier night nor other hour to compare with", hour=hour)
        else:
            ratio = level / references["noise_median_jy"][row[0]]
            figures = HourFigures(
                n_tiles=max(n_tiles[hour], int(mine.sum())), n_noise=int(mine.sum()),
                noise_ratio=float(np.median(ratio[mine])),
                largest_noise_ratio=float(ratio[mine].max()),
            )  # fmt: skip
            noisy = mine & (ratio > limits["warn"])
            of = references["of"][row[0]]
            more = f", median of {of}" if of else ""
            rows = {"images": images["id"][noisy]}
            yield found_of("noise", hour, figures, limits, rows, more)


def _is_tile(night: Night) -> NDArray[np.bool_]:
    return np.asarray(night.ms["kind"] == "tile")


@check(
    "dynamic_range",
    protects_against="images that hold artefacts in place of faint sources, or nothing at all",
    metric="median of peak over noise of the hour's tile images",
    unit="1",
    severity="notice",
    needs=["images", "images.dynamic_range"],
)
def dynamic_range(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge the recorded dynamic range of each hour's tile images."""
    images = _tiles(night)
    value = images["dynamic_range"]
    for hour, mine in by_hour(images, night, np.isfinite(value)):
        if not mine.any():
            yield nothing("no tile image of the hour has a dynamic range", hour=hour)
            continue
        middle, low = float(np.median(value[mine])), mine & (value < limits["warn"])
        why = f"median {middle:.0f}, lowest {value[mine].min():.0f} of {mine.sum()} tile images"
        rows = {"images": images["id"][low]}
        yield graded(middle, limits, why, low_is_bad=True, hour=hour, rows=rows)


@check(
    "beam",
    protects_against="a beam drawn out by flagged or missing antennas",
    metric="median of major over minor axis of the hour's tile images",
    unit="1",
    needs=["images", "images.beam_major_arcsec", "images.beam_minor_arcsec"],
)
def beam(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge the axis ratio of each hour's beams."""
    images = _tiles(night)
    ratio, known = _axis_ratio(images)
    for hour, mine in by_hour(images, night, known):
        if not mine.any():
            yield nothing("no tile image of the hour has both axes of its beam", hour=hour)
            continue
        figures = HourFigures(beam_axis_ratio=float(np.median(ratio[mine])))
        rows = {"images": images["id"][mine & (ratio > limits["warn"])]}
        yield found_of("beam", hour, figures, limits, rows)


def _axis_ratio(images: Columns) -> tuple[Floats, NDArray[np.bool_]]:
    major, minor = images["beam_major_arcsec"], images["beam_minor_arcsec"]
    ratio = major / minor
    return ratio, positive(major) & positive(minor) & np.isfinite(ratio)


@check(
    "beam_size",
    protects_against="a resolution that is not the instrument's",
    metric="median size of the hour's beams over the default one (geometric mean of the axes)",
    unit="1",
    severity="notice",
    needs=["images", "images.beam_major_arcsec"],
)
def beam_size(night: Night, limits: Limits) -> Iterator[Found]:
    """Compare the beams of each hour with the default beam; by the major axis where alone."""
    images = _tiles(night)
    major, minor = images["beam_major_arcsec"], images["beam_minor_arcsec"]
    usual = limits["major_arcsec"], limits["minor_arcsec"]
    both = np.sqrt(major / usual[0]) * np.sqrt(minor / usual[1])
    size = np.where(positive(minor), both, major / usual[0])
    off = np.maximum(size, 1.0 / np.where(size > 0.0, size, np.inf))
    for hour, mine in by_hour(images, night, positive(major) & positive(size) & np.isfinite(off)):
        if not mine.any():
            yield nothing("no tile image of the hour has a beam", hour=hour)
            continue
        middle = float(np.median(size[mine]))
        wrong = mine & (off > limits["warn_factor"])
        word = WARN if max(middle, 1.0 / middle) > limits["warn_factor"] else PASS
        why = f"median {middle:.2f} of the default size; {wrong.sum()} tile images beyond the limit"
        yield Found(
            word=word, why=why, value=middle, limit="warn_factor", hour=hour,
            rows={"images": images["id"][wrong]} if word != PASS else None,
        )  # fmt: skip


@check(
    "beam_angle",
    protects_against="a tile that was made of other antennas or baselines than its neighbours",
    metric="largest turn of a tile's beam from the hour's middle one",
    unit="deg",
    severity="notice",
    needs=["images", "images.beam_pa_deg"],
)
def beam_angle(night: Night, limits: Limits) -> Iterator[Found]:
    """Find tiles whose beam is turned against those of their hour."""
    images = _tiles(night)
    angle = images["beam_pa_deg"]
    ratio, known = _axis_ratio(images)
    drawn = np.isfinite(angle) & (~known | (ratio >= limits["least_ratio"]))
    for hour, mine in by_hour(images, night, drawn):
        if mine.sum() < 3:  # of two that differ nobody knows which one turned
            yield nothing(f"{mine.sum()} tile images of the hour have a direction", hour=hour)
            continue
        apart = _turned(angle[mine][:, None], angle[mine][None, :])
        off = np.full(len(angle), np.nan)
        off[mine] = apart[int(np.argmin(apart.sum(axis=1)))]
        turned = mine & (off > limits["warn_deg"])
        why = f"up to {off[mine].max():.1f} deg; {turned.sum()} of {mine.sum()} beyond the limit"
        yield graded(
            float(off[mine].max()), limits, why, warn="warn_deg", hour=hour,
            rows={"images": images["id"][turned]},
        )  # fmt: skip


def _turned(one_deg: Floats, other_deg: Floats) -> Floats:
    """Angle between directions that have no head, 0 to 90 degrees."""
    return np.asarray(np.abs(np.mod(one_deg - other_deg + 90.0, 180.0) - 90.0))
