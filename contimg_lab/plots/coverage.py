"""Validity windows of calibration tables against the Measurement Sets of a night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._roles import ROLES
from contimg_lab.plots._style import COLOURS, ensure_axes, pad_limits, write_empty
from contimg_lab.plots.chart import Axis, Chart, Column, Points, Spans, pick

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["STATE_STYLE", "TYPE_ORDER", "coverage_chart", "plot_coverage", "type_rank"]

STATE_STYLE: dict[str, tuple[str, str, str]] = {
    state: (COLOURS[ROLES[state].colour], ROLES[state].marker, words)
    for state, words in {
        "inside": "inside a window",
        "nearest": "nearest within 12 h",
        "none": "not covered",
        "unknown": "MS without a time",
    }.items()
}
"""Colour, marker and words of each state of coverage."""

TYPE_ORDER = ("K", "BA", "BP", "G", "GA", "GP", "2G", "FLUX")
"""Table types in the order in which they are applied."""

_REACH_D = 0.5


def type_rank(table_type: str) -> tuple[int, str]:
    """Sort key that puts table types in order of application, unknown ones last."""
    known = table_type in TYPE_ORDER
    return (TYPE_ORDER.index(table_type) if known else len(TYPE_ORDER), table_type)


def plot_coverage(
    coverage: pd.DataFrame,
    tables: pd.DataFrame,
    *,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw one row a table type: windows as bars, the night's MS above them by state.

    Parameters
    ----------
    coverage
        One row an MS and table type: ``mid_mjd``, ``table_type``, ``state``.
    tables
        One row a table: ``table_type``, ``status``, ``valid_start_mjd``, ``valid_end_mjd``
        (NaN: open-ended).
    title
        Title of the plot.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes, from half a day before the first MS to half a day after the last at most.
    """
    chart = coverage_chart(coverage, tables, title=title)
    axes = ensure_axes(ax, (7.2, 3.4))
    if chart.empty:
        write_empty(axes, chart.empty)
        axes.set_title(title, fontsize="medium")
        return axes
    return draw_chart(chart, axes)


def coverage_chart(
    coverage: pd.DataFrame,
    tables: pd.DataFrame,
    *,
    title: str = "",
    name: str = "coverage",
) -> Chart:
    """Describe windows and MS in time as `plot_coverage` draws them.

    Parameters
    ----------
    coverage, tables, title
        As `plot_coverage` takes them. ``ms_path`` and ``path``, where they are there, are the
        keys of MS and tables.
    name
        What it is a plot of: a live plot that is given the same name again stays zoomed.
    """
    kinds = sorted({str(t) for t in coverage["table_type"]}, key=type_rank)
    mid = coverage["mid_mjd"].to_numpy(dtype=np.float64, na_value=np.nan)
    timed = mid[np.isfinite(mid)]
    drawable = bool(kinds and timed.size)
    rows = {kind: i for i, kind in enumerate(reversed(kinds))}
    states = coverage["state"].astype(str).to_numpy()
    level = np.asarray([rows[str(kind)] + 0.22 for kind in coverage["table_type"]])
    keys = _column(coverage, "ms_path")
    hours = np.full(mid.size, np.nan)
    if "distance_hours" in coverage:
        hours = coverage["distance_hours"].to_numpy(dtype=np.float64, na_value=np.nan)
    points = []
    for state, (_, _, words) in STATE_STYLE.items():
        mask = (states == state) & np.isfinite(mid)
        count = int((states == state).sum())
        if count and drawable:
            far = hours[mask]
            told = (
                (Column(name="distance", values=far, unit="h"),) if np.isfinite(far).any() else ()
            )
            points.append(
                Points(
                    role=state, name=words, label=f"{words} ({count})", x=mid[mask],
                    y=level[mask], keys=pick(keys, mask) if keys else (), columns=told,
                )
            )  # fmt: skip
    lines = [
        f"{kind} " + ", ".join(
            f"{int(((states == state) & (coverage['table_type'].astype(str) == kind)).sum())} "
            f"{words}" for state, (_, _, words) in STATE_STYLE.items() if state in states
        )
        for kind in kinds
    ]  # fmt: skip
    limits = _time_limits(timed, tables) if drawable else None
    return Chart(
        name=name,
        title=title,
        noun="MS or table",
        x=Axis(label="MJD (UTC, days)", name="MJD", kind="mjd", limits=limits),
        y=Axis(label="Table type", kind="rows", rows=tuple(rows), limits=(-0.6, len(kinds) - 0.3)),
        points=tuple(points),
        spans=_windows(tables, rows, limits) if limits is not None else (),
        empty="" if drawable else "no Measurement Set with a time, or no cal table, to compare",
        alt=f"{title or 'Coverage by cal tables'}: {'; '.join(lines) or 'no cal table'}.",
    )


def _windows(
    tables: pd.DataFrame, rows: dict[str, int], limits: tuple[float, float]
) -> tuple[Spans, ...]:
    start = tables["valid_start_mjd"].to_numpy(dtype=np.float64, na_value=np.nan)
    end = tables["valid_end_mjd"].to_numpy(dtype=np.float64, na_value=np.nan)
    end = np.where(np.isnan(end), np.inf, end)
    kinds = tables["table_type"].astype(str).to_numpy()
    active = (tables["status"].astype(str) == "active").to_numpy()
    near = np.isfinite(start) & (start < limits[1]) & (end > limits[0])
    near &= np.isin(kinds, list(rows))
    keys = _column(tables, "path")
    return tuple(
        Spans(
            role=role, name=words, start=start[mask], end=end[mask],
            row=np.array([rows[kind] - 0.16 for kind in kinds[mask]], dtype=float),
            keys=pick(keys, mask) if keys else (),
        )
        for role, words, mask in (
            ("window", "window, active", near & active),
            ("old window", "window, retired or failed", near & ~active),
        )
        if mask.any()
    )  # fmt: skip


def _column(frame: pd.DataFrame, name: str) -> tuple[Any, ...]:
    """Return a column as plain values, None where one is missing; empty where there is none."""
    if name not in frame:
        return ()
    column = frame[name].astype(object)
    return tuple(column.where(column.notna(), None))


def _time_limits(timed: NDArray[np.float64], tables: pd.DataFrame) -> tuple[float, float]:
    """From the MS of the night out to the windows that they can reach."""
    first, last = float(timed.min()), float(timed.max())
    low, high = first, last
    start = tables["valid_start_mjd"].to_numpy(dtype=np.float64, na_value=np.nan)
    end = tables["valid_end_mjd"].to_numpy(dtype=np.float64, na_value=np.nan)
    active = (tables["status"].astype(str) == "active").to_numpy()
    near = active & (start < last + _REACH_D) & ~(end < first - _REACH_D)
    if near.any():
        low = min(low, max(float(start[near].min()), first - _REACH_D))
        ends = end[near][np.isfinite(end[near])]
        if ends.size:
            high = max(high, min(float(ends.max()), last + _REACH_D))
    return pad_limits(low, high, 0.03, 0.02)
