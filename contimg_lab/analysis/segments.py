"""Sums over sources of sorted columns, and the blocks of sources that fit the cache.

Values of source i are ``values[offsets[i]:offsets[i + 1]]``; a source may have none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK_ROWS",
    "blocks",
    "offsets_of",
    "pair_rows",
    "segment_maxima",
    "segment_minima",
    "segment_sums",
    "source_codes",
]

Floats = NDArray[np.float64]
Offsets = NDArray[np.int64]

_PAIRS_AT_ONCE = 1 << 18

BLOCK_ROWS = 1 << 15
"""Rows of a block: a dozen arrays of this many doubles stay in a core's cache."""


def blocks(offsets: Offsets, rows: int = BLOCK_ROWS) -> Iterator[tuple[int, int]]:
    """Ranges ``first, last`` of sources whose rows number about ``rows``, at least one source.

    Parameters
    ----------
    offsets
        Shape (m + 1,), rising.
    rows
        Most rows of a block, unless one source alone has more.
    """
    count = len(offsets) - 1
    first = 0
    while first < count:
        last = int(np.searchsorted(offsets, offsets[first] + rows, side="right")) - 1
        last = min(max(last, first + 1), count)
        yield first, last
        first = last


def offsets_of(counts: NDArray[np.integer]) -> Offsets:
    """Where each source begins, shape (m + 1,), from its number of rows, shape (m,)."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def source_codes(offsets: Offsets) -> NDArray[np.int64]:
    """Position of each row's source, shape (n,)."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def segment_sums(values: Floats, offsets: Offsets) -> Floats:
    """Sum of each segment, shape (m,); an empty segment gives 0.

    Parameters
    ----------
    values
        Shape (n,).
    offsets
        Shape (m + 1,), rising, from 0 to n.
    """
    return _reduced(np.add, values, offsets, 0.0)


def segment_minima(values: Floats, offsets: Offsets) -> Floats:
    """Least value of each segment, shape (m,); an empty segment gives NaN."""
    return _reduced(np.minimum, values, offsets, np.nan)


def segment_maxima(values: Floats, offsets: Offsets) -> Floats:
    """Greatest value of each segment, shape (m,); an empty segment gives NaN."""
    return _reduced(np.maximum, values, offsets, np.nan)


def pair_rows(begins: Offsets, ends: Offsets) -> Iterator[tuple[Offsets, Offsets]]:
    """Pairs (i, j), j from ``begins[i]`` up to ``ends[i]``, a bounded number at a time.

    Parameters
    ----------
    begins, ends
        Shape (n,): of each row the first row it is paired with, and where they end.
    """
    sizes = np.maximum(ends - begins, 0)
    for start, stop in blocks(offsets_of(sizes), _PAIRS_AT_ONCE):
        some = sizes[start:stop]
        rows = np.repeat(np.arange(start, stop), some)
        since = np.arange(len(rows)) - np.repeat(offsets_of(some)[:-1], some)
        yield rows, since + np.repeat(begins[start:stop], some)


def _reduced(how: np.ufunc, values: Floats, offsets: Offsets, empty: float) -> Floats:
    starts = offsets[:-1]
    filled = starts < offsets[1:]
    if filled.all():
        return np.asarray(how.reduceat(values, starts)) if len(starts) else np.zeros(0)
    found = np.full(len(starts), empty)
    if filled.any():
        # reduceat runs to the next start it is given, so empty segments must not be among them
        found[filled] = how.reduceat(values, starts[filled])
    return found
