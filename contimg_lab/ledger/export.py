"""A ledger as JSON lines: each line the canonical text of one entry."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from contimg_lab.errors import InvalidInput, LedgerError, LedgerFull, LedgerReadOnly
from contimg_lab.ledger.chain import Entry, read

__all__ = ["from_lines", "lines_of", "read_export", "to_lines", "write_export"]


def to_lines(entries: Iterable[Entry]) -> bytes:
    """Write entries as lines; ASCII, each with its line end."""
    return b"".join(entry.text.encode("ascii") + b"\n" for entry in entries)


def lines_of(data: bytes) -> list[bytes]:
    """Cut an export into lines, for `verify.check_lines`; a line need not be an entry.

    Raises
    ------
    InvalidInput
        The last line has no end: the file was cut off.
    """
    if data and not data.endswith(b"\n"):
        raise InvalidInput("the export was cut off: its last line has no end")
    return data.split(b"\n")[:-1]


def from_lines(data: bytes) -> list[Entry]:
    """Read entries; what they say is not checked here.

    Raises
    ------
    InvalidInput
        A line is not the canonical text of an entry.
    """
    entries = []
    for number, line in enumerate(lines_of(data), 1):
        try:
            entries.append(read(line))
        except InvalidInput as error:
            raise InvalidInput(f"line {number} of the export: {error}") from error
    return entries


def write_export(entries: Iterable[Entry], path: Path) -> None:
    """Write an export to a new file, which appears only when it is whole.

    Raises
    ------
    LedgerError
        There is a file already, or it cannot be written.
    """
    if path.exists():
        raise LedgerError(f"{path} is there already; name another file")
    data = to_lines(entries)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
            part = Path(stream.name)
            try:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
                part.chmod(0o644)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        kind = LedgerReadOnly if isinstance(error, PermissionError) else LedgerError
        kind = LedgerFull if error.errno in (28, 122) else kind  # ENOSPC, EDQUOT
        raise kind(f"cannot write {path}: {error.strerror}") from error


def read_export(path: Path) -> list[bytes]:
    """Read the lines of an export's file, as `lines_of`.

    Raises
    ------
    LedgerError
        It cannot be read.
    InvalidInput
        It was cut off.
    """
    try:
        return lines_of(path.read_bytes())
    except OSError as error:
        raise LedgerError(f"cannot read {path}: {error.strerror}") from error
