"""What the variability panel says: columns, rules, warnings, and one source's numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._table import Column, Written, numbers
from contimg_lab.panels._words import count_words, escape, number, probability
from contimg_lab.times import datetime_from_mjd

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.services.explanation import Explanation
    from contimg_lab.services.light_curve import LightCurve

__all__ = [
    "ANY_RULE",
    "PRESETS",
    "RULES",
    "Detail",
    "Field",
    "columns_of",
    "field_of",
    "fold_html",
    "numbers_of",
    "rule_columns",
    "rules_words",
    "scale_words",
    "selected_by",
    "together_words",
]

ANY_RULE = "any"
PRESETS = ("conservative", "moderate", "sensitive")
RULES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "eta_v": ("η–V", ("eta_v",)),
    "presets": ("presets", PRESETS),
    "two_epoch": ("two-epoch", ("two_epoch",)),
    "expression": ("expression", ("expression",)),
}
"""Rules as the panel offers them: what they are called, and their columns of yes or no."""

_FIT_SNR = 5.0
_FEWEST_FITTED = 3
_UNCORRECTED = "not compared: its fluxes are not corrected"


@dataclass(frozen=True, slots=True)
class Field:
    """All sources with their statistics and rules; ``fitted`` marks those the fits rest on."""

    table: pd.DataFrame
    fitted: pd.Series[bool]
    attrs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Detail:
    """What belongs to one source; ``row`` is its row of `Field.table`."""

    curve: LightCurve
    row: pd.Series[Any]
    explanation: Explanation
    corrected: bool


def field_of(statistics: pd.DataFrame, candidates: pd.DataFrame) -> Field:
    """Join the statistics with the rules, by source; what only one of them has is not shown."""
    extra = [name for name in candidates.columns if name not in statistics.columns]
    table = statistics.join(candidates[extra], how="inner")
    # the definition of `analysis.flux_scale.bright_sources`, from a table's columns
    typical = table["weighted_mean_err_jy"] * np.sqrt(table["n_used"])
    snr = table["weighted_mean_jy"] / typical
    fitted = (snr >= _FIT_SNR) & (table["n_used"] >= _FEWEST_FITTED)
    table.insert(0, "source_id", table.index.astype(str))
    table = table.reset_index(drop=True)
    fitted.index = table.index
    attrs = {str(name): value for name, value in candidates.attrs.items()}
    table.attrs.update(attrs, units=statistics.attrs["units"])
    return Field(table, fitted, attrs)


def rule_columns(table: pd.DataFrame, rule: str) -> list[str]:
    """Columns of yes or no that a rule of the panel stands for; `ANY_RULE`: all of them."""
    return [
        name
        for key, (_, names) in RULES.items()
        for name in names
        if rule in (key, ANY_RULE, name) and name in table
    ]


def selected_by(table: pd.DataFrame, rule: str) -> pd.Series[bool]:
    """Which sources a rule of the panel selects; `ANY_RULE`: at least one of them."""
    chosen: pd.Series[bool] = table[rule_columns(table, rule)].any(axis=1)
    return chosen


def rules_words(field: Field) -> str:
    """Count what the rules select: ``38 selected in the field: η–V 2, presets 24, ...``."""
    table, false = field.table, float(field.attrs["expected_false_pairs"])
    beside = {"two_epoch": f" ({number(false, 2)} false pairs expected)"}
    each = [
        f"{words} {int(selected_by(table, key).sum())}{beside.get(key, '')}"
        for key, (words, names) in RULES.items()
        if names[0] in table
    ]
    chosen = int(selected_by(table, ANY_RULE).sum())
    return f"{chosen} selected in the field: {', '.join(each)}"


def scale_words(scale: Mapping[str, Any]) -> str:
    """Say that the flux scale is corrected and how many images got one; nothing where it is not."""
    if not scale.get("applied"):
        return ""
    images, without = int(scale["n_images"]), int(scale["n_images_without"])
    error = float(scale["median_error"])
    exact = f", median error {number(100.0 * error, 2)} %" if math.isfinite(error) else ""
    unsettled = "" if scale["settled"] else "; the scales did not settle"
    return (
        f"flux scale corrected: {images - without} of {images} images got a scale from "
        f"{int(scale['n_references'])} stable sources{exact}{unsettled}"
    )


def together_words(together: Mapping[str, Any], *, corrected: bool) -> tuple[str, bool]:
    """Say whether the sources vary together, and whether that is a warning."""
    if not together.get("looked_at"):
        return "Whether the sources vary together was not looked at.", False
    middle, count = float(together["median_correlation"]), int(together["n_sources"])
    if not math.isfinite(middle):
        return "Too few bright sources share images to tell whether they vary together.", False
    told = f"median correlation {middle:.2f} of {count} bright sources with their images"
    if not together["warning"]:
        return f"The sources vary each by itself ({told}).", False
    if corrected:
        return (
            f"The recorded fluxes vary together ({told}), as where images share gain errors; "
            "shown here are fluxes on each image's corrected scale.",
            False,
        )
    return (
        f"Warning: the sources vary together ({told}), as where images share gain errors. η, p "
        "and Vs of bright sources then speak of the images; try “correct the flux scale”.",
        True,
    )


def columns_of(sources: pd.DataFrame) -> list[Column]:
    """Return the columns of the table of sources."""
    few, pairless = "too few epochs are used", "no two epochs are used"

    def values(name: str) -> np.ndarray[Any, Any]:
        return sources[name].to_numpy(dtype=np.float64, na_value=np.nan)

    return [
        Column(title="source", texts=sources["source_id"].tolist()),
        Column(title="selected by", texts=Written(sources["selected_by"].tolist(), _rules_of)),
        numbers("η", values("eta"), number, few),
        numbers("V", values("v"), number, few),
        numbers("p (constant)", values("p_constant"), probability, few),
        numbers("largest Vs", values("vs_max"), number, pairless),
        numbers("mean (mJy)", values("weighted_mean_jy") * 1e3, _four, few),
        numbers("NVSS (mJy)", values("nvss_flux_mjy"), _four, "no NVSS flux is recorded"),
        numbers("epochs", sources["n_used"].to_numpy()),
        numbers("left out", sources["n_excluded"].to_numpy()),
    ]


def _four(value: float) -> str:
    return number(value, 4)


def _rules_of(selected: str) -> str:
    """Shorten ``eta_v, moderate, sensitive`` to the panel's words; of presets the strictest."""
    names = selected.split(", ") if selected else []
    strictest = next((name for name in PRESETS if name in names), None)
    words = {"eta_v": "η–V", "two_epoch": "two-epoch"}
    return ", ".join(
        words.get(name, name) for name in names if name not in PRESETS or name == strictest
    )


def numbers_of(detail: Detail) -> dict[str, str]:
    """Return one source's numbers in words, the pipeline's own beside them."""
    curve, row = detail.curve, detail.row
    mean, error = float(row["weighted_mean_jy"]) * 1e3, float(row["weighted_mean_err_jy"]) * 1e3
    found = int(np.sum(curve.is_detection))
    reasons = ", ".join(f"{n} {reason}" for reason, n in curve.excluded.counts().items())
    unscaled = int(row["excluded_no_flux_scale"])
    if unscaled:
        reasons = f"{reasons}, {unscaled} without a flux scale".removeprefix(", ")
    of_pipeline = int(row["pipeline_n"]) if math.isfinite(float(row["pipeline_n"])) else None
    used = int(row["n_used"])
    rows = {
        "Selected by": _rules_of(str(row["selected_by"])) or "no rule",
        "Undecided": str(row["undecided"]),
        "RA, Dec": f"{curve.ra_deg:.4f}, {curve.dec_deg:+.4f} deg",
        "Weighted mean": f"{number(mean, 4)} ± {number(error, 2)} mJy",
        "NVSS": f"{number(curve.nvss_flux_mjy, 4)} mJy",
        "V": _beside(row, "v"),
        "η": _beside(row, "eta"),
        "σ deviation": _beside(row, "sigma_deviation"),
        "χ²": f"{number(float(row['chi_squared']), 4)} ({max(used - 1, 0)} dof)",
        "p (constant)": probability(float(row["p_constant"])),
        "Largest pair": _pair(row),
        "Epochs used": f"{used} ({found} detections, {len(curve) - found} upper limits)",
        "Left out": reasons or "none",
        "Pipeline": _verdict(row, of_pipeline, corrected=detail.corrected),
        "Times from": count_words(curve.time_source),
    }
    if detail.corrected:
        rows["Epochs used"] = f"{used}, on each image's flux scale"
        rows["Light curve"] = f"{len(curve)} epochs as recorded, not on the corrected scale"
    if not rows["Undecided"]:
        del rows["Undecided"]
    timed = curve.mjd[np.isfinite(curve.mjd)]
    if len(timed):
        first, last = (datetime_from_mjd(float(t)) for t in (timed[0], timed[-1]))
        rows["Observed"] = f"{first:%Y-%m-%d} to {last:%Y-%m-%d} UTC"
    columns = Counter(str(name) for name in curve.flux_column)
    if "peak_jyb" in columns:
        rows["Fluxes from"] = count_words(columns.elements())
    return rows


def _beside(row: pd.Series[Any], name: str) -> str:
    ours, theirs = float(row[name]), float(row[f"pipeline_{name}"])
    beside = f" (pipeline {number(theirs)})" if math.isfinite(theirs) else ""
    return f"{number(ours) if math.isfinite(ours) else 'undefined'}{beside}"


def _pair(row: pd.Series[Any]) -> str:
    if not math.isfinite(float(row["vs_max"])):
        return "none"
    times = (float(row[name]) for name in ("vs_first_mjd", "vs_second_mjd"))
    days = (
        f"{datetime_from_mjd(t):%Y-%m-%d}" if math.isfinite(t) else "time unknown" for t in times
    )
    change = number(float(row["m_at_vs_max"]), 2)
    return f"Vs {number(float(row['vs_max']))}, m {change}: {' and '.join(days)}"


def _verdict(row: pd.Series[Any], count: int | None, *, corrected: bool) -> str:
    if count is None and not row["pipeline_verdict"]:
        return "has no figures of this source"
    epochs = "" if count is None else f" ({count} epochs)"
    return f"{_UNCORRECTED if corrected else row['pipeline_verdict']}{epochs}"


def fold_html(explanation: Explanation) -> str:
    """Return the explanation of a source's figures as a fold."""
    return (
        "<details><summary>Where do these numbers come from? Equations, sums and papers of "
        f"{escape(explanation.source_id)}</summary>"
        f"<div style='overflow-x:auto'>{explanation._repr_html_()}</div></details>"
    )
