"""What a review of the statistics found, each with the test that failed first."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest

import contimg_lab as cl
from contimg_lab import errors
from contimg_lab.analysis.flux_scale import measure_flux_scale
from contimg_lab.analysis.intrinsic import intrinsic_modulation
from contimg_lab.analysis.moments import moments
from contimg_lab.analysis.reasons import Why
from contimg_lab.analysis.shape import pair_sums


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """Fourteen bright sources in twelve images, 7 is blank; S00 has two epochs without time."""
    path = tmp_path / "pipeline.sqlite3"
    rng = np.random.default_rng(110)
    db = sqlite3.connect(path)
    db.executescript(
        """
        CREATE TABLE ms_index (path TEXT PRIMARY KEY, mid_mjd REAL, status TEXT);
        CREATE TABLE photometry (id INTEGER PRIMARY KEY, source_id TEXT, image_path TEXT,
            ra_deg REAL, dec_deg REAL, mjd REAL, flux_jy REAL, flux_err_jy REAL, peak_jyb REAL,
            peak_err_jyb REAL);
        INSERT INTO ms_index VALUES ('/ms/2025-10-09T00:00:00.ms', 60957.0, 'completed');
        """
    )
    for image in range(12):
        gain = 1.0 + 0.05 * rng.normal()
        for source in range(14):
            level = 0.0 if image == 7 else gain * (0.1 + 0.02 * source)
            row = (f"S{source:02}", f"/i/{image}", 10.0, 16.0, 60957.0 + image,
                   level + rng.normal(0, 0.001), 0.001)  # fmt: skip
            db.execute(
                "INSERT INTO photometry (source_id, image_path, ra_deg, dec_deg, mjd, flux_jy, "
                "flux_err_jy) VALUES (?, ?, ?, ?, ?, ?, ?)", row,
            )  # fmt: skip
    db.executemany(
        "INSERT INTO photometry (source_id, image_path, flux_jy, flux_err_jy) VALUES (?, ?, ?, ?)",
        [("S00", "/i/x", 5.0, 0.001), ("S00", "/i/y", 0.1, 0.001)],
    )
    db.commit()
    db.close()
    return path


async def test_a_blank_image_has_no_flux_scale(field):
    """A scale about zero is none: errors stay positive and the other images stay corrected."""
    async with cl.open(field) as lab:
        table = await lab.sources.variability(flux_scale=True)
        assert (table["weighted_mean_err_jy"] > 0).all()
        assert (table["excluded_no_flux_scale"] >= 1).all()
        scale = table.attrs["flux_scale"]
        assert scale["n_images_without"] >= 1
        assert scale["n_images"] - scale["n_images_without"] == 11


def test_an_image_of_zeros_does_not_take_the_others_along():
    """One image whose fluxes are all 0 loses its own scale and no other's, and says the reason."""
    rng = np.random.default_rng(1)
    m, k = 20, 15
    flux = np.tile(1.0 + rng.normal(0, 0.01, k), m) * np.repeat(rng.uniform(0.2, 2, m), k)
    image = np.tile(np.arange(k), m)
    flux[image == 4] = 0.0
    offsets = np.arange(0, m * k + 1, k)
    found = measure_flux_scale(flux, np.full(m * k, 0.01), offsets, image, k)
    assert np.flatnonzero(~np.isfinite(found.scale)).tolist() == [4]
    assert found.reason[4] == Why.SCALE_NOT_SEEN


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_of_the_intrinsic_modulation_holds_its_value(n):
    """low <= m <= high for every source, few epochs or many."""
    rng = np.random.default_rng(n)
    flux = 1.0 + rng.normal(0, 0.1, 2000 * n)
    found = intrinsic_modulation(flux, np.full(len(flux), 0.1), np.arange(0, len(flux) + 1, n))
    known = np.isfinite(found.m)
    assert (found.low[known] <= found.m[known]).all()
    assert (found.m[known] <= found.high[known]).all()


async def test_explained_epochs_are_those_of_the_figures(field):
    """With the flux scale on, the epochs give the explained mean, and what has no scale is out."""
    async with cl.open(field) as lab:
        for name in ("S00", "S05"):
            why = await lab.sources.explain(name, flux_scale=True)
            epochs = why.epochs()
            used = epochs[epochs["used"]]
            assert len(used) == why.n_used
            assert used["flux_jy"].mean() == pytest.approx(why["mean_jy"].value, rel=1e-12)
            assert "no flux scale of the image" in set(epochs["reason"].dropna())
        plain = await lab.sources.explain("S05")
        assert plain.epochs()["used"].all()


async def test_a_pair_of_unknown_order_has_no_sign(field):
    """Where the time of one epoch of the pair is unknown, Vs is undefined, and the panel lives."""
    async with cl.open(field) as lab:
        row = (await lab.sources.variability(["S00"])).iloc[0]
        assert math.isnan(row["vs_max"])
        assert "vs_max" in row["undefined"]
        panel = lab.sources.panel()
        panel.select("S00")
        await panel.settled()
        assert panel.state == "showing"
        page, _ = panel._static_page()
        assert "an epoch without a time" in page  # why Vs is undefined, in the fold
        assert "Observed" in page
        panel.close()


async def test_names_are_a_list(field):
    """One name where a list is wanted is refused, and so are limits that are no numbers."""
    async with cl.open(field) as lab:
        for wrong in ("S00", b"S00", 5):
            with pytest.raises(errors.InvalidInput):
                await lab.sources.variability(wrong)
        for given in ({"fit_snr": math.nan}, {"n_sigma": "a"}, {"variable": "S00"}):
            with pytest.raises(errors.InvalidInput):
                await lab.sources.candidates(**given)


def test_stetson_keeps_its_digits_on_a_large_constant():
    """J and I of 1e-6 Jy scatter on 1e6 Jy equal those about a mean taken in exact arithmetic."""
    from fractions import Fraction

    rng = np.random.default_rng(3)
    flux = 1e6 + rng.normal(0, 1e-6, 50)
    err = rng.uniform(0.5e-6, 2e-6, 50)
    mjd = 60000.0 + np.repeat(np.arange(25), 2) + np.tile([0.0, 0.01], 25)
    offsets = np.array([0, 50])
    weight = [1 / Fraction(float(e)) ** 2 for e in err]
    mean = sum(w * Fraction(float(s)) for w, s in zip(weight, flux, strict=True)) / sum(weight)
    pull = [
        float((Fraction(float(s)) - mean) / Fraction(float(e)))
        for s, e in zip(flux, err, strict=True)
    ]
    wanted = sum(a * b for a, b in zip(pull[::2], pull[1::2], strict=True))
    found = pair_sums(flux, err, mjd, offsets, moments(flux, err, offsets))
    assert found.n_pairs[0] == 25
    assert found.sum_products[0] == pytest.approx(wanted, abs=1e-11)
