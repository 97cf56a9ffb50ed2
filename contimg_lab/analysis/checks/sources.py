"""Checks of sources: the flux scale of their fluxes, which are lost, how many vary at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks._declared import Found, Limits, check
from contimg_lab.analysis.checks._hours import (
    codes_of,
    first_of,
    found_of,
    graded,
    nothing,
    rows_by_hour,
)
from contimg_lab.analysis.checks._night import Columns, Night
from contimg_lab.analysis.hour_checks import HourFigures, flux_ratios

__all__ = ["catalogued", "completeness", "flux_ratio", "flux_scatter", "variables"]

Mask = NDArray[np.bool_]

_SIGMA_OF_MAD = 1.482602218505602


def _counts(rows: Columns) -> Mask:
    """Which measurements count."""
    return np.array([not why for why in rows["reason"]], bool)


def catalogued(night: Night, limits: Limits) -> tuple[Mask, Mask, NDArray[np.float64]]:
    """Measurements of bright catalogued sources, those of them found, and their flux ratio.

    Parameters
    ----------
    night
        Its columns.
    limits
        ``least_mjy`` and ``least_snr`` of the check `flux_ratio`.

    Returns
    -------
    bright, found, ratio
        One value a row of ``night.photometry``.
    """
    rows = night.photometry
    bright = (rows["nvss_flux_mjy"] >= limits["least_mjy"]) & np.isfinite(rows["nvss_flux_mjy"])
    found = rows["flux_jy"] >= limits["least_snr"] * rows["flux_err_jy"]
    ratio = rows["flux_jy"] * 1e3 / rows["nvss_flux_mjy"]
    return bright, bright & found & _counts(rows) & np.isfinite(ratio), ratio


@check(
    "flux_ratio",
    protects_against="a wrong flux scale: tables of another strip give about 0.06",
    metric="median of measured over catalogued (NVSS) flux of the sources found",
    unit="1",
    needs=["photometry", "photometry.nvss_flux_mjy"],
)
def flux_ratio(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge the flux scale of each hour by its catalogued sources."""
    rows = night.photometry
    bright, found, ratio = catalogued(night, limits)
    source = codes_of(rows["source_id"])
    for hour, mine in rows_by_hour(rows, night):
        kept = mine & bright
        held = flux_ratios(np.full(kept.sum(), hour), source[kept], ratio[kept], found[kept])
        median, n_found, n_measured = held.get(hour, (np.nan, 0, 0))
        figures = HourFigures(flux_ratio=median, n_flux=n_found, n_catalogued=n_measured)
        apart = np.abs(ratio[mine & found] - median)
        more = f", MAD {np.median(apart):.2f}" if len(apart) else ""
        images = night.images
        rows_of = {"images": images["id"][(images["hour"] == hour) & (images["is_tile"] == 1.0)]}
        yield found_of("flux_ratio", hour, figures, limits, rows_of, more)


@check(
    "flux_scatter",
    protects_against="a median that is right over fluxes that are not",
    metric="1.4826 times the MAD of measured over catalogued (NVSS) flux",
    unit="1",
    severity="notice",
    needs=["photometry", "photometry.nvss_flux_mjy"],
)
def flux_scatter(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge the scatter of the flux ratios of each hour."""
    rows = night.photometry
    _, found, ratio = catalogued(night, limits)
    source = codes_of(rows["source_id"])
    for hour, mine in rows_by_hour(rows, night):
        kept = mine & found
        n = len(np.unique(source[kept]))
        if n < limits["fewest"]:
            yield nothing(f"{n} catalogued sources found", hour=hour)
            continue
        values = ratio[kept]
        scatter = _SIGMA_OF_MAD * float(np.median(np.abs(values - np.median(values))))
        yield graded(scatter, limits, f"scatter {scatter:.2f} of {n} sources", hour=hour)


@check(
    "completeness",
    protects_against="images that lose the sources that are there",
    metric="catalogued sources of 50 mJy and more that are found",
    unit="1",
    needs=["catalogue"],
)
def completeness(night: Night, limits: Limits) -> Iterator[Found]:
    """Judge which fraction of an hour's catalogued sources its images show."""
    rows = night.catalogue
    bright = np.isfinite(rows["flux_mjy"]) & (rows["flux_mjy"] >= limits["least_mjy"])
    for hour, mine in rows_by_hour(rows, night):
        kept = mine & bright & np.isfinite(rows["is_found"])
        n = int(kept.sum())
        if n < limits["fewest"]:
            yield nothing(f"fewer than {limits['fewest']:g} catalogued sources ({n})", hour=hour)
            continue
        lost = kept & (rows["is_found"] != 1.0)
        share = 1.0 - float(lost.sum()) / n
        names, more = first_of(rows["name"][lost])
        why = f"{n - lost.sum()} of {n} catalogued sources found{more}"
        yield graded(share, limits, why, low_is_bad=True, hour=hour, rows={"catalogue": names})


@check(
    "variables",
    protects_against="a common error of scale or position that is taken for variable sources",
    metric="measurements far from the source's earlier nights, of those that can be compared",
    unit="1",
    needs=["photometry", "photometry.reference_flux_jy"],
)
def variables(night: Night, limits: Limits) -> Iterator[Found]:
    """Find hours in which many sources differ from their earlier nights at once.

    The distance is in errors of both, widened where the source scattered more before already.
    """
    rows = night.photometry
    wide = np.sqrt(np.fmax(rows["reference_eta"], 1.0))
    error = wide * np.hypot(rows["flux_err_jy"], rows["reference_err_jy"])
    away = np.abs(rows["flux_jy"] - rows["reference_flux_jy"]) / error
    known = np.isfinite(away) & (rows["reference_n"] >= limits["least_epochs"]) & _counts(rows)
    for hour, mine in rows_by_hour(rows, night):
        kept = mine & known
        n = int(kept.sum())
        if n < limits["fewest"]:
            yield nothing(f"{n} measurements have earlier nights to compare with", hour=hour)
            continue
        far = kept & (away > limits["sigma"])
        ids, more = first_of(rows["id"][far])
        why = f"{far.sum()} of {n} measurements beyond {limits['sigma']:g} sigma{more}"
        told = {"photometry": ids}
        yield graded(float(far.sum()) / n, limits, why, hour=hour, rows=told)
