"""Periods of one light curve: its Lomb-Scargle periodogram, and the curve folded on a period."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contimg_lab import _faces
from contimg_lab.analysis import curves, timescales
from contimg_lab.errors import InvalidInput
from contimg_lab.services._curve_value import Curve, Floats, Result, table, timed, times_told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FoldedCurve", "Periodogram", "find_periods", "fold_curve"]

# a power a frequency in memory, and a phase good to 1e-6 from doubles
_MOST_FREQUENCIES = 5e6
_MOST_CYCLES = 1e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Periodogram(Result, timescales.Periodogram):
    """Lomb-Scargle periodogram of a light curve.

    Attributes
    ----------
    source_id
        Name in the catalogue.
    frequency_per_d, power
        Shape (k,): frequency (cycles a day) and standardised power, 0 to 1.
    best_period_d, best_power
        Period of the highest peak, days, and its power.
    best_period_err_d
        Its error, days: that of the period of a sinusoid in scatter as large as what the
        sinusoid leaves, if this peak is the right one and not an alias.
    at_edge
        The highest power stands at the edge of the range: then ``best_period_d`` is no period
        (a trend, most often).
    false_alarm_probability
        Probability that Gaussian noise alone has a peak so high anywhere in this range.
    level_probability, level_power
        Shape (j,): false-alarm probabilities, and the power of each.
    n, n_untimed
        Epochs used, and those left out because nothing tells their time.
    curve
        The curve that was searched.
    """

    source_id: str
    best_period_err_d: float
    at_edge: bool
    n: int
    n_untimed: int
    curve: Curve

    def __repr__(self) -> str:
        low, high = 1.0 / self.frequency_per_d[-1], 1.0 / self.frequency_per_d[0]
        lines = [
            f"Periodogram {self.source_id}: {self.n} epochs, periods {low:.4g} to {high:.4g} d",
            f"  highest power {self.best_power:.3f} at {self.best_period_d:.5g} +- "
            f"{self.best_period_err_d:.2g} d, false-alarm probability "
            f"{self.false_alarm_probability:.2g}",
        ]
        if self.at_edge:
            lines.append("  at the edge of the range: no period (a trend, most often)")
        told = times_told(self.curve, self.n_untimed)
        return "\n".join(lines + ([f"  {told}"] if told else []))

    def to_pandas(self) -> pd.DataFrame:
        """Return frequency, period and power as a DataFrame with units in ``attrs["units"]``."""
        data = {
            "frequency_per_d": self.frequency_per_d,
            "period_d": 1.0 / self.frequency_per_d,
            "power": self.power,
        }
        units = {"frequency_per_d": "1/d", "period_d": "d", "power": ""}
        names = ("best_period_d", "best_period_err_d", "at_edge", "false_alarm_probability")
        return table(data, units, self, *names, "n", "n_untimed")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw power against period with false-alarm levels, on ``ax`` or a new figure's axes."""
        return _faces.plot_periodogram(self, ax)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FoldedCurve(Result):
    """A light curve against phase; each array has shape (n,), in order of time.

    Attributes
    ----------
    source_id
        Name in the catalogue.
    period_d, epoch_mjd
        Period (days), and the time of phase 0 (MJD, UTC; NaN where there is no epoch).
    phase, cycle
        Phase in [0, 1), and number of the cycle since ``epoch_mjd``.
    mjd, flux_jy, flux_err_jy, is_detection
        As in the light curve.
    flux_unit
        Unit of the fluxes.
    n_untimed
        Epochs left out because nothing tells their time.
    curve
        The curve that was folded.
    """

    source_id: str
    period_d: float
    epoch_mjd: float
    phase: Floats
    cycle: NDArray[np.int64]
    mjd: Floats
    flux_jy: Floats
    flux_err_jy: Floats
    is_detection: NDArray[np.bool_]
    flux_unit: str
    n_untimed: int
    curve: Curve

    def __len__(self) -> int:
        return len(self.phase)

    def __repr__(self) -> str:
        lines = [
            f"FoldedCurve {self.source_id}: {len(self)} epochs in "
            f"{len(np.unique(self.cycle))} cycles of {self.period_d:.6g} d, "
            f"phase 0 at MJD {self.epoch_mjd:.5f}"
        ]
        told = times_told(self.curve, self.n_untimed)
        return "\n".join(lines + ([f"  {told}"] if told else []))

    def to_pandas(self) -> pd.DataFrame:
        """Return the epochs as a DataFrame with units in ``attrs["units"]``."""
        names = ("phase", "cycle", "mjd", "flux_jy", "flux_err_jy", "is_detection")
        units = {"phase": "cycles, 0 to 1", "cycle": "", "mjd": "d (MJD, UTC)"}
        units |= dict.fromkeys(("flux_jy", "flux_err_jy"), self.flux_unit)
        data = {name: getattr(self, name) for name in names}
        return table(data, units, self, "period_d", "epoch_mjd", "n_untimed")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw two cycles of flux against phase, on ``ax`` or on a new figure's axes."""
        return _faces.plot_folded(self, ax)


def find_periods(
    curve: Curve,
    shortest_d: float | None,
    longest_d: float | None,
    samples_per_peak: int,
    levels: Sequence[float],
) -> Periodogram:
    """Search for periods; `LightCurve.periodogram` says how."""
    mjd, flux, err, _, n_untimed = timed(curve)
    if len(flux) and np.ptp(flux) == 0.0:
        raise InvalidInput("flux_jy: all fluxes are equal, so there is nothing periodic to find")
    if not isinstance(samples_per_peak, (int, float)) or not 1 <= samples_per_peak <= 10_000:
        raise InvalidInput(f"samples_per_peak {samples_per_peak!r} is no number from 1 to 10000")
    if not all(0.0 < level < 1.0 for level in levels):
        raise InvalidInput(f"levels {levels!r} are not all probabilities between 0 and 1")
    if len(mjd) and shortest_d is not None and shortest_d > 0.0:
        wanted = float(np.ptp(mjd)) / shortest_d * samples_per_peak
        if wanted > _MOST_FREQUENCIES:
            raise InvalidInput(
                f"shortest_days {shortest_d!r} asks for {wanted:.2g} frequencies, more than "
                f"{_MOST_FREQUENCIES:.0e}; take a longer one or fewer samples_per_peak"
            )
    found = timescales.periodogram(
        mjd,
        flux,
        err,
        shortest_d=shortest_d,
        longest_d=longest_d,
        samples_per_peak=samples_per_peak,
        levels=levels,
    )
    best = int(np.argmax(found.power))
    return Periodogram(
        **{one.name: getattr(found, one.name) for one in fields(found)},
        source_id=curve.source_id,
        best_period_err_d=_period_err_d(found, len(mjd), float(np.ptp(mjd))),
        at_edge=best in (0, len(found.power) - 1),
        n=len(mjd),
        n_untimed=n_untimed,
        curve=curve,
    )


def fold_curve(curve: Curve, period_d: float, epoch_mjd: float | None) -> FoldedCurve:
    """Fold on a period; `LightCurve.fold` says how."""
    mjd, flux, err, known, n_untimed = timed(curve)
    zero = epoch_mjd if epoch_mjd is not None else (float(mjd[0]) if len(mjd) else math.nan)
    if len(mjd) and not math.isfinite(zero):
        raise InvalidInput(f"epoch_mjd {epoch_mjd!r} is no time")
    if len(mjd) and period_d > 0.0 and np.abs(mjd - zero).max() / period_d > _MOST_CYCLES:
        raise InvalidInput(
            f"period_days {period_d!r} is too short to count cycles since MJD {zero:.6g}"
        )
    phase, cycle = curves.fold(mjd, period_d, zero_mjd=zero)
    return FoldedCurve(
        source_id=curve.source_id,
        period_d=float(period_d),
        epoch_mjd=float(zero),
        phase=phase,
        cycle=cycle,
        mjd=mjd,
        flux_jy=flux,
        flux_err_jy=err,
        is_detection=curve.is_detection[known],
        flux_unit=curve.flux_unit,
        n_untimed=n_untimed,
        curve=curve,
    )


def _period_err_d(found: timescales.Periodogram, n: int, span_d: float) -> float:
    # with power p the sinusoid's amplitude a has a**2 / 2 = p and its scatter s**2 = 1 - p,
    # both in units of the variance
    power = found.best_power
    if not 0.0 < power < 1.0:
        return math.nan if power <= 0.0 else 0.0
    per_amplitude = math.sqrt((1.0 - power) / (2.0 * power))
    per_d = math.sqrt(6.0 / n) * per_amplitude / (math.pi * span_d)
    return per_d * found.best_period_d**2
