"""The one place where something above reaches below: what astronomers type on a value.

``lc.plot()``, ``lab.jobs.panel()``, ``lab.dashboard()`` and ``contimg_lab.demo()`` belong to
values, services and a room but draw, show and open. They come here, and only here, and what
they need is imported when called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from contimg_lab.lab import Opening
    from contimg_lab.plots._check_report import ReportLike
    from contimg_lab.plots.blocks import BlocksLike
    from contimg_lab.plots.checks import CheckFigure
    from contimg_lab.plots.curve_pair import PairLike
    from contimg_lab.plots.cutout import CutoutLike
    from contimg_lab.plots.folded import FoldedLike
    from contimg_lab.plots.light_curve import LightCurveLike
    from contimg_lab.plots.normalized import NormalizedLike
    from contimg_lab.plots.periodogram import PeriodogramLike
    from contimg_lab.plots.structure import StructureLike
    from contimg_lab.selection import Selection
    from contimg_lab.views import View

__all__ = [
    "dashboard",
    "figure_of_checks",
    "open_demo",
    "panel",
    "plot_blocks",
    "plot_cutout",
    "plot_folded",
    "plot_light_curve",
    "plot_normalized",
    "plot_pair",
    "plot_periodogram",
    "plot_structure",
    "selection",
    "view",
]


def open_demo(**season: Any) -> Opening:
    """Open the built-in season; see `contimg_lab.lab.demo_lab`."""
    from contimg_lab.lab import demo_lab

    return demo_lab(**season)


def plot_light_curve(lc: LightCurveLike, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a light curve; see `contimg_lab.plots.light_curve.plot_light_curve`."""
    from contimg_lab.plots.light_curve import plot_light_curve as draw

    return draw(lc, ax, **options)


def plot_normalized(value: NormalizedLike, ax: Axes | None = None) -> Axes:
    """Draw relative flux against time; see `contimg_lab.plots.normalized.plot_normalized`."""
    from contimg_lab.plots.normalized import plot_normalized as draw

    return draw(value, ax)


def plot_folded(value: FoldedLike, ax: Axes | None = None) -> Axes:
    """Draw flux against phase; see `contimg_lab.plots.folded.plot_folded`."""
    from contimg_lab.plots.folded import plot_folded as draw

    return draw(value, ax)


def plot_periodogram(value: PeriodogramLike, ax: Axes | None = None) -> Axes:
    """Draw power against frequency; see `contimg_lab.plots.periodogram.plot_periodogram`."""
    from contimg_lab.plots.periodogram import plot_periodogram as draw

    return draw(value, ax)


def plot_structure(value: StructureLike, ax: Axes | None = None) -> Axes:
    """Draw a structure function; see `contimg_lab.plots.structure.plot_structure`."""
    from contimg_lab.plots.structure import plot_structure as draw

    return draw(value, ax)


def plot_blocks(value: BlocksLike, ax: Axes | None = None) -> Axes:
    """Draw a light curve with its blocks; see `contimg_lab.plots.blocks.plot_blocks`."""
    from contimg_lab.plots.blocks import plot_blocks as draw

    return draw(value, ax)


def plot_pair(value: PairLike, ax: Axes | None = None) -> Axes:
    """Draw a light curve and its widest pair; see `contimg_lab.plots.curve_pair.plot_pair`."""
    from contimg_lab.plots.curve_pair import plot_pair as draw

    return draw(value, ax)


def plot_cutout(value: CutoutLike, ax: Axes | None = None) -> Axes:
    """Draw a cut-out of an image; see `contimg_lab.plots.cutout.plot_cutout`."""
    from contimg_lab.plots.cutout import plot_cutout as draw

    return draw(value, ax)


def figure_of_checks(report: ReportLike, *checks: str) -> CheckFigure:
    """Draw checks of a night; see `contimg_lab.plots.checks.figure_of_checks`."""
    from contimg_lab.plots.checks import figure_of_checks as draw

    return draw(report, *checks)


def panel(name: str, lab: object, **options: Any) -> Any:
    """Make one panel on a Lab; see `contimg_lab.panels.make_panel`."""
    from contimg_lab.panels import make_panel

    return make_panel(name, lab, **options)


def dashboard(lab: object, **options: Any) -> Any:
    """Make the panel that holds them all; see `contimg_lab.panels.dashboard`."""
    return panel("dashboard", lab, **options)


def selection(place: Callable[[str], tuple[str | None, int | None]]) -> Selection:
    """Make the selection that panels and code share; see `contimg_lab.selection.Selection`."""
    from contimg_lab.selection import Selection

    return Selection(place)


def view(lab: object) -> View:
    """Make what saves and restores a Lab's panels; see `contimg_lab.views.View`."""
    from contimg_lab.views import View

    return View(lab)
