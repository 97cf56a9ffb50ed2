"""What stays of a panel in a saved notebook: a second output with the last table and figure.

The live widget hides this twin by a style of its own, so a reader sees the one or the other.
It is updated by its display id, which leaves the live widget, its scroll and focus alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

__all__ = ["Saved"]

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Saved:
    """The saved twin of one panel."""

    def __init__(self) -> None:
        self.css_class = f"contimg-static-{uuid.uuid4().hex[:12]}"
        self._shown = False

    def display(self, words: str, view: Mapping[str, Any], html: str, text: str) -> None:
        """Show the live widget and, beside it, the twin that it hides."""
        if _WIDGET in view:
            _publish({"text/plain": words, _WIDGET: view[_WIDGET]})
        self._shown = True
        self._send(html, text, update=False)

    def update(self, html: str, text: str) -> None:
        """Bring the twin up to date, where it was ever shown."""
        if self._shown:
            self._send(html, text, update=True)

    def _send(self, html: str, text: str, *, update: bool) -> None:
        _publish(
            {"text/html": f"<div class='{self.css_class}'>{html}</div>", "text/plain": text},
            transient={"display_id": self.css_class},
            update=update,
        )


def _publish(data: Mapping[str, Any], **options: Any) -> None:
    import IPython.display

    publish: Any = IPython.display.publish_display_data
    publish(data, **options)
