"""The sums that every statistic of a light curve is made of, for all sources in one pass.

Each sum runs about a mean that was taken first, so that a large constant flux costs no
digits, and over blocks of sources that fit the cache, so that no array of all rows is made.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.segments import over_blocks

__all__ = ["Moments", "moments"]

Floats = NDArray[np.float64]

_RANGE = 1e-50, 1e50


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums over the N epochs of each of m sources, all of shape (m,); NaN where N is 0.

    S is a flux, s its error, w = 1 / s**2.

    Attributes
    ----------
    n
        Epochs N.
    mean_jy
        Plain mean of S, Jy.
    weighted_mean_jy, weighted_mean_err_jy
        ``sum(w S) / sum(w)`` and ``1 / sqrt(sum(w))``, Jy. The error is that of independent
        Gaussian errors: it knows nothing of a source's own variation, nor of image gains.
        Bevington & Robinson (2003), ch. 4.
    square_deviations_jy2
        ``sum((S - mean)**2)``, Jy squared.
    square_errors_jy2
        ``sum(s**2)``, Jy squared.
    chi_squared
        ``sum(w (S - weighted mean)**2)``.
    sum_abs_pulls
        ``sum(|S - weighted mean| / s)``.
    largest_deviation_jy
        ``max(|S - mean|)``, Jy.
    highest_jy, lowest_jy
        ``max(S - s)`` and ``min(S + s)``, Jy.
    successive_jy2
        Sum of squared differences of neighbouring epochs, Jy squared; in order of time only
        if the rows are.
    """

    n: NDArray[np.int64]
    mean_jy: Floats
    weighted_mean_jy: Floats
    weighted_mean_err_jy: Floats
    square_deviations_jy2: Floats
    square_errors_jy2: Floats
    chi_squared: Floats
    sum_abs_pulls: Floats
    largest_deviation_jy: Floats
    highest_jy: Floats
    lowest_jy: Floats
    successive_jy2: Floats


def moments(
    flux_jy: Floats,
    flux_err_jy: Floats,
    offsets: NDArray[np.int64],
    *,
    threads: int | None = None,
) -> Moments:
    """Sum over the epochs of every source.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,): finite fluxes, and finite errors above 0, Jy; only epochs that count, each
        source's in order of time.
    offsets
        Shape (m + 1,): where each source begins; a source may have no epoch.
    threads
        None: as many as pay (`over_blocks`). The sums are the same to the last bit.

    Examples
    --------
    >>> import numpy as np
    >>> found = moments(np.array([1.0, 3.0]), np.array([1.0, 1.0]), np.array([0, 2]))
    >>> found.mean_jy.tolist(), found.chi_squared.tolist()
    ([2.0], [2.0])
    """
    n = np.diff(offsets).astype(np.int64)
    filled = np.flatnonzero(n > 0)
    # empty sources take no part: without them every segment has a first row
    starts = np.append(offsets[filled], offsets[-1]) if len(filled) else offsets[-1:]
    names = [field.name for field in fields(Moments) if field.name != "n"]
    found = {name: np.empty(len(filled)) for name in names}

    def block(first: int, last: int) -> None:
        rows = slice(int(starts[first]), int(starts[last]))
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            sums = _sums(flux_jy[rows], flux_err_jy[rows], starts[first : last + 1] - rows.start)
        for name, values in zip(names, sums, strict=True):
            found[name][first:last] = values

    over_blocks(block, starts, threads)
    if len(filled) == len(n):
        return Moments(n=n, **found)
    spread = {name: np.full(len(n), np.nan) for name in names}
    for name, values in found.items():
        spread[name][filled] = values
    return Moments(n=n, **spread)


def _sums(flux: Floats, err: Floats, offsets: NDArray[np.int64]) -> tuple[Floats, ...]:
    # one array after the other is written over while it is still in the cache
    starts, counts = offsets[:-1], np.diff(offsets)
    total, most, least = np.add.reduceat, np.maximum.reduceat, np.minimum.reduceat
    n = counts.astype(float)
    work = np.empty_like(flux)
    # about a first mean: what is left of the mean is rounding. Between the extremes, so that
    # equal fluxes have no scatter at all
    highest, lowest = most(flux, starts), least(flux, starts)
    about = np.minimum(np.maximum(total(flux, starts) / n, lowest), highest)
    residual = about.repeat(counts)
    np.subtract(flux, residual, out=residual)
    left = total(residual, starts) / n
    np.multiply(residual, residual, out=work)
    squares = total(work, starts) - n * left * left
    # a source's last epoch has no step
    np.subtract(flux[1:], flux[:-1], out=work[:-1])
    work[offsets[1:] - 1] = 0.0
    successive = total(np.multiply(work, work, out=work), starts)
    edge_high = most(np.subtract(flux, err, out=work), starts)
    edge_low = least(np.add(flux, err, out=work), starts)
    square_errors = total(np.multiply(err, err, out=work), starts)
    unit = _unit(err, starts)
    if unit is not None:
        err = err / unit.repeat(counts)
        np.multiply(err, err, out=work)
    weight = np.divide(1.0, work, out=work)
    sum_weight = total(weight, starts)
    shift = total(np.multiply(weight, residual, out=work), starts) / sum_weight
    pull = shift.repeat(counts)
    np.subtract(residual, pull, out=pull)
    np.divide(pull, err, out=pull)
    chi_squared = total(np.multiply(pull, pull, out=work), starts)
    sum_pulls = total(np.abs(pull, out=pull), starts)
    mean_err = 1.0 / np.sqrt(sum_weight)
    if unit is not None:
        mean_err *= unit
        sum_pulls /= unit
        chi_squared = chi_squared / unit / unit
    return (
        about + left,
        about + shift,
        mean_err,
        np.maximum(squares, 0.0),
        square_errors,
        chi_squared,
        sum_pulls,
        np.maximum(highest - about - left, left - (lowest - about)),
        edge_high,
        edge_low,
        successive,
    )


def _unit(err: Floats, starts: NDArray[np.int64]) -> Floats | None:
    """Unit of each source's errors where weights might leave the range of doubles, else None.

    A power of two, so that a source's sums have the same digits in either way.
    """
    if err.min() > _RANGE[0] and err.max() < _RANGE[1]:
        return None
    return np.ldexp(1.0, np.frexp(np.minimum.reduceat(err, starts))[1])
