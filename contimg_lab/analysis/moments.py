"""The sums that every statistic of a light curve is made of, for all sources in one pass.

Each sum runs about a mean that was taken first, so that a large constant flux costs no
digits, and over blocks of sources that fit the cache, so that no array of all rows is made.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.segments import (
    blocks,
    segment_maxima,
    segment_minima,
    segment_sums,
)

__all__ = ["Moments", "moments"]

Floats = NDArray[np.float64]


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


def moments(flux_jy: Floats, flux_err_jy: Floats, offsets: NDArray[np.int64]) -> Moments:
    """Sum over the epochs of every source.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,): finite fluxes, and finite errors above 0, Jy; only epochs that count, each
        source's in order of time.
    offsets
        Shape (m + 1,): where each source begins; a source may have no epoch.

    Examples
    --------
    >>> import numpy as np
    >>> found = moments(np.array([1.0, 3.0]), np.array([1.0, 1.0]), np.array([0, 2]))
    >>> found.mean_jy.tolist(), found.chi_squared.tolist()
    ([2.0], [2.0])
    """
    count = len(offsets) - 1
    n = np.diff(offsets).astype(np.int64)
    names = [field.name for field in fields(Moments) if field.name != "n"]
    found = {name: np.full(count, np.nan) for name in names}
    filled = np.flatnonzero(n > 0)
    # empty sources take no part: without them every segment has a first row
    starts = np.append(offsets[filled], offsets[-1]) if len(filled) else offsets[-1:]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for first, last in blocks(starts):
            rows = slice(int(starts[first]), int(starts[last]))
            sums = _sums(flux_jy[rows], flux_err_jy[rows], starts[first : last + 1] - rows.start)
            for name, values in zip(names, sums, strict=True):
                found[name][filled[first:last]] = values
    return Moments(n=n, **found)


def _sums(flux: Floats, err: Floats, offsets: NDArray[np.int64]) -> tuple[Floats, ...]:
    counts = np.diff(offsets)
    n = counts.astype(float)
    starts = offsets[:-1]
    # about the first epoch, then about a first mean: what is left of the mean is rounding
    first = flux[starts]
    apart = flux - np.repeat(first, counts)
    about = segment_sums(apart, offsets) / n
    residual = apart - np.repeat(about, counts)
    left = segment_sums(residual, offsets) / n
    mean = first + (about + left)
    squares = segment_sums(residual * residual, offsets) - n * left * left
    largest = np.maximum(
        segment_maxima(residual, offsets) - left, left - segment_minima(residual, offsets)
    )
    # weights in units of the largest, so that none overflows
    smallest = segment_minima(err, offsets)
    scale = np.repeat(smallest, counts)
    scale /= err
    weight = scale * scale
    total = segment_sums(weight, offsets)
    shift = segment_sums(weight * residual, offsets) / total
    residual -= np.repeat(shift, counts)
    rest = segment_sums(weight * residual, offsets) / total
    residual -= np.repeat(rest, counts)
    scale *= residual  # pulls in units of the smallest error
    pulls_squared = segment_sums(scale * scale, offsets) / smallest / smallest
    np.abs(scale, out=scale)
    sum_pulls = segment_sums(scale, offsets) / smallest
    steps = np.empty_like(apart)
    np.subtract(apart[1:], apart[:-1], out=steps[:-1])
    steps[offsets[1:] - 1] = 0.0  # from a source's last epoch there is no step
    steps *= steps
    return (
        mean,
        first + (about + (shift + rest)),
        smallest / np.sqrt(total),
        np.maximum(squares, 0.0),
        segment_sums(err * err, offsets),
        pulls_squared,
        sum_pulls,
        largest,
        segment_maxima(flux - err, offsets),
        segment_minima(flux + err, offsets),
        segment_sums(steps, offsets),
    )
