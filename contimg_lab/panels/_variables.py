"""What the variability panel says: rules, warnings, and one source's numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._field_rows import ANY_RULE, RULES, Field, short_rules
from contimg_lab.panels._words import count_words, escape, number, probability
from contimg_lab.times import datetime_from_mjd

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.services.explanation import Explanation
    from contimg_lab.services.light_curve import LightCurve

__all__ = ["fold_html", "numbers_of", "rules_words", "scale_words", "together_words"]

_UNCORRECTED = "not compared: its fluxes are not corrected"


def rules_words(field: Field) -> str:
    """Count what the rules select: ``38 selected in the field: η–V 2, presets 24, ...``."""
    false = float(field.attrs["expected_false_pairs"])
    beside = {"two_epoch": f" ({number(false, 2)} false pairs expected)"}
    counts = {rule: int(np.count_nonzero(chosen)) for rule, chosen in field.selected.items()}
    each = [
        f"{words} {counts[rule]}{beside.get(rule, '')}"
        for rule, (words, _) in RULES.items()
        if rule in counts
    ]
    return f"{counts[ANY_RULE]} selected in the field: {', '.join(each)}"


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


def numbers_of(
    curve: LightCurve, row: pd.Series[Any] | None, *, corrected: bool = False
) -> dict[str, str]:
    """Return one source's numbers in words.

    Parameters
    ----------
    curve
        Its light curve.
    row
        Its row of the field's table; None: the field has not been read yet.
    corrected
        Whether the row is of fluxes on each image's corrected scale.
    """
    found = int(np.sum(curve.is_detection))
    detections = f"({found} detections, {len(curve) - found} upper limits)"
    reasons = ", ".join(f"{n} {reason}" for reason, n in curve.excluded.counts().items())
    used = f"{len(curve)} {detections}"
    rows = {
        "RA, Dec": f"{curve.ra_deg:.4f}, {curve.dec_deg:+.4f} deg",
        "NVSS": f"{number(curve.nvss_flux_mjy, 4)} mJy",
    }
    if row is not None:
        unscaled = int(row["excluded_no_flux_scale"])
        if unscaled:
            reasons = f"{reasons}, {unscaled} without a flux scale".removeprefix(", ")
        rows |= _of_field(row, corrected=corrected)
        scaled = ", on each image's flux scale"
        used = f"{int(row['n_used'])}{scaled if corrected else ' ' + detections}"
    rows["Epochs used"] = used
    if corrected:
        rows["Light curve"] = f"{len(curve)} epochs as recorded, not on the corrected scale"
    rows["Left out"] = reasons or "none"
    rows["Times from"] = count_words(curve.time_source)
    timed = curve.mjd[np.isfinite(curve.mjd)]
    if len(timed):
        first, last = (datetime_from_mjd(float(t)) for t in (timed[0], timed[-1]))
        rows["Observed"] = f"{first:%Y-%m-%d} to {last:%Y-%m-%d} UTC"
    columns = Counter(str(name) for name in curve.flux_column)
    if "peak_jyb" in columns:
        rows["Fluxes from"] = count_words(columns.elements())
    return rows


def _of_field(row: pd.Series[Any], *, corrected: bool) -> dict[str, str]:
    """Numbers of a row of the field's table, the pipeline's own beside them."""
    mean, error = float(row["weighted_mean_jy"]) * 1e3, float(row["weighted_mean_err_jy"]) * 1e3
    of_pipeline = int(row["pipeline_n"]) if math.isfinite(float(row["pipeline_n"])) else None
    rows = {
        "Selected by": short_rules(str(row["selected_by"])) or "no rule",
        "Undecided": str(row["undecided"]),
        "Weighted mean": f"{number(mean, 4)} ± {number(error, 2)} mJy",
        "V": _beside(row, "v"),
        "η": _beside(row, "eta"),
        "σ deviation": _beside(row, "sigma_deviation"),
        "χ²": f"{number(float(row['chi_squared']), 4)} ({max(int(row['n_used']) - 1, 0)} dof)",
        "p (constant)": probability(float(row["p_constant"])),
        "Largest pair": _pair(row),
        "Pipeline": _verdict(row, of_pipeline, corrected=corrected),
    }
    if not rows["Undecided"]:
        del rows["Undecided"]
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
