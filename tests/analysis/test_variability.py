"""Statistics against a slow evaluation in Decimal, written for the tests alone."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from contimg_lab.analysis._chi2 import log_sf
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.reasons import WORDS, Why, words
from contimg_lab.analysis.segments import blocks, segment_maxima, segment_minima, segment_sums
from contimg_lab.analysis.shape import pair_starts
from contimg_lab.analysis.variability import variability

FLUX = st.floats(-1e4, 1e4, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-30 else x)
ERROR = st.floats(1e-6, 1e3)
EPOCHS = st.lists(st.tuples(FLUX, ERROR), max_size=12)
# few values, so that ties are common
TIED = st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0]), st.just(0.5)), max_size=8)
PLAIN = st.lists(st.tuples(st.floats(0.5, 20.0), st.floats(0.01, 5.0)), max_size=30)
STEPS = st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.51, 24.0]), min_size=30, max_size=30)

RELATIVE = (
    "eta", "v", "m_debiased", "f_var", "f_var_err", "sigma_deviation", "peak_to_peak",
    "inverse_von_neumann", "stetson_j", "stetson_k", "welch_stetson_i",
)  # fmt: skip


def columns(sources: list[list[tuple[float, float]]]) -> tuple[np.ndarray, ...]:
    flat = [pair for source in sources for pair in source]
    flux = np.array([f for f, _ in flat], float)
    error = np.array([e for _, e in flat], float)
    return flux, error, np.concatenate([[0], np.cumsum([len(s) for s in sources])]).astype(int)


def times(steps_h: list[float], count: int) -> list[float]:
    return (60000.0 + np.cumsum(steps_h[:count]) / 24.0).tolist()


@given(st.lists(EPOCHS, min_size=1, max_size=6))
def test_every_sum_equals_the_decimal_evaluation(oracle, sources):
    """Sums agree to 1e-12 of their largest term, and undefined is NaN, never 0."""
    flux, error, offsets = columns(sources)
    found, sums = variability(flux, error, offsets), moments(flux, error, offsets)
    for i, source in enumerate(sources):
        wanted = oracle.statistics(source)
        scale = max([abs(f) for f, _ in source], default=0.0)
        pulls = max([abs(f) / e for f, e in source], default=0.0)
        errors = max([e for _, e in source], default=0.0)
        largest = {
            "chi_squared": pulls**2 * max(len(source), 1),
            "eta": pulls**2 * len(source),
            "excess_variance_jy2": max(scale**2, errors**2) * max(len(source), 1),
        }
        assert found.n_used[i] == len(source)
        for name in ("mean_jy", "weighted_mean_jy", "weighted_mean_err_jy", *largest):
            got, value = getattr(found, name)[i], wanted[name]
            if value is None:
                assert np.isnan(got), name
                continue
            slack = 1e-12 * max(largest.get(name, scale), float(abs(value)))
            assert abs(float(Decimal(float(got)) - value)) <= slack, name
        if source:
            exact = sum((Decimal(b[0]) - Decimal(a[0])) ** 2 for a, b in pairwise(source))
            assert abs(sums.successive_jy2[i] - float(exact)) <= 1e-12 * (4 * scale**2 or 1) * 12


@given(st.lists(PLAIN | TIED, min_size=1, max_size=5), STEPS)
def test_every_statistic_equals_the_decimal_evaluation(oracle, sources, steps):
    """On light curves with positive means every statistic agrees with its definition."""
    flux, error, offsets = columns(sources)
    mjd = np.array([t for source in sources for t in times(steps, len(source))], float)
    found = variability(flux, error, offsets, mjd)
    for i, source in enumerate(sources):
        wanted = oracle.statistics(source, times(steps, len(source)))
        for name in RELATIVE:
            got, value = float(getattr(found, name)[i]), wanted[name]
            code = found.why[name][i]
            assert np.isnan(got) == (code != 0), name
            if value is None:
                assert code != 0, name
            elif code in (Why.NO_SCATTER, Why.NEGATIVE_RADICAND, Why.NO_EXCESS):
                # what is 0 to the last digit may round to either side
                assert abs(float(value)) < 1e-5 or name in ("stetson_k", "sigma_deviation")
            elif name in ("m_debiased", "f_var", "stetson_j"):  # a root of a difference
                assert got == pytest.approx(float(value), rel=1e-7, abs=1e-6), name
            elif name == "f_var_err":
                assert got == pytest.approx(float(value), rel=1e-4) or wanted["f_var"] < 1e-3
            else:
                assert got == pytest.approx(float(value), rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize("n", [2, 3, 50, 1000])
def test_a_large_constant_flux_costs_no_digits(oracle, n):
    """1e-6 Jy of scatter on 1e6 Jy still gives the right sums."""
    rng = np.random.default_rng(n)
    flux = 1e6 + rng.normal(0, 1e-6, n)
    error = np.full(n, 1e-6)
    found = variability(flux, error, np.array([0, n]))
    exact = oracle.statistics(list(zip(flux.tolist(), error.tolist(), strict=True)))
    for name in ("eta", "v", "sigma_deviation", "inverse_von_neumann", "stetson_k"):
        assert getattr(found, name)[0] == pytest.approx(float(exact[name]), rel=1e-9), name


def test_undefined_is_nan_and_says_why():
    """No epochs, one epoch, equal fluxes, a negative mean and no times each have their reason."""
    flux = np.array([1.0, 2.0, 2.0, -1.0, -3.0])
    found = variability(flux, np.ones(5), np.array([0, 0, 1, 3, 5]))
    assert found.why["eta"].tolist() == [Why.NO_EPOCHS, Why.ONE_EPOCH, 0, 0]
    assert found.why["mean_jy"].tolist() == [Why.NO_EPOCHS, 0, 0, 0]
    assert found.why["v"].tolist() == [Why.NO_EPOCHS, Why.ONE_EPOCH, 0, Why.MEAN_NOT_POSITIVE]
    assert found.why["sigma_deviation"][2] == Why.NO_SCATTER
    assert found.why["f_var"].tolist()[2:] == [Why.NEGATIVE_RADICAND, Why.MEAN_NOT_POSITIVE]
    assert (found.why["stetson_j"] == Why.NO_TIMES).all()
    assert set(found.why) == {f for f in found.__dataclass_fields__ if f not in ("n_used", "why")}
    for name, codes in found.why.items():
        assert (np.isnan(getattr(found, name)) == (codes > 0)).all(), name
    assert len(WORDS) == len(Why)
    assert words(found.why["eta"]).tolist() == ["no epochs", "fewer than 2 epochs", "", ""]


def test_an_epoch_without_a_time_has_no_place_in_the_order():
    """Where a time is unknown the von Neumann ratio is undefined and no pair is made of it."""
    mjd = np.array([1.0, 1.01, np.nan])
    found = variability(np.array([1.0, 2.0, 4.0]), np.ones(3), np.array([0, 3]), mjd)
    assert found.why["inverse_von_neumann"].tolist() == [Why.NO_TIMES]
    assert np.isfinite(found.stetson_j[0])
    assert pair_starts(mjd, np.array([0, 3])).tolist() == [True, False, False]


@given(st.lists(STEPS, min_size=1, max_size=4), st.integers(0, 30))
def test_pairs_are_taken_from_the_earliest_on(oracle, many, count):
    """Half an hour itself counts, a chain is cut in twos, and no pair crosses sources."""
    sources = [times(steps, count) for steps in many]
    offsets = np.arange(0, count * len(sources) + 1, max(count, 1))
    if count == 0:
        offsets = np.zeros(len(sources) + 1, int)
    starts = np.flatnonzero(pair_starts(np.array([*chain(*sources)]), offsets))
    wanted = [k * count + a for k, mjd in enumerate(sources) for a, _ in oracle.pairs_of(mjd)]
    assert starts.tolist() == wanted


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 5)), min_size=2, max_size=40))
def test_p_value_is_the_survival_function(epochs):
    """p_constant equals scipy's chi2.sf in its logarithm, which is finite beyond it."""
    found = variability(*columns([epochs]))
    wanted = chi2.logsf(found.chi_squared[0], len(epochs) - 1)
    if np.isfinite(wanted):
        assert found.log_p_constant[0] == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert np.isfinite(found.log_p_constant[0])
    assert found.p_constant[0] == pytest.approx(np.exp(found.log_p_constant[0]), rel=1e-12)


@given(st.integers(1, 300), st.floats(1e-6, 1e5))
def test_log_p_equals_the_finite_sum_however_far_out(oracle, degrees, chi_squared):
    """ln p agrees to 1e-9 with an exact sum in Decimal, also where p is no double any more."""
    got = log_sf(np.array([chi_squared]), np.array([float(degrees)]))[0]
    assert got == pytest.approx(oracle.log_q(degrees, chi_squared), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("degrees", [999, 9_998])
@pytest.mark.parametrize("times_over", [0.9, 1.0, 1.2, 1.6, 3.0, 100.0])
def test_log_p_of_many_epochs(oracle, degrees, times_over):
    """A thousand degrees of freedom and more lose no digits either."""
    got = log_sf(np.array([degrees * times_over]), np.array([float(degrees)]))[0]
    assert got == pytest.approx(oracle.log_q(degrees, degrees * times_over), rel=1e-9)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=5), max_size=8))
def test_segments_with_empty_ones_among_them(segments):
    """Each segment's sum and extremes are its own, wherever empty ones lie."""
    values = np.array([v for s in segments for v in s], float)
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in segments])]).astype(int)
    assert segment_sums(values, offsets) == pytest.approx([sum(s) for s in segments], abs=1e-6)
    nan = float("nan")
    for how, of in ((segment_minima, min), (segment_maxima, max)):
        wanted = [of(s) if s else nan for s in segments]
        assert how(values, offsets).tolist() == pytest.approx(wanted, nan_ok=True)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 12))
def test_blocks_hold_every_source_once(counts, rows):
    """Blocks follow each other, and one has more rows than asked only if it is one source."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(int)
    ranges = list(blocks(offsets, rows))
    assert [i for a, b in ranges for i in range(a, b)] == list(range(len(counts)))
    assert all(offsets[b] - offsets[a] <= rows or b == a + 1 for a, b in ranges)


@pytest.mark.parametrize("rows", [1, 3, 1 << 20])
def test_blocks_do_not_show_in_the_result(rows, monkeypatch):
    """The same sums come out whatever the size of the blocks."""
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 6, 200)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    flux, error = rng.normal(5, 1, offsets[-1]), rng.uniform(0.1, 2, offsets[-1])
    mjd = np.sort(rng.uniform(0, 3, offsets[-1]))
    whole = variability(flux, error, offsets, mjd)
    default = blocks.__defaults__
    monkeypatch.setattr(blocks, "__defaults__", (rows,))
    parts = variability(flux, error, offsets, mjd)
    assert blocks.__defaults__ != default
    for name in whole.why:
        got, wanted = getattr(parts, name), getattr(whole, name)
        assert got.tolist() == pytest.approx(wanted.tolist(), rel=1e-12, nan_ok=True), name


def test_no_array_of_all_rows_is_made():
    """A million epochs cost a few megabytes beside themselves, whatever their number."""
    rng = np.random.default_rng(8)
    n = 1_000_000
    flux, error, mjd = rng.normal(1, 0.1, n), rng.uniform(0.1, 0.2, n), np.arange(n) / 100.0
    offsets = np.arange(0, n + 1, 400)
    tracemalloc.start()
    variability(flux, error, offsets, mjd)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < flux.nbytes
