"""Time between the starts of neighbouring tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["GAP_MINUTES", "minutes_between"]

GAP_MINUTES = 10.0
"""More than this between the starts of neighbouring tiles is a gap."""


def minutes_between(start_mjd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minutes from each start to the next.

    Parameters
    ----------
    start_mjd
        Shape (n,): MJD (UTC, days), ascending.

    Returns
    -------
    numpy.ndarray
        Shape (n - 1,), to the millisecond: a double of MJD holds no more, and ten minutes are
        no gap.

    Examples
    --------
    >>> minutes_between(np.array([60000.0, 60000.0 + 10 / 1440, 60000.1])).tolist()
    [10.0, 134.0]
    """
    minutes: NDArray[np.float64] = np.round(np.diff(start_mjd) * 86400.0, 3) / 60.0
    return minutes
