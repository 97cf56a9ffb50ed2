"""The design that this package replaces: a connection per query, an object per row and time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import aiosqlite

__all__ = ["older_curves", "older_runs", "shared_curves"]

_CURVE_SQL = """
SELECT mjd, flux_jy, flux_err_jy FROM photometry WHERE source_id = ? ORDER BY mjd
"""
_MS_SQL = "SELECT * FROM ms_index WHERE path = ?"
_JOBS_SQL = "SELECT * FROM jobs WHERE ms_path = ? ORDER BY id"
_IMAGES_SQL = "SELECT path FROM images WHERE ms_path = ? ORDER BY path"
_CAL_SQL = """
SELECT path FROM caltables WHERE status = 'active' AND table_type = 'BP'
    AND abs((valid_start_mjd + valid_end_mjd) / 2 - ?1) <= 0.5
ORDER BY abs((valid_start_mjd + valid_end_mjd) / 2 - ?1), id DESC LIMIT 1
"""

Ask = Callable[[str], Awaitable[bytes]]


@contextlib.asynccontextmanager
async def older_curves(database: str) -> AsyncIterator[Ask]:
    """Light curves by a new connection, a Row and an astropy Time for each measurement."""
    from astropy.time import Time

    async def ask(source_id: str) -> bytes:
        async with aiosqlite.connect(database, uri=True) as connection:
            connection.row_factory = aiosqlite.Row
            async with connection.execute(_CURVE_SQL, [source_id]) as cursor:
                rows = list(await cursor.fetchall())
        points = [
            {
                "mjd": Time(row["mjd"], format="mjd").mjd,
                "flux_jy": row["flux_jy"],
                "flux_err_jy": row["flux_err_jy"],
            }
            for row in rows
        ]
        made = {name: [point[name] for point in points] for name in points[0]}
        return json.dumps({"source_id": source_id, **made}).encode()

    yield ask


@contextlib.asynccontextmanager
async def shared_curves(database: str) -> AsyncIterator[Ask]:
    """Light curves by one connection that all callers share."""
    async with aiosqlite.connect(database, uri=True) as connection:

        async def ask(source_id: str) -> bytes:
            rows = await connection.execute_fetchall(_CURVE_SQL, [source_id])
            mjd, flux, error = zip(*rows, strict=True)
            made = {"source_id": source_id, "mjd": mjd, "flux_jy": flux, "flux_err_jy": error}
            return json.dumps(made).encode()

        yield ask


async def older_runs(database: str, ms_paths: Sequence[str]) -> list[dict[str, Any]]:
    """Status and provenance of runs, one after the other, each by queries of its own."""
    found = []
    for path in ms_paths:
        async with aiosqlite.connect(database, uri=True) as connection:
            connection.row_factory = aiosqlite.Row
            ms = await _rows(connection, _MS_SQL, path)
            jobs = await _rows(connection, _JOBS_SQL, path)
            cal = await _rows(connection, _CAL_SQL, ms[0]["mid_mjd"])
            images = await _rows(connection, _IMAGES_SQL, path)
        found.append({
            "ms_path": path,
            "status": jobs[-1]["status"] if jobs else ms[0]["status"],
            "cal_table": cal[0]["path"] if cal else None,
            "image_paths": [image["path"] for image in images],
            "ra_deg": ms[0]["pointing_ra_deg"],
            "dec_deg": ms[0]["pointing_dec_deg"],
            "created_at": ms[0]["created_at"],
        })  # fmt: skip
    return found


async def _rows(connection: aiosqlite.Connection, sql: str, value: object) -> list[Any]:
    async with connection.execute(sql, [value]) as cursor:
        return list(await cursor.fetchall())
