"""Relative flux against time: a light curve divided by one flux."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

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
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["NormalizedLike", "plot_normalized"]


class NormalizedLike(Protocol):
    """What a relative light curve must have to be drawn."""

    @property
    def source_id(self) -> str:
        """Name of the source."""

    @property
    def mjd(self) -> NDArray[np.float64]:
        """Times; NaN where unknown."""

    @property
    def flux(self) -> NDArray[np.float64]:
        """Relative fluxes."""

    @property
    def flux_err(self) -> NDArray[np.float64]:
        """Their errors."""

    @property
    def level_jy(self) -> float:
        """What the fluxes were divided by."""

    @property
    def by(self) -> str:
        """How that was found."""

    @property
    def flux_unit(self) -> str:
        """Unit of the level."""


def plot_normalized(relative: NormalizedLike, ax: Axes | None = None) -> Axes:
    """Draw relative flux against time.

    Parameters
    ----------
    relative
        The relative light curve.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes, with MJD written out below and UTC dates above.
    """
    axes = ensure_axes(ax, (7.2, 3.8))
    mjd = np.asarray(relative.mjd, dtype=np.float64)
    known = np.isfinite(mjd)
    unit = "Jy/beam" if relative.flux_unit == "Jy/beam" else "Jy"
    level = f"{relative.by.replace('_', ' ')}, {relative.level_jy:.4g} {unit}"
    axes.axhline(1.0, color=COLOURS["orange"], lw=1.2, zorder=1, label=f"1 = {level}")
    if known.any():
        axes.set_xlim(*pad_limits(float(mjd[known].min()), float(mjd[known].max()), 0.03, 0.01))
        missing = f", {int(np.sum(~known))} more without a time" if not known.all() else ""
        axes.errorbar(
            mjd[known], relative.flux[known], yerr=relative.flux_err[known], fmt="o", ms=3.5,
            lw=0, elinewidth=0.9, capsize=0, color=COLOURS["blue"], zorder=3,
            label=f"epoch ({int(known.sum())}{missing})",
        )  # fmt: skip
    else:
        write_empty(axes, "no epoch with a time")
    add_mjd_axis(axes)
    axes.set_ylabel("Relative flux density")
    axes.set_title(relative.source_id, fontsize="medium")
    axes.grid(visible=True, alpha=0.25, linewidth=0.5)
    draw_legend(axes)
    return axes
