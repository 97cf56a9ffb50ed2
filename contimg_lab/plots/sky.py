"""Where Measurement Sets pointed: right ascension to the left, whole across 0 h."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.sky import galactic_latitude_deg, galactic_plane, unwrap_ra
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes, pad_limits
from contimg_lab.plots.chart import Axis, Chart, Column, Key, Line, Points, pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["plot_pointings", "pointings_chart", "status_points", "status_word"]

_STATUSES = ("completed", "failed", "running", "pending", "processing", "converted")
_NAMED = 3
_BEAM_DEG = 2.5  # a calibrator further from the strip is not seen in it


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
    calibrators: Mapping[str, tuple[float, float]] | None = None,
    waiting: tuple[ArrayLike, ArrayLike] = ((), ()),
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
    calibrators
        Right ascension and declination in degrees by name; those outside the plot are named in
        its corner.
    waiting
        Right ascensions and declinations in degrees where raw data without an MS must have
        looked.
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
    points = status_points(ra, dec, status, names, columns)
    if known.any():
        raw = _near(waiting[0], centre)
        every = np.concatenate([ra[known], raw[np.isfinite(raw)]])
        across = pad_limits(float(every.min()), float(every.max()), 0.06, 0.5)
        up = pad_limits(*_heights(dec[known], calibrators or {}, centre, across), 0.35, 1.0)
    else:
        across, up = (centre - 180.0, centre + 180.0), (-90.0, 90.0)
    chosen = selected is not None and 0 <= selected < ra.size and bool(known[selected])
    missing = int(ra.size - known.sum())
    told = _told(ra % 360.0, dec, known, points)
    if missing:
        title = f"{title}   {missing} of {ra.size} without a position".strip()
    marks, corner = _calibrator_points(calibrators or {}, centre, across, up)
    marks += _waiting_points(waiting, centre)
    plane = _plane(centre, across, up) if known.any() else ()
    if calibrators is not None and known.any():
        latitude = galactic_latitude_deg(ra[known], dec[known])
        b = f"galactic b {latitude.min():+.1f} to {latitude.max():+.1f} deg"
        corner += () if plane else (f"{b}: the galactic plane is outside",)
        told = f"{told[:-1]}; {b}." if plane else told
    if marks or corner:
        more = [part.words for part in marks] + list(corner)
        told = f"{told[:-1]}; {'; '.join(more)}."
    return Chart(
        name=name,
        title=title,
        noun="MS",
        x=Axis(label="Right ascension (deg, ICRS)", name="RA", unit="deg", kind="ra",
               limits=across),
        y=Axis(label="Declination (deg, ICRS)", name="Dec", unit="deg", limits=up),
        points=(*points, *marks),
        lines=plane,
        corner=corner,
        empty="" if known.any() else "no pointing is known",
        selected=frozenset({names[selected]} if chosen and selected is not None else ()),
        columns=4,
        alt=told,
    )  # fmt: skip


def status_points(
    x: Floats,
    y: Floats,
    status: Sequence[object] | None,
    keys: Sequence[Key],
    columns: Sequence[Column] = (),
) -> tuple[Points, ...]:
    """Return a series of points for each status word, each with its marker, colour and number.

    Parameters
    ----------
    x, y
        Shape (n,): where; what is not finite is counted and not drawn.
    status, keys, columns
        As `pointings_chart` takes them.
    """
    words = np.asarray(
        ["pointing"] * x.size if status is None else [status_word(word) for word in status],
        dtype=object,
    )
    known = np.isfinite(x) & np.isfinite(y)
    points = []
    for word in sorted(set(words.tolist()), key=lambda w: (w not in _STATUSES, w)):
        mask = known & (words == word)
        points.append(
            Points(
                role=word if word in _STATUSES else "other status",
                name=word, label=f"{word} ({int((words == word).sum())})",
                x=x[mask], y=y[mask], keys=pick(keys, mask),
                columns=tuple(column.take(mask) for column in columns),
            )
        )  # fmt: skip
    return tuple(points)


def status_word(status: object) -> str:
    """Return one word for a status: "no status" for none, one where the pipeline has two."""
    if not isinstance(status, str) or not status:
        return "no status"
    return "completed" if status == "done" else status


def _near(ra_deg: ArrayLike, centre: float) -> Floats:
    """Right ascensions within half a turn of the centre of the plot."""
    near: Floats = (np.asarray(ra_deg, float) - centre + 180.0) % 360.0 - 180.0 + centre
    return near


def _heights(
    dec_deg: Floats,
    calibrators: Mapping[str, tuple[float, float]],
    centre: float,
    across: tuple[float, float],
) -> tuple[float, float]:
    """Lowest and highest declination of the MS, and of calibrators that they may have crossed."""
    low, high = float(dec_deg.min()), float(dec_deg.max())
    near = [
        dec
        for ra, dec in calibrators.values()
        if across[0] <= _near(ra, centre) <= across[1]
        and low - _BEAM_DEG <= dec <= high + _BEAM_DEG
    ]
    return min([low, *near]), max([high, *near])


def _calibrator_points(
    calibrators: Mapping[str, tuple[float, float]],
    centre: float,
    across: tuple[float, float],
    up: tuple[float, float],
) -> tuple[tuple[Points, ...], tuple[str, ...]]:
    """Calibrators on the plot, each named in the legend, and words for those off it."""
    marks, off = [], []
    for name, (ra, dec) in calibrators.items():
        x = float(_near(ra, centre))
        if across[0] <= x <= across[1] and up[0] <= dec <= up[1]:
            marks.append(
                Points(
                    role="calibrator", name=f"calibrator {name}", label=f"calibrator {name}",
                    x=np.array([x]), y=np.array([dec]),
                )
            )  # fmt: skip
        else:
            off.append(f"{name} (RA {ra:.2f}, Dec {dec:+.2f})")
    more = f" and {len(off) - _NAMED} more" if len(off) > _NAMED else ""
    words = (f"calibrators outside: {', '.join(off[:_NAMED])}{more}",) if off else ()
    return tuple(marks), words


def _waiting_points(waiting: tuple[ArrayLike, ArrayLike], centre: float) -> tuple[Points, ...]:
    x, y = _near(waiting[0], centre), np.asarray(waiting[1], float)
    if not x.size:
        return ()
    name = "raw data without an MS"
    return (Points(role="raw group", name=name, label=f"{name} ({x.size})", x=x, y=y),)


def _plane(centre: float, across: tuple[float, float], up: tuple[float, float]) -> tuple[Line, ...]:
    """Return the stretches of the galactic plane that run through the plot."""
    ra, dec = galactic_plane()
    x = _near(ra, centre)
    apart = np.flatnonzero(np.abs(np.diff(x)) > 180.0) + 1
    lines: list[Line] = []
    for run in np.split(np.arange(x.size), apart):
        inside = (x[run] >= across[0]) & (x[run] <= across[1])
        inside &= (dec[run] >= up[0]) & (dec[run] <= up[1])
        places = np.flatnonzero(inside)
        if places.size:  # and one point more on either side, to reach the edge
            part = run[max(places[0] - 1, 0) : places[-1] + 2]
            label = "galactic plane" if not lines else ""
            lines.append(Line(role="galactic plane", x=x[part], y=dec[part], label=label))
    return tuple(lines)


def _told(
    ra_deg: Floats, dec_deg: Floats, known: NDArray[np.bool_], points: Sequence[Points]
) -> str:
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
