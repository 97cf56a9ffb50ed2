"""The tools in every panel's head, one widget: history, units, exports, code and help."""

from __future__ import annotations

import asyncio
from typing import Any

import anywidget
import traitlets

from contimg_lab.panels._front import script
from contimg_lab.panels._keys import KEYS

__all__ = ["Tools"]

_PIECE = 1 << 20  # what else is sent comes in between


class Tools(anywidget.AnyWidget):
    """What it is told in messages: ``back``, ``forward``, ``code``, ``export``, ``flux`` ...

    Attributes
    ----------
    history
        Whether back and forward stand here; a panel in a dashboard leaves them to it.
    can_back, can_forward
        Whether there is anything to go to.
    flux, positions
        What is chosen; empty where the panel shows none.
    forms
        Words and forms of the export menu.
    help_keys
        Help: see `contimg_lab.panels._keys.KEYS`.
    """

    history = traitlets.Bool(True).tag(sync=True)
    can_back = traitlets.Bool(False).tag(sync=True)
    can_forward = traitlets.Bool(False).tag(sync=True)
    flux = traitlets.Unicode("").tag(sync=True)
    positions = traitlets.Unicode("").tag(sync=True)
    forms: Any = traitlets.List().tag(sync=True)
    help_keys: Any = traitlets.List().tag(sync=True)

    def __init__(self, **given: Any) -> None:
        self._esm = script("tools")
        keys = [[place, [list(pair) for pair in pairs]] for place, pairs in KEYS.items()]
        super().__init__(help_keys=keys, layout={"flex": "0 0 auto"}, **given)

    async def offer(self, data: bytes, name: str, ticket: str) -> None:
        """Send a file to the page that asked for it, in pieces; it saves it as a download."""
        view = memoryview(data)
        starts = range(0, max(1, len(data)), _PIECE)
        for i, start in enumerate(starts):
            content = {"say": "file", "ticket": ticket, "name": name, "left": len(starts) - 1 - i}
            self.send(content, [view[start : start + _PIECE]])
            await asyncio.sleep(0)
