"""Which promotion class an hour could be given, and which of its conditions are met."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from contimg_lab.analysis.checks import FAIL, Night
from contimg_lab.thresholds import Thresholds

__all__ = ["CLASSES", "Condition", "Promotion", "promotion_of"]

CLASSES = ("trusted_baseline", "comparator_only", "weak_baseline")
"""What a date and hour can be promoted to; a reviewer decides."""

_FEWEST_ANCHORS = 10
_ANCHOR_WITHIN = 0.2


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; ``is_met`` is None where the database cannot tell."""

    is_met: bool | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """The class that an hour is a candidate for.

    Attributes
    ----------
    classes
        Those of `CLASSES` whose conditions are met, the best first; none where a gate fails.
    conditions
        Of a trusted baseline, by name: ``tier``, ``raw`` and ``anchor``.
    """

    classes: tuple[str, ...]
    conditions: Mapping[str, Condition]

    @property
    def candidate(self) -> str | None:
        """The best class whose conditions are met."""
        return self.classes[0] if self.classes else None


def promotion_of(night: Night, hour: int, verdict: str, thresholds: Thresholds) -> Promotion:
    """Find the classes that one hour may be given.

    A trusted baseline has bandpass and gains solved on its own date, whole raw input, and an
    anchor that can be told here: the catalogue median of at least 10 sources within 20 %. Other
    anchors (a primary calibrator in the image, overlapping tiles) are for the reviewer to name,
    and an hour with only the overlap is a weak baseline.
    """
    conditions = {
        "tier": _tier(night, hour),
        "raw": _raw(night, hour, thresholds["subbands.whole"]),
        "anchor": _anchor(night, hour, thresholds),
    }
    if verdict == FAIL:
        return Promotion(classes=(), conditions=conditions)
    trusted = all(one.is_met for one in conditions.values())
    classes = CLASSES[:2] if trusted else CLASSES[1:2]
    weak = () if conditions["anchor"].is_met else CLASSES[2:]
    return Promotion(classes=(*classes, *weak), conditions=conditions)


def _tier(night: Night, hour: int) -> Condition:
    why = night.why_absent("tiers")
    if why:
        return Condition(None, why)
    mine = night.tiers["tier"][night.tiers["hour"] == hour]
    own = int((mine == "A").sum())
    told = f"bandpass and gains of the same date (tier A): {own} of {len(mine)} tiles"
    return Condition(bool(len(mine)) and own == len(mine), told)


def _raw(night: Night, hour: int, n_whole: float) -> Condition:
    why = night.why_absent("groups", "groups.n_subbands")
    if why:
        return Condition(None, why)
    mine = night.groups.where(night.groups["hour"] == hour)
    if not mine.n_rows:
        return Condition(None, "no raw files are recorded of this hour")
    whole = int(((mine["n_subbands"] >= n_whole) & (mine["has_ms"] == 1.0)).sum())
    told = f"{whole} of {mine.n_rows} raw groups whole, and with an MS"
    return Condition(whole == mine.n_rows, told)


def _anchor(night: Night, hour: int, thresholds: Thresholds) -> Condition:
    why = night.why_absent("photometry", "photometry.nvss_flux_mjy")
    if why:
        return Condition(None, why)
    rows = night.photometry
    limits = thresholds.of("flux_ratio")
    flux, nvss = rows["flux_jy"], rows["nvss_flux_mjy"]
    with np.errstate(invalid="ignore"):
        mine = (rows["hour"] == hour) & (rows["reason"] == "") & (nvss >= limits["least_mjy"])
        mine &= flux >= limits["least_snr"] * rows["flux_err_jy"]
    ratios: dict[str, list[float]] = {}
    for source, ratio in zip(rows["source_id"][mine], flux[mine] * 1e3 / nvss[mine], strict=True):
        ratios.setdefault(source, []).append(ratio)
    if len(ratios) < _FEWEST_ANCHORS:
        return Condition(False, f"catalogue median: {len(ratios)} sources, of 10 that it needs")
    median = statistics.median(statistics.median(one) for one in ratios.values())
    return Condition(
        abs(median - 1.0) <= _ANCHOR_WITHIN,
        f"catalogue median {median:.3f} of {len(ratios)} sources",
    )
