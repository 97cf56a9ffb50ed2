"""A drawn figure in a panel, where no chart says it all: pixels, with numbers in its alt text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._picture import picture_html, small_png
from contimg_lab.panels._words import escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FigureView"]

_DPI = 100
_COLOURS = 256

Drawn = tuple["Figure", bytes]
"""A figure, and its PNG."""


class FigureView:
    """The last figure drawn, in a box that keeps its height.

    Parameters
    ----------
    size_in
        Width and height in inches; a narrow notebook shows it smaller.
    empty
        Words to show before there is a figure.
    """

    def __init__(self, size_in: tuple[float, float], empty: str = "") -> None:
        import ipywidgets as widgets

        self.size_in = size_in
        self.figure: Figure | None = None
        self._img = ""
        self._empty = f"<span class='contimg-quiet'>{escape(empty)}</span>"
        self.widget: Any = widgets.HTML(
            self._empty,
            layout={
                "min_height": f"{round(size_in[1] * _DPI) + 8}px",
                "width": f"{round(size_in[0] * _DPI)}px",
                "max_width": "100%",
                "flex": "0 1 auto",
            },
        )

    def make(self, plot: Callable[[Axes], object]) -> Drawn:
        """Draw with a function that is given axes, without showing it; for a thread."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=self.size_in, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        plot(figure.subplots())
        return figure, small_png(figure, _COLOURS)

    def put(self, drawn: Drawn, alt: str) -> None:
        """Show what `make` drew, and say the same in words."""
        self.figure, png = drawn
        self._img = self.widget.value = picture_html(png, alt)

    def clear(self, words_html: str | None = None) -> None:
        """Show words in place of a figure."""
        self.figure = None
        self._img = ""
        self.widget.value = self._empty if words_html is None else words_html

    def to_html(self) -> str:
        """Return the figure as an image element for a saved page, or nothing."""
        return self._img
