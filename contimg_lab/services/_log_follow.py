"""What is appended to a log file, read from where the last reading ended.

Reading waits for the disk: call it in a worker thread.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from contimg_lab.services._log_files import MAX_LINE_BYTES, shown_line

__all__ = ["BEGUN_ANEW", "FileFollow", "News"]

BEGUN_ANEW = "[the log file was begun anew]"
"""Line that stands before those of a file that took the place of the one read before."""

_MOST_BYTES = 256 << 10  # of one reading; of more only the end is read
_ANCHOR = 64  # bytes before the end that tell whether this is the file that was read before


@dataclass(frozen=True, slots=True)
class News:
    """Lines that were appended.

    Attributes
    ----------
    lines
        As text.
    drop
        How many lines told before these replace: 1 where the last was not yet written to its end.
    """

    lines: tuple[str, ...]
    drop: int = 0


class FileFollow:
    """Reads a file on and on; one that was replaced or cut off is begun anew.

    Parameters
    ----------
    path
        A resolved path: a link is not followed.
    n
        Most lines of the first reading, and of one that begins anew.
    """

    def __init__(self, path: Path, n: int) -> None:
        self._path = path
        self._n = n
        self._file: tuple[int, int] | None = None
        self._offset = 0
        self._anchor = self._open_line = b""

    def read(self) -> News | None:
        """Return what is new; None where nothing is.

        Raises
        ------
        OSError
            The file is gone, is no plain file, or cannot be read.
        """
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self._path, flags)
        try:
            told = os.fstat(handle)
            if not stat.S_ISREG(told.st_mode):
                raise OSError(f"{self._path.name} is no plain file any more")
            file = (told.st_dev, told.st_ino)
            if file == self._file and self._is_grown(handle, told.st_size):
                return self._read_on(handle, told.st_size)
            return self._read_anew(handle, told.st_size, file)
        finally:
            os.close(handle)

    def _is_grown(self, handle: int, size: int) -> bool:
        before = self._offset - len(self._anchor)
        return size >= self._offset and os.pread(handle, len(self._anchor), before) == self._anchor

    def _read_on(self, handle: int, size: int) -> News | None:
        if size == self._offset:
            return None
        start = max(self._offset, size - _MOST_BYTES)
        held = os.pread(handle, size - start, start)
        if left_out := start - self._offset:
            note = f"[… {left_out} bytes left out]"
            return News((note, *self._take(held, start, cut=True)))
        drop = 1 if self._open_line else 0
        return News(self._take(held, start), drop)

    def _read_anew(self, handle: int, size: int, file: tuple[int, int]) -> News:
        first = self._file is None
        self._file, self._open_line = file, b""
        start = max(0, size - _MOST_BYTES)
        held = os.pread(handle, size - start, start)
        lines = self._take(held, start, cut=start > 0)[-self._n :]
        return News(lines if first else (BEGUN_ANEW, *lines))

    def _take(self, held: bytes, start: int, *, cut: bool = False) -> tuple[str, ...]:
        """Turn what was read to lines, and remember where they end."""
        self._offset = start + len(held)
        self._anchor = (self._anchor + held if start else held)[-_ANCHOR:]
        if cut:
            self._open_line, held = b"", held.partition(b"\n")[2]
        parts = (self._open_line + held).split(b"\n")
        # a line without end is told in pieces
        self._open_line = parts[-1] if len(parts[-1]) <= MAX_LINE_BYTES else b""
        return tuple(shown_line(part) for part in (parts if parts[-1] else parts[:-1]))
