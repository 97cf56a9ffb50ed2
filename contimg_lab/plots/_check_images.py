"""Figures of the checks of images: dynamic range, and the gain."""

from __future__ import annotations

import numpy as np

from contimg_lab.analysis.checks import FAIL, PASS, WARN, Columns
from contimg_lab.analysis.checks.scales import image_gains
from contimg_lab.plots._check_bounds import Bound, bounds_of
from contimg_lab.plots._check_report import (
    Floats,
    ReportLike,
    hours_of_paths,
    tile_images,
)
from contimg_lab.plots._check_scatter import scatter_chart
from contimg_lab.plots._check_words import named
from contimg_lab.plots.chart import Axis, Chart, Column, Line

__all__ = ["dynamic_range_chart", "gain_chart", "level_piece", "times_of"]

_LOG_FROM = 10.0


def times_of(report: ReportLike, images: Columns) -> Floats:
    """UTC of the middle of each image's MS, in hours."""
    return hours_of_paths(report, images["ms_path"], images["hour"])


def level_piece(role: str, hour: int, value: float, label: str, before: list[Line]) -> Line:
    """Draw a value through one hour; the first of its kind brings the words of the legend."""
    return Line(
        role=role, x=np.array([hour, hour + 1.0]), y=np.array([value, value]),
        label="" if any(line.label == label for line in before) else label,
    )  # fmt: skip


def dynamic_range_chart(report: ReportLike, check: str) -> Chart:
    """Peak over noise of each tile image."""
    images = tile_images(report)
    value = images["dynamic_range"]
    is_log = bool(np.nanmax(value) > _LOG_FROM * np.nanmin(value) > 0.0)
    bounds = bounds_of(report, check, "below")
    return scatter_chart(
        report, check, times_of(report, images), value, "tile image", bounds,
        Axis(label="Peak over noise of a tile image", name="dynamic range", log=is_log),
        keys=tuple(images["path"]), noun="image", floor=None if is_log else 0.0,
    )  # fmt: skip


def gain_chart(report: ReportLike, check: str) -> Chart:
    """Gain of each image against the earlier means of its sources, with its error."""
    night = report.columns
    images, made = night.images, image_gains(night, report.thresholds.of(check))
    said = {one.key: one.word for one in report.of(check)}
    words = np.array([said.get(str(key), "") for key in images["id"]], object)
    judged = np.isin(words.astype(str), (PASS, WARN, FAIL))
    percent = np.where(judged, (made.gain - 1.0) * 100.0, np.nan)
    bounds = tuple(
        Bound(b.word, b.side, b.at * 100.0, b.source, "%")
        for b in bounds_of(report, check, "beyond")
    )
    columns = (
        Column(name="image", values=named(images["path"])),
        Column(name="sources", values=made.n.astype(float)),
    )
    left = sum(one.word not in (PASS, WARN, FAIL) for one in report.of(check))
    return scatter_chart(
        report, check, times_of(report, images), percent, "image", bounds,
        Axis(label="Gain of an image less 1 (%)", name="gain - 1", unit="%"),
        words=words, err=made.sigma * 100.0, keys=tuple(images["path"]), columns=columns,
        noun="image", level=0.0,
        more=[f"{left} images have too few reference sources"] if left else (),
    )  # fmt: skip
