"""Cal tables in time: how old they are at each Measurement Set, and a metric over the nights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.analysis.cal_quality import EMPTY_SLOTS_FRACTION, FLOORS
from contimg_lab.analysis.coverage import MAX_DISTANCE_HOURS, WARN_DISTANCE_HOURS
from contimg_lab.plots._style import pad_limits
from contimg_lab.plots.chart import Axis, Chart, Column, Level, Points, pick
from contimg_lab.plots.coverage import STATE_STYLE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["METRICS", "age_chart", "metric_chart"]

METRICS = {"snr_mean": "mean SNR", "flagged_fraction": "flagged fraction"}
"""Metrics that have a history, and what they are called."""

_WORDS = ("pass", "warn", "fail")
_TOP = 0.94


def age_chart(
    coverage: pd.DataFrame, table_type: str, *, title: str = "", name: str = "age"
) -> Chart:
    """Describe how far each MS is from the middle of its table's window.

    Parameters
    ----------
    coverage
        One row an MS and table type, as `CalTablesService.coverage` gives them.
    table_type
        Type of the tables.
    title
        Title of the plot.
    name
        What it is a plot of: a live plot that is given the same name again stays zoomed.

    Returns
    -------
    Chart
        Hours against MJD; MS without a table stand along the upper edge.
    """
    mine = coverage[(coverage["table_type"] == table_type).fillna(False)]
    mjd, hours = _floats(mine, "mid_mjd"), _floats(mine, "distance_hours")
    states = mine["state"].astype(str).to_numpy()
    keys, tables = _texts(mine, "ms_path"), _texts(mine, "caltable_path")
    points = []
    for state, (_, _, words) in STATE_STYLE.items():
        mask = (states == state) & np.isfinite(mjd)
        if not (states == state).any():
            continue
        lost = state in ("none", "unknown")
        points.append(
            Points(
                role=state, name=words, label=f"{words} ({int((states == state).sum())})",
                x=mjd[mask], y=np.full(int(mask.sum()), _TOP) if lost else hours[mask],
                keys=pick(keys, mask), pinned=lost,
                columns=() if lost else (Column(name="table", values=pick(tables, mask)),),
            )
        )  # fmt: skip
    known = hours[np.isfinite(hours)]
    drawable = bool(np.isfinite(mjd).any())
    most = float(known.max(initial=WARN_DISTANCE_HOURS))
    told = (
        f"age median {np.median(known):.1f} h, largest {known.max():.1f} h; "
        f"{int((known >= WARN_DISTANCE_HOURS).sum())} of {known.size} {WARN_DISTANCE_HOURS:g} h "
        "or older"
        if known.size
        else "no age is known"
    )
    counts = ", ".join(part.words for part in points) or "no MS"
    levels = [Level(role="cut", axis="y", at=WARN_DISTANCE_HOURS,
                    label=f"aging from {WARN_DISTANCE_HOURS:g} h")]  # fmt: skip
    if most > 0.8 * MAX_DISTANCE_HOURS:
        levels.append(Level(role="fail line", axis="y", at=MAX_DISTANCE_HOURS,
                            label=f"not used beyond {MAX_DISTANCE_HOURS:g} h"))  # fmt: skip
    return Chart(
        name=f"{name} {table_type}",
        title=title,
        noun="MS",
        x=Axis(label="MJD (UTC, days)", name="MJD", kind="mjd", limits=_time_limits(mjd)),
        y=Axis(label=f"Age of the {table_type} table at the MS (h)", name="age", unit="h",
               limits=(-0.05 * most, 1.15 * most)),
        points=tuple(points),
        levels=tuple(levels),
        empty="" if drawable else f"no Measurement Set with a time, or no {table_type} table",
        alt=f"{title or 'Age of cal tables'}, {table_type}: {counts}; {told}.",
    )  # fmt: skip


def metric_chart(
    quality: pd.DataFrame,
    metric: str,
    table_type: str,
    *,
    title: str = "",
    name: str = "history",
) -> Chart:
    """Describe a metric of cal tables of one type over the nights, with its floor.

    Parameters
    ----------
    quality
        One row a table, as `CalTablesService.quality` gives them.
    metric
        A key of `METRICS`.
    table_type
        Type of the tables.
    title, name
        As for `age_chart`.
    """
    floor, words = FLOORS[metric], METRICS[metric]
    mine = quality[(quality["table_type"] == table_type).fillna(False)]
    mjd, value = _floats(mine, "valid_mid_mjd"), _floats(mine, metric)
    verdicts = mine[f"{metric}_word"].astype(str).to_numpy()
    keys, status = _texts(mine, "path"), _texts(mine, "status")
    known = np.isfinite(mjd) & np.isfinite(value)
    points = []
    for word in _WORDS:
        mask = known & (verdicts == word)
        if mask.any():
            points.append(
                Points(
                    role=word, name=word, label=f"{word} ({int(mask.sum())})", x=mjd[mask],
                    y=value[mask], keys=pick(keys, mask),
                    columns=(Column(name="status", values=pick(status, mask)),),
                )
            )  # fmt: skip
    old = known & (mine["status"].astype(str).to_numpy() != "active")
    if old.any():
        label = f"retired or failed ({int(old.sum())})"
        points.append(
            Points(
                role="left out", name="retired or failed", label=label, x=mjd[old], y=value[old],
                keys=pick(keys, old), overlay=True,
            )
        )  # fmt: skip
    side = "above" if floor.high_is_bad else "below"
    levels = [
        Level(role=role, axis="y", at=at, label=f"{word} {side} {at:g}")
        for word, role, at in (("warn", "cut", floor.warn), ("fail", "fail line", floor.fail))
    ]
    if metric == "flagged_fraction":
        levels.append(Level(role="constant", axis="y", at=EMPTY_SLOTS_FRACTION,
                            label=f"empty slots {EMPTY_SLOTS_FRACTION:g}"))  # fmt: skip
    seen = value[known]
    most = float(seen.max(initial=floor.warn))
    told = (
        f"median {np.median(seen):.3g}, from {seen.min():.3g} to {seen.max():.3g}"
        if seen.size
        else "not recorded"
    )
    counts = ", ".join(part.words for part in points) or "no table"
    return Chart(
        name=f"{name} {metric} {table_type}",
        title=title,
        noun="table",
        x=Axis(label="MJD (UTC, days)", name="MJD", kind="mjd",
               limits=_time_limits(mjd[known]) if known.any() else None),
        y=Axis(label=f"{words[0].upper()}{words[1:]} of {table_type}", name=words,
               limits=(-0.05 * most, 1.12 * most)),
        points=tuple(points),
        levels=tuple(levels),
        empty="" if known.any() else f"no {table_type} table has this metric",
        columns=4,
        alt=f"{words[0].upper()}{words[1:]} of {table_type} over the nights: {counts}; {told}; "
            f"{floor.told}.",
    )  # fmt: skip


def _floats(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _texts(frame: pd.DataFrame, name: str) -> tuple[Any, ...]:
    column = frame[name].astype(object)
    return tuple(column.where(column.notna(), ""))


def _time_limits(mjd: NDArray[np.float64]) -> tuple[float, float] | None:
    known = mjd[np.isfinite(mjd)]
    return pad_limits(float(known.min()), float(known.max()), 0.03, 0.02) if known.size else None
