"""When one light curve changes: Lomb-Scargle periodogram and Bayesian blocks, by astropy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.curves import check_curve
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.segments import offsets_of
from contimg_lab.errors import InvalidInput

__all__ = [
    "Blocks",
    "Periodogram",
    "bayesian_blocks",
    "periodogram",
]

Floats = NDArray[np.float64]

_FEWEST_FOR_PERIODS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodogram:
    """Lomb-Scargle periodogram.

    Attributes
    ----------
    frequency_per_d, power
        Shape (k,): frequency (1 / day) and standardised power, 0 to 1.
    best_period_d, best_power
        Of the highest peak.
    false_alarm_probability
        Probability that noise alone has a peak so high anywhere in this range.
    level_probability, level_power
        Shape (j,): false-alarm probabilities, and the power of each.
    """

    frequency_per_d: Floats
    power: Floats
    best_period_d: float
    best_power: float
    false_alarm_probability: float
    level_probability: Floats
    level_power: Floats


def periodogram(
    mjd: Floats,
    flux_jy: Floats,
    flux_err_jy: Floats,
    *,
    shortest_d: float | None = None,
    longest_d: float | None = None,
    samples_per_peak: int = 10,
    levels: Sequence[float] = (0.1, 0.01, 0.001),
) -> Periodogram:
    """Lomb-Scargle periodogram with a floating mean, by astropy.

    A drift scan sees a source once a day: every period has aliases at one cycle a (sidereal)
    day, and the false-alarm level (Baluev's bound) knows noise only, not red variability nor
    image gains.

    Parameters
    ----------
    mjd, flux_jy, flux_err_jy
        Shape (n,), 5 epochs at least.
    shortest_d, longest_d
        Range of periods, days. None: twice the median time between epochs that lie more than
        half a day apart (else between any), and the whole time span.
    samples_per_peak
        Frequencies across a peak.
    levels
        False-alarm probabilities whose power to give.

    References
    ----------
    VanderPlas (2018), ApJS 236, 16; Baluev (2008), MNRAS 385, 1279.
    """
    from astropy.timeseries import LombScargle

    check_curve(mjd, flux_jy, flux_err_jy)
    if len(np.unique(mjd)) < _FEWEST_FOR_PERIODS:
        raise InvalidInput("a periodogram needs epochs at 5 different times or more")
    steps = np.diff(np.unique(mjd))
    span = float(np.ptp(mjd))
    nights = steps[steps > 0.5]
    shortest = 2.0 * float(np.median(nights if len(nights) else steps))
    shortest = shortest_d if shortest_d is not None else min(shortest, span / 2.0)
    longest = longest_d if longest_d is not None else span
    if not 0.0 < shortest < longest < math.inf:
        raise InvalidInput(f"no periods between {shortest!r} and {longest!r} days")
    model = LombScargle(mjd - mjd.min(), flux_jy, flux_err_jy)
    count = max(2, math.ceil((1.0 / shortest - 1.0 / longest) * span * samples_per_peak) + 1)
    frequency = np.linspace(1.0 / longest, 1.0 / shortest, count)
    power = np.asarray(model.power(frequency), np.float64)
    best = int(np.argmax(power))
    limits = {"maximum_frequency": float(frequency[-1]), "method": "baluev"}
    return Periodogram(
        frequency_per_d=frequency,
        power=power,
        best_period_d=float(1.0 / frequency[best]),
        best_power=float(power[best]),
        false_alarm_probability=float(model.false_alarm_probability(power[best], **limits)),
        level_probability=np.asarray(levels, np.float64),
        level_power=np.array([float(model.false_alarm_level(p, **limits)) for p in levels]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """A light curve as steps, each array of shape (k,).

    Attributes
    ----------
    start_mjd, end_mjd
        Edges, days.
    flux_jy, flux_err_jy
        Weighted mean of the block's epochs and its error, Jy.
    n
        Epochs.
    """

    start_mjd: Floats
    end_mjd: Floats
    flux_jy: Floats
    flux_err_jy: Floats
    n: NDArray[np.int64]


def bayesian_blocks(
    mjd: Floats, flux_jy: Floats, flux_err_jy: Floats, *, false_alarm: float = 0.01
) -> Blocks:
    """Split a light curve where its level changes, by astropy.

    Epochs at the same time are averaged first. Assumes independent Gaussian errors: with image
    gains uncorrected it finds the images.

    Parameters
    ----------
    mjd, flux_jy, flux_err_jy
        Shape (n,), in any order.
    false_alarm
        Probability of a false change of level.

    References
    ----------
    Scargle et al. (2013), ApJ 764, 167.
    """
    from astropy.stats import bayesian_blocks as astropy_blocks

    check_curve(mjd, flux_jy, flux_err_jy)
    if len(np.unique(mjd)) < 2:
        raise InvalidInput("Bayesian blocks need epochs at two different times or more")
    if not 0.0 < false_alarm < 1.0:
        raise InvalidInput(f"false_alarm {false_alarm!r} is no probability between 0 and 1")
    order = np.argsort(mjd, kind="stable")
    mjd, flux, err = mjd[order], flux_jy[order], flux_err_jy[order]
    times, counts = np.unique(mjd, return_counts=True)
    at_once = moments(flux, err, offsets_of(counts))
    edges = astropy_blocks(
        times,
        at_once.weighted_mean_jy,
        at_once.weighted_mean_err_jy,
        fitness="measures",
        p0=false_alarm,
    )
    which = np.clip(np.searchsorted(edges, mjd, side="right") - 1, 0, len(edges) - 2)
    sums = moments(flux, err, offsets_of(np.bincount(which, minlength=len(edges) - 1)))
    return Blocks(
        start_mjd=np.asarray(edges[:-1], np.float64),
        end_mjd=np.asarray(edges[1:], np.float64),
        flux_jy=sums.weighted_mean_jy,
        flux_err_jy=sums.weighted_mean_err_jy,
        n=sums.n,
    )
