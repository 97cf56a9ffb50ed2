"""Wake the event loop now and then: an interrupt does not reach a kernel that only waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from weakref import WeakKeyDictionary

__all__ = ["BEAT_S", "heartbeat"]

BEAT_S = 0.05
"""Seconds between two beats, and so the longest that an interrupt waits."""

_pending: WeakKeyDictionary[asyncio.AbstractEventLoop, int] = WeakKeyDictionary()


@contextlib.contextmanager
def heartbeat() -> Iterator[None]:
    """Let the running loop beat while this is entered, however often."""
    loop = asyncio.get_running_loop()
    _pending[loop] = _pending.get(loop, 0) + 1
    if _pending[loop] == 1:
        _beat(loop)
    try:
        yield
    finally:
        _pending[loop] -= 1


def _beat(loop: asyncio.AbstractEventLoop) -> None:
    if _pending.get(loop):
        loop.call_later(BEAT_S, _beat, loop)
