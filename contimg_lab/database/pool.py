"""Few connections to one file, shared fairly: a free one goes to the oldest waiter.

Every query is read whole on the connection's own thread. Cancelling the await ends its SQL
too, and the connection with it, so that the next caller meets a fresh one.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiosqlite

from contimg_lab.database import files
from contimg_lab.database._exit import interrupt, stop_at_exit
from contimg_lab.database._heartbeat import BEAT_S, heartbeat
from contimg_lab.database._text import read_rows
from contimg_lab.errors import (
    Closed,
    ContimgLabError,
    DatabaseBusy,
    DatabaseError,
    InvalidInput,
    NotADatabase,
)

__all__ = ["Pool", "Row"]

Row = tuple[Any, ...]

_END_S = 5.0
_TRIES = 5


@dataclass(eq=False, slots=True)
class _Link:
    """One open connection, and the state of the file that it was opened on."""

    connection: aiosqlite.Connection
    made_on: files.Stamp
    immutable: bool
    copy: Path | None = None
    ended: bool = False

    def good_for(self, now: files.Stamp) -> bool:
        if self.immutable:
            return now.at_rest and _main(now) == _main(self.made_on)
        if self.copy is not None:
            return now == self.made_on
        return now.identity == self.made_on.identity


@dataclass(eq=False, slots=True)
class _Hall:
    """What belongs to one event loop."""

    loop: asyncio.AbstractEventLoop
    turn: asyncio.Semaphore
    watch_turn: asyncio.Lock
    idle: list[_Link] = field(default_factory=list)
    busy: set[_Link] = field(default_factory=set)
    watch: _Link | None = None
    watches: int = 0
    next_look: asyncio.Task[tuple[object, ...]] | None = None
    looks: set[asyncio.Task[tuple[object, ...]]] = field(default_factory=set)

    @property
    def links(self) -> list[_Link]:
        """Every open connection, the one that watches last."""
        watch = [] if self.watch is None else [self.watch]
        return [*self.idle, *self.busy.difference(watch), *watch]


class Pool:
    """Read-only connections to one SQLite file.

    Parameters
    ----------
    path
        The file; it is looked at before each query, so a replaced file is noticed.
    size
        Most connections at a time, besides one that only watches for commits.
    timeout_s
        Seconds to wait for a locked file.
    """

    def __init__(self, path: Path, *, size: int = 2, timeout_s: float = 30.0) -> None:
        self.path = path
        self._size = size
        self.timeout_s = timeout_s
        # a loop may run beside another one: of a subshell of the kernel, of the blocking Lab
        self._halls: dict[asyncio.AbstractEventLoop, _Hall] = {}
        self._watches = 0
        self._closed = False
        self._ending: set[asyncio.Future[Any]] = set()

    async def fetch(
        self, sql: str, parameters: Iterable[object] = (), *, exact: bool = False
    ) -> list[Row]:
        """Run one SELECT and return all its rows; ``exact``: see `Database.fetch`.

        Raises
        ------
        DatabaseNotFound, NotADatabase, DatabaseBusy, DatabaseError
            As `contimg_lab.errors` tells.
        Closed
            The pool was closed before or meanwhile.
        """
        hall = self._here()
        values = tuple(parameters)
        async with hall.turn:
            for _ in range(_TRIES):
                self._must_be_open()
                link = await self._take(hall)
                rows = await self._ask(hall, link, sql, values, exact=exact)
                if rows is not None:
                    return rows
        raise DatabaseBusy(f"{self.path} changes faster than it can be read; try again")

    async def token(self) -> tuple[object, ...]:
        """Tell one state of the data from another: equal tokens, same data.

        Exact and cheap: SQLite's ``data_version`` on a connection kept for that, or the
        file's stamp where it is at rest. One look serves all who asked before it began.
        """
        hall = self._here()
        look = hall.next_look
        if look is None:
            look = hall.next_look = hall.loop.create_task(self._look(hall))
            hall.looks.add(look)
            look.add_done_callback(functools.partial(_looked, hall))
        return await asyncio.shield(look)

    async def _look(self, hall: _Hall) -> tuple[object, ...]:
        async with hall.watch_turn:
            hall.next_look = None  # who asks from now on needs a later look
            for _ in range(_TRIES):
                self._must_be_open()
                now = files.stamp(self.path.resolve())
                link = hall.watch
                if link is not None and not link.good_for(now):
                    self._end(link)
                    link = hall.watch = None
                if link is None:
                    link = await self._open(now)
                    if self._closed:
                        self._end(link)
                        self._must_be_open()
                    hall.watch = link
                    self._watches += 1
                    hall.watches = self._watches
                if link.immutable or link.copy is not None:
                    return (hall.watches, link.made_on)
                number = hall.watches
                rows = await self._ask(hall, link, "PRAGMA data_version", (), kept=True)
                if rows is not None:
                    return (number, rows[0][0])
                hall.watch = None
        raise DatabaseBusy(f"{self.path} changes faster than it can be read; try again")

    @property
    def how(self) -> str:
        """How the file is open at the moment, in words."""
        links = [link for hall in self._halls.values() for link in hall.links]
        if not links:
            return "not open"
        if links[-1].copy is not None:
            return "private copy (its -wal cannot be read in place)"
        return (
            "immutable (nothing in a -wal: at rest)" if links[-1].immutable else "read-only, live"
        )

    async def close(self) -> None:
        """End running queries and close every connection; may be called twice."""
        self._closed = True
        halls, self._halls = tuple(self._halls.values()), {}
        here = asyncio.get_running_loop()
        for hall in halls:
            for link in hall.links:
                self._end(link)
            if hall.looks and hall.loop is here:
                await asyncio.wait(hall.looks)
        while self._ending:
            await asyncio.wait(self._ending)

    def _here(self) -> _Hall:
        self._must_be_open()
        loop = asyncio.get_running_loop()
        hall = self._halls.get(loop)
        if hall is None:
            for other in [other for other in self._halls if not other.is_running()]:
                # a loop that is gone: its connections answer nobody
                for link in self._halls.pop(other).links:
                    interrupt(link.connection)
                    _stop(link)
            hall = self._halls[loop] = _Hall(loop, asyncio.Semaphore(self._size), asyncio.Lock())
        return hall

    def _must_be_open(self) -> None:
        if self._closed:
            raise Closed(f"the Lab on {self.path} was closed; open it again")

    async def _take(self, hall: _Hall) -> _Link:
        now = files.stamp(self.path.resolve())
        while hall.idle:
            link = hall.idle.pop()
            if link.good_for(now):
                return link
            self._end(link)
        return await self._open(now)

    async def _open(self, now: files.Stamp) -> _Link:
        path = self.path.resolve()
        if now.at_rest:
            await files.settle(now)
            return await self._connect(path, now, immutable=True)
        try:
            return await self._connect(path, now, immutable=False)
        except _CannotOpen as error:
            # a -wal beside a file on a disk that we may not write to, and no -shm to read
            if now.journal:
                raise DatabaseError(
                    f"cannot read {path}: an unfinished transaction lies beside it in a folder "
                    "that we may not write to; let the pipeline finish it, or copy both files"
                ) from error
        copy = await files.copy_aside(path)
        try:
            return await self._connect(copy, now, immutable=False, copy=copy)
        except BaseException:
            files.remove_copy(copy)
            raise

    async def _connect(
        self, path: Path, now: files.Stamp, *, immutable: bool, copy: Path | None = None
    ) -> _Link:
        connecting = aiosqlite.connect(
            files.uri(path, immutable=immutable),
            uri=True,
            timeout=self.timeout_s,
            isolation_level=None,
        )
        try:
            connection = await connecting
        except sqlite3.Error as error:
            raise self._translate(error) from error
        stop_at_exit(connection)
        link = _Link(connection, now, immutable, copy)
        try:
            # the first read is what opens the file
            rows = list(await connection.execute_fetchall("PRAGMA schema_version"))
            if not rows:
                raise NotADatabase(f"{self.path} is no SQLite database")
            if immutable:
                await self._whole(connection, now)
        except sqlite3.Error as error:
            self._end(link)
            if "unable to open" in str(error) and copy is None and not immutable:
                raise _CannotOpen(str(error)) from error
            raise self._translate(error) from error
        except BaseException:
            self._end(link)
            raise
        return link

    async def _whole(self, connection: aiosqlite.Connection, now: files.Stamp) -> None:
        whole = 1
        for pragma in ("PRAGMA page_count", "PRAGMA page_size"):
            for row in await connection.execute_fetchall(pragma):
                whole *= row[0]
        if whole > now.size:
            raise NotADatabase(
                f"{self.path} is truncated: {now.size} of {whole} bytes are there; copy it again"
            )

    async def _ask(
        self,
        hall: _Hall,
        link: _Link,
        sql: str,
        values: Row,
        *,
        kept: bool = False,
        exact: bool = False,
    ) -> list[Row] | None:
        """All rows, or None where the answer cannot be trusted and must be asked for again."""
        hall.busy.add(link)
        keep = False
        try:
            self._must_be_open()  # it may have been closed while the file was being opened
            with heartbeat():
                rows = await read_rows(link.connection, sql, values, exact=exact)
            if link.immutable and not link.good_for(files.stamp(self.path.resolve())):
                return None
            keep = True
            return rows
        except asyncio.CancelledError:
            # its SQL has ended when the caller hears of it; a loop that is being closed must
            # not be left before the connection's thread has answered
            done = self._end(link)
            if done is not None:
                await asyncio.wait([done], timeout=_END_S)
            raise
        except (sqlite3.ProgrammingError, sqlite3.InterfaceError) as error:
            if self._closed:
                raise Closed(f"the Lab on {self.path} was closed meanwhile") from error
            raise InvalidInput(f"a value to look up cannot be asked for: {error}") from error
        except sqlite3.Error as error:
            if self._closed:
                raise Closed(f"the Lab on {self.path} was closed meanwhile") from error
            if "interrupted" in str(error):
                return None
            if link.immutable and not link.good_for(files.stamp(self.path.resolve())):
                return None
            keep = isinstance(error, sqlite3.OperationalError) and "no such" in str(error)
            raise self._translate(error) from error
        except (OverflowError, UnicodeEncodeError) as error:
            keep = True
            raise InvalidInput("a value to look up is no text or number that SQLite has") from error
        except ValueError as error:  # aiosqlite's word for a connection closed under us
            if self._closed:
                raise Closed(f"the Lab on {self.path} was closed meanwhile") from error
            raise
        finally:
            hall.busy.discard(link)
            if not keep or self._closed:
                self._end(link)
            elif not kept:
                hall.idle.append(link)

    def _end(self, link: _Link) -> asyncio.Future[Any] | None:
        if link.ended:  # its thread is gone or going: a second stop would wait for ever
            return None
        link.ended = True
        interrupt(link.connection)
        done = _stop(link)
        if done is not None:
            self._ending.add(done)
            done.add_done_callback(self._ending.discard)
            _interrupt_until(link, done)
        return done

    def _translate(self, error: sqlite3.Error) -> ContimgLabError:
        text = str(error)
        if "not a database" in text:
            return NotADatabase(f"{self.path} is no SQLite database; give the pipeline's file")
        if "malformed" in text:
            return NotADatabase(f"{self.path} is damaged or truncated ({text}); copy it again")
        if "locked" in text or "busy" in text:
            return DatabaseBusy(
                f"{self.path} stayed locked for {self.timeout_s:g} s "
                "(DB_CONNECTION_TIMEOUT); try again"
            )
        if "unable to open" in text:
            return DatabaseError(
                f"{self.path} cannot be opened; check that it and its folder may be read"
            )
        return DatabaseError(f"{self.path}: {text}")


class _CannotOpen(Exception):
    """SQLite cannot open the file in place."""


def _main(now: files.Stamp) -> tuple[int, ...]:
    return (now.device, now.inode, now.size, now.mtime_ns)


def _looked(hall: _Hall, look: asyncio.Task[tuple[object, ...]]) -> None:
    hall.looks.discard(look)
    if not look.cancelled():
        look.exception()  # told to those who wait, if any still do


def _stop(link: _Link) -> asyncio.Future[Any] | None:
    done = link.connection.stop()
    if link.copy is not None:
        files.remove_copy(link.copy)
    return done


def _interrupt_until(link: _Link, done: asyncio.Future[Any]) -> None:
    # an interrupt that comes before the SQL has begun is lost, so it is said again; no task,
    # since a loop that is being closed would be left with it
    if not done.done():
        interrupt(link.connection)
        done.get_loop().call_later(BEAT_S, _interrupt_until, link, done)
