"""The stream of events: one watcher a Lab, started by the first who listens, ended by the last."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from types import TracebackType

from contimg_lab.errors import Closed, ContimgLabError, LedgerError
from contimg_lab.records.events import Event
from contimg_lab.services._context import Context
from contimg_lab.services._run_changes import State
from contimg_lab.services._sign_off_watch import SignOffWatch

__all__ = ["POLL_S", "EventStream", "Watcher"]

POLL_S = 0.5
"""Seconds between two looks at whether anything was committed."""

_REST = 3.0  # a look at much is followed by a rest of so many times its length
_MOST_REST_S = 5.0
_MOST_WAITING = 1000

Listener = Callable[[Sequence[Event], tuple[object, ...]], None]


class Watcher:
    """Looks for commits while anybody listens, and tells every listener what changed.

    While nothing is committed a look is one question to SQLite, and one for the ledger's time:
    about 0.2 % of a core. What signed nights cost is told in `SignOffWatch`.

    Parameters
    ----------
    context
        What to read with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listeners: dict[int, Callable[[], Listener | None]] = {}
        self._streams: weakref.WeakSet[EventStream] = weakref.WeakSet()
        self._next = 0
        self._task: asyncio.Task[None] | None = None
        self._beside: asyncio.Task[None] | None = None
        self._began: asyncio.Future[None] | None = None
        self._began_beside: asyncio.Future[None] | None = None
        self._token: tuple[object, ...] = ()
        self._closed = False

    def listen(self, listener: Listener) -> int:
        """Call a bound method with the events of each look, and with the token of their data.

        It is held weakly, and first called with no event, when there is something to compare
        with. Returns a number for `leave`; raises RuntimeError where no event loop runs.
        """
        if self._closed:
            raise Closed("the Lab was closed; open it again")
        self._start()
        self._next += 1
        self._listeners[self._next] = weakref.WeakMethod(listener)
        if self._began is not None and self._began.done() and not self._began.cancelled():
            asyncio.get_running_loop().call_soon(self._greet, self._next)
        return self._next

    def leave(self, number: int) -> None:
        """Stop calling a listener; the last one to leave ends the watcher."""
        self._listeners.pop(number, None)
        self._end_if_alone()

    def ending(self) -> tuple[asyncio.Task[None], ...]:
        """Return the watcher's tasks that have been told to end and have not yet."""
        tasks = [task for task in (self._task, self._beside) if task is not None]
        return tuple(task for task in tasks if task.cancelling() and not task.done())

    async def began(self) -> None:
        """Wait until there is a state to compare with."""
        for began in (self._began, self._began_beside):
            if began is not None:
                await asyncio.shield(began)

    async def close(self) -> None:
        """End the watcher and every stream."""
        self._closed = True
        for stream in tuple(self._streams):
            stream.close()
        self._listeners.clear()
        self._end_if_alone()
        here = asyncio.get_running_loop()
        tasks = [task for task in (self._task, self._beside) if task is not None]
        if mine := [task for task in tasks if task.get_loop() is here]:
            await asyncio.wait(mine)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        task = self._task
        if task is not None and not task.done() and not task.cancelling():
            if task.get_loop() is loop:
                return
            self._listeners.clear()  # of a loop that is gone
        self._began = loop.create_future()
        me = weakref.ref(self)
        self._task = loop.create_task(_watch(me, self._context, self._began))
        self._task.add_done_callback(partial(_ended, me))
        if self._beside is not None and not self._beside.done():
            self._beside.cancel()
        self._began_beside = loop.create_future()
        self._beside = loop.create_task(
            _watch_beside(me, self._context, self._began_beside, self._began)
        )
        self._beside.add_done_callback(partial(_ended, me))

    def _end_if_alone(self) -> None:
        if not self._listeners:
            for task in (self._task, self._beside):
                if task is not None:
                    task.cancel()

    def _greet(self, number: int) -> None:
        listener = self._listeners.get(number, _nobody)()
        if listener is not None and self._began is not None:
            listener((), self._token)

    def _tell(self, events: Sequence[Event] | None, token: tuple[object, ...]) -> bool:
        """Tell everybody what a look found (None: nothing to tell); False where nobody is left."""
        self._token = token
        return self._tell_more(events)

    def _tell_more(self, events: Sequence[Event] | None) -> bool:
        for number, reference in tuple(self._listeners.items()):
            listener = reference()
            if listener is None:
                self._listeners.pop(number, None)
            elif events is not None:
                listener(events, self._token)
        return bool(self._listeners)


class EventStream:
    """Events as they come: ``async for event in lab.events()``.

    Events wait until they are read; when more than a thousand wait, they become one event of
    kind ``many`` that says how many of each kind there were. Reading never makes the others
    wait.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._waiting: deque[Event] = deque()
        self._folded: Counter[str] = Counter()
        self._bell: asyncio.Event | None = None
        self._number: int | None = None
        self._closed = False
        self._broken: BaseException | None = None

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        self._begin()
        while not self._waiting:
            if self._broken is not None:
                raise self._broken
            if self._closed or self._bell is None:
                raise StopAsyncIteration
            self._bell.clear()
            await self._bell.wait()
        event = self._waiting.popleft()
        if event.kind == "many":
            self._folded.clear()
        return event

    async def __aenter__(self) -> EventStream:
        self._begin()
        await self._watcher.began()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if ending := self._watcher.ending():
            await asyncio.wait(ending)

    def close(self) -> None:
        """Stop listening; what waits can still be read. May be called twice."""
        self._closed = True
        if self._number is not None:
            self._watcher.leave(self._number)
            self._number = None
        if self._bell is not None:
            self._bell.set()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._number else "not begun"
        return f"<events of a Lab, {state}: {len(self._waiting)} waiting>"

    def _begin(self) -> None:
        if self._number is None and not self._closed:
            self._bell = asyncio.Event()
            self._number = self._watcher.listen(self._take)
            self._watcher._streams.add(self)

    def _take(self, events: Sequence[Event], token: tuple[object, ...]) -> None:
        self._waiting.extend(events)
        if len(self._waiting) > _MOST_WAITING:
            self._fold()
        if events and self._bell is not None:
            self._bell.set()

    def _fold(self) -> None:
        self._folded.update(event.kind for event in self._waiting if event.kind != "many")
        at, n = self._waiting[-1].at, self._folded.total()
        told = ", ".join(f"{count} {kind}" for kind, count in self._folded.most_common())
        self._waiting.clear()
        self._waiting.append(
            Event(kind="many", key="", at=at, old=None, new=n, text=f"{n} events: {told}")
        )


def _nobody() -> None:
    return None


def _ended(whose: weakref.ref[Watcher], task: asyncio.Task[None]) -> None:
    watcher, error = whose(), None if task.cancelled() else task.exception()
    if watcher is not None and error is not None:  # nobody must wait for ever
        for stream in tuple(watcher._streams):
            stream._broken = error
            stream.close()


async def _watch(
    whose: weakref.ref[Watcher], context: Context, began: asyncio.Future[None]
) -> None:
    """Look again and again; holds the watcher only while it tells."""
    state: State | None = None
    token: tuple[object, ...] = ()
    # whether the state is just that of the token; whether nothing that differs was found since
    sure = quiet = False
    try:
        while True:
            started_s, had_state = time.monotonic(), state is not None
            try:
                now = await context.database.token()
                events: list[Event] | None = None
                if state is None:
                    first = State(context)
                    await first.begin()
                    state, events = first, []
                elif now != token or state.due:
                    if now != token:
                        quiet = sure and not state.due
                    events = await state.changes(committed=now != token)
                    quiet = quiet and not events
                    if quiet and not state.due:
                        events, quiet = [_unseen()], False
                if events is not None:
                    # of what was committed during a look a part was seen: then no event at
                    # the next one proves nothing
                    token, sure = now, await context.database.token() == now
            except Closed:
                return
            except ContimgLabError:  # locked, or being replaced: the next look will tell
                events = None
            if events is not None and not began.done():
                began.set_result(None)
            watcher = whose()
            # () is the token of no data: they are not known to be what anybody has read
            if watcher is None or not watcher._tell(events, token if sure else ()):
                return
            del watcher
            rest_s = _REST * (time.monotonic() - started_s) if had_state else 0.0
            await asyncio.sleep(max(POLL_S, min(rest_s, _MOST_REST_S)))
    finally:
        if not began.done():
            began.cancel()


async def _watch_beside(
    whose: weakref.ref[Watcher],
    context: Context,
    began: asyncio.Future[None],
    other_began: asyncio.Future[None],
) -> None:
    """Tell of sign-offs; a task of its own, since holding rows against them takes long."""

    def tell(events: Sequence[Event]) -> bool:
        watcher = whose()
        return watcher is not None and watcher._tell_more(events or None)

    try:
        watch = SignOffWatch(context.standing)
        await watch.begin()
        began.set_result(None)
        await asyncio.shield(other_began)  # a listener's first call is the other one's
        await watch.run(tell)
    except LedgerError:  # its path cannot be a ledger's: whoever signs is told
        return
    finally:
        if not began.done():
            began.set_result(None)


def _unseen() -> Event:
    return Event(
        kind="other", key="", at=datetime.now(UTC), old=None, new=None,
        text="something was committed to rows or tables that are not watched one by one",
    )  # fmt: skip
