"""How a light curve runs rather than how much it scatters: von Neumann, Stetson, peak to peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.moments import Moments
from contimg_lab.analysis.reasons import Statistic, Why, decide
from contimg_lab.analysis.scatter import too_few
from contimg_lab.analysis.segments import over_blocks, segment_sums

__all__ = [
    "CLOSE_H",
    "PairSums",
    "inverse_von_neumann",
    "pair_starts",
    "pair_sums",
    "peak_to_peak",
    "stetson_j",
    "stetson_k",
    "von_neumann",
    "welch_stetson_i",
]

Floats = NDArray[np.float64]

CLOSE_H = 0.5
"""Epochs no more than this many hours apart make a pair."""

# a double holds an MJD to 0.6 microseconds, so that half an hour may come out a little longer
_CLOSE_D = (CLOSE_H * 3600.0 + 2e-6) / 86400.0


def peak_to_peak(sums: Moments) -> Statistic:
    """v, peak-to-peak variability beyond the errors; no unit, negative without variation.

    ``((S - s)max - (S + s)min) / ((S - s)max + (S + s)min)``. Undefined for N < 2 and where the
    denominator is not positive. Two epochs decide it: not where single epochs may be bad.

    References
    ----------
    Sokolovsky et al. (2017), MNRAS 464, 274, table 1.
    """
    total = sums.highest_jy + sums.lowest_jy
    with np.errstate(all="ignore"):
        value = (sums.highest_jy - sums.lowest_jy) / total
    return decide(value, *too_few(sums), (~(total > 0.0), Why.SUM_NOT_POSITIVE))


def von_neumann(sums: Moments) -> Statistic:
    """eta_vN, mean-square successive difference over the sample variance; no unit.

    ``(sum((S[i + 1] - S[i])**2) / (N - 1)) / (sum((S - mean)**2) / (N - 1))``: about 2 for
    uncorrelated epochs, towards 0 for smooth variation. Always 2 at N = 2. The rows must be
    in order of time. Undefined for N < 2 and where all fluxes are equal. It ignores errors and
    gaps: not where epochs differ much in noise or stand in tight groups.

    References
    ----------
    von Neumann (1941), Ann. Math. Stat. 12, 367; Sokolovsky et al. (2017), MNRAS 464, 274.
    """
    with np.errstate(all="ignore"):
        value = sums.successive_jy2 / sums.square_deviations_jy2
    return decide(value, *too_few(sums), (sums.square_deviations_jy2 == 0.0, Why.NO_SCATTER))


def inverse_von_neumann(sums: Moments) -> Statistic:
    """1 / eta_vN: about 0.5 for uncorrelated epochs, large for smooth variation; no unit.

    See `von_neumann`.
    """
    value, reason = von_neumann(sums)
    with np.errstate(divide="ignore"):
        inverse = 1.0 / value
    given = [(reason == why, why) for why in Why if why is not Why.DEFINED]
    return decide(inverse, *given)


def stetson_k(sums: Moments) -> Statistic:
    """K, a robust kurtosis of the pulls about the weighted mean; no unit.

    ``(sum(|d|) / N) / sqrt(sum(d**2) / N)`` with ``d = sqrt(N / (N - 1)) (S - weighted mean) /
    s``: 0.798 for Gaussian scatter, 0.900 for a sine, towards 0 for one outlier among many.
    Undefined for N < 2 and where all fluxes are equal.

    References
    ----------
    Stetson (1996), PASP 108, 851; Sokolovsky et al. (2017), MNRAS 464, 274, table 1.
    """
    with np.errstate(all="ignore"):
        value = sums.sum_abs_pulls / np.sqrt(sums.n * sums.chi_squared)
    return decide(value, *too_few(sums), (sums.chi_squared == 0.0, Why.NO_SCATTER))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSums:
    """Sums over pairs of neighbouring epochs and over single ones; each of shape (m,).

    With ``d = (S - weighted mean) / s``.

    Attributes
    ----------
    n
        Epochs.
    n_timeless
        Epochs without a time (NaN).
    n_pairs
        Pairs: consecutive epochs no more than `CLOSE_H` apart, each epoch in one pair at most.
    sum_products
        ``sum(d_a d_b)`` over the pairs.
    sum_roots
        ``sum(sgn(P) sqrt(|P|))`` over pairs, ``P = N / (N - 1) d_a d_b``, and over single
        epochs, ``P = N / (N - 1) d**2 - 1``.
    """

    n: NDArray[np.int64]
    n_timeless: NDArray[np.int64]
    n_pairs: NDArray[np.int64]
    sum_products: Floats
    sum_roots: Floats


def pair_starts(mjd: Floats, offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the first epoch of each pair; the second is the next row. Shape (n,).

    From the earliest on, an epoch and the next of the same source are a pair if no more than
    `CLOSE_H` lies between them and the first is in no pair yet. An epoch without a time (NaN)
    is in none.

    Parameters
    ----------
    mjd
        Shape (n,): rising within each source, days.
    offsets
        Shape (m + 1,).
    """
    marked = np.zeros(len(mjd), bool)
    marked[_first_of_pairs(mjd, offsets)] = True
    return marked


def _first_of_pairs(mjd: Floats, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    close = np.empty(len(mjd), bool)
    np.less_equal(mjd[1:] - mjd[:-1], _CLOSE_D, out=close[:-1])
    close[offsets[1:][offsets[1:] > offsets[:-1]] - 1] = False
    rows = np.flatnonzero(close)
    # in a chain of close neighbours every second one begins a pair
    place = np.arange(len(rows))
    chained = np.zeros(len(rows), bool)
    np.equal(rows[1:], rows[:-1] + 1, out=chained[1:])
    since = place - np.maximum.accumulate(np.where(chained, 0, place))
    firsts: NDArray[np.int64] = rows[since % 2 == 0]
    return firsts


def pair_sums(
    flux_jy: Floats,
    flux_err_jy: Floats,
    mjd: Floats,
    offsets: NDArray[np.int64],
    sums: Moments,
    *,
    threads: int | None = None,
) -> PairSums:
    """Sum over the pairs and single epochs of every source.

    Parameters
    ----------
    flux_jy, flux_err_jy, mjd
        Shape (n,), in order of time within each source; Jy and days.
    offsets
        Shape (m + 1,).
    sums
        Of the same epochs.
    threads
        As for `contimg_lab.analysis.moments.moments`.
    """
    count = len(offsets) - 1
    timeless, n_pairs = np.zeros(count, np.int64), np.zeros(count, np.int64)
    products, roots = np.zeros(count), np.zeros(count)

    def block(first: int, last: int) -> None:
        rows = slice(int(offsets[first]), int(offsets[last]))
        if rows.start == rows.stop:
            return
        part = offsets[first : last + 1] - rows.start
        counts = np.diff(part)
        of = slice(first, last)
        times = mjd[rows]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            pull = _pulls(flux_jy[rows], flux_err_jy[rows], part, sums, of)
            strength = np.repeat(counts / (counts - 1.0), counts)
            begins = _first_of_pairs(times, part)
            where = np.searchsorted(begins, part)
            product = pull[begins] * pull[begins + 1]
            paired = strength[begins] * product
            strength *= np.multiply(pull, pull, out=pull)
            strength -= 1.0
            strength[begins] = paired
            strength[begins + 1] = 0.0
            root = np.sqrt(np.abs(strength, out=pull), out=pull)
            np.copysign(root, strength, out=root)
            products[of] = segment_sums(product, where)
            roots[of] = segment_sums(root, part)
        n_pairs[of] = np.diff(where)
        unknown = np.isnan(times)
        if unknown.any():
            timeless[of] = segment_sums(unknown.astype(float), part)

    over_blocks(block, offsets, threads)
    return PairSums(
        n=sums.n, n_timeless=timeless, n_pairs=n_pairs, sum_products=products, sum_roots=roots
    )


def stetson_j(pairs: PairSums) -> Statistic:
    """J: whether neighbouring epochs deviate together; no unit.

    ``sum(w sgn(P) sqrt(|P|)) / sum(w)`` over pairs and single epochs (see `PairSums`), every
    weight 1. Near 0 for noise (slightly negative where single epochs are many), positive for
    variation that is slow against half an hour. About the weighted mean, not Stetson's
    iterated one. Undefined for N < 2. Pairs share a night's gain error: not a proof of
    variability while image gains are uncorrected.

    References
    ----------
    Stetson (1996), PASP 108, 851; Sokolovsky et al. (2017), MNRAS 464, 274, table 1.
    """
    with np.errstate(all="ignore"):
        value = pairs.sum_roots / (pairs.n - pairs.n_pairs)
    return decide(value, (pairs.n == 0, Why.NO_EPOCHS), (pairs.n == 1, Why.ONE_EPOCH))


def welch_stetson_i(pairs: PairSums) -> Statistic:
    """I: mean product of the pulls of paired epochs, times the root of the pairs; no unit.

    ``sqrt(1 / (n (n - 1))) sum(d_a d_b)`` over the n pairs; single epochs take no part. About
    0 with scatter 1 for noise. Undefined for N < 2 and for fewer than 2 pairs.

    References
    ----------
    Welch & Stetson (1993), AJ 105, 1813; Sokolovsky et al. (2017), MNRAS 464, 274, table 1.
    """
    n = pairs.n_pairs.astype(float)
    with np.errstate(all="ignore"):
        value = pairs.sum_products / np.sqrt(n * (n - 1.0))
    return decide(
        value,
        (pairs.n == 0, Why.NO_EPOCHS),
        (pairs.n == 1, Why.ONE_EPOCH),
        (pairs.n_pairs < 2, Why.NO_PAIRS),
    )


def _pulls(
    flux_jy: Floats, flux_err_jy: Floats, offsets: NDArray[np.int64], sums: Moments, of: slice
) -> Floats:
    """``(S - weighted mean) / s``; the mean's own rounding is found and taken out too."""
    counts = np.diff(offsets)
    pull = sums.weighted_mean_jy[of].repeat(counts)
    np.subtract(flux_jy, pull, out=pull)
    # weights in units of their sum, so that none is out of range
    weight = sums.weighted_mean_err_jy[of].repeat(counts)
    np.divide(weight, flux_err_jy, out=weight)
    np.multiply(weight, weight, out=weight)
    np.multiply(weight, pull, out=weight)
    pull -= segment_sums(weight, offsets).repeat(counts)
    np.divide(pull, flux_err_jy, out=pull)
    return pull
