"""Whole tables, read by a child process and handed over as columns of a mapped file.

The file never has a name, so nothing is left of it whoever is killed; the child ends when its
parent's end of the pipe closes. The kernel's memory holds views of the file's pages.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from contimg_lab.database import files
from contimg_lab.database._heartbeat import heartbeat
from contimg_lab.errors import DatabaseBusy, DatabaseError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contimg_lab.database.pool import Pool

__all__ = ["Handed", "run_child", "scan_file"]

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from contimg_lab.database._child import main; main()"
)
_LONGEST_LINE = 1 << 20
_TRIES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Handed:
    """What a child handed over.

    Attributes
    ----------
    columns
        Arrays by name: views of the file, which lives as long as one of them.
    told
        What the child said of them.
    size_bytes
        Size of the file.
    """

    columns: Mapping[str, NDArray[Any]]
    told: Mapping[str, Any]
    size_bytes: int


async def scan_file(
    pool: Pool,
    work: str,
    request: Mapping[str, Any],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Handed, tuple[object, ...] | None]:
    """Run a child process on one state of a pool's file; see `Database.scan`."""
    for _ in range(_TRIES):
        before = await pool.token()
        path = pool.path.resolve()
        now = files.stamp(path)
        if now.at_rest:
            await files.settle(now)
        where = {"uri": files.uri(path, immutable=now.at_rest), "timeout_s": pool.timeout_s}
        after: list[asyncio.Future[tuple[object, ...]]] = []
        try:
            handed = await run_child(
                work,
                {**request, **where},
                progress=progress,
                began=partial(_look, pool, after),
            )
        finally:
            tokens = await asyncio.gather(*after, return_exceptions=True)
        if not now.at_rest:
            return handed, (before if tokens == [before] else None)
        if files.stamp(path) == now:  # at rest before and after: one state all the time
            return handed, before
    raise DatabaseBusy(f"{pool.path} changes faster than it can be read; try again")


def _look(pool: Pool, looks: list[asyncio.Future[tuple[object, ...]]]) -> None:
    looks.append(asyncio.ensure_future(pool.token()))


async def run_child(
    work: str,
    request: Mapping[str, Any],
    *,
    progress: Callable[[int, int], None] | None = None,
    began: Callable[[], None] | None = None,
) -> Handed:
    """Run a function in a child process, and map what it writes.

    Cancelling the await kills the child at once; there is nothing to clean up.

    Parameters
    ----------
    work
        ``module:function``, called with the request and a `contimg_lab.database._child.Out`.
    request
        What JSON holds.
    progress
        Called with what is done and what is to do.
    began
        Called when the child has said ``began``: it holds its snapshot.

    Raises
    ------
    TypeError
        A value is not of its column's declared kind: ask for it with more care.
    DatabaseError
        The child failed, with its reason.
    """
    # a file without a name; the child gets its number
    with tempfile.TemporaryFile(prefix="contimg_lab-") as file:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", _START, json.dumps(sys.path)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=(file.fileno(),),
            limit=_LONGEST_LINE,
            start_new_session=True,  # an interrupt of the kernel is none of the child's
        )
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            asked = {"work": work, "request": request, "fd": file.fileno()}
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            with heartbeat():
                async for line in child.stdout:
                    said = json.loads(line)
                    if "done" in said and progress is not None:
                        progress(said["done"], said["total"])
                    elif "began" in said and began is not None:
                        began()
                    elif "error" in said:
                        raise _error(said["error"])
                    elif "whole" in said:
                        return await asyncio.to_thread(_map, file.fileno(), *said["whole"])
        finally:
            if child.returncode is None:
                child.kill()
            await child.wait()
    raise DatabaseError(
        f"the reading process ended ({child.returncode}) before it was done; is memory or disk "
        f"({tempfile.gettempdir()}) short?"
    )


def _error(text: str) -> Exception:
    kind, _, reason = text.partition(": ")
    if kind == "TypeError":
        return TypeError(reason)
    return DatabaseError(f"the reading process failed: {text}")


def _map(fd: int, start: int, length: int) -> Handed:
    import numpy as np

    size = os.fstat(fd).st_size
    # private pages: a reader that writes into its array changes nobody else's
    pages = mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    meta = json.loads(pages[start : start + length])
    columns = {
        name: np.frombuffer(pages, dtype, count, offset)
        for name, (dtype, offset, count) in meta["columns"].items()
    }
    return Handed(columns, meta["told"], size)
