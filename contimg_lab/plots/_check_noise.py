"""The figure of noise: each tile image against what its own field had before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks import PASS, WARN
from contimg_lab.plots._check_bounds import Bound, bounds_of, whose, words_by
from contimg_lab.plots._check_images import level_piece, times_of
from contimg_lab.plots._check_marks import padded, skipped, word_points
from contimg_lab.plots._check_report import (
    Floats,
    ReportLike,
    hour_axis,
    tile_images,
)
from contimg_lab.plots._check_words import headline, in_words, named
from contimg_lab.plots.chart import Axis, Chart, Column, Line, Points, pick

__all__ = ["noise_chart"]

_LOG_FROM = 10.0


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
    x, y = times_of(report, images), images["noise_jy"] * 1e3
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

    def add(role: str, hour: int, value: float, label: str) -> None:
        if np.isfinite(value):
            made.append(level_piece(role, hour, value, label, made))

    for hour in report.columns.hours:
        mine = hours == hour
        usual = expected.get(float(hour), np.nan)
        if mine.any():
            add("hour median", hour, float(np.median(noise[mine])), "the hour's median, judged")
        add("before", hour, usual, "expected of this field")
        for i, bound in enumerate(bounds):
            lone = i == len(bounds) - 1 and len(bounds) > 2
            role = "one tile's limit" if lone else "cut" if bound.word == WARN else "fail line"
            of = "one tile" if lone else "hour"
            words = f"{of}: {bound.word} above {bound.at:g} x expected ({whose(bound.source)})"
            add(role, hour, usual * bound.at, words)
    return tuple(made)
