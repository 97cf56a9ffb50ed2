"""What all plots share: colours, the user's axes or new ones, MJD written out, UTC on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.errors import InvalidInput
from contimg_lab.times import UNIX_EPOCH_MJD, datetime_from_mjd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "COLOURS",
    "add_mjd_axis",
    "draw_legend",
    "ensure_axes",
    "pad_limits",
    "write_empty",
]

COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#767676",
}
"""The palette of Okabe and Ito (2008), told apart by colour-blind readers, and one grey."""

_LEGEND_DROP_IN = 0.45
_DAYS_ONLY_D = 3.0
_SECONDS_TOO_D = 0.02


def ensure_axes(ax: Axes | None, size_in: tuple[float, float]) -> Axes:
    """Return the user's axes; where there are none, make some as pyplot does, to be shown."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size_in, layout="constrained")[1]


def add_mjd_axis(ax: Axes, label: str = "MJD (UTC, days)") -> None:
    """Label the lower axis in whole MJD, without an offset, and the upper axis in UTC."""
    import matplotlib.dates
    from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

    plain = ScalarFormatter(useOffset=False)
    plain.set_scientific(False)
    ax.xaxis.set_major_formatter(plain)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    ax.set_xlabel(label)
    dates: Any = matplotlib.dates
    shift_d = float(dates.date2num(np.datetime64("1970-01-01"))) - UNIX_EPOCH_MJD

    def to_date(mjd: Any) -> Any:
        return mjd + shift_d

    def from_date(date: Any) -> Any:
        return date - shift_d

    upper = ax.secondary_xaxis("top", functions=(to_date, from_date))

    def write_date(value: float, position: int | None = None) -> str:
        low, high = upper.get_xlim()
        try:
            when = datetime_from_mjd(value - shift_d)
        except InvalidInput:
            return ""
        span_d = abs(high - low)
        if span_d > _DAYS_ONLY_D:
            return when.strftime("%Y-%m-%d")
        return when.strftime("%m-%d %H:%M" if span_d > _SECONDS_TOO_D else "%H:%M:%S")

    low, high = ax.get_xlim()
    if high - low > _DAYS_ONLY_D:
        upper.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))  # midnights
        upper.set_xlabel("UTC")
    else:
        upper.xaxis.set_major_locator(dates.AutoDateLocator(minticks=2, maxticks=5))
        upper.set_xlabel(f"UTC ({_year_of(low, high)})")
    upper.xaxis.set_major_formatter(FuncFormatter(write_date))
    upper.tick_params(labelsize="small")


def _year_of(low_mjd: float, high_mjd: float) -> str:
    try:
        years = sorted({datetime_from_mjd(low_mjd).year, datetime_from_mjd(high_mjd).year})
    except InvalidInput:
        return ""
    return "/".join(str(year) for year in years)


def draw_legend(ax: Axes, ncols: int = 3) -> None:
    """Draw a compact legend below the axes, where it hides no point; error bars come first."""
    from matplotlib.container import ErrorbarContainer
    from matplotlib.transforms import ScaledTranslation

    told = list(zip(*ax.get_legend_handles_labels(), strict=True))
    if not told:
        return
    told.sort(key=lambda pair: not isinstance(pair[0], ErrorbarContainer))
    figure: Any = ax.figure
    below = ScaledTranslation(0.0, -_LEGEND_DROP_IN, figure.dpi_scale_trans)
    ax.legend(
        [handle for handle, _ in told],
        [label for _, label in told],
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + below,
        ncols=ncols,
        fontsize="small",
        frameon=False,
        handletextpad=0.4,
        columnspacing=1.4,
        labelspacing=0.25,
    )


def write_empty(ax: Axes, words: str) -> None:
    """Say in the middle of the axes why nothing is drawn."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", wrap=True)


def pad_limits(low: float, high: float, share: float, least: float) -> tuple[float, float]:
    """Widen a range by a share of itself on both sides, at least to a given half-width."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return -least, least
    pad = max((high - low) * share, least - (high - low) / 2.0, 0.0)
    return low - pad, high + pad
