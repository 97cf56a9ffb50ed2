"""How one SQLite file is opened without changing, locking or littering anything beside it.

With anything in a ``-wal`` beside it the file is alive: ``mode=ro`` takes the read lock that
WAL needs and nothing else. Without it is at rest: ``immutable`` leaves no ``-shm`` behind, and
the file's stamp, compared after each query, proves that it stayed at rest.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from contimg_lab.errors import DatabaseError, DatabaseNotFound, NotADatabase

__all__ = ["Stamp", "copy_aside", "remove_copy", "settle", "stamp", "uri"]

_TICK_S = 0.05  # a file system's clock may be this coarse


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file at rest from another, without opening it."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    wal_size: int | None
    wal_mtime_ns: int | None
    journal: bool

    @property
    def at_rest(self) -> bool:
        """Nothing in a ``-wal`` and no ``-journal``: the main file is the whole truth."""
        return not self.wal_size and not self.journal

    @property
    def identity(self) -> tuple[int, int]:
        """Which file it is: another file of the same name differs."""
        return (self.device, self.inode)


def stamp(path: Path) -> Stamp:
    """Look at a file and what lies beside it.

    Raises
    ------
    DatabaseNotFound
        The file is gone.
    NotADatabase
        It is a folder or another thing that no database can be, or it is empty.
    """
    try:
        info = path.stat()
    except FileNotFoundError as error:
        raise DatabaseNotFound(f"no file {path}; check the path") from error
    except OSError as error:
        raise DatabaseError(f"cannot look at {path}: {error.strerror}; check the path") from error
    if not stat.S_ISREG(info.st_mode):
        raise NotADatabase(f"{path} is no regular file; give the .sqlite3 file or its folder")
    wal = _beside(path, "-wal")
    wal_size = None if wal is None else wal.st_size
    if info.st_size == 0 and not wal_size:
        raise NotADatabase(f"{path} is empty (0 bytes); give the pipeline's database")
    return Stamp(
        device=info.st_dev,
        inode=info.st_ino,
        size=info.st_size,
        mtime_ns=info.st_mtime_ns,
        wal_size=wal_size,
        wal_mtime_ns=None if wal is None else wal.st_mtime_ns,
        journal=_beside(path, "-journal") is not None,
    )


async def settle(now: Stamp) -> None:
    """Wait until a later write must move the file's time stamp."""
    young = time.time() - now.mtime_ns / 1e9
    if 0.0 <= young < _TICK_S:
        await asyncio.sleep(_TICK_S - young)


def uri(path: Path, *, immutable: bool) -> str:
    """Read-only SQLite URI of a path, whatever characters it holds."""
    return path.absolute().as_uri() + "?mode=ro" + ("&immutable=1" if immutable else "")


async def copy_aside(path: Path) -> Path:
    """Copy a file and its ``-wal`` into a private folder; returns the copy's path.

    For a ``-wal`` that can be read only by writing a ``-shm`` beside it, where we may not
    write. The copy runs in a process of its own: closing a file that this process also has
    open through SQLite would drop SQLite's locks (POSIX record locks).
    """
    folder = Path(tempfile.mkdtemp(prefix="contimg_lab-"))
    copy = folder / path.name
    code = (
        "import shutil, sys\n"
        "for end in ('', '-wal'):\n"
        "    shutil.copyfile(sys.argv[1] + end, sys.argv[2] + end)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", code, os.fspath(path), os.fspath(copy)
    )
    try:
        code_out = await process.wait()
    except BaseException:
        process.kill()
        remove_copy(copy)
        raise
    if code_out != 0:
        remove_copy(copy)
        raise DatabaseError(f"cannot copy {path} and its -wal aside; is the disk full?")
    return copy


def remove_copy(copy: Path) -> None:
    """Remove what `copy_aside` made."""
    shutil.rmtree(copy.parent, ignore_errors=True)


def _beside(path: Path, ending: str) -> os.stat_result | None:
    try:
        return path.with_name(path.name + ending).stat()
    except OSError:
        return None
