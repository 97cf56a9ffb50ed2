"""Checks of sources and measurements: each planted fault is found, the clean night passes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .check_night import N_SOURCES, N, clean, outcomes_of, words_of

P, W, F, NA = "pass", "warn", "fail", "not applicable"
ROWS = N * N_SOURCES
HALF = ROWS // 2
CHECKS = [
    "flux_ratio", "flux_scatter", "completeness", "variables", "measurement_flags",
    "missing_values", "duplicate_epochs", "epoch_times",
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_a_clean_night_passes(check):
    """Fluxes as in earlier nights and as in the catalogue pass, each with a number."""
    for outcome in outcomes_of(check, clean()):
        assert (outcome.word, outcome.rows) == (P, {})
        assert outcome.value is not None


def _scaled(factor: float):
    tables = clean()
    fluxes = tables["photometry"]["flux_jy"]
    fluxes[:HALF] = [flux * factor for flux in fluxes[:HALF]]
    return tables


@pytest.mark.parametrize(("factor", "word"), [(0.9, P), (0.85, F), (1.3, P), (1.4, F), (0.07, F)])
def test_a_wrong_flux_scale_fails(factor, word):
    """The median ratio to NVSS must lie between 0.8 and 1.2; the MAD is told beside it."""
    first, second = outcomes_of("flux_ratio", _scaled(factor))
    assert (first.word, second.word) == (word, P)
    if factor > 0.1:
        assert first.value == pytest.approx(0.9 * factor, rel=0.02)
        assert "MAD" in first.why
    assert len(first.rows.get("images", ())) == (0 if word == P else 11)


def test_few_catalogued_sources_are_not_judged():
    """Fewer than three bright ones cannot make a ratio, and a scatter needs five."""
    tables = clean()
    tables["photometry"]["nvss_flux_mjy"][2:HALF] = [40.0] * (HALF - 2)
    assert words_of("flux_ratio", tables) == [NA, P]
    tables["photometry"]["nvss_flux_mjy"][2] = 90.0
    assert words_of("flux_scatter", tables) == [NA, P]
    tables["photometry"]["nvss_flux_mjy"] = [math.nan] * ROWS
    assert words_of("flux_ratio", tables) == [NA, NA]
    why = {"photometry.nvss_flux_mjy": "this file's photometry has no column nvss_flux_mjy"}
    assert {one.why for one in outcomes_of("flux_ratio", tables, absent=why)} == set(why.values())


def test_fluxes_that_scatter_about_a_good_median_warn():
    """Half of the sources twice too bright leave the median, and are seen by the scatter."""
    tables = clean()
    fluxes = tables["photometry"]["flux_jy"]
    fluxes[:HALF] = [flux * (1.5 if k % 2 else 0.5) for k, flux in enumerate(fluxes[:HALF])]
    first, second = outcomes_of("flux_scatter", tables)
    assert (first.word, second.word) == (W, P)
    assert first.value > 0.3


@given(st.integers(0, 10), st.integers(5, 10))
def test_completeness_is_the_share_that_is_found(n_lost, n):
    """Below 0.80 warns, below 0.60 fails, and the lost sources are named."""
    tables = clean()
    n_lost = min(n_lost, n)
    names = [f"c{k}" for k in range(n)]
    tables["catalogue"] = {
        "name": names, "hour": [6] * n, "flux_mjy": [50.0] * n,
        "is_found": [0] * n_lost + [1] * (n - n_lost),
    }  # fmt: skip
    first, second = outcomes_of("completeness", tables)
    share = 1.0 - n_lost / n
    assert first.value == share
    assert first.word == (F if share < 0.6 else W if share < 0.8 else P)
    assert first.rows.get("catalogue", ()) == (() if first.word == P else tuple(names[:n_lost]))
    assert second.word == NA


def test_fewer_than_five_catalogue_sources_are_not_judged():
    """Faint sources do not count, and a site without a catalogue says so."""
    tables = clean()
    tables["catalogue"]["flux_mjy"] = [49.0] * 12 + [80.0] * 8
    assert {one.word for one in outcomes_of("completeness", tables)} == {NA}
    (first, _) = outcomes_of("completeness", tables, absent={"catalogue": "it is empty here"})
    assert (first.word, first.why) == (NA, "it is empty here")


@pytest.mark.parametrize(("share", "word"), [(0.05, P), (0.15, W), (0.5, F)])
def test_too_many_variables_at_once_are_found(share, word):
    """The share of measurements far from their earlier nights decides; those are named."""
    tables = clean()
    rows = tables["photometry"]
    n = int(share * HALF)
    rows["flux_jy"][:n] = [flux * 1.5 for flux in rows["flux_jy"][:n]]
    first, second = outcomes_of("variables", tables)
    assert (first.word, second.word) == (word, P)
    assert first.value == pytest.approx(n / HALF)
    rows["reference_eta"] = [1e6] * ROWS  # sources that always were variable are none now
    assert words_of("variables", tables) == [P, P]
    rows["reference_n"] = [2.0] * ROWS
    assert words_of("variables", tables) == [NA, NA]


def test_flags_of_measurements_are_counted():
    """More than 30 % flagged warns; 0, NULL and good are no flags; the flags are told."""
    tables = clean()
    rows = tables["photometry"]
    rows["quality_flag"] = ["good"] * ROWS
    rows["flags"][:34] = ["edge"] * 34
    first, second = outcomes_of("measurement_flags", tables)
    assert (first.word, first.value) == (W, 34 / HALF)
    assert "34 edge" in first.why
    assert (second.word, second.value) == (P, 0.0)
    absent = {f"photometry.{name}": f"no column {name}" for name in ("flags", "quality_flag")}
    told = outcomes_of("measurement_flags", tables, absent=absent)
    assert {one.word for one in told} == {NA}
    assert "no column flags" in told[0].why
    del absent["photometry.flags"]
    assert words_of("measurement_flags", tables, absent=absent) == [W, P]


def test_unusable_measurements_are_counted_by_reason():
    """A tenth without a flux warns, more than half fails; a superseded row is not missing."""
    tables = clean()
    reasons = tables["photometry"]["reason"]
    reasons[:12] = ["missing"] * 12
    reasons[HALF : HALF + 60] = ["error not positive"] * 60
    first, second = outcomes_of("missing_values", tables)
    assert (first.word, second.word) == (W, F)
    assert "12 missing" in first.why
    assert "60 error not positive" in second.why
    assert first.rows == {"photometry": tuple(str(k) for k in range(12))}
    tables["photometry"]["reason"] = ["superseded"] * ROWS
    assert words_of("missing_values", tables) == [P, P]


@given(st.sets(st.integers(0, HALF - 1), max_size=5))
def test_repeated_measurements_are_found(places):
    """Whichever measurement is repeated, its second row is named."""
    tables = clean()
    rows = tables["photometry"]
    for place in sorted(places):
        for values in rows.values():
            values.append(values[place])
        rows["id"][-1] = f"again {place}"
    first, second = outcomes_of("duplicate_epochs", tables)
    assert first.word == (W if places else P)
    assert first.value == len(places)
    assert set(first.rows.get("photometry", ())) == {f"again {place}" for place in places}
    assert second.word == P


def test_epochs_outside_their_ms_are_found():
    """A measurement time in place of the epoch fails; an epoch from the MS proves nothing."""
    tables = clean()
    rows = tables["photometry"]
    rows["mjd"][3] += 7.0 / 24.0
    first, second = outcomes_of("epoch_times", tables)
    assert (first.word, second.word) == (F, P)
    assert first.value == pytest.approx(7 * 3600.0, abs=1.0)
    assert first.rows == {"photometry": ("3",)}
    rows["time_source"] = ["ms_mid_mjd"] * ROWS
    assert words_of("epoch_times", tables) == [NA, NA]
    rows["time_source"], rows["image"] = ["mjd"] * ROWS, [math.nan] * ROWS
    assert words_of("epoch_times", tables) == [NA, NA]


def test_only_the_first_of_many_rows_are_named():
    """An outcome that blames very many rows names some, and says so."""
    tables = clean()
    rows = tables["photometry"]
    for name, values in rows.items():
        rows[name] = [*values[:HALF]] * 3
    rows["reason"] = ["missing"] * 3 * HALF
    first, _ = outcomes_of("missing_values", tables)
    assert len(first.rows["photometry"]) == 200
    assert "330 of 330" in first.why
    assert "the first 200 are named" in first.why
