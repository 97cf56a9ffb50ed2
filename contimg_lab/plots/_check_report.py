"""What the figures of checks are drawn of: a report, with its hours of UTC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from contimg_lab.plots.chart import Axis
from contimg_lab.times import night_bounds_mjd

if TYPE_CHECKING:
    from contimg_lab.analysis.checks import Columns, Night
    from contimg_lab.records.qa import Outcome
    from contimg_lab.thresholds import Thresholds

__all__ = ["Floats", "ReportLike", "hour_axis", "hours_of_paths", "tile_images", "utc_hours"]

Floats = NDArray[np.float64]


class ReportLike(Protocol):
    """What is drawn of `contimg_lab.services.night_report.NightReport`."""

    @property
    def night(self) -> str: ...
    @property
    def columns(self) -> Night: ...
    @property
    def thresholds(self) -> Thresholds: ...
    def of(self, check: str) -> tuple[Outcome, ...]: ...


def utc_hours(report: ReportLike, mjd: Floats) -> Floats:
    """Return hours of UTC since the midnight that begins the night."""
    return np.asarray((mjd - night_bounds_mjd(report.night)[0]) * 24.0)


def hours_of_paths(report: ReportLike, paths: Iterable[object], hours: Floats) -> Floats:
    """UTC of the middle of some MS; the middle of the hour of one whose time is not known."""
    ms = report.columns.ms
    middle = utc_hours(report, ms["mid_mjd"])
    known = dict(zip(ms["path"], middle.tolist(), strict=True))
    found = np.array([known.get(path, np.nan) for path in paths], float)
    return np.where(np.isfinite(found), found, hours + 0.5)


def hour_axis(report: ReportLike) -> Axis:
    """Hours of UTC, from the first hour that is judged to the last."""
    hours = report.columns.hours or (0, 23)
    return Axis(
        label=f"UTC on {report.night} (h)", name="UTC", unit="h",
        limits=(hours[0] - 0.15, hours[-1] + 1.15),
    )  # fmt: skip


def tile_images(report: ReportLike) -> Columns:
    """The tile image of each tile."""
    images = report.columns.images
    return images.where(images["is_tile"] == 1.0)
