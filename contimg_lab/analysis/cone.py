"""Separations on the sphere, and which positions lie within a circle on the sky."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["in_cone", "on_circle", "separation_deg"]

Floats = NDArray[np.float64]


def separation_deg(
    ra_deg: ArrayLike, dec_deg: ArrayLike, other_ra_deg: ArrayLike, other_dec_deg: ArrayLike
) -> NDArray[np.float64]:
    """Angle between two positions, exact for the smallest angles and for opposite places alike.

    Parameters
    ----------
    ra_deg, dec_deg, other_ra_deg, other_dec_deg
        Degrees, of shapes that broadcast; right ascensions of any turn.

    Returns
    -------
    numpy.ndarray
        Degrees, 0 to 180; NaN where a coordinate is unknown.

    References
    ----------
    Vincenty 1975, Survey Review 23, 88, for a sphere: the arc tangent of the lengths of the
    cross and the scalar product, where the cosine alone loses all digits of a small angle.

    Examples
    --------
    >>> float(separation_deg(359.0, 0.0, 1.0, 0.0).round(12))
    2.0
    """
    ra, dec = np.asarray(ra_deg, float), np.radians(np.asarray(dec_deg, float))
    other = np.radians(np.asarray(other_dec_deg, float))
    with np.errstate(invalid="ignore"):
        # the difference in degrees, where it is exact, before it is turned into radians
        apart = np.radians(np.mod(np.asarray(other_ra_deg, float) - ra, 360.0))
        across = np.cos(other) * np.sin(apart)
        along = np.cos(dec) * np.sin(other) - np.sin(dec) * np.cos(other) * np.cos(apart)
        scalar = np.sin(dec) * np.sin(other) + np.cos(dec) * np.cos(other) * np.cos(apart)
        angle: NDArray[np.float64] = np.degrees(np.arctan2(np.hypot(across, along), scalar))
    return angle


def in_cone(
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
    centre_ra_deg: float,
    centre_dec_deg: float,
    radius_deg: float,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the positions within a radius, nearest first (equals in the order given).

    Parameters
    ----------
    ra_deg, dec_deg
        Shape (m,); a position that is not known lies nowhere.
    centre_ra_deg, centre_dec_deg, radius_deg
        The circle, its edge included.

    Returns
    -------
    rows, separation
        Shape (k,): places in the arrays, and how far each is from the centre (degrees).
    """
    apart = separation_deg(centre_ra_deg, centre_dec_deg, ra_deg, dec_deg)
    near = np.flatnonzero(apart <= radius_deg)
    near = near[np.argsort(apart[near], kind="stable")]
    return near, apart[near]


def on_circle(
    ra_deg: float, dec_deg: float, radius_deg: float, n: int = 121
) -> tuple[Floats, Floats]:
    """Return points around a circle on the sky, from north through east back to the first.

    Parameters
    ----------
    ra_deg, dec_deg, radius_deg
        The circle.
    n
        How many points.

    Returns
    -------
    ra_deg, dec_deg
        Shape (n,); right ascensions within half a turn of the centre's.

    Examples
    --------
    >>> ra, dec = on_circle(10.0, 16.0, 1.0, n=5)
    >>> ra.round(2).tolist(), dec.round(2).tolist()
    ([10.0, 11.04, 10.0, 8.96, 10.0], [17.0, 16.0, 15.0, 16.0, 17.0])
    """
    angle = np.linspace(0.0, 2.0 * np.pi, n)
    at, radius = np.radians(dec_deg), np.radians(radius_deg)
    east, north = np.sin(radius) * np.sin(angle), np.sin(radius) * np.cos(angle)
    # the unit vectors, turned to the centre's meridian: exact at the poles too, as arcsin is not
    x = np.cos(radius) * np.cos(at) - north * np.sin(at)
    z = np.cos(radius) * np.sin(at) + north * np.cos(at)
    dec = np.arctan2(z, np.hypot(x, east))
    return ra_deg + np.degrees(np.arctan2(east, x)), np.degrees(dec)
