"""What a night is followed by over many nights: one figure each, taken from its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.trends import (
    LEAST_NIGHTS,
    LIMIT_SIGMA,
    NIGHTS_BEFORE,
    Earlier,
    against_earlier,
)

__all__ = ["LEAST_SHARE", "QUANTITIES", "RULE", "Quantity", "compare", "figures_of", "floors_of"]

Floats = NDArray[np.float64]

LEAST_SHARE = 0.01
"""Least sigma, as a share of the median: a smaller change is none to look into."""

RULE = (
    f"A night stands out where it is further than {LIMIT_SIGMA:g} sigma from the median of the "
    f"{NIGHTS_BEFORE} nights before it at most, {LEAST_NIGHTS} at least, that have a value; "
    "sigma is 1.4826 times their median absolute deviation, and no less than "
    f"{100.0 * LEAST_SHARE:g} % of the median, one failed run, or one tile. It is a "
    "regression where it stands out to the worse side. Later nights are never looked at."
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One figure of a night.

    Attributes
    ----------
    name
        As it is shown.
    unit
        Unit of the value; "1" for a number without one.
    meaning
        What it is, in words.
    worse
        The side that is worse: ``high``, ``low`` or ``both``.
    check
        The check whose values' median it is; empty: from the counts of the report.
    factor, shown_unit
        How it is shown: value times factor, in this unit.
    """

    name: str
    unit: str
    meaning: str
    worse: str
    check: str = ""
    factor: float = 1.0
    shown_unit: str = ""


QUANTITIES: dict[str, Quantity] = {
    "noise_jy": Quantity(
        "Noise", "Jy/beam", "median noise of the tile images", "high", "", 1e3, "mJy/beam"
    ),
    "flux_ratio": Quantity(
        "Flux ratio", "1", "median over the hours of flux over NVSS flux", "both", "flux_ratio"
    ),
    "completeness": Quantity(
        "Completeness", "1", "median over the hours of the share of catalogue sources found",
        "low", "completeness",
    ),
    "failed_fraction": Quantity(
        "Failed runs", "1", "failed runs over all runs of the night", "high", "", 100.0, "%"
    ),
    "flagged_fraction": Quantity(
        "Flagged solutions", "1",
        "median over the cal sets of the flagged fraction of each one's worst table",
        "high", "calibration_flagged", 100.0, "%",
    ),
    "calibration_snr": Quantity(
        "Calibration SNR", "1", "median over the cal sets of the SNR of each one's worst table",
        "low", "calibration_snr",
    ),
    "dynamic_range": Quantity(
        "Dynamic range", "1", "median over the hours of their images' peak over noise", "low",
        "dynamic_range",
    ),
    "axis_ratio": Quantity(
        "Beam axis ratio", "1", "median over the hours of major over minor axis", "high", "beam"
    ),
    "n_tiles": Quantity("Tiles", "1", "tiles of the night", "low"),
}  # fmt: skip
"""What is followed, in the order in which it is shown."""


def figures_of(report: Mapping[str, Any]) -> dict[str, float | None]:
    """Take the figures of a night from its report as JSON has it; None where it has none."""
    summary = report["summary"]
    runs = sum(summary["status_counts"].values())
    counted: dict[str, float | None] = {
        "noise_jy": summary["noise_median_jy"],
        "failed_fraction": summary["status_counts"].get("failed", 0) / runs if runs else None,
        "n_tiles": float(summary["n_tiles"]),
    }
    values: dict[str, list[float]] = {}
    for one in report["outcomes"]:
        if one["value"] is not None and math.isfinite(one["value"]):
            values.setdefault(one["check"], []).append(float(one["value"]))
    return {
        name: counted[name] if name in counted else _middle(values.get(quantity.check))
        for name, quantity in QUANTITIES.items()
    }


def _middle(values: Sequence[float] | None) -> float | None:
    return median(values) if values else None


def floors_of(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the least sigma of the figures that are counts: what one run or tile makes."""
    runs = sum(report["summary"]["status_counts"].values())
    return {"failed_fraction": 1.0 / runs if runs else 0.0, "n_tiles": 1.0}


def compare(
    figures: Sequence[Mapping[str, float | None]], floors: Sequence[Mapping[str, float]]
) -> dict[str, Earlier]:
    """Compare each night with the nights before it, quantity by quantity, by `RULE`.

    Parameters
    ----------
    figures, floors
        Of each night, in order of time; see `figures_of` and `floors_of`.
    """
    told = {}
    for name in QUANTITIES:
        values = [math.nan if (value := one[name]) is None else value for one in figures]
        least = np.array([one.get(name, 0.0) for one in floors], float)
        told[name] = _bounded(np.array(values, float), least)
    return told


def _bounded(values: Floats, least: Floats) -> Earlier:
    """As `against_earlier`, with a sigma that is no smaller than what a change must be to matter.

    Few nights may be alike by chance, and counts often are.
    """
    held = against_earlier(values)
    sigma = np.maximum(held.sigma, np.maximum(LEAST_SHARE * np.abs(held.median), least))
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.where(held.deviation == 0.0, 0.0, (values - held.median) / sigma)
    return held._replace(
        sigma=sigma, deviation=deviation, regression=np.abs(deviation) > LIMIT_SIGMA
    )
