"""Medians by group and nights against those before, checked by plain Python loops."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.trends import against_earlier, axis_ratio, roll_up
from contimg_lab.errors import InvalidInput

NUMBERS = st.floats(-1e6, 1e6)
VALUES = st.lists(
    st.one_of(NUMBERS, st.sampled_from([math.nan, math.inf, -math.inf, 1.0, 1.0, 2.0])),
    max_size=60,
)


def scatter(values: list[float]) -> float:
    """Median absolute deviation from the median."""
    middle = statistics.median(values)
    return statistics.median(abs(v - middle) for v in values)


@given(st.lists(st.tuples(VALUES.flatmap(lambda v: st.sampled_from(v or [0.5])),
                          st.integers(-1, 4)), max_size=60))  # fmt: skip
def test_medians_are_those_of_each_group(rows: list[tuple[float, int]]) -> None:
    """Median, scatter and number must be a loop's, without what is not finite or in no group."""
    values = np.array([v for v, _ in rows], float)
    found = roll_up(values, np.array([g for _, g in rows], np.int64), 5)
    for group in range(5):
        mine = [v for v, g in rows if g == group and math.isfinite(v)]
        assert found.n[group] == len(mine)
        if not mine:
            assert np.isnan([found.median[group], found.mad[group]]).all()
            continue
        assert found.median[group] == pytest.approx(statistics.median(mine), rel=1e-12)
        assert found.mad[group] == pytest.approx(scatter(mine), rel=1e-9, abs=1e-9)


@given(VALUES, st.integers(1, 6), st.integers(0, 9), st.floats(0.5, 8.0))
def test_each_night_is_held_against_those_before_it(
    values: list[float], least: int, more: int, limit: float
) -> None:
    """The comparison must be a loop's over the nights before that have a value."""
    most = least + more
    found = against_earlier(np.array(values, float), most=most, least=least, limit=limit)
    for i, value in enumerate(values):
        before = [v for v in values[:i] if math.isfinite(v)][-most:]
        assert found.n[i] == len(before)
        if len(before) < least or not math.isfinite(value):
            assert np.isnan([found.median[i], found.sigma[i], found.deviation[i]]).all()
            assert not found.regression[i]
            continue
        middle, sigma = statistics.median(before), 1.4826 * scatter(before)
        assert found.median[i] == pytest.approx(middle, rel=1e-12)
        assert found.sigma[i] == pytest.approx(sigma, rel=1e-9, abs=1e-9)
        off = value - middle
        if abs(abs(off) - limit * sigma) > 1e-6 * (abs(middle) + sigma + 1e-3):
            assert found.regression[i] == (abs(off) > limit * sigma)


def test_a_jump_is_marked_and_a_lasting_one_becomes_the_rule() -> None:
    """A drop must be marked on its first nights, and no longer once half of the 14 have it."""
    quiet = [1.0, 1.02, 0.99, 1.01, 0.98, 1.0, 1.01, 0.99, 1.02, 1.0, 0.98, 1.01, 1.0, 0.99]
    found = against_earlier(np.array(quiet + [0.6, 0.61, 0.59, 0.6] + [0.6] * 8))
    assert not found.regression[:14].any()
    assert found.regression[14]
    assert found.deviation[14] < -10.0
    assert not found.regression[-1]


def test_equal_nights_do_not_stand_out_by_rounding() -> None:
    """Where all nights before are equal, rounding is no change, and a real change is infinite."""
    steady = [0.1 + 0.2] * 6
    same = against_earlier(np.array([*steady, 0.3]))
    assert same.deviation[-1] == 0.0
    assert not same.regression[-1]
    other = against_earlier(np.array([*steady, 0.2]))
    assert other.deviation[-1] == -math.inf
    assert other.regression[-1]


@pytest.mark.parametrize("wrong", [{"least": 0}, {"least": 15}, {"limit": 0.0}, {"limit": np.nan}])
def test_arguments_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    """A comparison with no nights, or with no limit, must be refused."""
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        against_earlier(np.ones(20), **wrong)


def test_axis_ratio_needs_two_axes() -> None:
    """A beam without a positive axis must have no ratio, and never an infinite one."""
    nan = math.nan
    ratio = axis_ratio(np.array([36.0, 36.0, 36.0, nan, -1.0]), np.array([24.0, 0.0, nan, 1, -1.0]))
    assert ratio[0] == 1.5
    assert np.isnan(ratio[1:]).all()
