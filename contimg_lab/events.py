"""What faces need of the stream of events: to read again when what they show has changed."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from contimg_lab.records.events import KINDS, Event

__all__ = ["KINDS", "Event", "Follower"]

_REST = 2.0  # a reading is followed by a rest of so many times its length


class Follower:
    """Calls a function when something of certain kinds has changed, and never while it is busy.

    Changes that come meanwhile are told together, later: a reading that takes long is neither
    given up nor begun anew by each commit.

    Parameters
    ----------
    lab
        The Lab that is followed.
    kinds
        Kinds of event that matter; ``many`` always does.
    on_change
        Bound method, held weakly: called with the keys of what changed.

    Examples
    --------
    >>> import asyncio, contimg_lab as cl
    >>> from contimg_lab.events import Follower
    >>> class Board:
    ...     def changed(self, keys):
    ...         print(sorted(keys))
    >>> async def watch():
    ...     board = Board()
    ...     async with cl.demo() as lab:
    ...         follower = Follower(lab, ("job", "status"), board.changed)
    ...         follower.start()
    ...         follower.stop()
    ...         await follower.ended()
    >>> asyncio.run(watch())
    """

    def __init__(
        self, lab: Any, kinds: Sequence[str], on_change: Callable[[frozenset[str]], None]
    ) -> None:
        self._lab = lab
        self._kinds = frozenset(kinds) | {"many"}
        self._on_change: Any = weakref.WeakMethod(on_change)
        self._number: int | None = None
        self._token: tuple[object, ...] | None = None
        self._keys: set[str] = set()
        self._due = False
        self._busy = False
        self._not_before_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def on(self) -> bool:
        """Whether it listens."""
        return self._number is not None

    def start(self, token: tuple[object, ...] | None = None) -> None:
        """Listen; does nothing where it does already, or where no event loop runs.

        Parameters
        ----------
        token
            State of the data that is shown (``lab.token()``): where it is not the one that is
            compared with, something changed before.
        """
        if self.on:
            return
        self._token = token
        try:
            self._number = self._lab.watcher.listen(self._take)
        except RuntimeError:
            self._number = None

    def stop(self) -> None:
        """Stop listening, and forget what was not told yet."""
        if self._number is not None:
            self._lab.watcher.leave(self._number)
        if self._timer is not None:
            self._timer.cancel()
        self._number = self._timer = None
        self._due = False
        self._keys.clear()

    def busy(self) -> None:
        """Say that reading has begun."""
        self._busy = True

    def idle(self, took_s: float) -> None:
        """Say that reading has ended, and how long it took."""
        self._busy = False
        if self.on:
            self._not_before_s = asyncio.get_running_loop().time() + _REST * took_s
            self._tell_in_time()

    async def ended(self) -> None:
        """Wait until a watcher that was told to end has ended."""
        if ending := self._lab.watcher.ending():
            await asyncio.wait(ending)

    def _take(self, events: Sequence[Event], token: tuple[object, ...]) -> None:
        mine = [event for event in events if event.kind in self._kinds]
        if not events and self._token is not None:  # the first call
            self._due = self._due or token != self._token
        self._token = None
        self._keys.update(event.key for event in mine if event.key)
        self._due = self._due or bool(mine)
        self._tell_in_time()

    def _tell_in_time(self) -> None:
        if not self._due or self._busy or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(max(loop.time(), self._not_before_s), self._tell)

    def _tell(self) -> None:
        self._timer = None
        if self._busy:
            return
        keys, self._keys, self._due = frozenset(self._keys), set(), False
        on_change = self._on_change()
        if on_change is not None:
            on_change(keys)
