"""The last lines of a log, followed while they grow: read off the loop, about once a second."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import traitlets

from contimg_lab.panels._board import Board
from contimg_lab.panels._home import Home
from contimg_lab.panels._words import escape
from contimg_lab.services._log_follow import FileFollow

if TYPE_CHECKING:
    from contimg_lab.records.jobs import LogTail

__all__ = ["LOG_LINES", "Following", "LogView", "continued"]

LOG_LINES = 200
_MOST = 2_000
_EVERY_S = 1.0
_BETWEEN = "[… lines in between are not shown]"
_BAD_LINE = re.compile(r"error|critical|exception|traceback|killed|fatal", re.IGNORECASE)


def continued(old: Sequence[str], new: Sequence[str]) -> tuple[int, list[str]] | None:
    """How to go on from the end of a log read before to its end now.

    Returns
    -------
    How many of the last old lines to drop (one, where it was not yet written to its end) and
    the lines to add; None where the new lines do not begin among the old ones.

    Examples
    --------
    >>> continued(["a", "b"], ["b", "c"]), continued(["a", "b"], ["a", "bc"])
    ((0, ['c']), (1, ['bc']))
    >>> continued(["a"], ["z"]) is None
    True
    """
    if not old:
        return 0, list(new)
    for n in range(min(len(old), len(new)), 0, -1):
        last = list(old[len(old) - n :])
        if last[:-1] != list(new[: n - 1]):
            continue
        if last[-1] == new[n - 1]:
            return 0, list(new[n:])
        if new[n - 1].startswith(last[-1]):
            return 1, list(new[n - 1 :])
    return None


class LogView(Board):
    """The lines of one log; who has scrolled up is left where they are.

    Parameters
    ----------
    home
        Where what it hears is taken.
    height_px
        Height that it always takes.
    """

    height_px = traitlets.Int().tag(sync=True)

    def __init__(self, home: Home, height_px: int) -> None:
        self._lines: list[str] = []
        self._of: str | None = None
        self._version = 0
        super().__init__("log", "log", home, height_px=height_px)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is shown."""
        return tuple(self._lines)

    def show(self, of: str | None, lines: Sequence[str]) -> None:
        """Show the last lines of a log; of the log shown before, only what is new is sent."""
        same = of == self._of
        more = continued(self._lines, lines) if same else None
        if more is not None:
            self.add(more[1], more[0])
            return
        self._of, self._lines = of, list(lines)
        self._version += 1
        self._tell(same=same)

    def add(self, lines: Sequence[str], drop: int = 0) -> None:
        """Add lines at the end in place of the last ``drop``; nothing new sends nothing."""
        if not lines and not drop:
            return
        del self._lines[len(self._lines) - drop :]
        self._lines.extend(lines)
        del self._lines[:-_MOST]
        self._version += 1
        said = {"say": "add", "version": self._version, "drop": drop, "most": _MOST}
        self.send(said | {"lines": _told(lines)})

    def to_html(self) -> str:
        """Return the lines as plain HTML, those that tell of trouble marked."""
        lines = [
            f"<span class='contimg-bad'>{escape(line)}</span>" if bad else escape(line)
            for line, bad in _told(self._lines)
        ]
        return f"<pre class='contimg-log'>{chr(10).join(lines)}</pre>" if lines else ""

    def _tell(self, *, same: bool = False) -> None:
        said = {"say": "all", "version": self._version, "same": same}
        self.send(said | {"lines": _told(self._lines)})


class Following:
    """Follows one log at a time.

    Parameters
    ----------
    lab
        An open Lab.
    on_lines, on_tail, on_end
        Bound methods, held weakly: called with lines and how many of the last ones they
        replace; with a `LogTail` where the log is not one file; with what ended it.
    """

    def __init__(
        self,
        lab: Any,
        on_lines: Callable[[Sequence[str], int], None],
        on_tail: Callable[[LogTail], None],
        on_end: Callable[[Exception], None],
    ) -> None:
        self._lab = lab
        self._on_lines: Any = WeakMethod(on_lines)
        self._on_tail: Any = WeakMethod(on_tail)
        self._on_end: Any = WeakMethod(on_end)
        self._tail: LogTail | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def run_id(self) -> str | None:
        """Run that is followed, or None."""
        return None if self._task is None or self._tail is None else self._tail.run_id

    def start(self, tail: LogTail) -> None:
        """Follow the log of which this is the end; one that is followed already goes on."""
        if self.run_id != tail.run_id:
            self.stop()
            self._tail = tail
            self._task = asyncio.get_running_loop().create_task(self._follow(tail))

    def stop(self) -> None:
        """Stop; nothing is left of it."""
        if self._task is not None:
            self._task.cancel()
        self._task = self._tail = None

    async def _follow(self, tail: LogTail) -> None:
        seen: object = None  # no state yet: what came before the first look is not lost
        try:
            while True:
                if tail.source == "file":
                    await self._follow_file(tail)
                    seen = None
                tail, seen = await self._wait(tail, seen)
                self._call(self._on_tail, tail)
        except Exception as error:
            self._task = self._tail = None
            self._call(self._on_end, error)

    async def _follow_file(self, tail: LogTail) -> None:
        """Add what is appended to a file, until it is gone."""
        file = FileFollow(Path(tail.files[0]), LOG_LINES)
        try:
            news = await asyncio.to_thread(file.read)
            # what was written since the tail was read
            begin = continued(tail.lines, () if news is None else news.lines)
            drop, lines = begin or (0, [_BETWEEN, *(() if news is None else news.lines)])
            while True:
                self._call(self._on_lines, lines, drop)
                news = None
                while news is None:
                    await asyncio.sleep(_EVERY_S)
                    news = await asyncio.to_thread(file.read)
                drop, lines = news.drop, list(news.lines)
        except FileNotFoundError:
            return

    async def _wait(self, tail: LogTail, seen: object) -> tuple[LogTail, object]:
        """Read a log that is not one file again once its state is not the one seen any more."""
        while True:
            await asyncio.sleep(_EVERY_S)
            now = await self._state(tail)
            if now != seen:
                return await self._lab.jobs.read_log_tail(tail.run_id, LOG_LINES), now

    async def _state(self, tail: LogTail) -> object:
        stats = await asyncio.to_thread(_stats, tail.files)
        own = await self._lab.jobs.find_log_file(tail.run_id)
        return await self._lab.token(), stats, own

    def _call(self, handler: Any, *arguments: Any) -> None:
        bound = handler()
        if bound is None:  # its panel is gone
            self.stop()
        else:
            bound(*arguments)


def _told(lines: Sequence[str]) -> list[tuple[str, bool]]:
    return [(line, _BAD_LINE.search(line) is not None) for line in lines]


def _stats(files: Sequence[str]) -> list[tuple[int, ...] | None]:
    found: list[tuple[int, ...] | None] = []
    for file in files:
        try:
            told = Path(file).stat()
        except OSError:
            found.append(None)
        else:
            found.append((told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns))
    return found
