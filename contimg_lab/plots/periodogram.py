"""Lomb-Scargle power against frequency: false-alarm levels, and the best period marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import ensure_axes
from contimg_lab.plots.chart import Axis, Chart, Column, Level, Line, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["PeriodogramLike", "peak_periods_d", "periodogram_chart", "plot_periodogram"]

_PERIODS_D = tuple(k * 10.0**p for p in range(-4, 5) for k in (1.0, 2.0, 3.0, 5.0))
_ALARMS = ("false alarm", "rarer alarm", "rarest alarm")
_MOST_PEAKS = 8
_MOST_STRETCHES = 2000


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
    axes = draw_chart(periodogram_chart(found), ensure_axes(ax, (7.2, 3.8)))
    frequency = np.asarray(found.frequency_per_d, dtype=np.float64)
    _add_periods(axes, float(frequency[0]), float(frequency[-1]))
    return axes


def periodogram_chart(found: PeriodogramLike) -> Chart:
    """Describe a periodogram as `plot_periodogram` draws it.

    The highest peaks are points, numbered by their height from 0 on; these numbers are their
    keys, and `peak_periods_d` gives their periods.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> planted = [p for p in cl.demo_truth().variables if p.kind == "periodic"][-1]
    >>> with cl.demo() as lab:
    ...     found = lab.sources.light_curve(planted.source_id).periodogram()
    >>> chart = periodogram_chart(found)
    >>> chart.points[0].words.split("(")[0], chart.points[0].keys
    ('best period 7.457 ± 0.034 d ', (0,))
    """
    frequency = np.asarray(found.frequency_per_d, dtype=np.float64)
    power = np.asarray(found.power, dtype=np.float64)
    at = _peaks(found)
    per_d, heights = frequency[at], power[at]
    best = 1.0 / found.best_period_d
    per_d[:1], heights[:1] = best, found.best_power
    period = f"best period {_with_error(found.best_period_d, found.best_period_err_d)} d"
    what = "highest at the edge: no period" if found.at_edge else period
    what += f" (false alarm {found.false_alarm_probability:.1g})"

    def part(role: str, name: str, some: slice, label: str) -> Points:
        periods = Column(name="period", values=1.0 / per_d[some], unit="d")
        return Points(
            role=role, name=name, label=label, x=per_d[some], y=heights[some],
            keys=tuple(range(len(at))[some]), columns=(periods,),
        )  # fmt: skip

    points = [part("best", "highest peak", slice(0, 1), what)]
    if len(at) > 1:
        points.append(part("peak of power", "peak", slice(1, None), ""))
    levels = tuple(
        Level(role=_ALARMS[i % len(_ALARMS)], axis="y", at=float(power), label=_alarm(probability))
        for i, (probability, power) in enumerate(
            zip(found.level_probability, found.level_power, strict=True)
        )
    )
    low, high = float(frequency[0]), float(frequency[-1])
    top = max(float(np.max(power)), float(np.max(found.level_power, initial=0.0)))
    x, y = _thinned(frequency, power)
    return Chart(
        name=f"periodogram of {found.source_id}",
        title=found.source_id,
        noun="peak",
        x=Axis(label="Frequency (cycles/day)", name="frequency", unit="cycles/day",
               limits=(low - 0.02 * (high - low), high + 0.02 * (high - low))),
        y=Axis(label="Lomb-Scargle power", name="power",
               limits=(0.0, 1.1 * top if top > 0.0 else 1.0)),
        points=tuple(points),
        lines=(Line(role="power", x=x, y=y),),
        levels=levels,
        columns=2,
        alt=f"Periodogram of {found.source_id}, periods {1.0 / high:.4g} to {1.0 / low:.4g} d: "
        f"highest power {found.best_power:.3f} at {1.0 / best:.5g} d, {what}; "
        + ", ".join(f"{level.label} at power {level.at:.3f}" for level in levels) + ".",
    )  # fmt: skip


def peak_periods_d(found: PeriodogramLike) -> list[float]:
    """Return the periods of the highest peaks, highest first; days."""
    rest = np.asarray(found.frequency_per_d, dtype=np.float64)[_peaks(found)[1:]]
    return [float(found.best_period_d), *(1.0 / rest).tolist()]


def _peaks(found: PeriodogramLike) -> NDArray[np.intp]:
    """Places of the highest power, and of the highest local maxima besides."""
    power = np.asarray(found.power, dtype=np.float64)
    inner = np.flatnonzero((power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])) + 1
    best = int(np.argmax(power))
    inner = inner[inner != best]
    inner = inner[np.argsort(-power[inner], kind="stable")][: _MOST_PEAKS - 1]
    return np.concatenate([[best], inner])


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[Any, Any]:
    """Keep the lowest and the highest of each stretch, where there are more than can be seen."""
    width = -(-len(x) // _MOST_STRETCHES)
    if width < 3:
        return x, y
    count = len(x) // width
    blocks = y[: count * width].reshape(count, width)
    at = np.stack([blocks.argmin(axis=1), blocks.argmax(axis=1)], axis=1)
    kept = np.sort(at, axis=1) + width * np.arange(count)[:, None]
    kept = np.append(kept.ravel(), len(x) - 1)
    return x[kept], y[kept]


def _alarm(probability: float) -> str:
    return f"false alarm {float(probability) * 100.0:.3g} %"


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
