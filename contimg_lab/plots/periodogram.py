"""Lomb-Scargle power against frequency: false-alarm levels, and the best period marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from contimg_lab.plots._style import COLOURS, draw_legend, ensure_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["PeriodogramLike", "plot_periodogram"]

_PERIODS_D = tuple(k * 10.0**p for p in range(-4, 5) for k in (1.0, 2.0, 3.0, 5.0))
_LEVEL_LINES = ("--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))


class PeriodogramLike(Protocol):
    """What a periodogram must have to be drawn."""

    @property
    def source_id(self) -> str:
        """Name of the source."""

    @property
    def frequency_per_d(self) -> NDArray[np.float64]:
        """Rising frequencies, cycles a day."""

    @property
    def power(self) -> NDArray[np.float64]:
        """Standardised power of each."""

    @property
    def best_period_d(self) -> float:
        """Period of the highest peak, days."""

    @property
    def best_period_err_d(self) -> float:
        """Its error, days."""

    @property
    def best_power(self) -> float:
        """Power of the highest peak."""

    @property
    def false_alarm_probability(self) -> float:
        """Probability that noise alone has a peak so high."""

    @property
    def at_edge(self) -> bool:
        """Whether the highest power stands at the edge of the range."""

    @property
    def level_probability(self) -> NDArray[np.float64]:
        """False-alarm probabilities."""

    @property
    def level_power(self) -> NDArray[np.float64]:
        """Power of each."""


def plot_periodogram(found: PeriodogramLike, ax: Axes | None = None) -> Axes:
    """Draw a periodogram.

    Parameters
    ----------
    found
        The periodogram.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes: frequency below, period above, power from 0 to 1.
    """
    axes = ensure_axes(ax, (7.2, 3.8))
    frequency = np.asarray(found.frequency_per_d, dtype=np.float64)
    axes.plot(frequency, found.power, color=COLOURS["blue"], lw=1.2, zorder=3)
    for i, (probability, power) in enumerate(
        zip(found.level_probability, found.level_power, strict=True)
    ):
        axes.axhline(
            float(power), color=COLOURS["grey"], lw=1.0, ls=_LEVEL_LINES[i % len(_LEVEL_LINES)],
            zorder=2, label=f"false alarm {float(probability) * 100.0:.3g} %",
        )  # fmt: skip
    period = f"best period {_with_error(found.best_period_d, found.best_period_err_d)} d"
    what = "highest at the edge: no period" if found.at_edge else period
    what += f" (false alarm {found.false_alarm_probability:.1g})"
    best = 1.0 / found.best_period_d
    axes.plot(
        [best], [found.best_power], ls="", marker="v", ms=8, mec="white", mew=0.8,
        color=COLOURS["vermilion"], zorder=4, label=what,
    )  # fmt: skip
    low, high = float(frequency[0]), float(frequency[-1])
    axes.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    top = max(float(np.max(found.power)), float(np.max(found.level_power, initial=0.0)))
    axes.set_ylim(0.0, 1.1 * top if top > 0.0 else 1.0)
    axes.set_xlabel("Frequency (cycles/day)")
    axes.set_ylabel("Lomb-Scargle power")
    axes.set_title(found.source_id, fontsize="medium")
    axes.grid(visible=True, alpha=0.25, linewidth=0.5)
    _add_periods(axes, low, high)
    draw_legend(axes, ncols=2)
    return axes


def _add_periods(ax: Axes, low: float, high: float) -> None:
    def invert(value: Any) -> Any:
        with np.errstate(divide="ignore"):
            return 1.0 / np.asarray(value, dtype=np.float64)

    upper = ax.secondary_xaxis("top", functions=(invert, invert))
    # written at round periods that stand apart along the axis, longest first
    ticks: list[float] = []
    for period in sorted(_PERIODS_D, reverse=True):
        at = 1.0 / period
        last = 1.0 / ticks[-1] if ticks else -np.inf
        if low <= at <= high and at - last > 0.06 * (high - low):
            ticks.append(period)
    upper.set_xticks(ticks, [f"{period:g}" for period in ticks])
    upper.minorticks_off()
    upper.tick_params(labelsize="small")
    upper.set_xlabel("Period (days)")


def _with_error(value: float, error: float) -> str:
    if not (np.isfinite(error) and error > 0.0):
        return f"{value:.4g}"
    digits = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"
