"""Six columns of every measurement as a DataFrame, by every way."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from contimg_lab.bench._measure import memory_mb, repeat, ticking

__all__ = ["COLUMNS", "WAYS", "measure", "measure_repeated"]

COLUMNS = ("source_id", "mjd", "flux_jy", "flux_err_jy", "peak_jyb", "peak_err_jyb")
_SQL = f"SELECT {', '.join(COLUMNS)} FROM photometry"

Scan = Callable[[], Awaitable[Any]]


async def measure(way: str, database: str, folder: str) -> dict[str, Any]:
    """Scan once in this process.

    Returns
    -------
    dict
        ``seconds``, ``stall_ms``, ``peak_mb``, ``idle_mb`` (the peak before the scan), and
        ``n_rows`` and ``sums`` to compare the ways by.
    """
    import time

    async with WAYS[way](folder if way == "ours" else database) as scan:
        idle = memory_mb()["peak_mb"]
        async with ticking() as stall:
            begun = time.perf_counter()
            frame = await scan()
            seconds = time.perf_counter() - begun
        memory = memory_mb()
    sums = [float(frame[name].sum()) for name in COLUMNS[1:]]
    return {
        "seconds": seconds,
        "stall_ms": stall.longest_s * 1e3,
        "idle_mb": idle,
        "n_rows": len(frame),
        "sums": sums,
        **memory,
    }


async def measure_repeated(database: str, folder: str, seconds: float) -> dict[str, Any]:
    """Scan again and again by our way; see `contimg_lab.bench._measure.repeat`."""
    async with WAYS["ours"](folder) as scan:
        return await repeat(scan, seconds) | memory_mb()


@contextlib.asynccontextmanager
async def _older(database: str) -> AsyncIterator[Scan]:
    import pandas as pd

    with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:

        async def scan() -> Any:
            return pd.DataFrame(connection.execute(_SQL).fetchall(), columns=list(COLUMNS))

        yield scan


@contextlib.asynccontextmanager
async def _threaded(
    database: str, read: Callable[[sqlite3.Connection], Any]
) -> AsyncIterator[Scan]:
    connection = sqlite3.connect(database, uri=True, check_same_thread=False)
    with contextlib.closing(connection):

        async def scan() -> Any:
            return await asyncio.to_thread(read, connection)

        yield scan


def _with_pandas(database: str) -> AbstractAsyncContextManager[Scan]:
    import pandas as pd

    def read(connection: sqlite3.Connection) -> Any:
        return pd.read_sql_query(_SQL, connection)

    return _threaded(database, read)


def _with_polars(database: str) -> AbstractAsyncContextManager[Scan]:
    import polars as pl

    def read(connection: sqlite3.Connection) -> Any:
        return pl.read_database(_SQL, connection)

    return _threaded(database, read)


@contextlib.asynccontextmanager
async def _ours(folder: str) -> AsyncIterator[Scan]:
    import pandas as pd  # noqa: F401 - what is imported is not part of the scan

    import contimg_lab as cl

    async with cl.open(folder) as lab:

        async def scan() -> Any:
            return await lab.sources.measurements(*COLUMNS)

        yield scan


WAYS: Mapping[str, Callable[[str], AbstractAsyncContextManager[Scan]]] = {
    "older": _older,
    "pandas": _with_pandas,
    "polars": _with_polars,
    "ours": _ours,
}
"""Every way by name; each opens a database and yields what scans it once."""
