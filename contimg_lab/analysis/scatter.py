"""How much a source scatters, and whether its errors explain it: V, eta, p, m_d, F_var.

Every function takes the sums of `contimg_lab.analysis.moments` and gives a value a source
with the reason of each NaN. N is the number of epochs, S a flux, s its error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis._chi2 import log_sf
from contimg_lab.analysis.moments import Moments
from contimg_lab.analysis.reasons import Statistic, Why, decide

__all__ = [
    "chi_squared",
    "coefficient_of_variation",
    "debiased_modulation_index",
    "debiased_radicand",
    "excess_variance",
    "fractional_variability",
    "fractional_variability_error",
    "log_p_constant",
    "p_constant",
    "reduced_chi_squared",
    "sigma_deviation",
    "standard_deviation",
]

Check = tuple[NDArray[np.bool_], Why]


def too_few(sums: Moments) -> tuple[Check, Check]:
    """Where a source has no epoch, and where it has one."""
    return (sums.n == 0, Why.NO_EPOCHS), (sums.n == 1, Why.ONE_EPOCH)


def not_positive(sums: Moments) -> Check:
    """Where the plain mean is not above 0: no relative statistic has a meaning there."""
    return ~(sums.mean_jy > 0.0), Why.MEAN_NOT_POSITIVE


def standard_deviation(sums: Moments) -> Statistic:
    """Sample standard deviation, Jy: ``sqrt(sum((S - mean)**2) / (N - 1))``.

    It holds the noise as well as the variation. Undefined for N < 2.
    """
    with np.errstate(all="ignore"):
        value = np.sqrt(sums.square_deviations_jy2 / (sums.n - 1.0))
    return decide(value, *too_few(sums))


def coefficient_of_variation(sums: Moments) -> Statistic:
    """V, the modulation index: sample standard deviation over the plain mean; no unit.

    ``V = s_S / mean(S)`` with ``s_S`` by N - 1. Undefined for N < 2 and for a mean that is not
    positive. It does not know the errors: a faint constant source has a large V, so V alone
    tells nothing of variability.

    References
    ----------
    Swinbank et al. (2015), A&C 11, 25, the equation for V.
    """
    with np.errstate(all="ignore"):
        value = standard_deviation(sums).value / sums.mean_jy
    return decide(value, *too_few(sums), not_positive(sums))


def chi_squared(sums: Moments) -> Statistic:
    """Chi-squared about the weighted mean, ``sum((S - weighted mean)**2 / s**2)``; no unit.

    Of a constant source with independent Gaussian errors it follows chi-squared with N - 1
    degrees of freedom. Undefined for N < 2.
    """
    return decide(sums.chi_squared, *too_few(sums))


def reduced_chi_squared(sums: Moments) -> Statistic:
    """Eta, the reduced chi-squared about the weighted mean; no unit.

    ``eta = (1 / (N - 1)) sum((S - weighted mean)**2 / s**2)``; 1 on average for a constant
    source, with variance 2 / (N - 1). Computed in this form; the form with the difference of
    two means loses every digit for a bright source. Undefined for N < 2. Do not use it where
    images share gain errors: then every bright source has a large eta.

    References
    ----------
    Swinbank et al. (2015), A&C 11, 25, the equation for eta.
    """
    with np.errstate(all="ignore"):
        value = sums.chi_squared / (sums.n - 1.0)
    return decide(value, *too_few(sums))


def p_constant(sums: Moments) -> Statistic:
    """Probability of so large a chi-squared for a constant source; 0 below about 1e-308.

    ``p = P(chi2(N - 1) >= eta (N - 1))``, for independent Gaussian errors. Uniform between 0
    and 1 for constant sources. Where it is 0 its logarithm is still known: `log_p_constant`.

    References
    ----------
    Swinbank et al. (2015), A&C 11, 25.
    """
    value = np.exp(log_p_constant(sums).value)
    return decide(value, *too_few(sums))


def log_p_constant(sums: Moments) -> Statistic:
    """Natural logarithm of `p_constant`, finite however improbable the scatter is."""
    value = log_sf(sums.chi_squared, sums.n.astype(float) - 1.0)
    return decide(value, *too_few(sums))


def debiased_radicand(sums: Moments) -> Statistic:
    """``sum((S - mean)**2) - sum(s**2)``, Jy squared: what `debiased_modulation_index` roots.

    Its expectation, for an intrinsic scatter sigma about a constant, is
    ``(N - 1) sigma**2 - mean(s**2)``: the first sum has N - 1 degrees of freedom, the second
    N terms. Undefined for N < 2.
    """
    return decide(sums.square_deviations_jy2 - sums.square_errors_jy2, *too_few(sums))


def debiased_modulation_index(sums: Moments) -> Statistic:
    """m_d, the modulation index less what the errors explain; no unit, may be negative.

    ``m_d = sqrt(sum((S - mean)**2) - sum(s**2)) / (sqrt(N) mean)``; where the radicand is
    negative, ``-sqrt(|radicand|) / (sqrt(N) mean)``, never dropped. Undefined for N < 2 and
    for a mean that is not positive.

    Biased low at small N, the more so the larger the errors: a true 0.1 averages 0.01 at
    N = 3, 0.07 at N = 10 and 0.09 at N = 30 with errors of 0.1. Only the radicand keeps its
    promise (`debiased_radicand`). Not for an amplitude from few epochs, for which
    `contimg_lab.analysis.intrinsic` gives an interval.

    References
    ----------
    Barvainis et al. (2005), ApJ 618, 108; Sadler et al. (2006), MNRAS 371, 898; Bell et al.
    (2014), MNRAS 438, 352.
    """
    radicand = debiased_radicand(sums).value
    with np.errstate(all="ignore"):
        value = np.copysign(np.sqrt(np.abs(radicand) / sums.n), radicand) / sums.mean_jy
    return decide(value, *too_few(sums), not_positive(sums))


def excess_variance(sums: Moments) -> Statistic:
    """Excess variance, Jy squared: sample variance less the mean squared error.

    ``sum((S - mean)**2) / (N - 1) - mean(s**2)``. Unbiased, so negative for about half of the
    constant sources. Undefined for N < 2.

    References
    ----------
    Vaughan et al. (2003), MNRAS 345, 1271, eq. 8.
    """
    with np.errstate(all="ignore"):
        value = sums.square_deviations_jy2 / (sums.n - 1.0) - sums.square_errors_jy2 / sums.n
    return decide(value, *too_few(sums))


def fractional_variability(sums: Moments) -> Statistic:
    """F_var, the root of the excess variance over the mean; no unit.

    ``F_var = sqrt((variance - mean(s**2)) / mean**2)``. Undefined for N < 2, for a mean that
    is not positive, and where the scatter is below the errors (the excess variance itself is
    then negative, and given by `excess_variance`). So a mean of F_var over sources is biased
    high.

    References
    ----------
    Vaughan et al. (2003), MNRAS 345, 1271, eq. 10.
    """
    excess = excess_variance(sums).value
    with np.errstate(all="ignore"):
        value = np.sqrt(excess) / sums.mean_jy
    return decide(value, *too_few(sums), not_positive(sums), (excess < 0.0, Why.NEGATIVE_RADICAND))


def fractional_variability_error(sums: Moments) -> Statistic:
    """Error of F_var from the measurement errors alone; no unit.

    With E the mean squared error: ``sqrt((sqrt(1 / (2 N)) E / (mean**2 F_var))**2 +
    (sqrt(E / N) / mean)**2)``. It says how well this light curve's own scatter is known, not
    how much another stretch of the same source would differ. Undefined where F_var is, and
    where F_var is 0.

    References
    ----------
    Vaughan et al. (2003), MNRAS 345, 1271, eq. B2.
    """
    f_var, reason = fractional_variability(sums)
    with np.errstate(all="ignore"):
        noise = np.sqrt(sums.square_errors_jy2 / sums.n) / sums.mean_jy
        value = np.hypot(noise * noise / (np.sqrt(2.0 * sums.n) * f_var), noise / np.sqrt(sums.n))
    given = [(reason == why, why) for why in Why if why is not Why.DEFINED]
    return decide(value, *given, (f_var == 0.0, Why.NO_EXCESS))


def sigma_deviation(sums: Moments) -> Statistic:
    """Largest deviation from the mean in sample standard deviations; no unit.

    ``max(|S - mean|) / std``, std by N - 1. It cannot exceed ``(N - 1) / sqrt(N)``, so a
    threshold of 5 needs 27 epochs and 3.5 needs 15: see
    `contimg_lab.analysis.selection.fewest_epochs`. Undefined for N < 2 and where all fluxes are
    equal. It ignores the errors, and one bad epoch is enough for it.

    References
    ----------
    The pipeline's own practice in its search for extreme scattering events.
    """
    std = standard_deviation(sums).value
    with np.errstate(all="ignore"):
        value = sums.largest_deviation_jy / std
    return decide(value, *too_few(sums), (std == 0.0, Why.NO_SCATTER))
