"""The hours of a night with their verdicts, and the DataFrame of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.hour_checks import CHECKS, NOT_APPLICABLE, Limit
from contimg_lab.services._frames import frame
from contimg_lab.services._hour_tiles import TileValue

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNITS", "VALUES", "JudgedHours", "ordered"]

VALUES = {
    "tiles": "n_tiles",
    "failed": "n_failed",
    "calibration": "calibration",
    "noise": "noise_median_jy",
    "beam": "beam_major_arcsec",
    "flux_ratio": "flux_ratio",
    "gaps": "n_gaps",
    "declination": "dec_offset_deg",
}
"""Column that holds the value of each check; its word is in ``<check>_word``."""

UNITS = {
    "hour": "h (UTC)",
    "noise_median_jy": "Jy/beam",
    "noise_max_jy": "Jy/beam",
    "noise_reference_jy": "Jy/beam",
    "noise_ratio": "1",
    "beam_major_arcsec": "arcsec",
    "beam_axis_ratio": "1",
    "flux_ratio": "1",
    "dec_deg": "deg (of date)",
    "dec_offset_deg": "deg (of date)",
}
"""Unit of each column that has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedHours:
    """The hours of a night with their verdicts, before pandas is needed.

    Attributes
    ----------
    night
        UTC date.
    rows
        The columns of `QaService.hours` by name, one mapping an hour.
    reasons
        Why, by check and hour.
    tiles
        Tiles of each check and hour, the worst first, where the check is of single tiles.
    as_of
        When what the flux ratio is of was read, where that is held in memory.
    limits
        What each check was judged by.
    """

    night: str
    rows: Sequence[Mapping[str, Any]]
    reasons: Mapping[str, Mapping[int, str]]
    tiles: Mapping[tuple[str, int], Sequence[TileValue]]
    as_of: datetime | None
    limits: Mapping[str, Limit]

    def to_pandas(self) -> pd.DataFrame:
        """Return the table of `QaService.hours`."""
        made = _frame(self.rows, self.reasons, self.limits)
        made.attrs["as_of"] = self.as_of
        return made


def ordered(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row with each check's word behind its value."""
    word_of = {value: f"{check}_word" for check, value in VALUES.items()}
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name.endswith("_word"):
            continue
        told[name] = value
        if name in word_of:
            told[word_of[name]] = row[word_of[name]]
    return told


def _frame(
    rows: Sequence[Mapping[str, Any]],
    reasons: Mapping[str, Mapping[int, str]],
    limits: Mapping[str, Limit],
) -> pd.DataFrame:
    texts = ("night", "calibration", "noise_reference", *(f"{check}_word" for check in CHECKS))
    whole = ("hour", "n_tiles", "n_failed", "n_inside", "n_nearest", "n_none", "n_flux", "n_gaps")
    names = list(rows[0]) if rows else ["night", "hour", *VALUES.values(), *texts[3:]]
    kind: dict[str, type] = dict.fromkeys(names, float)
    kind |= dict.fromkeys(texts, str) | dict.fromkeys(whole, int)
    made = frame({n: [row[n] for row in rows] for n in names}, kind, units=UNITS)
    made.attrs["checks"] = dict(VALUES)
    made.attrs["limits"] = {name: dataclasses.asdict(limit) for name, limit in limits.items()}
    made.attrs["reasons"] = {check: dict(told) for check, told in reasons.items()}
    made.attrs["not_applicable"] = {
        check: {row["hour"]: reasons[check][row["hour"]] for row in rows}
        for check in CHECKS
        if rows and all(row[f"{check}_word"] == NOT_APPLICABLE for row in rows)
    }
    return made
