"""Right ascension without the seam at 0 h: where to cut the circle so that a strip stays whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["unwrap_ra"]

_TURN_DEG = 360.0


def unwrap_ra(ra_deg: ArrayLike) -> tuple[float, NDArray[np.float64]]:
    """Right ascensions on one continuous axis, cut where the sky is emptiest.

    A night's strip that crosses 0 h comes out as one strip. The cut goes through the largest
    gap between neighbouring positions, and stays at 0 h unless another gap is larger. Shifts
    are whole turns, so a value that lies on the right side already is returned as it came.

    Parameters
    ----------
    ra_deg
        Right ascensions in degrees, any turn, one-dimensional; NaN and infinities are unknown.

    Returns
    -------
    centre_deg
        Middle of the strip in [0, 360); 180 where no position is known.
    values_deg
        The same positions within half a turn of the centre; NaN where unknown.

    Examples
    --------
    >>> centre, values = unwrap_ra([359.0, 0.0, 1.0])
    >>> centre, values.tolist()
    (0.0, [-1.0, 0.0, 1.0])
    >>> unwrap_ra([10.0, 20.0])[1].tolist()
    [10.0, 20.0]
    """
    given = np.asarray(ra_deg, dtype=np.float64)
    values = np.full(given.shape, np.nan)
    known = np.isfinite(given)
    if not known.any():
        return _TURN_DEG / 2.0, values
    turned = np.mod(given[known], _TURN_DEG)
    turned[turned >= _TURN_DEG] = 0.0  # mod of a tiny negative number rounds up to a whole turn
    order = np.unique(turned)
    gaps = np.diff(order, append=order[0] + _TURN_DEG)
    seam = order.size - 1
    cut = seam if gaps[seam] >= gaps.max() else int(gaps.argmax())
    turns = np.where(turned > order[cut], -1.0, 0.0)
    first = order[0] if cut == seam else order[cut + 1] - _TURN_DEG
    middle = (first + order[cut]) / 2.0
    if middle < 0.0:
        middle += _TURN_DEG
        if middle < _TURN_DEG:
            turns += 1.0
        else:  # so little below zero that adding a turn rounds to it
            middle = 0.0
    values[known] = turned + turns * _TURN_DEG
    return float(middle), values
