"""Separations are astropy's, cones hold what lies within, and positions read as written."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import Angle, SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.cone import in_cone, separation_deg
from contimg_lab.analysis.positions import position_in_name, read_position, sexagesimal
from contimg_lab.errors import InvalidInput

RA = st.one_of(st.floats(0.0, 360.0), st.sampled_from([0.0, 1e-9, 359.9999999, 180.0]))
DEC = st.one_of(st.floats(-90.0, 90.0), st.sampled_from([-90.0, 90.0, 0.0, 89.9999999]))


@given(RA, DEC, RA, DEC)
def test_a_separation_is_that_of_astropy(ra, dec, other_ra, other_dec):
    """Any two places are as far apart as astropy says, across 0 h and at the poles too."""
    theirs = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(other_ra, other_dec, unit="deg"))
    ours = float(separation_deg(ra, dec, other_ra, other_dec))
    assert ours == pytest.approx(theirs.deg, abs=1e-10)
    assert float(separation_deg(other_ra, other_dec, ra, dec)) == pytest.approx(ours, abs=1e-10)


@given(RA, st.floats(-90.0, 89.0), st.floats(1e-6, 3600.0))
def test_a_small_step_keeps_its_length(ra, dec, step_arcsec):
    """A step along a meridian is as long as it is, to a microarcsecond, and over a pole too."""
    north = dec + step_arcsec / 3600.0
    apart = float(separation_deg(ra, dec, ra, north))
    assert apart == pytest.approx(north - dec, abs=2e-13)
    over = float(separation_deg(ra, 90.0 - step_arcsec / 3600.0, ra + 180.0, 89.0))
    assert over == pytest.approx(1.0 + step_arcsec / 3600.0, abs=2e-13)


@given(st.lists(st.tuples(RA, DEC), min_size=1, max_size=30), RA, DEC, st.floats(1e-3, 180.0))
def test_a_cone_holds_exactly_what_lies_within_nearest_first(places, ra, dec, radius):
    """Rows are those within the radius and no others, in order of distance."""
    at = np.array(places)
    rows, apart = in_cone(at[:, 0], at[:, 1], ra, dec, radius)
    every = separation_deg(ra, dec, at[:, 0], at[:, 1])
    assert sorted(rows.tolist()) == np.flatnonzero(every <= radius).tolist()
    assert np.array_equal(apart, np.sort(every[every <= radius]))
    assert np.array_equal(every[rows], apart)


def test_an_unknown_place_lies_in_no_cone():
    """A source without a position, or with an infinite one, is never found."""
    ra = np.array([np.nan, 10.0, np.inf, 10.0])
    dec = np.array([0.0, np.nan, 0.0, 0.0])
    assert in_cone(ra, dec, 10.0, 0.0, 180.0)[0].tolist() == [3]


@given(st.floats(0.0, 360.0, exclude_max=True), DEC, st.integers(0, 9))
def test_a_position_reads_as_it_was_written(ra, dec, digits):
    """Written and read again, a position moves by half of its last digit at most."""
    found_ra, found_dec = read_position(sexagesimal(ra, dec, digits=digits))
    off = abs((found_ra - ra + 180.0) % 360.0 - 180.0) * 240.0
    assert off <= 0.5 * 10.0**-digits + 1e-8
    assert abs(found_dec - dec) * 3600.0 <= 0.5 * 10.0 ** -max(digits - 1, 0) + 1e-8
    assert sexagesimal(found_ra, found_dec, digits=digits) == sexagesimal(ra, dec, digits=digits)


@given(RA, DEC)
def test_degrees_are_read_to_the_last_bit(ra, dec):
    """Numbers, and numbers as text, come back as they are; 360 is 0."""
    wanted = (ra % 360.0, dec)
    assert read_position(ra, dec) == wanted
    assert read_position(f"{ra:.17f}", f"{dec:+.17f}") == pytest.approx(wanted, abs=1e-12)
    assert read_position(f"{ra:.17f} {dec:.17f}") == pytest.approx(wanted, abs=1e-12)
    assert read_position(np.float32(1.5), np.int64(-3)) == (1.5, -3.0)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 5999), st.integers(-89, 89))
def test_every_way_to_write_a_position_means_the_same(hours, minutes, hundredths, degrees):
    """Colons, letters and blanks, in one text or two, mean what astropy reads."""
    s = f"{hundredths / 100:05.2f}"
    sign, d = "-" if degrees < 0 else "+", f"{abs(degrees):02d}"
    wanted = (
        Angle(f"{hours}h{minutes}m{s}s").deg,
        Angle(f"{sign}{d}d{minutes}m{s}s").deg,
    )
    ways = [
        (f"{hours:02d}:{minutes:02d}:{s}", f"{sign}{d}:{minutes:02d}:{s}"),
        (f"{hours}h{minutes}m{s}s", f"{sign}{d}d{minutes}m{s}s"),
        (f"{hours} {minutes} {s}", f"{sign}{d} {minutes} {s}"),
        (f"{hours:02d}:{minutes:02d}:{s} {sign}{d}:{minutes:02d}:{s}", None),
        (f"{hours:02d}:{minutes:02d}:{s}{sign}{d}:{minutes:02d}:{s}", None),
        (f"{hours:02d} {minutes:02d} {s} {sign}{d} {minutes:02d} {s}", None),
        (f" {hours:02d}h{minutes:02d}m{s}s, {sign}{d}°{minutes:02d}'{s}\"", None),
    ]
    for ra, dec in ways:
        assert read_position(ra, dec) == pytest.approx(wanted, abs=1e-9), (ra, dec)


@given(st.floats(0.0, 359.99), st.floats(-89.99, 89.99))
def test_a_name_holds_the_position_within_its_digits(ra, dec):
    """A name with coordinates, cut or rounded, leads to within 16 arcsec of the place."""
    text = sexagesimal(ra, dec, digits=1)
    hms, dms = text.split()
    name = f"NVSS J{hms[:8].replace(':', '')}{dms[:9].replace(':', '')}"
    found = position_in_name(name.lower())
    assert found is not None
    assert float(separation_deg(ra, dec, *found)) * 3600.0 < 16.0


@pytest.mark.parametrize("name", ["3C 48", "", "J2308", "J23084+1641", "J239946+164158", "DSA"])
def test_a_name_without_a_position_has_none(name):
    """What only looks like coordinates is no position."""
    assert position_in_name(name) is None


def test_small_negative_declinations_keep_their_sign():
    """-00:30 is half a degree south, with any minus sign, and RA 0 is a real one."""
    assert read_position("00:00:00", "-00:30:00") == (0.0, -0.5)
    assert read_position("00:00:00", "−00:30") == (0.0, -0.5)
    assert read_position(-1e-30, 0.0)[0] == 0.0
    assert sexagesimal(359.99999999, -0.00001) == "00:00:00.00 -00:00:00.0"


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ("24:00:00", "0"), ("23:60:00", "0"), ("23:00:60", "0"), ("-1:00:00", "0"),
        (10.0, 90.1), (10.0, "-90:00:01"), (361.0, 0.0), (float("nan"), 0.0), (1.0, float("inf")),
        (None, None), (10.0, None), ("10", None), ("", ""), ("a", "b"), (True, 1.0), ([1], [2]),
        ("1e400", "0"), ("10:00:00:00", "0"), ("0", "10h00m"), ("x" * 10**6, None), ("\ud800", "0"),
    ],
)  # fmt: skip
def test_what_is_no_position_is_refused_with_the_way_out(ra, dec):
    """An impossible or unreadable position is an error that says how to write one."""
    with pytest.raises(InvalidInput, match="write degrees"):
        read_position(ra, dec)
    with pytest.raises(InvalidInput):
        sexagesimal(0.0, 0.0, digits=10)


@given(st.text(max_size=60))
def test_any_text_is_a_position_or_a_typed_error(text):
    """No text makes anything but a position on the sky or InvalidInput."""
    try:
        ra, dec = read_position(text)
    except InvalidInput:
        return
    assert 0.0 <= ra < 360.0
    assert -90.0 <= dec <= 90.0
