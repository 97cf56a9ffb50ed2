"""One commit of many new rows: how long until the survey statistics are current again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from contimg_lab.bench._measure import memory_mb
from contimg_lab.bench._process import running

__all__ = ["N_NEW", "measure"]

N_NEW = 5_000
"""Rows of the one commit."""


async def measure(path: str, names: list[str]) -> dict[str, Any]:
    """Build the store, let a writer commit, and wait until the store is current again.

    Parameters
    ----------
    path
        A private copy of a database, which the writer changes.
    names
        Sources whose curves from the store must be those by SQL afterwards.

    Returns
    -------
    dict
        Seconds: ``build``, ``commit``, ``proof`` (from the commit until the store is proven
        and current), ``statistics`` (of all sources, then); ``exact``, and the peak memory.
    """
    import contimg_lab as cl

    with running("_writer:append", path=path, n_rows=N_NEW) as writer:
        await asyncio.to_thread(writer.read)
        async with cl.open(path) as lab:
            await lab.sources.prepare()
            before = lab.status().store
            await lab.sources.variability()  # so that what is imported late is there
            writer.say()
            told = await asyncio.to_thread(writer.read)
            begun = time.perf_counter()
            await lab.sources.prepare()
            proven = time.perf_counter()
            await lab.sources.variability()
            done = time.perf_counter()
            after = lab.status().store
            curves = [await lab.sources.light_curve_json(name) for name in names]
        async with cl.open(path, store_mb=0) as plain:
            by_sql = [await plain.sources.light_curve_json(name) for name in names]
        await asyncio.to_thread(writer.end)
    return {
        "build": before.built_s,
        "commit": told["seconds"],
        "proof": proven - begun,
        "statistics": done - proven,
        "exact": curves == by_sql and after.n_rows == before.n_rows + N_NEW,
        **memory_mb(),
    }
