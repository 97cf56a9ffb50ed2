"""Panels: what a Lab looks like in a notebook; a new panel is one file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import InvalidInput

if TYPE_CHECKING:
    from contimg_lab.panels._base import Panel

__all__ = ["PANELS", "TABS", "make_panel", "panel_class"]

PANELS: dict[str, str] = {
    "night": "contimg_lab.panels.night:NightPanel",
    "calendar": "contimg_lab.panels.calendar:CalendarPanel",
    "jobs": "contimg_lab.panels.jobs:JobsPanel",
    "pointings": "contimg_lab.panels.pointings:PointingsPanel",
    "caltables": "contimg_lab.panels.caltables:CalTablesPanel",
    "sources": "contimg_lab.panels.sources:SourcesPanel",
    "images": "contimg_lab.panels.images:ImagesPanel",
    "variability": "contimg_lab.panels.variability:VariabilityPanel",
    "sign_off": "contimg_lab.panels.sign_off:SignOffPanel",
    "dashboard": "contimg_lab.panels.dashboard:DashboardPanel",
}
"""Module and class of each panel by name; nothing is imported before a panel is made."""

TABS = tuple(name for name in PANELS if name != "dashboard")
"""Panels that the dashboard holds, in order."""


def panel_class(name: str) -> type[Panel]:
    """Import the class of a panel.

    Raises
    ------
    InvalidInput
        There is no such panel.
    """
    if name not in PANELS:
        raise InvalidInput(f"panel {name!r} does not exist; there are {', '.join(PANELS)}")
    module, _, kind = PANELS[name].partition(":")
    found: type[Panel] = getattr(import_module(module), kind)
    return found


def make_panel(name: str, lab: Any, **options: Any) -> Panel:
    """Make a panel.

    Parameters
    ----------
    name
        A key of `PANELS`.
    lab
        An open Lab.
    **options
        First values of the panel's filters.

    Raises
    ------
    InvalidInput
        There is no such panel.
    """
    return panel_class(name)(lab, **options)
