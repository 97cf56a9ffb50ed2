"""One query for all who ask for a source while another query is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Batch"]

T = TypeVar("T")


class Batch(Generic[T]):
    """Gathers keys that many callers ask for, and reads them together.

    A caller's key goes only into a read that begins after it asked. Where every caller of a
    read has been cancelled, the read is cancelled too.

    Parameters
    ----------
    read
        Reads many keys at once; each caller gets what it returns.
    most
        Most keys of a read, so that nobody waits for all others.
    """

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[T]], *, most: int = 32) -> None:
        self._read = read
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: list[tuple[str, asyncio.Future[T]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: str) -> T:
        """Return what a read that holds this key returns."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # those of another loop are gone with it
            self._loop, self._queue, self._reading = loop, [], None
        asked: asyncio.Future[T] = loop.create_future()
        self._queue.append((key, asked))
        if self._reading is None or self._reading.done():
            self._reading = loop.create_task(self._read_all())
        return await asked

    async def _read_all(self) -> None:
        while self._queue:
            some, self._queue = self._queue[: self._most], self._queue[self._most :]
            await self._read_some([(key, asked) for key, asked in some if not asked.done()])

    async def _read_some(self, some: Sequence[tuple[str, asyncio.Future[T]]]) -> None:
        if not some:
            return
        keys = list(dict.fromkeys(key for key, _ in some))
        reading = asyncio.ensure_future(self._read(keys))
        left = len(some)

        def gone(_: object) -> None:
            nonlocal left
            left -= 1
            if not left:  # nobody waits any more; nothing happens where the read has ended
                reading.cancel()

        for _, asked in some:
            asked.add_done_callback(gone)
        await asyncio.wait([reading])
        for _, asked in some:
            if asked.done():
                continue
            if reading.cancelled():
                asked.cancel()
            elif error := reading.exception():
                asked.set_exception(error)
            else:
                asked.set_result(reading.result())
        if not reading.cancelled():
            reading.exception()  # looked at, whoever is left
