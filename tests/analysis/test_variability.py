"""Statistics against a slow evaluation in Decimal, written for this test alone."""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from contimg_lab.analysis.segments import segment_sums
from contimg_lab.analysis.variability import variability

getcontext().prec = 60

FLUX = st.floats(-1e4, 1e4, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-30 else x)
ERROR = st.floats(1e-6, 1e3)
EPOCHS = st.lists(st.tuples(FLUX, ERROR), max_size=12)


def oracle(epochs: list[tuple[float, float]]) -> dict[str, Decimal | None]:
    n = len(epochs)
    s = [Decimal(f) for f, _ in epochs]
    w = [1 / Decimal(e) ** 2 for _, e in epochs]
    out: dict[str, Decimal | None] = dict.fromkeys(
        ("mean_jy", "weighted_mean_jy", "weighted_mean_err_jy", "v", "chi_squared", "eta")
    )
    if n == 0:
        return out
    out["mean_jy"] = sum(s) / n
    out["weighted_mean_jy"] = sum(a * b for a, b in zip(s, w, strict=True)) / sum(w)
    out["weighted_mean_err_jy"] = 1 / sum(w).sqrt()
    if n < 2:
        return out
    std = (sum((x - out["mean_jy"]) ** 2 for x in s) / (n - 1)).sqrt()
    if out["mean_jy"] > 0:
        out["v"] = std / out["mean_jy"]
    chi = sum(b * (a - out["weighted_mean_jy"]) ** 2 for a, b in zip(s, w, strict=True))
    out["chi_squared"], out["eta"] = chi, chi / (n - 1)
    return out


def columns(sources: list[list[tuple[float, float]]]) -> tuple[np.ndarray, ...]:
    flat = [pair for source in sources for pair in source]
    flux = np.array([f for f, _ in flat], float)
    error = np.array([e for _, e in flat], float)
    return flux, error, np.concatenate([[0], np.cumsum([len(s) for s in sources])]).astype(int)


@given(st.lists(EPOCHS, min_size=1, max_size=6))
def test_every_statistic_equals_the_decimal_evaluation(sources):
    """Moments agree to 1e-12 of their largest term, and undefined is NaN, never 0."""
    found = variability(*columns(sources))
    for i, source in enumerate(sources):
        wanted = oracle(source)
        scale = max([abs(f) for f, _ in source], default=0.0)
        pulls = max([abs(f) / e for f, e in source], default=0.0)
        terms = {"chi_squared": pulls**2 * len(source), "eta": pulls**2 * len(source)}
        assert found.n_used[i] == len(source)
        for name, value in wanted.items():
            got = getattr(found, name)[i]
            if value is None:
                assert np.isnan(got), name
            elif name == "v":  # relative to the size of its terms: std and mean are each good
                mean, worst = float(wanted["mean_jy"]), 1e-12 * scale
                if mean > 1e3 * worst:
                    slack = (1.0 + float(value)) * worst / mean * 4 + 1e-12 * float(value)
                    assert abs(float(Decimal(float(got)) - value)) <= slack
            else:
                slack = 1e-12 * max(terms.get(name, scale), float(abs(value)))
                assert abs(float(Decimal(float(got)) - value)) <= slack, name


def test_a_large_constant_flux_costs_no_digits():
    """1e-6 Jy of scatter on 1e6 Jy still gives the right chi-squared and V."""
    rng = np.random.default_rng(1)
    flux = 1e6 + rng.normal(0, 1e-6, 50)
    error = np.full(50, 1e-6)
    found = variability(flux, error, np.array([0, 50]))
    exact = oracle(list(zip(flux.tolist(), error.tolist(), strict=True)))
    assert found.eta[0] == pytest.approx(float(exact["eta"]), rel=1e-7)
    assert found.v[0] == pytest.approx(float(exact["v"]), rel=1e-7)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 5)), min_size=2, max_size=40))
def test_p_value_is_the_survival_function(epochs):
    """p_constant equals scipy's chi2.sf in its logarithm."""
    found = variability(*columns([epochs]))
    wanted = chi2.logsf(found.chi_squared[0], len(epochs) - 1)
    with np.errstate(divide="ignore"):
        got = np.log(found.p_constant[0])
    assert got == pytest.approx(wanted, rel=1e-9, abs=1e-9) or (wanted < -700 and got == -np.inf)


def test_constant_sources_have_uniform_p_values_and_eta_of_one():
    """With Gaussian errors p is uniform and eta averages 1, also at N = 3."""
    rng = np.random.default_rng(110)
    for n in (3, 30):
        m = 4000
        error = rng.uniform(0.5, 2.0, m * n)
        flux = 10.0 + rng.normal(0.0, error)
        found = variability(flux, error, np.arange(0, m * n + 1, n))
        assert found.eta.mean() == pytest.approx(1.0, abs=5 * np.sqrt(2 / (n - 1) / m))
        grid = np.histogram(found.p_constant, bins=10, range=(0, 1))[0]
        assert (abs(grid - m / 10) < 6 * np.sqrt(m / 10)).all()


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=5), max_size=8))
def test_segment_sums_of_empty_segments_are_zero(segments):
    """Each segment's sum is its own, wherever empty ones lie."""
    values = np.array([v for s in segments for v in s], float)
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in segments])]).astype(int)
    assert segment_sums(values, offsets) == pytest.approx([sum(s) for s in segments], abs=1e-6)
