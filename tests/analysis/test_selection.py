"""Selection: fits to the field, presets, the two-epoch cut, and a user's own rule."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.expressions import evaluate
from contimg_lab.analysis.field_fit import fit_field
from contimg_lab.analysis.reasons import Why
from contimg_lab.analysis.selection import (
    PRESETS,
    eta_v_rule,
    expression_rule,
    fewest_epochs,
    preset_rule,
    recovery,
    two_epoch_rule,
)
from contimg_lab.errors import InvalidInput


def test_a_fit_finds_the_bulk_among_outliers():
    """Mean and sigma of log10 come back to a few errors with one source in twenty far above."""
    rng = np.random.default_rng(7)
    logs = rng.normal(0.1, 0.2, 20_000)
    logs[:1000] += 1.5
    fit = fit_field(10**logs)
    assert fit.mean == pytest.approx(0.1, abs=0.01)
    assert fit.sigma == pytest.approx(0.2, abs=0.01)
    assert fit.n_fitted + fit.n_clipped == 20_000
    assert fit.threshold(2.0) == pytest.approx(10 ** (fit.mean + 2 * fit.sigma))


def test_a_field_that_cannot_be_fitted_says_why():
    """Too few sources, equal values and values without a logarithm are counted, not fitted."""
    few = fit_field(np.array([1.0, 2.0, np.nan, 0.0, -3.0]))
    assert (few.reason, few.n_fitted, few.n_left_out) == (Why.TOO_FEW_SOURCES, 2, 3)
    assert math.isnan(few.threshold(2.0))
    assert fit_field(np.ones(50)).reason == Why.NO_SCATTER
    rule, _, _ = eta_v_rule(np.ones(3), np.ones(3))
    assert not rule.selected.any()
    assert (rule.reason == Why.TOO_FEW_SOURCES).all()


def test_both_cuts_must_be_passed_and_nan_never_is():
    """A source above the field in one statistic only, or undefined in one, is not selected."""
    rng = np.random.default_rng(1)
    eta, v = (10 ** rng.normal(0, 0.1, 504) for _ in range(2))
    eta[:4], v[:4] = [100, 100, 1, 100], [100, 1, 100, np.nan]
    rule, of_eta, of_v = eta_v_rule(eta, v, n_sigma=4.0)
    assert np.flatnonzero(rule.selected).tolist() == [0]
    assert np.flatnonzero(rule.reason).tolist() == [3]
    assert f"{of_eta.threshold(4.0):.4g}" in rule.text
    bright = np.arange(504) >= 4
    assert eta_v_rule(eta, v, n_sigma=4.0, fitted=bright)[2].n_fitted <= of_v.n_fitted


@pytest.mark.parametrize(("threshold", "n"), [(5.0, 27), (3.5, 15), (2.5, 9)])
def test_a_deviation_needs_enough_epochs(threshold, n):
    """The thresholds of the presets need 27, 15 and 9 epochs."""
    assert fewest_epochs(threshold) == n
    assert (n - 1) / math.sqrt(n) >= threshold > (n - 2) / math.sqrt(n - 1)


@given(st.floats(0.0, 50.0))
def test_the_fewest_epochs_are_the_fewest(threshold):
    """(N - 1) / sqrt(N) reaches the threshold at that N and not at one less."""
    n = fewest_epochs(threshold)
    assert (n - 1) / math.sqrt(n) >= threshold
    assert n == 2 or (n - 2) / math.sqrt(n - 1) < threshold


def test_presets_say_where_they_cannot_reach():
    """A source of too few epochs is undecided, not constant."""
    sigma, eta = np.array([4.9, 6.0, 6.0, 6.0, np.nan]), np.array([9.0, 9.0, 3.5, 4.0, 9.0])
    n = np.array([26, 40, 40, 40, 40])
    rule = preset_rule("conservative", sigma, eta, n)
    assert rule.selected.tolist() == [False, True, False, True, False]
    assert rule.reason.tolist() == [Why.CANNOT_REACH, 0, 0, 0, Why.INPUT_UNDEFINED]
    assert preset_rule("conservative", sigma, eta, n, np.full(5, 4.0)).selected[2]
    assert "needs 27 epochs" in rule.text
    assert set(PRESETS) == {"conservative", "moderate", "sensitive"}
    with pytest.raises(InvalidInput, match="none of conservative"):
        preset_rule("bold", sigma, eta, n)


def test_the_two_epoch_cut_takes_both_signs():
    """|Vs| > 4.3 and |m| > 0.26, strictly, whichever epoch was brighter."""
    vs = np.array([4.4, -4.4, 4.3, 9.0, np.nan])
    m = np.array([0.3, -0.3, 0.3, 0.26, 1.0])
    assert two_epoch_rule(vs, m).selected.tolist() == [True, True, False, False, False]


def test_completeness_and_purity():
    """Found over planted and found over selected; undefined where nothing is there."""
    found = recovery(np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool))
    assert (found.completeness, found.purity) == (0.5, 0.5)
    nothing = recovery(np.zeros(3, bool), np.zeros(3, bool))
    assert math.isnan(nothing.completeness)
    assert math.isnan(nothing.purity)


COLUMNS = {
    "eta": np.array([1.0, 3.0, np.nan, np.inf]),
    "v": np.array([0.5, 0.05, 0.5, 0.5]),
    "n_used": np.array([10, 20, 30, 40]),
    "flag": np.array([True, False, True, False]),
    "name": np.array(["a", "b", "c", "d"], object),
}


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("eta > 2", [0, 1, 0, 0]),
        ("not eta > 2", [1, 0, 0, 0]),
        ("eta > 2 or v > 0.1", [1, 1, 1, 1]),
        ("eta > 2 and v > 0.1", [0, 0, 0, 0]),
        ("not (eta > 2 and v > 0.1)", [1, 1, 0, 0]),
        ("0.1 < v <= 0.5 != eta", [1, 0, 0, 0]),
        ("log10(n_used) >= 1.4 and abs(-v) < 1", [0, 0, 1, 1]),
        ("n_used / (n_used - 10) < 3", [0, 1, 1, 1]),
        ("n_used ** 2 - 3 * n_used + +1 == 71", [1, 0, 0, 0]),
        ("flag and n_used < 20", [1, 0, 0, 0]),
        ("10 ** 10 ** 10 > 1", [0, 0, 0, 0]),
    ],
)
def test_a_rule_is_three_valued(text, yes):
    """What hangs on an undefined number is neither selected nor refused."""
    rule = expression_rule(text, COLUMNS)
    assert rule.selected.tolist() == [bool(y) for y in yes]
    assert (rule.selected <= (rule.reason == 0)).all()


@pytest.mark.parametrize(
    "text",
    [
        "", "eta", "eta >", "1", "eta > 'a'", "name == 1", "missing > 1", "__import__('os')",
        "eta.real > 1", "eta[0] > 1", "(lambda: 1)() > 0", "[e for e in eta]", "max(eta) > 1",
        "abs(eta, eta) > 1", "abs(x=eta) > 1", "eta if v else eta", "eta := 3", "eta > 1; v > 1",
        "eta % 2 > 1", "eta // 2 > 1", "~flag", "flag > 1", "True", "eta > True", "eta and v",
        "eta is v", "eta in v", "f'{eta}' > 1", "eta > 1j", "-flag > 0", "not eta", "eta & v",
        "1e999999 > 1 + '", "9" * 400 + " > eta",
        "-" * 500 + "eta > 1", "eta > 1" + " " * 2000, "eta\0 > 1",
    ],
)  # fmt: skip
def test_a_rule_that_is_anything_else_is_refused(text):
    """Names, calls, attributes and whatever else Python can do are no rule."""
    with pytest.raises(InvalidInput):
        evaluate(text, COLUMNS)


@given(st.text(max_size=40))
def test_no_text_does_more_than_be_refused(text):
    """Whatever is typed, the answer is a selection or InvalidInput."""
    try:
        yes, known = evaluate(text, COLUMNS)
    except InvalidInput:
        return
    assert yes.shape == known.shape == (4,)
