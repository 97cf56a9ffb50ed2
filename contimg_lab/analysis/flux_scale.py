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
_SETTLED = 0.02
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
        Shape (m,): sources that took part in the last round.
    n_rounds
        Rounds of scale and reference fluxes in turn.
    settled
        Whether the last round moved no scale by more than a small part of its error.
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
    least_snr: float = 10.0,
    fewest_references: int = 5,
    n_sigma: float = 2.0,
    most_rounds: int = 30,
) -> FluxScale:
    """Measure the flux scale of every image from its bright, stable sources.

    The scale of an image is the median of S / S_ref over its reference sources, S_ref the
    source's own weighted mean on the common scale. Scales and means are taken in turn; after
    each round a source whose reduced chi-squared lies n sigma above that of the other bright
    ones (in its logarithm) is no reference. The scales have median 1: the absolute scale is
    not measured, unless ``reference_jy`` is given.

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
        Rounds after which to stop in any case.
    """
    if fewest_references < 2:
        raise InvalidInput(f"fewest_references {fewest_references!r} is below 2")
    bright = bright_sources(flux_jy, flux_err_jy, offsets, least_snr=least_snr)
    if reference_jy is not None:
        bright &= np.nan_to_num(reference_jy) > 0.0
    source = source_codes(offsets)
    rows = np.flatnonzero(bright[source] & (image >= 0))
    flux, err, of, where = flux_jy[rows], flux_err_jy[rows], source[rows], image[rows]
    part = offsets_of(np.bincount(of, minlength=len(offsets) - 1))
    stable = bright
    scale, scale_err = np.ones(n_images), np.zeros(n_images)
    settled, done = False, 0
    while done < most_rounds and not settled:
        done += 1
        known = np.where(np.isfinite(scale), scale, 1.0)[where]
        # an image without a scale may not pull its sources' means
        weight = np.where(np.isfinite(scale[where]), (known / err) ** 2, 0.0)
        with np.errstate(all="ignore"):
            mean = segment_sums(weight * flux / known, part) / segment_sums(weight, part)
        level = mean if reference_jy is None else reference_jy
        with np.errstate(all="ignore"):
            ratio = np.where(level[of] > 0.0, flux / level[of], np.nan)
        before_scale, before_stable = scale, stable
        scale, scale_err, number = _image_medians(
            ratio, where, stable[of] & np.isfinite(ratio), n_images, fewest_references
        )
        if reference_jy is None and np.isfinite(scale).any():
            middle = float(np.nanmedian(scale))
            scale, scale_err = scale / middle, scale_err / middle
        stable = _stable(flux, err, of, where, part, scale, scale_err, bright, n_sigma)
        with np.errstate(all="ignore"):
            moved = np.abs(scale - before_scale) > _SETTLED * scale_err + 1e-12
        settled = not moved.any() and bool((stable == before_stable).all())
    reason = np.where(np.isfinite(scale), Why.DEFINED, Why.TOO_FEW_REFERENCES).astype(np.uint8)
    return FluxScale(
        scale=scale, scale_err=scale_err, n_references=number, reason=reason,
        is_reference=before_stable, n_rounds=done, settled=settled,
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


def _stable(
    flux: Floats, err: Floats, of: Ints, where: Ints, part: Ints, scale: Floats,
    scale_err: Floats, bright: NDArray[np.bool_], n_sigma: float,
) -> NDArray[np.bool_]:  # fmt: skip
    """Bright sources that do not vary more than the others do, on the scale at hand."""
    used = np.isfinite(scale[where])
    g = scale[where[used]]
    kept = offsets_of(np.bincount(of[used], minlength=len(part) - 1))
    error = np.hypot(err[used], flux[used] * scale_err[where[used]] / g) / g
    sums = moments(flux[used] / g, error, kept)
    with np.errstate(all="ignore"):
        eta = np.where(
            bright & (sums.n >= _FEWEST_EPOCHS), sums.chi_squared / (sums.n - 1.0), np.nan
        )
    fit = fit_field(eta)
    if fit.reason:
        return bright
    return np.asarray(bright & ~(eta > fit.threshold(n_sigma)))


def _image_medians(
    ratio: Floats, where: Ints, used: NDArray[np.bool_], n_images: int, fewest: int
) -> tuple[Floats, Floats, Ints]:
    """Median, its error and the number of ratios of each image."""
    ratio, where = ratio[used], where[used]
    number = np.bincount(where, minlength=n_images)
    middle = _medians(ratio, where, number)
    apart = _medians(np.abs(ratio - middle[where]), where, number)
    enough = number >= fewest
    with np.errstate(all="ignore"):
        error = _OF_MEDIAN * _OF_MAD * apart / np.sqrt(number)
    return np.where(enough, middle, np.nan), np.where(enough, error, np.nan), number


def _medians(values: Floats, where: Ints, number: Ints) -> Floats:
    ordered = values[np.lexsort((values, where))]
    if not len(ordered):
        return np.full(len(number), np.nan)
    starts = offsets_of(number)[:-1]
    last = len(ordered) - 1
    low = ordered[np.minimum(starts + np.maximum(number - 1, 0) // 2, last)]
    high = ordered[np.minimum(starts + number // 2, last)]
    return np.where(number > 0, (low + high) / 2.0, np.nan)
