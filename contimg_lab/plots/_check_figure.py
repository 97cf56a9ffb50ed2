"""A figure that brings its words along: what a reader hears who cannot see it."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from contimg_lab.plots._png import small_png

__all__ = ["CheckFigure"]


class CheckFigure(Figure):
    """A matplotlib figure with alternative text, small in a saved notebook.

    Attributes
    ----------
    alt
        What it shows, in words with numbers and units.
    """

    alt: str = ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Show it: a PNG with its words, for a notebook and for the page made of one."""
        width, height = (int(side) for side in self.get_size_inches() * self.get_dpi())
        told = {"alt": self.alt, "width": width, "height": height}
        return {"image/png": small_png(self), "text/plain": self.alt}, {"image/png": told}
