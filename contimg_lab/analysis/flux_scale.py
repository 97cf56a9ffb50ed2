"""The flux scale of each image, from sources that are bright and stable.

Images share gain errors: then every bright source varies, all of them together. The scale is
measured here and applied only on request.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.field_fit import fit_field
from contimg_lab.analysis.grouping import SORTED_ROWS, grouped, order_within
from contimg_lab.analysis.moments import Moments, moments
from contimg_lab.analysis.reasons import Why
from contimg_lab.analysis.segments import (
    over_blocks,
    over_rows,
    segment_sums,
    source_codes,
    spread,
)
from contimg_lab.errors import InvalidInput

__all__ = ["Corrected", "FluxScale", "apply_flux_scale", "bright_sources", "measure_flux_scale"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEWEST_EPOCHS = 3
_SEEN = 3.0
_SETTLED = 0.3
_MOST_SETS = 20
# a median's standard error over a mean's, and a Gaussian's sigma over its MAD
_OF_MEDIAN, _OF_MAD = 1.2533141373155003, 1.482602218505602


@dataclass(frozen=True, slots=True, kw_only=True)
class FluxScale:
    """Flux scale of each of k images.

    Attributes
    ----------
    scale, scale_err
        Shape (k,): recorded flux over the reference sources' own, and the error of that
        median; no unit. NaN where an image has too few references.
    n_references
        Shape (k,): reference sources measured in the image.
    reason
        Shape (k,): `Why` code where there is no scale.
    is_reference
        Shape (m,): sources that the scales rest on.
    n_rounds
        Rounds of scales and means in turn.
    settled
        Whether the last round moved no scale by more than 0.3 of its error.
    """

    scale: Floats
    scale_err: Floats
    n_references: Ints
    reason: NDArray[np.uint8]
    is_reference: NDArray[np.bool_]
    n_rounds: int
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """Fluxes on one scale, shape (n,); ``corrected`` is False where an image has no scale."""

    flux_jy: Floats
    flux_err_jy: Floats
    corrected: NDArray[np.bool_]


def bright_sources(
    flux_jy: Floats, flux_err_jy: Floats, offsets: Ints, *, least_snr: float = 10.0
) -> NDArray[np.bool_]:
    """Mark sources of 3 epochs or more whose weighted mean is so many typical errors.

    The typical error is ``sqrt(N / sum(1 / s**2))``. Shape (m,).
    """
    return is_bright(moments(flux_jy, flux_err_jy, offsets), least_snr)


def is_bright(sums: Moments, least_snr: float) -> NDArray[np.bool_]:
    """As `bright_sources`, from the sums of the same epochs."""
    with np.errstate(all="ignore"):
        snr = sums.weighted_mean_jy / (sums.weighted_mean_err_jy * np.sqrt(sums.n))
    return np.asarray((sums.n >= _FEWEST_EPOCHS) & (snr >= least_snr))


def measure_flux_scale(
    flux_jy: Floats,
    flux_err_jy: Floats,
    offsets: Ints,
    image: Ints,
    n_images: int,
    *,
    reference_jy: Floats | None = None,
    least_snr: float = 5.0,
    fewest_references: int = 3,
    n_sigma: float = 2.0,
    most_rounds: int = 5,
) -> FluxScale:
    """Measure the flux scale of every image from its bright, stable sources.

    The scale of an image is the median of S / S_ref over its reference sources, S_ref the
    source's own weighted mean on the common scale. Ratios are weighted by S_ref / s: the best
    weights for a median, and one bright source does not decide alone. Scales and means are
    taken in turn until they settle; then sources whose reduced chi-squared lies n sigma above
    the other references' (in its logarithm) are taken out, and it begins again. The scales
    have median 1: the absolute scale is not measured, unless ``reference_jy`` is given.

    The error is 1.25 over the root of ``sum((S_ref / s)**2)``, enlarged where the ratios
    scatter by more than their errors.

    A scale takes out what all sources of an image share, also where it is real; with few
    references it follows their noise, for which ``scale_err`` accounts on average. Images whose
    sources are never seen in other images say nothing.

    Parameters
    ----------
    flux_jy, flux_err_jy
        Shape (n,): only epochs that count, Jy, sorted by source.
    offsets
        Shape (m + 1,): where each source begins.
    image, n_images
        Shape (n,): position of each row's image, 0 to k - 1, and k; -1 for no image.
    reference_jy
        Shape (m,): catalogued fluxes to hold to (NVSS), NaN where unknown; None: own means.
    least_snr
        Brightness of a reference in typical errors.
    fewest_references
        Images with fewer have no scale.
    n_sigma
        How far above the field in log10 of reduced chi-squared a reference may lie.
    most_rounds
        Rounds of scales and means for one set of references. Few are enough, since a mean of many
        images knows little of one image's gain; many let the scale drift along a strip whose
        images have few references in common.
    """
    if fewest_references < 2:
        raise InvalidInput(f"fewest_references {fewest_references!r} is below 2")
    bright = bright_sources(flux_jy, flux_err_jy, offsets, least_snr=least_snr)
    if reference_jy is not None:
        bright &= np.nan_to_num(reference_jy) > 0.0
    marked = spread(bright, offsets)
    marked &= image >= 0
    rows = np.flatnonzero(marked)
    refs = _References.of(
        flux_jy[rows], flux_err_jy[rows], np.searchsorted(rows, offsets), image[rows], n_images
    )
    stable, done, settled = bright, 0, False
    found = np.ones(n_images), np.zeros(n_images), np.zeros(n_images, np.int64)
    for _ in range(_MOST_SETS):
        settled = False
        for _ in range(most_rounds):
            done += 1
            before = found[0]
            found = refs.round(before, stable, reference_jy, fewest_references)
            with np.errstate(all="ignore"):
                moved = np.abs(found[0] - before) > _SETTLED * found[1] + 1e-12
            settled = not moved.any()
            if settled:
                break
        # a set that only shrinks comes to rest
        fewer = stable & ~refs.unstable(found[0], found[1], stable, n_sigma)
        if (fewer == stable).all():
            break
        stable = fewer
    scale, scale_err, number = found
    few = np.where(number < fewest_references, Why.TOO_FEW_REFERENCES, Why.SCALE_NOT_SEEN)
    reason = np.where(np.isfinite(scale), Why.DEFINED, few).astype(np.uint8)
    return FluxScale(
        scale=scale, scale_err=scale_err, n_references=number, reason=reason,
        is_reference=stable, n_rounds=done,
        settled=settled and bool(np.isfinite(scale).any()),
    )  # fmt: skip


def apply_flux_scale(
    flux_jy: Floats, flux_err_jy: Floats, image: Ints, scale: FluxScale
) -> Corrected:
    """Bring every flux to the common scale.

    ``S / g`` with error ``sqrt(s**2 + (S g_err / g)**2) / g``. Rows of images without a scale
    stay as they were, and say so: leave them out before comparing epochs.

    Parameters
    ----------
    flux_jy, flux_err_jy, image
        Shape (n,), as for `measure_flux_scale`.
    scale
        Of the same images.
    """
    g_of = np.append(scale.scale, np.nan)
    with np.errstate(all="ignore"):
        relative_of = np.append(scale.scale_err, 0.0) / g_of
    count = len(flux_jy)
    flux, err, has = np.empty(count), np.empty(count), np.empty(count, bool)

    def some(rows: slice) -> None:
        where, old_flux, old_err = image[rows], flux_jy[rows], flux_err_jy[rows]
        g = g_of[where]
        known = np.isfinite(g, out=has[rows])
        g = np.where(known, g, 1.0)
        relative = np.where(known, relative_of[where], 0.0)
        np.divide(old_flux, g, out=flux[rows])
        np.divide(_widened(old_err, old_flux * relative), g, out=err[rows])

    over_rows(some, count)
    return Corrected(flux_jy=flux, flux_err_jy=err, corrected=has)


def _widened(err: Floats, other: Floats) -> Floats:
    # the root of the sum of squares, many times faster than hypot and as safe for small errors
    ratio = other / err
    ratio *= ratio
    ratio += 1.0
    return np.asarray(np.sqrt(ratio, out=ratio) * err)


@dataclass(slots=True, kw_only=True)
class _References:
    """Rows of the bright sources, shape (r,): by source, and once more by image."""

    flux: Floats
    err: Floats
    where: Ints
    part: Ints
    flux_by_image: Floats
    err_by_image: Floats
    of_by_image: Ints
    images: Ints

    @classmethod
    def of(cls, flux: Floats, err: Floats, part: Ints, where: Ints, n_images: int) -> _References:
        order, images = grouped(where, n_images)
        return cls(
            flux=flux, err=err, where=where, part=part, images=images,
            flux_by_image=flux[order], err_by_image=err[order],
            of_by_image=source_codes(part)[order],
        )  # fmt: skip

    def round(
        self, scale: Floats, stable: NDArray[np.bool_], reference_jy: Floats | None, fewest: int
    ) -> tuple[Floats, Floats, Ints]:
        """Scales, errors and numbers of references, from the source means on the last scales."""
        level = self._means(scale) if reference_jy is None else reference_jy
        with np.errstate(invalid="ignore"):
            level = np.where(stable & (level > 0.0), level, np.nan)
        n_images = len(self.images) - 1
        found, found_err = np.empty(n_images), np.empty(n_images)
        number = np.empty(n_images, np.int64)

        def block(first: int, last: int) -> None:
            rows = slice(int(self.images[first]), int(self.images[last]))
            with np.errstate(all="ignore"):
                of = level[self.of_by_image[rows]]
                ratio = self.flux_by_image[rows] / of
                snr = of / self.err_by_image[rows]
            used = np.flatnonzero(np.isfinite(ratio))
            part = np.searchsorted(used, self.images[first : last + 1] - rows.start)
            found[first:last], found_err[first:last] = _medians(ratio[used], snr[used], part)
            number[first:last] = np.diff(part)

        over_blocks(block, self.images, rows=SORTED_ROWS)
        # a blank image with forced fluxes has a median about 0, or below: no scale at all
        with np.errstate(invalid="ignore"):
            enough = (number >= fewest) & (found > _SEEN * found_err)
        found, found_err = np.where(enough, found, np.nan), np.where(enough, found_err, np.nan)
        if reference_jy is None and enough.any():
            middle = float(np.nanmedian(found))
            found, found_err = found / middle, found_err / middle
        return found, found_err, number

    def _means(self, scale: Floats) -> Floats:
        """Weighted mean of each source, its fluxes brought to the common scale."""
        # an image without a scale may not pull its sources' means
        known = np.where(np.isfinite(scale), scale, 0.0)
        means = np.empty(len(self.part) - 1)

        def block(first: int, last: int) -> None:
            rows = slice(int(self.part[first]), int(self.part[last]))
            part = self.part[first : last + 1] - rows.start
            err = self.err[rows]
            root = known[self.where[rows]] / err
            product = self.flux[rows] / err
            product *= root
            root *= root
            with np.errstate(all="ignore"):
                means[first:last] = segment_sums(product, part) / segment_sums(root, part)

        over_blocks(block, self.part)
        return means

    def unstable(
        self, scale: Floats, scale_err: Floats, stable: NDArray[np.bool_], n_sigma: float
    ) -> NDArray[np.bool_]:
        """Sources that vary more than the others do, on these scales."""
        eta, n = np.empty(len(stable)), np.empty(len(stable), np.int64)
        relative = scale_err / scale

        def block(first: int, last: int) -> None:
            rows = slice(int(self.part[first]), int(self.part[last]))
            g = scale[self.where[rows]]
            used = np.flatnonzero(np.isfinite(g))
            g, where = g[used], self.where[rows][used]
            flux, err = self.flux[rows][used], self.err[rows][used]
            err = _widened(err, flux * relative[where])
            kept = np.searchsorted(used, self.part[first : last + 1] - rows.start)
            sums = moments(flux / g, err / g, kept, threads=1)
            with np.errstate(all="ignore"):
                eta[first:last] = sums.chi_squared / (sums.n - 1.0)
            n[first:last] = sums.n

        over_blocks(block, self.part)
        fit = fit_field(np.where(stable & (n >= _FEWEST_EPOCHS), eta, np.nan))
        if fit.reason:
            return np.zeros(len(stable), bool)
        return np.asarray(eta > fit.threshold(n_sigma))


def _medians(ratio: Floats, snr: Floats, images: Ints) -> tuple[Floats, Floats]:
    """Weighted median of each image's ratios, and its error."""
    counts = np.diff(images)
    middle = _weighted_medians(ratio, snr, images)
    apart = _weighted_medians(np.abs(ratio - middle.repeat(counts)) * snr, snr, images)
    with np.errstate(all="ignore"):
        least = _OF_MEDIAN / np.sqrt(segment_sums(snr * snr, images))
        # ratios that scatter more than their errors say make the median worse by as much
        return middle, least * np.maximum(1.0, _OF_MAD * apart)


def _weighted_medians(values: Floats, weights: Floats, offsets: Ints) -> Floats:
    """Value at which half of each segment's weight is reached; midway where it is so exactly."""
    found = np.full(len(offsets) - 1, np.nan)
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    if not len(filled):
        return found
    order = order_within(values, offsets)
    ordered, running = values[order], np.cumsum(weights[order])
    last = offsets[1:][filled] - 1
    before = np.append(0.0, running[last[:-1]])
    half = (running[last] - before) / 2.0
    slack = 1e-9 * half
    low = np.searchsorted(running, before + half - slack)
    high = np.searchsorted(running, before + half + slack, side="right")
    found[filled] = (ordered[low] + ordered[np.minimum(high, last)]) / 2.0
    return found
