"""Health: what the files of a site are and hold, and what their absences mean."""

from __future__ import annotations

import asyncio
import platform
import sqlite3
import stat
from collections.abc import Mapping
from pathlib import Path

from contimg_lab import __version__
from contimg_lab.records.health import (
    FileHealth,
    FolderHealth,
    HealthReport,
    IndexHealth,
    Lack,
    TableHealth,
)
from contimg_lab.repositories.health import HealthRepository
from contimg_lab.services._context import Service
from contimg_lab.services._log_files import LogRoots, shared_log_files
from contimg_lab.services._provenance import log_roots

__all__ = ["HealthService"]

_LACKS = {
    "jobs": ("jobs", "a run is read from ms_index alone: no steps, no start or end"),
    "images": ("images", "no noise, beam or image of any MS"),
    "photometry": ("sources", "no light curves and no variability"),
    "caltables": ("caltables", "which cal table covers an MS is unknown"),
    "calibration_applied": ("ms", "what was really applied is unrecorded; only validity is shown"),
    "pointing_history": ("ms", "pointings come from the columns of ms_index only"),
}

_READ = frozenset({"ms_index", "batch_job_items", "ms_state", "dead_letter_queue", *_LACKS})

_INDEXES = (
    ("ms_index", "path", "each look-up of one MS reads the whole table"),
    ("jobs", "ms_path", "the steps of one run cost a reading of the whole table"),
    ("images", "ms_path", "the images of one MS cost a reading of the whole table"),
    (
        "photometry",
        "source_id",
        "the first light curve costs a reading of the whole table; after that the store of "
        "epochs has them all, until the next commit",
    ),
    ("photometry", "image_path", "the measurements in one image cost a reading of the whole table"),
    ("caltables", "path", "each look-up of one cal table reads the whole table"),
)

_PACKAGES = (
    "aiosqlite",
    "anywidget",
    "astropy",
    "ipywidgets",
    "jupyterlab",
    "matplotlib",
    "numpy",
    "pandas",
)


class HealthService(Service):
    """What a site's files are and hold."""

    async def report(self) -> HealthReport:
        """Look at every file, table, index and log folder; counts stay cheap on large files.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     [file.role for file in lab.health.report().files]
        ['pipeline']
        """
        layout = self.context.database.layout
        tables = await self._tables()
        how = self.context.database.how()
        files = [
            await asyncio.to_thread(_file, role, path, how[role])
            for role, path in layout.files.items()
        ]
        return HealthReport(
            layout=layout.name,
            notes=(*layout.notes, *layout.absent.values()),
            files=tuple(files),
            tables=tables,
            lacks=await self._lacks(),
            indexes=await self._indexes({table.name.lower(): table for table in tables}),
            log_folders=await asyncio.to_thread(_folders, log_roots(self.context)),
            versions=_versions(),
        )

    async def _tables(self) -> tuple[TableHealth, ...]:
        database = self.context.database
        counts = HealthRepository(database)
        absent = await self.context.absent()
        found = []
        for role in database.layout.files:
            for key, table in sorted((await database.schema(role)).tables.items()):
                if key.startswith("sqlite_"):
                    continue
                owned = database.layout.role_of(key) == role
                n_rows, is_estimate = await counts.count(table.name) if owned else (None, False)
                found.append(
                    TableHealth(
                        name=table.name,
                        role=role,
                        is_read=owned and key in _READ,
                        n_rows=n_rows,
                        is_estimate=is_estimate,
                        absent_columns=absent.get(key, ()) if owned else (),
                    )
                )
        return tuple(found)

    async def _lacks(self) -> tuple[Lack, ...]:
        return tuple(
            [
                Lack(table=table, noun=noun, meaning=meaning)
                for table, (noun, meaning) in _LACKS.items()
                if await self.context.database.find_table(table) is None
            ]
        )

    async def _indexes(self, tables: Mapping[str, TableHealth]) -> tuple[IndexHealth, ...]:
        found = []
        for name, column, cost in _INDEXES:
            table = await self.context.database.find_table(name)
            if table is not None and table.has(column):
                counted = tables.get(name)
                rows = "" if counted is None or counted.n_rows is None else counted.n_rows
                told = f"{cost} ({rows:,} rows)" if rows else cost
                present = table.indexed(column)
                found.append(IndexHealth(table=name, column=column, present=present, cost=told))
        return tuple(found)


def _file(role: str, path: Path, opened: str) -> FileHealth:
    # only looked at: opening and closing it here would drop SQLite's locks on it
    info = path.stat()
    wal = path.with_name(path.name + "-wal")
    return FileHealth(
        role=role,
        path=str(path),
        size_bytes=info.st_size,
        mode=stat.filemode(info.st_mode),
        owner_writable=bool(info.st_mode & stat.S_IWUSR),
        wal_bytes=wal.stat().st_size if wal.exists() else None,
        has_shm=path.with_name(path.name + "-shm").exists(),
        opened=opened,
    )


def _folders(roots: LogRoots) -> tuple[FolderHealth, ...]:
    found = []
    for folder in roots.folders:
        try:
            names = [entry.name for entry in folder.iterdir()]
        except OSError:
            names = None
        found.append(
            FolderHealth(
                path=str(folder),
                exists=names is not None,
                n_run_logs=sum(n.startswith("job-") and n.endswith(".log") for n in names or ()),
                n_shared_logs=len(shared_log_files(LogRoots.of([folder]))),
            )
        )
    return tuple(found)


def _versions() -> tuple[tuple[str, str], ...]:
    from importlib import metadata

    return (
        ("contimg_lab", __version__),
        ("python", platform.python_version()),
        ("sqlite", sqlite3.sqlite_version),
        *((name, metadata.version(name)) for name in _PACKAGES),
    )
