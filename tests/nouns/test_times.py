"""Times: every conversion there and back, and what is no time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab import times
from contimg_lab.errors import InvalidInput

MJD = st.floats(5e4, 1e5)
AWARE = st.datetimes(
    # from after the last leap second: astropy stretches the MJD of a day that holds one
    datetime(2017, 1, 2),  # noqa: DTZ001 the strategy adds the zone
    datetime(2050, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14, 14).map(lambda h: timezone(timedelta(hours=h))),
)


@given(MJD)
def test_mjd_and_unix_are_inverse(mjd):
    """MJD to Unix seconds and back loses less than 20 microseconds."""
    assert times.mjd_from_unix(times.unix_from_mjd(mjd)) == pytest.approx(mjd, abs=2e-10)


@given(AWARE)
def test_mjd_agrees_with_astropy(when):
    """An aware datetime's MJD is astropy's, in whatever zone it was written."""
    assert times.mjd_from_datetime(when) == pytest.approx(Time(when).mjd, abs=1e-9)
    back = times.datetime_from_mjd(times.mjd_from_datetime(when))
    assert back.tzinfo is UTC
    assert abs(back - when) < timedelta(microseconds=100)


def test_naive_datetimes_are_refused():
    """A datetime without a zone could be any zone's."""
    with pytest.raises(InvalidInput, match="time zone"):
        times.mjd_from_datetime(datetime(2025, 1, 1))  # noqa: DTZ001 the point of the test


@given(AWARE, st.sampled_from([":", "-"]), st.sampled_from(["", "_selfcal", ".rfi_v2"]))
def test_the_time_in_a_name_is_found(when, mark, suffix):
    """Both forms of a time in an MS's name give its start, with any suffix."""
    start = when.astimezone(UTC).replace(microsecond=0)
    name = f"/a b/2001-01-01T00:00:00/{start:%Y-%m-%dT%H{mark}%M{mark}%S}{suffix}.ms"
    assert times.mjd_from_name(name) == pytest.approx(times.mjd_from_datetime(start), abs=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "field_B0329_test.ms",
        "2025-13-01T00:00:00.ms",
        "2025-01-01T24:00:00",
        "",
        "12025-01-01T00:00:00",
    ],
)
def test_a_name_without_a_real_time_gives_none(name):
    """Digits that are no time are not read as one."""
    assert times.mjd_from_name(name) is None


@pytest.mark.parametrize(
    ("value", "mjd"),
    [
        (60000.0, 60000.0),
        (1.7e9, 1.7e9 / 86400 + 40587),
        ("2025-10-09T00:00:00Z", 60957.0),
        ("2025-10-09 00:00:00", 60957.0),
        ("2025-10-09T02:00:00+02:00", 60957.0),
        (0.0, None),
        (None, None),
        ("--", None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        (b"60000", None),
        (10**30, None),
    ],
)
def test_the_value_decides_what_a_time_is(value, mjd):
    """5e4 to 1e5 is an MJD, 1e9 and more Unix seconds, text ISO 8601, the rest no time."""
    assert times.mjd_from_value(value) == (None if mjd is None else pytest.approx(mjd, abs=1e-9))


@given(st.dates(datetime(1990, 1, 1).date(), datetime(2100, 1, 1).date()))  # noqa: DTZ001
def test_a_night_is_one_day_of_mjd(day):
    """A night's bounds are whole MJDs, and every MJD between them is that night's."""
    start, end = times.night_bounds_mjd(day.isoformat())
    assert end - start == 1.0
    assert start == Time(day.isoformat(), scale="utc").mjd
    assert times.night_of_mjd(start) == times.night_of_mjd(end - 1e-9) == day


@pytest.mark.parametrize(
    "night", ["", "2025-10-9", "2025-02-30", "20251009", "x", 5, None, "2025-10-09\n"]
)
def test_what_is_no_night_is_refused(night):
    """Only a UTC date is a night."""
    with pytest.raises(InvalidInput, match="YYYY-MM-DD"):
        times.parse_night(night)
