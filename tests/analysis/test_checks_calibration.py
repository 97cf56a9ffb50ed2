"""Checks of calibration: coverage, age, tier, SNR, flagging, each planted and found."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.cal_quality import EMPTY_SLOTS_FRACTION, FLOORS
from contimg_lab.analysis.coverage import MAX_DISTANCE_HOURS, WARN_DISTANCE_HOURS
from contimg_lab.analysis.drift import NEW_POINTING_DEG, WRONG_STRIP_DEG
from contimg_lab.analysis.gaps import GAP_MINUTES
from contimg_lab.thresholds import packaged_thresholds

from .check_night import N, clean, outcomes_of, words_of

P, W, F, NA = "pass", "warn", "fail", "not applicable"
CHECKS = [
    "calibration", "calibration_gains", "calibration_age", "calibration_tier",
    "calibration_snr", "calibration_flagged", "calibration_antennas",
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_a_clean_night_passes(check):
    """Tiles inside windows of good tables of their own date pass."""
    for outcome in outcomes_of(check, clean()):
        assert (outcome.word, outcome.rows) == (P, {})


def test_the_limits_are_those_of_the_rest_of_the_package():
    """What other parts of the package hold for the limit is what the set says."""
    limits = packaged_thresholds()
    assert limits["calibration.warn_hours"] == WARN_DISTANCE_HOURS
    assert limits["calibration.fail_hours"] == MAX_DISTANCE_HOURS
    assert limits["calibration_flagged.floor"] == EMPTY_SLOTS_FRACTION
    assert limits["declination.warn_deg"] == NEW_POINTING_DEG
    assert limits["declination.fail_deg"] == WRONG_STRIP_DEG
    assert limits["gaps.minutes"] == GAP_MINUTES
    for check, metric in (("calibration_snr", "snr_mean"),
                          ("calibration_flagged", "flagged_fraction")):  # fmt: skip
        floor = FLOORS[metric]
        assert (limits[f"{check}.warn"], limits[f"{check}.fail"]) == (floor.warn, floor.fail)


def test_the_three_states_of_coverage():
    """A far nearest table warns and none fails; the tiles are named."""
    tables = clean()
    tables["covers"]["state"][0], tables["covers"]["distance_hours"][0] = "nearest", 6.5
    tables["covers"]["state"][11], tables["covers"]["distance_hours"][11] = "none", math.nan
    first, second = outcomes_of("calibration", tables)
    assert (first.word, first.value, first.threshold) == (W, 6.5, 6.0)
    assert first.rows == {"ms": ("/ms/00.ms",)}
    assert (second.word, second.value, second.rows) == (F, None, {"ms": ("/ms/11.ms",)})
    tables["covers"]["is_bandpass"] = [0] * 2 * N
    assert {one.why for one in outcomes_of("calibration", tables)} == {
        "the registry holds no bandpass table at all"
    }
    assert words_of("calibration", tables, absent={"covers": "no registry"}) == [NA, NA]


def test_tiles_without_gains_are_told():
    """Where the site has gain tables, a tile that none reaches warns, most of an hour fails."""
    tables = clean()
    tables["covers"]["state"][N] = "none"
    tables["covers"]["state"][N + 11 : N + 18] = ["none"] * 7
    assert words_of("calibration_gains", tables) == [W, F]
    tables["covers"]["table_type"] = ["BP"] * 2 * N
    assert words_of("calibration_gains", tables) == [NA, NA]


@given(st.floats(0.0, 1000.0))
def test_age_is_judged_by_the_oldest_table(hours):
    """Six hours are fresh and a day is critical, whether or not the window holds the tile."""
    tables = clean()
    tables["covers"]["distance_hours"][5] = hours
    first, second = outcomes_of("calibration_age", tables)
    assert first.word == (F if hours > 24.0 else W if hours > 6.0 else P)
    assert first.value == max(hours, 0.5)
    assert second.word == P


@pytest.mark.parametrize(("tier", "word", "value"), [("B", W, 1.0), ("C", W, 2.0), ("A", P, 0.0)])
def test_borrowed_tables_warn(tier, word, value):
    """Tier A borrows nothing; B and C warn with the number of tables that are borrowed."""
    tables = clean()
    tables["tiers"]["tier"][3] = tier
    first, _ = outcomes_of("calibration_tier", tables)
    assert (first.word, first.value) == (word, value)


def test_an_unknown_tier_is_not_applicable():
    """Where no tile's tables have a date, the reason is told."""
    tables = clean()
    tables["tiers"]["tier"][:11] = ["unknown"] * 11
    tables["tiers"]["why"][:11] = ["no gain table, or not known when it was solved"] * 11
    first, second = outcomes_of("calibration_tier", tables)
    assert (first.word, second.word) == (NA, P)
    assert "no gain table" in first.why


@pytest.mark.parametrize(
    ("check", "column", "value", "word"),
    [
        ("calibration_snr", "snr_mean", 9.9, W), ("calibration_snr", "snr_mean", 4.9, F),
        ("calibration_snr", "snr_mean", 10.0, P), ("calibration_snr", "snr_mean", math.nan, P),
        ("calibration_flagged", "flagged_fraction", 0.31, P),
        ("calibration_flagged", "flagged_fraction", 0.42, P),
        ("calibration_flagged", "flagged_fraction", 0.43, W),
        ("calibration_flagged", "flagged_fraction", 0.60, F),
        ("calibration_antennas", "n_antennas", 76, W),
        ("calibration_antennas", "n_antennas", 9, F),
    ],
)  # fmt: skip
def test_the_worst_table_of_a_set_decides(check, column, value, word):
    """Each set is judged by its worst table that has the metric, and that table is named."""
    tables = clean()
    tables["caltables"][column][1] = value
    (outcome,) = outcomes_of(check, tables)
    assert (outcome.key, outcome.scope, outcome.hour) == ("one", "cal set", None)
    assert outcome.word == word
    assert outcome.rows == ({} if word == P else {"caltables": ("/cal/gp",)})
    tables["caltables"][column] = [math.nan, math.inf]
    assert words_of(check, tables) == [NA]
    tables["caltables"] = {}
    assert words_of(check, tables) == [NA]


def test_flagging_is_counted_from_its_floor():
    """What empty slots take is no loss, and a table below the floor lost nothing."""
    tables = clean()
    for flagged, lost in ((0.18, 0.0), (0.10, 0.0), (0.59, 0.5), (1.0, 1.0)):
        tables["caltables"]["flagged_fraction"] = [flagged, flagged]
        (outcome,) = outcomes_of("calibration_flagged", tables)
        assert outcome.value == pytest.approx(lost)
        assert f"{flagged:.3f} flagged" in outcome.why


def test_sets_are_judged_apart():
    """Two sets have two outcomes, and a table without a set one of its own."""
    tables = clean()
    tables["caltables"]["set_name"] = ["two", None]
    tables["caltables"]["snr_mean"] = [98.0, 1.0]
    told = {one.key: one.word for one in outcomes_of("calibration_snr", tables)}
    assert told == {"two": P, "no set": F}
