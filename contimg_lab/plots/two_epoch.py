"""The two-epoch search: |Vs| against m of each source's largest pair, with the cuts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.plots._log_axis import write_plain_ticks
from contimg_lab.plots._style import COLOURS, draw_legend, ensure_axes, write_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["plot_vs_m"]

# two positive fluxes cannot differ by more than |m| = 2
_WIDEST_M = 2.15
_RASTER_FROM = 5000


def plot_vs_m(
    vs: ArrayLike,
    m: ArrayLike,
    *,
    cuts: tuple[float, float] = (4.3, 0.26),
    expected_false_pairs: float | None = None,
    selected: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw |Vs|, logarithmic, against the signed m of each source's pair of largest |Vs|.

    Vs and m of a pair have the same sign, so that |Vs| loses nothing: left of 0 the source
    brightened from the earlier epoch to the later, right of 0 it faded. |m| beyond 2 means that
    one flux of the pair is negative; such sources stand at the edge, and are counted.

    Parameters
    ----------
    vs, m
        Shape (k,): columns ``vs_max`` and ``m_at_vs_max``; no unit.
    cuts
        Least |Vs| and |m| of what is selected.
    expected_false_pairs
        ``candidates().attrs["expected_false_pairs"]``: pairs of constant sources beyond the cut
        in |Vs|, over all pairs searched. Told in the legend.
    selected
        Index of the source to ring.
    title
        Title of the plot.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes; sources that have no such pair are counted in a corner.

    References
    ----------
    Mooley et al. (2016), ApJ 818, 105, sec. 5.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = plot_vs_m([1.2, -9.0], [0.1, -0.8], ax=Figure().subplots())
    >>> [line.get_label() for line in (ax.lines[0], ax.lines[3])]
    ['source (1)', 'beyond both cuts (1)']
    """
    axes = ensure_axes(ax, (5.6, 4.2))
    size = np.abs(np.asarray(vs, dtype=np.float64))
    change = np.asarray(m, dtype=np.float64)
    drawn = np.isfinite(size) & np.isfinite(change) & (size > 0.0)
    taken = drawn & (size > cuts[0]) & (np.abs(change) > cuts[1])
    axes.set_yscale("log")
    wide = float(np.max(np.abs(change[drawn]), initial=2.0 * cuts[1]))
    edge = min(wide * 1.08, _WIDEST_M)
    beyond = drawn & (np.abs(change) > edge)
    at = np.clip(change, -edge, edge)
    axes.set_xlim(-edge * 1.02, edge * 1.02)
    many = bool(drawn.sum() > _RASTER_FROM)
    for mask, label, marker, colour, points in (
        (drawn & ~taken, "source", "o", COLOURS["blue"], 4.0),
        (taken, "beyond both cuts", "D", COLOURS["vermilion"], 5.0),
    ):
        inside = mask & ~beyond
        axes.plot(
            at[inside], size[inside], ls="", marker=marker, ms=points, color=colour, alpha=0.75,
            mec="white", mew=0.3, rasterized=many, zorder=3,
            label=f"{label} ({int(mask.sum())})",
        )  # fmt: skip
        for sign, arrow in ((-1.0, "<"), (1.0, ">")):
            there = mask & beyond & (np.sign(change) == sign)
            axes.plot(
                at[there], size[there], ls="", marker=arrow, ms=points + 2.0, color=colour,
                alpha=0.6, mec="white", mew=0.3, rasterized=many, zorder=3,
            )  # fmt: skip
    if beyond.any():
        axes.plot(
            [], [], ls="", marker=">", color=COLOURS["grey"],
            label=f"|m| > {edge:.3g}: a flux below 0 ({int(beyond.sum())})",
        )  # fmt: skip
    style = {"color": COLOURS["orange"], "lw": 1.3, "ls": "--", "zorder": 1.5}
    axes.axhline(cuts[0], label=f"|Vs| > {cuts[0]:g}, |m| > {cuts[1]:g}", **style)  # type: ignore[arg-type]
    for sign in (-1.0, 1.0):
        axes.axvline(sign * cuts[1], **style)  # type: ignore[arg-type]
    low = float(np.min(size[drawn], initial=cuts[0]))
    high = float(np.max(size[drawn], initial=cuts[0]))
    axes.set_ylim(low / (1.25 if drawn.all() else 1.7), high * 1.4)
    for left in (-edge * 1.02, cuts[1]):
        width = edge * 1.02 - cuts[1]
        axes.fill_between(
            [left, left + width], cuts[0], high * 1.4, color=COLOURS["orange"], alpha=0.1, lw=0
        )
    if not drawn.any():
        write_empty(axes, "no source with a pair of epochs")
    if selected is not None and 0 <= selected < size.size and drawn[selected]:
        axes.plot(
            at[selected], size[selected], ls="", marker="o", ms=14, mfc="none", mew=2.4,
            color=COLOURS["sky"], label="selected", zorder=6, clip_on=False,
        )  # fmt: skip
    if expected_false_pairs is not None and math.isfinite(expected_false_pairs):
        axes.plot([], [], ls="", label=f"false pairs expected: {expected_false_pairs:.2g}")
    if not drawn.all():
        axes.text(
            0.99, 0.02, f"{int((~drawn).sum())} of {size.size} without Vs and m",
            transform=axes.transAxes, ha="right", va="bottom", fontsize="small",
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0},
        )  # fmt: skip
    write_plain_ticks(axes.yaxis)
    axes.set_xlabel("m, 2 (S$_a$ − S$_b$) / (S$_a$ + S$_b$):  ← brightened     faded →")
    axes.set_ylabel("|Vs| of the pair that differs most")
    axes.set_title(title, fontsize="medium")
    axes.grid(visible=True, which="major", alpha=0.25, linewidth=0.5)
    draw_legend(axes, ncols=2)
    return axes
