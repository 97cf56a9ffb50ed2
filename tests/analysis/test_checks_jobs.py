"""Checks of runs: each planted fault is found with its rows, and what is well passes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.times import unix_from_mjd

from .check_night import FIRST_MJD, clean, outcomes_of, words_of

P, W, F, NA = "pass", "warn", "fail", "not applicable"


@pytest.mark.parametrize(
    "check", ["tiles", "failed", "stuck", "missing", "raw_without_ms", "subbands"]
)
def test_a_clean_night_passes(check):
    """Two whole hours in which every run ended well pass, with a value and a limit each."""
    for outcome in outcomes_of(check, clean()):
        assert (outcome.word, outcome.rows) == (P, {})
        assert outcome.threshold_source


def test_an_hour_with_few_tiles_fails():
    """Seven tiles are too few for an hour, and calibrators are none."""
    tables = clean()
    tables["ms"]["kind"][:4] = ["calibrator"] * 4
    first, second = outcomes_of("tiles", tables)
    assert (first.word, first.value, first.threshold) == (F, 7.0, 8.0)
    assert second.word == P


def test_failed_runs_are_told_by_cause():
    """One failed run warns, two of eleven fail; causes and paths are named."""
    tables = clean()
    for k, cause in ((0, "io"), (11, "memory"), (12, None)):
        tables["runs"]["status"][k], tables["runs"]["cause"][k] = "failed", cause
    first, second = outcomes_of("failed", tables)
    assert (first.word, second.word) == (W, F)
    assert "1 io" in first.why
    assert "1 memory, 1 unknown" in second.why
    assert second.rows == {"runs": ("/ms/11.ms", "/ms/12.ms")}


def test_a_run_that_hangs_is_stuck():
    """Running for more than 30 minutes at the time of reading fails; for less it passes."""
    tables = clean()
    tables["runs"]["status"][0] = "running"
    tables["runs"]["started_at"][0] = began = unix_from_mjd(FIRST_MJD)
    for minutes, word in ((29.0, P), (31.0, F)):
        first, _ = outcomes_of("stuck", tables, as_of_unix_s=began + 60.0 * minutes)
        assert first.word == word
    assert first.rows == {"runs": ("/ms/00.ms",)}
    tables["runs"]["started_at"][0] = None
    assert words_of("stuck", tables) == [NA, P]
    assert words_of("stuck", tables, as_of_unix_s=math.nan) == [NA, P]


def test_what_was_never_finished_is_missing():
    """Pending runs, tiles without a run and finished ones without an image are counted."""
    tables = clean()
    tables["runs"]["status"][0] = "skipped_no_caltables"
    tables["images"]["is_tile"][11] = 0
    tables["runs"]["path"][12] = "/ms/other.ms"
    first, second = outcomes_of("missing", tables)
    assert (first.word, second.word) == (W, F)
    assert "1 skipped_no_caltables" in first.why
    assert "1 completed without an image" in second.why
    assert "1 no run" in second.why
    assert second.rows == {"ms": ("/ms/11.ms", "/ms/12.ms")}
    first, second = outcomes_of("missing", tables, absent={"images": "no table images here"})
    assert "no table images here" in second.why
    assert second.rows == {"ms": ("/ms/12.ms",)}


def test_raw_groups_without_an_ms_are_named():
    """One of eleven warns, three fail; an hour that has raw data alone is told too."""
    tables = clean()
    tables["groups"]["has_ms"][0] = 0
    tables["groups"]["has_ms"][11:14] = [0, 0, 0]
    tables["groups"] = {
        name: [*held, value]
        for (name, held), value in zip(
            tables["groups"].items(), ["late", 9, 16, 0], strict=True
        )
    }  # fmt: skip
    first, second, third = outcomes_of("raw_without_ms", tables)
    assert (first.word, second.word, third.word) == (W, F, F)
    assert (third.hour, third.rows) == (9, {"groups": ("late",)})
    tables["groups"] = {}
    assert words_of("raw_without_ms", tables) == [NA, NA]


@given(st.lists(st.integers(0, 16), min_size=11, max_size=11))
def test_groups_that_are_not_whole_are_named(subbands):
    """A group with fewer than 16 sub-bands warns, and only such groups are named."""
    tables = clean()
    tables["groups"]["n_subbands"][:11] = subbands
    first, second = outcomes_of("subbands", tables)
    short = tuple(f"g{k}" for k, n in enumerate(subbands) if n < 16)
    assert first.word == (W if short else P)
    assert first.rows.get("groups", ()) == short
    assert first.value == min(subbands)
    assert second.word == P
