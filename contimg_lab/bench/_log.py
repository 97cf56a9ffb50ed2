"""The last lines of a very large log, by reading all of it and from its end."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from contimg_lab.bench._measure import memory_mb, repeat
from contimg_lab.errors import NotFound

__all__ = ["N_LINES", "WAYS", "choose_run", "make_log", "measure_older", "measure_ours"]

N_LINES = 100
"""Lines of the tail."""

_LINE = "2025-11-05T06:31:{:06.3f}Z INFO dsa110_contimg.imaging: channel {} of 768 cleaned\n"
_BLOCK_LINES = 10_000


async def choose_run(season: str) -> str:
    """Return a run that has a log file, and no text of its own in the jobs table."""
    import contimg_lab as cl

    async with cl.open(season) as lab:
        for run in await lab.jobs.list_jobs(status="completed", limit=None):
            if (await lab.jobs.read_log_tail(run.run_id, 1)).source == "file":
                return run.run_id
    raise NotFound("run", "any", "the season holds no log of a run")


def make_log(season: str, folder: str, run_id: str, n_bytes: int) -> str:
    """Copy a season and give one of its runs a log of so many bytes; returns the log's path."""
    shutil.copytree(season, folder)
    log = Path(folder) / "logs" / f"{run_id}.log"
    block = "".join(_LINE.format(i % 60_000 / 1000.0, i % 768) for i in range(_BLOCK_LINES))
    with log.open("w", encoding="ascii", newline="") as opened:
        for _ in range(max(1, n_bytes // len(block))):
            opened.write(block)
        opened.writelines(_LINE.format(0.001 * i, f"{i} (last)") for i in range(N_LINES // 2))
    return str(log)


async def measure_older(folder: str, run_id: str, log: str, seconds: float) -> dict[str, Any]:
    """Read the whole file for its tail, on the loop; see `contimg_lab.bench._measure.repeat`."""
    found: list[str] = []

    async def work() -> None:
        with open(log, encoding="utf-8") as opened:  # noqa: ASYNC230, PTH123 - what is measured
            found[:] = [line.rstrip("\n") for line in opened.readlines()[-N_LINES:]]

    idle = memory_mb()["peak_mb"]
    told = await repeat(work, seconds)
    return told | memory_mb() | {"idle_mb": idle, "answer": found}


async def measure_ours(folder: str, run_id: str, log: str, seconds: float) -> dict[str, Any]:
    """Ask a Lab for the tail; arguments as of `measure_older`."""
    import contimg_lab as cl

    async with cl.open(folder) as lab:
        await lab.jobs.get_job(run_id)
        found: list[str] = []

        async def work() -> None:
            found[:] = (await lab.jobs.read_log_tail(run_id, N_LINES)).lines

        idle = memory_mb()["peak_mb"]
        told = await repeat(work, seconds)
    return told | memory_mb() | {"idle_mb": idle, "answer": found}


WAYS = {"older": "measure_older", "ours": "measure_ours"}
"""Name of each way, and of what measures it."""
