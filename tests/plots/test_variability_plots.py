"""eta-V with fits and cuts, and Vs-m: every line, marker and count is where the numbers are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contimg_lab.analysis.field_fit import fit_field
from contimg_lab.plots._log_axis import write_plain_ticks
from contimg_lab.plots.two_epoch import plot_vs_m
from contimg_lab.plots.variability import plot_eta_v

ETA = 10.0 ** np.random.default_rng(4).normal(0.1, 0.2, 300)
V = 10.0 ** np.random.default_rng(5).normal(-1.0, 0.3, 300)


@pytest.fixture
def ax() -> Axes:
    """Axes that pyplot does not know."""
    return Figure(figsize=(6, 5), layout="constrained").subplots()


def labels(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def fits(mean: float = 0.1, sigma: float = 0.2, reason: str = "") -> dict[str, dict[str, Any]]:
    """Fits as ``candidates().attrs["fits"]`` gives them."""
    eta = {"mean": mean, "sigma": sigma, "n_fitted": 290, "reason": reason}
    return {"eta": eta, "v": {"mean": -1.0, "sigma": 0.3, "n_fitted": 280, "reason": ""}}


def test_cuts_stand_n_sigma_above_the_fits(ax: Axes) -> None:
    """The drawn cuts must be 10 ** (mean + n sigma), and the legend must say the same."""
    plot_eta_v(ETA, V, fits=fits(), n_sigma=3.0, ax=ax)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    upright, level = dashed
    assert upright.get_xdata()[0] == pytest.approx(10.0**0.7)
    assert level.get_ydata()[0] == pytest.approx(10.0**-0.1)
    assert "3σ above the field: η > 5.01, V > 0.794" in labels(ax)


def test_gaussians_hold_as_many_sources_as_were_fitted(ax: Axes) -> None:
    """In both margins, Gaussian and bars must count the same sources per bin."""
    of_eta, of_v = fit_field(ETA), fit_field(V)
    given = {
        name: {"mean": f.mean, "sigma": f.sigma, "n_fitted": f.n_fitted, "reason": ""}
        for name, f in (("eta", of_eta), ("v", of_v))
    }
    drawn = plot_eta_v(ETA, V, fits=given, marginals=True, ax=ax)
    assert drawn.main is ax
    for margin, upright, fit in ((drawn.eta, True, of_eta), (drawn.v, False, of_v)):
        bars = [p.get_height() if upright else p.get_width() for p in margin.patches]
        assert sum(bars) == 300
        first = margin.patches[0]
        start, width = (
            (first.get_x(), first.get_width()) if upright else (first.get_y(), first.get_height())
        )
        bin_dex = math.log10((start + width) / start)
        curve = margin.lines[0]
        at, height = curve.get_data() if upright else curve.get_data()[::-1]
        total = np.trapezoid(height, np.log10(at)) / bin_dex
        assert total == pytest.approx(fit.n_fitted, rel=1e-3)
        assert at[np.argmax(height)] == pytest.approx(10.0**fit.mean, rel=1e-6)


def test_margins_share_the_range_of_the_scatter(ax: Axes) -> None:
    """A bar must stand above the sources that it counts."""
    drawn = plot_eta_v(ETA, V, fits=fits(), marginals=True, title="field", ax=ax)
    assert drawn.eta.get_xlim() == drawn.main.get_xlim()
    assert drawn.v.get_ylim() == drawn.main.get_ylim()
    assert (drawn.eta.get_xscale(), drawn.v.get_yscale()) == ("log", "log")


def test_the_title_stays_inside_the_figure(ax: Axes) -> None:
    """The title above the margin must not be cut off."""
    plot_eta_v(ETA, V, fits=fits(), marginals=True, title="Title", ax=ax)
    ax.figure.draw_without_rendering()
    assert ax.title.get_window_extent().y1 <= ax.figure.bbox.y1


def test_every_rule_has_its_marker_colour_and_number(ax: Axes) -> None:
    """Rules must be told apart by shape and colour, and count what cannot be drawn too."""
    eta = np.array([1.0, 5.0, np.nan, 8.0])
    v = np.array([0.1, 0.2, 0.1, 0.3])
    rules = {"η–V": [False, True, False, True], "two-epoch": [False, False, True, True]}
    plot_eta_v(eta, v, rules=rules, ax=ax)
    lines = [line for line in ax.lines if "selected by" in str(line.get_label())]
    assert [line.get_label() for line in lines] == [
        "selected by η–V (2)",
        "selected by two-epoch (2, 1 not drawn)",
    ]
    assert lines[0].get_xdata().tolist() == [5.0, 8.0]
    assert lines[1].get_xdata().tolist() == [8.0]
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == 2
    assert lines[0].get_markersize() < lines[1].get_markersize()


def test_sources_outside_the_fits_are_told(ax: Axes) -> None:
    """Sources that the fits do not rest on must look different and be counted."""
    plot_eta_v(ETA, V, fits=fits(), fitted=np.arange(300) < 200, ax=ax)
    assert {"source, in the fits (200)", "source, not in the fits (100)"} <= set(labels(ax))


def test_a_fit_that_there_is_none_of_is_said(ax: Axes) -> None:
    """Without a fit no cut may be drawn, and the reason must be read in the plot."""
    none = fits(math.nan, math.nan, "too few sources")
    drawn = plot_eta_v([1.0, 2.0], [0.1, 0.2], fits=none, marginals=True, ax=ax)
    told = [text.get_text() for text in ax.texts]
    assert told == ["no fit of η: too few sources"]
    assert len([line for line in ax.lines if line.get_linestyle() == "--"]) == 1
    assert not drawn.eta.lines


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_sources_draw(n: int, ax: Axes) -> None:
    """A field of none, one or two sources must draw without a failure."""
    eta, v = np.full(n, 1.5), np.full(n, 0.2)
    plot_eta_v(eta, v, fits=fits(), rules={"η–V": np.ones(n, bool)}, marginals=True, ax=ax)
    ax.figure.draw_without_rendering()
    plot_vs_m(eta, v, ax=Figure().subplots()).figure.draw_without_rendering()


@pytest.mark.parametrize(("low", "high"), [(0.8, 1.4), (0.2, 30.0), (0.01, 5e3), (1e-9, 1e9)])
def test_logarithmic_ticks_are_plain_and_few(low: float, high: float, ax: Axes) -> None:
    """A logarithmic axis must have some labels whatever its range, and no crowd of them."""
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    write_plain_ticks(ax.xaxis)
    ax.figure.draw_without_rendering()
    texts = [
        tick.label1.get_text()
        for tick in ax.xaxis.get_major_ticks()
        if low <= tick.get_loc() <= high
    ]
    assert 2 <= len(texts) <= 12
    if low > 1e-4:
        assert all(float(text) for text in texts)


def test_two_epoch_cuts_and_what_passes_both(ax: Axes) -> None:
    """The cuts must stand at their values, and only pairs beyond both be marked."""
    vs = np.array([1.0, -9.0, 9.0, -4.4, np.nan])
    m = np.array([0.5, -0.8, 0.1, -0.3, 0.4])
    plot_vs_m(vs, m, expected_false_pairs=7.78, selected=1, ax=ax)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert dashed[0].get_ydata()[0] == 4.3
    assert [line.get_xdata()[0] for line in dashed[1:]] == [-0.26, 0.26]
    passing = next(line for line in ax.lines if str(line.get_label()).startswith("beyond both"))
    assert passing.get_xdata().tolist() == [-0.8, -0.3]
    assert passing.get_ydata().tolist() == [9.0, 4.4]
    assert {"source (2)", "beyond both cuts (2)", "false pairs expected: 7.8"} <= set(labels(ax))
    assert [text.get_text() for text in ax.texts] == ["1 of 5 without Vs and m"]
    ring = next(line for line in ax.lines if line.get_label() == "selected")
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (-0.8, 9.0)


def test_a_negative_flux_does_not_stretch_the_axis(ax: Axes) -> None:
    """|m| far beyond 2 must stand at the edge, on its own side, and be counted."""
    plot_vs_m([5.0, -6.0, 2.0], [400.0, -90.0, 0.2], ax=ax)
    assert ax.get_xlim()[1] < 2.3
    arrows = [line for line in ax.lines if line.get_marker() in "<>" and len(line.get_xdata())]
    assert sorted(float(line.get_xdata()[0]) for line in arrows) == [-2.15, 2.15]
    assert "|m| > 2.15: a flux below 0 (2)" in labels(ax)
