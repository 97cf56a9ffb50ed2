"""A light curve is drawn with errors, limits, what was left out, and readable times."""

from __future__ import annotations

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contimg_lab.plots import plot_light_curve
from contimg_lab.services.light_curve import Excluded, LightCurve


def make(n: int = 8, faint: int = 2, scale: float = 0.05, **change: object) -> LightCurve:
    """A curve of n epochs of which the last few are no detections."""
    flux = np.full(n, scale)
    flux[n - faint :] = 0.1 * scale
    error = np.full(n, scale / 20.0)
    values = {
        "source_id": "NVSS J000000+160000",
        "ra_deg": 0.0,
        "dec_deg": 16.0,
        "nvss_flux_mjy": 50.0,
        "mjd": 60950.0 + np.arange(n),
        "time_source": np.array(["mjd"] * n, object),
        "flux_jy": flux,
        "flux_err_jy": error,
        "flux_column": np.array(["flux_jy"] * n, object),
        "is_detection": flux >= 3.0 * error,
        "row_id": np.arange(n),
        "image_path": np.array(["i"] * n, object),
        "excluded": Excluded(
            mjd=np.array([60951.5, np.nan, 60953.5]),
            flux_jy=np.full(3, np.nan),
            flux_err_jy=np.full(3, np.nan),
            reason=np.array(["missing", "missing", "not finite"], object),
            row_id=np.arange(3),
            image_path=np.array(["i"] * 3, object),
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


def test_every_epoch_used_is_drawn(ax: Axes) -> None:
    """Detections and limits together must be as many as the epochs that count."""
    plot_light_curve(make(), ax)
    assert "detection (6)" in labels(ax)
    assert "upper limit, 3 errors (2)" in labels(ax)


def test_upper_limits_stand_at_three_errors(ax: Axes) -> None:
    """A non-detection's arrow must hang from 3 errors, in the unit of the axis."""
    lc = make()
    plot_light_curve(lc, ax)
    arrow = next(line for line in ax.lines if str(line.get_label()).startswith("upper"))
    assert arrow.get_ydata() == pytest.approx(3e3 * lc.flux_err_jy[-2:])


def test_epochs_left_out_are_marked_and_counted(ax: Axes) -> None:
    """Each reason must be told with its number, those without a time too."""
    plot_light_curve(make(), ax)
    assert "left out: missing (2, 1 without a time)" in labels(ax)
    assert "left out: not finite (1)" in labels(ax)


def test_mean_is_the_weighted_mean(ax: Axes) -> None:
    """The line must be the weighted mean of every epoch that counts."""
    lc = make()
    plot_light_curve(lc, ax)
    weights = lc.flux_err_jy**-2.0
    mean_mjy = 1e3 * np.sum(weights * lc.flux_jy) / np.sum(weights)
    line = next(line for line in ax.lines if str(line.get_label()).startswith("weighted mean"))
    assert line.get_ydata()[0] == pytest.approx(mean_mjy)


@pytest.mark.parametrize(("scale", "unit"), [(0.05, "mJy"), (2.0, "Jy")])
def test_axes_carry_units(ax: Axes, scale: float, unit: str) -> None:
    """Both axes must name their unit, and the unit must suit the source."""
    plot_light_curve(make(scale=scale), ax)
    assert ax.get_ylabel() == f"Flux density ({unit})"
    assert ax.get_xlabel() == "MJD (UTC, days)"


def test_peak_fluxes_are_per_beam(ax: Axes) -> None:
    """Where every flux is a peak the axis must say so."""
    plot_light_curve(make(flux_column=np.array(["peak_jyb"] * 8, object)), ax)
    assert ax.get_ylabel() == "Peak flux density (mJy/beam)"


def test_mjd_is_written_out_and_starts_at_the_data(ax: Axes) -> None:
    """MJD must be whole numbers without an offset, and the axis must not start at 0."""
    plot_light_curve(make(), ax)
    ax.figure.draw_without_rendering()
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert any(text.startswith("609") and len(text) >= 5 for text in ticks)
    assert ax.xaxis.get_offset_text().get_text() == ""
    assert ax.get_xlim()[0] > 60900.0


def test_upper_axis_shows_utc_dates(ax: Axes) -> None:
    """The upper axis must show UTC dates at the right place."""
    plot_light_curve(make(), ax)
    ax.figure.draw_without_rendering()
    upper = ax.child_axes[0]
    texts = [text.get_text() for text in upper.get_xticklabels() if text.get_text()]
    assert upper.get_xlabel() == "UTC"
    assert "2025-10-03" in texts  # MJD 60951


def test_times_of_measurement_are_told_apart(ax: Axes) -> None:
    """An epoch whose time is not that of an observation must be marked."""
    source = np.array(["mjd"] * 7 + ["measured_at"], object)
    plot_light_curve(make(time_source=source), ax)
    assert "time of measurement only (1)" in labels(ax)


def test_no_epoch_at_all_is_said(ax: Axes) -> None:
    """A source with nothing valid must say so and not fail."""
    plot_light_curve(make(n=0, faint=0), ax)
    assert any("no epoch" in text.get_text() for text in ax.texts)


def test_users_axes_are_used_and_pyplot_left_alone(ax: Axes) -> None:
    """Given axes, pyplot must learn of no new figure, and the axes come back."""
    before = plt.get_fignums()
    assert plot_light_curve(make(), ax) is ax
    assert plt.get_fignums() == before


def test_without_axes_a_figure_is_made() -> None:
    """Without axes, ``plot()`` must make a figure as pyplot does, so a notebook shows it."""
    made = make().plot()
    assert plt.gcf() is made.figure
    plt.close(made.figure)


def test_panels_and_plots_do_not_import_pyplot() -> None:
    """Drawing on given axes must not import pyplot."""
    code = (
        "import sys, contimg_lab.plots, contimg_lab.panels.variability, numpy as np\n"
        "from matplotlib.figure import Figure\n"
        "contimg_lab.plots.plot_eta_v([1.0], [0.1], ax=Figure().subplots())\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
