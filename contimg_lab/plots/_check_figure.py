"""A figure that brings its words along, and what it was computed from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from matplotlib.figure import Figure

from contimg_lab.plots._png import picture_html, small_png

__all__ = ["CheckFigure"]


_COLOURS = 128  # fewer, and a limit's red becomes a warning's orange


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

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        # an element of HTML, for no notebook's front end reads words that come beside a PNG
        data = {
            "text/html": picture_html(small_png(self, _COLOURS), self.alt),
            "text/plain": self.alt,
        }
        return data, {} if self.part is None else self.part.proved(data)
