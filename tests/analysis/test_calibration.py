"""Statistics of simulated sources whose truth is known: what a number means, on average.

Every test prints a row of the calibration table (``pytest -s``). The small version runs in
seconds; the full one, marked slow, has 10^5 sources.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import kstest

from contimg_lab.analysis import scatter
from contimg_lab.analysis.intrinsic import intrinsic_modulation
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.two_epoch import count_pairs_above, expected_false_pairs, largest_pairs
from contimg_lab.analysis.variability import variability

SEED = 110
ROWS = 2_000_000


def full(*values: object) -> object:
    return pytest.param(*values, marks=pytest.mark.slow)


def simulated(
    sources: int, n: int, m: float, error: float, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Sources of mean 1 and intrinsic scatter m, errors uneven about ``error``; in blocks."""
    rng = np.random.default_rng([SEED, n, seed])
    while sources > 0:
        count = min(sources, max(1, ROWS // n))
        err = error * rng.uniform(0.7, 1.3, count * n)
        flux = rng.normal(1.0, np.hypot(m, err))
        yield flux, err, np.arange(0, count * n + 1, n)
        sources -= count


@pytest.mark.parametrize(
    ("n", "sources"),
    [(3, 10_000), (30, 10_000), (1000, 1_000), full(3, 10**5), full(30, 10**5), full(1000, 10**5)],
)
def test_constant_sources_have_uniform_p_values_and_eta_of_one(n, sources):
    """p passes Kolmogorov and Smirnov's test for uniformity, and eta averages 1."""
    p, eta = [], []
    for flux, err, offsets in simulated(sources, n, 0.0, 0.1, 1):
        found = variability(flux, err, offsets)
        p.append(found.p_constant)
        eta.append(found.eta)
    ks = kstest(np.concatenate(p), "uniform")
    mean, error = np.concatenate(eta).mean(), math.sqrt(2 / (n - 1) / sources)
    print(f"| p, eta | {n} | {sources} | KS p {ks.pvalue:.3f} | eta {mean:.5f} +- {error:.5f} |")
    assert ks.pvalue > 0.01
    assert abs(mean - 1.0) < 3.5 * error


@pytest.mark.parametrize("n", [3, 10, 30, 100, 1000])
@pytest.mark.parametrize("m", [0.0, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("scale", [1, full(20)])
def test_debiased_modulation_and_its_radicand(n, m, scale):
    """The radicand averages (N - 1) m**2 - mean(s**2), and m_d is biased low at small N."""
    sources = scale * max(200, 5_000 // max(1, n // 30))
    radicand, expected, m_d = [], [], []
    for flux, err, offsets in simulated(sources, n, m, 0.1, 2):
        sums = moments(flux, err, offsets)
        radicand.append(scatter.debiased_radicand(sums).value)
        # in units of the simulated scatter, each source's own errors
        expected.append((n - 1) * m**2 - sums.square_errors_jy2 / n)
        m_d.append(scatter.debiased_modulation_index(sums).value)
    apart = np.concatenate(radicand) - np.concatenate(expected)
    error = apart.std() / math.sqrt(sources)
    mean = np.concatenate(m_d).mean()
    print(
        f"| m_d | {n} | {m:g} | {mean:.4f} | {mean - m:+.4f} | "
        f"{apart.mean() / error:+.2f} |"
    )  # fmt: skip
    # a hundred numbers are looked at: one beyond 3 errors is to be expected
    assert abs(apart.mean()) < 3.3 * error
    if m >= 0.05:
        assert mean < m + 4 * np.concatenate(m_d).std() / math.sqrt(sources)


COVERED = {
    # m in units of the error, and the least and most that the 1-sigma interval may cover
    "0": (lambda n: 0.0, 0.64, 0.74),
    "1/sqrt(N)": (lambda n: 1 / math.sqrt(n), 0.64, 0.74),
    "2.1/sqrt(N)": (lambda n: 2.1 / math.sqrt(n), 0.66, 0.70),
    "(2/N)^(1/4)": (lambda n: (2 / n) ** 0.25, 0.66, 0.70),
    "1": (lambda n: 1.0, 0.66, 0.70),
    "4": (lambda n: 4.0, 0.66, 0.70),
}


@pytest.mark.parametrize("where", COVERED)
@pytest.mark.parametrize(
    ("n", "sources"),
    [(30, 3_000), (100, 1_000), full(30, 30_000), full(100, 20_000), full(1000, 4_000)],
)
def test_the_interval_of_intrinsic_modulation_covers_the_truth(n, sources, where):
    """68 +- 2 % away from the boundary, and what is stated near it; the limit 99.8 % or more."""
    of_n, least, most = COVERED[where]
    m = 0.1 * of_n(n)
    inside, below, zero, bias = 0, 0, 0, 0.0
    for flux, err, offsets in simulated(sources, n, m, 0.1, 3):
        found = intrinsic_modulation(flux, err, offsets)
        inside += int(((found.low <= m) & (m <= found.high)).sum())
        below += int((found.upper_limit >= m).sum())
        zero += int((found.m == 0).sum())
        bias += float((found.m - m).sum())
    covered, slack = inside / sources, 2 * math.sqrt(0.22 / sources)
    print(
        f"| intrinsic m | {n} | {sources} | {where} | {covered:.3f} | {zero / sources:.3f} | "
        f"{bias / sources:+.4f} | {below / sources:.4f} |"
    )  # fmt: skip
    assert least - slack < covered < most + slack
    assert below / sources > 0.9965 - 3 * math.sqrt(0.003 / sources)


@pytest.mark.parametrize(
    ("n", "sources", "least_vs"),
    [(3, 20_000, 3.0), (30, 3_000, 3.5), full(3, 10**5, 4.3), full(30, 10**5, 4.3),
     full(1000, 300, 4.3)],
)  # fmt: skip
def test_false_pairs_are_as_many_as_predicted(n, sources, least_vs):
    """Pairs of constant sources beyond the cut number what is predicted; sources are fewer."""
    above, pairs, flagged = [], 0.0, 0
    for flux, err, offsets in simulated(sources, n, 0.0, 0.1, 4):
        above.append(count_pairs_above(flux, err, offsets, least_vs))
        largest = largest_pairs(flux, err, offsets)
        pairs += expected_false_pairs(largest.n_pairs, least_vs)
        flagged += int((np.abs(largest.vs) > least_vs).sum())
    counts = np.concatenate(above)
    # pairs of one source share epochs: the spread is between sources
    error = counts.std() * math.sqrt(sources)
    print(
        f"| false pairs | {n} | {sources} | {least_vs} | {pairs:.1f} | "
        f"{counts.sum()} +- {error:.1f} | {flagged} |"
    )
    assert flagged == int((counts > 0).sum())
    assert abs(counts.sum() - pairs) < 3.3 * error
