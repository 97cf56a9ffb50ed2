"""What stays of a panel in a saved notebook: a second output with the last table and figure.

The live widget hides this twin by a style of its own, so a reader sees the one or the other.
It is updated by its display id, which leaves the live widget, its scroll and focus alone; never
while somebody works, since its pictures cost more than all else that a panel does.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from contimg_lab.panels._live_plot import LivePlot

__all__ = ["Saved"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_REST_S = 1.0
_LONGEST_S = 10.0  # a panel that never rests is saved all the same


class Owner(Protocol):
    """Whose twin it is."""

    def _pictures(self) -> Sequence[LivePlot]:
        """Return the plots that the twin shows."""

    def _static_page(self) -> tuple[str, str]:
        """Return HTML and text of what is shown, at once: pictures as far as they are drawn."""


class Saved:
    """The saved twin of one panel, and the task that brings it up to date.

    Parameters
    ----------
    owner
        Whose twin it is.
    """

    def __init__(self, owner: Owner) -> None:
        self.css_class = f"contimg-static-{uuid.uuid4().hex[:12]}"
        self._owner = owner
        self._sent: tuple[str, str] | None = None  # None: was never on a page
        self._stale = self._closed = False
        self._first_s = self._last_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def display(self, words: str, view: Mapping[str, Any]) -> None:
        """Show the live widget at once, and beside it the twin that it hides."""
        if _WIDGET in view:
            _publish({"text/plain": words, _WIDGET: view[_WIDGET]})
        self._send(self._owner._static_page(), update=False)
        self.changed()

    def changed(self) -> None:
        """Something else is shown: the twin follows when the panel has rested for a moment."""
        if self._closed:
            return
        self._last_s = monotonic()
        if not self._stale:
            self._stale, self._first_s = True, self._last_s
        if self._sent is not None and (self._task is None or self._task.done()):
            with contextlib.suppress(RuntimeError):  # a plain script has no loop: `now` does it
                self._task = asyncio.get_running_loop().create_task(self._follow())

    async def now(self) -> None:
        """Bring the twin up to date without waiting for a rest."""
        await self.ended()
        while self._stale and not self._closed:
            await self._draw()

    async def ended(self) -> None:
        """End what is under way; what was drawn is kept."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.wait([task])

    def close(self) -> None:
        """Follow no more; the page keeps what was there last."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    async def _follow(self) -> None:
        while self._stale:
            until_s = min(self._last_s + _REST_S, self._first_s + _LONGEST_S)
            wait_s = until_s - monotonic()
            if wait_s > 0.0:
                await asyncio.sleep(wait_s)
            else:
                await self._draw()

    async def _draw(self) -> None:
        self._stale = False
        try:
            for plot in self._owner._pictures():
                await plot.draw()
        except asyncio.CancelledError:
            self._stale = True
            raise
        if self._closed or self._sent is None:
            return
        page = self._owner._static_page()
        if page != self._sent:
            self._send(page, update=True)

    def _send(self, page: tuple[str, str], *, update: bool) -> None:
        self._sent = page
        html, text = page
        _publish(
            {"text/html": f"<div class='{self.css_class}'>{html}</div>", "text/plain": text},
            transient={"display_id": self.css_class},
            update=update,
        )


def _publish(data: Mapping[str, Any], **options: Any) -> None:
    import IPython.display

    publish: Any = IPython.display.publish_display_data
    publish(data, **options)
