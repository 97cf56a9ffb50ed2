"""Tasks that a panel owns: one a slot, the latest wins, each held until it ends.

A newer request in a slot cancels the older; an answer is shown only while its request is
still the newest, so nothing stale can overwrite what came after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Protocol, TypeVar

__all__ = ["Owner", "Requests"]

T = TypeVar("T")

_QUIET_S = 0.3
_TICK_S = 0.25


class Owner(Protocol):
    """Whoever is told how its requests get on."""

    def _on_tick(self, elapsed_s: float) -> None:
        """Something has been under way for longer than a moment."""

    def _on_end(self, slot: str, error: BaseException | None) -> None:
        """The newest request of a slot has ended and been shown, or failed."""


class Requests:
    """The requests of one owner, by slot."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._slots: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._since = 0.0

    @property
    def slots(self) -> tuple[str, ...]:
        """Slots with something under way."""
        return tuple(self._slots)

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """Every task that has not ended, cancelled ones included."""
        return tuple(self._tasks)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the owner last had nothing under way."""
        return monotonic() - self._since

    def ask(
        self,
        slot: str,
        fetch: Callable[[], Coroutine[Any, Any, T]],
        show: Callable[[T], None],
    ) -> None:
        """Start a request in a slot; raises RuntimeError where no event loop runs."""
        loop = asyncio.get_running_loop()
        self.drop(slot)
        if not self._slots:
            self._since = monotonic()
        self._slots[slot] = self._start(loop, self._run(slot, fetch, show))
        if self._ticker is None or self._ticker.done() or self._ticker.cancelling():
            self._ticker = self._start(loop, self._tick())

    def drop(self, slot: str) -> None:
        """Give up what is under way in a slot."""
        task = self._slots.pop(slot, None)
        if task is not None:
            task.cancel()
        self._rest()

    def close(self) -> None:
        """Give up everything."""
        self._slots.clear()
        for task in self._tasks:
            task.cancel()

    def _start(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        task = loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(
        self,
        slot: str,
        fetch: Callable[[], Coroutine[Any, Any, T]],
        show: Callable[[T], None],
    ) -> None:
        me = asyncio.current_task()
        error: BaseException | None = None
        try:
            value = await fetch()
            if self._slots.get(slot) is not me:
                return
            show(value)
        except asyncio.CancelledError as cancelled:
            if self._slots.get(slot) is not me:
                raise
            error = cancelled  # by somebody else: the slot must not stay taken
        except Exception as caught:
            if self._slots.get(slot) is not me:
                return
            error = caught
        del self._slots[slot]
        self._rest()
        self._owner._on_end(slot, error)

    async def _tick(self) -> None:
        await asyncio.sleep(_QUIET_S)
        while self._slots:
            self._owner._on_tick(self.elapsed_s)
            await asyncio.sleep(_TICK_S)

    def _rest(self) -> None:
        if not self._slots and self._ticker is not None:
            self._ticker.cancel()
