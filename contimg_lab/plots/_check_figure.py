"""A figure that brings its words along, and what it was computed from."""

from __future__ import annotations

import base64
from typing import Any, Protocol

from matplotlib.figure import Figure

from contimg_lab.plots._png import small_png

__all__ = ["CheckFigure"]


class _Part(Protocol):
    def proved(self, data: dict[str, str]) -> dict[str, Any]: ...


class CheckFigure(Figure):
    """A matplotlib figure with alternative text, small in a saved notebook.

    Attributes
    ----------
    alt
        What it shows, in words with numbers and units.
    part
        Part of the report that it shows, which proves it; None outside of a report.
    """

    alt: str = ""
    part: _Part | None = None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Show it: a PNG with its words, for a notebook and for the page made of one."""
        width, height = (int(side) for side in self.get_size_inches() * self.get_dpi())
        png = base64.b64encode(small_png(self)).decode("ascii")
        data = {"image/png": png, "text/plain": self.alt}
        told = {} if self.part is None else self.part.proved(data)
        return data, {"image/png": {"alt": self.alt, "width": width, "height": height}, **told}
