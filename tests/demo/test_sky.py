"""Pointings and positions, against astropy."""

from __future__ import annotations

import re
import sqlite3

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import TETE, EarthLocation, SkyCoord
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st

from contimg_lab.demo.sky import (
    dec_of_date,
    local_sidereal_deg,
    meridian_icrs,
    separation_deg,
    transit_mjd,
)
from contimg_lab.demo.sources import iau_name

_SITE = EarthLocation(lon=-118.28 * u.deg, lat=37.23 * u.deg)
_TOLERANCE_DEG = 0.05


@pytest.fixture(autouse=True)
def _offline() -> None:
    iers.conf.auto_download = False
    iers.conf.auto_max_age = None


def _astropy_meridian(mjd: np.ndarray, dec_of_date_deg: float) -> SkyCoord:
    time = Time(mjd, format="mjd", scale="utc", location=_SITE)
    apparent = time.sidereal_time("apparent")
    frame = TETE(obstime=time, location=_SITE)
    return SkyCoord(apparent, np.full(mjd.shape, dec_of_date_deg) * u.deg, frame=frame).icrs


def _turn(degrees: np.ndarray) -> np.ndarray:
    return (degrees + 180.0) % 360.0 - 180.0


def test_every_pointing_is_the_local_sidereal_time(tidy: sqlite3.Connection) -> None:
    """The field centre of each MS is the J2000 place of the meridian at its mid time."""
    rows = tidy.execute("SELECT mid_mjd, ra_deg, dec_deg FROM ms_index").fetchall()
    mjd, ra, dec = np.array(rows[::7]).T
    place = _astropy_meridian(mjd, dec_of_date(60956.0, 8.0, 16.26))
    assert np.max(np.abs(_turn(place.ra.deg - ra))) < _TOLERANCE_DEG
    assert np.max(np.abs(place.dec.deg - dec)) < _TOLERANCE_DEG


@settings(deadline=None, max_examples=60)
@given(mjd=st.floats(51544.0, 60900.0), dec=st.floats(-25.0, 70.0))
def test_meridian_of_any_year(mjd: float, dec: float) -> None:
    """The formulae agree with astropy in any year since 2000 and at any declination."""
    times = np.array([mjd])
    ra, dec_icrs = meridian_icrs(times, dec)
    place = _astropy_meridian(times, dec)
    assert abs(_turn(place.ra.deg - ra)[0]) < _TOLERANCE_DEG
    assert abs(place.dec.deg - dec_icrs)[0] < _TOLERANCE_DEG


def test_sidereal_time() -> None:
    """Local mean sidereal time agrees with astropy to the second that UT1 may differ by."""
    mjd = np.array([51544.5, 60956.25, 60981.9, 86000.1])
    known = Time(mjd[:3], format="mjd", scale="utc", location=_SITE).sidereal_time("mean").deg
    assert np.max(np.abs(_turn(local_sidereal_deg(mjd)[:3] - known))) < 0.005


@settings(deadline=None, max_examples=60)
@given(ra=st.floats(0.0, 359.9), after=st.floats(58000.0, 62000.0))
def test_transit_is_on_the_meridian_within_a_day(ra: float, after: float) -> None:
    """A transit lies within one day after the time asked for, and is on the meridian."""
    found = transit_mjd(ra, after, 16.3)
    assert after - 1e-3 <= found <= after + 1.0
    assert abs(_turn(meridian_icrs(found, 16.3)[0] - ra)) < 1e-4


def test_separation() -> None:
    """Separations hold across 0 h and at the pole."""
    assert separation_deg(359.5, 0.0, 0.5, 0.0) == pytest.approx(1.0)
    assert separation_deg(0.0, 89.0, 180.0, 89.0) == pytest.approx(2.0)


def test_names_match_positions_and_are_unique(tidy: sqlite3.Connection) -> None:
    """A source's name is its position, truncated; no two sources share one."""
    rows = tidy.execute("SELECT DISTINCT source_id, ra_deg, dec_deg FROM photometry").fetchall()
    assert len(rows) == len({row[0] for row in rows}) == 200
    for name, ra, dec in rows:
        assert re.fullmatch(r"(NVSS|DSA) J\d{6}[+-]\d{6}", name)
        assert name == iau_name(ra, dec, name.split()[0])


def test_right_ascension_zero(tidy: sqlite3.Connection) -> None:
    """A bright source stands at RA exactly 0.0, and tiles lie on both sides of it."""
    (name,) = tidy.execute(
        "SELECT DISTINCT source_id FROM photometry WHERE ra_deg = 0.0"
    ).fetchone()
    assert name.startswith("NVSS J000000+1617")
    mean = tidy.execute(
        "SELECT avg(flux_jy) FROM photometry WHERE source_id = ?", (name,)
    ).fetchone()[0]
    assert mean > 0.4
    west, east = tidy.execute("SELECT sum(ra_deg > 300), sum(ra_deg < 60) FROM ms_index").fetchone()
    assert west > 100
    assert east > 100
