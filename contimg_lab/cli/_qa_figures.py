"""What a night is followed by over many nights: one figure each, taken from its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from contimg_lab.analysis.trends import (
    LEAST_NIGHTS,
    LIMIT_SIGMA,
    NIGHTS_BEFORE,
    Earlier,
    against_earlier,
)

__all__ = ["QUANTITIES", "RULE", "Quantity", "compare", "figures_of"]

RULE = (
    f"A night stands out where it is further than {LIMIT_SIGMA:g} sigma from the median of the "
    f"{NIGHTS_BEFORE} nights before it at most, {LEAST_NIGHTS} at least, that have a value; "
    "sigma is 1.4826 times their median absolute deviation. It is a regression where it stands "
    "out to the worse side. Later nights are never looked at."
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


def compare(figures: Sequence[Mapping[str, float | None]]) -> dict[str, Earlier]:
    """Compare each night with the nights before it, quantity by quantity.

    Parameters
    ----------
    figures
        Of each night, in order of time; see `figures_of`.
    """
    return {
        name: against_earlier(
            np.array([math.nan if one[name] is None else one[name] for one in figures], float)
        )
        for name in QUANTITIES
    }
