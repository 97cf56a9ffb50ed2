"""What each figure of the variability table is made of: equation, sums and paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["EQUATIONS", "Equation"]


@dataclass(frozen=True, slots=True)
class Equation:
    """How one figure is calculated.

    Attributes
    ----------
    unit
        ``""`` for none.
    text
        N epochs, S a flux, s its error, w = 1 / s**2.
    sums
        Names of the sums it is made of.
    reference
        Paper.
    """

    unit: str
    text: str
    sums: tuple[str, ...]
    reference: str


_SWINBANK = "Swinbank et al. (2015), A&C 11, 25"
_SOKOLOVSKY = "Sokolovsky et al. (2017), MNRAS 464, 274"
_VAUGHAN = "Vaughan et al. (2003), MNRAS 345, 1271"
_MOOLEY = "Mooley et al. (2016), ApJ 818, 105, sec. 5"

EQUATIONS: Mapping[str, Equation] = {
    "mean_jy": Equation("Jy", "sum(S) / N", ("N", "sum(S)"), ""),
    "weighted_mean_jy": Equation(
        "Jy", "sum(w S) / sum(w)", ("sum(w S)", "sum(w)"), "Bevington & Robinson (2003), ch. 4"
    ),
    "weighted_mean_err_jy": Equation(
        "Jy", "1 / sqrt(sum(w))", ("sum(w)",), "Bevington & Robinson (2003), ch. 4"
    ),
    "v": Equation(
        "", "sqrt(sum((S - mean)**2) / (N - 1)) / mean",
        ("N", "mean", "sum((S - mean)**2)"), _SWINBANK,
    ),
    "chi_squared": Equation(
        "", "sum(w (S - weighted mean)**2)",
        ("weighted mean", "sum(w (S - weighted mean)**2)"), _SWINBANK,
    ),
    "eta": Equation(
        "", "sum(w (S - weighted mean)**2) / (N - 1)",
        ("N", "weighted mean", "sum(w (S - weighted mean)**2)"), _SWINBANK,
    ),
    "p_constant": Equation(
        "", "P(chi2(N - 1) >= sum(w (S - weighted mean)**2))",
        ("N", "sum(w (S - weighted mean)**2)"), _SWINBANK,
    ),
    "log_p_constant": Equation(
        "", "ln P(chi2(N - 1) >= sum(w (S - weighted mean)**2))",
        ("N", "sum(w (S - weighted mean)**2)"), _SWINBANK,
    ),
    "m_debiased": Equation(
        "", "sgn(R) sqrt(|R|) / (sqrt(N) mean), R = sum((S - mean)**2) - sum(s**2)",
        ("N", "mean", "sum((S - mean)**2)", "sum(s**2)"),
        "Barvainis et al. (2005); Sadler et al. (2006); Bell et al. (2014)",
    ),
    "excess_variance_jy2": Equation(
        "Jy2", "sum((S - mean)**2) / (N - 1) - sum(s**2) / N",
        ("N", "sum((S - mean)**2)", "sum(s**2)"), f"{_VAUGHAN}, eq. 8",
    ),
    "f_var": Equation(
        "", "sqrt(sum((S - mean)**2) / (N - 1) - sum(s**2) / N) / mean",
        ("N", "mean", "sum((S - mean)**2)", "sum(s**2)"), f"{_VAUGHAN}, eq. 10",
    ),
    "f_var_err": Equation(
        "", "sqrt((E / (sqrt(2 N) mean**2 F_var))**2 + (sqrt(E / N) / mean)**2), "
        "E = sum(s**2) / N",
        ("N", "mean", "sum(s**2)"), f"{_VAUGHAN}, eq. B2",
    ),
    "sigma_deviation": Equation(
        "", "max|S - mean| / sqrt(sum((S - mean)**2) / (N - 1))",
        ("N", "max|S - mean|", "sum((S - mean)**2)"), "the pipeline's own practice",
    ),
    "inverse_von_neumann": Equation(
        "", "sum((S - mean)**2) / sum((S[i+1] - S[i])**2)",
        ("sum((S - mean)**2)", "sum((S[i+1] - S[i])**2)"),
        f"von Neumann (1941); {_SOKOLOVSKY}",
    ),
    "stetson_j": Equation(
        "", "sum(sgn(P) sqrt|P|) / (N - pairs), P = N / (N - 1) d_a d_b of a pair, "
        "N / (N - 1) d**2 - 1 of a single epoch, d = (S - weighted mean) / s",
        ("N", "pairs", "sum(sgn(P) sqrt|P|)"), f"Stetson (1996), PASP 108, 851; {_SOKOLOVSKY}",
    ),
    "stetson_k": Equation(
        "", "sum|d| / sqrt(N sum(d**2)), d = (S - weighted mean) / s",
        ("N", "sum|d|", "sum(w (S - weighted mean)**2)"),
        f"Stetson (1996), PASP 108, 851; {_SOKOLOVSKY}",
    ),
    "welch_stetson_i": Equation(
        "", "sum(d_a d_b) / sqrt(pairs (pairs - 1)), d = (S - weighted mean) / s",
        ("pairs", "sum(d_a d_b)"), f"Welch & Stetson (1993), AJ 105, 1813; {_SOKOLOVSKY}",
    ),
    "peak_to_peak": Equation(
        "", "(max(S - s) - min(S + s)) / (max(S - s) + min(S + s))",
        ("max(S - s)", "min(S + s)"), f"{_SOKOLOVSKY}, table 1",
    ),
    "vs_max": Equation(
        "", "(S_a - S_b) / sqrt(s_a**2 + s_b**2) of the pair where it is largest",
        ("S_a", "s_a", "S_b", "s_b", "mjd_a", "mjd_b"), _MOOLEY,
    ),
    "m_at_vs_max": Equation(
        "", "2 (S_a - S_b) / (S_a + S_b) of the same pair", ("S_a", "S_b"), _MOOLEY,
    ),
}  # fmt: skip
"""By column name, in the order of the table."""
