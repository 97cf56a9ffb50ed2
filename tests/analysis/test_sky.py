"""Right ascension is cut where the sky is emptiest, and moved by whole turns only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.sky import galactic_latitude_deg, galactic_plane, unwrap_ra

ANGLES = st.lists(st.floats(-1000.0, 1000.0), min_size=1, max_size=40)


@given(ANGLES)
def test_values_are_the_same_directions(ra_deg: list[float]) -> None:
    """Every value must differ from what was given by whole turns."""
    _, values = unwrap_ra(ra_deg)
    turns = (values - np.asarray(ra_deg)) / 360.0
    assert np.allclose(turns, np.round(turns), atol=1e-9)


@given(ANGLES)
def test_strip_is_as_short_as_can_be(ra_deg: list[float]) -> None:
    """The strip must be one turn less the largest gap, however the gap lies."""
    _, values = unwrap_ra(ra_deg)
    turned = np.unique(np.mod(ra_deg, 360.0) % 360.0)
    gaps = np.append(np.diff(turned), turned[0] + 360.0 - turned[-1])
    assert np.ptp(values) == pytest.approx(360.0 - gaps.max(), abs=1e-9)


@given(ANGLES)
def test_centre_is_a_right_ascension(ra_deg: list[float]) -> None:
    """The centre must lie in [0, 360) and every value within half a turn of it."""
    centre, values = unwrap_ra(ra_deg)
    assert 0.0 <= centre < 360.0
    assert np.all(np.abs(values - centre) <= 180.0 + 1e-9)


@given(st.lists(st.floats(0.0, 359.999), min_size=1, max_size=40))
def test_what_needs_no_shift_is_bit_exact(ra_deg: list[float]) -> None:
    """A value on the right side already must come back as it was given, to the last bit."""
    centre, values = unwrap_ra(ra_deg)
    for given_deg, value in zip(ra_deg, values, strict=True):
        if abs(given_deg - centre) < 179.0:
            assert value == given_deg


@given(ANGLES, st.floats(-720.0, 720.0))
def test_turning_the_sky_turns_nothing_else(ra_deg: list[float], by_deg: float) -> None:
    """The length of the strip must not depend on where 0 h lies."""
    _, values = unwrap_ra(ra_deg)
    _, turned = unwrap_ra(np.asarray(ra_deg) + by_deg)
    assert np.ptp(turned) == pytest.approx(np.ptp(values), abs=1e-6)


def test_strip_across_0h_is_one_strip() -> None:
    """A night that crosses 0 h must not be two ends of the axis; RA 0.0 is a real one."""
    centre, values = unwrap_ra([358.0, 359.0, 0.0, 1.0])
    assert values.tolist() == [358.0, 359.0, 360.0, 361.0]
    assert centre == pytest.approx(359.5)


def test_unknown_positions_stay_unknown() -> None:
    """NaN and infinities must come back as NaN and move nothing."""
    centre, values = unwrap_ra([np.nan, 10.0, np.inf])
    assert centre == 10.0
    assert np.isnan(values[[0, 2]]).all()
    assert unwrap_ra([np.nan])[0] == 180.0
    assert unwrap_ra([])[1].size == 0


def test_the_galactic_plane_is_where_astropy_has_it() -> None:
    """Every point of the plane must lie within 0.1 arcsec of that of an independent package."""
    from astropy.coordinates import SkyCoord

    ra, dec = galactic_plane(721)
    longitude = np.linspace(0.0, 360.0, 721)
    other = SkyCoord(l=longitude, b=0.0 * longitude, unit="deg", frame="galactic").icrs
    assert np.abs((other.ra.deg - ra + 180.0) % 360.0 - 180.0).max() < 3e-5
    assert np.abs(other.dec.deg - dec).max() < 3e-5
    assert np.abs(galactic_latitude_deg(ra, dec)).max() < 1e-9


@given(st.floats(0.0, 359.9), st.floats(-89.9, 89.9))
def test_galactic_latitude_is_that_of_astropy(ra_deg: float, dec_deg: float) -> None:
    """Any latitude must be within 0.1 arcsec of that of an independent package."""
    from astropy.coordinates import SkyCoord

    other = SkyCoord(ra_deg, dec_deg, unit="deg").galactic.b.deg
    assert float(galactic_latitude_deg(ra_deg, dec_deg)) == pytest.approx(other, abs=3e-5)
