"""A drawn figure as a small PNG: a plot has few colours, and a page holds many plots."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["picture_html", "small_png"]

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


def picture_html(png: bytes, alt: str) -> str:
    """Return an image element that holds its picture and says it in words."""
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<img style="max-width:100%" alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
    )
