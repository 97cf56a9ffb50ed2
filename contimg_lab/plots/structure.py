"""Structure function against lag, with its errors and what an uncorrelated source would give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from contimg_lab.plots._style import COLOURS, draw_legend, ensure_axes, write_empty
from contimg_lab.plots.light_curve import LightCurveLike, display_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["StructureLike", "plot_structure"]


class StructureLike(Protocol):
    """What a structure function must have to be drawn."""

    @property
    def source_id(self) -> str:
        """Name of the source."""

    @property
    def start_d(self) -> NDArray[np.float64]:
        """Lower edges of the lag bins, days."""

    @property
    def end_d(self) -> NDArray[np.float64]:
        """Upper edges."""

    @property
    def lag_d(self) -> NDArray[np.float64]:
        """Mean lag of each bin."""

    @property
    def d_jy2(self) -> NDArray[np.float64]:
        """Structure function less the noise."""

    @property
    def d_err_jy2(self) -> NDArray[np.float64]:
        """Its error; NaN below two pairs."""

    @property
    def n_pairs(self) -> NDArray[np.int64]:
        """Pairs of each bin."""

    @property
    def curve(self) -> LightCurveLike:
        """The light curve."""


def plot_structure(found: StructureLike, ax: Axes | None = None) -> Axes:
    """Draw a structure function: linear in power, since noise subtraction makes it negative.

    The dashed line is twice the intrinsic variance of the whole curve, which a stationary source
    reaches at lags beyond its time scale.

    Parameters
    ----------
    found
        The structure function.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes; lag is logarithmic.
    """
    axes = ensure_axes(ax, (6.4, 4.0))
    flux = np.asarray(found.curve.flux_jy, dtype=np.float64)
    err = np.asarray(found.curve.flux_err_jy, dtype=np.float64)
    scale, unit = display_unit(flux)
    square = scale * scale
    used = np.isfinite(found.d_jy2)
    axes.set_xscale("log")
    axes.axhline(0.0, color=COLOURS["grey"], lw=0.9, zorder=1)
    if flux.size > 1:
        level = 2.0 * (float(np.var(flux, ddof=1)) - float(np.mean(err**2)))
        axes.axhline(
            level * square, color=COLOURS["orange"], lw=1.3, ls="--", zorder=2,
            label="2 × (variance − noise)",
        )  # fmt: skip
    for mask, face, label in (
        (used & (found.n_pairs > 1), None, "less the noise; errors are lower limits"),
        (used & (found.n_pairs == 1), "none", "one pair, no error"),
    ):
        if mask.any():
            lag = found.lag_d[mask]
            axes.errorbar(
                lag, found.d_jy2[mask] * square,
                xerr=[lag - found.start_d[mask], np.maximum(found.end_d[mask] - lag, 0.0)],
                yerr=np.nan_to_num(found.d_err_jy2[mask]) * square,
                fmt="o", ms=4.5, lw=0, elinewidth=0.9, capsize=0, mfc=face,
                color=COLOURS["blue"], zorder=3, label=label,
            )  # fmt: skip
    if used.any():
        for x, n in zip(found.lag_d[used], found.n_pairs[used], strict=True):
            axes.annotate(
                str(int(n)), (x, 0.985), xycoords=("data", "axes fraction"),
                ha="center", va="top", fontsize="x-small", color=COLOURS["grey"],
            )  # fmt: skip
        axes.margins(y=0.12)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.06 * (high - low))
    else:
        write_empty(axes, "no pair of epochs at these lags")
    axes.set_xlabel("Lag (days); the number of pairs stands above")
    axes.set_ylabel(f"Structure function ({unit}²)")
    axes.set_title(found.source_id, fontsize="medium")
    axes.grid(visible=True, alpha=0.25, linewidth=0.5)
    draw_legend(axes)
    return axes
