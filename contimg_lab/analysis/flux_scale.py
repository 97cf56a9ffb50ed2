"""The flux scale of each image, from sources that are bright and stable.

Images share gain errors: then every bright source varies, all of them together. The scale is
measured here and applied only on request.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.field_fit import fit_field
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.reasons import Why
from contimg_lab.analysis.segments import offsets_of, segment_sums, source_codes
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
    sums = moments(flux_jy, flux_err_jy, offsets)
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
    source = source_codes(offsets)
    rows = np.flatnonzero(bright[source] & (image >= 0))
    of = source[rows]
    refs = _References(
        flux=flux_jy[rows], err=flux_err_jy[rows], of=of, where=image[rows], n_images=n_images,
        part=offsets_of(np.bincount(of, minlength=len(offsets) - 1)),
    )  # fmt: skip
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
    found = np.append(scale.scale, np.nan)[image]
    has = np.isfinite(found)
    g = np.where(has, found, 1.0)
    relative = np.where(has, np.append(scale.scale_err, 0.0)[image], 0.0) / g
    return Corrected(
        flux_jy=flux_jy / g,
        flux_err_jy=np.hypot(flux_err_jy, flux_jy * relative) / g,
        corrected=has,
    )


@dataclass(slots=True, kw_only=True)
class _References:
    """Rows of the bright sources, each of shape (r,), and where each source's begin."""

    flux: Floats
    err: Floats
    of: Ints
    where: Ints
    part: Ints
    n_images: int

    def round(
        self, scale: Floats, stable: NDArray[np.bool_], reference_jy: Floats | None, fewest: int
    ) -> tuple[Floats, Floats, Ints]:
        """Scales, errors and numbers of references, from the source means on the last scales."""
        known = np.isfinite(scale[self.where])
        g = np.where(known, scale[self.where], 1.0)
        # an image without a scale may not pull its sources' means
        weight = np.where(known, (g / self.err) ** 2, 0.0)
        with np.errstate(all="ignore"):
            total = segment_sums(weight, self.part)
            mean = segment_sums(weight * self.flux / g, self.part) / total
            level = (mean if reference_jy is None else reference_jy)[self.of]
            ratio, error = self.flux / level, self.err / level
        used = stable[self.of] & (level > 0.0) & np.isfinite(ratio)
        found, found_err, number = _image_medians(
            ratio[used], error[used], self.where[used], self.n_images, fewest
        )
        if reference_jy is None and np.isfinite(found).any():
            middle = float(np.nanmedian(found))
            found, found_err = found / middle, found_err / middle
        return found, found_err, number

    def unstable(
        self, scale: Floats, scale_err: Floats, stable: NDArray[np.bool_], n_sigma: float
    ) -> NDArray[np.bool_]:
        """Sources that vary more than the others do, on these scales."""
        used = np.isfinite(scale[self.where])
        flux, g = self.flux[used], scale[self.where[used]]
        error = np.hypot(self.err[used], flux * scale_err[self.where[used]] / g) / g
        kept = offsets_of(np.bincount(self.of[used], minlength=len(self.part) - 1))
        sums = moments(flux / g, error, kept)
        with np.errstate(all="ignore"):
            eta = sums.chi_squared / (sums.n - 1.0)
        fit = fit_field(np.where(stable & (sums.n >= _FEWEST_EPOCHS), eta, np.nan))
        if fit.reason:
            return np.zeros(len(stable), bool)
        return np.asarray(eta > fit.threshold(n_sigma))


def _image_medians(
    ratio: Floats, error: Floats, where: Ints, n_images: int, fewest: int
) -> tuple[Floats, Floats, Ints]:
    """Weighted median of each image, its error, and how many ratios it is of."""
    number = np.bincount(where, minlength=n_images)
    snr = 1.0 / error
    middle = _weighted_medians(ratio, snr, where, number)
    apart = _weighted_medians(np.abs(ratio - middle[where]) * snr, snr, where, number)
    with np.errstate(all="ignore"):
        least = _OF_MEDIAN / np.sqrt(np.bincount(where, weights=snr * snr, minlength=n_images))
        # ratios that scatter more than their errors say make the median worse by as much
        spread = least * np.maximum(1.0, _OF_MAD * apart)
    # a blank image with forced fluxes has a median about 0, or below: no scale at all
    with np.errstate(invalid="ignore"):
        enough = (number >= fewest) & (middle > _SEEN * spread)
    return np.where(enough, middle, np.nan), np.where(enough, spread, np.nan), number


def _weighted_medians(values: Floats, weights: Floats, where: Ints, number: Ints) -> Floats:
    """Value at which half of each image's weight is reached; midway where it is so exactly."""
    found = np.full(len(number), np.nan)
    filled = np.flatnonzero(number)
    if not len(filled):
        return found
    order = np.lexsort((values, where))
    ordered, weight = values[order], weights[order]
    offsets = offsets_of(number[filled])
    counts = number[filled]
    half = segment_sums(weight, offsets) / 2.0
    running = np.cumsum(weight)
    running -= np.repeat(running[offsets[:-1]] - weight[offsets[:-1]], counts)
    slack = 1e-9 * half
    low = segment_sums((running < np.repeat(half - slack, counts)).astype(float), offsets)
    high = segment_sums((running <= np.repeat(half + slack, counts)).astype(float), offsets)
    last = counts - 1
    at_low = offsets[:-1] + np.minimum(low.astype(np.int64), last)
    at_high = offsets[:-1] + np.minimum(high.astype(np.int64), last)
    found[filled] = (ordered[at_low] + ordered[at_high]) / 2.0
    return found
