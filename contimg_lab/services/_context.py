"""What every service is given: the handle, the repositories and what is known of each MS."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from contimg_lab.config import Config
from contimg_lab.database import Database
from contimg_lab.repositories.caltables import AppliedRepository, CalTablesRepository
from contimg_lab.repositories.figures import FiguresRepository
from contimg_lab.repositories.images import ImagesRepository
from contimg_lab.repositories.jobs import JobsRepository
from contimg_lab.repositories.ms import MsRepository
from contimg_lab.repositories.sources import MeasurementsRepository, SourcesRepository
from contimg_lab.services._directory import Directory, build_directory

__all__ = ["Context", "Service"]


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
        self._directory: tuple[object, Directory] | None = None

    async def directory(self) -> Directory:
        """Return what is known of every MS now; made again when the data have changed."""
        token = await self.database.token()
        if self._directory is not None and self._directory[0] == token:
            return self._directory[1]
        rows = await self.ms.list(limit=None)
        worked: Sequence[str] = ()
        if await self.jobs.exists():
            arrays = await self.jobs.columns("ms_path")
            worked = [path for path in set(arrays["ms_path"]) if isinstance(path, str)]
        solved: Sequence[str] = ()
        if await self.database.find_table("caltables") is not None:
            arrays = await self.caltables.columns("source_ms_path")
            solved = [path for path in set(arrays["source_ms_path"]) if isinstance(path, str)]
        directory = await asyncio.to_thread(build_directory, rows, worked, solved)
        self._directory = (token, directory)
        return directory


@dataclass(slots=True, eq=False)
class Service:
    """A noun's operations; ``lab`` is there for the noun's panel and nothing else."""

    context: Context
    lab: object
