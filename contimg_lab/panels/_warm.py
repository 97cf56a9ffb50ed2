"""Heavy imports of the panels, each in a thread and just before it is needed.

A panel is on screen before pandas is imported, its rows before itables, and its table before
matplotlib: the browser draws the one while the next is imported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["load_figures", "load_frames", "load_grids"]


def load_frames() -> asyncio.Future[None]:
    """Begin to import pandas."""
    return _begin(_import_frames)


def load_grids() -> asyncio.Future[None]:
    """Begin to import the live table."""
    return _begin(_import_grids)


def load_figures() -> asyncio.Future[None]:
    """Begin to import what draws, after the live table."""
    return _begin(_import_figures)


def _begin(what: Callable[[], None]) -> asyncio.Future[None]:
    return asyncio.get_running_loop().run_in_executor(None, what)


def _import_frames() -> None:
    import pandas  # noqa: F401


def _import_grids() -> None:
    import itables.widget  # noqa: F401


def _import_figures() -> None:
    _import_grids()
    import matplotlib.backends.backend_agg
    import matplotlib.dates
    import matplotlib.figure  # noqa: F401
