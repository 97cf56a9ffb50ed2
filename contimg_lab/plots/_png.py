"""A drawn figure as a small PNG: a plot has few colours, and a page holds many plots."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["small_png"]

_COLOURS = 48  # a third of the bytes of a PNG in true colour


def small_png(figure: Figure, colours: int = _COLOURS) -> bytes:
    """Return a figure that has a canvas of Agg as a PNG with a palette of so many colours."""
    from PIL import Image

    canvas: Any = figure.canvas
    canvas.draw()
    image = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    palette = image.convert("RGB").quantize(colours, dither=Image.Dither.NONE)
    png = io.BytesIO()
    palette.save(png, format="png", optimize=True)
    return png.getvalue()
