"""Right ascension without the seam at 0 h, and where the Milky Way lies on such a strip."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["galactic_latitude_deg", "galactic_plane", "unwrap_ra"]

Floats = NDArray[np.float64]

_TURN_DEG = 360.0

# the galactic pole and the node of the plane (J2000), as Hipparcos fixed them
_POLE_RA_DEG, _POLE_DEC_DEG = 192.85948, 27.12825
_NODE_L_DEG = 32.93192


def unwrap_ra(ra_deg: ArrayLike) -> tuple[float, Floats]:
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


def galactic_latitude_deg(ra_deg: ArrayLike, dec_deg: ArrayLike) -> Floats:
    """Galactic latitude of J2000 or ICRS positions.

    Parameters
    ----------
    ra_deg, dec_deg
        Degrees, of shapes that broadcast.

    Returns
    -------
    numpy.ndarray
        Degrees; NaN where a coordinate is unknown.

    References
    ----------
    The Hipparcos and Tycho Catalogues (ESA SP-1200, 1997), vol. 1, sect. 1.5.3.

    Examples
    --------
    >>> galactic_latitude_deg([266.405, 192.85948], [-28.936, 27.12825]).round(1).tolist()
    [0.0, 90.0]
    """
    ra, dec = np.radians(np.asarray(ra_deg, float)), np.radians(np.asarray(dec_deg, float))
    pole = np.radians(_POLE_DEC_DEG)
    height = np.sin(dec) * np.sin(pole)
    height = height + np.cos(dec) * np.cos(pole) * np.cos(ra - np.radians(_POLE_RA_DEG))
    latitude: Floats = np.degrees(np.arcsin(np.clip(height, -1.0, 1.0)))
    return latitude


def galactic_plane(count: int = 1441) -> tuple[Floats, Floats]:
    """Points along the galactic plane.

    Parameters
    ----------
    count
        How many, evenly spaced in longitude; the last is the first again.

    Returns
    -------
    ra_deg, dec_deg
        Shape (count,), ICRS degrees, the first from 0 to 360.

    References
    ----------
    As for `galactic_latitude_deg`.
    """
    turn = np.radians(np.linspace(0.0, _TURN_DEG, count) - _NODE_L_DEG)
    pole = np.radians(_POLE_DEC_DEG)
    dec = np.degrees(np.arcsin(np.cos(pole) * np.sin(turn)))
    east = np.arctan2(np.cos(turn), -np.sin(pole) * np.sin(turn))
    return np.mod(np.degrees(east) + _POLE_RA_DEG, _TURN_DEG), dec
