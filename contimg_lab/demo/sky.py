"""Where the meridian points: sidereal time at the site, and mean places of date to J2000.

References
----------
Capitaine, Wallace & Chapront 2003, A&A 412, 567: precession angles (eq. 40) and the
polynomial of Greenwich mean sidereal time (eq. 42), with the Earth rotation angle of IERS
Conventions 2010, eq. 5.15. UT1 - UTC (below 0.9 s) and nutation are left out: together less
than 0.01 degrees.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "SIDEREAL_DAY_S",
    "SITE_LAT_DEG",
    "SITE_LON_DEG",
    "dec_of_date",
    "local_sidereal_deg",
    "meridian_icrs",
    "separation_deg",
    "transit_mjd",
]

Array: TypeAlias = NDArray[np.float64]

SITE_LAT_DEG = 37.23
SITE_LON_DEG = -118.28
SIDEREAL_DAY_S = 86164.0905
_ARCSEC_DEG = 1.0 / 3600.0
_J2000_MJD = 51544.5


def local_sidereal_deg(mjd: ArrayLike) -> Array:
    """Local mean sidereal time at the site, in degrees of 0 to 360."""
    days = np.asarray(mjd, dtype=np.float64) - _J2000_MJD
    # whole turns a day come off first: 1.0027 turns times 9400 days would lose digits
    turns = 0.7790572732640 + 0.00273781191135448 * days + np.mod(days, 1.0)
    century = days / 36525.0
    arcsec = 0.014506 + century * (4612.156534 + century * (1.3915817 - century * 4.4e-7))
    lst: Array = np.mod(360.0 * turns + arcsec * _ARCSEC_DEG + SITE_LON_DEG, 360.0)
    return lst


def meridian_icrs(mjd: ArrayLike, declination_deg: float) -> tuple[Array, Array]:
    """J2000 place of a dish on the meridian at a declination of date.

    Returns
    -------
    ra_deg, dec_deg
        Of the shape of `mjd`.
    """
    time = np.asarray(mjd, dtype=np.float64)
    zeta, z, theta = _precession(time)
    # undo the three rotations that carry J2000 to the mean place of date
    lon = np.radians(local_sidereal_deg(time)) - z
    lat = math.radians(declination_deg)
    x = np.cos(theta) * math.cos(lat) * np.cos(lon) + np.sin(theta) * math.sin(lat)
    y = math.cos(lat) * np.sin(lon)
    w = -np.sin(theta) * math.cos(lat) * np.cos(lon) + np.cos(theta) * math.sin(lat)
    ra: Array = np.mod(np.degrees(np.arctan2(y, x) - zeta), 360.0)
    dec: Array = np.degrees(np.arcsin(np.clip(w, -1.0, 1.0)))
    return ra, dec


def dec_of_date(mjd: float, ra_deg: float, dec_deg: float) -> float:
    """Declination of date at which a dish must stand to see a J2000 place transit."""
    zeta, _, theta = (float(angle) for angle in _precession(np.float64(mjd)))
    lon, lat = math.radians(ra_deg) + zeta, math.radians(dec_deg)
    sine = math.sin(theta) * math.cos(lat) * math.cos(lon) + math.cos(theta) * math.sin(lat)
    return math.degrees(math.asin(sine))


def transit_mjd(ra_deg: float, after_mjd: float, declination_deg: float) -> float:
    """First time after `after_mjd` at which a J2000 right ascension is on the meridian."""
    mjd = after_mjd
    ahead = (ra_deg - float(meridian_icrs(mjd, declination_deg)[0])) % 360.0
    mjd += ahead / 360.0 * SIDEREAL_DAY_S / 86400.0
    for _ in range(3):
        off = (ra_deg - float(meridian_icrs(mjd, declination_deg)[0]) + 180.0) % 360.0 - 180.0
        mjd += off / 360.0 * SIDEREAL_DAY_S / 86400.0
    return mjd


def separation_deg(ra_a: ArrayLike, dec_a: ArrayLike, ra_b: ArrayLike, dec_b: ArrayLike) -> Array:
    """Angular separation in degrees (haversine; broadcasts)."""
    first, second = np.radians(dec_a), np.radians(dec_b)
    half_ra = np.radians(np.subtract(ra_a, ra_b)) / 2.0
    half_dec = (first - second) / 2.0
    square = np.sin(half_dec) ** 2 + np.cos(first) * np.cos(second) * np.sin(half_ra) ** 2
    angle: Array = np.degrees(2.0 * np.arcsin(np.sqrt(np.clip(square, 0.0, 1.0))))
    return angle


def _precession(mjd: Array | np.float64) -> tuple[Array, Array, Array]:
    t = (np.asarray(mjd, dtype=np.float64) - _J2000_MJD) / 36525.0
    zeta = 2.650545 + t * (2306.083227 + t * (0.2988499 + t * 0.01801828))
    z = -2.650545 + t * (2306.077181 + t * (1.0927348 + t * 0.01826837))
    theta = t * (2004.191903 - t * (0.4294934 + t * 0.04182264))
    scale = math.radians(_ARCSEC_DEG)
    return zeta * scale, z * scale, theta * scale
