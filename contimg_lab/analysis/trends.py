"""Figures over many nights: medians by group, and each night against those before it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.grouping import sorted_rows, take_rows
from contimg_lab.analysis.segments import offsets_of, spread
from contimg_lab.errors import InvalidInput

__all__ = [
    "LEAST_NIGHTS",
    "LIMIT_SIGMA",
    "NIGHTS_BEFORE",
    "Earlier",
    "Rollup",
    "against_earlier",
    "axis_ratio",
    "roll_up",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NIGHTS_BEFORE = 14
"""Earlier nights that a night is compared with, at most."""

LEAST_NIGHTS = 5
"""Earlier nights that a comparison needs."""

LIMIT_SIGMA = 4.0
"""A night further than this from the median of those before it is marked."""

# a Gaussian's sigma over its median absolute deviation
_OF_MAD = 1.4826
# medians of equal numbers differ by rounding, which is no change
_ROUNDING = 1e-9


class Rollup(NamedTuple):
    """Medians of k groups.

    Attributes
    ----------
    median, mad
        Shape (k,), in the unit of the values: the median, and the median absolute deviation
        from it (not scaled); NaN where a group has no value.
    n
        Shape (k,): values of each group.
    """

    median: Floats
    mad: Floats
    n: Ints


class Earlier(NamedTuple):
    """Each of n nights against the nights before it.

    Attributes
    ----------
    median, sigma
        Shape (n,): of the earlier nights, in the unit of the values; ``sigma`` is 1.4826 times
        their median absolute deviation. NaN where there are too few.
    n
        Shape (n,): earlier nights that were compared with.
    deviation
        Shape (n,): (value - median) / sigma, infinite where ``sigma`` is 0 and they differ; NaN
        where nothing was compared.
    regression
        Shape (n,): whether the night stands out; False where nothing was compared.
    """

    median: Floats
    sigma: Floats
    n: Ints
    deviation: Floats
    regression: NDArray[np.bool_]


def roll_up(values: Floats, groups: NDArray[np.integer], count: int) -> Rollup:
    """Find the median of each group and the scatter about it.

    Parameters
    ----------
    values
        Shape (n,); those that are not finite are left out.
    groups
        Shape (n,): group of each value from 0 to ``count - 1``; negative: none.
    count
        Groups k.
    """
    kept = np.flatnonzero(np.isfinite(values) & (groups >= 0))
    value, group = take_rows(values, kept), take_rows(groups, kept).astype(np.int64)
    n = np.bincount(group, minlength=count)
    offsets = offsets_of(n)
    median = _medians(value, group, offsets)
    order = sorted_rows((value,), group, count)
    deviation = np.abs(take_rows(value, order) - spread(median, offsets))
    return Rollup(median, _medians(deviation, take_rows(group, order), offsets), n)


def against_earlier(
    values: Floats,
    *,
    most: int = NIGHTS_BEFORE,
    least: int = LEAST_NIGHTS,
    limit: float = LIMIT_SIGMA,
) -> Earlier:
    """Compare each night with the nights before it that have a value.

    Parameters
    ----------
    values
        Shape (n,), in order of time; NaN for a night without one.
    most, least
        Earlier nights to compare with at most, and at least for a comparison to be made.
    limit
        Deviation, in sigmas of the earlier nights, beyond which a night is marked.

    Raises
    ------
    InvalidInput
        ``least`` is below 1 or above ``most``, or ``limit`` is not positive.

    Notes
    -----
    A night that stands out stays among the earlier ones of the next: the median and its
    scatter bear it, and a lasting change becomes the rule after half of ``most`` nights.

    References
    ----------
    Swinbank et al. 2015, Astronomy and Computing 11, 25: the LOFAR Transients Pipeline (TraP),
    whose quality control takes the rms of an image against the distribution of those before it
    (settings ``rms_est_history`` and ``rms_rej_sigma``). Here with the median and 1.4826 MAD in
    the place of mean and sigma: Rousseeuw & Croux 1993, JASA 88, 1273, eq. 1.1.
    """
    if not 1 <= least <= most:
        raise InvalidInput(f"least {least!r} is outside 1 to most {most!r}")
    if not limit > 0.0:
        raise InvalidInput(f"limit {limit!r} is not positive")
    median, sigma, deviation = (np.full(len(values), np.nan) for _ in range(3))
    before = np.concatenate([[0], np.cumsum(np.isfinite(values))[:-1]])[: len(values)]
    n = np.minimum(before, most)
    regression = np.zeros(len(values), bool)
    at = np.flatnonzero(np.isfinite(values))
    known = values[at]
    padded = np.concatenate([np.full(most, np.nan), known])
    windows = np.lib.stride_tricks.sliding_window_view(padded, most)[:-1]
    some = n[at] >= least
    at, known, windows = at[some], known[some], windows[some]
    middle = _row_medians(windows)
    scatter = _OF_MAD * _row_medians(np.abs(windows - middle[:, None]))
    off = known - middle
    off[np.abs(off) <= _ROUNDING * np.abs(middle)] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.where(off == 0.0, 0.0, off / scatter)
    median[at], sigma[at], deviation[at] = middle, scatter, told
    regression[at] = np.abs(told) > limit
    return Earlier(median, sigma, n, deviation, regression)


def axis_ratio(major: Floats, minor: Floats) -> Floats:
    """Major over minor axis of each beam, shape (n,); NaN where an axis is not positive."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where((major > 0.0) & (minor > 0.0), major / minor, np.nan)
    found: Floats = np.where(np.isfinite(ratio), ratio, np.nan)
    return found


def _medians(value: Floats, group: Ints, offsets: Ints) -> Floats:
    count = len(offsets) - 1
    ordered = take_rows(value, sorted_rows((value,), group, count))
    n = np.diff(offsets)
    filled = n > 0
    found = np.full(count, np.nan)
    first = offsets[:-1][filled]
    # half of each, so that the sum of two large numbers stays finite
    low, high = ordered[first + (n[filled] - 1) // 2], ordered[first + n[filled] // 2]
    found[filled] = np.where(low == high, low, 0.5 * low + 0.5 * high)
    return found


def _row_medians(table: Floats) -> Floats:
    """Median of each row, shape (r, k) to (r,); NaN are left out, and no row has only those."""
    ordered = np.sort(table, axis=1)  # NaN last
    n = np.isfinite(ordered).sum(axis=1)
    row = np.arange(len(table))
    low, high = ordered[row, (n - 1) // 2], ordered[row, n // 2]
    found: Floats = np.where(low == high, low, 0.5 * low + 0.5 * high)
    return found
