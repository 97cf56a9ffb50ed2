"""Which cal table covers a Measurement Set: inside a window, nearest within 12 h, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_DISTANCE_HOURS", "STATES", "WARN_DISTANCE_HOURS", "Covered", "cover"]

STATES = ("unknown", "inside", "nearest", "none")
"""States by code; unknown is an MS that has no time at all."""

MAX_DISTANCE_HOURS = 12.0
"""Farther than this the pipeline applies no table."""

WARN_DISTANCE_HOURS = 6.0
"""Farther than this it warns."""

_BLOCK = 2_000_000  # cells of the MS x table grid that are held at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """For n Measurement Sets and the tables of one type.

    Attributes
    ----------
    state
        Shape (n,): index into `STATES`.
    distance_hours
        Shape (n,): from the mid time to the middle of the window (open end: its start), NaN
        where no table is named.
    active, retired
        Shape (n,): row of the active table that covers or is nearest, and of the retired
        table whose window holds the MS; -1 for none.
    """

    state: NDArray[np.uint8]
    distance_hours: NDArray[np.float64]
    active: NDArray[np.intp]
    retired: NDArray[np.intp]


def cover(
    mid_mjd: NDArray[np.float64],
    *,
    start_mjd: NDArray[np.float64],
    end_mjd: NDArray[np.float64],
    table_id: NDArray[np.int64],
    is_active: NDArray[np.bool_],
    is_retired: NDArray[np.bool_],
) -> Covered:
    """Find for each Measurement Set the active table that covers it, or is nearest.

    Of several windows that hold the MS, and of several that are nearest, the one with the
    nearest middle counts, then the one with the highest id.

    Parameters
    ----------
    mid_mjd
        Shape (n,): mid times, MJD; NaN where unknown.
    start_mjd, end_mjd
        Shape (m,): validity windows of the tables of one type, MJD; an end of infinity is
        open. A window whose start is NaN cannot be placed and covers nothing.
    table_id, is_active, is_retired
        Shape (m,).
    """
    n, m = len(mid_mjd), len(start_mjd)
    state = np.where(np.isfinite(mid_mjd), STATES.index("none"), 0).astype(np.uint8)
    distance = np.full(n, np.nan)
    active = np.full(n, -1, np.intp)
    retired = np.full(n, -1, np.intp)
    # highest id first, so that the first of equals is the one that counts
    rows = np.argsort(-table_id, kind="stable")
    rows = rows[np.isfinite(start_mjd[rows])]
    start, end = start_mjd[rows], end_mjd[rows]
    middle = np.where(np.isinf(end), start, 0.5 * (start + end))
    for first in range(0, n if m and len(rows) else 0, max(1, _BLOCK // max(m, 1))):
        block = slice(first, first + max(1, _BLOCK // max(m, 1)))
        mid = mid_mjd[block, None]
        away = np.abs(mid - middle) * 24.0
        holds = (mid >= start) & (mid <= end)
        for which, wanted in ((is_active[rows], True), (is_retired[rows], False)):
            inside = np.where(holds & which, away, np.inf)
            best = np.argmin(inside, axis=1)
            hours = inside[np.arange(len(best)), best]
            found = np.isfinite(hours)
            if not wanted:
                retired[block] = np.where(found, rows[best], -1)
                continue
            near = np.where(which, away, np.inf)
            near[np.isnan(near)] = np.inf
            nearest = np.argmin(near, axis=1)
            near_hours = near[np.arange(len(nearest)), nearest]
            reached = near_hours <= MAX_DISTANCE_HOURS
            active[block] = np.where(found, rows[best], np.where(reached, rows[nearest], -1))
            distance[block] = np.where(found, hours, np.where(reached, near_hours, np.nan))
            state[block] = np.where(
                found,
                STATES.index("inside"),
                np.where(reached, STATES.index("nearest"), state[block]),
            )
    return Covered(state=state, distance_hours=distance, active=active, retired=retired)
