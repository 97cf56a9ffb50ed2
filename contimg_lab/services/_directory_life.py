"""The directory of Measurement Sets kept current while the pipeline writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from contimg_lab.database import Database
from contimg_lab.errors import NotFound
from contimg_lab.repositories.caltables import CalTablesRepository
from contimg_lab.repositories.jobs import JobsRepository
from contimg_lab.repositories.ms import MsRepository
from contimg_lab.services._directory import Directory, build_directory

__all__ = ["DirectoryLife"]


class _Flight:
    """One making of the directory, and how many wait for it."""

    def __init__(self, make: Callable[[_Flight], Coroutine[Any, Any, Directory]]) -> None:
        self.loop = asyncio.get_running_loop()
        self.token: object = None
        self.waiting = 0
        self.task = self.loop.create_task(make(self))

    def serves(self, token: object) -> bool:
        """Whether what it finds is at least as new as this state of the data."""
        return self.token is None or self.token == token


class DirectoryLife:
    """What is known of every MS now.

    A commit anywhere in the file moves the database's token. Then the rows are read again and
    compared: where they are the same the directory stays, else only what changed is worked out.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ms = MsRepository(database)
        self._jobs = JobsRepository(database)
        self._caltables = CalTablesRepository(database)
        self._held: tuple[object, Directory] | None = None
        self._flight: _Flight | None = None

    async def now(self) -> Directory:
        """Return the directory of the data as they are now, or newer.

        Callers at the same time share one making, and those that come while an older one is
        under way share the next: a busy writer never makes more than two. It goes on while
        anyone still waits.
        """
        token = await self._database.token()
        if self._held is not None and self._held[0] == token:
            return self._held[1]
        flight = self._join(token)
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()

    def place(self, ms_path: str) -> tuple[str | None, int | None] | None:
        """Return night and hour of an MS as last read; None where it was not read yet."""
        if self._held is None:
            return None
        try:
            entry = self._held[1].of_ms(ms_path)
        except NotFound:
            return None
        return entry.night, entry.hour

    def _join(self, token: object) -> _Flight:
        last = self._flight
        if last is not None and (last.loop is not asyncio.get_running_loop() or last.task.done()):
            last = None
        if last is not None and last.waiting and last.serves(token):
            return last
        after = None if last is None else last.task
        self._flight = _Flight(lambda flight: self._make(flight, after))
        return self._flight

    async def _make(self, flight: _Flight, after: asyncio.Task[Directory] | None) -> Directory:
        if after is not None:
            await asyncio.wait([after])
        flight.token = token = await self._database.token()
        if self._held is not None and self._held[0] == token:
            return self._held[1]
        (columns, rows), worked, solved = await asyncio.gather(
            self._ms.stored(), self._jobs.paths_beyond_index(), self._caltables.solved_on()
        )
        before = None if self._held is None else self._held[1]
        made = await asyncio.to_thread(build_directory, columns, rows, worked, solved, before)
        self._held = (token, made)
        return made
