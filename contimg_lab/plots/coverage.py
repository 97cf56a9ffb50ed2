"""Validity windows of calibration tables against the Measurement Sets of a night."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.plots._style import (
    COLOURS,
    add_mjd_axis,
    draw_legend,
    ensure_axes,
    pad_limits,
    write_empty,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["STATE_STYLE", "TYPE_ORDER", "plot_coverage", "type_rank"]

STATE_STYLE: dict[str, tuple[str, str, str]] = {
    "inside": (COLOURS["green"], "o", "inside a window"),
    "nearest": (COLOURS["orange"], "^", "nearest within 12 h"),
    "none": (COLOURS["vermilion"], "X", "not covered"),
    "unknown": (COLOURS["purple"], "D", "MS without a time"),
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
    axes = ensure_axes(ax, (7.2, 3.4))
    kinds = sorted({str(t) for t in coverage["table_type"]}, key=type_rank)
    mid = coverage["mid_mjd"].to_numpy(dtype=np.float64, na_value=np.nan)
    timed = mid[np.isfinite(mid)]
    if not kinds or not timed.size:
        write_empty(axes, "no Measurement Set with a time, or no cal table, to compare")
        axes.set_title(title, fontsize="medium")
        return axes
    low, high = _time_limits(timed, tables)
    axes.set_xlim(low, high)
    rows = {kind: i for i, kind in enumerate(reversed(kinds))}
    _draw_windows(axes, tables, rows, low, high)
    states = coverage["state"].astype(str).to_numpy()
    level = np.asarray([rows[str(kind)] + 0.22 for kind in coverage["table_type"]])
    for state, (colour, marker, words) in STATE_STYLE.items():
        mask = (states == state) & np.isfinite(mid)
        count = int((states == state).sum())
        if count:
            axes.plot(
                mid[mask], level[mask], ls="", marker=marker, ms=5, color=colour, alpha=0.8,
                mec="white", mew=0.3, label=f"{words} ({count})", zorder=3,
            )  # fmt: skip
    axes.set_yticks(range(len(kinds)), list(rows))
    axes.set_ylim(-0.6, len(kinds) - 0.3)
    axes.set_ylabel("Table type")
    add_mjd_axis(axes)
    axes.set_title(title, fontsize="medium")
    axes.grid(visible=True, axis="x", alpha=0.25, linewidth=0.5)
    draw_legend(axes)
    return axes


def _draw_windows(
    ax: Axes, tables: pd.DataFrame, rows: dict[str, int], low: float, high: float
) -> None:
    start = tables["valid_start_mjd"].to_numpy(dtype=np.float64, na_value=np.nan)
    end = tables["valid_end_mjd"].to_numpy(dtype=np.float64, na_value=np.nan)
    end = np.where(np.isnan(end), np.inf, end)
    kinds = tables["table_type"].astype(str).to_numpy()
    active = (tables["status"].astype(str) == "active").to_numpy()
    told: set[str] = set()
    for i in np.flatnonzero(np.isfinite(start) & (start < high) & (end > low)):
        row = rows.get(kinds[i])
        if row is None:
            continue
        words = "window, active" if active[i] else "window, retired or failed"
        left, right = max(start[i], low), min(end[i], high)
        ax.barh(
            row - 0.16, right - left, left=left, height=0.34, alpha=0.55 if active[i] else 1.0,
            facecolor=COLOURS["sky"] if active[i] else "none", hatch=None if active[i] else "////",
            edgecolor=COLOURS["blue"] if active[i] else COLOURS["grey"], lw=0.8,
            label=None if words in told else words, zorder=2,
        )  # fmt: skip
        told.add(words)


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
