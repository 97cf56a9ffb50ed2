"""Structure function of one light curve: how much it changes over which lag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.curves import check_curve
from contimg_lab.analysis.segments import pair_rows
from contimg_lab.errors import InvalidInput

__all__ = ["StructureFunction", "structure_function"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureFunction:
    """Structure function in bins of lag, each array of shape (k,).

    Attributes
    ----------
    start_d, end_d
        Edges of the lag bins, days: from ``start_d`` (included) up to ``end_d``.
    lag_d
        Mean lag of the pairs, days; NaN where a bin has none.
    d_jy2
        Mean of ``(S_b - S_a)**2 - s_a**2 - s_b**2``, Jy squared: noise-subtracted, so negative
        about half the time where nothing varies. NaN where a bin has no pair.
    d_err_jy2
        Standard deviation of these over the root of their number; NaN below 2 pairs. Pairs share
        epochs, so it is a lower limit.
    n_pairs
        Pairs in the bin.
    """

    start_d: Floats
    end_d: Floats
    lag_d: Floats
    d_jy2: Floats
    d_err_jy2: Floats
    n_pairs: NDArray[np.int64]


def structure_function(
    mjd: Floats,
    flux_jy: Floats,
    flux_err_jy: Floats,
    *,
    edges_d: Sequence[float] | Floats | None = None,
    n_bins: int = 10,
) -> StructureFunction:
    """First-order structure function ``D(tau) = mean((S(t + tau) - S(t))**2)`` less the noise.

    Every pair counts once. Twice the variance at long lags for a stationary source; a rise
    with lag tells the time scale. Assumes independent errors: pairs within an image or a
    night share gains.

    Parameters
    ----------
    mjd, flux_jy, flux_err_jy
        Shape (n,), in any order.
    edges_d
        Rising edges of the lag bins, days. None: ``n_bins`` from the shortest to the longest
        lag, even in its logarithm.
    n_bins
        Number of bins where no edges are given.

    References
    ----------
    Simonetti, Cordes & Heeschen (1985), ApJ 296, 46.
    """
    check_curve(mjd, flux_jy, flux_err_jy)
    order = np.argsort(mjd, kind="stable")
    mjd, flux, err = mjd[order], flux_jy[order], flux_err_jy[order]
    edges = _edges(mjd, n_bins) if edges_d is None else np.asarray(edges_d, float)
    if len(edges) < 2 or not np.isfinite(edges).all() or not (np.diff(edges) > 0.0).all():
        raise InvalidInput("edges_d must be two or more rising lags in days")
    size = len(edges) - 1
    n, lag, total, square = (np.zeros(size) for _ in range(4))
    count = len(mjd)
    shift = float(np.var(flux)) * 2.0 if count else 0.0
    for a, b in pair_rows(np.arange(1, count + 1), np.full(count, count)):
        apart_d = mjd[b] - mjd[a]
        which = np.searchsorted(edges, apart_d, side="right") - 1
        which[apart_d == edges[-1]] = size - 1
        inside = (which >= 0) & (which < size)
        a, b, which, apart_d = a[inside], b[inside], which[inside], apart_d[inside]
        # about a level near the mean, so that the sum of squares keeps its digits
        value = (flux[b] - flux[a]) ** 2 - err[a] ** 2 - err[b] ** 2 - shift
        n += np.bincount(which, minlength=size)
        lag += np.bincount(which, weights=apart_d, minlength=size)
        total += np.bincount(which, weights=value, minlength=size)
        square += np.bincount(which, weights=value * value, minlength=size)
    with np.errstate(all="ignore"):
        mean = total / n
        spread = np.sqrt(np.maximum(square - n * mean * mean, 0.0) / (n - 1.0) / n)
        return StructureFunction(
            start_d=edges[:-1],
            end_d=edges[1:],
            lag_d=lag / n,
            d_jy2=mean + shift,
            d_err_jy2=np.where(n > 1, spread, np.nan),
            n_pairs=n.astype(np.int64),
        )


def _edges(mjd: Floats, n_bins: int) -> Floats:
    if n_bins < 1:
        raise InvalidInput(f"n_bins {n_bins!r} is below 1")
    steps = np.diff(mjd)
    steps = steps[steps > 0.0]
    if not len(steps):
        raise InvalidInput("a structure function needs two epochs at different times")
    longest = float(mjd[-1] - mjd[0])
    return np.geomspace(float(steps.min()), longest * (1.0 + 1e-12), n_bins + 1)
