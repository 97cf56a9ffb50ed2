"""What every service is given: the handle, the repositories and what is known of each MS."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.config import Config
from contimg_lab.database import Database
from contimg_lab.repositories._base import Repository
from contimg_lab.repositories.caltables import AppliedRepository, CalTablesRepository
from contimg_lab.repositories.figures import FiguresRepository
from contimg_lab.repositories.images import ImagesRepository
from contimg_lab.repositories.jobs import JobsRepository
from contimg_lab.repositories.ms import MsRepository
from contimg_lab.repositories.sources import MeasurementsRepository, SourcesRepository
from contimg_lab.services._batch import Batch
from contimg_lab.services._directory import Directory, build_directory
from contimg_lab.services._store import EpochStore

if TYPE_CHECKING:
    from contimg_lab.services._epochs import Epochs
    from contimg_lab.services._variability import Found

__all__ = ["Context", "Service"]

_IDENTITY_PATHS = 100


class Context:
    """The handle and the repositories of one Lab, and its directory of Measurement Sets."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.database = database
        self.jobs = JobsRepository(database)
        self.ms = MsRepository(database)
        self.caltables = CalTablesRepository(database)
        self.applied = AppliedRepository(database)
        self.images = ImagesRepository(database)
        self.measurements = MeasurementsRepository(database)
        self.sources = SourcesRepository(database)
        self.figures = FiguresRepository(database)
        self.store = EpochStore(self, int(config.store_mb * 1e6))
        self.batch: Batch[Epochs] = Batch(self._epochs)
        self.found: dict[tuple[bool, bool], Found] = {}
        self._directory: tuple[object, Directory] | None = None
        self._waiting: dict[asyncio.Task[Directory], int] = {}
        self._building: tuple[object, asyncio.Task[Directory]] | None = None

    async def directory(self) -> Directory:
        """Return what is known of every MS now; made again when the data have changed.

        Callers at the same time share one making; it goes on while one of them still waits.
        """
        token = await self.database.token()
        if self._directory is not None and self._directory[0] == token:
            return self._directory[1]
        key = (token, asyncio.get_running_loop())
        if self._building is None or self._building[0] != key or self._building[1].done():
            self._building = (key, asyncio.ensure_future(self._build(token)))
        building = self._building[1]
        self._waiting[building] = self._waiting.get(building, 0) + 1
        try:
            return await asyncio.shield(building)
        finally:
            self._waiting[building] -= 1
            if not self._waiting[building]:
                del self._waiting[building]
                building.cancel()

    async def identity(self) -> str:
        """Return the database's identity: the same while it grows and when it is copied.

        SHA-256 over the layout's name and the first 100 MS paths in order of ``created_at``.
        """
        lines = [self.database.layout.name, *await self.ms.first_paths(_IDENTITY_PATHS)]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    async def absent(self) -> dict[str, tuple[str, ...]]:
        """Return the columns that this site's files lack, by table."""
        repositories: tuple[Repository[Any], ...] = (
            self.ms,
            self.jobs,
            self.caltables,
            self.applied,
            self.images,
            self.measurements,
        )
        found = {r.table: await r.absent() for r in repositories}
        return {table: columns for table, columns in found.items() if columns}

    async def _epochs(self, source_ids: Sequence[str]) -> Epochs:
        from contimg_lab.services._epochs import read_epochs

        return await read_epochs(self, source_ids)

    async def _build(self, token: object) -> Directory:
        rows = await self.ms.list(limit=None)
        worked: Sequence[str] = ()
        if await self.jobs.exists():
            worked = await self._texts(self.jobs, "ms_path")
        solved: Sequence[str] = ()
        if await self.database.find_table("caltables") is not None:
            solved = await self._texts(self.caltables, "source_ms_path")
        directory = await asyncio.to_thread(build_directory, rows, worked, solved)
        self._directory = (token, directory)
        return directory

    async def _texts(self, repository: Repository[Any], column: str) -> Sequence[str]:
        arrays = await repository.columns(column)
        return [text for text in set(arrays[column]) if text is not None]


@dataclass(slots=True, eq=False)
class Service:
    """A noun's operations; ``lab`` is there for the noun's panel and nothing else."""

    context: Context
    lab: object
