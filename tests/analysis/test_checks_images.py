"""Checks of images: noise, beams, gains and astrometry, each planted and found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .check_night import N, clean, outcomes_of, words_of

P, W, F, NA = "pass", "warn", "fail", "not applicable"
UNKNOWN = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0])


@pytest.mark.parametrize(
    "check",
    ["noise", "dynamic_range", "beam", "beam_size", "beam_angle", "image_gain", "astrometry"],
)
def test_a_clean_night_passes(check):
    """Images as the field usually is pass, each with a number."""
    for outcome in outcomes_of(check, clean()):
        assert (outcome.word, outcome.rows) == (P, {})
        assert outcome.value is not None


def test_noise_is_relative_to_the_same_sky():
    """The same noise passes where earlier nights had it, and fails where they were quiet."""
    tables = clean()
    tables["images"]["noise_jy"] = [0.050] * N
    tables["references"]["noise_median_jy"] = [0.049, 0.013]
    first, second = outcomes_of("noise", tables)
    assert (first.word, second.word) == (P, F)
    assert second.value == pytest.approx(0.050 / 0.013)
    assert "40 tiles of earlier nights" in second.why
    assert second.rows == {"images": tuple(str(k) for k in range(11, N))}


def test_one_noisy_tile_warns():
    """One tile of three times the reference warns by its own limit, and is named."""
    tables = clean()
    tables["images"]["noise_jy"][4] = 0.040
    first, second = outcomes_of("noise", tables)
    assert (first.word, first.threshold_name) == (W, "noise.warn_tile")
    assert first.rows == {"images": ("4",)}
    assert second.word == P


@given(UNKNOWN)
def test_noise_without_a_number_is_not_applicable(value):
    """Without a noise, or without anything to compare with, no hour passes."""
    tables = clean()
    tables["images"]["noise_jy"][:11] = [value] * 11
    tables["references"]["noise_median_jy"][1] = value
    assert words_of("noise", tables) == [NA, NA]


@pytest.mark.parametrize(("value", "word"), [(100.0, P), (99.0, W), (29.0, F)])
def test_dynamic_range_is_judged_by_its_median(value, word):
    """Below 100 warns, below 30 fails; the low images are named."""
    tables = clean()
    tables["images"]["dynamic_range"][:11] = [value] * 11
    first, second = outcomes_of("dynamic_range", tables)
    assert (first.word, second.word) == (word, P)
    assert len(first.rows.get("images", ())) == (0 if word == P else 11)
    tables["images"]["dynamic_range"] = [math.nan] * N
    assert words_of("dynamic_range", tables) == [NA, NA]


@pytest.mark.parametrize(("minor", "word"), [(18.5, P), (18.0, W), (12.0, F)])
def test_a_beam_that_is_drawn_out_is_found(minor, word):
    """An axis ratio above 2 warns, above 3 fails."""
    tables = clean()
    tables["images"]["beam_minor_arcsec"][:11] = [minor] * 11
    assert words_of("beam", tables) == [word, P]


@given(UNKNOWN)
def test_a_beam_without_both_axes_is_not_applicable(value):
    """Zero, negative and missing axes are no beam."""
    tables = clean()
    tables["images"]["beam_minor_arcsec"][:11] = [value] * 11
    assert words_of("beam", tables) == [NA, P]
    tables["images"]["beam_major_arcsec"][:11] = [value] * 11
    assert words_of("beam_size", tables) == [NA, P]


@pytest.mark.parametrize("factor", [0.5, 1.7])
def test_a_beam_of_another_size_is_found(factor):
    """A beam half or nearly twice the default one warns; by one axis where there is one."""
    tables = clean()
    for axis in ("major", "minor"):
        name = f"beam_{axis}_arcsec"
        tables["images"][name][:11] = [v * factor for v in tables["images"][name][:11]]
    first, second = outcomes_of("beam_size", tables)
    assert (first.word, second.word) == (W, P)
    assert first.value == pytest.approx(factor, rel=0.02)
    tables["images"]["beam_minor_arcsec"] = [math.nan] * N
    assert words_of("beam_size", tables) == [W, P]


@given(st.integers(0, N - 1), st.floats(0.0, 180.0))
def test_one_turned_beam_is_named(row, angle):
    """Directions have no head: only what is far from its hour, either way round, is turned."""
    tables = clean()
    tables["images"]["beam_pa_deg"][row] = angle
    outcome = outcomes_of("beam_angle", tables)[row // 11]
    away = min(angle, 180.0 - angle)  # the others lie 2 degrees on either side of north
    if away > 23.0:
        assert (outcome.word, outcome.rows) == (W, {"images": (str(row),)})
    elif away < 17.0:
        assert outcome.word == P


def test_round_beams_and_single_tiles_have_no_direction():
    """A round beam, and an hour of two tiles, is not judged by its angle."""
    tables = clean()
    tables["images"]["beam_minor_arcsec"][:11] = [36.9] * 11
    tables["images"]["is_tile"][11:20] = [0] * 9
    tables["images"]["beam_pa_deg"][3] = 90.0
    assert words_of("beam_angle", tables) == [NA, NA]


def _scaled(image: int, gain: float):
    tables = clean()
    rows = tables["photometry"]
    rows["flux_jy"] = [
        flux * gain if place == image else flux
        for flux, place in zip(rows["flux_jy"], rows["image"], strict=True)
    ]
    return tables


@pytest.mark.parametrize(("gain", "word"), [(1.05, P), (1.10, W), (0.8, F), (1.3, F)])
def test_one_image_off_in_its_gain_is_named(gain, word):
    """The image whose sources are all off is found, and no other."""
    outcomes = outcomes_of("image_gain", _scaled(7, gain))
    told = {one.key: one.word for one in outcomes}
    assert told == {str(k): word if k == 7 else P for k in range(N)}
    (mine,) = [one for one in outcomes if one.key == "7"]
    assert mine.value == pytest.approx(abs(gain - 1.0), abs=0.01)
    assert mine.rows == ({} if word == P else {"images": ("7",)})


@pytest.mark.parametrize(("error", "word"), [(0.002, W), (0.007, P)])
def test_a_gain_that_its_error_brings_back_within_the_limit_passes(error, word):
    """A gain of 1.09 warns that is well known; one that may as well be 1.07 does not."""
    tables = _scaled(7, 1.09)
    tables["photometry"]["flux_err_jy"] = [error] * len(tables["photometry"]["id"])
    (mine,) = [one for one in outcomes_of("image_gain", tables) if one.key == "7"]
    assert mine.value == pytest.approx(0.09, abs=0.01)
    assert mine.word == word, mine.why


def test_a_gain_within_its_error_is_none():
    """A few sources that scatter widely do not make an image's gain."""
    tables = clean()
    rows = tables["photometry"]
    scatter = np.random.default_rng(5).normal(1.12, 0.6, len(rows["flux_jy"]))
    rows["flux_jy"] = (np.array(rows["reference_flux_jy"]) * scatter).tolist()
    outcomes = outcomes_of("image_gain", tables)
    off = [one for one in outcomes if one.value > 0.15]
    assert off
    assert F not in {one.word for one in off if "within its error" in one.why}
    assert any("within its error" in one.why for one in off)


def test_ratios_that_agree_by_chance_are_no_better_than_their_errors():
    """Faint references that all lie at 1.2 by chance do not make a gain of that."""
    tables = _scaled(7, 1.2)
    tables["photometry"]["reference_err_jy"] = [0.03] * len(tables["photometry"]["id"])
    (mine,) = [one for one in outcomes_of("image_gain", tables) if one.key == "7"]
    assert (mine.word, mine.value) == (P, pytest.approx(0.2, abs=0.01))


def test_an_image_with_few_references_is_not_judged():
    """Rows that do not count, faint sources and new ones are no references."""
    tables = clean()
    rows = tables["photometry"]
    rows["reason"][:6] = ["missing"] * 6
    rows["reference_n"][10:16] = [2.0] * 6
    rows["flux_err_jy"][20:26] = [1.0] * 6
    rows["reference_flux_jy"][30:36] = [math.nan] * 6
    outcomes = outcomes_of("image_gain", tables)
    assert [one.word for one in outcomes[:5]] == [NA, NA, NA, NA, P]
    assert "4 reference sources, 5 are needed" in outcomes[0].why


def test_measured_astrometry_is_judged():
    """A shift of 2 arcsec warns, residuals of 5 fail; few matches are no measurement."""
    tables = clean()
    tables["astrometry"]["ra_offset_mas"] = [2100.0, 2500.0]
    (outcome,) = outcomes_of("astrometry", tables)
    assert (outcome.word, outcome.threshold_name) == (W, "astrometry.warn_offset_mas")
    assert outcome.rows == {"astrometry": ("1", "2")}
    tables["astrometry"]["rms_residual_mas"][1] = 5100.0
    (outcome,) = outcomes_of("astrometry", tables)
    assert (outcome.word, outcome.value) == (F, 5100.0)
    tables["astrometry"]["n_matches"] = [4, math.nan]
    assert words_of("astrometry", tables) == [NA]
    tables["astrometry"] = {}
    assert words_of("astrometry", tables) == [NA]
    (outcome,) = outcomes_of("astrometry", tables, absent={"astrometry": "no such table"})
    assert outcome.why == "no such table"
