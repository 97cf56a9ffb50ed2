"""A light curve with its Bayesian blocks: the level of each, its error, and where it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from contimg_lab.plots._style import COLOURS, draw_legend, ensure_axes
from contimg_lab.plots.light_curve import LightCurveLike, display_unit, plot_light_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["BlocksLike", "plot_blocks"]


class BlocksLike(Protocol):
    """What blocks must have to be drawn."""

    @property
    def start_mjd(self) -> NDArray[np.float64]:
        """Where each block begins."""

    @property
    def end_mjd(self) -> NDArray[np.float64]:
        """Where it ends."""

    @property
    def flux_jy(self) -> NDArray[np.float64]:
        """Its level."""

    @property
    def flux_err_jy(self) -> NDArray[np.float64]:
        """The error of its level."""

    @property
    def false_alarm(self) -> float:
        """Probability of a false change of level that was asked for."""

    @property
    def curve(self) -> LightCurveLike:
        """The light curve that was split."""


def plot_blocks(blocks: BlocksLike, ax: Axes | None = None) -> Axes:
    """Draw a light curve and its blocks over it.

    Parameters
    ----------
    blocks
        The blocks.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes, with MJD written out below and UTC dates above.
    """
    axes = plot_light_curve(blocks.curve, ensure_axes(ax, (7.2, 4.0)))
    scale, _ = display_unit(np.asarray(blocks.curve.flux_jy, dtype=np.float64))
    level, half = blocks.flux_jy * scale, blocks.flux_err_jy * scale
    edges = np.append(blocks.start_mjd, blocks.end_mjd[-1:])
    count = len(level)
    axes.stairs(
        level, edges, baseline=None, color=COLOURS["black"], lw=1.4, zorder=4,
        label=f"{count} block{'s' if count != 1 else ''}, false alarm {blocks.false_alarm:g}",
    )  # fmt: skip
    axes.fill_between(
        np.repeat(edges, 2)[1:-1], np.repeat(level - half, 2), np.repeat(level + half, 2),
        color=COLOURS["green"], alpha=0.35, lw=0, zorder=2, label="error of the level",
    )  # fmt: skip
    draw_legend(axes)
    return axes
