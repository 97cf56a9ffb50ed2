"""Where a source's figures come from, as a value that reads well in a notebook."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.reasons import WORDS
from contimg_lab.analysis.shape import pair_sums
from contimg_lab.errors import InvalidInput
from contimg_lab.services._curve_value import square_unit
from contimg_lab.services._equations import EQUATIONS, Equation
from contimg_lab.services._variability import Found
from contimg_lab.services.light_curve import LightCurve

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Explanation", "Figure", "explain"]


_NO_SCALE = "no flux scale of the image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a source.

    Attributes
    ----------
    name
        Column of the variability table.
    value
        NaN where undefined; ``reason`` then says why.
    equation
        In words; ``reference`` its paper, ``unit`` its unit ("" for none).
    sums
        What the equation is fed with, by name.
    """

    name: str
    value: float
    unit: str
    reason: str
    equation: str
    reference: str
    sums: Mapping[str, float]

    def __repr__(self) -> str:
        return "\n".join(_lines(self))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """Every figure of a source with its equation, sums and paper, and the epochs behind it.

    ``explanation["eta"]`` is one figure; ``explanation.epochs()`` the epochs in and out.
    """

    source_id: str
    figures: tuple[Figure, ...]
    n_used: int
    n_excluded: int
    excluded: Mapping[str, int]
    flux_scale: bool
    light_curve: LightCurve = field(repr=False)
    corrected: Mapping[int, tuple[float, float]] | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> Figure:
        for figure in self.figures:
            if figure.name == name:
                return figure
        names = ", ".join(figure.name for figure in self.figures)
        raise InvalidInput(f"no figure {name!r}; it has {names}")

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def epochs(self) -> pd.DataFrame:
        """Return every epoch, ``used`` or with the ``reason`` why not.

        With the flux scale corrected, fluxes and errors are the corrected ones, and an epoch
        whose image has no scale is not used.
        """
        made = self.light_curve.to_pandas(excluded=True)
        if self.corrected is not None:
            held = made["row_id"].isin(list(self.corrected)) & made["used"]
            made.loc[made["used"] & ~held, "reason"] = _NO_SCALE
            made["used"] = held
            for column, part in (("flux_jy", 0), ("flux_err_jy", 1)):
                found = {row: pair[part] for row, pair in self.corrected.items()}
                made.loc[held, column] = made.loc[held, "row_id"].map(found)
        return made

    def _headline(self) -> str:
        out = ", ".join(f"{k} {reason}" for reason, k in self.excluded.items())
        scale = "; fluxes on each image's flux scale" if self.flux_scale else ""
        left = f"{self.n_excluded} left out" + (f" ({out})" if out else "")
        return f"{self.source_id}: {self.n_used} epochs used, {left}{scale}"

    def __repr__(self) -> str:
        return "\n".join([self._headline(), *(line for f in self.figures for line in _lines(f))])

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th style='text-align:left'>{name}</th>"
            for name in ("figure", "value", "equation", "with", "reference")
        )
        body = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:left'>{html.escape(cell)}</td>"
                for cell in (f.name, _value(f), f.equation, _sums(f), f.reference)
            )
            + "</tr>"
            for f in self.figures
        )
        return (
            f"<p>{html.escape(self._headline())}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def explain(found: Found, light_curve: LightCurve) -> Explanation:
    """Explain the figures of the first source of what was found."""
    epochs, offsets = found.epochs, found.offsets
    rows = slice(int(offsets[0]), int(offsets[1]))
    flux, err, mjd = found.flux_jy[rows], found.flux_err_jy[rows], found.mjd[rows]
    sums = _all_sums(found, flux, err, mjd)
    why = dict(found.statistics.why)
    why |= {"vs_max": found.pairs.why_vs, "m_at_vs_max": found.pairs.why_m}
    values = {name: getattr(found.statistics, name) for name in found.statistics.why}
    values |= {"vs_max": found.pairs.vs, "m_at_vs_max": found.pairs.m}
    counts = dict(light_curve.excluded.counts())
    if found.n_uncorrected[0]:
        counts[_NO_SCALE] = int(found.n_uncorrected[0])
    unit = light_curve.flux_unit
    units = {"Jy": unit, "Jy2": square_unit(unit)}
    row_ids = epochs.row_id[found.rows[rows]].tolist()
    pairs = zip(flux.tolist(), err.tolist(), strict=True)
    return Explanation(
        source_id=epochs.source_ids[0],
        figures=tuple(
            _figure(name, how, float(values[name][0]), int(why[name][0]), sums, units)
            for name, how in EQUATIONS.items()
        ),
        n_used=len(flux),
        n_excluded=int(epochs.counts[0]) - len(flux),
        excluded=counts,
        flux_scale=found.scale is not None,
        light_curve=light_curve,
        corrected=None if found.scale is None else dict(zip(row_ids, pairs, strict=True)),
    )


def _figure(
    name: str,
    how: Equation,
    value: float,
    why: int,
    sums: Mapping[str, float],
    units: Mapping[str, str],
) -> Figure:
    return Figure(
        name=name,
        value=value,
        unit=units.get(how.unit, how.unit),
        reason=WORDS[why],
        equation=how.text,
        reference=how.reference,
        sums={part: sums[part] for part in how.sums},
    )


def _all_sums(found: Found, flux: np.ndarray, err: np.ndarray, mjd: np.ndarray) -> dict[str, float]:
    offsets = np.array([0, len(flux)])
    of = moments(flux, err, offsets)
    pairs = pair_sums(flux, err, mjd, offsets, of)
    with np.errstate(all="ignore"):
        weights = 1.0 / of.weighted_mean_err_jy[0] ** 2
    sums = {
        "N": float(len(flux)),
        "sum(S)": float(np.sum(flux)),
        "mean": of.mean_jy[0],
        "weighted mean": of.weighted_mean_jy[0],
        "sum(w)": weights,
        "sum(w S)": weights * of.weighted_mean_jy[0],
        "sum(s**2)": of.square_errors_jy2[0],
        "sum((S - mean)**2)": of.square_deviations_jy2[0],
        "sum(w (S - weighted mean)**2)": of.chi_squared[0],
        "sum|d|": of.sum_abs_pulls[0],
        "max|S - mean|": of.largest_deviation_jy[0],
        "max(S - s)": of.highest_jy[0],
        "min(S + s)": of.lowest_jy[0],
        "sum((S[i+1] - S[i])**2)": of.successive_jy2[0],
        "pairs": float(pairs.n_pairs[0]),
        "sum(d_a d_b)": pairs.sum_products[0],
        "sum(sgn(P) sqrt|P|)": pairs.sum_roots[0],
    }
    for letter, row in (("a", found.pairs.first[0]), ("b", found.pairs.second[0])):
        has = row >= 0
        sums[f"S_{letter}"] = found.flux_jy[row] if has else math.nan
        sums[f"s_{letter}"] = found.flux_err_jy[row] if has else math.nan
        sums[f"mjd_{letter}"] = found.mjd[row] if has else math.nan
    return {name: float(value) for name, value in sums.items()}


def _value(figure: Figure) -> str:
    if figure.reason:
        return f"undefined: {figure.reason}"
    return f"{figure.value:.6g} {figure.unit}".rstrip()


def _sums(figure: Figure) -> str:
    return ", ".join(
        f"{name} = {value:.5f}" if name.startswith("mjd") else f"{name} = {value:.9g}"
        for name, value in figure.sums.items()
    )


def _lines(figure: Figure) -> list[str]:
    lines = [f"  {figure.name} = {_value(figure)}", f"    {figure.equation}"]
    lines.append(f"    with {_sums(figure)}")
    if figure.reference:
        lines.append(f"    {figure.reference}")
    return lines
