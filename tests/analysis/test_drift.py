"""The meridian is astropy's, and what lies off it is said so in one frame."""

from __future__ import annotations

from collections.abc import Iterator

import astropy.units as u
import erfa
import numpy as np
import pytest
from astropy.coordinates import TETE, SkyCoord
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st

from contimg_lab.analysis.drift import (
    OFF_MERIDIAN_DEG,
    SITE_LON_DEG,
    apparent_place,
    apparent_sidereal_deg,
    declination_states,
    drift_residual_deg,
    looks_of_date,
    meridian_icrs,
)
from contimg_lab.analysis.durations import durations

pytestmark = [
    pytest.mark.filterwarnings("ignore:ERFA function"),
    pytest.mark.filterwarnings("ignore:Tried to get polar motions"),
]
# a day that ends in a leap second is 86,401 s long for astropy; in the pipeline's times, which
# are Unix seconds, no day is
LEAP_DAYS = {
    int(Time(f"{row['year']}-{row['month']:02}-01", scale="utc").mjd) - 1
    for row in erfa.leap_seconds.get()
    if row["year"] >= 1972
}
MJD = st.floats(47892.0, 68000.0).filter(lambda mjd: int(mjd) not in LEAP_DAYS)  # 1990 to 2045


@pytest.fixture(autouse=True)
def _no_download() -> Iterator[None]:
    """astropy takes the tables of the Earth's rotation that came with it."""
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        yield


def _time(mjd: float) -> Time:
    time = Time(mjd, format="mjd", scale="utc")
    time.delta_ut1_utc = 0.0
    return time


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 360.0), st.floats(-90.0, 90.0), MJD)
def test_an_apparent_place_is_that_of_astropy(ra, dec, mjd):
    """True equator and equinox of date, aberration included: within 1 arcsec everywhere."""
    theirs = SkyCoord(ra, dec, unit="deg").transform_to(TETE(obstime=_time(mjd)))
    ours = SkyCoord(*apparent_place(ra, dec, mjd), unit="deg")
    assert SkyCoord(theirs.ra, theirs.dec).separation(ours).arcsec < 1.0


@settings(max_examples=60, deadline=None)
@given(MJD)
def test_sidereal_time_is_that_of_astropy(mjd):
    """Local apparent sidereal time at the site: within 0.5 arcsec."""
    theirs = _time(mjd).sidereal_time("apparent", longitude=SITE_LON_DEG * u.deg).deg
    off = (float(apparent_sidereal_deg(mjd)) - theirs + 180.0) % 360.0 - 180.0
    assert abs(off) * 3600.0 < 0.5


@settings(max_examples=40, deadline=None)
@given(MJD, st.floats(-40.0, 80.0), st.floats(-5.0, 5.0))
def test_a_field_on_the_meridian_has_no_residual(mjd, dec_of_date, east_deg):
    """A dish on the meridian sees a J2000 place whose residual is 0; one east of it, as much."""
    lst = float(apparent_sidereal_deg(mjd))
    seen = SkyCoord(
        (lst + east_deg) * u.deg, dec_of_date * u.deg, frame=TETE(obstime=_time(mjd))
    ).transform_to("icrs")
    residual = float(drift_residual_deg(seen.ra.deg, seen.dec.deg, mjd))
    assert residual == pytest.approx(east_deg, abs=0.02)


def test_a_dish_at_rest_keeps_its_declination_of_date():
    """In J2000 a dish that never moves seems to jump by 0.1 degrees in a day; of date it stays."""
    mjd = 60950.0 + np.linspace(0.0, 1.0, 97)
    seen = [
        SkyCoord(
            apparent_sidereal_deg(t) * u.deg, 16.0 * u.deg, frame=TETE(obstime=_time(t))
        ).transform_to("icrs")
        for t in mjd
    ]
    ra = np.array([place.ra.deg for place in seen])
    dec = np.array([place.dec.deg for place in seen])
    assert "new pointing" in declination_states(dec, np.median(dec))
    _, of_date = apparent_place(ra, dec, mjd)
    assert np.ptp(of_date) < 0.001
    assert set(declination_states(of_date, np.median(of_date))) == {"same"}
    assert np.abs(drift_residual_deg(ra, dec, mjd)).max() < 0.001
    assert not looks_of_date(ra, dec, mjd)


def test_right_ascensions_of_date_are_recognised():
    """Sidereal time written down as J2000 lies 0.3 degrees off, and is known for what it is."""
    mjd = 60950.0 + np.arange(50) * 309.2 / 86400.0
    ra, dec = apparent_sidereal_deg(mjd), np.full(50, 16.0)
    assert (np.abs(drift_residual_deg(ra, dec, mjd)) > OFF_MERIDIAN_DEG).all()
    assert looks_of_date(ra, dec, mjd)
    assert not looks_of_date(ra + 2.0, dec, mjd)
    assert not looks_of_date(np.full(50, np.nan), dec, mjd)


@given(st.floats(-90.0, 90.0), st.floats(-20.0, 20.0))
def test_declinations_are_the_same_new_or_wrong(median, off):
    """0.1 and 5 degrees are the limits, either way; what is unknown is said so."""
    (state,) = declination_states(np.array([median + off]), median)
    apart = abs((median + off) - median)
    assert state == ("same" if apart <= 0.1 else "new pointing" if apart <= 5.0 else "wrong strip")
    assert declination_states(np.array([np.nan]), median).tolist() == ["unknown"]
    assert declination_states(np.array([median]), np.nan).tolist() == ["unknown"]


def test_nothing_known_makes_nothing_known():
    """A missing coordinate or time has no residual, and no warning is printed."""
    off = drift_residual_deg(
        [np.nan, 0.0, 0.0, np.inf], [0.0, np.nan, 0.0, 0.0], [6e4, 6e4, np.nan, 6e4]
    )
    assert np.isnan(off).all()


@given(st.lists(st.one_of(st.floats(0.0, 1e6), st.just(float("nan"))), max_size=60))
def test_unusual_durations_are_those_of_the_definition(values):
    """Further than 5 x 1.4826 MAD from the median, of ten known durations or more."""
    found = durations(np.array(values, float))
    known = [v for v in values if np.isfinite(v)]
    assert found.n == len(known)
    if not known:
        assert np.isnan(found.median_s)
        assert found.why_not
        return
    median = float(np.median(known))
    mad = float(np.median([abs(v - median) for v in known]))
    assert (found.median_s, found.mad_s) == (median, mad)
    judged = len(known) >= 10 and mad > 0.0
    wanted = [judged and abs(v - median) > 5.0 * 1.482602218505602 * mad for v in values]
    assert found.is_outlier.tolist() == wanted
    assert bool(found.why_not) != judged


@given(MJD, st.floats(-80.0, 80.0))
def test_the_place_on_the_meridian_is_carried_back_to_it(mjd: float, dec_deg: float) -> None:
    """What is said to stand on the meridian must have no residual, and the declination asked."""
    ra, dec = meridian_icrs(mjd, dec_deg)
    assert float(drift_residual_deg(ra, dec, mjd)) == pytest.approx(0.0, abs=1e-6)
    assert float(apparent_place(ra, dec, mjd)[1]) == pytest.approx(dec_deg, abs=1e-6)
