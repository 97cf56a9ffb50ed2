"""The same Lab for people who do not write ``await``: scripts, ipython and notebook cells.

::

    from contimg_lab import blocking as cl

    with cl.open("state/db") as lab:
        failed = lab.jobs.table(status="failed")

Every ``async`` method is run on one event loop that has a daemon thread of its own, and the
caller waits on a lock. The other way, nest-asyncio2, makes the kernel's own loop re-entrant by
patching asyncio for the whole process: while a cell waits, every other callback of the kernel
runs inside it, and an interrupt may strike any of them. A thread patches nothing, works the same
whether a loop runs or not and from several threads at once, and Ctrl-C reaches the caller at
once, which then cancels the call and its SQL. The price is about 0.1 ms a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import os
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from contimg_lab import errors
from contimg_lab.events import Event
from contimg_lab.lab import Lab, Opening, demo_lab, demo_truth, open_lab
from contimg_lab.views import View, read_view, write_view

__all__ = ["Blocking", "BlockingLab", "BlockingView", "demo", "demo_truth", "errors", "open", "run"]

T = TypeVar("T")

_END_S = 5.0
# these draw with tasks of their own, so they need the notebook's loop, not ours
_FACES = frozenset({"dashboard", "panel", "search_panel", "sign_panel"})

_lock = threading.Lock()
_worker: tuple[threading.Thread, asyncio.AbstractEventLoop] | None = None


def run(awaitable: Awaitable[T]) -> T:
    """Wait for an awaitable, from any thread, whether an event loop runs there or not.

    An interrupt (Ctrl-C, or a notebook's stop button) cancels the awaitable and is raised once
    that has ended.

    Parameters
    ----------
    awaitable
        For example a call of an async Lab that was opened with `run` too.

    Examples
    --------
    >>> from contimg_lab.blocking import run
    >>> async def answer():
    ...     return 42
    >>> run(answer())
    42
    """
    thread, loop = _running()
    if threading.current_thread() is thread:
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise errors.ContimgLabError(
            "contimg_lab.blocking was called inside a coroutine that it runs itself, which "
            "would wait for ever; write `await` with the Lab of contimg_lab.open there"
        )
    ended = threading.Event()

    async def whole() -> T:
        try:
            return await awaitable
        finally:
            ended.set()

    future = asyncio.run_coroutine_threadsafe(whole(), loop)
    try:
        return future.result()
    except BaseException:
        if future.cancel():  # False where the call itself failed
            ended.wait(_END_S)
        raise


class Blocking:
    """An object of the Lab whose ``async`` methods wait for their answer instead.

    Parameters
    ----------
    target
        The object; its names, signatures and docstrings are this one's too.
    beside
        Gives the same object of an async Lab on the loop that runs here, for its panels.
    """

    def __init__(self, target: object, beside: Callable[[], object]) -> None:
        self._target = target
        self._beside = beside
        self.__doc__ = inspect.getdoc(target)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = getattr(self._target, name)
        if name in _FACES:

            @functools.wraps(value)
            def show(*args: Any, **options: Any) -> Any:
                return getattr(self._beside(), name)(*args, **options)

            return show
        return _without_await(value, lambda: getattr(self._beside(), name))

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *(n for n in dir(self._target) if n[0] != "_")})

    def __repr__(self) -> str:
        return repr(self._target)


class BlockingLab(Blocking):
    """A Lab without ``await``; `contimg_lab.lab.Lab` tells its attributes and methods.

    Panels need an event loop that runs while the cell has ended: in a notebook they get an
    async Lab of their own on the kernel's loop, which `close` closes too.
    """

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, self._on_this_loop)
        self._lab = lab
        self._labs: dict[asyncio.AbstractEventLoop, Lab] = {}
        self._enders: set[asyncio.Task[None]] = set()

    @property
    def view(self) -> BlockingView:
        """Save and restore what the panels show; see `contimg_lab.views.View`."""
        return BlockingView(self)

    def events(self) -> Iterator[Event]:
        """Tell what the pipeline does, as it does it; see `contimg_lab.lab.Lab.events`."""
        stream = self._lab.events()
        run(stream.__aenter__())
        try:
            while (event := run(anext(stream, None))) is not None:
                yield event
        finally:
            run(stream.__aexit__(None, None, None))

    def close(self) -> None:
        """Close every connection; may be called twice."""
        run(self._lab.close())
        while self._labs:
            loop, lab = self._labs.popitem()
            # a loop that has ended took its connections with it
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._end, loop, lab)

    def __enter__(self) -> BlockingLab:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _on_this_loop(self) -> Lab:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise errors.ContimgLabError(
                "panels need a notebook: no event loop runs here to keep them alive; open "
                "JupyterLab (contimg-lab lab), or use table() and plot() in a script"
            ) from None
        if loop not in self._labs:
            lab = self._lab
            self._labs[loop] = Lab(lab.config, lab.layout, title=lab.title, selection=lab.selection)
        return self._labs[loop]

    def _end(self, loop: asyncio.AbstractEventLoop, lab: Lab) -> None:
        task = loop.create_task(lab.close())
        self._enders.add(task)
        task.add_done_callback(self._enders.discard)


class BlockingView:
    """`contimg_lab.views.View` without ``await``: the panels live on the notebook's loop."""

    def __init__(self, lab: BlockingLab) -> None:
        self._lab = lab

    def save(self, path: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """Return what is on screen, and write it to a file where one is given."""
        saved = self._view().collect(run(self._lab._lab.identity()))
        if path is not None:
            write_view(Path(path), saved)
        return saved

    def restore(
        self, saved: str | os.PathLike[str] | Mapping[str, Any], *, force: bool = False
    ) -> tuple[str, ...]:
        """Bring it back to the panels that are open; raises as `contimg_lab.views.View` does."""
        found = saved if isinstance(saved, Mapping) else read_view(Path(saved))
        return self._view().apply(found, run(self._lab._lab.identity()), force=force)

    def _view(self) -> View:
        with contextlib.suppress(errors.ContimgLabError):
            return self._lab._on_this_loop().view
        return self._lab._lab.view  # a script: it has no panels, but a selection


def open(
    path: str | os.PathLike[str] | None = None,
    *,
    ledger: str | os.PathLike[str] | None = None,
    store_mb: float | None = None,
) -> BlockingLab:
    """Open a pipeline database, read-only: ``lab = open(...)`` or ``with open(...) as lab``.

    Takes what `contimg_lab.open` takes, and raises what that raises when awaited.

    Parameters
    ----------
    path
        A folder, a ``pipeline.sqlite3``, or a ``products.sqlite3`` with its
        ``cal_registry.sqlite3`` beside it. None: what the environment says.
    ledger
        Our own file of sign-offs; None: ``CONTIMG_LAB_LEDGER`` or the user's data folder.
    store_mb
        Most memory for the store of epochs, megabytes, and 0 to have none; None:
        ``CONTIMG_LAB_STORE_MB`` or 1024.

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> with cl.demo() as lab:
    ...     len(lab.nights())
    30
    """
    return _opened(open_lab(path, ledger=ledger, store_mb=store_mb))


def demo(
    *,
    cache: str | os.PathLike[str] | None = None,
    ledger: str | os.PathLike[str] | None = None,
    **season: Any,
) -> BlockingLab:
    """Open the built-in season, made on first use in the user's cache folder.

    Parameters
    ----------
    cache
        Another folder to keep seasons in.
    ledger
        As for `open`.
    **season
        Arguments of `contimg_lab.demo.Season`: ``layout``, ``untidy``, ``nights``, ``seed`` ...

    Examples
    --------
    >>> from contimg_lab import blocking as cl
    >>> with cl.demo() as lab:
    ...     lab.layout.name
    'unified'
    """
    return _opened(demo_lab(cache=cache, ledger=ledger, **season))


def _opened(opening: Opening) -> BlockingLab:
    return BlockingLab(run(opening))


def _without_await(value: Any, beside: Callable[[], object]) -> Any:
    """The one mechanism: async methods are called by `run`, objects that have any are wrapped."""
    if inspect.isasyncgenfunction(value):

        @functools.wraps(value)
        def each(*args: Any, **options: Any) -> Iterator[Any]:
            return _each(value(*args, **options))

        return each
    if inspect.iscoroutinefunction(value):

        @functools.wraps(value)
        def wait(*args: Any, **options: Any) -> Any:
            return run(value(*args, **options))

        return wait
    return Blocking(value, beside) if _has_async_methods(type(value)) else value


def _each(found: AsyncGenerator[Any, None]) -> Iterator[Any]:
    try:
        while True:
            try:
                one = run(anext(found))
            except StopAsyncIteration:
                return
            yield one
    finally:
        run(found.aclose())


def _has_async_methods(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "contimg_lab" and any(
        inspect.iscoroutinefunction(getattr(kind, name, None)) for name in dir(kind)
    )


def _running() -> tuple[threading.Thread, asyncio.AbstractEventLoop]:
    global _worker
    with _lock:
        if _worker is None or not _worker[0].is_alive():  # not alive: this is a forked child
            loop = asyncio.new_event_loop()
            thread = threading.Thread(
                target=loop.run_forever, name="contimg_lab-blocking", daemon=True
            )
            thread.start()
            _worker = (thread, loop)
        return _worker
