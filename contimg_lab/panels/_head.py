"""The head of a panel: title, filters, Refresh, and still lines of status with Cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contimg_lab.panels._words import escape

__all__ = ["Head"]

_STATUS_HEIGHT_PX = 58


class Head:
    """What stands above every panel; it never changes its height.

    Parameters
    ----------
    title
        Name of the panel.
    filters
        Widgets of the bar.
    on_refresh, on_cancel
        Called when a button is pressed.
    on_tool
        Called with what the tools say: see `contimg_lab.panels._tools.Tools`.
    offered
        What the tools offer.

    Attributes
    ----------
    filters, live, tools
        The widgets of the bar, the one that says ``live`` or ``paused``, and the tools.
    """

    def __init__(
        self,
        title: str,
        filters: Sequence[Any],
        on_refresh: Callable[[Any], None],
        on_cancel: Callable[[Any], None],
        on_tool: Callable[..., None],
        offered: Mapping[str, Any],
    ) -> None:
        import ipywidgets as widgets

        from contimg_lab.panels._tools import Tools

        self._on_refresh, self._on_cancel, self._on_tool = on_refresh, on_cancel, on_tool
        width = {"width": "90px", "flex": "0 0 auto"}
        self.refresh: Any = widgets.Button(description="Refresh", icon="refresh", layout=width)
        self.cancel: Any = widgets.Button(
            description="Cancel", icon="times", layout=width | {"visibility": "hidden"}
        )
        self.tools = Tools(**offered)
        self.tools.on_msg(on_tool)
        self.refresh.on_click(on_refresh)
        self.cancel.on_click(on_cancel)
        self.filters = tuple(filters)
        self.live: Any = widgets.ToggleButton(
            value=True,
            description="live",
            tooltip="live: read again when the pipeline changes what is shown; paused: only by "
            "Refresh",
            layout={"width": "70px", "flex": "0 0 auto"},
        )
        name = widgets.HTML(escape(title))
        name.add_class("contimg-title")
        bar = widgets.Box(
            [name, *filters, self.refresh, self.live, self.tools],
            layout={"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 6px"},
        )
        bar.add_class("contimg-head")
        self.status: Any = widgets.HTML()
        self.status.add_class("contimg-status")
        still = widgets.Box(
            [self.status],
            layout={"height": f"{_STATUS_HEIGHT_PX}px", "overflow": "auto", "flex": "1 1 0"},
        )
        still.add_class("contimg-still")
        line = widgets.Box([still, self.cancel], layout={"align_items": "center"})
        self._below: Any = widgets.VBox()
        self.widgets = [bar, line, self._below]

    def busy(self, *, shown: bool) -> None:
        """Offer Cancel, or not; its place stays."""
        self.cancel.layout.visibility = "visible" if shown else "hidden"

    def show_code(self, view: Any | None) -> None:
        """Show a view of the code below the head, or none."""
        self._below.children = () if view is None else (view,)

    def say(self, first: str, second: str) -> None:
        """Write two lines of plain words."""
        self.status.value = (
            f"{escape(first)}<br><span class='contimg-quiet'>{escape(second)}</span>"
        )

    def close(self) -> None:
        """Stop listening to the buttons."""
        self.refresh.on_click(self._on_refresh, remove=True)
        self.cancel.on_click(self._on_cancel, remove=True)
        self.tools.on_msg(self._on_tool, remove=True)
