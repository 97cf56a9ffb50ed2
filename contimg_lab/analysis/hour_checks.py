"""The checks of one UTC hour: what is measured, the limits with their source, and the word.

A check without anything to look at is "not applicable" and says why; it never passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from contimg_lab.thresholds import Thresholds, packaged_thresholds

__all__ = [
    "CHECKS",
    "FAIL",
    "LIMITS",
    "NOT_APPLICABLE",
    "PASS",
    "WARN",
    "HourFigures",
    "Limit",
    "Verdict",
    "flux_ratios",
    "judge",
    "judge_hour",
    "limits_of",
]

PASS, WARN, FAIL, NOT_APPLICABLE = "pass", "warn", "fail", "not applicable"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Limits of one check.

    Attributes
    ----------
    warn, fail
        The rule of each word, in words; "" where there is none.
    bounds
        The numbers in the rules, by name.
    source
        Who uses them.
    """

    warn: str
    fail: str
    bounds: Mapping[str, float]
    source: str


def limits_of(thresholds: Thresholds) -> Mapping[str, Limit]:
    """Return the limits of every check of an hour, from a set of thresholds.

    Parameters
    ----------
    thresholds
        A set that names those of the package.
    """
    told: dict[str, Limit] = {}
    for name, (warn, fail) in _RULES.items():
        bounds = thresholds.of(name)
        sources = dict.fromkeys(
            held.source for key, held in thresholds.limits.items() if key.startswith(f"{name}.")
        )
        told[name] = Limit(
            warn=warn.format_map(bounds),
            fail=fail.format_map(bounds).replace("%", " %"),  # as SI writes it
            bounds=bounds,
            source="; ".join(sources),
        )
    return told


_RULES: Mapping[str, tuple[str, str]] = {
    "tiles": ("more than {most:g}", "fewer than {fewest:g}"),
    "failed": ("any failed run", "more than {fail_fraction:.0%} of the runs"),
    "calibration": (
        "a tile's nearest bandpass table is more than {warn_hours:g} h away",
        "a tile has no bandpass table within 12 h, or only beyond {fail_hours:g} h",
    ),
    "noise": (
        "median more than {warn:g} times the reference, or one tile more than {warn_tile:g} times",
        "median more than {fail:g} times the reference",
    ),
    "beam": ("axis ratio above {warn:g}", "axis ratio above {fail:g}"),
    "flux_ratio": ("", "outside {low:g} to {high:g}, or fewer than {fewest:g} sources found"),
    "gaps": ("a hole of more than {minutes:g} minutes between tiles", ""),
    "declination": (
        "more than {warn_deg:g} deg from the night's median: a new pointing",
        "more than {fail_deg:g} deg: another strip",
    ),
}

CHECKS = tuple(_RULES)
"""The checks in the order in which they are shown."""

LIMITS = limits_of(packaged_thresholds())
"""The package's own limits: defaults, which upstream does not agree on with itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigures:
    """What was measured of one hour.

    A number that is not known is NaN, and ``absent`` says why by the name of its check.

    Attributes
    ----------
    n_tiles, n_runs, n_failed, n_gaps
        Tiles, runs, failed runs, holes that begin in the hour.
    longest_gap_minutes
        Longest time between the starts of two tiles that begins in the hour.
    n_inside, n_nearest, n_none
        Tiles by state of their bandpass table.
    farthest_hours
        Largest distance of a nearest table; NaN where there is none.
    n_noise
        Tiles whose image has a noise.
    noise_ratio, largest_noise_ratio
        Median and largest noise of the tile images over the reference.
    beam_axis_ratio
        Median of major over minor axis.
    flux_ratio
        Median of measured over catalogued flux.
    n_flux, n_catalogued
        Catalogued sources found, and those measured at all.
    dec_offset_deg
        Largest distance of a tile's declination from the night's median.
    absent
        Reason by check, where it cannot be made.
    """

    n_tiles: int = 0
    n_runs: int = 0
    n_failed: int = 0
    n_gaps: int = 0
    longest_gap_minutes: float = math.nan
    n_inside: int = 0
    n_nearest: int = 0
    n_none: int = 0
    farthest_hours: float = math.nan
    n_noise: int = 0
    noise_ratio: float = math.nan
    largest_noise_ratio: float = math.nan
    beam_axis_ratio: float = math.nan
    flux_ratio: float = math.nan
    n_flux: int = 0
    n_catalogued: int = 0
    dec_offset_deg: float = math.nan
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One word about one check, and why.

    Attributes
    ----------
    word, why
        Pass, warn, fail or not applicable, and the reason in words.
    value
        What was measured; NaN where nothing was.
    limit
        Which of the bounds decided, or was nearest; "" where nothing was measured.
    """

    word: str
    why: str
    value: float = math.nan
    limit: str = ""


def judge_hour(figures: HourFigures, limits: Mapping[str, Limit] = LIMITS) -> dict[str, Verdict]:
    """Judge every check of one hour, in the order of `CHECKS`."""
    told: dict[str, Verdict] = {}
    for check in CHECKS:
        absent = figures.absent.get(check)
        bounds = limits[check].bounds
        told[check] = Verdict(NOT_APPLICABLE, absent) if absent else judge(check, figures, bounds)
    return told


def judge(check: str, figures: HourFigures, bounds: Mapping[str, float]) -> Verdict:
    """Judge one check of one hour.

    Parameters
    ----------
    check
        One of `CHECKS`.
    figures
        What was measured; only the figures of this check are looked at.
    bounds
        Its limits by short name.
    """
    return _JUDGES[check](figures, bounds)


def flux_ratios(
    hour: NDArray[np.integer], source: NDArray[np.integer], ratio: Floats, found: NDArray[np.bool_]
) -> dict[int, tuple[float, int, int]]:
    """Median flux ratio of each hour, with sources found and sources measured.

    Parameters
    ----------
    hour, source
        Shape (n,): of each measurement of a catalogued source.
    ratio
        Shape (n,): measured over catalogued flux.
    found
        Shape (n,): whether the source is detected.

    Returns
    -------
    dict
        By hour: the median over the detections (NaN of none), how many sources they are of,
        and how many sources were measured.
    """
    told: dict[int, tuple[float, int, int]] = {}
    for one in np.unique(hour).tolist():
        mine = hour == one
        seen = mine & found
        median = float(np.median(ratio[seen])) if seen.any() else math.nan
        told[one] = (median, len(np.unique(source[seen])), len(np.unique(source[mine])))
    return told


Bounds = Mapping[str, float]


def _tiles(f: HourFigures, bounds: Bounds) -> Verdict:
    told = f"{f.n_tiles} tiles, {bounds['fewest']:g} to {bounds['most']:g} are an hour"
    if f.n_tiles < bounds["fewest"]:
        return Verdict(FAIL, told, f.n_tiles, "fewest")
    many = f.n_tiles > bounds["most"]
    return Verdict(WARN if many else PASS, told, f.n_tiles, "most" if many else "fewest")


def _failed(f: HourFigures, bounds: Bounds) -> Verdict:
    told = f"{f.n_failed} of {f.n_runs} runs failed"
    share = f.n_failed / f.n_runs if f.n_runs else math.nan
    if f.n_failed > bounds["fail_fraction"] * f.n_runs:
        return Verdict(FAIL, told, share, "fail_fraction")
    return Verdict(WARN if f.n_failed else PASS, told, share, "fail_fraction")


def _calibration(f: HourFigures, bounds: Bounds) -> Verdict:
    if f.n_none:
        told = f"{f.n_none} of {f.n_tiles} tiles have no bandpass table"
        return Verdict(FAIL, told, f.farthest_hours, "fail_hours")
    if f.n_nearest:
        told = f"{f.n_nearest} tiles have a nearest table only, up to {f.farthest_hours:.1f} h away"
        if f.farthest_hours > bounds["fail_hours"]:
            return Verdict(FAIL, told, f.farthest_hours, "fail_hours")
        late = f.farthest_hours > bounds["warn_hours"]
        return Verdict(WARN if late else PASS, told, f.farthest_hours, "warn_hours")
    return Verdict(PASS, "every tile lies in a window", limit="warn_hours")


def _noise(f: HourFigures, bounds: Bounds) -> Verdict:
    if not math.isfinite(f.noise_ratio):
        return Verdict(NOT_APPLICABLE, "not known")
    told = (
        f"noise of {f.n_noise} of {f.n_tiles} tiles: median {f.noise_ratio:.2f}, largest "
        f"{f.largest_noise_ratio:.2f} times the reference"
    )
    made = _above(f.noise_ratio, bounds, told)
    outlier = f.largest_noise_ratio > bounds["warn_tile"]
    if made.word == PASS and outlier:
        return Verdict(WARN, told, f.largest_noise_ratio, "warn_tile")
    return made


def _beam(f: HourFigures, bounds: Bounds) -> Verdict:
    if not math.isfinite(f.beam_axis_ratio):
        return Verdict(NOT_APPLICABLE, "not known")
    return _above(f.beam_axis_ratio, bounds, f"axis ratio {f.beam_axis_ratio:.2f}")


def _above(value: float, bounds: Bounds, told: str) -> Verdict:
    if value > bounds["fail"]:
        return Verdict(FAIL, told, value, "fail")
    return Verdict(WARN if value > bounds["warn"] else PASS, told, value, "warn")


def _flux_ratio(f: HourFigures, bounds: Bounds) -> Verdict:
    if f.n_catalogued < bounds["fewest_catalogued"]:
        least = bounds["least_mjy"]
        return Verdict(
            NOT_APPLICABLE,
            f"{f.n_catalogued} catalogued sources of {least:g} mJy or more were measured",
        )
    if f.n_flux < bounds["fewest"]:
        told = f"{f.n_flux} of {f.n_catalogued} catalogued sources found"
        return Verdict(FAIL, told, f.flux_ratio, "fewest")
    told = f"median ratio {f.flux_ratio:.2f} of {f.n_flux} sources"
    inside = bounds["low"] <= f.flux_ratio <= bounds["high"]
    middle = 0.5 * (bounds["low"] + bounds["high"])
    nearest = "low" if f.flux_ratio < middle else "high"
    return Verdict(PASS if inside else FAIL, told, f.flux_ratio, nearest)


def _gaps(f: HourFigures, bounds: Bounds) -> Verdict:
    told = f"{f.n_gaps} holes of more than {bounds['minutes']:g} minutes"
    return Verdict(WARN if f.n_gaps else PASS, told, f.longest_gap_minutes, "minutes")


def _declination(f: HourFigures, bounds: Bounds) -> Verdict:
    off = abs(f.dec_offset_deg)
    if not math.isfinite(off):
        return Verdict(NOT_APPLICABLE, "not known")
    told = f"{off:.3f} deg from the night's median"
    if off > bounds["fail_deg"]:
        return Verdict(FAIL, told, off, "fail_deg")
    return Verdict(WARN if off > bounds["warn_deg"] else PASS, told, off, "warn_deg")


_JUDGES: Mapping[str, Callable[[HourFigures, Bounds], Verdict]] = {
    "tiles": _tiles,
    "failed": _failed,
    "calibration": _calibration,
    "noise": _noise,
    "beam": _beam,
    "flux_ratio": _flux_ratio,
    "gaps": _gaps,
    "declination": _declination,
}
