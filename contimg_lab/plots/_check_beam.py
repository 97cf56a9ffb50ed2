"""Figures of the checks of the beam: its axis ratio, its size, its position angle."""

from __future__ import annotations

import numpy as np

from contimg_lab.analysis.checks import PASS, WARN
from contimg_lab.plots._check_bounds import bounds_of, whose
from contimg_lab.plots._check_images import level_piece, times_of
from contimg_lab.plots._check_marks import padded, skipped, word_points
from contimg_lab.plots._check_report import ReportLike, hour_axis, tile_images
from contimg_lab.plots._check_scatter import scatter_chart
from contimg_lab.plots._check_words import headline, in_words
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Level, Line, Points, pick

__all__ = ["angle_chart", "axis_ratio_chart", "size_chart"]

_LEAST_ANGLES = 3  # of two that differ nobody knows which one turned


def axis_ratio_chart(report: ReportLike, check: str) -> Chart:
    """Major over minor axis of each tile image's beam."""
    images = tile_images(report)
    with np.errstate(all="ignore"):
        ratio = images["beam_major_arcsec"] / images["beam_minor_arcsec"]
    columns = [
        Column(name=name, values=images[f"beam_{name}_arcsec"], unit="arcsec")
        for name in ("major", "minor")
    ]
    return scatter_chart(
        report, check, times_of(report, images), ratio, "tile image",
        bounds_of(report, check, "above"),
        Axis(label="Beam, major over minor axis", name="axis ratio"),
        keys=tuple(images["path"]), columns=columns, noun="image", floor=1.0,
    )  # fmt: skip


def size_chart(report: ReportLike, check: str) -> Chart:
    """Axes of each tile image's beam, with those of the default beam."""
    images = tile_images(report)
    x = times_of(report, images)
    limits = report.thresholds.of(check)
    parts: list[Points] = []
    for name, role, kind in (("major", "tile", 0), ("minor", "few before", 0)):
        value = images[f"beam_{name}_arcsec"]
        known = np.isfinite(value)
        parts.append(
            Points(
                role=role, variant=kind, name=f"{name} axis", x=x[known], y=value[known],
                keys=pick(images["path"], known),
            )
        )  # fmt: skip
    factor = report.thresholds.limits[f"{check}.warn_factor"]
    rule = (
        f"default {limits['major_arcsec']:g} x {limits['minor_arcsec']:g} arcsec; warn where the "
        f"size is {factor.value:g} times larger or smaller ({whose(factor.source)})"
    )
    levels = [
        Level(role="constant", axis="y", at=limits[f"{name}_arcsec"],
              label=rule if name == "major" else "")
        for name in ("major", "minor")
    ]  # fmt: skip
    y = images["beam_major_arcsec"]
    minor = images["beam_minor_arcsec"]
    both = [*y[np.isfinite(y)].tolist(), *minor[np.isfinite(minor)].tolist()]
    told = [
        rule,
        f"minor axis median {np.nanmedian(minor):.4g} arcsec"
        if np.isfinite(minor).any()
        else "no minor axis is stored",
    ]
    return Chart(
        name=f"check {check}", noun="image",
        title=headline(report, check, f"{np.isfinite(y).sum()} tile images"),
        x=hour_axis(report),
        y=Axis(label="Beam, FWHM of an axis (arcsec)", name="axis", unit="arcsec",
               limits=padded(both, levels)),
        points=(*(part for part in parts if len(part)), *skipped(report, check)),
        levels=tuple(levels), columns=2,
        alt=in_words(report, check, "Major axis of tile images' beams", y, "arcsec", (), told),
    )  # fmt: skip


def angle_chart(report: ReportLike, check: str) -> Chart:
    """Position angle of each tile image's beam, with the hour's middle one and how far is far."""
    images = tile_images(report)
    angle = images["beam_pa_deg"]
    x, hours = times_of(report, images), images["hour"]
    turned = {
        key for one in report.of(check) for key in one.rows.get("images", ()) if one.word == WARN
    }
    words = np.array([WARN if key in turned else PASS for key in images["id"]], object)
    bounds = bounds_of(report, check, "beyond", "deg", warn_deg=WARN)
    lines: list[Line] = []
    bands: list[Band] = []
    for hour in report.columns.hours:
        mine = (hours == hour) & np.isfinite(angle)
        if mine.sum() < _LEAST_ANGLES:
            continue
        apart = np.abs(np.mod(angle[mine][:, None] - angle[mine][None, :] + 90.0, 180.0) - 90.0)
        centre = float(angle[mine][int(np.argmin(apart.sum(axis=1)))])
        lines.append(level_piece("hour median", hour, centre, "the hour's middle one", lines))
        for bound in bounds:
            edges = (centre - bound.at, centre + bound.at)
            bands.append(Band(role="good band", x=(hour, hour + 1.0), y=edges))
            for edge in edges:
                lines.append(level_piece("cut", hour, edge, f"{bound.words} from it", lines))
    known = angle[np.isfinite(angle)].tolist()
    return Chart(
        name=f"check {check}", noun="image",
        title=headline(report, check, f"{len(known)} tile images"),
        x=hour_axis(report),
        y=Axis(label="Beam angle (deg, N to E)", name="angle", unit="deg",
               limits=padded([*known, *(v for line in lines for v in line.y.tolist())], ())),
        points=(
            *word_points(x, angle, words, "tile image", keys=tuple(images["path"])),
            *skipped(report, check),
        ),
        lines=tuple(lines), bands=tuple(bands),
        alt=in_words(report, check, "Position angle of beams", angle, "deg", bounds),
    )  # fmt: skip
