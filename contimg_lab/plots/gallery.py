"""Light curves of many candidates on one figure, on one time axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.errors import InvalidInput
from contimg_lab.plots._style import COLOURS, pad_limits, write_empty
from contimg_lab.plots.light_curve import LightCurveLike, display_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["plot_gallery"]

_CELL_IN = (2.7, 1.75)


def plot_gallery(
    curves: Iterable[LightCurveLike] | Mapping[str, LightCurveLike],
    *,
    n: int = 12,
    columns: int = 3,
    fig: Figure | None = None,
) -> list[Axes]:
    """Draw the light curves of the first n candidates, each in a cell with its own flux axis.

    Time is the same in all cells, so that an image with a wrong gain is seen to move them
    together. Fluxes below 3 of their errors are hollow and grey; the line is the weighted mean.

    Parameters
    ----------
    curves
        Light curves in the order to draw, or a mapping to them as `light_curves` returns.
    n
        Cells at most.
    columns
        Cells in a row.
    fig
        Figure to draw on; a new one of pyplot's where None.

    Returns
    -------
    list of Axes
        One a curve, in order.

    Raises
    ------
    InvalidInput
        ``n`` or ``columns`` is below 1.
    """
    if n < 1 or columns < 1:
        raise InvalidInput(f"n {n!r} and columns {columns!r} must be 1 or more")
    whole = list(curves.values() if isinstance(curves, Mapping) else curves)
    some = list(islice(whole, n))
    across = max(1, min(columns, len(some)))
    down = max(1, math.ceil(len(some) / across))
    figure = fig if fig is not None else _new_figure(across, down)
    grid = figure.subplots(down, across, sharex=True, squeeze=False)
    cells: list[Axes] = list(grid.flat)
    if not some:
        write_empty(cells[0], "no light curve to draw")
        cells[0].set_axis_off()
        return []
    for cell, lc in zip(cells, some, strict=False):
        _draw_cell(cell, lc)
    times = np.concatenate([np.asarray(lc.mjd, dtype=np.float64) for lc in some])
    times = times[np.isfinite(times)]
    if times.size:
        cells[0].set_xlim(*pad_limits(float(times.min()), float(times.max()), 0.04, 0.01))
    for empty in cells[len(some) :]:
        empty.set_axis_off()
    _label_times(cells, len(some), across)
    figure.supxlabel("MJD (UTC, days)", fontsize="medium")
    figure.supylabel("Flux density", fontsize="medium")
    if len(some) < len(whole):
        figure.suptitle(f"the first {len(some)} of {len(whole)}", fontsize="medium")
    return cells[: len(some)]


def _new_figure(across: int, down: int) -> Figure:
    import matplotlib.pyplot as plt

    size = (max(4.5, _CELL_IN[0] * across), max(2.4, 0.5 + _CELL_IN[1] * down))
    return plt.figure(figsize=size, layout="constrained")


def _draw_cell(ax: Axes, lc: LightCurveLike) -> None:
    mjd = np.asarray(lc.mjd, dtype=np.float64)
    flux = np.asarray(lc.flux_jy, dtype=np.float64)
    scale, unit = display_unit(flux)
    flux, err = flux * scale, np.asarray(lc.flux_err_jy, dtype=np.float64) * scale
    found = np.asarray(lc.is_detection, dtype=bool)
    ax.set_title(str(lc.source_id), fontsize="small", pad=3)
    ax.tick_params(labelsize="x-small")
    ax.grid(visible=True, alpha=0.25, linewidth=0.5)
    if not mjd.size:
        write_empty(ax, "no valid epoch")
        ax.set_yticks([])
        return
    weight = (err.min() / err) ** 2
    ax.axhline(
        float(np.sum(weight * flux) / np.sum(weight)), color=COLOURS["orange"], lw=1.0, zorder=1
    )
    _draw_points(ax, mjd[found], flux[found], err[found], COLOURS["blue"], None)
    _draw_points(ax, mjd[~found], flux[~found], err[~found], COLOURS["grey"], "none")
    peak = np.asarray(lc.flux_column) == "peak_jyb"
    ax.set_ylabel(f"{unit}/beam" if peak.all() else unit, fontsize="x-small", labelpad=2)


def _draw_points(
    ax: Axes,
    mjd: NDArray[np.float64],
    flux: NDArray[np.float64],
    err: NDArray[np.float64],
    colour: str,
    face: str | None,
) -> None:
    if mjd.size:
        ax.errorbar(
            mjd, flux, yerr=err, fmt="o", ms=2.5, lw=0, elinewidth=0.7, capsize=0,
            color=colour, mfc=face, mew=0.7, zorder=3,
        )  # fmt: skip


def _label_times(cells: list[Axes], count: int, across: int) -> None:
    """Write MJD without an offset under the lowest curve of each column."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    plain: Any = ScalarFormatter(useOffset=False)
    plain.set_scientific(False)
    # the axis is shared, so these serve every cell
    cells[0].xaxis.set_major_formatter(plain)
    cells[0].xaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 5, 10]))
    for i, cell in enumerate(cells[:count]):
        cell.tick_params(axis="x", labelbottom=i + across >= count)
