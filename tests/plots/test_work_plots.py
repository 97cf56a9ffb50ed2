"""Work on a light curve is drawn with its units, its errors and what it found."""

from __future__ import annotations

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contimg_lab.errors import InvalidInput
from contimg_lab.plots.gallery import plot_gallery
from contimg_lab.services.light_curve import Excluded, LightCurve


def make(n: int = 40, level: float = 0.3, amplitude: float = 0.1, **change: object) -> LightCurve:
    """A periodic source, once a day; no epoch where n is 0."""
    rng = np.random.default_rng(2)
    mjd = 60950.0 + np.arange(n)
    err = np.full(n, 0.02)
    flux = level + amplitude * np.sin(2.0 * np.pi * mjd / 8.0) + err * rng.standard_normal(n)
    none = np.zeros(0)
    values: dict[str, object] = {
        "source_id": "NVSS J000000+160000",
        "ra_deg": 0.0,
        "dec_deg": 16.0,
        "nvss_flux_mjy": 300.0,
        "mjd": mjd,
        "time_source": np.array(["mjd"] * n, object),
        "flux_jy": flux,
        "flux_err_jy": err,
        "flux_column": np.array(["flux_jy"] * n, object),
        "is_detection": flux >= 3.0 * err,
        "row_id": np.arange(n),
        "image_path": np.array(["i"] * n, object),
        "excluded": Excluded(
            mjd=none,
            flux_jy=none,
            flux_err_jy=none,
            reason=none.astype(object),
            row_id=none.astype(np.int64),
            image_path=none.astype(object),
        ),
    }
    return LightCurve(**(values | change))


@pytest.fixture
def ax() -> Axes:
    """Axes that pyplot does not know."""
    return Figure(figsize=(7, 4), layout="constrained").subplots()


def labels(ax: Axes) -> list[str]:
    """What the legend says."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


WORK = {
    "bin": ({"width_days": 3.0}, "MJD (UTC, days)", "Flux density (mJy)"),
    "normalize": ({}, "MJD (UTC, days)", "Relative flux density"),
    "fold": ({"period_days": 8.0}, "Phase (cycles; period 8 d", "Flux density (mJy)"),
    "periodogram": ({}, "Frequency (cycles/day)", "Lomb-Scargle power"),
    "structure_function": ({}, "Lag (days)", "Structure function (mJy²)"),
    "bayesian_blocks": ({}, "MJD (UTC, days)", "Flux density (mJy)"),
    "two_epoch": ({}, "MJD (UTC, days)", "Flux density (mJy)"),
}


@pytest.mark.parametrize("work", WORK)
def test_axes_are_the_users_and_name_their_units(ax: Axes, work: str) -> None:
    """Each plot draws on the user's axes, leaves pyplot alone, and names units on both axes."""
    options, x, y = WORK[work]
    before = plt.get_fignums()
    assert getattr(make(), work)(**options).plot(ax) is ax
    ax.figure.draw_without_rendering()
    assert plt.get_fignums() == before
    assert ax.get_xlabel().startswith(x)
    assert ax.get_ylabel() == y
    assert "NVSS J000000+160000" in ax.get_title()


@pytest.mark.parametrize("work", WORK)
def test_without_axes_a_figure_is_made(work: str) -> None:
    """Without axes each plot makes a figure as pyplot does, so a notebook shows it."""
    made = getattr(make(), work)(**WORK[work][0]).plot()
    assert plt.gcf() is made.figure
    plt.close(made.figure)


@pytest.mark.parametrize("work", ["bin", "fold"])
def test_no_epoch_is_said(ax: Axes, work: str) -> None:
    """A curve without an epoch must say so and not fail."""
    getattr(make(0), work)(**WORK[work][0]).plot(ax)
    assert any("no epoch" in text.get_text() for text in ax.texts)


def test_periodogram_marks_best_period_and_levels(ax: Axes) -> None:
    """The best period is marked at its frequency and named; each level stands at its power."""
    found = make().periodogram()
    found.plot(ax)
    mark = next(line for line in ax.lines if str(line.get_label()).startswith("best period"))
    assert mark.get_xdata()[0] == pytest.approx(1.0 / found.best_period_d)
    assert mark.get_ydata()[0] == found.best_power
    levels = [line for line in ax.lines if str(line.get_label()).startswith("false alarm")]
    assert [line.get_label() for line in levels] == [
        "false alarm 10 %",
        "false alarm 1 %",
        "false alarm 0.1 %",
    ]
    assert [line.get_ydata()[0] for line in levels] == pytest.approx(list(found.level_power))
    assert len({line.get_linestyle() for line in levels}) == 3


def test_periods_stand_over_their_frequencies(ax: Axes) -> None:
    """The upper axis names periods, at one over their frequency."""
    make().periodogram().plot(ax)
    ax.figure.draw_without_rendering()
    upper = ax.child_axes[0]
    assert upper.get_xlabel() == "Period (days)"
    texts = [text.get_text() for text in upper.get_xticklabels()]
    assert {"2", "5", "10"} <= set(texts)


def test_no_best_period_is_claimed_at_the_edge(ax: Axes) -> None:
    """A trend's highest power must not be called a period."""
    flux = 0.3 + 0.01 * np.arange(40.0)
    make(flux_jy=flux).periodogram().plot(ax)
    assert not any(label.startswith("best period") for label in labels(ax))


def test_folded_shows_two_cycles(ax: Axes) -> None:
    """Each epoch stands at its phase and again one cycle later, and is counted once."""
    folded = make().fold(8.0)
    folded.plot(ax)
    first, second = (line for line in ax.lines if len(line.get_xdata()) == 40)
    assert first.get_xdata() == pytest.approx(folded.phase)
    assert second.get_xdata() == pytest.approx(folded.phase + 1.0)
    assert "detection (40)" in labels(ax)


def test_structure_counts_pairs_and_keeps_negative_bins(ax: Axes) -> None:
    """The pairs of each bin are written, and negative values are drawn too."""
    found = make(amplitude=0.0).structure_function(n_bins=5)
    assert (found.d_jy2 < 0.0).any()
    found.plot(ax)
    counts = [text.get_text() for text in ax.texts]
    assert counts == [str(n) for n in found.n_pairs if n]
    low, high = ax.get_ylim()
    assert low < 1e6 * np.nanmin(found.d_jy2)
    assert high > 1e6 * np.nanmax(found.d_jy2)


@pytest.mark.parametrize(("level", "scale"), [(0.3, 1e3), (5.0, 1.0)])
def test_blocks_and_pairs_are_in_the_unit_of_the_curve(level: float, scale: float) -> None:
    """Blocks and rings stand at the fluxes of the light curve below, in mJy or Jy alike."""
    lc = make(level=level, amplitude=0.2)
    blocks = lc.bayesian_blocks()
    axes = blocks.plot(Figure().subplots())
    steps = next(patch for patch in axes.patches if "block" in str(patch.get_label()))
    assert steps.get_data().values == pytest.approx(blocks.flux_jy * scale)
    pair = lc.two_epoch()
    axes = pair.plot(Figure().subplots())
    ring = next(line for line in axes.lines if "pairs" in str(line.get_label()))
    assert ring.get_ydata() == pytest.approx(pair.flux_jy * scale)


def test_gallery_draws_n_on_one_time_axis() -> None:
    """A gallery has one cell a curve, in order, on one time axis, and says what it leaves out."""
    fig = Figure(layout="constrained")
    curves = {f"S{i}": make(source_id=f"S{i}", mjd=60950.0 + i + np.arange(40)) for i in range(8)}
    before = plt.get_fignums()
    cells = plot_gallery(curves, n=5, columns=2, fig=fig)
    fig.draw_without_rendering()
    assert plt.get_fignums() == before
    assert [cell.get_title() for cell in cells] == ["S0", "S1", "S2", "S3", "S4"]
    assert len({cell.get_xlim() for cell in cells}) == 1
    assert {cell.get_ylabel() for cell in cells} == {"mJy"}
    assert fig.get_supxlabel() == "MJD (UTC, days)"
    assert fig.get_suptitle() == "the first 5 of 8"
    assert cells[0].xaxis.get_offset_text().get_text() == ""


def test_gallery_of_thin_curves_is_drawn() -> None:
    """Curves without an epoch, and no curve at all, are said and not an error."""
    fig = Figure(layout="constrained")
    cells = plot_gallery([make(), make(0)], fig=fig)
    assert any("no valid epoch" in text.get_text() for text in cells[1].texts)
    assert plot_gallery([], fig=Figure()) == []
    with pytest.raises(InvalidInput):
        plot_gallery([make()], columns=0, fig=Figure())


def test_gallery_without_figure_makes_one() -> None:
    """Without a figure a gallery makes one as pyplot does."""
    cells = plot_gallery([make()])
    assert plt.gcf() is cells[0].figure
    plt.close(cells[0].figure)


def test_pictures_do_not_import_pyplot() -> None:
    """Drawing on a given figure must not import pyplot."""
    code = (
        "import sys\n"
        "from matplotlib.figure import Figure\n"
        "from contimg_lab.plots import blocks, curve_pair, folded, gallery, normalized\n"
        "from contimg_lab.plots import periodogram, structure\n"
        "gallery.plot_gallery([], fig=Figure())\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
