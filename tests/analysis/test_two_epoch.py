"""The pair of largest |Vs| against every pair in a loop."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.reasons import Why
from contimg_lab.analysis.two_epoch import count_pairs_above, expected_false_pairs, largest_pairs

CURVE = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3)), max_size=14)
TIED = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 2.0]), st.sampled_from([0.5, 1.0])), max_size=10
)


def arrays(sources):
    flat = [pair for source in sources for pair in source]
    flux, err = (np.array([p[k] for p in flat], float) for k in (0, 1))
    return flux, err, np.concatenate([[0], np.cumsum([len(s) for s in sources])]).astype(int)


@given(st.lists(CURVE | TIED, min_size=1, max_size=6))
def test_the_largest_pair_is_the_largest_of_all_pairs(sources):
    """|Vs| equals the maximum of a loop over all pairs, and the pair named has it."""
    flux, err, offsets = arrays(sources)
    found = largest_pairs(flux, err, offsets)
    above = count_pairs_above(flux, err, offsets, 1.0)
    for i, source in enumerate(sources):
        n = len(source)
        assert found.n_pairs[i] == n * (n - 1) // 2
        if n < 2:
            assert np.isnan(found.vs[i])
            assert found.why_vs[i] == (Why.ONE_EPOCH if n else Why.NO_EPOCHS)
            assert found.first[i] == found.second[i] == -1
            continue
        every = [(a[0] - b[0]) / math.hypot(a[1], b[1]) for a, b in combinations(source, 2)]
        assert abs(found.vs[i]) == pytest.approx(max(map(abs, every)), rel=1e-12, abs=1e-15)
        assert above[i] == pytest.approx(sum(abs(v) > 1.0 for v in every), abs=_ties(every))
        a, b = found.first[i] - offsets[i], found.second[i] - offsets[i]
        assert 0 <= a < b < n
        (s, e), (t, f) = source[a], source[b]
        assert found.vs[i] == pytest.approx((s - t) / math.hypot(e, f), rel=1e-12)
        if s + t > 0:
            assert found.m[i] == pytest.approx(2 * (s - t) / (s + t), rel=1e-12)
        else:
            assert found.why_m[i] == Why.SUM_NOT_POSITIVE


def _ties(every):
    return sum(abs(abs(v) - 1.0) < 1e-9 for v in every)


def test_a_thousand_epochs_cost_no_square_of_memory(monkeypatch):
    """Even where no epoch can be left out, pairs are computed a bounded number at a time."""
    import tracemalloc

    n = 3000
    rng = np.random.default_rng(2)
    rise = np.sort(rng.uniform(0, 1, n // 2))
    # the larger the deviation the larger the error, on both sides: every epoch is a candidate
    flux, err = np.concatenate([10 + rise, 10 - rise]), np.concatenate([1 + rise, 1 + rise])
    tracemalloc.start()
    found = largest_pairs(flux, err, np.array([0, n]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6 < n * n * 8
    vs = (flux[:, None] - flux) / np.hypot(err[:, None], err)
    assert abs(found.vs[0]) == pytest.approx(np.abs(vs).max(), rel=1e-12)


def test_many_sources_without_epochs_do_no_harm():
    """More sources than a short code holds, most of them empty, keep their places."""
    offsets = np.zeros(200_001, int)
    offsets[150_000:] = 2
    found = largest_pairs(np.array([1.0, 3.0]), np.ones(2), offsets)
    assert np.flatnonzero(found.first >= 0).tolist() == [149_999]
    assert found.vs[149_999] == pytest.approx(-math.sqrt(2))


def test_false_pairs_are_as_many_as_predicted():
    """Pairs of constant sources beyond 3 are as many as the Gaussian tail says."""
    rng = np.random.default_rng(110)
    m, n = 3000, 20
    err = rng.uniform(0.5, 2.0, m * n)
    flux = 10 + rng.normal(0, err)
    offsets = np.arange(0, m * n + 1, n)
    pairs = largest_pairs(flux, err, offsets).n_pairs
    found, wanted = count_pairs_above(flux, err, offsets, 3.0), expected_false_pairs(pairs, 3.0)
    # pairs of a source are not independent: the spread is taken from the sources themselves
    assert abs(found.sum() - wanted) < 3 * found.std() * math.sqrt(m)
