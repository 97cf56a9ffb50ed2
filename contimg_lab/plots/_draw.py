"""Draw a `Chart` with matplotlib: the figure that is saved, exported, or shown in print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.plots._log_axis import write_plain_ticks
from contimg_lab.plots._roles import Look, look_of
from contimg_lab.plots._sky_axis import add_hour_axis, add_ra_axis
from contimg_lab.plots._style import COLOURS, add_mjd_axis, draw_legend, write_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from contimg_lab.plots.chart import Axis, Chart, Points, Spans

__all__ = ["draw_chart"]

_MANY = 5000
_CELLS = 160
_CORNER = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0}


def draw_chart(chart: Chart, ax: Axes) -> Axes:
    """Draw a chart on axes, and return them."""
    for axis, scale in ((chart.x, ax.set_xscale), (chart.y, ax.set_yscale)):
        if axis.log:
            scale("log")
    if chart.x.limits is not None:
        low, high = chart.x.limits
        ax.set_xlim(*((high, low) if chart.x.kind == "ra" else (low, high)))
    if chart.y.limits is not None:
        ax.set_ylim(*chart.y.limits)
    _draw_bands(ax, chart)
    for spans in chart.spans:
        _draw_spans(ax, spans, chart.limits()[0])
    for points in chart.points:
        _draw_points(ax, points, chart)
    for level in chart.levels:
        look = look_of(level.role)
        draw = ax.axvline if level.axis == "x" else ax.axhline
        draw(level.at, label=level.label or None, **_line(look))
    for line in chart.lines:
        ax.plot(line.x, line.y, label=line.label or None, **_line(look_of(line.role)))
    _draw_selected(ax, chart)
    if chart.empty:
        write_empty(ax, chart.empty)
    if chart.corner:
        ax.text(
            0.99, 0.02, "\n".join(chart.corner), transform=ax.transAxes, ha="right", va="bottom",
            fontsize="small", bbox=_CORNER,
        )  # fmt: skip
    _label_axes(ax, chart)
    ax.set_title(chart.title, fontsize="medium")
    ax.grid(
        visible=True, which="major", axis="x" if chart.y.kind == "rows" else "both",
        alpha=0.25, linewidth=0.5,
    )  # fmt: skip
    draw_legend(ax, ncols=chart.columns)
    return ax


def _line(look: Look) -> dict[str, Any]:
    return {
        "color": COLOURS[look.colour], "lw": look.width, "ls": look.dash, "zorder": look.order,
    }  # fmt: skip


def _draw_points(ax: Axes, points: Points, chart: Chart) -> None:
    look = look_of(points.role, points.variant)
    if len(points) > _MANY:
        _draw_crowd(ax, points, chart, look)
        return
    colour = COLOURS[look.colour]
    style: dict[str, Any] = {
        "ls": "", "marker": _marker(look.marker), "ms": look.size, "mew": look.width,
        "color": colour, "alpha": look.alpha, "mfc": colour if look.filled else "none",
        "mec": "white" if look.edged else colour, "label": points.words or None,
        "zorder": look.order,
    }  # fmt: skip
    if points.pinned:
        style["transform"] = ax.get_xaxis_transform()
    if points.err is None:
        ax.plot(points.x, points.y, **style)
    elif len(points):
        ax.errorbar(
            points.x, points.y, yerr=points.err, elinewidth=look.error_width, capsize=0, **style
        )


def _draw_crowd(ax: Axes, points: Points, chart: Chart, look: Look) -> None:
    """Draw too many points to be told apart: a single one is seen, and crowds grow darker."""
    crowd = _crowding(points, chart)[:, None]
    thin = np.array([int(COLOURS[look.colour][i : i + 2], 16) / 255.0 for i in (1, 3, 5)])
    colours = np.hstack([thin * (1.0 - 0.75 * crowd), 0.55 + 0.45 * crowd])
    if points.err is not None:
        ax.errorbar(
            points.x, points.y, yerr=points.err, fmt="none", elinewidth=look.error_width / 2.0,
            ecolor=COLOURS[look.colour], alpha=0.1, rasterized=True, zorder=look.order,
        )  # fmt: skip
    # a vector file of 10^5 dots opens in no viewer
    ax.scatter(
        points.x, points.y, s=(look.size / 2.0) ** 2, c=colours, lw=0, rasterized=True,
        label=points.words or None, zorder=look.order,
        transform=ax.get_xaxis_transform() if points.pinned else ax.transData,
    )  # fmt: skip


def _crowding(points: Points, chart: Chart) -> NDArray[np.float64]:
    """How many points share each one's cell of the plane, from 0 (alone) to 1, by logarithm."""
    cells = np.zeros(len(points), dtype=np.int64)
    for values, axis in ((points.x, chart.x), (points.y, chart.y)):
        with np.errstate(divide="ignore", invalid="ignore"):
            at = (
                np.log10(values) if axis.log and not (points.pinned and axis is chart.y) else values
            )
        known = np.isfinite(at)
        span = np.ptp(at[known]) if known.any() else 0.0
        share = np.where(known, (at - np.min(at[known], initial=np.inf)) / (span or 1.0), 0.0)
        cells = cells * _CELLS + np.minimum((share * _CELLS).astype(np.int64), _CELLS - 1)
    counts = np.bincount(cells)[cells]
    share_of_most: NDArray[np.float64] = np.log(counts) / max(np.log(counts.max()), 1.0)
    return share_of_most


def _marker(name: str) -> Any:
    if name != "limit":
        return name
    from matplotlib.path import Path

    codes = [Path.MOVETO, Path.LINETO] * 4
    return Path(
        [(-0.5, 0), (0.5, 0), (0, 0), (0, -1), (-0.3, -0.65), (0, -1), (0.3, -0.65), (0, -1)],
        codes,
    )


def _draw_spans(ax: Axes, spans: Spans, limits: tuple[float, float]) -> None:
    look = look_of(spans.role)
    left = np.clip(spans.start, *limits)
    width = np.clip(spans.end, *limits) - left
    shown = width > 0.0
    if not shown.any():
        return
    ax.barh(
        spans.row[shown], width[shown], left=left[shown], height=spans.height,
        alpha=look.alpha, lw=look.width, zorder=look.order, label=spans.name,
        facecolor=COLOURS[look.colour] if look.filled else "none",
        edgecolor=COLOURS[look.edge_colour or look.colour], hatch="////" if look.hatched else None,
    )  # fmt: skip


def _draw_bands(ax: Axes, chart: Chart) -> None:
    """Shade every band; those with edges on all sides in one go, for they may be hundreds."""
    from matplotlib.collections import PolyCollection

    (x0, x1), (y0, y1) = chart.limits()  # where a band has no edge, it ends with the axes
    closed: dict[str, list[list[tuple[float, float]]]] = {}
    for band in chart.bands:
        left, right = max(band.x[0], x0), min(band.x[1], x1)
        low, high = max(band.y[0], y0), min(band.y[1], y1)
        if np.isinf(band.x).all():
            ax.axhspan(*band.y, **_shade(band.role))
        elif np.isinf(band.y).all():
            ax.axvspan(left, right, **_shade(band.role))
        elif left < right and low < high:
            corners = [(left, low), (right, low), (right, high), (left, high)]
            closed.setdefault(band.role, []).append(corners)
    for role, boxes in closed.items():
        ax.add_collection(PolyCollection(boxes, **_shade(role)), autolim=False)


def _shade(role: str) -> dict[str, Any]:
    look = look_of(role)
    return {"color": COLOURS[look.colour], "alpha": look.alpha, "lw": 0, "zorder": look.order}


def _draw_selected(ax: Axes, chart: Chart) -> None:
    """Ring what is selected, once for each place, and count it."""
    if not chart.selected:
        return
    found: dict[Any, tuple[float, float]] = {}
    pinned: dict[Any, tuple[float, float]] = {}
    for points in chart.points:
        for i in _positions(points, chart):
            (pinned if points.pinned else found).setdefault(points.keys[i], _at(points, i))
    look = look_of("selected")
    for places, transform in ((found, ax.transData), (pinned, ax.get_xaxis_transform())):
        if places:
            x, y = np.array(list(places.values())).T
            ax.plot(
                x, y, ls="", marker=look.marker, ms=look.size if x.size == 1 else look.size * 0.7,
                mfc="none", mew=look.width, color=COLOURS[look.colour], zorder=look.order,
                transform=transform, label="selected" if x.size == 1 else f"selected ({x.size})",
            )  # fmt: skip


def _positions(points: Points, chart: Chart) -> NDArray[np.intp]:
    if not points.keys:
        return np.empty(0, dtype=np.intp)
    chosen = np.fromiter((key in chart.selected for key in points.keys), bool, len(points))
    drawable = np.isfinite(points.x) & np.isfinite(points.y)
    if chart.x.log:
        drawable &= points.x > 0.0
    if chart.y.log and not points.pinned:
        drawable &= points.y > 0.0
    return np.flatnonzero(chosen & drawable)


def _at(points: Points, i: int) -> tuple[float, float]:
    return float(points.x[i]), float(points.y[i])


def _label_axes(ax: Axes, chart: Chart) -> None:
    for axis, drawn in ((chart.x, ax.xaxis), (chart.y, ax.yaxis)):
        drawn.set_label_text(axis.label)
        if axis.log:
            write_plain_ticks(drawn)
        if axis.kind == "rows":
            drawn.set_ticks(range(len(axis.rows)), list(axis.rows))
    _label_x(ax, chart.x)


def _label_x(ax: Axes, axis: Axis) -> None:
    if axis.kind == "mjd":
        add_mjd_axis(ax, axis.label)
    elif axis.kind == "ra":
        add_ra_axis(ax)
    elif axis.kind == "hour":
        add_hour_axis(ax)
