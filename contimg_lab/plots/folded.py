"""Flux against phase: two cycles of a light curve folded on a period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes
from contimg_lab.plots.chart import Axis, Chart, Column, Level, Points, pick
from contimg_lab.plots.light_curve import display_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["FoldedLike", "folded_chart", "plot_folded"]

_FAINT = "below 3 errors"


class FoldedLike(Protocol):
    """What a folded curve must have to be drawn."""

    @property
    def source_id(self) -> str:
        """Name of the source."""

    @property
    def period_d(self) -> float:
        """Period, days."""

    @property
    def epoch_mjd(self) -> float:
        """Time of phase 0."""

    @property
    def phase(self) -> NDArray[np.float64]:
        """Phase of each epoch, 0 to 1."""

    @property
    def mjd(self) -> NDArray[np.float64]:
        """Time of each epoch."""

    @property
    def flux_jy(self) -> NDArray[np.float64]:
        """Flux densities."""

    @property
    def flux_err_jy(self) -> NDArray[np.float64]:
        """Their errors."""

    @property
    def is_detection(self) -> NDArray[np.bool_]:
        """True where the flux is at least three errors."""

    @property
    def flux_unit(self) -> str:
        """Unit of the fluxes."""


def plot_folded(folded: FoldedLike, ax: Axes | None = None) -> Axes:
    """Draw a folded light curve over two cycles; the second repeats the first, fainter.

    Fluxes below 3 of their errors are drawn as measured, hollow: against phase an arrow would
    hide that they count.

    Parameters
    ----------
    folded
        The folded curve.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes.
    """
    return draw_chart(folded_chart(folded), ensure_axes(ax, (6.4, 4.0)))


def folded_chart(folded: FoldedLike) -> Chart:
    """Describe a folded light curve as `plot_folded` draws it.

    Where the folded curve tells its light curve with ids of rows, these are the keys.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> with cl.demo() as lab:
    ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
    >>> chart = folded_chart(lc.fold(8.0))
    >>> chart.x.limits, chart.y.label
    ((-0.03, 2.03), 'Flux density (mJy)')
    """
    scale, unit = display_unit(np.asarray(folded.flux_jy))
    phase = np.asarray(folded.phase, dtype=np.float64)
    flux, err = folded.flux_jy * scale, folded.flux_err_jy * scale
    found = np.asarray(folded.is_detection, dtype=bool)
    keys = _keys(folded)

    def part(mask: NDArray[np.bool_], role: str, name: str, **options: Any) -> Points:
        turn = 1.0 if role == "echo" else 0.0
        return Points(
            role=role, name=name, x=phase[mask] + turn, y=flux[mask], err=err[mask],
            keys=pick(keys, mask) if keys else (), columns=(when.take(mask),), **options,
        )  # fmt: skip

    when = Column(name="MJD", values=np.asarray(folded.mjd, dtype=np.float64), unit="d, UTC")
    points, levels = [], [Level(role="turn", axis="x", at=1.0)]
    if phase.size:
        weight = (err.min() / err) ** 2
        mean = float(np.sum(weight * flux) / np.sum(weight))
        levels.append(Level(role="mean", axis="y", at=mean, label="weighted mean"))
    for mask, role, name in ((found, "detection", "detection"), (~found, "measured", _FAINT)):
        if mask.any():
            points.append(part(mask, role, name))
    if phase.size:
        every = np.ones(phase.size, dtype=bool)
        points.append(part(every, "echo", "one cycle later", label="the same, one cycle later"))
    where = f", phase 0 at MJD {folded.epoch_mjd:.4f}" if np.isfinite(folded.epoch_mjd) else ""
    beam = "/beam" if folded.flux_unit == "Jy/beam" else ""
    counts = ", ".join(part.words for part in points[:2] if part.role != "echo")
    return Chart(
        name=f"folded {folded.source_id}",
        title=folded.source_id,
        noun="row",
        x=Axis(label=f"Phase (cycles; period {folded.period_d:.6g} d{where})", name="phase",
               unit="cycles", limits=(-0.03, 2.03)),
        y=Axis(label=f"{'Peak f' if beam else 'F'}lux density ({unit}{beam})", name="flux",
               unit=f"{unit}{beam}"),
        points=tuple(points),
        levels=tuple(levels),
        empty="" if phase.size else "no epoch with a time, a valid flux and an error",
        alt=f"{folded.source_id} folded on {folded.period_d:.6g} d: {counts or 'no epoch'}{where}.",
    )  # fmt: skip


def _keys(folded: object) -> tuple[Any, ...]:
    """Ids of the rows folded: those of the light curve that have a time."""
    curve: Any = getattr(folded, "curve", None)
    if not hasattr(curve, "row_id"):
        return ()
    return tuple(np.asarray(curve.row_id)[np.isfinite(curve.mjd)].tolist())
