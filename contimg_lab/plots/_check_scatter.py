"""Figures of one value of each tile or image in time, with its limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contimg_lab.plots._check_bounds import Bound, levels_of, words_by
from contimg_lab.plots._check_marks import padded, skipped, word_points
from contimg_lab.plots._check_report import Floats, ReportLike, hour_axis
from contimg_lab.plots._check_words import headline, in_words
from contimg_lab.plots.chart import Axis, Chart, Column, Key, Level

__all__ = ["scatter_chart"]


def scatter_chart(
    report: ReportLike,
    check: str,
    x: Floats,
    y: Floats,
    what: str,
    bounds: Sequence[Bound],
    axis: Axis,
    *,
    words: NDArray[np.object_] | None = None,
    keys: Sequence[Key] = (),
    err: Floats | None = None,
    columns: Sequence[Column] = (),
    noun: str = "MS",
    floor: float | None = None,
    level: float | None = None,
    more: Sequence[str] = (),
) -> Chart:
    """Describe one value of each thing in time, marked by its word, with the limits.

    Parameters
    ----------
    report, check
        What was judged.
    x, y
        Hours of UTC, and values; what is not finite is not drawn.
    what
        One of them in words.
    bounds
        Limits, which also give the words where ``words`` is None.
    axis
        Axis of the values; its range is worked out.
    words
        Word of each; others than pass, warn and fail are not drawn.
    keys, err, columns
        Of each.
    noun
        What a key names.
    floor
        Where the range begins at the latest.
    level
        Value of what is as it should be: a dotted line.
    more
        Words for the alternative text.
    """
    levels, far = levels_of(bounds, y)
    if level is not None:
        levels = (*levels, Level(role="constant", axis="y", at=level))
    known = np.isfinite(y) & np.isfinite(x)
    spread = np.zeros(len(y)) if err is None else np.nan_to_num(err)
    values = [*(y - spread)[known].tolist(), *(y + spread)[known].tolist()]
    if axis.log:
        held = [*values, *(one.at for one in levels)]
        limits = (0.8 * min(held), 1.25 * max(held))
    else:
        limits = padded(values, levels, floor=floor)
    held_words = words_by(y, bounds) if words is None else words
    points = word_points(x, y, held_words, what, keys=keys, err=err, columns=columns)
    return Chart(
        name=f"check {check}", noun=noun,
        title=headline(report, check, f"{int(known.sum())} {what}s"),
        x=hour_axis(report), y=dataclasses.replace(axis, limits=limits),
        points=(*points, *skipped(report, check)), levels=(*levels, *far),
        alt=in_words(report, check, f"{axis.name or axis.label} of each {what}", y, axis.unit,
                     bounds, more),
    )  # fmt: skip
