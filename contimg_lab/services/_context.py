"""What every service is given: the handle, the repositories and what is known of each MS."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.runs import night_hour
from contimg_lab.config import Config
from contimg_lab.database import Database
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.repositories._base import Repository
from contimg_lab.repositories.caltables import AppliedRepository, CalTablesRepository
from contimg_lab.repositories.figures import FiguresRepository
from contimg_lab.repositories.images import ImagesRepository
from contimg_lab.repositories.jobs import JobsRepository
from contimg_lab.repositories.ms import MsRepository
from contimg_lab.repositories.sources import MeasurementsRepository, SourcesRepository
from contimg_lab.services._batch import Batch
from contimg_lab.services._directory import Directory
from contimg_lab.services._directory_life import DirectoryLife
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
        self._directory = DirectoryLife(database)

    async def directory(self) -> Directory:
        """Return what is known of every MS now, see `DirectoryLife.now`."""
        return await self._directory.now()

    def place(self, ms_path: str) -> tuple[str | None, int | None]:
        """Return night and hour of an MS as last known, else by its name; never waits."""
        return self._directory.place(ms_path) or night_hour(MeasurementSet(path=ms_path))

    async def identity(self) -> str:
        """Return the database's identity: the same while it grows and when it is copied.

        SHA-256 over the layout's name and the first 100 MS paths in order of ``created_at``.
        """
        return (await self.read_identity())[0]

    async def read_identity(self) -> tuple[str, bool]:
        """Return the identity, and whether it lasts: there are paths enough for it."""
        paths = await self.ms.first_paths(_IDENTITY_PATHS)
        text = "\n".join([self.database.layout.name, *paths])
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return digest, len(paths) == _IDENTITY_PATHS

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


@dataclass(slots=True, eq=False)
class Service:
    """A noun's operations; ``lab`` is there for the noun's panel and nothing else."""

    context: Context
    lab: object
