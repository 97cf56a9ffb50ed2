"""The checks of one UTC hour: what is measured, the limits with their source, and the word.

A check without anything to look at is "not applicable" and says why; it never passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.coverage import MAX_DISTANCE_HOURS, WARN_DISTANCE_HOURS
from contimg_lab.analysis.drift import NEW_POINTING_DEG, WRONG_STRIP_DEG

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
    "judge_hour",
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


LIMITS: Mapping[str, Limit] = {
    "tiles": Limit(
        warn="more than 12",
        fail="fewer than 8",
        bounds={"fewest": 8, "most": 12},
        source="practice 1d: an hour is 8 to 12 tiles of five minutes",
    ),
    "failed": Limit(
        warn="any failed run",
        fail="more than 10 % of the runs",
        bounds={"fail_fraction": 0.10},
        source="practice 1d: a failure rate above 10 % in an hour is critical",
    ),
    "calibration": Limit(
        warn=f"a tile's nearest bandpass table is more than {WARN_DISTANCE_HOURS:g} h away",
        fail=f"a tile has no bandpass table within {MAX_DISTANCE_HOURS:g} h",
        bounds={"warn_hours": WARN_DISTANCE_HOURS, "fail_hours": MAX_DISTANCE_HOURS},
        source="practice 1c: the pipeline's own choice of a table, and its warning",
    ),
    "noise": Limit(
        warn="median more than 1.5 times the reference, or one tile more than 3 times",
        fail="median more than 2 times the reference",
        bounds={"warn": 1.5, "fail": 2.0, "warn_tile": 3.0},
        source="practice 1b: rms over expected of the composite gate; expected is measured, as "
        "LOFAR's TraP does (1e)",
    ),
    "beam": Limit(
        warn="axis ratio above 2",
        fail="axis ratio above 3",
        bounds={"warn": 2.0, "fail": 3.0},
        source="practice 1e: LOFAR's TraP rejects above 2, VLA archive QA looks above 3; the "
        "pipeline has no gate",
    ),
    "flux_ratio": Limit(
        warn="",
        fail="outside 0.8 to 1.2, or fewer than 3 sources found",
        bounds={"low": 0.8, "high": 1.2, "fewest": 3, "least_mjy": 50.0, "least_snr": 5.0},
        source="practice 1b: the epoch gate, sources of 50 mJy and more found above 5 sigma",
    ),
    "gaps": Limit(
        warn="a hole of more than 10 minutes between tiles",
        fail="",
        bounds={"minutes": 10.0},
        source="practice 1d: holes of 5 to 10 minutes occur in good hours",
    ),
    "declination": Limit(
        warn=f"more than {NEW_POINTING_DEG:g} deg from the night's median: a new pointing",
        fail=f"more than {WRONG_STRIP_DEG:g} deg: another strip",
        bounds={"warn_deg": NEW_POINTING_DEG, "fail_deg": WRONG_STRIP_DEG},
        source="practice 1d: the pipeline's limits",
    ),
}
"""The limits of every check: defaults, which upstream does not agree on with itself."""

CHECKS = tuple(LIMITS)
"""The checks in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigures:
    """What was measured of one hour.

    A number that is not known is NaN, and ``absent`` says why by the name of its check.

    Attributes
    ----------
    n_tiles, n_runs, n_failed, n_gaps
        Tiles, runs, failed runs, holes that begin in the hour.
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

    n_tiles: int
    n_runs: int
    n_failed: int
    n_gaps: int
    n_inside: int
    n_nearest: int
    n_none: int
    farthest_hours: float
    n_noise: int
    noise_ratio: float
    largest_noise_ratio: float
    beam_axis_ratio: float
    flux_ratio: float
    n_flux: int
    n_catalogued: int
    dec_offset_deg: float
    absent: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One word about one check, and why."""

    word: str
    why: str


def judge_hour(figures: HourFigures) -> dict[str, Verdict]:
    """Judge every check of one hour, in the order of `CHECKS`."""
    told: dict[str, Verdict] = {}
    for check in CHECKS:
        absent = figures.absent.get(check)
        told[check] = Verdict(NOT_APPLICABLE, absent) if absent else _JUDGES[check](figures)
    return told


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


def _tiles(f: HourFigures) -> Verdict:
    bounds = LIMITS["tiles"].bounds
    told = f"{f.n_tiles} tiles, 8 to 12 are an hour"
    if f.n_tiles < bounds["fewest"]:
        return Verdict(FAIL, told)
    return Verdict(WARN if f.n_tiles > bounds["most"] else PASS, told)


def _failed(f: HourFigures) -> Verdict:
    told = f"{f.n_failed} of {f.n_runs} runs failed"
    if f.n_failed > LIMITS["failed"].bounds["fail_fraction"] * f.n_runs:
        return Verdict(FAIL, told)
    return Verdict(WARN if f.n_failed else PASS, told)


def _calibration(f: HourFigures) -> Verdict:
    if f.n_none:
        return Verdict(FAIL, f"{f.n_none} of {f.n_tiles} tiles have no bandpass table")
    if f.n_nearest:
        told = f"{f.n_nearest} tiles have a nearest table only, up to {f.farthest_hours:.1f} h away"
        late = f.farthest_hours > LIMITS["calibration"].bounds["warn_hours"]
        return Verdict(WARN if late else PASS, told)
    return Verdict(PASS, "every tile lies in a window")


def _noise(f: HourFigures) -> Verdict:
    if not math.isfinite(f.noise_ratio):
        return Verdict(NOT_APPLICABLE, "not known")
    told = (
        f"noise of {f.n_noise} of {f.n_tiles} tiles: median {f.noise_ratio:.2f}, largest "
        f"{f.largest_noise_ratio:.2f} times the reference"
    )
    word = _above(f.noise_ratio, "noise")
    outlier = f.largest_noise_ratio > LIMITS["noise"].bounds["warn_tile"]
    return Verdict(WARN if word == PASS and outlier else word, told)


def _beam(f: HourFigures) -> Verdict:
    if not math.isfinite(f.beam_axis_ratio):
        return Verdict(NOT_APPLICABLE, "not known")
    return Verdict(_above(f.beam_axis_ratio, "beam"), f"axis ratio {f.beam_axis_ratio:.2f}")


def _above(value: float, check: str) -> str:
    bounds = LIMITS[check].bounds
    return FAIL if value > bounds["fail"] else WARN if value > bounds["warn"] else PASS


def _flux_ratio(f: HourFigures) -> Verdict:
    bounds = LIMITS["flux_ratio"].bounds
    if f.n_catalogued < bounds["fewest"]:
        return Verdict(
            NOT_APPLICABLE, f"{f.n_catalogued} catalogued sources of 50 mJy or more were measured"
        )
    if f.n_flux < bounds["fewest"]:
        return Verdict(FAIL, f"{f.n_flux} of {f.n_catalogued} catalogued sources found")
    told = f"median ratio {f.flux_ratio:.2f} of {f.n_flux} sources"
    inside = bounds["low"] <= f.flux_ratio <= bounds["high"]
    return Verdict(PASS if inside else FAIL, told)


def _gaps(f: HourFigures) -> Verdict:
    return Verdict(WARN if f.n_gaps else PASS, f"{f.n_gaps} holes of more than 10 minutes")


def _declination(f: HourFigures) -> Verdict:
    off = abs(f.dec_offset_deg)
    if not math.isfinite(off):
        return Verdict(NOT_APPLICABLE, "not known")
    bounds = LIMITS["declination"].bounds
    word = FAIL if off > bounds["fail_deg"] else WARN if off > bounds["warn_deg"] else PASS
    return Verdict(word, f"{off:.3f} deg from the night's median")


_JUDGES: Mapping[str, Callable[[HourFigures], Verdict]] = {
    "tiles": _tiles,
    "failed": _failed,
    "calibration": _calibration,
    "noise": _noise,
    "beam": _beam,
    "flux_ratio": _flux_ratio,
    "gaps": _gaps,
    "declination": _declination,
}
