"""Logarithm of the chi-squared distribution's upper tail, however far out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_sf"]

Floats = NDArray[np.float64]

_TINY = 1e-280
_MOST_STEPS = 20_000
_LOG_2PI = float(np.log(2.0 * np.pi))


def log_sf(chi_squared: Floats, degrees: Floats) -> Floats:
    """Natural logarithm of P(chi2(degrees) >= chi_squared); NaN where degrees < 1.

    ``Q(a, x)``, the regularised upper incomplete gamma function at a = degrees / 2 and
    x = chi_squared / 2, where it is a number; beyond, Legendre's continued fraction for it
    (Press et al. 2007, Numerical Recipes, sec. 6.2), by the modified Lentz method.

    Parameters
    ----------
    chi_squared, degrees
        Shape (m,).
    """
    from scipy.special import gammainc, gammaincc

    found = np.full(np.shape(chi_squared), np.nan)
    fine = np.flatnonzero((degrees > 0.0) & (chi_squared >= 0.0))
    a, x = degrees[fine] / 2.0, chi_squared[fine] / 2.0
    upper: Floats = gammaincc(a, x)
    with np.errstate(divide="ignore"):
        value = np.log(upper)
    # nearer to 1 the logarithm would lose digits
    near = upper > 0.9
    value[near] = np.log1p(-gammainc(a[near], x[near]))
    far = upper < _TINY
    if far.any():
        value[far] = _log_far(a[far], x[far])
    found[fine] = value
    return found


def _log_far(a: Floats, x: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        b = x + 1.0 - a
        c = np.full_like(x, 1e300)
        d = 1.0 / b
        h = d.copy()
        for k in range(1, _MOST_STEPS):
            term = -k * (k - a)
            b += 2.0
            d = 1.0 / (term * d + b)
            c = b + term / c
            step = c * d
            h *= step
            if not (np.abs(step - 1.0) > 1e-15).any():
                break
        found = _log_density(a, x) + np.log(h)
    return np.asarray(np.where(np.isinf(x), -np.inf, found))


def _log_density(a: Floats, x: Floats) -> Floats:
    from scipy.special import gammaln

    # ln(x^a exp(-x) / gamma(a)): for large a by Stirling's series, since the plain terms cancel
    apart = (x - a) / a
    large = np.maximum(a, 15.0)
    rest = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / large**2) / large**2) / large
    series = -a * (apart - np.log1p(apart)) + (np.log(a) - _LOG_2PI) / 2.0 - rest
    plain = a * np.log(x) - x - gammaln(a)
    return np.asarray(np.where(a >= 15.0, series, plain))
