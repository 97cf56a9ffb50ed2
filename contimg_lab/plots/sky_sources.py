"""Where sources are: what a search found, what else there is, and the circle searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.cone import on_circle
from contimg_lab.analysis.sky import unwrap_ra
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes, pad_limits
from contimg_lab.plots.chart import Axis, Chart, Column, Key, Line, Points, pick

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["plot_sources", "sources_chart"]

_WIDEST_DEG = 30.0  # a larger circle is no round line on these axes
_WIDE = 1.25  # width of the axes over their height


def plot_sources(
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    *,
    others: tuple[ArrayLike, ArrayLike] | None = None,
    circle: tuple[float, float, float] | None = None,
    selected: Collection[int] = (),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw sources on the sky.

    Parameters
    ----------
    ra_deg, dec_deg
        Positions in degrees; NaN where unknown.
    others
        Right ascensions and declinations of sources that were not found, drawn faint.
    circle
        Right ascension, declination and radius (degrees) of what was searched.
    selected
        Indices of the sources to ring.
    title
        Title of the plot.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes: degrees below, hours above, both within one turn.
    """
    chart = sources_chart(
        ra_deg, dec_deg, others=others, circle=circle, selected=selected, title=title
    )
    return draw_chart(chart, ensure_axes(ax, (5.2, 4.0)))


def sources_chart(
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    *,
    keys: Sequence[Key] | None = None,
    columns: Sequence[Column] = (),
    others: tuple[ArrayLike, ArrayLike] | None = None,
    circle: tuple[float, float, float] | None = None,
    selected: Collection[Key] = (),
    title: str = "",
    name: str = "sources",
) -> Chart:
    """Describe sources on the sky as `plot_sources` draws them.

    Parameters
    ----------
    ra_deg, dec_deg, others, circle, title
        As `plot_sources` takes them.
    keys
        What each source is known by; its index where None.
    columns
        What else the row of a source tells.
    selected
        Keys of the sources to ring.
    name
        What it is a plot of: a live plot that is given the same name again stays zoomed.

    Examples
    --------
    >>> chart = sources_chart([359.0, 1.0], [16.0, 16.5], keys=["a", "b"])
    >>> [(points.words, points.x.tolist(), points.keys) for points in chart.points]
    [('found (2)', [-1.0, 1.0], ('a', 'b'))]
    """
    given, dec = (np.asarray(values, dtype=np.float64) for values in (ra_deg, dec_deg))
    middle, ra = unwrap_ra(given)
    if circle is not None:
        middle = circle[0]
        ra = _about(middle, given)
    known = np.isfinite(ra) & np.isfinite(dec)
    names = tuple(range(ra.size)) if keys is None else tuple(keys)
    points = []
    if others is not None and np.size(others[0]):
        far = _about(middle, np.asarray(others[0], dtype=np.float64))
        points.append(
            Points(role="unfitted", name="other source", x=far, y=np.asarray(others[1], float))
        )
    points.append(
        Points(
            role="field", name="source found", x=ra[known], y=dec[known],
            label=f"found ({ra.size})", keys=pick(names, known),
            columns=tuple(column.take(known) for column in columns),
        )
    )  # fmt: skip
    across, up = _limits(middle, ra[known], dec[known], circle)
    missing = int(ra.size - known.sum())
    if missing:
        title = f"{title}   {missing} of {ra.size} without a position".strip()
    return Chart(
        name=name,
        title=title,
        noun="source",
        x=Axis(label="Right ascension (deg, ICRS)", name="RA", unit="deg", kind="ra",
               limits=across),
        y=Axis(label="Declination (deg, ICRS)", name="Dec", unit="deg", limits=up),
        points=tuple(points),
        lines=_circle(middle, circle),
        empty="" if known.any() else "no source found",
        selected=frozenset(selected) & frozenset(names),
        columns=3,
        alt=_told(given[known], dec[known], points, circle),
    )  # fmt: skip


def _about(middle: float, ra_deg: Floats) -> Floats:
    """Right ascensions within half a turn of a middle; one near by keeps all its digits."""
    turns = np.round((ra_deg - middle) / 360.0)
    turned: Floats = ra_deg - 360.0 * turns
    return turned


def _limits(
    middle: float, ra: Floats, dec: Floats, circle: tuple[float, float, float] | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    if circle is not None and circle[2] <= _WIDEST_DEG:
        _, at, radius = circle
        half = 1.08 * radius
        across = min(180.0, half * _WIDE / max(float(np.cos(np.radians(at))), 0.01))
        return (middle - across, middle + across), (max(at - half, -90.0), min(at + half, 90.0))
    if not ra.size:
        return (middle - 180.0, middle + 180.0), (-90.0, 90.0)
    low, high = pad_limits(float(dec.min()), float(dec.max()), 0.08, 0.05)
    return (
        pad_limits(float(ra.min()), float(ra.max()), 0.05, 0.05),
        (max(low, -90.0), min(high, 90.0)),
    )


def _circle(middle: float, circle: tuple[float, float, float] | None) -> tuple[Line, ...]:
    if circle is None or circle[2] > _WIDEST_DEG:
        return ()
    ra, dec = on_circle(*circle)
    label = f"{circle[2] * 60.0:g} arcmin"
    return (Line(role="searched", x=_about(middle, ra), y=dec, label=label),)


def _told(
    ra_deg: Floats,
    dec_deg: Floats,
    points: list[Points],
    circle: tuple[float, float, float] | None,
) -> str:
    """Say what is on the sky, in one sentence."""
    told = ", ".join(part.words for part in points)
    if circle is not None:
        told += (
            f"; within {circle[2] * 60.0:g} arcmin of RA {circle[0]:.4f}, Dec {circle[1]:+.4f} deg"
        )
    if not ra_deg.size:
        return f"Sky plot: {told}."
    _, strip = unwrap_ra(ra_deg)
    west, east = (float(value) % 360.0 for value in (strip.min(), strip.max()))
    return (
        f"Sky plot: {told}; RA {west:.4f} to {east:.4f} deg, "
        f"Dec {dec_deg.min():+.4f} to {dec_deg.max():+.4f} deg."
    )
