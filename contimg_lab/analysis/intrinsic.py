"""Intrinsic modulation index by maximum likelihood, with its interval and upper limit."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis._likelihood import Curves, Solvable, fit, solve
from contimg_lab.analysis.reasons import Why, decide
from contimg_lab.analysis.segments import blocks, source_codes

__all__ = ["Intrinsic", "intrinsic_modulation"]

Floats = NDArray[np.float64]

_ONE_SIGMA = 0.6826894921370859
_UPPER_DROP = 4.5
_MOST = 1e6
# rows of a block: a fit holds dozens of arrays, and twice as many rows cost twice as much a row
_FITTED_ROWS = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrinsic:
    """Intrinsic modulation of m sources, each of shape (m,).

    Attributes
    ----------
    m
        Most likely sigma_0 / S_0; 0 where no intrinsic scatter is most likely. No unit.
    low, high
        1-sigma interval of m; ``low`` is 0 where 0 lies inside it.
    upper_limit
        3-sigma upper limit, where the likelihood has fallen by exp(-4.5): one-sided 99.87 %.
    mean_jy
        Most likely intrinsic mean S_0, Jy.
    reason
        `Why` code where these are NaN. ``high`` and ``upper_limit`` may be infinite: few
        epochs of a source that varies by half its flux set no limit.
    """

    m: Floats
    low: Floats
    high: Floats
    upper_limit: Floats
    mean_jy: Floats
    reason: NDArray[np.uint8]


def intrinsic_modulation(
    flux_jy: Floats, flux_err_jy: Floats, offsets: NDArray[np.int64]
) -> Intrinsic:
    r"""Maximum-likelihood intrinsic modulation of every source.

    The true fluxes are taken as Gaussian with mean S_0 and standard deviation sigma_0 =
    m S_0, each seen with its own Gaussian error::

        ln L(m, S_0) = -1/2 sum(ln(s**2 + m**2 S_0**2) + (S - S_0)**2 / (s**2 + m**2 S_0**2))

    ``m`` and ``mean_jy`` are where it is highest. The interval is where the restricted
    likelihood, L integrated over the mean at fixed sigma_0 (which takes away the bias of few
    epochs), has not fallen by more than half of c from its own maximum, at the S_0 that suits
    each m best. c is 1 away from the boundary m = 0, and less within one standard error (in m
    squared) of it, so that the interval covers 68 % there too and is never empty (Feldman &
    Cousins' ordering for a Gaussian in m squared). The upper limit is the plain fall by 4.5.

    At the boundary, m = 0 is the most likely for about half of the constant sources; ``low``
    is then 0 (the interval is widened to hold m where the two likelihoods part, which happens
    at few epochs) and the statement is the upper limit. Not for light curves whose true fluxes
    are far from Gaussian (one flare, an eclipse): m then depends on how long was looked at.
    Undefined for N < 2 and where S_0 is not positive.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,): finite fluxes, and finite errors above 0, Jy; only epochs that count.
    offsets
        Shape (m + 1,): where each source begins.

    References
    ----------
    Richards et al. (2011), ApJS 194, 29, sec. 5.2; they integrate the likelihood over S_0
    and over m where this maximises it and lets it fall, so that their ends differ somewhat.
    Feldman & Cousins (1998), Phys. Rev. D 57, 3873.
    """
    count = len(offsets) - 1
    n = np.diff(offsets)
    found = {name: np.full(count, np.nan) for name in ("m", "low", "high", "upper", "mean")}
    enough = np.flatnonzero(n >= 2)
    kept_rows = (n >= 2)[source_codes(offsets)] if (n == 1).any() else None
    with np.errstate(all="ignore"):
        for first, last in blocks(offsets, _FITTED_ROWS):
            sources = enough[(enough >= first) & (enough < last)]
            if not len(sources):
                continue
            rows = slice(int(offsets[first]), int(offsets[last]))
            flux, err = flux_jy[rows], flux_err_jy[rows]
            if kept_rows is not None:
                flux, err = flux[kept_rows[rows]], err[kept_rows[rows]]
            part = _block(flux, err, n[sources])
            for name, values in zip(found, part, strict=True):
                found[name][sources] = values
    checks = [
        (n == 0, Why.NO_EPOCHS),
        (n == 1, Why.ONE_EPOCH),
        (~(found["mean"] > 0.0), Why.MEAN_NOT_POSITIVE),
    ]
    m, reason = decide(found["m"], *checks)
    defined = reason == 0
    return Intrinsic(
        m=m,
        low=np.where(defined, found["low"], np.nan),
        high=np.where(defined, found["high"], np.nan),
        upper_limit=np.where(defined, found["upper"], np.nan),
        mean_jy=np.where(n >= 2, found["mean"], np.nan),
        reason=reason,
    )


def _block(flux: Floats, err: Floats, counts: NDArray[np.int64]) -> tuple[Floats, ...]:
    curves = Curves.of(flux, err, counts)
    sigma, mean, _ = fit(curves)
    restricted, at_mean, best = fit(curves, restricted=True)
    m = sigma / mean
    # at a mean that is not positive nothing is asked of the solver
    m = np.where(mean > 0.0, m, np.nan)
    crest = np.where((mean > 0.0) & (at_mean > 0.0), restricted / at_mean, np.nan)

    def fallen(at: Floats, start: Floats) -> tuple[Floats, Floats, Floats]:
        level, centre, spread = curves.profile(at, start)
        return best - level, centre, at * at / spread

    def above_interval(at: Floats, start: Floats) -> tuple[Floats, Floats]:
        drop, centre, distance = fallen(at, start)
        return 2.0 * drop - critical_fall(distance), centre

    def above_limit(at: Floats, start: Floats) -> tuple[Floats, Floats]:
        drop, centre, _ = fallen(at, start)
        return drop - _UPPER_DROP, centre

    zero = np.zeros_like(m)
    reach = np.maximum(crest, curves.typical_error() / at_mean / np.sqrt(curves.n))
    at_zero, _ = above_interval(zero, at_mean)
    inside = (at_zero > 0.0) & (crest > 0.0)
    low = np.where(inside, solve(above_interval, zero, crest, at_mean, inside), 0.0)
    # at few epochs the plain likelihood may peak below the restricted one's interval
    low = np.fmin(low, m)
    high = _outwards(above_interval, crest, reach, at_mean)
    upper = _outwards(above_limit, crest, reach, at_mean)
    return m, low, high, upper, mean * curves.unit


def _outwards(function: Solvable, m: Floats, reach: Floats, mean: Floats) -> Floats:
    """Root beyond m: step out until the function is positive, then solve; inf for none."""
    inner, outer = m.copy(), m + reach
    wanted = np.isfinite(m)
    for _ in range(60):
        value, _ = function(outer, mean)
        more = wanted & (value <= 0.0) & (outer < _MOST)
        if not more.any():
            break
        inner = np.where(more, outer, inner)
        outer = np.where(more, m + 2.0 * (outer - m), outer)
    closed = wanted & (value > 0.0)
    root = solve(function, inner, outer, mean, closed)
    return np.where(closed, root, np.where(wanted, np.inf, np.nan))


def critical_fall(distance: Floats) -> Floats:
    """Fall of 2 ln L that bounds a 68.3 % interval, by the distance from the boundary.

    For an estimate that is Gaussian about t >= 0 with unit error and is cut at 0: the c of
    ``P(2 (ln L_max - ln L(t)) <= c) = 0.683``.

    Parameters
    ----------
    distance
        t: m squared over its standard error; shape (m,).
    """
    return np.interp(distance, *_falls())


@functools.cache
def _falls() -> tuple[Floats, Floats]:
    from scipy.special import ndtr

    t = np.linspace(1e-9, 1.0, 401)
    low, high = t * t * 0.0, np.ones_like(t)
    for _ in range(60):
        c = (low + high) / 2.0
        root = np.sqrt(c)
        covered = np.where(
            root >= t, ndtr(root) - ndtr(-(t * t + c) / (2.0 * t)), ndtr(root) - ndtr(-root)
        )
        low, high = np.where(covered < _ONE_SIGMA, c, low), np.where(covered < _ONE_SIGMA, high, c)
    return t, (low + high) / 2.0
