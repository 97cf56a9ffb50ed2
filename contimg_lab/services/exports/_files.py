"""How an exported file comes to be: whole or not at all, and over nothing by accident."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from contimg_lab.errors import InvalidInput

__all__ = ["readable", "write_whole"]

_SQLITE = b"SQLite format 3\0"


def write_whole(
    path: str | os.PathLike[str], write: Callable[[BinaryIO], None], *, overwrite: bool
) -> Path:
    """Write a file beside its place and move it there when it is whole; return its path.

    Raises
    ------
    InvalidInput
        It is no path, its folder is absent or cannot be written to, or a file is there and
        ``overwrite`` is not set; a database is never written over.
    """
    target = _path(path)
    part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        _must_be_free(target, overwrite)
        try:
            with part.open("xb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
            if not overwrite:
                _must_be_free(target, overwrite)
            part.replace(target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
    except OSError as error:
        raise InvalidInput(
            f"{target} cannot be written: {error.strerror or error}; give a path in a folder "
            "that exists and may be written to"
        ) from error
    return target


def readable(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that can be read; raises InvalidInput."""
    target = _path(path)
    try:
        with target.open("rb"):
            pass
    except OSError as error:
        raise InvalidInput(f"{target} cannot be read: {error.strerror or error}") from error
    return target


def _path(path: object) -> Path:
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise InvalidInput(f"path {path!r} is no path of a file")
    try:
        target = Path(path).expanduser()
        if b"\0" in os.fsencode(target):
            raise ValueError("a null character in it")
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise InvalidInput(f"path {str(path)[:200]!r} cannot be a path: {error}") from error
    if not target.name or os.path.isdir(target):  # noqa: PTH112  # Path.is_dir raises
        raise InvalidInput(f"{target} is a folder; name a file in it")
    return target


def _must_be_free(target: Path, overwrite: bool) -> None:
    if not (target.exists() or target.is_symlink()):
        return
    if not overwrite:
        raise InvalidInput(f"{target} is there already; give another path, or overwrite=True")
    if target.exists():
        with target.open("rb") as stream:
            if stream.read(len(_SQLITE)) == _SQLITE:
                raise InvalidInput(
                    f"{target} is an SQLite database, which no export writes over; "
                    "give another path"
                )
