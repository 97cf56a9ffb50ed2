"""Checks of clocks: mixed units, zones, the future and the order of times, planted and found."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.times import unix_from_mjd

from .check_night import FIRST_MJD, N, clean, outcomes_of, words_of

P, W, F, NA = "pass", "warn", "fail", "not applicable"
CHECKS = ["clock_kinds", "clock_future", "clock_order", "clock_name"]


@pytest.mark.parametrize("check", CHECKS)
def test_a_clean_night_passes(check):
    """Clocks that agree pass, with a number and a limit."""
    for outcome in outcomes_of(check, clean()):
        assert (outcome.word, outcome.rows) == (P, {})
        assert outcome.threshold is not None


@pytest.mark.parametrize("check", CHECKS)
def test_without_times_nothing_passes(check):
    """NaN everywhere is not applicable, never a pass."""
    tables = clean()
    tables["clocks"]["value"] = [math.nan] * 2 * N
    tables["runs"]["started_at"] = tables["runs"]["finished_at"] = [math.nan] * N
    tables["images"]["created_at"] = tables["ms"]["stored_start_mjd"] = [None] * N
    assert words_of(check, tables) == [NA, NA]


@given(st.integers(0, 2 * N - 1), st.sampled_from([0.0, -1.0, 1.76e12, math.inf, 2.4609e6, "swap"]))
def test_a_time_of_the_wrong_kind_is_named(row, value):
    """An MJD for Unix seconds, milliseconds, Julian dates and zero are found where they stand."""
    tables = clean()
    clocks = tables["clocks"]
    other = {"start_mjd": unix_from_mjd(FIRST_MJD), "created_at": FIRST_MJD}
    clocks["value"][row] = other[clocks["column"][row]] if value == "swap" else value
    hour = (row // 2) // 11
    outcome = outcomes_of("clock_kinds", tables)[hour]
    assert (outcome.word, outcome.value) == (F, 1.0)
    named = f"{clocks['table'][row]}: {clocks['key'][row]}: {clocks['column'][row]}"
    assert outcome.rows == {"clocks": (named,)}
    assert words_of("clock_kinds", tables)[1 - hour] == P


@pytest.mark.parametrize("seconds", [59.0, 61.0, 8 * 3600.0])
def test_a_time_that_has_not_come_is_named(seconds):
    """A minute ahead of the reading is two hosts' clocks; more is a fault, in either unit."""
    now = unix_from_mjd(FIRST_MJD + 1.0)
    for row, value in ((1, now + seconds), (0, FIRST_MJD + 1.0 + seconds / 86400.0)):
        tables = clean()
        tables["clocks"]["value"][row] = value
        first, second = outcomes_of("clock_future", tables)
        assert (first.word, second.word) == (P if seconds < 60.0 else F, P)
        assert first.value == pytest.approx(seconds, abs=1e-3)
    assert words_of("clock_future", tables, as_of_unix_s=math.nan) == [NA, NA]


def test_times_out_of_order_are_named():
    """A run that ends before it starts, or precedes its observation, and such an image."""
    tables = clean()
    tables["runs"]["finished_at"][0] = tables["runs"]["started_at"][0] - 61.0
    tables["runs"]["started_at"][1] -= 3600.0
    tables["images"]["created_at"][12] -= 8 * 3600.0
    first, second = outcomes_of("clock_order", tables)
    assert (first.word, first.value) == (F, 2.0)
    assert first.rows == {"runs": ("/ms/00.ms", "/ms/01.ms")}
    assert second.rows == {"images": ("12",)}
    why = {one.why for one in outcomes_of("clock_order", tables, absent={"images": "no images"})}
    assert why == {"no images"}


@pytest.mark.parametrize(
    ("seconds", "word", "told"),
    [(59.0, P, "59 s"), (61.0, W, "61 s"), (-400.0, F, "400 s"), (25200.0, F, "7 whole hours")],
)
def test_a_start_that_is_not_the_names_is_found(seconds, word, told):
    """A minute warns and a tile's length fails; whole hours are called a zone."""
    tables = clean()
    tables["ms"]["stored_start_mjd"][2] += seconds / 86400.0
    first, second = outcomes_of("clock_name", tables)
    assert (first.word, second.word) == (word, P)
    assert told in first.why
    assert first.rows == ({} if word == P else {"ms": ("/ms/02.ms",)})
