"""Whether the sources of a field vary together, as they do where images share gain errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.flux_scale import is_bright
from contimg_lab.analysis.grouping import SORTED_ROWS, grouped, order_within
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.segments import over_blocks, segment_sums, spread

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
    bright = is_bright(sums, least_snr) & (std > 0.0)
    marked = spread(bright, offsets)
    marked &= image >= 0
    rows = np.flatnonzero(marked)
    part = np.searchsorted(rows, offsets)
    residual = np.empty(len(rows))

    def deviate(first: int, last: int) -> None:
        of = slice(int(part[first]), int(part[last]))
        counts = np.diff(part[first : last + 1])
        apart = flux_jy[rows[of]] - sums.mean_jy[first:last].repeat(counts)
        np.divide(apart, std[first:last].repeat(counts), out=residual[of])

    over_blocks(deviate, part)
    others, middle = _medians_of_others(residual, image[rows], n_images)
    correlation = _correlation(residual, others, part)
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
    order, offsets = grouped(where, n_images)
    others, middle = np.full(len(order), np.nan), np.full(n_images, np.nan)

    def block(first: int, last: int) -> None:
        rows = order[offsets[first] : offsets[last]]
        part = offsets[first : last + 1] - offsets[first]
        size = np.diff(part)
        enough = size >= _FEWEST_IN_IMAGE
        if not enough.any():
            return
        values = residual[rows]
        ordered = values[order_within(values, part)]
        begins, number = part[:-1][enough], size[enough]
        found = np.zeros(len(rows))
        # places of the middle among the others; one up where the row itself stands before
        for place in ((number - 2) // 2, (number - 1) // 2):
            at, above = np.full(len(size), np.nan), np.full(len(size), np.nan)
            at[enough], above[enough] = ordered[begins + place], ordered[begins + place + 1]
            at_row = at.repeat(size)
            found += np.where(values <= at_row, above.repeat(size), at_row)
        others[rows] = found / 2.0
        low, high = ordered[begins + (number - 1) // 2], ordered[begins + number // 2]
        middle[first:last][enough] = (low + high) / 2.0

    over_blocks(block, offsets, rows=SORTED_ROWS)
    return others, middle


def _correlation(residual: Floats, others: Floats, offsets: Ints) -> Floats:
    found = np.full(len(offsets) - 1, np.nan)

    def block(first: int, last: int) -> None:
        x = residual[offsets[first] : offsets[last]]
        y = others[offsets[first] : offsets[last]]
        kept = np.flatnonzero(np.isfinite(y))
        part = np.searchsorted(kept, offsets[first : last + 1] - offsets[first])
        counts = np.diff(part)
        with np.errstate(all="ignore"):
            x, y = x[kept], y[kept]
            x -= np.repeat(segment_sums(x, part) / counts, counts)
            y -= np.repeat(segment_sums(y, part) / counts, counts)
            size = np.sqrt(segment_sums(x * x, part) * segment_sums(y * y, part))
            value = segment_sums(x * y, part) / size
        enough = (counts >= _FEWEST_EPOCHS) & (size > 0.0)
        found[first:last] = np.where(enough, value, np.nan)

    over_blocks(block, offsets)
    return found
