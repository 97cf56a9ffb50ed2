"""A list of many runs with status and provenance, among many Measurement Sets."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

from contimg_lab.bench._measure import memory_mb, repeat
from contimg_lab.bench._older import older_runs

__all__ = ["WAYS", "measure_older", "measure_ours"]

_LIST_SQL = "SELECT path FROM ms_index ORDER BY start_mjd IS NULL, start_mjd, path LIMIT ?"


async def measure_older(
    database: str, folder: str, n_listed: int, seconds: float
) -> dict[str, Any]:
    """List by queries for each run; see `contimg_lab.bench._measure.repeat`.

    Parameters
    ----------
    database
        URI of the file that holds ``ms_index``.
    folder
        What the package would open.
    n_listed
        Runs in the list.
    seconds
        How long.
    """
    found: list[dict[str, Any]] = []
    with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:
        n_ms = connection.execute("SELECT count(*) FROM ms_index").fetchone()[0]

    async def work() -> None:
        with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:
            paths = [path for (path,) in connection.execute(_LIST_SQL, [n_listed])]
        found[:] = await older_runs(database, paths)

    told = await repeat(work, seconds)
    answer = [[run["ms_path"], run["cal_table"], run["image_paths"]] for run in found]
    return told | memory_mb() | {"answer": answer, "n_ms": n_ms}


async def measure_ours(database: str, folder: str, n_listed: int, seconds: float) -> dict[str, Any]:
    """List by a Lab; arguments as of `measure_older`."""
    import contimg_lab as cl

    async with cl.open(folder) as lab:
        found: list[Any] = []

        async def work() -> None:
            runs = await lab.jobs.list_jobs(limit=n_listed)
            links = await lab.jobs.build_provenance_many([run.run_id for run in runs])
            found[:] = links.values()

        told = await repeat(work, seconds)
    answer = [[run.ms_path, run.cal_table, sorted(run.image_paths)] for run in found]
    return told | memory_mb() | {"answer": answer}


WAYS = {"older": "measure_older", "ours": "measure_ours"}
"""Name of each way, and of what measures it."""
