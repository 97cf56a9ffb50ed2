"""Work on one light curve: clip, bin, normalise, fold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.segments import offsets_of, segment_sums
from contimg_lab.errors import InvalidInput

__all__ = ["Bins", "bin_weighted", "check_curve", "clip", "fold", "normalize"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """A light curve in bins of time that hold an epoch, each array of shape (k,).

    Attributes
    ----------
    start_mjd, end_mjd
        Edges, days.
    mjd
        Mean time of the bin's epochs, weighted as the fluxes are.
    flux_jy, flux_err_jy
        Weighted mean and ``1 / sqrt(sum(1 / s**2))``, Jy.
    n
        Epochs.
    chi_squared
        About the bin's mean, with n - 1 degrees of freedom; NaN where n is 1. Far above n - 1
        the error of the mean is too small.
    """

    start_mjd: Floats
    end_mjd: Floats
    mjd: Floats
    flux_jy: Floats
    flux_err_jy: Floats
    n: NDArray[np.int64]
    chi_squared: Floats


def check_curve(mjd: Floats, flux_jy: Floats, flux_err_jy: Floats) -> None:
    """Refuse what is no light curve.

    Raises
    ------
    InvalidInput
        Lengths differ, a value is not finite, or an error is not positive.
    """
    if not len(mjd) == len(flux_jy) == len(flux_err_jy):
        raise InvalidInput("times, fluxes and errors differ in length")
    if not (np.isfinite(mjd).all() and np.isfinite(flux_jy).all()):
        raise InvalidInput("a time or a flux is not finite; leave such epochs out first")
    if not (np.isfinite(flux_err_jy).all() and (flux_err_jy > 0.0).all()):
        raise InvalidInput("an error is not finite and positive; leave such epochs out first")


def clip(flux_jy: Floats, *, n_sigma: float = 5.0, most_rounds: int = 10) -> NDArray[np.bool_]:
    """Mark the epochs that stay within n sigma of the median, in rounds; shape (n,).

    Sigma is 1.4826 times the median absolute deviation of what is left. Clipping takes a
    flare for an error: not before searching for variability.

    Examples
    --------
    >>> import numpy as np
    >>> clip(np.array([1.0, 1.1, 0.9, 1.05, 9.0])).tolist()
    [True, True, True, True, False]
    """
    from astropy.stats import sigma_clip

    if not n_sigma > 0.0:
        raise InvalidInput(f"n_sigma {n_sigma!r} is not above 0")
    if not len(flux_jy):
        return np.zeros(0, bool)
    clipped = sigma_clip(
        flux_jy, sigma=n_sigma, maxiters=most_rounds, cenfunc="median", stdfunc="mad_std"
    )
    return ~np.broadcast_to(np.ma.getmaskarray(clipped), flux_jy.shape)


def bin_weighted(
    mjd: Floats,
    flux_jy: Floats,
    flux_err_jy: Floats,
    width_d: float,
    *,
    start_mjd: float | None = None,
) -> Bins:
    """Average in bins of equal width, weighted by ``1 / s**2``; empty bins are left out.

    Parameters
    ----------
    mjd, flux_jy, flux_err_jy
        Shape (n,), in any order.
    width_d
        Width, days.
    start_mjd
        An edge; None: the first epoch.

    Examples
    --------
    >>> import numpy as np
    >>> found = bin_weighted(np.array([0.0, 0.2, 1.5]), np.array([1.0, 3.0, 5.0]), np.ones(3), 1.0)
    >>> found.flux_jy.tolist(), found.n.tolist()
    ([2.0, 5.0], [2, 1])
    """
    check_curve(mjd, flux_jy, flux_err_jy)
    if not (width_d > 0.0 and math.isfinite(width_d)):
        raise InvalidInput(f"width_d {width_d!r} is no width above 0")
    origin = start_mjd if start_mjd is not None else (float(mjd.min()) if len(mjd) else 0.0)
    number = np.floor((mjd - origin) / width_d)
    order = np.argsort(number, kind="stable")
    bins, counts = np.unique(number, return_counts=True)
    offsets = offsets_of(counts)
    sums = moments(flux_jy[order], flux_err_jy[order], offsets)
    scale = flux_err_jy.min() if len(mjd) else 1.0
    weight = (scale / flux_err_jy[order]) ** 2
    start = origin + bins * width_d
    since = mjd[order] - np.repeat(start, counts)
    total = segment_sums(weight, offsets)
    return Bins(
        start_mjd=start,
        end_mjd=origin + (bins + 1.0) * width_d,
        mjd=start + segment_sums(weight * since, offsets) / total,
        flux_jy=sums.weighted_mean_jy,
        flux_err_jy=sums.weighted_mean_err_jy,
        n=sums.n,
        chi_squared=np.where(sums.n > 1, sums.chi_squared, np.nan),
    )


def normalize(
    flux_jy: Floats, flux_err_jy: Floats, *, by: str | float = "weighted_mean"
) -> tuple[Floats, Floats, float]:
    """Divide fluxes and errors by one flux.

    The error of that flux is not added: it is common to all epochs.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,), Jy.
    by
        ``weighted_mean``, ``mean``, ``median``, or a flux in Jy.

    Returns
    -------
    flux, flux_err, level_jy
        Relative fluxes and errors, and what they were divided by (Jy).

    Raises
    ------
    InvalidInput
        The level is not positive, or there is no epoch.
    """
    if not len(flux_jy):
        raise InvalidInput("a light curve without epochs has no level to be divided by")
    if isinstance(by, str):
        sums = moments(flux_jy, flux_err_jy, np.array([0, len(flux_jy)]))
        levels = {
            "mean": float(sums.mean_jy[0]),
            "median": float(np.median(flux_jy)),
            "weighted_mean": float(sums.weighted_mean_jy[0]),
        }
        if by not in levels:
            raise InvalidInput(f"by {by!r} is none of {', '.join(levels)}, nor a flux in Jy")
        level = levels[by]
    else:
        level = float(by)
    if not (level > 0.0 and math.isfinite(level)):
        raise InvalidInput(f"the level {level:.4g} Jy is not positive: nothing to divide by")
    return flux_jy / level, flux_err_jy / level, level


def fold(
    mjd: Floats, period_d: float, *, zero_mjd: float = 0.0
) -> tuple[Floats, NDArray[np.int64]]:
    """Phase in [0, 1) and number of the cycle of each epoch.

    Parameters
    ----------
    mjd
        Shape (n,), days.
    period_d
        Period, days.
    zero_mjd
        A time of phase 0.

    Examples
    --------
    >>> import numpy as np
    >>> fold(np.array([0.0, 2.5, 5.0]), 2.0)[0].tolist()
    [0.0, 0.25, 0.5]
    """
    if not (period_d > 0.0 and math.isfinite(period_d)):
        raise InvalidInput(f"period_d {period_d!r} is no period above 0")
    turns = (mjd - zero_mjd) / period_d
    cycle = np.floor(turns)
    phase = turns - cycle
    return np.where(phase < 1.0, phase, 0.0), cycle.astype(np.int64)
