"""Where the bulk of a field lies in a statistic: a robust Gaussian in its logarithm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.reasons import Why

__all__ = ["FieldFit", "fit_field"]

Floats = NDArray[np.float64]

_CLIP = 3.0
_ROUNDS = 50
_FEWEST_SOURCES = 5
# standard deviation of a unit Gaussian cut at 3 sigma
_CUT_STD = math.sqrt(
    1.0
    - 2.0
    * _CLIP
    * math.exp(-(_CLIP**2) / 2.0)
    / math.sqrt(2.0 * math.pi)
    / math.erf(_CLIP / math.sqrt(2.0))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFit:
    """A Gaussian fitted to log10 of a statistic over a field.

    Attributes
    ----------
    mean, sigma
        Of log10; NaN where fewer than 5 sources have a logarithm or they are all equal.
    n_fitted, n_clipped, n_left_out
        Sources inside the clip, beyond it, and without a logarithm.
    reason
        `Why` code where there is no fit.
    """

    mean: float
    sigma: float
    n_fitted: int
    n_clipped: int
    n_left_out: int
    reason: int

    def threshold(self, n_sigma: float) -> float:
        """Value that lies n sigma above the mean in log10; NaN without a fit."""
        return float(10.0 ** (self.mean + n_sigma * self.sigma))


def fit_field(values: Floats) -> FieldFit:
    """Fit a Gaussian to log10 of a statistic, robust against the variables in the field.

    From the median and 1.4826 times the median absolute deviation, what lies beyond 3 sigma
    is clipped until nothing changes; sigma is then freed from the clip's own narrowing. The
    constant sources must be the majority. log10(eta) is only near Gaussian from some 10
    epochs on (skewed low before), and log10(V) spreads with the sources' fluxes, so the fit
    is to be looked at beside the scatter.

    Parameters
    ----------
    values
        Shape (m,): eta or V; NaN where undefined. Values not above 0 have no logarithm.

    References
    ----------
    Rowlinson et al. (2019), A&C 27, 111; Murphy et al. (2021), PASA 38, e054.
    """
    good = np.isfinite(values) & (values > 0.0)
    logs = np.log10(values[good])
    left_out = int(len(values) - len(logs))
    if len(logs) < _FEWEST_SOURCES:
        return _no_fit(left_out, len(logs), Why.TOO_FEW_SOURCES)
    mean = float(np.median(logs))
    sigma = 1.482602218505602 * float(np.median(np.abs(logs - mean)))
    kept = np.abs(logs - mean) <= _CLIP * sigma
    for _ in range(_ROUNDS):
        mean, sigma = float(logs[kept].mean()), float(logs[kept].std(ddof=1)) / _CUT_STD
        again = np.abs(logs - mean) <= _CLIP * sigma
        if not again.any() or (again == kept).all():
            break
        kept = again
    if not sigma > 0.0:
        return _no_fit(left_out, len(logs), Why.NO_SCATTER)
    inside = int(kept.sum())
    return FieldFit(
        mean=mean, sigma=sigma, n_fitted=inside, n_clipped=len(logs) - inside,
        n_left_out=left_out, reason=int(Why.DEFINED),
    )  # fmt: skip


def _no_fit(left_out: int, with_logarithm: int, why: Why) -> FieldFit:
    return FieldFit(
        mean=math.nan, sigma=math.nan, n_fitted=with_logarithm, n_clipped=0,
        n_left_out=left_out, reason=int(why),
    )  # fmt: skip
