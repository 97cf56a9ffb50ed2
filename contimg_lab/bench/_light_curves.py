"""Light curves as finished JSON bytes for many callers at a time, by every way."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sqlite3
import struct
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from contimg_lab.bench._measure import hammer, memory_mb
from contimg_lab.bench._older import Ask, older_curves, shared_curves

__all__ = ["WAYS", "measure"]

_SQL = "SELECT mjd, flux_jy, flux_err_jy FROM photometry WHERE source_id = ? ORDER BY mjd"
_COLUMNS = ("mjd", "flux_jy", "flux_err_jy")


async def measure(
    way: str,
    database: str,
    folder: str,
    names: str,
    checked: list[str],
    seconds: float,
    callers: int,
) -> dict[str, Any]:
    """Measure one way in this process; see `contimg_lab.bench._measure.hammer`.

    Parameters
    ----------
    way
        One of `WAYS`.
    database
        URI of the file that holds the photometry.
    folder
        What the package opens.
    names
        Path of a JSON file with the names to ask for.
    checked
        Names whose numbers are to be compared between ways.
    seconds, callers
        How long, and how many ask at a time.

    Returns
    -------
    dict
        With ``digest`` too, which is the same for the same numbers.
    """
    wanted = _names(names)
    async with WAYS[way](folder if way.startswith("ours") else database) as ask:
        digest = await _digest(ask, checked)
        found = await hammer(ask, wanted, seconds, callers)
        return found | memory_mb() | {"digest": digest}


def _names(path: str) -> list[str]:
    found: list[str] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


async def _digest(ask: Ask, names: list[str]) -> str:
    found = hashlib.sha256()
    for name in names:
        curve = json.loads(await ask(name))
        for column in _COLUMNS:
            found.update(struct.pack(f"<{len(curve[column])}d", *curve[column]))
    return found.hexdigest()


def _bytes(source_id: str, columns: Mapping[str, object]) -> bytes:
    return json.dumps({"source_id": source_id, **columns}).encode()


@contextlib.asynccontextmanager
async def _on_the_loop(database: str) -> AsyncIterator[Ask]:
    with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:

        async def ask(source_id: str) -> bytes:
            rows = connection.execute(_SQL, [source_id]).fetchall()
            return _bytes(source_id, dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)))

        yield ask


@contextlib.asynccontextmanager
async def _threaded(
    database: str, read: Callable[[sqlite3.Connection, str], Mapping[str, object]]
) -> AsyncIterator[Ask]:
    local = threading.local()
    opened: list[sqlite3.Connection] = []

    def work(source_id: str) -> bytes:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(database, uri=True, check_same_thread=False)
            opened.append(local.connection)
        return _bytes(source_id, read(local.connection, source_id))

    async def ask(source_id: str) -> bytes:
        return await asyncio.to_thread(work, source_id)

    try:
        yield ask
    finally:
        for connection in opened:
            connection.close()


def _with_pandas(database: str) -> AbstractAsyncContextManager[Ask]:
    import pandas as pd

    def read(connection: sqlite3.Connection, source_id: str) -> Mapping[str, object]:
        frame = pd.read_sql_query(_SQL, connection, params=(source_id,))
        return {name: frame[name].tolist() for name in _COLUMNS}

    return _threaded(database, read)


def _with_polars(database: str) -> AbstractAsyncContextManager[Ask]:
    import polars as pl

    def read(connection: sqlite3.Connection, source_id: str) -> Mapping[str, object]:
        frame = pl.read_database(
            _SQL, connection, execute_options={"parameters": [source_id]}, infer_schema_length=None
        )
        found: Mapping[str, object] = frame.to_dict(as_series=False)
        return found

    return _threaded(database, read)


@contextlib.asynccontextmanager
async def _ours(folder: str, *, store_mb: int | None, prepared: bool) -> AsyncIterator[Ask]:
    import contimg_lab as cl

    async with cl.open(folder, store_mb=store_mb) as lab:
        if prepared:
            await lab.sources.prepare()
        yield lab.sources.light_curve_json


def _ours_sql(folder: str) -> AbstractAsyncContextManager[Ask]:
    return _ours(folder, store_mb=0, prepared=False)


def _ours_store(folder: str) -> AbstractAsyncContextManager[Ask]:
    return _ours(folder, store_mb=None, prepared=True)


def _ours_changing(folder: str) -> AbstractAsyncContextManager[Ask]:
    # a file that changes all the time has no moment at which its store could be current
    return _ours(folder, store_mb=None, prepared=False)


WAYS: Mapping[str, Callable[[str], AbstractAsyncContextManager[Ask]]] = {
    "older": older_curves,
    "shared aiosqlite": shared_curves,
    "sqlite3 on the loop": _on_the_loop,
    "pandas": _with_pandas,
    "polars": _with_polars,
    "ours, SQL": _ours_sql,
    "ours, store": _ours_store,
    "ours, store on": _ours_changing,
}
"""Every way by name; each opens a database and yields what answers one name."""
