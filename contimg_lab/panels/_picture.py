"""Small pictures for pages that are saved, drawn in one thread beside the event loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contimg_lab.plots._png import picture_html, small_png

__all__ = ["draw_apart", "picture_html", "small_png"]


def draw_apart(work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
    """Draw in a thread, one picture at a time: matplotlib holds the interpreter anyway."""
    return asyncio.get_running_loop().run_in_executor(_thread(), work, *arguments)


@functools.cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "contimg-picture")
