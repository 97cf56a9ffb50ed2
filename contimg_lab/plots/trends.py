"""One quantity of the tile images over many nights, with the nights that stand out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.errors import AbsentFeature, InvalidInput
from contimg_lab.plots._style import (
    COLOURS,
    add_mjd_axis,
    draw_legend,
    ensure_axes,
    pad_limits,
    write_empty,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["FLUX_RATIO_BAND", "plot_trends", "trend_words"]

FLUX_RATIO_BAND = (0.8, 1.2)
"""Median flux ratios of a good epoch."""

_SHOWN: dict[str, tuple[str, str, float]] = {
    "noise_jy": ("Noise", "mJy/beam", 1e3),
    "beam_major_arcsec": ("Beam, major axis", "arcsec", 1.0),
    "beam_minor_arcsec": ("Beam, minor axis", "arcsec", 1.0),
    "axis_ratio": ("Beam, axis ratio", "", 1.0),
    "dynamic_range": ("Dynamic range", "", 1.0),
    "flux_ratio": ("Flux over NVSS flux", "", 1.0),
}
"""Name, unit and factor of each quantity as it is shown."""


def plot_trends(nightly: pd.DataFrame, quantity: str, ax: Axes | None = None) -> Axes:
    """Draw the nightly medians of one quantity against time.

    Error bars are MAD / sqrt(n) of the night's n tiles. A night that stands out from those
    before it is a triangle with its date and deviation beside it; nights with too few before
    them are hollow. Of the flux ratio the band of a good epoch is shaded.

    Parameters
    ----------
    nightly
        From ``lab.images.nightly()``.
    quantity
        ``noise_jy``, ``beam_major_arcsec``, ``beam_minor_arcsec``, ``axis_ratio``,
        ``dynamic_range`` or ``flux_ratio``.
    ax
        Axes to draw on; new ones where there are none.

    Raises
    ------
    InvalidInput
        There is no such quantity.
    AbsentFeature
        This site's files have no column for it.
    """
    name, unit, factor = _known(nightly, quantity)
    axes = ensure_axes(ax, (7.2, 3.6))
    axes.set_ylabel(f"{name} ({unit})" if unit else name)
    mjd, value = _column(nightly, "mid_mjd"), _column(nightly, quantity) * factor
    drawn = np.isfinite(mjd) & np.isfinite(value)
    if not drawn.any():
        write_empty(axes, f"no night has a {name.lower()}")
        return axes
    error = _errors(nightly, quantity) * factor
    marked, compared = _marks(nightly, quantity)
    axes.set_xlim(*pad_limits(float(mjd[drawn].min()), float(mjd[drawn].max()), 0.05, 0.5))
    if quantity == "flux_ratio":
        low, high = FLUX_RATIO_BAND
        axes.axhspan(
            low, high, color=COLOURS["green"], alpha=0.15, lw=0.0, zorder=1,
            label=f"{low:g} to {high:g}: a good epoch",
        )  # fmt: skip
    kinds = (
        (drawn & compared & ~marked, "o", COLOURS["blue"], COLOURS["blue"], "night"),
        (drawn & ~compared, "o", COLOURS["blue"], "none", "fewer than 5 nights before"),
        (drawn & marked, "^", COLOURS["vermilion"], COLOURS["vermilion"], "stands out (> 4 σ)"),
    )
    for which, marker, colour, face, words in kinds:
        if which.any():
            axes.errorbar(
                mjd[which], value[which], yerr=np.nan_to_num(error[which]), fmt=marker,
                ms=9 if marker == "^" else 5, color=colour, mfc=face, mec=colour, ecolor=colour,
                elinewidth=1.0, label=f"{words} ({int(which.sum())})", zorder=3,
            )  # fmt: skip
    _draw_before(axes, nightly, quantity, factor, mjd)
    _name_marked(axes, nightly, quantity, mjd, value, drawn & marked)
    axes.margins(y=0.18)
    axes.grid(visible=True, alpha=0.25, linewidth=0.5)
    add_mjd_axis(axes)
    draw_legend(axes)
    return axes


def trend_words(nightly: pd.DataFrame, quantity: str) -> str:
    """Say in words what `plot_trends` shows, as its alternative text; raises as that does."""
    name, unit, factor = _known(nightly, quantity)
    value = _column(nightly, quantity) * factor
    at = np.flatnonzero(np.isfinite(value) & np.isfinite(_column(nightly, "mid_mjd")))
    if not at.size:
        return f"{name} over {len(nightly)} nights: no night has one."
    nights = nightly["night"].to_numpy()
    error = _errors(nightly, quantity) * factor
    unit = f" {unit}" if unit else ""
    last = at[-1]
    told = [
        f"{name} of {at.size} nights, {nights[at[0]]} to {nights[last]}",
        f"median {np.median(value[at]):.4g}{unit}, {value[at].min():.4g} to {value[at].max():.4g}",
        f"last night {value[last]:.4g} ± {error[last]:.2g}{unit}",
    ]
    if quantity == "flux_ratio":
        low, high = FLUX_RATIO_BAND
        outside = int(((value[at] < low) | (value[at] > high)).sum())
        told.append(f"nights outside {low:g} to {high:g}: {outside}")
    marked = np.flatnonzero(_marks(nightly, quantity)[0])
    deviation = _column(nightly, f"{quantity}_deviation")
    listed = ", ".join(f"{nights[i]} ({deviation[i]:+.1f} σ)" for i in marked.tolist())
    told.append(f"nights that stand out: {listed or 'none'}")
    return f"{'; '.join(told)}."


def _known(nightly: pd.DataFrame, quantity: str) -> tuple[str, str, float]:
    if quantity not in _SHOWN:
        raise InvalidInput(f"quantity {quantity!r} is none of {', '.join(_SHOWN)}")
    if quantity in nightly.attrs.get("absent", ()):
        raise AbsentFeature(f"this site's files have no column for {quantity}")
    return _SHOWN[quantity]


def _column(nightly: pd.DataFrame, name: str) -> NDArray[np.float64]:
    found: NDArray[np.float64] = nightly[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return found


def _errors(nightly: pd.DataFrame, quantity: str) -> NDArray[np.float64]:
    """MAD / sqrt(n) of each night, in the quantity's unit; NaN without a tile."""
    n = _column(nightly, f"{quantity}_n")
    with np.errstate(divide="ignore", invalid="ignore"):
        error: NDArray[np.float64] = _column(nightly, f"{quantity}_mad") / np.sqrt(n)
    return error


def _marks(nightly: pd.DataFrame, quantity: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Nights that stand out, and nights that were compared at all."""
    told = nightly[f"{quantity}_regression"]
    return told.fillna(False).to_numpy(dtype=bool), told.notna().to_numpy(dtype=bool)


def _draw_before(
    ax: Axes, nightly: pd.DataFrame, quantity: str, factor: float, mjd: NDArray[np.float64]
) -> None:
    before = _column(nightly, f"{quantity}_before") * factor
    known = np.isfinite(before) & np.isfinite(mjd)
    if known.any():
        ax.plot(
            mjd[known], before[known], color=COLOURS["grey"], lw=1.2, ls="--", zorder=2,
            label="median of the nights before",
        )  # fmt: skip


def _name_marked(
    ax: Axes,
    nightly: pd.DataFrame,
    quantity: str,
    mjd: NDArray[np.float64],
    value: NDArray[np.float64],
    which: NDArray[np.bool_],
) -> None:
    deviation = _column(nightly, f"{quantity}_deviation")
    nights = nightly["night"].to_numpy()
    left, right = ax.get_xlim()
    for i in np.flatnonzero(which).tolist():
        side = 1 if mjd[i] < (left + right) / 2.0 else -1
        ax.annotate(
            f"{str(nights[i])[5:]} ({deviation[i]:+.1f} σ)", (mjd[i], value[i]),
            xytext=(9 * side, 6 if deviation[i] > 0.0 else -6), textcoords="offset points",
            fontsize="small", ha="left" if side > 0 else "right", color=COLOURS["vermilion"],
            va="bottom" if deviation[i] > 0.0 else "top", zorder=4,
        )  # fmt: skip
