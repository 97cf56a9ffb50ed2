"""All statistics of many sources at once, from sorted columns.

Values of source i are ``values[offsets[i]:offsets[i + 1]]``. Undefined is NaN, never 0, and
``why`` holds the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis import scatter, shape
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.reasons import Statistic, Why, decide

__all__ = ["Variability", "variability"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variability:
    """Statistics of m sources, each of shape (m,).

    The function of the same subject in `contimg_lab.analysis.scatter`, ``shape`` and
    ``moments`` gives each one's equation, assumptions and paper.

    Attributes
    ----------
    n_used
        Epochs N.
    mean_jy
        Plain mean, Jy.
    weighted_mean_jy, weighted_mean_err_jy
        Mean weighted by ``1 / s**2`` and its error, Jy.
    v
        Coefficient of variation; `scatter.coefficient_of_variation`.
    chi_squared, eta
        About the weighted mean, and over N - 1; `scatter.reduced_chi_squared`.
    p_constant, log_p_constant
        Probability of so large a chi-squared for a constant source, and its natural logarithm.
        Not meaningful while images share gain errors: then everything bright "varies".
    m_debiased
        Debiased modulation index; `scatter.debiased_modulation_index`.
    excess_variance_jy2, f_var, f_var_err
        Excess variance (Jy squared), fractional variability and its error.
    sigma_deviation
        Largest deviation in standard deviations; at most ``(N - 1) / sqrt(N)``.
    peak_to_peak
        v; `shape.peak_to_peak`.
    inverse_von_neumann
        1 / eta_vN; `shape.inverse_von_neumann`.
    stetson_j, stetson_k, welch_stetson_i
        `shape.stetson_j` and the following; J and I only where times are given.
    why
        For each of these names the `Why` code of each NaN, shape (m,).
    """

    n_used: NDArray[np.int64]
    mean_jy: Floats
    weighted_mean_jy: Floats
    weighted_mean_err_jy: Floats
    v: Floats
    chi_squared: Floats
    eta: Floats
    p_constant: Floats
    log_p_constant: Floats
    m_debiased: Floats
    excess_variance_jy2: Floats
    f_var: Floats
    f_var_err: Floats
    sigma_deviation: Floats
    peak_to_peak: Floats
    inverse_von_neumann: Floats
    stetson_j: Floats
    stetson_k: Floats
    welch_stetson_i: Floats
    why: Mapping[str, NDArray[np.uint8]] = field(repr=False)


def variability(
    flux_jy: Floats,
    flux_err_jy: Floats,
    offsets: NDArray[np.int64],
    mjd: Floats | None = None,
    *,
    threads: int | None = None,
) -> Variability:
    """Compute the statistics of every source from its epochs.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,): finite fluxes, and finite errors above 0, Jy; only epochs that count, each
        source's in order of time.
    offsets
        Shape (m + 1,): where each source begins; a source may have no epoch.
    mjd
        Shape (n,): times in days, for Stetson's pairs; NaN where unknown (then the order is
        not known either, and the von Neumann ratio is undefined). None: no pairs are made.
    threads
        As for `contimg_lab.analysis.moments.moments`.

    Examples
    --------
    >>> import numpy as np
    >>> found = variability(np.array([1.0, 3.0, 2.0]), np.ones(3), np.array([0, 2, 3]))
    >>> found.eta.tolist(), found.why["eta"].tolist()
    ([2.0, nan], [0, 2])
    """
    sums = moments(flux_jy, flux_err_jy, offsets, threads=threads)
    log_p = scatter.log_p_constant(sums)
    empty = (sums.n == 0, Why.NO_EPOCHS)
    found = {
        "mean_jy": decide(sums.mean_jy, empty),
        "weighted_mean_jy": decide(sums.weighted_mean_jy, empty),
        "weighted_mean_err_jy": decide(sums.weighted_mean_err_jy, empty),
        "v": scatter.coefficient_of_variation(sums),
        "chi_squared": scatter.chi_squared(sums),
        "eta": scatter.reduced_chi_squared(sums),
        "p_constant": Statistic(np.exp(log_p.value), log_p.reason),
        "log_p_constant": log_p,
        "m_debiased": scatter.debiased_modulation_index(sums),
        "excess_variance_jy2": scatter.excess_variance(sums),
        "f_var": scatter.fractional_variability(sums),
        "f_var_err": scatter.fractional_variability_error(sums),
        "sigma_deviation": scatter.sigma_deviation(sums),
        "peak_to_peak": shape.peak_to_peak(sums),
        "stetson_k": shape.stetson_k(sums),
    }
    if mjd is None:
        found["inverse_von_neumann"] = shape.inverse_von_neumann(sums)
        nothing = np.full(len(sums.n), np.nan)
        timeless = (np.ones(len(sums.n), bool), Why.NO_TIMES)
        found["stetson_j"] = found["welch_stetson_i"] = decide(nothing, timeless)
    else:
        pairs = shape.pair_sums(flux_jy, flux_err_jy, mjd, offsets, sums, threads=threads)
        value, reason = shape.inverse_von_neumann(sums)
        # the first reason stays: without epochs there are no times either
        unknown = (pairs.n_timeless > 0) & (reason == 0)
        found["inverse_von_neumann"] = Statistic(
            np.where(unknown, np.nan, value), np.where(unknown, np.uint8(Why.NO_TIMES), reason)
        )
        found["stetson_j"] = shape.stetson_j(pairs)
        found["welch_stetson_i"] = shape.welch_stetson_i(pairs)
    return Variability(
        n_used=sums.n,
        **{name: statistic.value for name, statistic in found.items()},
        why={name: statistic.reason for name, statistic in found.items()},
    )
