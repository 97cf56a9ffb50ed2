"""What a night is followed by over many nights: one figure each, taken from its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from contimg_lab.analysis.trends import (
    LEAST_NIGHTS,
    LIMIT_SIGMA,
    NIGHTS_BEFORE,
    against_earlier,
)

__all__ = [
    "LEAST_SHARE",
    "QUANTITIES",
    "RULE",
    "Against",
    "Quantity",
    "compare",
    "figures_of",
    "floors_of",
]

LEAST_SHARE = 0.01
"""Least sigma, as a share of the median: a smaller change is none to look into."""

RULE = (
    f"A night stands out where it is further than {LIMIT_SIGMA:g} sigma from the median of the "
    f"{NIGHTS_BEFORE} nights before it, of which {LEAST_NIGHTS} at least must have a value; "
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


class Against(NamedTuple):
    """A figure against the nights before it.

    Attributes
    ----------
    before, before_sigma
        Their median and sigma; None where too few have a value.
    n_before
        How many have one.
    deviation
        In sigmas; None where nothing was compared, or sigma is 0 and it differs.
    stands_out
        ``high``, ``low`` or None.
    is_regression
        Whether that is the worse side.
    """

    before: float | None
    before_sigma: float | None
    n_before: int
    deviation: float | None
    stands_out: str | None
    is_regression: bool


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
    name: str, before: Sequence[float | None], value: float | None, least: float
) -> Against:
    """Compare a figure with those of the nights before it, by `RULE`.

    Parameters
    ----------
    name
        A key of `QUANTITIES`.
    before
        Of the nights before, in order of time; None for a night without one.
    value
        Of the night.
    least
        Least sigma, in the unit of the values.

    Notes
    -----
    Sigma is no smaller than what a change must be to matter: few nights may be alike by
    chance, and counts often are.
    """
    series = [*before[-NIGHTS_BEFORE:], value]
    held = against_earlier(np.array([math.nan if one is None else one for one in series], float))
    middle, spread, away = (float(a[-1]) for a in (held.median, held.sigma, held.deviation))
    n = int(held.n[-1])
    if value is None or not math.isfinite(middle):
        return Against(None, None, n, None, None, False)
    sigma = max(spread, LEAST_SHARE * abs(middle), least)
    if away != 0.0:  # else equal, up to rounding
        away = (value - middle) / sigma if sigma else math.copysign(math.inf, value - middle)
    side = None
    if abs(away) > LIMIT_SIGMA:
        side = "high" if away > 0.0 else "low"
    is_worse = side is not None and QUANTITIES[name].worse in (side, "both")
    return Against(middle, sigma, n, away if math.isfinite(away) else None, side, is_worse)
