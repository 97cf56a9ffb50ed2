"""Figures of the outcomes of a check by hour: for checks of any kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, PASS, WARN
from contimg_lab.plots._check_bounds import Bound, levels_of
from contimg_lab.plots._check_marks import padded, skipped, word_points
from contimg_lab.plots._check_report import ReportLike, hour_axis, hours_of_paths
from contimg_lab.plots._check_scatter import scatter_chart
from contimg_lab.plots._check_words import headline, in_words
from contimg_lab.plots.chart import Axis, Band, Chart, Column

__all__ = ["bars_chart", "outcome_chart"]

_BAR = 0.38
_SMALL = 0.1  # of the nearest limit


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
        levels=(*levels, *far),
        alt=in_words(report, check, f"{axis.name or axis.label} of each hour", y, axis.unit, bounds,
                     [f"by hour: {by_hour}"]),
    )  # fmt: skip


def outcome_chart(report: ReportLike, check: str, words: str = "", unit: str = "") -> Chart | None:
    """Describe the value of each outcome in time against its limits: for a check of any kind.

    None where a picture says no more than a number: fewer than two values, or none of them
    beyond a limit and all the same, or far below every limit.

    Parameters
    ----------
    report, check
        What was judged.
    words, unit
        What is written along the axis; the name of the check, and the outcomes' unit.
    """
    outcomes = [
        one
        for one in report.of(check)
        if one.word != NOT_APPLICABLE and one.value is not None and one.hour is not None
    ]
    if len(outcomes) < 2:
        return None
    values = {one.value for one in outcomes}
    bounds = _bounds(report, check)
    least = min((bound.at for bound in bounds), default=0.0)
    largest = max(abs(one.value or 0.0) for one in outcomes)
    is_plain = len(values) == 1 or largest <= _SMALL * least
    if is_plain and {one.word for one in outcomes} == {PASS}:
        return None
    name = words or check
    if not words and outcomes[0].unit != "1":
        unit = outcomes[0].unit
    axis = Axis(label=f"{name} ({unit})" if unit else name, name=name, unit=unit)
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
        if one.threshold_name is None or one.threshold is None or one.threshold_name in made:
            continue
        name = one.threshold_name
        told = report.thresholds.limits.get(name)
        if told is None or _same(told.unit, unit):
            source = one.threshold_source or ""
            short = name.rpartition(".")[2].replace("_", " ")
            made[name] = Bound(short, "is", one.threshold, source, written)
    return tuple(made.values())


def _same(one: str, other: str) -> bool:
    """Whether two units are one, whatever they are counted in: "deg" and "deg (of date)"."""
    return one.partition(" ")[0] == other.partition(" ")[0]
