"""The event loop where a panel's work is done, whichever thread hears of it first.

JupyterLab sends what a widget hears through a subshell of the kernel (ipykernel 7 and later,
JEP 91): a thread of its own with a loop of its own. What a panel owns (tasks, connections)
belongs to the loop that the Lab is used from, so each message is taken there first.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Home"]


class Home:
    """The loop of whoever makes this; None where none runs, as in a plain script.

    Parameters
    ----------
    loop
        Another loop that work belongs to, as long as it is open.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        self._loop = here if loop is None or not loop.is_running() else loop
        self._thread = threading.get_ident() if self._loop is here else None

    def call(self, handler: Callable[..., Any], *arguments: Any) -> None:
        """Call a handler: at once where this is its thread, else soon on the loop."""
        if self._loop is None or self._loop.is_closed() or self._is_here():
            handler(*arguments)
        else:
            self._loop.call_soon_threadsafe(handler, *arguments)

    def taken(self, handler: Callable[..., Any]) -> Callable[..., None]:
        """Return what hears in any thread and calls the handler where it belongs."""

        def hear(*arguments: Any) -> None:
            self.call(handler, *arguments)

        return hear

    def _is_here(self) -> bool:
        if self._thread is not None:
            return threading.get_ident() == self._thread
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False
