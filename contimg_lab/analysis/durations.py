"""How long things took: median, scatter, and what took unusually long or short."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_RUNS", "OUTLIER_SIGMA", "Durations", "durations"]

OUTLIER_SIGMA = 5.0
"""So many robust standard deviations from the median is unusual."""

FEWEST_RUNS = 10
"""Of fewer nothing is called unusual."""

_OF_MAD = 1.482602218505602  # a Gaussian's standard deviation over its MAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Median and scatter of n durations, and which are unusual.

    Attributes
    ----------
    n
        Durations that are known.
    median_s, mad_s
        Median, and median absolute deviation from it; NaN of none.
    is_outlier
        Shape (n given,): further than 5 x 1.4826 MAD from the median.
    why_not
        Why nothing can be called unusual; "" where it can.
    """

    n: int
    median_s: float
    mad_s: float
    is_outlier: NDArray[np.bool_]
    why_not: str


def durations(duration_s: NDArray[np.float64]) -> Durations:
    """Measure durations by median and MAD, which a few stuck ones do not move.

    Parameters
    ----------
    duration_s
        Seconds; NaN and infinities are unknown.

    References
    ----------
    Leys et al. 2013, J. Exp. Soc. Psychol. 49, 764: outliers by the MAD.

    Examples
    --------
    >>> found = durations(np.array([59.0, 60.0, 61.0] * 4 + [900.0]))
    >>> found.median_s, found.is_outlier.tolist().index(True)
    (60.0, 12)
    """
    known = np.isfinite(duration_s)
    values = duration_s[known]
    outlier = np.zeros(len(duration_s), bool)
    if not len(values):
        return Durations(
            n=0, median_s=np.nan, mad_s=np.nan, is_outlier=outlier, why_not="none is known"
        )
    median = float(np.median(values))
    off = np.abs(values - median)
    mad = float(np.median(off))
    why_not = ""
    if len(values) < FEWEST_RUNS:
        why_not = f"{len(values)} are known, and {FEWEST_RUNS} are needed"
    elif mad == 0.0:
        why_not = "half of them or more are equal, so there is no scatter to compare with"
    else:
        outlier[known] = off > OUTLIER_SIGMA * _OF_MAD * mad
    return Durations(n=len(values), median_s=median, mad_s=mad, is_outlier=outlier, why_not=why_not)
