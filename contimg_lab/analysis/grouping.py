"""Rows gathered, grouped and sorted in parts, so that no thread waits long for another.

NumPy holds the interpreter's lock for the whole of some calls; an event loop stands still
meanwhile.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.segments import offsets_of, over_blocks, over_rows, source_codes

__all__ = [
    "SORTED_ROWS",
    "grouped",
    "order_within",
    "patterns",
    "rows_of_maxima",
    "sorted_rows",
    "take_rows",
]

Floats = NDArray[np.float64]
Offsets = NDArray[np.int64]

SORTED_ROWS = 1 << 14
"""Rows of a block that is sorted, which costs more a row the more rows there are."""


def take_rows(values: NDArray[Any], rows: NDArray[np.integer] | NDArray[np.bool_]) -> NDArray[Any]:
    """``values[rows]`` in slices, so that other threads get a turn.

    NumPy holds the interpreter's lock while it gathers Python objects: 10^7 of them at once
    stop an event loop for 0.1 s. Of numbers it lets go, and two threads gather them.

    Parameters
    ----------
    values
        Shape (n,).
    rows
        Shape (r,): positions, or one mark a row.
    """
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    found = np.empty(len(rows), values.dtype)

    def some(part: slice) -> None:
        found[part] = values[rows[part]]

    over_rows(some, len(rows), 1 if values.dtype.hasobject else None)
    return found


def grouped(codes: NDArray[np.integer], count: int) -> tuple[Offsets, Offsets]:
    """Rows in order of their code, and where each code's begin; rows of a code stay in order.

    Parameters
    ----------
    codes
        Shape (n,), from 0 to ``count - 1``.
    count
        k.

    Returns
    -------
    order, offsets
        Shapes (n,) and (k + 1,).
    """
    counts = np.zeros(count, np.int64)
    # counting holds the interpreter's lock, so it is done in parts
    for begin in range(0, len(codes), max(count, 1 << 20)):
        counts += np.bincount(codes[begin : begin + max(count, 1 << 20)], minlength=count)
    # whole numbers of 16 bits are sorted by their digits, in linear time
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    if count > 1 << 16:
        upper = (codes >> 16).astype(np.uint16 if count <= 1 << 32 else np.int64)
        order = order[np.argsort(upper[order], kind="stable")]
    return order, offsets_of(counts)


def sorted_rows(keys: tuple[NDArray[Any], ...], codes: NDArray[np.integer], count: int) -> Offsets:
    """``np.lexsort((*keys, codes))``, several times faster where codes repeat.

    Rows in order of code, then of the last key, then of the one before it.

    Parameters
    ----------
    keys
        Shape (n,) each.
    codes, count
        As for `grouped`.
    """
    order, offsets = grouped(codes, count)

    def block(first: int, last: int) -> None:
        rows = order[offsets[first] : offsets[last]]
        code = np.arange(last - first).repeat(np.diff(offsets[first : last + 1]))
        rows[:] = rows[np.lexsort((*(key[rows] for key in keys), code))]

    over_blocks(block, offsets, rows=SORTED_ROWS)
    return order


def order_within(values: Floats, offsets: Offsets) -> Offsets:
    """Rows in order of source, and of value within each; for a block of sources."""
    order = np.argsort(values)
    short = source_codes(offsets).astype(np.min_scalar_type(len(offsets)))
    return order[np.argsort(short[order], kind="stable")]


def rows_of_maxima(values: NDArray[Any], offsets: Offsets) -> Offsets:
    """First row of each source that holds its greatest value, shape (m,); -1 without rows.

    Parameters
    ----------
    values
        Shape (n,), no NaN.
    offsets
        Shape (m + 1,), rising.
    """
    found = np.full(len(offsets) - 1, -1, np.int64)

    def block(first: int, last: int) -> None:
        starts, counts = offsets[first:last], np.diff(offsets[first : last + 1])
        filled = counts > 0
        if not filled.any():
            return
        some = values[offsets[first] : offsets[last]]
        starts = starts[filled] - offsets[first]
        most = np.maximum.reduceat(some, starts)
        rows = np.flatnonzero(some == most.repeat(counts[filled]))
        found[first:last][filled] = offsets[first] + rows[np.searchsorted(rows, starts)]

    over_blocks(block, offsets)
    return found


def patterns(codes: NDArray[np.integer]) -> tuple[NDArray[np.integer], Offsets]:
    """Find the different rows of a table of small whole numbers, column by column.

    NumPy's own search along an axis holds the interpreter's lock throughout.

    Parameters
    ----------
    codes
        Shape (m, k), from 0 up.

    Returns
    -------
    rows, which
        Shape (p, k): the rows that occur; shape (m,): which of them each one is.
    """
    which = np.zeros(len(codes), np.int64)
    first = np.zeros(min(len(codes), 1), np.int64)
    for column in codes.T:
        if len(codes):
            key = which * (int(column.max()) + 1) + column
            _, first, which = np.unique(key, return_index=True, return_inverse=True)
    return codes[first], which
