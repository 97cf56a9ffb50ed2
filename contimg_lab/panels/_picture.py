"""Small pictures for pages that are saved, drawn in one thread beside the event loop."""

from __future__ import annotations

import asyncio
import base64
import functools
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._words import escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_apart", "picture_html", "small_png"]

_COLOURS = 48  # a plot has few; a third of the bytes of a PNG in true colour


def draw_apart(work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
    """Draw in a thread, one picture at a time: matplotlib holds the interpreter anyway."""
    return asyncio.get_running_loop().run_in_executor(_thread(), work, *arguments)


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
    return f'<img style="max-width:100%" alt="{escape(alt)}" src="data:image/png;base64,{data}">'


@functools.cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "contimg-picture")
