"""Where the meridian stood, and how far from it a field lies: the check of a drift scan."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "NEW_POINTING_DEG",
    "OFF_MERIDIAN_DEG",
    "SITE_LAT_DEG",
    "SITE_LON_DEG",
    "WRONG_STRIP_DEG",
    "apparent_place",
    "apparent_sidereal_deg",
    "declination_states",
    "drift_residual_deg",
    "looks_of_date",
    "meridian_icrs",
]

Floats = NDArray[np.float64]

SITE_LON_DEG = -118.2817
SITE_LAT_DEG = 37.2339
"""The telescope, east of Greenwich and north (WGS 84)."""

OFF_MERIDIAN_DEG = 0.1
"""A field further than this from the meridian is off it: a third of what J2000 taken for
the place of date makes (0.33 degrees in 2025), and twenty times what the formula is good for."""

NEW_POINTING_DEG = 0.1
"""A declination further than this from the night's median is a new pointing."""

WRONG_STRIP_DEG = 5.0
"""Further than this it is another strip, for which the pipeline stops."""

_J2000_MJD = 51544.5
_ARCSEC = np.pi / 648000.0
_ABERRATION = 20.49552 * _ARCSEC
_ROUNDS = 4


def apparent_sidereal_deg(mjd: ArrayLike, *, lon_deg: float = SITE_LON_DEG) -> Floats:
    """Local apparent sidereal time.

    Parameters
    ----------
    mjd
        MJD (UTC, days). UT1 - UTC, less than 0.9 s, is left out: 0.004 degrees.
    lon_deg
        Longitude of the site, degrees east.

    Returns
    -------
    numpy.ndarray
        Degrees, 0 to 360; NaN where the time is unknown.

    References
    ----------
    IERS Conventions 2010, eq. 5.15 (Earth rotation angle); Capitaine, Wallace & Chapront 2003,
    A&A 412, 567, eq. 42 (mean sidereal time); the equation of the equinoxes by the four largest
    terms of nutation (Meeus 1998, Astronomical Algorithms, ch. 22).
    """
    days = np.asarray(mjd, float) - _J2000_MJD
    century = days / 36525.0
    with np.errstate(invalid="ignore"):
        # whole turns a day come off first: 1.0027 turns times 9400 days would lose digits
        turns = 0.7790572732640 + 0.00273781191135448 * days + np.mod(days, 1.0)
        arcsec = 0.014506 + century * (4612.156534 + century * (1.3915817 - century * 4.4e-7))
        longitude, _ = _nutation(century)
        equinoxes = longitude * np.cos(_obliquity(century))
        sidereal: Floats = np.mod(
            360.0 * turns + arcsec / 3600.0 + np.degrees(equinoxes) + lon_deg, 360.0
        )
    return sidereal


def apparent_place(ra_deg: ArrayLike, dec_deg: ArrayLike, mjd: ArrayLike) -> tuple[Floats, Floats]:
    """Apparent place (equator and equinox of date) of a J2000 or ICRS position.

    Precession, nutation by its four largest terms and the aberration of a circular orbit:
    within 1 arcsec of the full theory for a star at rest, from 1990 to 2047.

    Parameters
    ----------
    ra_deg, dec_deg
        Degrees (ICRS), of shapes that broadcast.
    mjd
        MJD (UTC, days).

    Returns
    -------
    ra_deg, dec_deg
        Degrees, the first 0 to 360.

    References
    ----------
    Capitaine, Wallace & Chapront 2003, A&A 412, 567, eq. 40 (precession); Meeus 1998,
    Astronomical Algorithms, ch. 22 (nutation) and 23 (aberration).
    """
    century = (np.asarray(mjd, float) - _J2000_MJD) / 36525.0
    ra, dec = np.radians(np.asarray(ra_deg, float)), np.radians(np.asarray(dec_deg, float))
    with np.errstate(invalid="ignore"):
        x, y, z = np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)
        # three rotations carry J2000 to the mean equator and equinox of date
        zeta, last, theta = _precession(century)
        x, y = _turned(x, y, -zeta)
        z, x = _turned(z, x, theta)
        x, y = _turned(x, y, -last)
        # to the ecliptic, along it by the nutation in longitude, and back to the true equator
        longitude, in_obliquity = _nutation(century)
        mean = _obliquity(century)
        y, z = _turned(y, z, mean)
        x, y = _turned(x, y, -longitude)
        # the Earth moves at right angles to the Sun, in the ecliptic
        sun = _sun_longitude(century)
        x, y = x + _ABERRATION * np.sin(sun), y - _ABERRATION * np.cos(sun)
        y, z = _turned(y, z, -(mean + in_obliquity))
        ra_of_date: Floats = np.mod(np.degrees(np.arctan2(y, x)), 360.0)
        dec_of_date: Floats = np.degrees(np.arctan2(z, np.hypot(x, y)))
    return ra_of_date, dec_of_date


def drift_residual_deg(ra_deg: ArrayLike, dec_deg: ArrayLike, mjd: ArrayLike) -> Floats:
    """Right ascension of a field less the sidereal time at the site, both of date.

    Parameters
    ----------
    ra_deg, dec_deg, mjd
        As for `apparent_place`.

    Returns
    -------
    numpy.ndarray
        Degrees from -180 to 180: positive where the field is east of the meridian. NaN where
        a coordinate or the time is unknown.
    """
    ra_of_date, _ = apparent_place(ra_deg, dec_deg, mjd)
    return _half_turn(ra_of_date - apparent_sidereal_deg(mjd))


def meridian_icrs(
    mjd: ArrayLike, dec_of_date_deg: ArrayLike, *, lon_deg: float = SITE_LON_DEG
) -> tuple[Floats, Floats]:
    """ICRS place of the point on the meridian that has a declination of date.

    Parameters
    ----------
    mjd
        MJD (UTC, days).
    dec_of_date_deg
        Degrees, of a shape that broadcasts with it.
    lon_deg
        Longitude of the site, degrees east.

    Returns
    -------
    ra_deg, dec_deg
        Degrees, the first 0 to 360: what `apparent_place` carries to the meridian.
    """
    sidereal, wanted = np.broadcast_arrays(
        apparent_sidereal_deg(mjd, lon_deg=lon_deg), np.asarray(dec_of_date_deg, float)
    )
    ra, dec = np.array(sidereal), np.array(wanted)
    for _ in range(_ROUNDS):  # the two frames differ little, and smoothly
        ra_now, dec_now = apparent_place(ra, dec, mjd)
        ra, dec = ra + _half_turn(sidereal - ra_now), dec + wanted - dec_now
    return np.mod(ra, 360.0), dec


def looks_of_date(ra_deg: ArrayLike, dec_deg: ArrayLike, mjd: ArrayLike) -> bool:
    """Whether right ascensions are those of date, where J2000 was promised.

    Taken as J2000 they lie off the meridian (in the median), and as they stand on it.
    """
    off = np.atleast_1d(drift_residual_deg(ra_deg, dec_deg, mjd))
    known = np.isfinite(off)
    if not known.any():
        return False
    as_stands = np.atleast_1d(_half_turn(np.asarray(ra_deg, float) - apparent_sidereal_deg(mjd)))
    as_j2000, as_it_is = np.median(off[known]), np.median(as_stands[known])
    return bool(abs(as_j2000) > OFF_MERIDIAN_DEG >= abs(as_it_is))


def declination_states(dec_deg: Floats, median_deg: ArrayLike) -> NDArray[np.object_]:
    """Say of each declination how it stands to its night's median.

    Parameters
    ----------
    dec_deg
        Shape (n,), of date: at J2000 a dish at rest seems to move by 0.3 degrees in a day.
    median_deg
        The median to compare with, one or shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n,): "same", "new pointing" (more than 0.1 degrees off), "wrong strip" (more than
        5) or "unknown".
    """
    off = np.abs(np.asarray(dec_deg, float) - median_deg)
    states: NDArray[np.object_] = np.full(np.shape(off), "unknown", object)
    with np.errstate(invalid="ignore"):
        states[off <= NEW_POINTING_DEG] = "same"
        states[off > NEW_POINTING_DEG] = "new pointing"
        states[off > WRONG_STRIP_DEG] = "wrong strip"
    return states


def _half_turn(angle_deg: Floats) -> Floats:
    """Angles from -180 to 180 degrees."""
    with np.errstate(invalid="ignore"):
        halved: Floats = np.mod(angle_deg + 180.0, 360.0) - 180.0
    return halved


def _turned(first: Floats, second: Floats, angle: Floats) -> tuple[Floats, Floats]:
    """Coordinates in axes that are turned by an angle, from the first to the second."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return first * cosine + second * sine, second * cosine - first * sine


def _precession(century: Floats) -> tuple[Floats, Floats, Floats]:
    t = century
    zeta = 2.650545 + t * (2306.083227 + t * (0.2988499 + t * 0.01801828))
    last = -2.650545 + t * (2306.077181 + t * (1.0927348 + t * 0.01826837))
    theta = t * (2004.191903 - t * (0.4294934 + t * 0.04182264))
    return zeta * _ARCSEC, last * _ARCSEC, theta * _ARCSEC


def _obliquity(century: Floats) -> Floats:
    obliquity: Floats = (84381.406 - 46.836769 * century) * _ARCSEC
    return obliquity


def _sun_longitude(century: Floats) -> Floats:
    """True longitude of the Sun, radians."""
    mean = 280.46646 + 36000.76983 * century
    anomaly = np.radians(357.52911 + 35999.05029 * century)
    true: Floats = np.radians(mean + 1.914602 * np.sin(anomaly) + 0.019993 * np.sin(2.0 * anomaly))
    return true


def _nutation(century: Floats) -> tuple[Floats, Floats]:
    """Nutation in longitude and in obliquity, radians."""
    node = np.radians(125.04452 - 1934.136261 * century)
    sun = np.radians(2.0 * (280.4665 + 36000.7698 * century))
    moon = np.radians(2.0 * (218.3165 + 481267.8813 * century))
    longitude = (
        -17.20 * np.sin(node) - 1.32 * np.sin(sun) - 0.23 * np.sin(moon) + 0.21 * np.sin(2.0 * node)
    )
    obliquity = (
        9.20 * np.cos(node) + 0.57 * np.cos(sun) + 0.10 * np.cos(moon) - 0.09 * np.cos(2.0 * node)
    )
    return longitude * _ARCSEC, obliquity * _ARCSEC
