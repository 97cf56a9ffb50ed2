"""The one place where something above reaches below: what astronomers type on a value.

``lc.plot()``, ``lab.jobs.panel()``, ``lab.dashboard()`` and ``contimg_lab.demo()`` belong to
values, services and a room but draw, show and open. They come here, and only here, and what
they need is imported when called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from contimg_lab.lab import Opening
    from contimg_lab.plots.light_curve import LightCurveLike

__all__ = ["dashboard", "open_demo", "panel", "plot_light_curve"]


def open_demo(**season: Any) -> Opening:
    """Open the built-in season; see `contimg_lab.lab.demo_lab`."""
    from contimg_lab.lab import demo_lab

    return demo_lab(**season)


def plot_light_curve(lc: LightCurveLike, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a light curve; see `contimg_lab.plots.light_curve.plot_light_curve`."""
    from contimg_lab.plots.light_curve import plot_light_curve as draw

    return draw(lc, ax, **options)


def panel(name: str, lab: object, **options: Any) -> Any:
    """Make one panel on a Lab; see `contimg_lab.panels.make_panel`."""
    from contimg_lab.panels import make_panel

    return make_panel(name, lab, **options)


def dashboard(lab: object, **options: Any) -> Any:
    """Make the panel that holds them all; see `contimg_lab.panels.dashboard`."""
    return panel("dashboard", lab, **options)
