"""Whether the sources of a field vary together, as they do where images share gain errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.flux_scale import bright_sources
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.segments import offsets_of, segment_sums, source_codes

__all__ = ["WARN_ABOVE", "Together", "vary_together"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WARN_ABOVE = 0.2
"""Median correlation above which a field is said to vary together."""

_FEWEST_IN_IMAGE = 4
_FEWEST_EPOCHS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How the bright sources of a field vary with each other.

    Attributes
    ----------
    correlation
        Shape (m,): correlation, over a source's epochs, of its residual with the median
        residual of the other bright sources in the same image; NaN for faint sources, and
        where fewer than 5 epochs have 3 others.
    median_correlation
        Median of these; NaN where there are none. About 0 where sources vary by themselves.
    n_sources
        How many sources that is of.
    image_residual
        Shape (k,): median residual of each image's bright sources, in standard deviations of
        each source; NaN where an image has fewer than 4.
    warning
        Whether the median lies above `WARN_ABOVE`.
    """

    correlation: Floats
    median_correlation: float
    n_sources: int
    image_residual: Floats
    warning: bool


def vary_together(
    flux_jy: Floats,
    flux_err_jy: Floats,
    offsets: Ints,
    image: Ints,
    n_images: int,
    *,
    least_snr: float = 10.0,
) -> Together:
    """Correlate every bright source with the others of the same images.

    Residuals are about the source's plain mean, in its own sample standard deviations. A
    source is left out of the median it is compared with. Where the median correlation is
    high, p-values, eta and Vs of bright sources speak of image gains, not of the sources.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,): only epochs that count, Jy, sorted by source.
    offsets
        Shape (m + 1,): where each source begins.
    image, n_images
        Shape (n,): position of each row's image, 0 to k - 1, and k; -1 for no image.
    least_snr
        Brightness in typical errors from which a source takes part.
    """
    sums = moments(flux_jy, flux_err_jy, offsets)
    with np.errstate(all="ignore"):
        std = np.sqrt(sums.square_deviations_jy2 / (sums.n - 1.0))
    bright = bright_sources(flux_jy, flux_err_jy, offsets, least_snr=least_snr) & (std > 0.0)
    source = source_codes(offsets)
    rows = np.flatnonzero(bright[source] & (image >= 0))
    of, where = source[rows], image[rows]
    residual = (flux_jy[rows] - sums.mean_jy[of]) / std[of]
    others, middle = _medians_of_others(residual, where, n_images)
    kept = np.isfinite(others)
    part = offsets_of(np.bincount(of[kept], minlength=len(offsets) - 1))
    correlation = _correlation(residual[kept], others[kept], part)
    known = correlation[np.isfinite(correlation)]
    median = float(np.median(known)) if len(known) else math.nan
    return Together(
        correlation=correlation,
        median_correlation=median,
        n_sources=len(known),
        image_residual=middle,
        warning=median > WARN_ABOVE,
    )


def _medians_of_others(residual: Floats, where: Ints, n_images: int) -> tuple[Floats, Floats]:
    """Of each row the median of its image's other rows; and each image's own median."""
    number = np.bincount(where, minlength=n_images)
    starts = offsets_of(number)[:-1]
    order = np.lexsort((residual, where))
    ordered, of = residual[order], where[order]
    place = np.arange(len(order)) - starts[of]
    size = number[of]
    # without the row itself, places from its own on move down by one
    low, high = (size - 2) // 2, (size - 1) // 2
    low, high = low + (low >= place), high + (high >= place)
    enough = size >= _FEWEST_IN_IMAGE
    others = np.full(len(order), np.nan)
    at = starts[of]
    others[order[enough]] = (ordered[(at + low)[enough]] + ordered[(at + high)[enough]]) / 2.0
    middle = np.full(n_images, np.nan)
    full = number >= _FEWEST_IN_IMAGE
    middle[full] = (
        ordered[(starts + (number - 1) // 2)[full]] + ordered[(starts + number // 2)[full]]
    ) / 2.0
    return others, middle


def _correlation(x: Floats, y: Floats, part: Ints) -> Floats:
    counts = np.diff(part)
    with np.errstate(all="ignore"):
        x = x - np.repeat(segment_sums(x, part) / counts, counts)
        y = y - np.repeat(segment_sums(y, part) / counts, counts)
        size = np.sqrt(segment_sums(x * x, part) * segment_sums(y * y, part))
        found = segment_sums(x * y, part) / size
    return np.where((counts >= _FEWEST_EPOCHS) & (size > 0.0), found, np.nan)
