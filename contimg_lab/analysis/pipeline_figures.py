"""The pipeline's own figures beside ours: where they differ, and by what that is explained."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.variability import Variability

__all__ = ["WORDS", "Verdict", "compare_figures", "repeated_figures"]

Floats = NDArray[np.float64]

_CLOSE = 1e-3
_MANY = 10


class Verdict(IntEnum):
    """How the pipeline's figures of one source stand to ours."""

    NO_FIGURES = 0
    AGREES = 1
    BY_DEFINITION = 2
    PLACEHOLDER = 3
    OTHER_EPOCHS = 4
    OTHER_FLUXES = 5
    OTHER_ERRORS = 6
    UNEXPLAINED = 7


WORDS: Mapping[int, str] = {
    Verdict.NO_FIGURES: "",
    Verdict.AGREES: "agrees",
    Verdict.BY_DEFINITION: "agrees by its own definition: divides by N, or about the plain mean",
    Verdict.PLACEHOLDER: "placeholder: the same figures stand at many sources",
    Verdict.OTHER_EPOCHS: "made of another number of epochs",
    Verdict.OTHER_FLUXES: "as many epochs, but other fluxes: another column, scale or choice",
    Verdict.OTHER_ERRORS: "same mean and V, but other errors, or digits lost in its form of eta",
    Verdict.UNEXPLAINED: "differs, and no known reason explains it",
}
"""What each verdict means; from `Verdict.PLACEHOLDER` on it is a disagreement."""


def compare_figures(
    ours: Variability,
    *,
    n: Floats,
    mean_jy: Floats,
    std_jy: Floats,
    v: Floats,
    eta: Floats,
    chi2_nu: Floats,
    sigma_deviation: Floats,
    repeated: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Judge the pipeline's figures of m sources, shape (m,): a `Verdict` each.

    Its standard deviation and V divide by N (ours by N - 1), and one of its writers takes
    chi2_nu about the plain mean: such figures agree by definition. Figures agree within a
    thousandth; what the pipeline does not say (NaN) is not compared.

    Parameters
    ----------
    ours
        Of the same sources.
    n, mean_jy, std_jy, v, eta, chi2_nu, sigma_deviation
        Shape (m,), as the pipeline stored them, in Jy.
    repeated
        Shape (m,): whose figures are the same at many sources of the whole table; None: those
        that repeat among these.
    """
    count = ours.n_used.astype(float)
    with np.errstate(all="ignore"):
        by_n = np.sqrt((count - 1.0) / count)
        shift = (ours.mean_jy - ours.weighted_mean_jy) / ours.weighted_mean_err_jy
        about_plain = (ours.chi_squared + shift * shift) / (count - 1.0)
        plain = _near(v, ours.v) & _near(chi2_nu, ours.eta)
        v_fits = _near(v, ours.v) | _near(v, ours.v * by_n)
        sigma_fits = _near(sigma_deviation, ours.sigma_deviation) | _near(
            sigma_deviation, ours.sigma_deviation / by_n
        )
        chi_fits = _near(chi2_nu, ours.eta) | _near(chi2_nu, about_plain)
    mean_fits, eta_fits = _near(mean_jy, ours.mean_jy), _near(eta, ours.eta)
    same_n = np.isnan(n) | (n == ours.n_used)
    given = np.isfinite(np.stack([n, mean_jy, v, eta, chi2_nu, sigma_deviation])).any(axis=0)
    fits = mean_fits & v_fits & eta_fits & chi_fits & sigma_fits & same_n
    code = np.select(
        [
            ~given,
            fits & plain,
            fits,
            repeated_figures(std_jy, chi2_nu) if repeated is None else repeated,
            ~same_n,
            ~(mean_fits & v_fits),
            sigma_fits,
        ],
        [
            Verdict.NO_FIGURES,
            Verdict.AGREES,
            Verdict.BY_DEFINITION,
            Verdict.PLACEHOLDER,
            Verdict.OTHER_EPOCHS,
            Verdict.OTHER_FLUXES,
            Verdict.OTHER_ERRORS,
        ],
        Verdict.UNEXPLAINED,
    )
    return code.astype(np.uint8)


def _near(theirs: Floats, ours: Floats) -> NDArray[np.bool_]:
    """Where a figure of theirs is absent, or within a thousandth of ours."""
    with np.errstate(all="ignore"):
        # where ours is undefined (one epoch) a stored 0 says no more than that
        absent = np.isnan(theirs) | (np.isnan(ours) & (theirs == 0.0))
        return np.asarray(absent | (np.abs(theirs - ours) <= _CLOSE * np.abs(ours)))


def repeated_figures(std: Floats, chi2_nu: Floats) -> NDArray[np.bool_]:
    """Where the same standard deviation and chi-squared stand at ten sources or more."""
    both = np.stack([std, chi2_nu], axis=1)
    known = np.isfinite(both).all(axis=1)
    found = np.zeros(len(both), bool)
    if known.any():
        _, which, counts = np.unique(both[known], axis=0, return_inverse=True, return_counts=True)
        found[known] = counts[which.ravel()] >= _MANY
    return found
