"""Flux against phase: two cycles of a light curve folded on a period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from contimg_lab.plots._style import COLOURS, draw_legend, ensure_axes, write_empty
from contimg_lab.plots.light_curve import display_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["FoldedLike", "plot_folded"]


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
    axes = ensure_axes(ax, (6.4, 4.0))
    scale, unit = display_unit(np.asarray(folded.flux_jy))
    phase = np.asarray(folded.phase, dtype=np.float64)
    flux, err = folded.flux_jy * scale, folded.flux_err_jy * scale
    found = np.asarray(folded.is_detection, dtype=bool)
    if phase.size:
        weight = (err.min() / err) ** 2
        axes.axhline(
            float(np.sum(weight * flux) / np.sum(weight)),
            color=COLOURS["orange"], lw=1.2, zorder=1, label="weighted mean",
        )  # fmt: skip
        axes.axvline(1.0, color=COLOURS["grey"], lw=0.8, ls=":", zorder=1)
    else:
        write_empty(axes, "no epoch with a time, a valid flux and an error")
    for mask, label, face in ((found, "detection", None), (~found, "below 3 errors", "none")):
        for turn, alpha in ((0.0, 1.0), (1.0, 0.4)):
            if mask.any():
                axes.errorbar(
                    phase[mask] + turn, flux[mask], yerr=err[mask], fmt="o", ms=4, lw=0,
                    elinewidth=0.9, capsize=0, mfc=face, alpha=alpha, zorder=3,
                    color=COLOURS["blue"] if face is None else COLOURS["grey"],
                    label=f"{label} ({int(mask.sum())})" if turn == 0.0 else None,
                )  # fmt: skip
    axes.set_xlim(-0.03, 2.03)
    where = f", phase 0 at MJD {folded.epoch_mjd:.4f}" if np.isfinite(folded.epoch_mjd) else ""
    axes.set_xlabel(f"Phase (cycles; period {folded.period_d:.6g} d{where})")
    beam = "/beam" if folded.flux_unit == "Jy/beam" else ""
    axes.set_ylabel(f"{'Peak f' if beam else 'F'}lux density ({unit}{beam})")
    axes.set_title(folded.source_id, fontsize="medium")
    axes.grid(visible=True, alpha=0.25, linewidth=0.5)
    draw_legend(axes)
    return axes
