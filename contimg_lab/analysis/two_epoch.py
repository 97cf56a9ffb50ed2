"""Two-epoch search: of all pairs of a source's epochs the one that differs most."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.reasons import Statistic, Why, decide
from contimg_lab.analysis.segments import (
    offsets_of,
    over_blocks,
    pair_rows,
    segment_minima,
    source_codes,
)

__all__ = [
    "LargestPairs",
    "count_pairs_above",
    "expected_false_pairs",
    "in_order_of_time",
    "largest_pairs",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestPairs:
    """The pair of largest |Vs| of each of m sources; each array has shape (m,).

    Attributes
    ----------
    vs
        ``(S_a - S_b) / sqrt(s_a**2 + s_b**2)``, a the earlier epoch; no unit. Of equal |Vs|
        any one pair is named.
    m
        ``2 (S_a - S_b) / (S_a + S_b)`` of the same pair; no unit. NaN where the sum is not
        positive.
    first, second
        Rows of a and b among all rows; -1 where there is no pair.
    n_pairs
        Pairs that were searched, ``N (N - 1) / 2``.
    why_vs, why_m
        `Why` code of each NaN.
    """

    vs: Floats
    m: Floats
    first: Ints
    second: Ints
    n_pairs: Ints
    why_vs: NDArray[np.uint8]
    why_m: NDArray[np.uint8]


def in_order_of_time(pairs: LargestPairs, mjd: Floats) -> LargestPairs:
    """Make NaN, with the reason, of a pair of which the earlier epoch is not known.

    Parameters
    ----------
    pairs
        As `largest_pairs` found them.
    mjd
        Shape (n,): times of the same epochs, NaN where unknown.
    """
    times = np.append(mjd, 0.0)  # a row of -1 is no pair, and is told so already
    unknown = np.isnan(times[pairs.first]) | np.isnan(times[pairs.second])
    no_times = np.uint8(Why.NO_TIMES)
    return dataclasses.replace(
        pairs,
        vs=np.where(unknown, np.nan, pairs.vs),
        m=np.where(unknown, np.nan, pairs.m),
        why_vs=np.where(unknown, no_times, pairs.why_vs),
        why_m=np.where(unknown, no_times, pairs.why_m),
    )


def largest_pairs(
    flux_jy: Floats, flux_err_jy: Floats, offsets: Ints, *, threads: int | None = None
) -> LargestPairs:
    """Find the pair of largest |Vs| among all pairs of each source.

    Every pair is searched though few are computed. About any level c, with d = (S - c) / s,
    no pair has Vs squared above ``d_a**2 + d_b**2``: epochs that cannot reach a pair already
    found, even with the farthest other, are left out. Of the rest, an epoch that has another
    both above it and of no larger error cannot be the upper one of the best pair, and likewise
    below. What is left is a handful of epochs a source, so memory does not grow with the
    square of N.

    Both tests assume independent Gaussian errors: image gains make pairs of all bright sources
    differ alike. Undefined for N < 2.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,): finite fluxes, and finite errors above 0, Jy; only epochs that count, each
        source's in order of time.
    offsets
        Shape (m + 1,): where each source begins.
    threads
        As for `contimg_lab.analysis.moments.moments`.

    References
    ----------
    Mooley et al. (2016), ApJ 818, 105, sec. 5: variable where |Vs| > 4.3 and |m| > 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> found = largest_pairs(np.array([1.0, 5.0, 2.0]), np.ones(3), np.array([0, 3]))
    >>> found.vs.round(3).tolist(), found.first.tolist(), found.second.tolist()
    ([-2.828], [0], [1])
    """
    n = np.diff(offsets)
    count = len(n)
    first, second = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    filled = np.flatnonzero(n > 0)
    starts = np.append(offsets[filled], offsets[-1]) if len(filled) else offsets[-1:]

    def block(begin: int, end: int) -> None:
        rows = slice(int(starts[begin]), int(starts[end]))
        part = starts[begin : end + 1] - rows.start
        flux, err = flux_jy[rows], flux_err_jy[rows]
        left = _within_reach(flux, err, part)
        some = np.diff(np.searchsorted(left, part))
        flux, err = flux[left], err[left]
        upper, lower = _undominated(flux, err, some)
        one, other = _best(flux, err, upper, lower, offsets_of(some))
        has = one >= 0
        one, other = left[one[has]], left[other[has]]
        where = filled[begin:end]
        first[where[has]] = np.minimum(one, other) + rows.start
        second[where[has]] = np.maximum(one, other) + rows.start
        # all fluxes equal: every pair has Vs = 0, and the earliest is named
        flat = where[~has & (np.diff(part) >= 2)]
        first[flat], second[flat] = offsets[flat], offsets[flat] + 1

    over_blocks(block, starts, threads)
    a, b = np.maximum(first, 0), np.maximum(second, 0)
    if len(flux_jy):
        with np.errstate(all="ignore"):
            apart, total = flux_jy[a] - flux_jy[b], flux_jy[a] + flux_jy[b]
            vs = apart / np.hypot(flux_err_jy[a], flux_err_jy[b])
            m = 2.0 * apart / total
    else:
        vs = m = total = np.full(count, np.nan)
    few = (n == 0, Why.NO_EPOCHS), (n == 1, Why.ONE_EPOCH)
    of_vs = decide(vs, *few)
    of_m: Statistic = decide(m, *few, (~(total > 0.0), Why.SUM_NOT_POSITIVE))
    return LargestPairs(
        vs=of_vs.value,
        m=of_m.value,
        first=first,
        second=second,
        n_pairs=n * (n - 1) // 2,
        why_vs=of_vs.reason,
        why_m=of_m.reason,
    )


def expected_false_pairs(n_pairs: Ints, least_vs: float = 4.3) -> float:
    """Expected pairs of constant sources beyond |Vs| in the whole field.

    The number of pairs times ``2 Q(|Vs|)``, Q the Gaussian upper tail. Pairs of one source
    share epochs, which leaves the expectation as it is but makes false pairs come in groups:
    the number of falsely flagged *sources* is smaller. A cut in |m| makes both smaller for
    bright sources.

    Parameters
    ----------
    n_pairs
        Pairs of each source, shape (m,).
    least_vs
        Threshold of |Vs|.

    Examples
    --------
    >>> import numpy as np
    >>> round(expected_false_pairs(np.array([499_500] * 100)), 1)
    853.1
    """
    return float(n_pairs.sum()) * math.erfc(least_vs / math.sqrt(2.0))


def count_pairs_above(
    flux_jy: Floats, flux_err_jy: Floats, offsets: Ints, least_vs: float = 4.3
) -> Ints:
    """Count each source's pairs beyond a threshold of |Vs|, shape (m,).

    Here every pair is computed, a bounded number at a time.
    """
    found = np.zeros(len(offsets) - 1, np.int64)
    code = source_codes(offsets)
    position = np.arange(len(code))
    ends = offsets[1:][code]
    for rows, others in pair_rows(position + 1, ends):
        apart = flux_jy[rows] - flux_jy[others]
        square = flux_err_jy[rows] ** 2 + flux_err_jy[others] ** 2
        beyond = apart * apart > least_vs * least_vs * square
        found += np.bincount(code[rows[beyond]], minlength=len(found))
    return found


def _within_reach(flux: Floats, err: Floats, offsets: Ints) -> Ints:
    """Rows that may belong to their source's best pair, rising; every source has a row."""
    starts, counts = offsets[:-1], np.diff(offsets)
    pull = np.empty_like(flux)

    def pulls_about(level: Floats) -> tuple[Floats, Floats]:
        np.subtract(flux, level.repeat(counts), out=pull)
        np.divide(pull, err, out=pull)
        return np.maximum.reduceat(pull, starts), np.minimum.reduceat(pull, starts)

    def pair(above: Floats, below: Floats) -> tuple[Floats, Floats]:
        # its Vs squared, and the level about which no bound of this pair is lower
        a = _first_true(~np.less(pull, above.repeat(counts)), starts)
        b = _first_true(~np.greater(pull, below.repeat(counts)), starts)
        apart, part = flux[a] - flux[b], (err[b] / np.hypot(err[a], err[b])) ** 2
        return (apart / np.hypot(err[a], err[b])) ** 2, flux[b] + apart * part

    with np.errstate(all="ignore"):
        first = np.add.reduceat(flux, starts) / counts
        about_first = pulls_about(first)
        one, second = pair(*about_first)
        about_second = pulls_about(second)
        found = np.maximum(one, pair(*about_second)[0])
        lower = np.hypot(*about_second) < np.hypot(*about_first)
        above, below = pulls_about(np.where(lower, second, first))
        # a little less, for rounding; where a root is no number every row stays
        found = np.where(found < np.inf, found * (1.0 - 1e-9), np.nan)
        high, low = np.sqrt(found - below * below), np.sqrt(found - above * above)
    out = np.less(pull, high.repeat(counts))
    out &= np.greater(pull, -low.repeat(counts))
    return np.flatnonzero(~out)


def _first_true(marked: NDArray[np.bool_], starts: Ints) -> Ints:
    """First row that is marked from each start on."""
    rows = np.flatnonzero(marked)
    return rows[np.searchsorted(rows, starts)]


def _undominated(flux: Floats, err: Floats, counts: Ints) -> tuple[Ints, Ints]:
    """Rows without another row of the source above, or below, that has no larger error.

    In order of source each.
    """
    size = len(flux)
    source = np.repeat(np.arange(len(counts)), counts)
    rank = np.empty(size, np.int64)
    # stable, so that of equal pairs the same one is named whatever else is in the block
    rank[np.argsort(err, kind="stable")] = np.arange(size)
    order = np.argsort(flux, kind="stable")
    # small whole numbers are sorted by their digits, in linear time
    short = source[order].astype(np.min_scalar_type(len(counts)))
    order = order[np.argsort(short, kind="stable")]
    # a whole turn a source: a running minimum then starts anew at each source
    rank, turn = rank[order], source[order] * size
    lower = order[_new_minima(rank - turn)]
    upper = order[::-1][_new_minima(rank[::-1] + turn[::-1])]
    return upper[::-1], lower


def _new_minima(values: Ints) -> NDArray[np.bool_]:
    new = np.ones(len(values), bool)
    new[1:] = values[1:] < np.minimum.accumulate(values)[:-1]
    return new


def _best(flux: Floats, err: Floats, upper: Ints, lower: Ints, offsets: Ints) -> tuple[Ints, Ints]:
    """Rows of the best pair of an upper and a lower candidate of each source; -1 for none."""
    count = len(offsets) - 1
    code = source_codes(offsets)
    best = np.zeros(count)
    one, other = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    where = offsets_of(np.bincount(code[lower], minlength=count))
    of_upper = code[upper]
    for top, bottom in pair_rows(where[of_upper], where[of_upper + 1]):
        high, low = upper[top], lower[bottom]
        with np.errstate(over="ignore"):
            vs = (flux[high] - flux[low]) / np.hypot(err[high], err[low])
        # pairs come in order of source
        sources, begins = np.unique(code[high], return_index=True)
        parts = np.append(begins, len(high))
        most = -segment_minima(-vs, parts)
        at_most = np.flatnonzero(vs == np.repeat(most, np.diff(parts)))
        first_of, chosen = np.unique(code[high[at_most]], return_index=True)
        better = most[np.searchsorted(sources, first_of)] > best[first_of]
        to, pair = first_of[better], at_most[chosen[better]]
        best[to], one[to], other[to] = vs[pair], high[pair], low[pair]
    return one, other
