"""What every service is given: the handle, the repositories and what is known of each MS."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.runs import night_hour
from contimg_lab.config import Config, ledger_path
from contimg_lab.database import Database
from contimg_lab.ledger.store import Ledger
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
from contimg_lab.services._standing import Standing
from contimg_lab.services._store import EpochStore

if TYPE_CHECKING:
    from contimg_lab.ledger.evidence import Evidence
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

    @functools.cached_property
    def ledger(self) -> Ledger:
        """The ledger of sign-offs; an error where its path is one of the pipeline's files."""
        files = tuple(self.database.layout.files.values())
        return Ledger(ledger_path(self.config), pipeline_files=files)

    @functools.cached_property
    def standing(self) -> Standing:
        """How signed nights stand, as far as is known."""

        async def again(night: str) -> Evidence:
            # here, since a Lab that has no sign-off to hold against its rows makes no check
            from contimg_lab.services._night_again import evidence_again

            return await evidence_again(self, night)

        return Standing(self, self.ledger, again)

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
        return (await self.identity_of_first(_IDENTITY_PATHS))[0]

    async def read_identity(self) -> tuple[str, bool]:
        """Return the identity, and whether it lasts: there are paths enough for it."""
        digest, n = await self.identity_of_first(_IDENTITY_PATHS)
        return digest, n == _IDENTITY_PATHS

    async def identity_of_first(self, n: int = _IDENTITY_PATHS) -> tuple[str, int]:
        """Return the identity that the first n paths make, and how many there are of them."""
        paths = await self.ms.first_paths(n)
        text = "\n".join([self.database.layout.name, *paths])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), len(paths)

    async def has_identity(self, identity: object, n_paths: int | None) -> bool:
        """Whether this is the identity now, or was while there were that many paths."""
        if (await self.identity()) == identity:
            return True
        return n_paths is not None and (await self.identity_of_first(n_paths))[0] == identity

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
