"""Work on a light curve gives the right numbers, and none where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.stats import mad_std, sigma_clip
from astropy.timeseries import LombScargle

import contimg_lab as cl
from contimg_lab import blocking
from contimg_lab.errors import InvalidInput
from contimg_lab.services.light_curve import Excluded, LightCurve


def make(
    mjd: np.ndarray, flux: np.ndarray, err: np.ndarray, n_out: int = 0, **change: object
) -> LightCurve:
    """A light curve of these epochs, and so many left out before them."""
    n = len(mjd)
    values: dict[str, object] = {
        "source_id": "NVSS J000000+160000",
        "ra_deg": 0.0,
        "dec_deg": 16.0,
        "nvss_flux_mjy": 50.0,
        "mjd": np.asarray(mjd, float),
        "time_source": np.array(["mjd"] * n, object),
        "flux_jy": np.asarray(flux, float),
        "flux_err_jy": np.asarray(err, float),
        "flux_column": np.array(["flux_jy"] * n, object),
        "is_detection": np.asarray(flux) >= 3.0 * np.asarray(err),
        "row_id": np.arange(n) + 1000,
        "image_path": np.array([f"image {i}" for i in range(n)], object),
        "excluded": Excluded(
            mjd=60900.0 + np.arange(n_out),
            flux_jy=np.full(n_out, np.nan),
            flux_err_jy=np.full(n_out, np.nan),
            reason=np.array(["missing"] * n_out, object),
            row_id=np.arange(n_out),
            image_path=np.array(["i"] * n_out, object),
        ),
    }
    return LightCurve(**(values | change))


def noisy(n: int = 60, seed: int = 1, sigma: float = 0.01, level: float = 0.2) -> LightCurve:
    """A constant source with Gaussian errors, once a day or so."""
    rng = np.random.default_rng(seed)
    err = sigma * rng.uniform(0.7, 1.4, n)
    mjd = 60950.0 + np.arange(n) + rng.uniform(-0.1, 0.1, n)
    return make(mjd, level + err * rng.standard_normal(n), err)


EMPTY = make(np.zeros(0), np.zeros(0), np.zeros(0))
ONE = make(np.array([60950.0]), np.array([0.2]), np.array([0.01]))
ALL_OUT = make(np.zeros(0), np.zeros(0), np.zeros(0), n_out=4)
THIN = [EMPTY, ONE, ALL_OUT]
THIN_IDS = ["no epoch", "one epoch", "all left out"]


@pytest.fixture(scope="module")
def seen() -> dict[str, LightCurve]:
    """Light curves of the planted sources of the demo season that are not marginal."""
    wanted = [p.source_id for p in cl.demo_truth().variables if not p.marginal]
    with blocking.demo() as lab:
        return lab.sources.light_curves(wanted)


def planted(kind: str) -> list:
    """Planted sources of a kind that are not marginal."""
    return [p for p in cl.demo_truth().variables if p.kind == kind and not p.marginal]


# periods


def test_planted_period_is_found(seen: dict[str, LightCurve]) -> None:
    """Every planted period is found within 1 %, within 3 of its errors, and no false alarm."""
    sources = planted("periodic")
    assert len(sources) >= 2
    for source in sources:
        found = seen[source.source_id].periodogram()
        true_d = source.parameters["period_d"]
        assert found.best_period_d == pytest.approx(true_d, rel=0.01)
        assert abs(found.best_period_d - true_d) < 3.0 * found.best_period_err_d
        assert found.false_alarm_probability < 1e-10
        assert not found.at_edge


def test_power_is_astropys() -> None:
    """The power at the best frequency is that of astropy's own slow method."""
    lc = noisy()
    found = lc.periodogram()
    model = LombScargle(lc.mjd, lc.flux_jy, lc.flux_err_jy)
    power = model.power(1.0 / found.best_period_d, method="slow")
    assert found.best_power == pytest.approx(float(power), rel=1e-4)


def test_period_error_is_the_scatter_of_the_period() -> None:
    """The error of a period is what repeated observations scatter by, within 30 %."""
    rng = np.random.default_rng(4)
    mjd = 60950.0 + np.arange(60)
    periods, errors = [], []
    for _ in range(150):
        err = np.full(60, 0.02)
        flux = 0.3 + 0.05 * np.sin(2.0 * np.pi * mjd / 9.3) + err * rng.standard_normal(60)
        found = make(mjd, flux, err).periodogram(shortest_days=7.0, longest_days=13.0)
        periods.append(found.best_period_d)
        errors.append(found.best_period_err_d)
    assert np.median(errors) == pytest.approx(np.std(periods), rel=0.3)


def test_noise_has_no_period() -> None:
    """The highest peak of noise is below the level of one false alarm in a thousand."""
    found = [noisy(seed=seed).periodogram() for seed in range(20)]
    assert all(f.best_power < f.level_power[-1] for f in found)


def test_trend_is_no_period(seen: dict[str, LightCurve]) -> None:
    """Where the power is highest at the edge of the range, it is said to be no period."""
    found = seen[planted("trend")[0].source_id].periodogram()
    assert found.at_edge
    assert "no period" in repr(found)


def test_phases_are_in_zero_to_one(seen: dict[str, LightCurve]) -> None:
    """Phases lie in [0, 1), the epoch has phase 0, and phase and cycle give the time again."""
    lc = seen[planted("periodic")[0].source_id]
    for epoch_mjd in (None, 60970.123, 70000.0):
        folded = lc.fold(7.3, epoch_mjd)
        assert ((folded.phase >= 0.0) & (folded.phase < 1.0)).all()
        again = folded.epoch_mjd + (folded.cycle + folded.phase) * 7.3
        assert again == pytest.approx(lc.mjd, abs=1e-7)
    assert lc.fold(7.3).epoch_mjd == lc.mjd[0]
    assert lc.fold(7.3).phase[0] == 0.0


# bins, level, blocks


def test_bins_are_weighted_means(seen: dict[str, LightCurve]) -> None:
    """Each bin holds the weighted mean of its epochs, its error and their chi-squared."""
    lc = seen[planted("flare")[0].source_id]
    binned = lc.bin(2.5, start_mjd=60950.0)
    assert int(binned.n.sum()) == len(lc)
    for i in range(len(binned)):
        inside = (lc.mjd >= binned.start_mjd[i]) & (lc.mjd < binned.end_mjd[i])
        flux, err = lc.flux_jy[inside], lc.flux_err_jy[inside]
        mean = np.average(flux, weights=err**-2.0)
        assert binned.n[i] == inside.sum()
        assert binned.flux_jy[i] == pytest.approx(mean, rel=1e-12)
        assert binned.flux_err_jy[i] == pytest.approx(np.sum(err**-2.0) ** -0.5, rel=1e-12)
        assert binned.mjd[i] == pytest.approx(np.average(lc.mjd[inside], weights=err**-2.0))
        if inside.sum() > 1:
            chi_squared = np.sum(((flux - mean) / err) ** 2)
            assert binned.chi_squared[i] == pytest.approx(chi_squared, rel=1e-9)


def test_binned_curve_is_a_curve(seen: dict[str, LightCurve]) -> None:
    """A binned curve can be worked on like the light curve, and finds the same period."""
    source = planted("periodic")[0]
    binned = seen[source.source_id].bin(1.0)
    found = binned.periodogram()
    assert found.best_period_d == pytest.approx(source.parameters["period_d"], rel=0.02)
    assert len(binned.fold(3.0)) == len(binned)
    assert binned.two_epoch().n_pairs == len(binned) * (len(binned) - 1) // 2


def test_bins_of_mixed_columns_say_so() -> None:
    """A bin of fluxes and peak fluxes names both columns, and no single unit."""
    lc = noisy(4)
    column = np.array(["flux_jy", "peak_jyb", "peak_jyb", "peak_jyb"], object)
    mixed = make(lc.mjd, lc.flux_jy, lc.flux_err_jy, flux_column=column).bin(2.0)
    assert mixed.flux_column[0] == "flux_jy + peak_jyb"
    assert "or" in mixed.to_pandas().attrs["units"]["flux_jy"]


@pytest.mark.parametrize("by", ["weighted_mean", "mean", "median", 0.25])
def test_normalized_times_level_is_the_flux(by: str | float) -> None:
    """Relative fluxes and errors times the level are the fluxes and errors."""
    lc = noisy()
    relative = lc.normalize(by=by)
    assert relative.flux * relative.level_jy == pytest.approx(lc.flux_jy, rel=1e-14)
    assert relative.flux_err * relative.level_jy == pytest.approx(lc.flux_err_jy, rel=1e-14)


def test_normalizing_by_nothing_is_refused() -> None:
    """A level that is not above 0, or has no such name, is refused."""
    lc = noisy(level=-0.5)
    for by in ("mean", "mode", 0.0, -1.0, math.nan):
        with pytest.raises(InvalidInput):
            lc.normalize(by=by)


def test_blocks_find_the_step() -> None:
    """A step is found where it is, with the weighted means beside it; noise has one block."""
    lc = noisy()
    assert len(lc.bayesian_blocks(false_alarm=0.001)) == 1
    step = make(lc.mjd, lc.flux_jy + 0.1 * (np.arange(60) >= 30), lc.flux_err_jy)
    blocks = step.bayesian_blocks(false_alarm=0.001)
    assert len(blocks) == 2
    assert lc.mjd[29] < blocks.end_mjd[0] <= lc.mjd[30]
    for half, level in ((slice(0, 30), blocks.flux_jy[0]), (slice(30, 60), blocks.flux_jy[1])):
        assert level == pytest.approx(
            np.average(step.flux_jy[half], weights=lc.flux_err_jy[half] ** -2.0)
        )


# changes


def test_structure_of_noise_is_zero() -> None:
    """The structure function of noise is 0 within its scatter once the noise is subtracted."""
    curves = [noisy(seed=seed) for seed in range(200)]
    edges = [0.5, 2.0, 6.0, 20.0]
    found = np.array([lc.structure_function(edges_days=edges).d_jy2 for lc in curves])
    error = found.std(axis=0, ddof=1) / math.sqrt(len(curves))
    assert (np.abs(found.mean(axis=0)) < 3.5 * error).all()
    assert (error < 0.05 * 2.0 * 0.01**2).all()


def test_structure_is_the_mean_over_pairs() -> None:
    """Each bin is the mean over its pairs, as two loops give it."""
    lc = noisy(25)
    found = lc.structure_function(n_bins=5)
    for i in range(len(found)):
        last = i == len(found) - 1
        values = []
        for a in range(25):
            for b in range(a + 1, 25):
                lag = lc.mjd[b] - lc.mjd[a]
                if found.start_d[i] <= lag and (lag < found.end_d[i] or last):
                    noise = lc.flux_err_jy[a] ** 2 + lc.flux_err_jy[b] ** 2
                    values.append((lc.flux_jy[b] - lc.flux_jy[a]) ** 2 - noise)
        assert found.n_pairs[i] == len(values)
        if values:
            assert found.d_jy2[i] == pytest.approx(np.mean(values), rel=1e-9, abs=1e-15)


def test_two_epoch_is_the_largest_of_all_pairs(seen: dict[str, LightCurve]) -> None:
    """The pair is the one of largest |Vs| of all, with the earlier epoch first."""
    for lc in seen.values():
        pair = lc.two_epoch()
        a, b = np.triu_indices(len(lc), 1)
        every = (lc.flux_jy[a] - lc.flux_jy[b]) / np.hypot(lc.flux_err_jy[a], lc.flux_err_jy[b])
        best = int(np.argmax(np.abs(every)))
        assert pair.vs == pytest.approx(every[best], rel=1e-12)
        assert pair.mjd[0] <= pair.mjd[1]
        assert pair.n_pairs == len(every)
        one, other = pair.flux_jy
        assert pair.m == pytest.approx(2.0 * (one - other) / (one + other), rel=1e-12)


def test_modulation_without_a_positive_sum_has_a_reason() -> None:
    """m is NaN with its reason where the two fluxes do not add up to more than 0."""
    pair = make(np.array([1.0, 2.0]), np.array([0.1, -0.3]), np.array([0.1, 0.1])).two_epoch()
    assert math.isnan(pair.m)
    assert pair.why_m == "denominator not positive"
    assert pair.why_m in repr(pair)


# clip


def test_clipped_epochs_are_left_out_with_the_reason(seen: dict[str, LightCurve]) -> None:
    """Clipped epochs join those left out, none is lost, and the light curve stays as it was."""
    whole = seen[planted("flare")[0].source_id]
    before = whole.flux_jy.copy()
    lc = make(whole.mjd, whole.flux_jy, whole.flux_err_jy, n_out=3)
    clipped = lc.clip(n_sigma=4.0)
    mask = np.ma.getmaskarray(
        sigma_clip(lc.flux_jy, sigma=4.0, maxiters=10, cenfunc="median", stdfunc=mad_std)
    )
    assert 0 < mask.sum() < len(lc)
    assert clipped.flux_jy.tolist() == lc.flux_jy[~mask].tolist()
    assert clipped.excluded.counts() == {"clipped": int(mask.sum()), "missing": 3}
    out = clipped.excluded.reason == "clipped"
    assert clipped.excluded.flux_jy[out].tolist() == lc.flux_jy[mask].tolist()
    assert clipped.excluded.row_id[out].tolist() == lc.row_id[mask].tolist()
    assert (np.diff(clipped.excluded.mjd) >= 0.0).all()
    assert whole.flux_jy.tolist() == before.tolist()
    assert clipped.clip(n_sigma=1e9) is clipped


def test_clip_without_a_scale_is_refused() -> None:
    """Where most fluxes are equal there is no sigma, and nothing may be clipped by it."""
    flux = np.array([1.0, 1.0, 1.0, 1.1])
    with pytest.raises(InvalidInput, match="deviation is 0"):
        make(np.arange(4.0), flux, np.ones(4)).clip()
    equal = make(np.arange(4.0), np.ones(4), np.ones(4))
    assert len(equal.clip()) == 4


# too little, and what all have in common


@pytest.mark.parametrize("lc", THIN, ids=THIN_IDS)
@pytest.mark.parametrize("work", ["periodogram", "structure_function", "bayesian_blocks"])
def test_too_few_epochs_for_times_are_refused(lc: LightCurve, work: str) -> None:
    """What needs epochs at different times refuses a curve that has none."""
    with pytest.raises(InvalidInput):
        getattr(lc, work)()


@pytest.mark.parametrize("lc", THIN, ids=THIN_IDS)
def test_thin_curves_give_nothing_wrong(lc: LightCurve) -> None:
    """Clip, bin and fold of a thin curve are as thin; a pair or a level is refused."""
    assert len(lc.clip()) == len(lc.bin(1.0)) == len(lc.fold(2.0)) == len(lc)
    assert len(lc.clip().excluded) == len(lc.excluded)
    with pytest.raises(InvalidInput, match="two epochs"):
        lc.two_epoch()
    if not len(lc):
        assert math.isnan(lc.fold(2.0).epoch_mjd)
        with pytest.raises(InvalidInput, match="without epochs"):
            lc.normalize()
    for value in (lc.bin(1.0), lc.fold(2.0)):
        assert len(value.to_pandas()) == len(lc)
        assert lc.source_id in repr(value)


def test_four_times_are_too_few_for_a_period() -> None:
    """A periodogram of fewer than 5 different times is refused, however many epochs."""
    mjd = np.repeat(np.arange(4.0), 3)
    with pytest.raises(InvalidInput, match="5 different times"):
        make(mjd, np.linspace(1.0, 2.0, 12), np.full(12, 0.1)).periodogram()


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_widths_and_periods_must_be_positive(bad: float) -> None:
    """A width, a period or a number of sigma that cannot be is refused by name."""
    lc = noisy()
    for work in (lc.bin, lc.fold):
        with pytest.raises(InvalidInput):
            work(bad)
    if bad != math.inf:
        with pytest.raises(InvalidInput):
            lc.clip(n_sigma=bad)
    with pytest.raises(InvalidInput):
        lc.structure_function(edges_days=[1.0, bad])
    with pytest.raises(InvalidInput):
        lc.bayesian_blocks(false_alarm=bad)


def test_what_cannot_be_asked_is_refused() -> None:
    """Equal fluxes, times that are none, levels that are no probabilities, and ranges too wide."""
    lc = noisy()
    for work in (
        lambda: make(lc.mjd, np.ones(60), lc.flux_err_jy).periodogram(),
        lambda: lc.periodogram(levels=(0.01, 0.0)),
        lambda: lc.periodogram(shortest_days=1e-6),
        lambda: lc.periodogram(shortest_days=9.0, longest_days=3.0),
        lambda: lc.periodogram(samples_per_peak=0),
        lambda: lc.fold(5.0, math.nan),
        lambda: lc.fold(1e-8, 0.0),
        lambda: lc.bin(5.0, start_mjd=math.nan),
    ):
        with pytest.raises(InvalidInput):
            work()


async def test_two_epoch_is_the_tables(demo: cl.Lab) -> None:
    """The pair of a light curve is the one that the variability row of the source tells."""
    source_id = planted("flare")[0].source_id
    pair = (await demo.sources.light_curve(source_id)).two_epoch()
    row = await demo.sources.calculate_variability(source_id)
    assert pair.vs == pytest.approx(row["vs_max"], rel=1e-12)
    assert pair.m == pytest.approx(row["m_at_vs_max"], rel=1e-12)


def test_epochs_without_a_time_are_counted() -> None:
    """What needs times leaves untimed epochs out, and says how many; pairs use them."""
    lc = noisy()
    mjd = lc.mjd.copy()
    mjd[-3:] = np.nan
    some = make(mjd, lc.flux_jy, lc.flux_err_jy)
    for value in (
        some.bin(5.0),
        some.fold(5.0),
        some.periodogram(),
        some.structure_function(),
        some.bayesian_blocks(),
    ):
        assert value.n_untimed == value.to_pandas().attrs["n_untimed"] == 3
        assert "3 epochs without a time" in repr(value)
    assert some.two_epoch().n_pairs == 60 * 59 // 2


def test_times_of_measurement_are_told() -> None:
    """Where times are when the measurement was made, each value that needs times says so."""
    lc = noisy()
    late = make(
        lc.mjd, lc.flux_jy, lc.flux_err_jy, time_source=np.array(["measured_at"] * 60, object)
    )
    assert "not observed" in repr(late.periodogram())
    assert "not observed" in repr(late.fold(3.0))


@pytest.mark.parametrize(
    ("work", "options"),
    [
        ("bin", {"width_days": 3.0}),
        ("normalize", {}),
        ("fold", {"period_days": 5.0}),
        ("periodogram", {}),
        ("structure_function", {}),
        ("bayesian_blocks", {}),
        ("two_epoch", {}),
    ],
)
def test_values_are_frozen_and_have_units(work: str, options: dict[str, float]) -> None:
    """Each value is read-only, has a stable repr, and a table whose numbers have units."""
    lc = noisy()
    value, again = (getattr(lc, work)(**options) for _ in range(2))
    with pytest.raises(AttributeError):
        value.source_id = "other"
    assert repr(value) == repr(again)
    assert "0x" not in repr(value)
    assert value == value
    assert value != again
    assert len({value, again}) == 2
    table = value.to_pandas()
    assert table.attrs["source_id"] == lc.source_id
    named = {c for c in table if str(c).endswith(("_jy", "_jy2", "mjd", "_d"))}
    assert named <= set(table.attrs["units"])
    for name in ("mjd", "flux_jy", "power", "d_jy2", "flux"):
        if isinstance(getattr(value, name, None), np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                getattr(value, name)[0] = 0.0
