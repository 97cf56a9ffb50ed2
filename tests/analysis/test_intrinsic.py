"""Intrinsic modulation against a general optimiser, and how often its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize, minimize_scalar

from contimg_lab.analysis.intrinsic import critical_fall, intrinsic_modulation
from contimg_lab.analysis.reasons import Why

CURVE = st.lists(st.tuples(st.floats(0.5, 2.0), st.floats(0.01, 0.5)), min_size=2, max_size=25)


def log_likelihood(flux, err, mean, sigma):
    total = err**2 + sigma**2
    return -0.5 * np.sum(np.log(total) + (flux - mean) ** 2 / total)


def restricted(flux, err, m, mean):
    total = err**2 + (m * mean) ** 2
    return log_likelihood(flux, err, mean, m * mean) - 0.5 * np.log(np.sum(1 / total))


def highest(flux, err):
    """Maximum over a fine grid of sigma, each with its own best mean, polished."""

    def fallen(log_sigma):
        w = 1 / (err**2 + np.exp(2 * log_sigma))
        return -log_likelihood(flux, err, np.sum(w * flux) / np.sum(w), np.exp(log_sigma))

    grid = np.linspace(-14, 3, 1500)
    values = [fallen(x) for x in grid]
    k = int(np.argmin(values))
    inside = minimize_scalar(
        fallen, bounds=(grid[max(k - 1, 0)], grid[min(k + 1, 1499)]), method="bounded",
        options={"xatol": 1e-12},
    )  # fmt: skip
    at_zero = fallen(-40.0)
    sigma = 0.0 if at_zero <= inside.fun else np.exp(inside.x)
    w = 1 / (err**2 + sigma**2)
    return sigma, np.sum(w * flux) / np.sum(w), -min(inside.fun, at_zero)


@settings(max_examples=60)
@given(CURVE)
def test_the_likelihood_is_highest_where_it_says(epochs):
    """m and S_0 agree to 1e-6 with a fine search, or the likelihood there is as high."""
    flux, err = (np.array([e[k] for e in epochs]) for k in (0, 1))
    found = intrinsic_modulation(flux, err, np.array([0, len(flux)]))
    sigma, mean, top = highest(flux, err)
    got = log_likelihood(flux, err, found.mean_jy[0], found.m[0] * found.mean_jy[0])
    assert got >= top - 1e-10
    if sigma / mean > 1e-4 and abs(got - top) < 1e-12:
        assert found.m[0] == pytest.approx(sigma / mean, rel=1e-5)
    assert found.low[0] <= found.high[0] <= found.upper_limit[0]


@pytest.mark.parametrize(("n", "m"), [(30, 0.3), (12, 0.1), (100, 0.05), (60, 0.0)])
def test_m_and_its_interval_agree_with_a_general_optimiser(n, m):
    """m to 1e-6; the ends are where the restricted likelihood has fallen as far as stated."""
    rng = np.random.default_rng(n)
    err = rng.uniform(0.02, 0.08, n)
    flux = 1 + m * rng.normal(size=n) + err * rng.normal(size=n)
    found = intrinsic_modulation(flux, err, np.array([0, n]))

    def cost(p):
        return -log_likelihood(flux, err, p[0], abs(p[1]))

    fit = minimize(cost, [1.0, max(m, 0.02)], method="Nelder-Mead",
                   options={"xatol": 1e-12, "fatol": 1e-14, "maxiter": 4000})  # fmt: skip
    if found.m[0] > 0:
        assert found.m[0] == pytest.approx(abs(fit.x[1]) / fit.x[0], rel=1e-6)
        assert found.mean_jy[0] == pytest.approx(fit.x[0], rel=1e-6)

    def profile(at):
        best = minimize_scalar(lambda s: -restricted(flux, err, at, s), bounds=(0.5, 2.0),
                               method="bounded", options={"xatol": 1e-11})  # fmt: skip
        return -best.fun, best.x

    grid = np.linspace(0, 1.0, 4001)
    top = max(profile(x)[0] for x in grid[::40])
    k = np.argmax([profile(x)[0] for x in grid[:2001:5]]) * 5
    ends = (grid[max(k - 5, 0)], grid[k + 5])
    crest = minimize_scalar(
        lambda x: -profile(x)[0], method="bounded", bounds=ends, options={"xatol": 1e-10}
    )
    top = max(top, -crest.fun, profile(0.0)[0])

    def fallen(x):
        level, mean = profile(x)
        spread = np.sqrt(2 / np.sum((err**2 + (x * mean) ** 2) ** -2.0)) / mean**2
        return 2 * (top - level) - critical_fall(np.array([x * x / spread]))[0]

    start = float(crest.x)
    assert found.high[0] == pytest.approx(brentq(fallen, start, start + 1.0, xtol=1e-12), rel=1e-6)
    if fallen(0.0) > 0:
        assert found.low[0] == pytest.approx(brentq(fallen, 0.0, start, xtol=1e-12), rel=1e-6)
    else:
        assert found.low[0] == 0.0
    limit = brentq(lambda x: top - profile(x)[0] - 4.5, start, start + 3.0, xtol=1e-12)
    assert found.upper_limit[0] == pytest.approx(limit, rel=1e-6)


def test_without_a_positive_mean_or_a_second_epoch_there_is_none():
    """Few epochs and a mean that is not positive are NaN with their reason."""
    flux = np.array([1.0, -1.0, -2.0, 1.0, 1.1])
    found = intrinsic_modulation(flux, np.full(5, 0.1), np.array([0, 0, 1, 3, 5]))
    assert found.reason.tolist() == [Why.NO_EPOCHS, Why.ONE_EPOCH, Why.MEAN_NOT_POSITIVE, 0]
    for values in (found.m, found.low, found.high, found.upper_limit):
        assert np.isnan(values).tolist() == [True, True, True, False]


def test_equal_fluxes_have_no_modulation_but_a_limit():
    """Scatter far below the errors gives 0 at the boundary, and an upper limit all the same."""
    found = intrinsic_modulation(np.ones(20), np.full(20, 0.1), np.array([0, 20]))
    assert found.m[0] == found.low[0] == 0.0
    assert 0.0 < found.high[0] < found.upper_limit[0] < 0.2


def test_a_large_constant_flux_costs_no_digits():
    """The same scatter about a flux a million times larger gives a millionth of m."""
    rng = np.random.default_rng(1)
    apart, err = rng.normal(0, 3e-6, 40), np.full(40, 1e-6)
    small = intrinsic_modulation(1.0 + apart, err, np.array([0, 40]))
    large = intrinsic_modulation(1e6 + (1.0 + apart - 1.0), err, np.array([0, 40]))
    assert large.m[0] * 1e6 == pytest.approx(small.m[0], rel=1e-3)
    assert large.high[0] * 1e6 == pytest.approx(small.high[0], rel=1e-3)


def test_the_fall_is_one_far_from_the_boundary_and_less_at_it():
    """At the boundary half of the estimates are cut at 0, so a smaller fall covers as much."""
    fall = critical_fall(np.array([0.0, 0.5, 1.0, 5.0]))
    assert fall[0] == pytest.approx(0.4753**2, abs=2e-3)
    assert fall[2] == fall[3] == pytest.approx(1.0, abs=1e-6)
    assert 0.2 < fall[1] < 1.0
