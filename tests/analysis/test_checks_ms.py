"""Checks of Measurement Sets: holes, jumps, times and pointings, each planted and found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.drift import apparent_place

from .check_night import N, clean, outcomes_of, words_of

P, W, F, NA = "pass", "warn", "fail", "not applicable"


@pytest.mark.parametrize(
    "check", ["gaps", "empty_hours", "declination", "pointing", "ms_times", "damaged"]
)
def test_a_clean_night_passes(check):
    """Tiles in their places and times pass, and no row is blamed."""
    for outcome in outcomes_of(check, clean()):
        assert (outcome.word, outcome.rows) == (P, {})


def test_a_hole_is_told_in_the_hour_in_which_it_begins():
    """A lost pair of tiles leaves more than ten minutes, after the tile that is named."""
    tables = clean()
    tables["ms"]["kind"][4:6] = ["twin"] * 2
    first, second = outcomes_of("gaps", tables)
    assert (first.word, second.word) == (W, P)
    assert first.rows == {"ms": ("/ms/03.ms",)}
    assert first.value == pytest.approx(3 * 309 / 60, abs=0.01)


def test_an_hour_without_a_tile_between_others_is_told():
    """Hours before and after the night are nobody's loss; one between is named."""
    tables = clean()
    tables["ms"]["hour"][11:] = [9] * 11
    (outcome,) = outcomes_of("empty_hours", tables)
    assert (outcome.word, outcome.value) == (W, 2.0)
    assert "07, 08" in outcome.why


def test_a_tile_at_another_declination_is_named():
    """More than 0.1 deg warns, more than 5 fails; an unknown one is not taken for a good one."""
    tables = clean()
    tables["ms"]["dec_offset_deg"][0] = -0.11
    tables["ms"]["dec_offset_deg"][11] = 5.1
    first, second = outcomes_of("declination", tables)
    assert (first.word, second.word) == (W, F)
    assert first.rows == {"ms": ("/ms/00.ms",)}
    tables["ms"]["dec_offset_deg"] = [math.nan] * 11 + [math.inf] * 11
    assert words_of("declination", tables) == [NA, NA]


def test_a_tile_off_the_meridian_is_named():
    """Each tile is judged by itself: 0.1 deg warns, a tile's worth of sky fails."""
    tables = clean()
    tables["ms"]["lst_residual_deg"][:3] = [-0.2, 1.4, math.nan]
    outcomes = outcomes_of("pointing", tables)
    assert [one.word for one in outcomes] == [W, F, NA] + [P] * (N - 3)
    assert [one.key for one in outcomes] == tables["ms"]["path"]
    assert outcomes[1].rows == {"ms": ("/ms/01.ms",)}


def test_coordinates_of_date_are_recognised():
    """Where all right ascensions are of date in place of J2000, the sentence says so."""
    tables = clean()
    ms = tables["ms"]
    ra, _ = apparent_place(ms["ra_deg"], ms["dec_deg"], ms["mid_mjd"])
    ms["ra_deg"] = ra.tolist()
    ms["lst_residual_deg"] = [0.33] * N
    outcomes = outcomes_of("pointing", tables)
    assert {one.word for one in outcomes} == {W}
    assert all("of date, not J2000" in one.why for one in outcomes)


def test_tiles_that_overlap_or_contradict_themselves_are_named():
    """A second MS of the same time, and an end before its start, fail with their paths."""
    tables = clean()
    tables["ms"]["start_mjd"][1] = tables["ms"]["start_mjd"][0] + 30.0 / 86400.0
    tables["ms"]["stored_end_mjd"][12] = tables["ms"]["start_mjd"][12] - 0.01
    first, second = outcomes_of("ms_times", tables)
    assert (first.word, second.word) == (F, F)
    assert first.rows == {"ms": ("/ms/00.ms", "/ms/01.ms")}
    assert second.rows == {"ms": ("/ms/12.ms",)}
    for name in ("stored_start_mjd", "stored_mid_mjd", "stored_end_mjd"):
        tables["ms"][name] = [math.nan] * N
    assert words_of("ms_times", tables) == [F, P]


@given(
    st.sampled_from(["ra_deg", "dec_deg", "mid_mjd"]),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.integers(0, N - 1),
)
def test_rows_without_a_time_or_place_are_named(column, value, row):
    """Wherever it stands, a tile that cannot be placed is found, alone."""
    tables = clean()
    tables["ms"][column][row] = value
    outcome = outcomes_of("damaged", tables)[row // 11]
    assert (outcome.word, outcome.value) == (W, 1.0)
    assert outcome.rows == {"ms": (f"/ms/{row:02d}.ms",)}


def test_a_site_without_pointings_is_not_blamed_for_them():
    """Where nothing tells a pointing, times are still looked at, and that is said."""
    tables = clean()
    tables["ms"]["ra_deg"] = tables["ms"]["dec_deg"] = [None] * N
    tables["ms"]["mid_mjd"][0] = None
    absent = {"ms.ra_deg": "nothing says where it looked"}
    first, second = outcomes_of("damaged", tables, absent=absent)
    assert (first.word, second.word) == (W, P)
    assert "nothing says where it looked" in second.why
    assert first.rows == {"ms": ("/ms/00.ms",)}


def test_values_of_the_wrong_kind_are_named():
    """Text in a column of numbers is found in the rows of MS and of images."""
    tables = clean()
    tables["ms"]["damaged"] = ["dec_deg"] + [""] * (N - 1)
    tables["images"]["damaged"] = [None] * (N - 1) + ["noise_jy"]
    first, second = outcomes_of("damaged", tables)
    assert first.rows == {"ms": ("/ms/00.ms",)}
    assert second.rows == {"images": (str(N - 1),)}


def test_holes_are_found_wherever_they_are():
    """Whatever tile is lost with its neighbour, one hole is found behind the tile before."""
    for k in range(1, N - 3):
        tables = clean()
        tables["ms"]["kind"][k : k + 2] = ["calibrator"] * 2
        holes = [one for one in outcomes_of("gaps", tables) if one.word == W]
        assert [one.rows["ms"] for one in holes] == [(f"/ms/{k - 1:02d}.ms",)]
        assert holes[0].hour == tables["ms"]["hour"][k - 1]
    assert np.diff(clean()["ms"]["start_mjd"]).max() * 1440.0 < 10.0
