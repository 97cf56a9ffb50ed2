"""Variability statistics of many sources at once, from sorted columns.

Values of source i are ``values[offsets[i]:offsets[i + 1]]``. Every sum runs about a mean
that was taken first, so a large constant flux costs no digits. Undefined is NaN, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

__all__ = ["Variability", "segment_sums", "variability"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variability:
    """Statistics of m sources, each of shape (m,).

    Attributes
    ----------
    n_used
        Epochs N.
    mean_jy
        Plain mean, Jy.
    weighted_mean_jy, weighted_mean_err_jy
        ``sum(w S) / sum(w)`` with ``w = 1 / s**2``, and ``1 / sqrt(sum(w))``, Jy.
        Bevington & Robinson (2003), ch. 4.
    v
        Coefficient of variation: sample standard deviation (N - 1) over the mean. NaN for
        N < 2 or a mean that is not positive. Swinbank et al. (2015), A&C 11, 25.
    chi_squared
        ``sum(w (S - weighted mean)**2)``; NaN for N < 2.
    eta
        Reduced chi-squared about the weighted mean, ``chi_squared / (N - 1)``. Swinbank et
        al. (2015); computed in this form, since the other cancels catastrophically.
    p_constant
        Probability of a chi-squared at least this large for a constant source with Gaussian
        errors: the survival function at ``chi_squared`` with N - 1 degrees of freedom. Not
        meaningful while images share gain errors: then everything bright "varies".
    """

    n_used: NDArray[np.int64]
    mean_jy: Floats
    weighted_mean_jy: Floats
    weighted_mean_err_jy: Floats
    v: Floats
    chi_squared: Floats
    eta: Floats
    p_constant: Floats


def segment_sums(values: Floats, offsets: NDArray[np.int64]) -> Floats:
    """Sum of each segment, shape (m,); an empty segment gives 0.

    Parameters
    ----------
    values
        Shape (n,).
    offsets
        Shape (m + 1,), rising, from 0 to n.
    """
    sums = np.zeros(len(offsets) - 1)
    starts = offsets[:-1]
    filled = starts < offsets[1:]
    if filled.any():
        sums[filled] = np.add.reduceat(values, starts[filled])
    return sums


def variability(flux_jy: Floats, flux_err_jy: Floats, offsets: NDArray[np.int64]) -> Variability:
    """Compute the statistics of every source in one pass over sorted epochs.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,): finite fluxes, and finite errors above 0, Jy; only epochs that count.
    offsets
        Shape (m + 1,): where each source begins; a source may have no epoch.
    """
    counts = np.diff(offsets)
    n = counts.astype(float)

    def spread(of_source: Floats) -> Floats:
        return np.repeat(of_source, counts)

    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        # about the first epoch, and with weights in units of the largest: no overflow, and
        # no digit lost to a large constant flux
        first = (
            np.where(counts > 0, flux_jy[np.minimum(offsets[:-1], len(flux_jy) - 1)], np.nan)
            if len(flux_jy)
            else np.full(len(counts), np.nan)
        )
        offset_jy = flux_jy - spread(first)
        mean_off = segment_sums(offset_jy, offsets) / n
        mean_off += segment_sums(offset_jy - spread(mean_off), offsets) / n
        mean = first + mean_off
        smallest = np.full(len(counts), np.nan)
        if len(flux_jy):
            smallest[counts > 0] = np.minimum.reduceat(flux_err_jy, offsets[:-1][counts > 0])
        weight = (spread(smallest) / flux_err_jy) ** 2
        weights = segment_sums(weight, offsets)
        wmean_off = segment_sums(weight * offset_jy, offsets) / weights
        wmean_off += segment_sums(weight * (offset_jy - spread(wmean_off)), offsets) / weights
        wmean = first + wmean_off
        wmean_err = smallest / np.sqrt(weights)
        residual = offset_jy - spread(mean_off)
        std = np.sqrt(segment_sums(residual**2, offsets) / (n - 1.0))
        v = np.where((counts >= 2) & (mean > 0.0), std / mean, np.nan)
        pulls = (offset_jy - spread(wmean_off)) / flux_err_jy
        chi_squared = np.where(counts >= 2, segment_sums(pulls**2, offsets), np.nan)
        eta = chi_squared / (n - 1.0)
        p_constant = gammaincc((n - 1.0) / 2.0, chi_squared / 2.0)
    return Variability(
        n_used=counts.astype(np.int64),
        mean_jy=mean,
        weighted_mean_jy=wmean,
        weighted_mean_err_jy=wmean_err,
        v=v,
        chi_squared=chi_squared,
        eta=eta,
        p_constant=np.where(counts >= 2, p_constant, np.nan),
    )
