"""Flux scale of images and the warning that a field varies together, on made fields."""

from __future__ import annotations

import numpy as np
import pytest

from contimg_lab.analysis.flux_scale import (
    apply_flux_scale,
    bright_sources,
    measure_flux_scale,
)
from contimg_lab.analysis.reasons import Why
from contimg_lab.analysis.together import vary_together
from contimg_lab.analysis.variability import variability
from contimg_lab.errors import InvalidInput


def made_field(m=40, k=60, gain=0.05, noise=0.02, seed=1):
    """Sources of 0.3 to 3 Jy in every one of k images, each image with a gain of its own."""
    rng = np.random.default_rng(seed)
    base = 10 ** rng.uniform(-0.5, 0.5, m)
    gains = 1 + gain * rng.normal(size=k)
    true = np.repeat(base[:, None], k, axis=1)
    err = np.full((m, k), noise)
    flux = true * gains + err * rng.normal(size=(m, k))
    image = np.tile(np.arange(k), m)
    return flux, err, np.arange(0, m * k + 1, k), image, gains, base


def test_scales_come_back_within_their_errors():
    """Measured over true scale scatters by the errors given, and constants are constant again."""
    flux, err, offsets, image, gains, _ = made_field()
    scale = measure_flux_scale(flux.ravel(), err.ravel(), offsets, image, 60)
    assert scale.settled
    assert np.nanmedian(scale.scale) == pytest.approx(1.0)
    ratio = scale.scale / gains
    pulls = (ratio / np.median(ratio) - 1) / (scale.scale_err / scale.scale)
    assert 0.6 < pulls.std() < 1.4
    before = variability(flux.ravel(), err.ravel(), offsets)
    right = apply_flux_scale(flux.ravel(), err.ravel(), image, scale)
    after = variability(right.flux_jy, right.flux_err_jy, offsets)
    assert right.corrected.all()
    assert np.median(before.eta) > 3
    assert np.median(after.eta) == pytest.approx(1.0, abs=0.15)


def test_a_variable_among_the_bright_is_no_reference():
    """Sources that vary by themselves are taken out, and keep their variation."""
    flux, err, offsets, image, _, _ = made_field()
    swing = 1 + 0.4 * np.sin(np.arange(60) / 5)
    flux[:3] *= swing
    scale = measure_flux_scale(flux.ravel(), err.ravel(), offsets, image, 60)
    assert not scale.is_reference[:3].any()
    assert scale.is_reference[3:].sum() > 30
    right = apply_flux_scale(flux.ravel(), err.ravel(), image, scale).flux_jy.reshape(40, 60)
    assert np.corrcoef(right[0], swing)[0, 1] > 0.95


def test_images_with_too_few_references_are_left_as_they_are():
    """Such an image has no scale, says so, and its fluxes stay untouched."""
    flux, err, offsets, image, _, _ = made_field(m=20, k=30)
    image = image.copy()
    image[5] = 30  # an image of one source
    image[6] = -1  # a row without an image
    scale = measure_flux_scale(flux.ravel(), err.ravel(), offsets, image, 31)
    assert np.isnan(scale.scale[30])
    assert scale.reason[30] == Why.TOO_FEW_REFERENCES
    assert scale.n_references[30] == 1
    right = apply_flux_scale(flux.ravel(), err.ravel(), image, scale)
    assert np.flatnonzero(~right.corrected).tolist() == [5, 6]
    assert (right.flux_jy[[5, 6]] == flux.ravel()[[5, 6]]).all()
    assert (right.flux_err_jy[[5, 6]] == err.ravel()[[5, 6]]).all()
    with pytest.raises(InvalidInput, match="fewest_references"):
        measure_flux_scale(flux.ravel(), err.ravel(), offsets, image, 31, fewest_references=1)


def test_scales_can_be_held_to_a_catalogue():
    """With catalogued fluxes the absolute scale is measured, without them it is 1."""
    flux, err, offsets, image, gains, base = made_field()
    held = measure_flux_scale(
        0.85 * flux.ravel(),
        err.ravel(),
        offsets,
        image,
        60,
        reference_jy=np.append(base[:-1], np.nan),
    )
    assert np.median(held.scale / gains) == pytest.approx(0.85, abs=0.01)
    assert not held.is_reference[-1]


def test_nothing_bright_means_no_scale():
    """A field of faint sources, or of none, has no scale and no warning."""
    flux, err, offsets, image, _, _ = made_field(noise=5.0)
    assert not bright_sources(flux.ravel(), err.ravel(), offsets).any()
    scale = measure_flux_scale(flux.ravel(), err.ravel(), offsets, image, 60)
    assert np.isnan(scale.scale).all()
    found = vary_together(flux.ravel(), err.ravel(), offsets, image, 60)
    assert (found.n_sources, found.warning) == (0, False)
    none = np.zeros(0)
    empty = measure_flux_scale(none, none, np.zeros(1, int), np.zeros(0, int), 2)
    assert empty.reason.tolist() == [Why.TOO_FEW_REFERENCES] * 2


@pytest.mark.parametrize(("gain", "warned"), [(0.0, False), (0.05, True)])
def test_sources_that_vary_together_raise_a_warning(gain, warned):
    """With shared gains the median correlation is high, without them it is about 0."""
    flux, err, offsets, image, gains, _ = made_field(gain=gain)
    found = vary_together(flux.ravel(), err.ravel(), offsets, image, 60)
    assert found.warning == warned
    assert found.n_sources == 40
    if warned:
        assert np.corrcoef(found.image_residual, gains)[0, 1] > 0.9
    else:
        assert abs(found.median_correlation) < 0.1


def test_the_correlation_leaves_the_source_itself_out():
    """Each correlation equals a loop in which the others' median is taken anew."""
    flux, err, offsets, image, _, _ = made_field(m=7, k=12, seed=5)
    image = image.copy()
    image[::11] = -1
    found = vary_together(flux.ravel(), err.ravel(), offsets, image, 12)
    residual = (flux - flux.mean(1, keepdims=True)) / flux.std(1, ddof=1, keepdims=True)
    used = (image >= 0).reshape(7, 12)
    for i in range(7):
        kept = [j for j in range(12) if used[i, j] and used[:, j].sum() >= 4]
        others = [
            np.median([residual[a, j] for a in range(7) if a != i and used[a, j]]) for j in kept
        ]
        wanted = np.corrcoef(residual[i, kept], others)[0, 1]
        assert found.correlation[i] == pytest.approx(wanted, rel=1e-12)
