"""Sky, variability and coverage plots: what is drawn, what is counted, and that 0 h is whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contimg_lab.plots import plot_coverage, plot_eta_v, plot_pointings


@pytest.fixture
def ax() -> Axes:
    """Axes that pyplot does not know."""
    return Figure(figsize=(6, 4), layout="constrained").subplots()


def labels(ax: Axes) -> list[str]:
    """What the legend says."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_strip_across_0h_is_drawn_whole(ax: Axes) -> None:
    """Neighbours on the sky must be neighbours on the plot, across 0 h too."""
    ra = np.arange(340.0, 380.0, 1.3) % 360.0
    plot_pointings(ra, np.full(ra.size, 16.0), ax=ax)
    assert np.abs(np.diff(ax.lines[0].get_xdata())) == pytest.approx(1.3)


def test_right_ascension_grows_to_the_left(ax: Axes) -> None:
    """East must be left, and no tick may leave [0, 360)."""
    plot_pointings([350.0, 0.0, 10.0], [16.0] * 3, ax=ax)
    ax.figure.draw_without_rendering()
    assert ax.get_xlim()[0] > ax.get_xlim()[1]
    ticks = [float(text.get_text()) for text in ax.get_xticklabels() if text.get_text()]
    assert ticks
    assert all(0.0 <= tick < 360.0 for tick in ticks)
    hours = [text.get_text() for text in ax.child_axes[0].get_xticklabels()]
    assert "0h" in hours


def test_status_words_are_counted(ax: Axes) -> None:
    """Each status must have its number, unknown words and missing ones too."""
    plot_pointings([1.0, 2.0, 3.0], [16.0] * 3, ["failed", "odd word", None], ax=ax)
    assert labels(ax) == ["failed (1)", "no status (1)", "odd word (1)"]


def test_pointings_without_a_position_are_counted(ax: Axes) -> None:
    """What cannot be drawn must be said in the title."""
    plot_pointings([1.0, np.nan], [16.0, 16.0], title="night", ax=ax)
    assert ax.get_title() == "night   1 of 2 without a position"
    empty = plot_pointings([np.nan], [np.nan], ax=Figure().subplots())
    assert any("no pointing" in text.get_text() for text in empty.texts)


def test_selected_pointing_is_ringed(ax: Axes) -> None:
    """The ring must stand where the chosen MS is drawn, also beyond 0 h."""
    plot_pointings([359.0, 1.0], [16.0, 16.0], selected=1, ax=ax)
    ring = next(line for line in ax.lines if line.get_label() == "selected")
    assert ring.get_xdata()[0] % 360.0 == 1.0


def test_sources_that_a_logarithm_cannot_show_are_counted(ax: Axes) -> None:
    """Non-positive and undefined values must be said, not silently dropped."""
    plot_eta_v([1.0, 0.0, np.nan, 2.0], [0.1, 0.1, 0.1, -0.1], ax=ax)
    assert "source (1)" in labels(ax)
    told = [text.get_text() for text in ax.texts]
    assert told == ["3 of 4 not drawn: 1 undefined, 2 with η or V ≤ 0"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_selected_source_is_ringed(ax: Axes) -> None:
    """The chosen source must be ringed where it is, and nowhere if it cannot be drawn."""
    plot_eta_v([1.0, 5.0], [0.1, 0.2], selected=1, ax=ax)
    ring = next(line for line in ax.lines if line.get_label() == "selected")
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (5.0, 0.2)
    other = plot_eta_v([1.0, np.nan], [0.1, 0.2], selected=1, ax=Figure().subplots())
    assert "selected" not in [line.get_label() for line in other.lines]


def coverage() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three MS, one table type with a window and one without."""
    covers = pd.DataFrame(
        {
            "mid_mjd": pd.array([60950.1, 60950.2, 60950.5] * 2, dtype="Float64"),
            "table_type": ["BP"] * 3 + ["2G"] * 3,
            "state": ["inside", "inside", "nearest", "none", "none", "none"],
        }
    )
    tables = pd.DataFrame(
        {
            "table_type": ["BP", "BP"],
            "status": ["active", "retired"],
            "valid_start_mjd": pd.array([60950.0, 60900.0], dtype="Float64"),
            "valid_end_mjd": pd.array([60950.3, None], dtype="Float64"),
        }
    )
    return covers, tables


def test_coverage_is_told_by_colour_and_marker(ax: Axes) -> None:
    """Each state must have its own marker, colour and number."""
    plot_coverage(*coverage(), ax=ax)
    states = [line for line in ax.lines if "(" in str(line.get_label())]
    assert [line.get_label() for line in states] == [
        "inside a window (2)",
        "nearest within 12 h (1)",
        "not covered (3)",
    ]
    assert len({line.get_marker() for line in states}) == 3
    assert len({line.get_color() for line in states}) == 3


def test_windows_far_away_do_not_stretch_the_night(ax: Axes) -> None:
    """A window that began weeks before must not squeeze the night into a corner."""
    plot_coverage(*coverage(), ax=ax)
    low, high = ax.get_xlim()
    assert high - low < 1.0
    assert {"window, active", "window, retired or failed"} <= set(labels(ax))


def test_nothing_to_cover_is_said(ax: Axes) -> None:
    """A night without a time or a table must say so and not fail."""
    covers, tables = coverage()
    plot_coverage(covers.iloc[:0], tables.iloc[:0], ax=ax)
    assert any("no Measurement Set" in text.get_text() for text in ax.texts)
