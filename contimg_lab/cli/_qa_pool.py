"""Nights run at the same time in child processes, none of which outlives the command."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

__all__ = ["Ran", "run_nights"]

_CHILD = (sys.executable, "-m", "contimg_lab.cli._qa_worker")
_END_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of one night.

    Attributes
    ----------
    night
        UTC date.
    was_run
        Whether the notebook was executed; else its files were there, and still stand.
    why_not
        Why it could not be judged; empty where it was.
    seconds
        What it took.
    """

    night: str
    was_run: bool
    why_not: str
    seconds: float


async def run_nights(
    nights: Sequence[str], settings: Mapping[str, Any], jobs: int
) -> AsyncGenerator[Ran, None]:
    """Run nights, and tell of each when it is done.

    When this ends, by an exception or a cancellation too, no child process is left.

    Parameters
    ----------
    nights
        UTC dates.
    settings
        What the child is told first: ``database``, ``thresholds``, ``ledger``, ``out`` and
        ``again``.
    jobs
        Nights at the same time.
    """
    waiting = list(reversed(nights))
    told: asyncio.Queue[Ran] = asyncio.Queue()
    tasks = [
        asyncio.create_task(_work(waiting, settings, told)) for _ in range(min(jobs, len(nights)))
    ]
    try:
        for _ in nights:
            yield await told.get()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _work(waiting: list[str], settings: Mapping[str, Any], told: asyncio.Queue[Ran]) -> None:
    """Take nights until there are none, with one child, or the next where one dies."""
    while waiting:
        with tempfile.TemporaryFile() as log:
            child = await asyncio.create_subprocess_exec(
                *_CHILD,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end it in order
            )
            try:
                await _ask(child, settings)
                while waiting and child.returncode is None:
                    night = waiting.pop()
                    await told.put(await _one(child, night, log))
            finally:
                await asyncio.shield(_end(child))


async def _one(child: asyncio.subprocess.Process, night: str, log: IO[bytes]) -> Ran:
    assert child.stdout is not None
    begun = asyncio.get_running_loop().time()
    await _ask(child, {"night": night})
    line = await child.stdout.readline()
    if line:
        return Ran(**json.loads(line))
    code = await child.wait()
    seconds = asyncio.get_running_loop().time() - begun
    how = f"was killed (signal {-code})" if code < 0 else f"ended (exit code {code})"
    why = f"the process that ran it {how}{_last_words(log)}"
    return Ran(night=night, was_run=True, why_not=why, seconds=seconds)


async def _ask(child: asyncio.subprocess.Process, told: Mapping[str, Any]) -> None:
    assert child.stdin is not None
    with contextlib.suppress(ConnectionError):  # its death is told by what it does not answer
        child.stdin.write(json.dumps(told).encode("ascii") + b"\n")
        await child.stdin.drain()


async def _end(child: asyncio.subprocess.Process) -> None:
    """Close its input, at which it ends with its kernel."""
    assert child.stdin is not None
    child.stdin.close()
    try:
        await asyncio.wait_for(child.wait(), _END_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines()
    said = [line.strip() for line in lines if line.strip()]
    return f": {said[-1]}" if said else ""
