"""Which sources are called variable, and by which rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.expressions import evaluate
from contimg_lab.analysis.field_fit import FieldFit, fit_field
from contimg_lab.analysis.reasons import Why
from contimg_lab.errors import InvalidInput

__all__ = [
    "PRESETS",
    "Preset",
    "Recovery",
    "Rule",
    "eta_v_rule",
    "expression_rule",
    "fewest_epochs",
    "preset_rule",
    "recovery",
    "two_epoch_rule",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule applied to m sources.

    Attributes
    ----------
    name
        What it is called in a table.
    text
        The rule in words and numbers.
    selected
        Shape (m,).
    reason
        Shape (m,): `Why` code where the rule could not decide; such a source is not selected,
        which is not to say that it is constant.
    """

    name: str
    text: str
    selected: Bools
    reason: Codes


def eta_v_rule(
    eta: Floats, v: Floats, *, n_sigma: float = 2.0, fitted: Bools | None = None
) -> tuple[Rule, FieldFit, FieldFit]:
    """Select what lies n sigma above the field in both log10(eta) and log10(V).

    Parameters
    ----------
    eta, v
        Shape (m,).
    n_sigma
        How far above the fits.
    fitted
        Shape (m,): sources that the fits rest on; None: all. V of a source that is mostly noise
        is large whatever it does, so a field with many such sources (forced photometry) is
        to be fitted on those that are detected, see `flux_scale.bright_sources`. The cuts hold
        for all.

    Returns
    -------
    rule, fit of eta, fit of V
        With its thresholds in the rule's text.

    References
    ----------
    Rowlinson et al. (2019), A&C 27, 111.
    """
    if not n_sigma >= 0.0:
        raise InvalidInput(f"n_sigma {n_sigma!r} is no number of at least 0")
    within = slice(None) if fitted is None else fitted
    of_eta, of_v = fit_field(eta[within]), fit_field(v[within])
    least_eta, least_v = of_eta.threshold(n_sigma), of_v.threshold(n_sigma)
    known = np.isfinite(eta) & np.isfinite(v)
    reason = np.where(known, Why.DEFINED, Why.INPUT_UNDEFINED).astype(np.uint8)
    for fit in (of_eta, of_v):
        if fit.reason:
            reason[:] = fit.reason
    selected = (reason == 0) & (np.nan_to_num(eta) > least_eta) & (np.nan_to_num(v) > least_v)
    text = (
        f"eta > {least_eta:.4g} and V > {least_v:.4g} ({n_sigma:g} sigma above the field in both)"
    )
    return Rule(name="eta_v", text=text, selected=selected, reason=reason), of_eta, of_v


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The pipeline's thresholds for a large deviation."""

    sigma_deviation: float
    eta: float
    chi2_nu: float


PRESETS: Mapping[str, Preset] = {
    "conservative": Preset(sigma_deviation=5.0, eta=3.0, chi2_nu=4.0),
    "moderate": Preset(sigma_deviation=3.5, eta=2.0, chi2_nu=2.5),
    "sensitive": Preset(sigma_deviation=2.5, eta=1.0, chi2_nu=1.5),
}
"""The pipeline's presets in its search for extreme scattering events, by name."""


def fewest_epochs(sigma_deviation: float) -> int:
    """Fewest epochs in which a deviation can reach so many standard deviations.

    A deviation is at most ``(N - 1) / sqrt(N)`` sample standard deviations.

    Examples
    --------
    >>> fewest_epochs(5.0), fewest_epochs(3.5), fewest_epochs(2.5)
    (27, 15, 9)
    """
    root = (sigma_deviation + math.sqrt(sigma_deviation**2 + 4.0)) / 2.0
    n = max(2, math.floor(root * root) - 1)
    while (n - 1) / math.sqrt(n) < sigma_deviation:
        n += 1
    return n


def preset_rule(
    name: str, sigma_deviation: Floats, eta: Floats, n: NDArray[np.int64],
    chi2_nu: Floats | None = None,
) -> Rule:  # fmt: skip
    """Apply one of `PRESETS`: all three thresholds reached.

    Parameters
    ----------
    name
        ``conservative``, ``moderate`` or ``sensitive``.
    sigma_deviation, eta, n
        Shape (m,).
    chi2_nu
        Shape (m,); None: eta, which is the reduced chi-squared. Then its higher threshold
        decides alone.
    """
    if name not in PRESETS:
        raise InvalidInput(f"preset {name!r} is none of {', '.join(PRESETS)}")
    least = PRESETS[name]
    reduced = eta if chi2_nu is None else chi2_nu
    enough = fewest_epochs(least.sigma_deviation)
    known = np.isfinite(sigma_deviation) & np.isfinite(eta) & np.isfinite(reduced)
    reason = np.select(
        [n < enough, ~known],
        [np.uint8(Why.CANNOT_REACH), np.uint8(Why.INPUT_UNDEFINED)],
        np.uint8(0),
    ).astype(np.uint8)
    selected = (
        (reason == 0)
        & (np.nan_to_num(sigma_deviation) >= least.sigma_deviation)
        & (np.nan_to_num(eta) >= least.eta)
        & (np.nan_to_num(reduced) >= least.chi2_nu)
    )
    text = (
        f"sigma deviation >= {least.sigma_deviation:g} (needs {enough} epochs), "
        f"eta >= {least.eta:g}, chi2_nu >= {least.chi2_nu:g}"
    )
    return Rule(name=name, text=text, selected=selected, reason=reason)


def two_epoch_rule(vs: Floats, m: Floats, *, least_vs: float = 4.3, least_m: float = 0.26) -> Rule:
    """Select by the pair of largest |Vs|: ``|Vs| > 4.3`` and ``|m| > 0.26``.

    Not the same as searching every pair for one that passes both: the pair of largest |Vs|
    may be of two bright, exact epochs that differ by less than 26 %.

    References
    ----------
    Mooley et al. (2016), ApJ 818, 105, sec. 5.
    """
    known = np.isfinite(vs) & np.isfinite(m)
    selected = known & (np.abs(vs) > least_vs) & (np.abs(m) > least_m)
    reason = np.where(known, Why.DEFINED, Why.INPUT_UNDEFINED).astype(np.uint8)
    text = f"|Vs| > {least_vs:g} and |m| > {least_m:g} of the pair of largest |Vs|"
    return Rule(name="two_epoch", text=text, selected=selected, reason=reason)


def expression_rule(
    expression: str, columns: Mapping[str, NDArray[np.generic]], *, name: str = "expression"
) -> Rule:
    """Select by an expression over column names; see `expressions.evaluate`."""
    selected, known = evaluate(expression, columns)
    reason = np.where(known, Why.DEFINED, Why.INPUT_UNDEFINED).astype(np.uint8)
    return Rule(name=name, text=expression, selected=selected & known, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How a selection compares with the truth.

    Attributes
    ----------
    n_variable, n_selected, n_found
        True variables, selected sources, and those that are both.
    completeness
        Found over variable; NaN where nothing varies.
    purity
        Found over selected; NaN where nothing is selected.
    """

    n_variable: int
    n_selected: int
    n_found: int
    completeness: float
    purity: float


def recovery(selected: Bools, variable: Bools) -> Recovery:
    """Completeness and purity of a selection where the truth is known; shape (m,) each."""
    wanted, taken = int(variable.sum()), int(selected.sum())
    found = int((selected & variable).sum())
    return Recovery(
        n_variable=wanted,
        n_selected=taken,
        n_found=found,
        completeness=found / wanted if wanted else math.nan,
        purity=found / taken if taken else math.nan,
    )
