"""The variability table: statistics, reasons and the pipeline's figures, one row a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.epochs import REASONS, TIME_SOURCES
from contimg_lab.analysis.flux_scale import FluxScale, apply_flux_scale, measure_flux_scale
from contimg_lab.analysis.grouping import patterns, take_rows
from contimg_lab.analysis.intrinsic import Intrinsic, intrinsic_modulation
from contimg_lab.analysis.pipeline_figures import WORDS, Verdict, compare_figures, repeated_figures
from contimg_lab.analysis.reasons import WORDS as WHY
from contimg_lab.analysis.segments import offsets_of, segment_sums, source_codes
from contimg_lab.analysis.together import Together, vary_together
from contimg_lab.analysis.two_epoch import LargestPairs, in_order_of_time, largest_pairs
from contimg_lab.analysis.variability import Variability, variability
from contimg_lab.repositories.figures import PipelineFigures
from contimg_lab.services._curve_value import square_unit
from contimg_lab.services._epochs import Epochs
from contimg_lab.services.light_curve import flux_unit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FLUX_COLUMNS", "Found", "find", "used_rows", "variability_table"]

FLUX_COLUMNS = ("flux_jy", "peak_jyb")

_UNITS = {
    "ra_deg": "deg (ICRS)",
    "dec_deg": "deg (ICRS)",
    "nvss_flux_mjy": "mJy",
    "vs_first_mjd": "d (MJD, UTC)",
    "vs_second_mjd": "d (MJD, UTC)",
    "pipeline_mean_jy": "Jy",
}
_FLUXES = ("mean_jy", "weighted_mean_jy", "weighted_mean_err_jy")
_STATISTICS = (
    "mean_jy", "weighted_mean_jy", "weighted_mean_err_jy", "v", "eta", "chi_squared",
    "p_constant", "log_p_constant", "m_debiased", "excess_variance_jy2", "f_var", "f_var_err",
    "sigma_deviation", "inverse_von_neumann", "stetson_j", "stetson_k", "welch_stetson_i",
    "peak_to_peak",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Statistics of the epochs that count, and those epochs as columns.

    Attributes
    ----------
    epochs
        All rows; ``rows`` are the positions of those used, shape (n,).
    rows, offsets, flux_jy, flux_err_jy, mjd
        Epochs used, sorted by source and time; fluxes after the flux-scale correction where
        it is on.
    statistics, pairs
        Of every source.
    intrinsic
        None where it was not asked for.
    scale
        None where no correction was asked for.
    n_uncorrected
        Epochs of each source left out because their image has no flux scale, shape (m,).
    together
        Of the epochs before any correction; None where not the whole field was read.
    """

    epochs: Epochs
    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    flux_jy: NDArray[np.float64]
    flux_err_jy: NDArray[np.float64]
    mjd: NDArray[np.float64]
    statistics: Variability
    pairs: LargestPairs
    intrinsic: Intrinsic | None
    scale: FluxScale | None
    n_uncorrected: NDArray[np.int64]
    together: Together | None

    def only(self, source_ids: Sequence[str], *, intrinsic: bool = False) -> Found:
        """Take some of the sources, those that there are, in the order of their names."""
        wanted = set(source_ids)
        epochs = self.epochs
        chosen = np.array([name in wanted for name in epochs.source_ids], bool)
        of_all = chosen[source_codes(epochs.offsets)]
        used = of_all[self.rows]
        some = epochs.only(source_ids)
        rows = (np.cumsum(of_all) - 1)[self.rows[used]]
        offsets = offsets_of(np.diff(self.offsets)[chosen])
        flux, err, mjd = self.flux_jy[used], self.flux_err_jy[used], self.mjd[used]
        return Found(
            epochs=some, rows=rows, offsets=offsets, flux_jy=flux, flux_err_jy=err, mjd=mjd,
            statistics=variability(flux, err, offsets, mjd),
            pairs=in_order_of_time(largest_pairs(flux, err, offsets), mjd),
            intrinsic=intrinsic_modulation(flux, err, offsets) if intrinsic else None,
            scale=self.scale, n_uncorrected=self.n_uncorrected[chosen], together=self.together,
        )  # fmt: skip


def find(
    epochs: Epochs, *, flux_scale: bool = False, intrinsic: bool = False, field: bool = True
) -> Found:
    """Compute the statistics of every source from its epochs.

    Parameters
    ----------
    epochs
        Of some sources, or of the whole field (``field``): only then are image gains looked at.
    flux_scale
        Correct the flux scale of each image first; needs the whole field.
    intrinsic
        Fit the intrinsic modulation too.
    """
    rows, offsets = used_rows(epochs)
    flux, err = take_rows(epochs.flux_jy, rows), take_rows(epochs.flux_err_jy, rows)
    mjd = take_rows(epochs.mjd, rows)
    together: Together | None = None
    scale: FluxScale | None = None
    left_out = np.zeros(len(epochs.source_ids), np.int64)
    if field:
        image, n_images = _renumbered(take_rows(epochs.image, rows), len(epochs.images))
        together = vary_together(flux, err, offsets, image, n_images)
        if flux_scale:
            scale = measure_flux_scale(flux, err, offsets, image, n_images)
            right = apply_flux_scale(flux, err, image, scale)
            kept = right.corrected
            n_kept = _counts(kept, offsets)
            left_out = np.diff(offsets) - n_kept
            rows, mjd = take_rows(rows, kept), take_rows(mjd, kept)
            flux, err = take_rows(right.flux_jy, kept), take_rows(right.flux_err_jy, kept)
            offsets = offsets_of(n_kept)
    return Found(
        epochs=epochs, rows=rows, offsets=offsets, flux_jy=flux, flux_err_jy=err, mjd=mjd,
        statistics=variability(flux, err, offsets, mjd),
        pairs=in_order_of_time(largest_pairs(flux, err, offsets), mjd),
        intrinsic=intrinsic_modulation(flux, err, offsets) if intrinsic else None,
        scale=scale, n_uncorrected=left_out, together=together,
    )  # fmt: skip


def variability_table(found: Found, figures: PipelineFigures) -> pd.DataFrame:
    """Make the table of what was found, indexed by ``source_id``."""
    import pandas as pd

    epochs, statistics, pairs = found.epochs, found.statistics, found.pairs
    data: dict[str, Any] = {
        "ra_deg": epochs.ra_deg,
        "dec_deg": epochs.dec_deg,
        "nvss_flux_mjy": epochs.nvss_flux_mjy,
        "n_used": statistics.n_used,
        "n_excluded": epochs.counts - statistics.n_used,
    }
    data |= {name: getattr(statistics, name) for name in _STATISTICS}
    # a pair of rows, -1 for none
    times = np.append(found.mjd, np.nan)
    data |= {
        "vs_max": pairs.vs,
        "m_at_vs_max": pairs.m,
        "vs_first_mjd": times[pairs.first],
        "vs_second_mjd": times[pairs.second],
        "n_pairs": pairs.n_pairs,
    }
    why = dict(statistics.why) | {"vs_max": pairs.why_vs, "m_at_vs_max": pairs.why_m}
    if found.intrinsic is not None:
        fit = found.intrinsic
        data |= {"m_intrinsic": fit.m, "m_intrinsic_low": fit.low, "m_intrinsic_high": fit.high}
        data["m_intrinsic_limit"] = fit.upper_limit
        why["m_intrinsic"] = fit.reason
    data["undefined"] = _undefined(why)
    reasons = epochs.reasons()
    for code, reason in enumerate(REASONS[1:], start=1):
        data["excluded_" + reason.replace(" ", "_")] = reasons[:, code]
    data["excluded_no_flux_scale"] = found.n_uncorrected
    data["time_source"] = _kinds(epochs.time_source[found.rows], found.offsets, TIME_SOURCES)
    data["flux_column"] = _kinds(epochs.flux_column[found.rows], found.offsets, FLUX_COLUMNS)
    data |= _beside(statistics, epochs.source_ids, figures)
    table = pd.DataFrame(data, index=pd.Index(list(epochs.source_ids), name="source_id"))
    unit = flux_unit(found.epochs.flux_column[found.rows] == FLUX_COLUMNS.index("peak_jyb"))
    units = _UNITS | dict.fromkeys(_FLUXES, unit) | {"excess_variance_jy2": square_unit(unit)}
    table.attrs["units"] = {name: unit for name, unit in units.items() if name in table}
    table.attrs["flux_scale"] = _scale_told(found.scale)
    table.attrs["vary_together"] = _together_told(found.together)
    return table


def used_rows(epochs: Epochs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that count, and where each source's begin among them."""
    used = epochs.reason == 0
    return np.flatnonzero(used), offsets_of(_counts(used, epochs.offsets))


def _counts(marks: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Marked rows of each source, shape (m,)."""
    return segment_sums(marks.view(np.uint8).astype(np.float64), offsets).astype(np.int64)


def _renumbered(image: NDArray[np.int32], n_images: int) -> tuple[NDArray[np.int64], int]:
    """Number the images that occur from 0 on; -1 stays."""
    occurs = np.zeros(n_images + 1, bool)
    occurs[image] = True  # -1 marks the last
    number = np.append(np.cumsum(occurs[:-1]) - 1, -1)
    return take_rows(number, image), int(occurs[:-1].sum())


def _undefined(why: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.object_]:
    """``reason: names; ...`` for each source; "" where everything is defined."""
    names = list(why)
    codes = np.stack([why[name] for name in names], axis=1)
    # few patterns occur, so the words are made once for each
    rows, which = patterns(codes)
    told = np.empty(len(rows), object)
    for i, pattern in enumerate(rows.tolist()):
        told[i] = "; ".join(
            f"{WHY[code]}: "
            + ", ".join(n for n, c in zip(names, pattern, strict=True) if c == code)
            for code in sorted(set(pattern) - {0})
        )
    phrases: NDArray[np.object_] = told[which]
    return phrases


def _kinds(
    code: NDArray[np.uint8], offsets: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.object_]:
    """The kinds that occur in each source, joined by commas."""
    bits = np.zeros(len(offsets) - 1, np.int64)
    for k in range(len(names)):
        bits += (segment_sums((code == k).astype(float), offsets) > 0) * (1 << k)
    told = np.empty(1 << len(names), object)
    for k in range(len(told)):
        told[k] = ", ".join(name for j, name in enumerate(names) if k >> j & 1)
    phrases: NDArray[np.object_] = told[bits]
    return phrases


def _beside(
    ours: Variability, source_ids: Sequence[str], theirs: PipelineFigures
) -> dict[str, Any]:
    place = {name: i for i, name in enumerate(theirs.source_id)}
    at = np.array([place.get(name, -1) for name in source_ids], np.int64)

    def put(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.append(values, np.nan)[at]

    figures = {
        name: put(getattr(theirs, name))
        for name in ("n", "mean_jy", "std_jy", "v", "eta", "chi2_nu", "sigma_deviation")
    }
    # a placeholder is known by how often it stands in the whole table
    repeated = np.append(repeated_figures(theirs.std_jy, theirs.chi2_nu), False)[at]
    verdict = compare_figures(ours, **figures, repeated=repeated)
    words = np.array([WORDS[code] for code in range(len(WORDS))], object)
    shown = ("n", "mean_jy", "v", "eta", "chi2_nu", "sigma_deviation")
    return {
        "pipeline_table": ["" if row < 0 else str(theirs.table[row]) for row in at.tolist()],
        **{f"pipeline_{name}": figures[name] for name in shown},
        "pipeline_disagrees": verdict >= Verdict.PLACEHOLDER,
        "pipeline_verdict": words[verdict],
    }


def _scale_told(scale: FluxScale | None) -> dict[str, Any]:
    if scale is None:
        return {"applied": False}
    return {
        "applied": True,
        "n_images": len(scale.scale),
        "n_images_without": int((scale.reason != 0).sum()),
        "n_references": int(scale.is_reference.sum()),
        "median_error": float(np.nanmedian(scale.scale_err)) if len(scale.scale) else np.nan,
        "settled": scale.settled,
    }


def _together_told(together: Together | None) -> dict[str, Any]:
    if together is None:
        return {"looked_at": False}
    return {
        "looked_at": True,
        "median_correlation": together.median_correlation,
        "n_sources": together.n_sources,
        "warning": together.warning,
    }
