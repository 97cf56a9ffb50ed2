"""A light curve with the two epochs marked that differ most for their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from contimg_lab.plots._style import COLOURS, draw_legend, ensure_axes
from contimg_lab.plots.light_curve import LightCurveLike, display_unit, plot_light_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["PairLike", "plot_pair"]


class PairLike(Protocol):
    """What a pair of epochs must have to be drawn."""

    @property
    def mjd(self) -> NDArray[np.float64]:
        """Times of the two; NaN where unknown."""

    @property
    def flux_jy(self) -> NDArray[np.float64]:
        """Their flux densities."""

    @property
    def vs(self) -> float:
        """Difference over its error."""

    @property
    def m(self) -> float:
        """Difference over the mean."""

    @property
    def n_pairs(self) -> int:
        """Pairs that were searched."""

    @property
    def curve(self) -> LightCurveLike:
        """The light curve."""


def plot_pair(pair: PairLike, ax: Axes | None = None) -> Axes:
    """Draw a light curve and ring its most different pair.

    Parameters
    ----------
    pair
        The pair.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes, with MJD written out below and UTC dates above.
    """
    axes = plot_light_curve(pair.curve, ensure_axes(ax, (7.2, 4.0)))
    scale, _ = display_unit(np.asarray(pair.curve.flux_jy, dtype=np.float64))
    m = f"{pair.m:.2f}" if np.isfinite(pair.m) else "undefined"
    axes.plot(
        pair.mjd, pair.flux_jy * scale, ls=":", lw=1.2, marker="o", ms=11, mfc="none", mew=1.6,
        color=COLOURS["vermilion"], zorder=5,
        label=f"largest of {pair.n_pairs} pairs: Vs = {pair.vs:.1f}, m = {m}",
    )  # fmt: skip
    draw_legend(axes)
    return axes
