"""The pipeline's writer, played on a private copy: small commits, and its own checkpoints."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from contimg_lab.bench._measure import percentiles_ms

__all__ = ["append", "summary", "wait", "write"]

_COMMITS_PER_S = 50.0
_ROWS = 10
_CHECKPOINT_EVERY_S = 0.5
_SETTLE_S = 1.0  # the first commits meet a cold cache
_INSERT = """
INSERT INTO photometry (source_id, image_path, ra_deg, dec_deg, nvss_flux_mjy, peak_jyb,
    peak_err_jyb, measured_at, snr, mjd, flux_jy, flux_err_jy)
VALUES (?, ?, 345.0, 16.26, 100.0, ?, 0.01, ?, 10.0, ?, ?, 0.01)
"""


class _Writer:
    """One connection that appends epochs of random sources, as the pipeline does."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        sql = "SELECT DISTINCT source_id FROM photometry WHERE source_id IS NOT NULL"
        self._names = [name for (name,) in self.connection.execute(sql)]
        found = self.connection.execute("SELECT max(mjd) FROM photometry").fetchone()[0]
        self._mjd = float(found)
        self._chosen = random.Random(110)
        self._numbers = itertools.count()

    def commit(self, n_rows: int) -> None:
        """Append rows of as many sources, in one image, in one transaction."""
        number = next(self._numbers)
        self._mjd += 1e-4
        image = f"/stage/dsa110-contimg/images/bench-{os.getpid()}-{number}.img-image-pb.fits"
        unix = time.time()
        flux = [self._chosen.uniform(0.05, 0.5) for _ in range(n_rows)]
        names = self._chosen.choices(self._names, k=n_rows)
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            _INSERT,
            [(n, image, f, unix, self._mjd, f) for n, f in zip(names, flux, strict=True)],
        )
        self.connection.execute("COMMIT")

    def checkpoint(self) -> bool:
        """Whether a passive checkpoint took over everything that is in the -wal."""
        _, held, done = self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return bool(held == done)

    def wal_bytes(self) -> int:
        """Size of the -wal."""
        return os.stat(self.path + "-wal").st_size  # noqa: PTH116 - Path.stat would read no more


def write(path: str, commits_per_s: float = _COMMITS_PER_S) -> Iterator[dict[str, Any]]:
    """Commit so many times a second until the standard input ends; twice a second a checkpoint.

    A checkpoint that did not get through is tried again before each commit, when whoever read
    the state before the last commit has had 20 ms to end.

    Parameters
    ----------
    path
        The database that is written to.
    commits_per_s
        How often.

    Yields
    ------
    dict
        Nothing in it when it has begun; at the end ``commits`` as (Unix seconds, seconds it
        took), ``checkpoints`` as (Unix seconds of the first try, seconds until it was through;
        the last one may not be) and ``wal_bytes`` as (Unix seconds, size).
    """
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=[ended], daemon=True).start()
    commits: list[tuple[float, float]] = []
    checkpoints: list[tuple[float, float]] = []
    sizes: list[tuple[float, int]] = []
    with _opened(path) as writer:
        writer.commit(_ROWS)
        yield {}
        begun = time.time()
        wanted = begun + _CHECKPOINT_EVERY_S
        number = 0
        while not ended.wait(max(0.0, begun + number / commits_per_s - time.time())):
            # a commit that took long is no reason to hurry afterwards
            number = max(number + 1, int((time.time() - begun) * commits_per_s))
            if time.time() >= wanted and writer.checkpoint():
                checkpoints.append((wanted, time.time() - wanted))
                wanted = time.time() + _CHECKPOINT_EVERY_S
            start = time.perf_counter()
            writer.commit(_ROWS)
            commits.append((time.time(), time.perf_counter() - start))
            sizes.append((time.time(), writer.wal_bytes()))
        if time.time() > wanted:
            checkpoints.append((wanted, time.time() - wanted))
    yield {"commits": commits, "checkpoints": checkpoints, "wal_bytes": sizes}


def append(path: str, n_rows: int) -> Iterator[dict[str, Any]]:
    """Commit so many rows at once when a line comes in, and stay open until the input ends.

    Yields
    ------
    dict
        Nothing in it when it has begun; then ``seconds`` that the commit took; then nothing.
    """
    with _opened(path) as writer:
        writer.commit(_ROWS)  # a file at work has something in its -wal
        yield {}
        sys.stdin.readline()
        start = time.perf_counter()
        writer.commit(n_rows)
        yield {"seconds": time.perf_counter() - start}
        sys.stdin.read()
    yield {}


def wait(seconds: float) -> dict[str, float]:
    """Read nothing for a while; returns when it ``begun`` and ``ended`` (Unix seconds)."""
    time.sleep(_SETTLE_S)
    begun = time.time()
    time.sleep(seconds)
    return {"begun": begun, "ended": time.time()}


def summary(told: dict[str, Any], begun: float, ended: float) -> dict[str, Any]:
    """What a writer's own record says of the time between two moments (Unix seconds).

    Returns
    -------
    dict
        ``per_s`` and percentiles of the commits, ``wal_mb`` (largest), ``checkpoint_s``
        (longest until a checkpoint was through; None where none was tried).
    """
    took = [spent for at, spent in told["commits"] if begun <= at <= ended]
    tries = [spent for at, spent in told["checkpoints"] if begun <= at + spent and at <= ended]
    sizes = [size for at, size in told["wal_bytes"] if begun <= at <= ended]
    return {
        "per_s": len(took) / (ended - begun),
        **percentiles_ms(took),
        "wal_mb": max(sizes) / 1e6,
        "checkpoint_s": max(tries, default=None),
    }


@contextlib.contextmanager
def _opened(path: str) -> Iterator[_Writer]:
    writer = _Writer(path)
    with contextlib.closing(writer.connection):
        yield writer


def _wait_for_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()
