"""Quality of a night: its hours, its gaps and what failed."""

from __future__ import annotations

from dataclasses import dataclass

from contimg_lab.records._fields import MJD, column, required

__all__ = ["Gap", "HourSummary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A hole of more than 10 minutes between the starts of neighbouring tiles."""

    after_path: str = required(None, "last MS before the hole")
    before_path: str = required(None, "first MS after it")
    start_mjd: float = required(MJD, "start of the MS before")
    end_mjd: float = required(MJD, "start of the MS after")
    minutes: float = required("min", "between the two starts")


@dataclass(frozen=True, slots=True, kw_only=True)
class HourSummary:
    """One UTC hour of a night: the unit that is judged."""

    hour: int = required("h (UTC)", "UTC hour of the MS's start")
    n_ms: int = required(None, "Measurement Sets, calibrators and twins included")
    n_tiles: int = required(None, "tiles: 11 or 12 make a full hour")
    n_failed: int = required(None, "failed runs")
    n_other: int = required(None, "runs that are neither completed nor failed")
    n_noise: int = required(None, "tile images with a noise")
    noise_median_jy: float | None = column("Jy/beam", "median noise of the tile images")
    noise_max_jy: float | None = column("Jy/beam", "largest noise of a tile image")
    n_inside: int = required(None, "tiles inside a window of the bandpass table")
    n_nearest: int = required(None, "tiles with the nearest bandpass table within 12 h")
    n_uncovered: int = required(None, "tiles without a bandpass table, or without a time")
    n_gaps: int = required(None, "holes of more than 10 minutes that begin in this hour")
