"""eta against V of a whole field, with the sources that a logarithm cannot show counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.plots._style import COLOURS, draw_legend, ensure_axes, write_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

__all__ = ["count_undrawn", "plot_eta_v"]


def plot_eta_v(
    eta: ArrayLike,
    v: ArrayLike,
    *,
    selected: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw V against eta, both logarithmic.

    Parameters
    ----------
    eta
        Reduced chi-squared about the weighted mean of each source.
    v
        Coefficient of variation of each source.
    selected
        Index of the source to ring.
    title
        Title of the plot.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes; sources with no positive eta and V are counted in a corner.
    """
    axes = ensure_axes(ax, (5.6, 3.8))
    x = np.asarray(eta, dtype=np.float64)
    y = np.asarray(v, dtype=np.float64)
    drawn = _drawable(x, y)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.plot(
        x[drawn], y[drawn], ls="", marker="o", ms=4, alpha=0.6, color=COLOURS["blue"],
        mec="white", mew=0.3, label=f"source ({int(drawn.sum())})",
    )  # fmt: skip
    axes.axvline(1.0, color=COLOURS["grey"], lw=0.9, ls="--", label="η = 1, a constant source")
    if not drawn.any():
        write_empty(axes, "no source with positive η and V")
    if selected is not None and 0 <= selected < x.size and drawn[selected]:
        axes.plot(
            x[selected], y[selected], ls="", marker="o", ms=12, mfc="none", mew=2.0,
            color=COLOURS["vermilion"], label="selected", zorder=5,
        )  # fmt: skip
    words = count_undrawn(x, y)
    if words:
        axes.text(
            0.99, 0.02, words, transform=axes.transAxes, ha="right", va="bottom", fontsize="small",
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0},
        )  # fmt: skip
    _label_decades(axes)
    axes.set_xlabel("η, reduced χ² about the weighted mean")
    axes.set_ylabel("V, coefficient of variation")
    axes.set_title(title, fontsize="medium")
    axes.grid(visible=True, which="major", alpha=0.25, linewidth=0.5)
    draw_legend(axes)
    return axes


def _label_decades(ax: Axes) -> None:
    """Leave labels to the decades where there are some: dozens of minor ones cost 0.1 s."""
    from matplotlib.ticker import NullFormatter

    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        if low > 0.0 and np.log10(high / low) > 1.5:
            axis.set_minor_formatter(NullFormatter())


def count_undrawn(eta: ArrayLike, v: ArrayLike) -> str:
    """Say how many sources a logarithmic plot cannot show, and why; empty where all show.

    Examples
    --------
    >>> count_undrawn([1.0, float("nan"), 0.0], [0.1, 0.1, 0.1])
    '2 of 3 not drawn: 1 undefined, 1 with η or V ≤ 0'
    >>> count_undrawn([1.0], [0.1])
    ''
    """
    x = np.asarray(eta, dtype=np.float64)
    y = np.asarray(v, dtype=np.float64)
    undefined = ~(np.isfinite(x) & np.isfinite(y))
    unlogged = ~undefined & ~_drawable(x, y)
    parts = [
        f"{int(mask.sum())} {words}"
        for mask, words in ((undefined, "undefined"), (unlogged, "with η or V ≤ 0"))
        if mask.any()
    ]
    total = int(undefined.sum() + unlogged.sum())
    return f"{total} of {x.size} not drawn: {', '.join(parts)}" if parts else ""


def _drawable(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isfinite(x) & np.isfinite(y) & (x > 0.0) & (y > 0.0)
