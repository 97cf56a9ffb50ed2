"""Sums over sources of sorted columns, and the blocks of sources that fit the cache.

Values of source i are ``values[offsets[i]:offsets[i + 1]]``; a source may have none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK_ROWS",
    "MANY_ROWS",
    "blocks",
    "offsets_of",
    "over_blocks",
    "over_rows",
    "pair_rows",
    "segment_maxima",
    "segment_minima",
    "segment_sums",
    "source_codes",
    "spread",
]

Floats = NDArray[np.float64]
Offsets = NDArray[np.int64]

_PAIRS_AT_ONCE = 1 << 18
_ROWS_AT_ONCE = 1 << 15

BLOCK_ROWS = 1 << 16
"""Rows of a block: a few arrays of this many doubles stay in the cache that cores share.

Smaller blocks fit a core's own cache, but then the calls themselves cost more than the sums.
"""

MANY_ROWS = 200_000
"""Rows from which two threads are faster than one."""


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


def over_blocks(
    work: Callable[[int, int], None],
    offsets: Offsets,
    threads: int | None = None,
    rows: int | None = None,
) -> None:
    """Call ``work(first, last)`` for every block of sources, on two threads where it pays.

    A source is never cut, so what is found does not depend on the number of threads.

    Parameters
    ----------
    work
        Writes what it finds of the sources ``first:last`` to places of their own. NumPy's
        error state is each thread's own, so it is set inside.
    offsets
        Shape (m + 1,), rising.
    threads
        None: two from `MANY_ROWS` rows on, if the process may use two cores; else one.
    rows
        As for `blocks`.
    """
    if threads is None:
        many = len(offsets) > 1 and offsets[-1] - offsets[0] >= MANY_ROWS
        threads = min(2, _cores()) if many else 1
    # threads take the next block from one list, so none waits for a slower one
    ranges = list(blocks(offsets) if rows is None else blocks(offsets, rows))
    left = iter(ranges)

    def some() -> None:
        for first, last in left:
            work(first, last)

    if min(threads, len(ranges)) < 2:
        some()
        return
    with ThreadPoolExecutor(threads, "statistics") as pool:
        for done in [pool.submit(some) for _ in range(threads)]:
            done.result()


def over_rows(work: Callable[[slice], None], count: int, threads: int | None = None) -> None:
    """Call ``work(rows)`` for every slice of so many rows, as `over_blocks` does for sources."""
    edges = np.append(np.arange(0, count, _ROWS_AT_ONCE), count)

    def block(first: int, last: int) -> None:
        work(slice(int(edges[first]), int(edges[last])))

    over_blocks(block, edges, threads, rows=1)


def _cores() -> int:
    # how many this process may use: fewer than there are in a container or a batch job
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def offsets_of(counts: NDArray[np.integer]) -> Offsets:
    """Where each source begins, shape (m + 1,), from its number of rows, shape (m,)."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def source_codes(offsets: Offsets) -> NDArray[np.int64]:
    """Position of each row's source, shape (n,)."""
    return spread(np.arange(len(offsets) - 1), offsets)


def spread(values: NDArray[Any], offsets: Offsets) -> NDArray[Any]:
    """Each source's value in each of its rows, shape (n,); other threads get a turn.

    Parameters
    ----------
    values
        Shape (m,).
    offsets
        Shape (m + 1,), rising from 0.
    """
    found = np.empty(int(offsets[-1]), values.dtype)

    def block(first: int, last: int) -> None:
        counts = np.diff(offsets[first : last + 1])
        found[offsets[first] : offsets[last]] = values[first:last].repeat(counts)

    over_blocks(block, offsets, 1)
    return found


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
