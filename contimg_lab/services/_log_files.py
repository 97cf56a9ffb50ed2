"""Log files on disk: which may be opened, and the last lines of one in constant memory."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from contimg_lab.analysis.runs import valid_run_id
from contimg_lab.errors import ForbiddenPath, InvalidInput, NotFound

__all__ = [
    "MAX_LINE_BYTES",
    "MAX_TAIL_BYTES",
    "LogRoots",
    "default_log_folders",
    "find_run_log",
    "find_run_logs",
    "is_plain_file",
    "named_in_roots",
    "shared_log_files",
    "shown_line",
    "tail_lines",
]

MAX_TAIL_BYTES = 8 << 20
"""Bytes that `tail_lines` reads at most, however many lines were asked for."""

MAX_LINE_BYTES = 64 << 10
"""Bytes of one line that are shown; the rest is cut with a marker."""

_BLOCK = 64 << 10
_FEW = 8
_SHARED = re.compile(r"(?P<base>(?!job-).*\.log)(?:\.(?P<turn>\d{1,6}))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LogRoots:
    """Folders in which log files may be opened, resolved.

    Attributes
    ----------
    folders
        Each folder once, in the order in which it is looked in; it may not exist.
    """

    folders: tuple[Path, ...]

    def __post_init__(self) -> None:
        resolved = dict.fromkeys(Path(os.path.realpath(folder)) for folder in self.folders)
        object.__setattr__(self, "folders", tuple(resolved))

    @classmethod
    def of(cls, folders: Iterable[Path]) -> LogRoots:
        """Make roots of any folders, links in them resolved."""
        return cls(tuple(folders))

    def allows(self, resolved: Path) -> bool:
        """Whether a resolved path lies inside one of the roots."""
        return any(resolved.is_relative_to(folder) for folder in self.folders)


def default_log_folders(database_files: Iterable[Path], state_dir: Path | None) -> tuple[Path, ...]:
    """Folders for logs where none are set: ``logs/`` beside each database and in the state."""
    beside = [file.parent for file in database_files]
    places = beside if state_dir is None else [*beside, state_dir]
    return tuple(dict.fromkeys(place / "logs" for place in places))


def find_run_log(run_id: str, roots: LogRoots) -> Path | None:
    """Path of ``{run_id}.log`` directly in a root, or None.

    Raises
    ------
    InvalidInput
        The id cannot be a run's.
    ForbiddenPath
        A symbolic link of that name leads out of the roots.
    """
    if not valid_run_id(run_id):
        raise InvalidInput(f"run id {run_id!r} may only hold letters, digits, '.', '_' and '-'")
    for root in roots.folders:
        entry = root / f"{run_id}.log"
        resolved = Path(os.path.realpath(entry))
        if not roots.allows(resolved):
            raise ForbiddenPath(
                f"{entry} leads out of the folders for logs; "
                "add its target's folder to DSA110_ALLOWED_LOG_ROOTS"
            )
        if is_plain_file(resolved):
            return resolved
    return None


def find_run_logs(run_ids: Collection[str], roots: LogRoots) -> dict[str, Path]:
    """Paths of the ``{run_id}.log`` that are there, by run id; raises as `find_run_log`."""
    there = named_in_roots(run_ids, roots)
    found = ((run_id, find_run_log(run_id, roots)) for run_id in run_ids if run_id in there)
    return {run_id: path for run_id, path in found if path is not None}


def named_in_roots(run_ids: Collection[str], roots: LogRoots) -> Collection[str]:
    """Runs that may have a ``{run_id}.log``: of many only those that a listing names.

    A listing of each root takes the place of a look for every run, which a network disk
    answers one by one.
    """
    if len(run_ids) <= _FEW:
        return run_ids
    names: set[str] = set()
    for root in roots.folders:
        try:
            with os.scandir(root) as listing:
                names.update(entry.name for entry in listing)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:  # it cannot be listed, but may be entered
            return run_ids
    return {run_id for run_id in run_ids if f"{run_id}.log" in names}


def shared_log_files(roots: LogRoots) -> list[Path]:
    """Rotating files (``*.log``, ``*.log.N``) in the roots, each log's oldest first.

    Files of single runs (``job-*.log``), links that lead out of the roots and whatever is
    no plain file (a pipe would block) are left out.
    """
    found: dict[Path, tuple[str, str, int]] = {}
    for root in roots.folders:
        try:
            entries = list(root.iterdir())
        except OSError:
            continue
        for entry in entries:
            match = _SHARED.fullmatch(entry.name)
            resolved = Path(os.path.realpath(entry))
            if match is None or not roots.allows(resolved) or not is_plain_file(resolved):
                continue
            found.setdefault(resolved, (str(root), match["base"], -int(match["turn"] or -1)))
    return sorted(found, key=lambda path: found[path])


def tail_lines(path: Path, n: int) -> tuple[list[str], bool]:
    """Last lines of a file, and whether it holds earlier ones.

    The file is read from its end in blocks, `MAX_TAIL_BYTES` at most; where that is not
    enough for ``n`` lines there are fewer, and the first may be cut (it says so).

    Raises
    ------
    InvalidInput
        ``n`` is negative.
    NotFound
        The file is gone or cannot be read.
    """
    if n < 0:
        raise InvalidInput(f"tail={n} is negative; ask for 0 lines or more")
    try:
        with path.open("rb") as file:
            held, start = _read_tail(file.fileno(), n)
    except OSError as error:
        raise NotFound("log file", path.name, error.strerror or "it cannot be read") from error
    if n == 0 or not held:
        return [], n == 0 and start > 0
    lines = held.removesuffix(b"\n").split(b"\n")
    partial = start > 0 and len(lines) <= n
    kept = lines[-n:]
    shown = [shown_line(line) for line in kept]
    if partial:
        shown[0] = "[… cut] " + shown_line(kept[0][-MAX_LINE_BYTES:])
    return shown, start > 0 or len(lines) > n


def shown_line(line: bytes) -> str:
    """A line as text: without its end, bad bytes replaced, a very long one cut."""
    line = line.rstrip(b"\r\n")
    if len(line) <= MAX_LINE_BYTES:
        return line.decode("utf-8", "replace")
    head = line[:MAX_LINE_BYTES].decode("utf-8", "replace")
    return f"{head} [cut … {len(line) - MAX_LINE_BYTES} bytes]"


def is_plain_file(path: Path) -> bool:
    """Whether a path is a regular file that can be looked at."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _read_tail(handle: int, n: int) -> tuple[bytes, int]:
    """Bytes from the end that hold n lines (or the cap's worth), and where they start."""
    start = os.fstat(handle).st_size
    if n == 0:
        return b"", start
    blocks: list[bytes] = []
    size = newlines = 0
    while start > 0 and newlines <= n and size < MAX_TAIL_BYTES:
        step = min(_BLOCK, start)
        block = os.pread(handle, step, start - step)
        if len(block) < step:  # truncated under us: what was read no longer joins up
            blocks, size, newlines = [], 0, 0
        start -= step
        blocks.append(block)
        size += len(block)
        newlines += block.count(b"\n")
    return b"".join(reversed(blocks)), start
