"""Work on one light curve, against loops and astropy."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from astropy.timeseries import LombScargle
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.curves import bin_weighted, clip, fold, normalize
from contimg_lab.analysis.structure import structure_function
from contimg_lab.analysis.timescales import bayesian_blocks, periodogram
from contimg_lab.errors import InvalidInput

CURVE = st.lists(
    st.tuples(st.floats(6e4, 6.01e4), st.floats(-5, 5), st.floats(0.1, 5)), min_size=2, max_size=25
)


def arrays(curve):
    return tuple(np.array([row[k] for row in curve], float) for k in range(3))


@given(CURVE, st.floats(0.01, 500.0))
def test_bins_are_weighted_means_of_their_epochs(curve, width):
    """Each bin's flux, error, time and chi-squared equal a loop over its epochs."""
    mjd, flux, err = arrays(curve)
    found = bin_weighted(mjd, flux, err, width)
    assert found.n.sum() == len(curve)
    number = np.floor((mjd - mjd.min()) / width)
    for k, which in enumerate(np.unique(number)):
        w = 1 / err[number == which] ** 2
        s, t = flux[number == which], mjd[number == which]
        mean = np.sum(w * s) / np.sum(w)
        assert found.flux_jy[k] == pytest.approx(mean, abs=1e-11)
        assert found.flux_err_jy[k] == pytest.approx(1 / math.sqrt(np.sum(w)))
        assert found.mjd[k] == pytest.approx(np.sum(w * t) / np.sum(w), abs=1e-7)
        if len(s) > 1:
            assert found.chi_squared[k] == pytest.approx(np.sum(w * (s - mean) ** 2), abs=1e-8)
        else:
            assert np.isnan(found.chi_squared[k])


def test_phases_lie_in_one_turn():
    """A phase is at least 0 and below 1, also just before phase 0 and before the zero point."""
    phase, cycle = fold(np.array([10.0, 9.0, 10.0 - 1e-17, 12.5, 0.0]), 2.0, zero_mjd=10.0)
    assert ((phase >= 0) & (phase < 1)).all()
    assert phase.tolist() == [0.0, 0.5, 0.0, 0.25, 0.0]
    assert cycle.tolist() == [0, -1, 0, 1, -5]
    assert fold(np.array([-1e-20]), 1.0)[0][0] == 0.0
    with pytest.raises(InvalidInput, match="period"):
        fold(np.zeros(1), 0.0)


def test_fluxes_are_divided_by_a_positive_level_only():
    """By name or by number; a level that is not positive is refused."""
    flux, err = np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 2.0])
    assert normalize(flux, err, by="mean")[2] == 3.0
    assert normalize(flux, err, by="median")[0].tolist() == [0.5, 1.0, 3.0]
    assert normalize(flux, err)[2] == pytest.approx(4.5 / 2.25)
    assert normalize(flux, err, by=0.5)[1].tolist() == [2.0, 2.0, 4.0]
    for bad in ("mode", 0.0, -1.0, math.nan):
        with pytest.raises(InvalidInput):
            normalize(flux, err, by=bad)
    with pytest.raises(InvalidInput, match="not positive"):
        normalize(-flux, err)


def test_clipping_takes_outliers_in_rounds():
    """What is hidden by a larger outlier is found in the next round."""
    rng = np.random.default_rng(1)
    flux = rng.normal(1, 0.01, 50)
    flux[[3, 9]] = [50.0, 1.2]
    assert np.flatnonzero(~clip(flux)).tolist() == [3, 9]
    assert clip(np.zeros(0)).tolist() == []
    assert clip(np.ones(4)).all()


@given(CURVE, st.lists(st.floats(0.0, 200.0), min_size=2, max_size=5, unique=True))
def test_the_structure_function_equals_a_loop_over_pairs(curve, edges):
    """Each lag bin's mean, error, lag and count are those of its pairs."""
    edges = sorted(edges)
    mjd, flux, err = arrays(curve)
    found = structure_function(mjd, flux, err, edges_d=edges)
    order = np.argsort(mjd, kind="stable")
    rows = list(zip(mjd[order], flux[order], err[order], strict=True))
    for k, (low, high) in enumerate(pairwise(edges)):
        last = k == len(edges) - 2
        inside = [
            (b[0] - a[0], (b[1] - a[1]) ** 2 - a[2] ** 2 - b[2] ** 2)
            for a, b in combinations(rows, 2)
            if low <= b[0] - a[0] < high or (last and b[0] - a[0] == high)
        ]
        assert found.n_pairs[k] == len(inside)
        if not inside:
            assert np.isnan(found.d_jy2[k])
            continue
        values = [v for _, v in inside]
        assert found.d_jy2[k] == pytest.approx(np.mean(values), abs=1e-9)
        assert found.lag_d[k] == pytest.approx(np.mean([t for t, _ in inside]))
        if len(inside) > 1:
            wanted = np.std(values, ddof=1) / math.sqrt(len(values))
            assert found.d_err_jy2[k] == pytest.approx(wanted, abs=1e-6)
        else:
            assert np.isnan(found.d_err_jy2[k])


def test_noise_alone_has_no_structure():
    """The noise is subtracted: a constant source's structure function is 0 within its errors."""
    rng = np.random.default_rng(3)
    mjd, err = np.sort(rng.uniform(0, 100, 1500)), rng.uniform(0.1, 0.3, 1500)
    found = structure_function(mjd, 1 + err * rng.normal(size=1500), err)
    assert found.n_pairs.sum() == 1500 * 1499 // 2
    assert abs(np.nanmean(found.d_jy2[-4:])) < 0.005


def test_a_period_is_found_and_the_level_is_astropys():
    """The highest peak is the planted period, above the level that astropy gives."""
    rng = np.random.default_rng(4)
    mjd = 60000 + np.arange(60) * 0.99727 + rng.uniform(0, 0.01, 60)
    err = np.full(60, 0.02)
    flux = 1 + 0.1 * np.sin(2 * np.pi * mjd / 7.3) + err * rng.normal(size=60)
    found = periodogram(mjd, flux, err)
    assert found.best_period_d == pytest.approx(7.3, rel=0.02)
    assert found.false_alarm_probability < 1e-6
    assert found.best_power > found.level_power.max()
    model = LombScargle(mjd - mjd.min(), flux, err)
    wanted = model.false_alarm_level(0.01, maximum_frequency=found.frequency_per_d[-1])
    assert found.level_power[1] == pytest.approx(float(wanted))
    assert found.power[5] == pytest.approx(float(model.power(found.frequency_per_d[5])))
    for bad in ({"shortest_d": -1.0}, {"shortest_d": 9.0, "longest_d": 3.0}):
        with pytest.raises(InvalidInput):
            periodogram(mjd, flux, err, **bad)
    with pytest.raises(InvalidInput, match="5 different times"):
        periodogram(mjd[:4], flux[:4], err[:4])


def test_blocks_begin_where_the_level_changes():
    """A step is one edge, and epochs at one time count as one."""
    rng = np.random.default_rng(5)
    mjd = np.repeat(np.arange(40.0), 2)
    flux = np.where(mjd < 20, 1.0, 2.0) + 0.05 * rng.normal(size=80)
    found = bayesian_blocks(mjd, flux, np.full(80, 0.05))
    assert len(found.n) == 2
    assert found.end_mjd[0] == pytest.approx(19.5)
    assert found.flux_jy == pytest.approx([1.0, 2.0], abs=0.03)
    assert found.n.tolist() == [40, 40]
    with pytest.raises(InvalidInput, match="two different times"):
        bayesian_blocks(np.ones(3), flux[:3], np.ones(3))
    with pytest.raises(InvalidInput, match="probability"):
        bayesian_blocks(mjd, flux, np.full(80, 0.05), false_alarm=0.0)


@pytest.mark.parametrize("bad", [(0, math.nan), (1, math.inf), (2, 0.0), (2, math.nan)])
def test_what_is_no_light_curve_is_refused(bad):
    """Times and fluxes must be finite, errors finite and positive, lengths equal."""
    parts = [np.array([1.0, 2.0, 3.0]) for _ in range(3)]
    parts[bad[0]][1] = bad[1]
    for work in (structure_function, periodogram, bayesian_blocks):
        with pytest.raises(InvalidInput):
            work(*parts)
    with pytest.raises(InvalidInput):
        bin_weighted(np.zeros(2), np.zeros(3), np.ones(3), 1.0)
    with pytest.raises(InvalidInput):
        structure_function(*[np.ones(2)] * 3)
