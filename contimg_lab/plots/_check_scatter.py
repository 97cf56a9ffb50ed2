"""Figures of values in time: those of single tiles, and those of any check by its outcomes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, PASS, WARN
from contimg_lab.plots._check_marks import (
    Bound,
    Floats,
    ReportLike,
    headline,
    hour_axis,
    hours_of_paths,
    in_words,
    levels_of,
    padded,
    skipped,
    word_points,
    words_by,
)
from contimg_lab.plots.chart import Axis, Band, Chart, Column, Key, Level

__all__ = ["bars_chart", "outcome_chart", "scatter_chart"]

_BAR = 0.38


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
        Words for the alternative text, and for the corner.
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
        points=(*points, *skipped(report, check)), levels=levels, corner=(*far, *more),
        alt=in_words(report, check, f"{axis.name or axis.label} of each {what}", y, axis.unit,
                     bounds, more),
    )  # fmt: skip


def bars_chart(
    report: ReportLike,
    check: str,
    bounds: Sequence[Bound],
    axis: Axis,
    *,
    top: float | None = None,
) -> Chart:
    """Describe the value of each hour as a bar with a mark by its word, and the limits."""
    outcomes = [one for one in report.of(check) if one.hour is not None and one.value is not None]
    hours = np.array([one.hour for one in outcomes], float)
    y = np.array([one.value for one in outcomes], float)
    levels, far = levels_of(bounds, y)
    low, high = padded(y.tolist(), levels, floor=0.0)
    # a number of its own does not tell why
    columns = (Column(name="why", values=tuple(one.why for one in outcomes)),)
    by_hour = ", ".join(f"{hour:02.0f} {value:.3g}" for hour, value in zip(hours, y, strict=True))
    return Chart(
        name=f"check {check}", noun="hour", title=headline(report, check, f"{len(y)} hours"),
        x=hour_axis(report),
        y=dataclasses.replace(axis, limits=(low, high if top is None else max(high, top))),
        points=(
            *word_points(hours + 0.5, y, [one.word for one in outcomes], "hour", columns=columns),
            *skipped(report, check),
        ),
        bands=tuple(
            Band(role="bar", x=(hour + 0.5 - _BAR, hour + 0.5 + _BAR), y=(min(0.0, v), max(0.0, v)))
            for hour, v in zip(hours.tolist(), y.tolist(), strict=True)
        ),
        levels=levels, corner=far,
        alt=in_words(report, check, f"{axis.name or axis.label} of each hour", y, axis.unit, bounds,
                     [f"by hour: {by_hour}"]),
    )  # fmt: skip


def outcome_chart(report: ReportLike, check: str) -> Chart | None:
    """Describe the value of each outcome in time against its limits: for a check of any kind.

    None where a picture says no more than a number: fewer than two values, or all the same and
    none of them beyond a limit.
    """
    outcomes = [
        one
        for one in report.of(check)
        if one.word != NOT_APPLICABLE and one.value is not None and one.hour is not None
    ]
    values = {one.value for one in outcomes}
    if len(outcomes) < 2 or (len(values) == 1 and {one.word for one in outcomes} == {PASS}):
        return None
    unit = "" if outcomes[0].unit == "1" else outcomes[0].unit
    bounds = _bounds(report, check)
    axis = Axis(label=f"{check} ({unit})" if unit else check, name=check, unit=unit)
    if len({one.hour for one in outcomes}) == len(outcomes):
        return bars_chart(report, check, bounds, axis)
    x = hours_of_paths(
        report, [one.key for one in outcomes], np.array([one.hour for one in outcomes], float)
    )
    return scatter_chart(
        report, check, x, np.array([one.value for one in outcomes], float), outcomes[0].scope,
        bounds, axis, words=np.array([one.word for one in outcomes], object),
        keys=tuple(one.key for one in outcomes), noun=outcomes[0].scope, floor=0.0,
    )  # fmt: skip


def _bounds(report: ReportLike, check: str) -> tuple[Bound, ...]:
    """Limits that outcomes name, and those called warn or fail, which are of the value's unit."""
    made: dict[str, Bound] = {}
    unit = report.of(check)[0].unit
    written = "" if unit == "1" else unit
    for name, held in report.thresholds.limits.items():
        short = name.removeprefix(f"{check}.")
        word = short.partition("_")[0]
        if short != name and word in (WARN, FAIL) and _same(held.unit, unit):
            made[name] = Bound(word, "limit", held.value, held.source, written)
    for one in report.of(check):
        name = one.threshold_name
        if name is None or one.threshold is None or name in made:
            continue
        told = report.thresholds.limits.get(name)
        if told is None or _same(told.unit, unit):
            source = one.threshold_source or ""
            short = name.rpartition(".")[2].replace("_", " ")
            made[name] = Bound(short, "is", one.threshold, source, written)
    return tuple(made.values())


def _same(one: str, other: str) -> bool:
    """Whether two units are one, whatever they are counted in: "deg" and "deg (of date)"."""
    return one.partition(" ")[0] == other.partition(" ")[0]
