"""Health of a site: what its files are, what they hold, and what they lack."""

from __future__ import annotations

from dataclasses import dataclass

from contimg_lab.records._fields import required

__all__ = ["FileHealth", "FolderHealth", "HealthReport", "IndexHealth", "Lack", "TableHealth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHealth:
    """One database file as the file system shows it; it was not opened for this."""

    role: str = required(None, "pipeline, products or cal_registry")
    path: str = required(None, "where it is")
    size_bytes: int = required("B", "size of the main file")
    mode: str = required(None, "type and permissions, as ls writes them")
    owner_writable: bool = required(None, "whether its owner may write to it (we never do)")
    wal_bytes: int | None = required("B", "size of the -wal beside it; None where there is none")
    has_shm: bool = required(None, "whether a -shm lies beside it")
    opened: str = required(None, "how it is opened")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableHealth:
    """One table of a site."""

    name: str = required(None, "name in the file")
    role: str = required(None, "file that holds it")
    is_read: bool = required(None, "whether contimg_lab reads it")
    n_rows: int | None = required(None, "rows; None where counting would take long")
    is_estimate: bool = required(None, "whether n_rows is the highest row number, not a count")
    absent_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A table that this site lacks, and what that means for a noun."""

    table: str = required(None, "table that is absent")
    noun: str = required(None, "noun that feels it")
    meaning: str = required(None, "what is not to be had, in words")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexHealth:
    """An index that matters for speed."""

    table: str = required(None, "table")
    column: str = required(None, "column that an index should begin with")
    present: bool = required(None, "whether one does")
    cost: str = required(None, "what its absence costs, in words")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderHealth:
    """A folder in which log files may be opened."""

    path: str = required(None, "folder, links resolved")
    exists: bool = required(None, "whether it is there and may be listed")
    n_run_logs: int = required(None, "files named for one run")
    n_shared_logs: int = required(None, "other log files: shared and rotated ones")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """Everything that ``contimg-lab doctor`` found on an open database."""

    layout: str = required(None, "unified or split")
    notes: tuple[str, ...] = ()
    files: tuple[FileHealth, ...] = ()
    tables: tuple[TableHealth, ...] = ()
    lacks: tuple[Lack, ...] = ()
    indexes: tuple[IndexHealth, ...] = ()
    log_folders: tuple[FolderHealth, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
