"""Figures of the checks of images: noise against its field, dynamic range, the beam, the gain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks import FAIL, PASS, WARN, Columns
from contimg_lab.analysis.checks.scales import image_gains
from contimg_lab.plots._check_marks import (
    Bound,
    Floats,
    ReportLike,
    bounds_of,
    headline,
    hour_axis,
    hours_of_paths,
    in_words,
    named,
    padded,
    skipped,
    tile_images,
    whose,
    word_points,
    words_by,
)
from contimg_lab.plots._check_scatter import scatter_chart
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Level, Line, Points, pick

__all__ = [
    "angle_chart",
    "axis_ratio_chart",
    "dynamic_range_chart",
    "gain_chart",
    "noise_chart",
    "size_chart",
]

_LOG_FROM = 10.0


def _at(report: ReportLike, images: Columns) -> Floats:
    return hours_of_paths(report, images["ms_path"], images["hour"])


def _edges(x: Floats, hours: Floats) -> NDArray[np.bool_]:
    """Which images are an hour's first or last."""
    edge = np.zeros(len(x), bool)
    for hour in np.unique(hours[np.isfinite(hours)]):
        mine = np.flatnonzero((hours == hour) & np.isfinite(x))
        if mine.size:
            edge[mine[[np.argmin(x[mine]), np.argmax(x[mine])]]] = True
    return edge


def noise_chart(report: ReportLike, check: str) -> Chart:
    """Rms of each tile image with what its own field had before, and the limits times that."""
    images = tile_images(report)
    images = images.where(np.isfinite(images["noise_jy"]) & (images["noise_jy"] > 0.0))
    x, y = _at(report, images), images["noise_jy"] * 1e3
    references = report.columns.references
    expected = dict(
        zip(references["hour"].tolist(), (references["noise_median_jy"] * 1e3).tolist(),
            strict=True)
    )  # fmt: skip
    of_tile = np.array([expected.get(hour, np.nan) for hour in images["hour"].tolist()], float)
    ratio = y / of_tile
    bounds = bounds_of(report, check, "above")
    one_tile = bounds_of(report, check, "above", warn_tile=WARN)
    edge = _edges(x, images["hour"])
    names = named(images["path"])
    columns = (
        Column(name="image", values=names),
        Column(name="over expected", values=ratio),
    )
    points = word_points(
        x, y, words_by(ratio, bounds), "tile by itself", keys=tuple(images["path"]),
        columns=columns,
    )  # fmt: skip
    ends = Points(
        role="edge tile", name="first or last tile of its hour", x=x[edge], y=y[edge],
        keys=pick(images["path"], edge), overlay=True,
    )  # fmt: skip
    lines = _noise_lines(report, images["hour"], y, expected, [*bounds, *one_tile])
    low, high = float(y.min()), float(y.max())
    is_log = high > _LOG_FROM * low
    drawn = [*y.tolist(), *(value for line in lines for value in line.y.tolist())]
    limits = (0.8 * min(drawn), 1.25 * max(drawn)) if is_log else padded(drawn, (), floor=0.0)
    return Chart(
        name=f"check {check}", noun="image", title=headline(report, check, f"{len(y)} tile images"),
        x=hour_axis(report),
        y=Axis(label="Noise of a tile image (mJy/beam)", name="noise", unit="mJy/beam",
               log=is_log, limits=limits),
        points=(*points, ends, *skipped(report, check)), lines=lines, columns=3,
        alt=in_words(
            report, check, "Noise of tile images", y, "mJy/beam", (),
            [_expectation(report, expected), *_times(bounds, one_tile),
             f"tiles by themselves: {_beyond(ratio, bounds)}",
             f"first or last of an hour and above their expectation's warning: "
             f"{int((edge & (words_by(ratio, bounds) != PASS)).sum())} of {int(edge.sum())}"],
        ),
    )  # fmt: skip


def _times(bounds: tuple[Bound, ...], one_tile: tuple[Bound, ...]) -> list[str]:
    return [
        *(f"an hour's median {b.word}s above {b.at:g} times it" for b in bounds),
        *(f"one tile {b.word}s above {b.at:g} times it" for b in one_tile),
    ]


def _beyond(ratio: Floats, bounds: tuple[Bound, ...]) -> str:
    return ", ".join(f"{int((ratio > bound.at).sum())} above {bound.at:g}" for bound in bounds)


def _expectation(report: ReportLike, expected: dict[float, float]) -> str:
    of = dict.fromkeys(str(words) for words in report.columns.references["of"] if words)
    told = ", ".join(
        f"{hour:02.0f} {value:.3g}" for hour, value in expected.items() if np.isfinite(value)
    )
    return f"expected (median of {' or '.join(of) or 'none'}) by hour: {told or 'none'} mJy/beam"


def _noise_lines(
    report: ReportLike,
    hours: Floats,
    noise: Floats,
    expected: dict[float, float],
    bounds: list[Bound],
) -> tuple[Line, ...]:
    """One piece an hour: its median, what was expected, and the limits times that."""
    made: list[Line] = []

    def piece(role: str, hour: float, value: float, label: str) -> None:
        if np.isfinite(value):
            held = any(line.label == label for line in made)
            made.append(
                Line(
                    role=role, x=np.array([hour, hour + 1.0]), y=np.array([value, value]),
                    label="" if held else label,
                )
            )  # fmt: skip

    for hour in report.columns.hours:
        mine = hours == hour
        usual = expected.get(float(hour), np.nan)
        if mine.any():
            median = float(np.median(noise[mine]))
            piece("hour median", hour, median, "median of the hour, which is judged")
        piece("before", hour, usual, "expected of this field")
        for i, bound in enumerate(bounds):
            lone = i == len(bounds) - 1 and len(bounds) > 2
            role = "one tile's limit" if lone else "cut" if bound.word == WARN else "fail line"
            of = "one tile" if lone else "hour"
            words = f"{of}: {bound.word} above {bound.at:g} x expected ({whose(bound.source)})"
            piece(role, hour, usual * bound.at, words)
    return tuple(made)


def dynamic_range_chart(report: ReportLike, check: str) -> Chart:
    """Peak over noise of each tile image."""
    images = tile_images(report)
    value = images["dynamic_range"]
    is_log = bool(np.nanmax(value) > _LOG_FROM * np.nanmin(value) > 0.0)
    bounds = bounds_of(report, check, "below")
    return scatter_chart(
        report, check, _at(report, images), value, "tile image", bounds,
        Axis(label="Peak over noise of a tile image", name="dynamic range", log=is_log),
        keys=tuple(images["path"]), noun="image", floor=None if is_log else 0.0,
    )  # fmt: skip


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
        report, check, _at(report, images), ratio, "tile image",
        bounds_of(report, check, "above"),
        Axis(label="Beam, major over minor axis", name="axis ratio"),
        keys=tuple(images["path"]), columns=columns, noun="image", floor=1.0,
    )  # fmt: skip


def size_chart(report: ReportLike, check: str) -> Chart:
    """Axes of each tile image's beam, with those of the default beam."""
    images = tile_images(report)
    x = _at(report, images)
    limits = report.thresholds.of(check)
    parts: list[Points] = []
    for name, role, kind in (("major", "tile", 0), ("minor", "edge tile", 0)):
        value = images[f"beam_{name}_arcsec"]
        known = np.isfinite(value)
        parts.append(
            Points(
                role=role, variant=kind, name=f"{name} axis", x=x[known], y=value[known],
                keys=pick(images["path"], known),
            )
        )  # fmt: skip
    factor = limits["warn_factor"]
    source = report.thresholds.limits[f"{check}.warn_factor"].source
    levels = [
        Level(role="constant", axis="y", at=limits[f"{name}_arcsec"],
              label=f"default {name} axis {limits[f'{name}_arcsec']:g} arcsec")
        for name in ("major", "minor")
    ]  # fmt: skip
    rule = f"warn where the size is {factor:g} x the default or 1/{factor:g} ({whose(source)})"
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
        levels=tuple(levels), corner=(rule,),
        alt=in_words(report, check, "Major axis of tile images' beams", y, "arcsec", (), told),
    )  # fmt: skip


def angle_chart(report: ReportLike, check: str) -> Chart:
    """Position angle of each tile image's beam, with the hour's middle one and how far is far."""
    images = tile_images(report)
    angle = images["beam_pa_deg"]
    x, hours = _at(report, images), images["hour"]
    turned = {
        key for one in report.of(check) for key in one.rows.get("images", ()) if one.word == WARN
    }
    words = np.array([WARN if key in turned else PASS for key in images["id"]], object)
    bounds = bounds_of(report, check, "beyond", warn_deg=WARN)
    middle: list[Line] = []
    bands: list[Band] = []
    for hour in report.columns.hours:
        mine = (hours == hour) & np.isfinite(angle)
        if mine.sum() < 3:
            continue
        apart = np.abs(np.mod(angle[mine][:, None] - angle[mine][None, :] + 90.0, 180.0) - 90.0)
        centre = float(angle[mine][int(np.argmin(apart.sum(axis=1)))])
        middle.append(
            Line(
                role="hour median", x=np.array([hour, hour + 1.0]), y=np.array([centre, centre]),
                label="" if middle else "the hour's middle one",
            )
        )  # fmt: skip
        bands += [
            Band(role="good band", x=(hour, hour + 1.0), y=(centre - b.at, centre + b.at))
            for b in bounds
        ]
    known = angle[np.isfinite(angle)].tolist()
    edges = [value for band in bands for value in band.y]
    rule = [f"shaded: {b.word} beyond {b.at:g} deg from it ({whose(b.source)})" for b in bounds]
    return Chart(
        name=f"check {check}", noun="image",
        title=headline(report, check, f"{len(known)} tile images"),
        x=hour_axis(report),
        y=Axis(label="Position angle of the beam (deg, N to E)", name="angle", unit="deg",
               limits=padded([*known, *edges], ())),
        points=(
            *word_points(x, angle, words, "tile image", keys=tuple(images["path"])),
            *skipped(report, check),
        ),
        lines=tuple(middle), bands=tuple(bands), corner=tuple(rule),
        alt=in_words(report, check, "Position angle of beams", angle, "deg", bounds),
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
        report, check, _at(report, images), percent, "image", bounds,
        Axis(label="Gain of an image less 1 (%)", name="gain - 1", unit="%"),
        words=words, err=made.sigma * 100.0, keys=tuple(images["path"]), columns=columns,
        noun="image", level=0.0,
        more=[f"{left} images have too few reference sources"] if left else [],
    )  # fmt: skip
