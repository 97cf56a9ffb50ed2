"""The ledger's SQLite file: its tables, how it is opened, and what its errors mean."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

from contimg_lab.errors import (
    LedgerBusy,
    LedgerError,
    LedgerFull,
    LedgerReadOnly,
    NewerLedger,
    NotALedger,
)

__all__ = ["SCHEMA", "reading", "refuse_pipeline_files", "writing"]

_APPLICATION = 0x434C4C31  # "CLL1"
_VERSION = 1
_PIPELINE_NAMES = {"pipeline.sqlite3", "products.sqlite3", "cal_registry.sqlite3"}
_HEAD = "SELECT hash FROM entries ORDER BY number DESC LIMIT 1"

# REPLACE deletes without a delete trigger; it is met before that, on its way in. These guard
# against mistakes: who can write the file can drop them, and then the hashes tell.
SCHEMA = {
    "entries": """CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    previous TEXT NOT NULL UNIQUE CHECK (typeof(previous) = 'text'),
    hash TEXT NOT NULL UNIQUE CHECK (typeof(hash) = 'text'),
    entry TEXT NOT NULL CHECK (typeof(entry) = 'text')
)""",
    "evidence": """CREATE TABLE evidence (
    number INTEGER PRIMARY KEY REFERENCES entries (number),
    packed BLOB NOT NULL CHECK (typeof(packed) = 'blob')
)""",
    "entries_follow": f"""CREATE TRIGGER entries_follow BEFORE INSERT ON entries
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM entries)
    OR NEW.previous IS NOT coalesce(({_HEAD}), '{"0" * 64}')
BEGIN SELECT RAISE(ABORT, 'an entry follows the last one'); END""",
    "evidence_once": """CREATE TRIGGER evidence_once BEFORE INSERT ON evidence
WHEN NEW.number IS NOT (SELECT max(number) FROM entries)
    OR EXISTS (SELECT 1 FROM evidence WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'evidence comes with its entry'); END""",
    **{
        f"{table}_{event.lower()}": f"""CREATE TRIGGER {table}_{event.lower()} BEFORE {event}
ON {table} BEGIN SELECT RAISE(ABORT, 'a ledger is only added to'); END"""
        for table in ("entries", "evidence")
        for event in ("UPDATE", "DELETE")
    },
}


def refuse_pipeline_files(path: Path, pipeline_files: Collection[Path]) -> None:
    """Raise `NotALedger` where the path is one of the pipeline's own."""
    same = any(
        path.resolve() == other.resolve()
        or (path.exists() and other.exists() and path.samefile(other))
        for other in pipeline_files
    )
    if same or path.resolve().name in _PIPELINE_NAMES:
        raise NotALedger(
            f"{path} belongs to the pipeline, whose files are never written to; "
            "give the ledger another path (CONTIMG_LAB_LEDGER)"
        )


@contextlib.contextmanager
def reading(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """Open a ledger to read, and close it; text comes as bytes, whatever stands there."""
    if not path.exists():
        raise LedgerError(f"no ledger {path}; the first sign-off makes it")
    with _typed_errors(path):
        _look(path)
        # "rw", so that what a crash left half done is undone; SQLite reads where it may not write
        connection = _connect(path, "rw", timeout_s)
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.text_factory = bytes
            if not _has_version(connection, path):
                raise LedgerError(f"the ledger {path} is empty: nobody has signed yet")
            yield connection
        finally:
            connection.close()


@contextlib.contextmanager
def writing(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """Open a ledger, or make it, and hold it alone; kept at the end, or undone by any error."""
    with _typed_errors(path):
        if path.exists():
            _look(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connect(path, "rwc", timeout_s)
        try:
            # a rollback journal can be read on any disk; EXTRA: its removal, which is what keeps
            # the entry, is on the disk before COMMIT returns, so no power cut takes it back
            for pragma in ("journal_mode = DELETE", "synchronous = EXTRA", "fullfsync = ON"):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            connection.execute("BEGIN IMMEDIATE")
            if not _has_version(connection, path):
                # kept by itself: a large first entry would spill over to the disk before the
                # first page, and a kill leave what nobody knows for a ledger
                for statement in SCHEMA.values():
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
                connection.execute("COMMIT")
                connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            # closed before COMMIT it is undone
            connection.close()


def _connect(path: Path, mode: str, timeout_s: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)


def _look(path: Path) -> None:
    # Another program's file must not even be opened in the usual way: closing a WAL file may
    # write it. SQLite opens it here, and not open(), whose close() would drop the locks that
    # another thread holds through SQLite. Of a file of no bytes, that another process may just
    # now make a ledger, SQLite would remember here that it has no name.
    if path.stat().st_size == 0:
        return
    connection = _connect(path, "ro&immutable=1", 0.0)
    try:
        # the first page may have been written by who was killed before the others
        connection.execute("PRAGMA writable_schema = ON")
        _has_version(connection, path)
    finally:
        connection.close()


def _has_version(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether it is a ledger; False for a file of no bytes, an error for any other."""
    # looked at first: another process may be making it just now
    is_empty = path.stat().st_size == 0
    ((application,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    if is_empty:
        return False
    if application != _APPLICATION:
        raise NotALedger(f"{path} is another program's SQLite file; give the ledger another path")
    if version > _VERSION:
        raise NewerLedger(
            f"{path} is a ledger of format {version}, and this version of contimg_lab knows "
            f"{_VERSION}: install a later one"
        )
    return True


@contextlib.contextmanager
def _typed_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _typed(error, path) from error
    except OSError as error:
        kind = LedgerReadOnly if isinstance(error, PermissionError) else LedgerError
        raise kind(f"cannot use the ledger {path}: {error.strerror}") from error


def _typed(error: sqlite3.Error, path: Path) -> LedgerError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LedgerBusy(f"the ledger {path} stayed locked; nothing was written: try again")
    if name == "SQLITE_FULL":
        return LedgerFull(f"no room on the disk of the ledger {path}; nothing was written")
    if name in ("SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY"):
        return LedgerReadOnly(
            f"the ledger {path} was left in the middle of writing; read it once where it may be "
            "written, and what was half done is undone"
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return LedgerReadOnly(
            f"the ledger {path} or its folder may not be written to; nothing was written"
        )
    if name.startswith("SQLITE_CANTOPEN"):
        if path.exists() and not path.is_dir() and not os.access(path.parent, os.W_OK):
            return LedgerReadOnly(f"the folder of the ledger {path} may not be written to")
        return LedgerError(f"cannot open the ledger {path}; check the path and who may use it")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return NotALedger(f"{path} is no ledger, or a damaged one ({error})")
    if name.startswith("SQLITE_IOERR"):
        return LedgerError(f"the disk of the ledger {path} failed or is over its quota ({error})")
    return NotALedger(f"{path} is not the ledger that this version makes ({error})")
