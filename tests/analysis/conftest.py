"""Slow evaluations of every statistic, in Decimal and loops, written for the tests alone."""

from __future__ import annotations

from decimal import Decimal, getcontext
from itertools import pairwise
from types import SimpleNamespace

import pytest

getcontext().prec = 60

Epoch = tuple[float, float]


def sqrt_sign(x: Decimal) -> Decimal:
    return abs(x).sqrt() * (1 if x >= 0 else -1)


def pairs_of(mjd: list[float]) -> list[tuple[int, int]]:
    """Pairs from the earliest on: half an hour at most, each epoch in one at most."""
    found, i = [], 0
    while i < len(mjd) - 1:
        if (Decimal(mjd[i + 1]) - Decimal(mjd[i])) * 24 <= Decimal("0.5") + Decimal("1e-9"):
            found.append((i, i + 1))
            i += 2
        else:
            i += 1
    return found


def statistics(epochs: list[Epoch], mjd: list[float] | None = None) -> dict[str, Decimal | None]:
    """Every statistic by its definition; None where it is undefined."""
    out: dict[str, Decimal | None] = dict.fromkeys(
        (
            "mean_jy", "weighted_mean_jy", "weighted_mean_err_jy", "v", "chi_squared", "eta",
            "m_debiased", "excess_variance_jy2", "f_var", "f_var_err", "sigma_deviation",
            "peak_to_peak", "inverse_von_neumann", "stetson_j", "stetson_k", "welch_stetson_i",
        )
    )  # fmt: skip
    n = len(epochs)
    s = [Decimal(f) for f, _ in epochs]
    e = [Decimal(x) for _, x in epochs]
    w = [1 / x**2 for x in e]
    if n == 0:
        return out
    mean = out["mean_jy"] = sum(s) / n
    wmean = out["weighted_mean_jy"] = sum(a * b for a, b in zip(s, w, strict=True)) / sum(w)
    out["weighted_mean_err_jy"] = 1 / sum(w).sqrt()
    if n < 2:
        return out
    ss, se = sum((x - mean) ** 2 for x in s), sum(x**2 for x in e)
    std = (ss / (n - 1)).sqrt()
    d = [(a - wmean) / b for a, b in zip(s, e, strict=True)]
    chi = out["chi_squared"] = sum(x**2 for x in d)
    out["eta"] = chi / (n - 1)
    excess = out["excess_variance_jy2"] = ss / (n - 1) - se / n
    if mean > 0:
        out["v"] = std / mean
        out["m_debiased"] = sqrt_sign(ss - se) / (Decimal(n).sqrt() * mean)
        if excess >= 0:
            f = out["f_var"] = excess.sqrt() / mean
            if f > 0:
                mse = se / n
                out["f_var_err"] = (
                    ((1 / Decimal(2 * n)).sqrt() * mse / (mean**2 * f)) ** 2
                    + ((mse / n).sqrt() / mean) ** 2
                ).sqrt()
    if std > 0:
        out["sigma_deviation"] = max(abs(x - mean) for x in s) / std
        steps = sum((b - a) ** 2 for a, b in pairwise(s))
        if steps > 0:
            out["inverse_von_neumann"] = ss / steps
        out["stetson_k"] = (sum(abs(x) for x in d) / n) / (chi / n).sqrt()
    high = max(a - b for a, b in zip(s, e, strict=True))
    low = min(a + b for a, b in zip(s, e, strict=True))
    if high + low > 0:
        out["peak_to_peak"] = (high - low) / (high + low)
    if mjd is not None:
        pairs = pairs_of(mjd)
        ratio = Decimal(n) / (n - 1)
        paired = {i for pair in pairs for i in pair}
        terms = [sqrt_sign(ratio * d[a] * d[b]) for a, b in pairs]
        terms += [sqrt_sign(ratio * d[i] ** 2 - 1) for i in range(n) if i not in paired]
        out["stetson_j"] = sum(terms) / len(terms)
        k = len(pairs)
        if k >= 2:
            out["welch_stetson_i"] = (
                sum(d[a] * d[b] for a, b in pairs) / Decimal(k * (k - 1)).sqrt()
            )
    return out


def log_q(degrees: int, chi_squared: float) -> float:
    """ln P(chi2(degrees) >= chi_squared): a finite sum, begun with erfc for odd degrees."""
    x = Decimal(chi_squared) / 2
    if degrees % 2 == 0:
        term = total = Decimal(1)
        for k in range(1, degrees // 2):
            term *= x / k
            total += term
        return float(total.ln() - x)
    pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
    # erfc(sqrt(x)) exp(x), by series for small x and by continued fraction for large
    if x < 30:
        term = total = 2 * (x / pi).sqrt()
        k = 0
        while abs(term) > Decimal("1e-55"):
            k += 1
            term *= 2 * x / (2 * k + 1)
            total += term
        scaled = x.exp() - total if x > 0 else Decimal(1)
    else:
        fraction = Decimal(0)
        for k in range(1500, 0, -1):
            fraction = Decimal(k) / 2 / (x.sqrt() + fraction)
        scaled = 1 / (pi.sqrt() * (x.sqrt() + fraction))
    term = 2 * (x / pi).sqrt()
    for k in range(1, (degrees + 1) // 2):
        scaled += term
        term *= 2 * x / (2 * k + 1)
    return float(scaled.ln() - x)


@pytest.fixture(scope="session")
def oracle() -> SimpleNamespace:
    """The slow evaluations, for tests of any statistic."""
    return SimpleNamespace(statistics=statistics, pairs_of=pairs_of, log_q=log_q)
