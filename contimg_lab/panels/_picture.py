"""Small pictures for pages that are saved, drawn in one thread beside the event loop."""

from __future__ import annotations

import asyncio
import base64
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contimg_lab.panels._words import escape
from contimg_lab.plots._png import small_png

__all__ = ["draw_apart", "picture_html", "small_png"]


def draw_apart(work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
    """Draw in a thread, one picture at a time: matplotlib holds the interpreter anyway."""
    return asyncio.get_running_loop().run_in_executor(_thread(), work, *arguments)


def picture_html(png: bytes, alt: str) -> str:
    """Return an image element that holds its picture and says it in words."""
    data = base64.b64encode(png).decode("ascii")
    return f'<img style="max-width:100%" alt="{escape(alt)}" src="data:image/png;base64,{data}">'


@functools.cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "contimg-picture")
