"""Heavy imports of the panels, each in a thread and just before it is needed.

A panel is on screen before pandas is imported, and its rows before matplotlib: the browser draws
the one while the next is imported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["load_figures", "load_frames"]


def load_frames() -> asyncio.Future[None]:
    """Begin to import pandas."""
    return _begin(_import_frames)


def load_figures() -> asyncio.Future[None]:
    """Begin to import what draws."""
    return _begin(_import_figures)


def _begin(what: Callable[[], None]) -> asyncio.Future[None]:
    return asyncio.get_running_loop().run_in_executor(None, what)


def _import_frames() -> None:
    import pandas  # noqa: F401


def _import_figures() -> None:
    import matplotlib.backends.backend_agg
    import matplotlib.dates
    import matplotlib.figure  # noqa: F401
