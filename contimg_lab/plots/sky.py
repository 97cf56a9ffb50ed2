"""Where Measurement Sets pointed: right ascension to the left, whole across 0 h."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.sky import unwrap_ra
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes, pad_limits
from contimg_lab.plots.chart import Axis, Chart, Column, Key, Points, pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["plot_pointings", "pointings_chart"]

_STATUSES = ("completed", "failed", "running", "pending", "processing", "converted")


def plot_pointings(
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    status: Sequence[object] | None = None,
    *,
    selected: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw pointings on the sky.

    Parameters
    ----------
    ra_deg, dec_deg
        Positions in degrees; NaN where unknown. A right ascension of 0 is a real one.
    status
        Word for each pointing; decides colour and marker.
    selected
        Index of the pointing to ring.
    title
        Title of the plot.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes: degrees below, hours above, both within one turn.
    """
    chart = pointings_chart(ra_deg, dec_deg, status, title=title, selected=selected)
    return draw_chart(chart, ensure_axes(ax, (6.4, 3.6)))


def pointings_chart(
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    status: Sequence[object] | None = None,
    *,
    keys: Sequence[Key] | None = None,
    columns: Sequence[Column] = (),
    selected: int | None = None,
    title: str = "",
    name: str = "pointings",
) -> Chart:
    """Describe pointings on the sky as `plot_pointings` draws them.

    Parameters
    ----------
    ra_deg, dec_deg, status, selected, title
        As `plot_pointings` takes them.
    keys
        What each pointing is known by; its index where None.
    columns
        What else the row of a pointing tells.
    name
        What it is a plot of: a live plot that is given the same name again stays zoomed.

    Examples
    --------
    >>> chart = pointings_chart([359.0, 1.0], [16.0, 16.0], ["done", None], keys=["a.ms", "b.ms"])
    >>> [(points.words, points.x.tolist(), points.keys) for points in chart.points]
    [('completed (1)', [-1.0], ('a.ms',)), ('no status (1)', [1.0], ('b.ms',))]
    """
    centre, ra = unwrap_ra(ra_deg)
    dec = np.asarray(dec_deg, dtype=np.float64)
    known = np.isfinite(ra) & np.isfinite(dec)
    names = tuple(range(ra.size)) if keys is None else tuple(keys)
    words = np.asarray(
        ["pointing"] * ra.size if status is None else [_word(word) for word in status],
        dtype=object,
    )
    points = []
    for word in sorted(set(words.tolist()), key=lambda w: (w not in _STATUSES, w)):
        mask = known & (words == word)
        points.append(
            Points(
                role=word if word in _STATUSES else "other status",
                name=word, label=f"{word} ({int((words == word).sum())})",
                x=ra[mask], y=dec[mask], keys=pick(names, mask),
                columns=tuple(column.take(mask) for column in columns),
            )
        )  # fmt: skip
    if known.any():
        across = pad_limits(float(ra[known].min()), float(ra[known].max()), 0.06, 0.5)
        up = pad_limits(float(dec[known].min()), float(dec[known].max()), 0.35, 1.0)
    else:
        across, up = (centre - 180.0, centre + 180.0), (-90.0, 90.0)
    chosen = selected is not None and 0 <= selected < ra.size and bool(known[selected])
    missing = int(ra.size - known.sum())
    if missing:
        title = f"{title}   {missing} of {ra.size} without a position".strip()
    return Chart(
        name=name,
        title=title,
        noun="MS",
        x=Axis(label="Right ascension (deg, ICRS)", name="RA", unit="deg", kind="ra",
               limits=across),
        y=Axis(label="Declination (deg, ICRS)", name="Dec", unit="deg", limits=up),
        points=tuple(points),
        empty="" if known.any() else "no pointing is known",
        selected=frozenset({names[selected]} if chosen and selected is not None else ()),
        columns=4,
        alt=_told(ra % 360.0, dec, known, points),
    )  # fmt: skip


def _told(ra_deg: Floats, dec_deg: Floats, known: NDArray[np.bool_], points: list[Points]) -> str:
    """Say what is on the sky, in one sentence."""
    counts = ", ".join(part.words for part in points)
    if not known.any():
        return f"Sky plot: no pointing is known{'; ' if counts else ''}{counts}."
    _, strip = unwrap_ra(ra_deg[known])
    west, east = (float(value) % 360.0 for value in (strip.min(), strip.max()))
    dec = dec_deg[known]
    return (
        f"Sky plot: {counts}; RA {west:.4f} to {east:.4f} deg, "
        f"Dec {dec.min():+.4f} to {dec.max():+.4f} deg."
    )


def _word(status: object) -> str:
    if not isinstance(status, str) or not status:
        return "no status"
    return "completed" if status == "done" else status  # the pipeline writes both
