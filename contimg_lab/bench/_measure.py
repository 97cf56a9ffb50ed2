"""What is measured of one way: how long each answer took, the longest stall, the peak memory."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Stall", "hammer", "memory_mb", "percentiles_ms", "repeat", "ticking"]

_WARM_S = 0.5
_TICK_S = 0.001


@dataclass(slots=True)
class Stall:
    """The longest time for which an event loop let nobody else run."""

    longest_s: float = 0.0


@contextlib.asynccontextmanager
async def ticking() -> AsyncIterator[Stall]:
    """Watch the loop by a coroutine that wants to run every millisecond."""
    stall = Stall()

    async def tick() -> None:
        while True:
            slept = time.perf_counter()
            try:
                await asyncio.sleep(_TICK_S)
            finally:
                late = time.perf_counter() - slept - _TICK_S
                stall.longest_s = max(stall.longest_s, late)

    task = asyncio.create_task(tick())
    await asyncio.sleep(0)
    try:
        yield stall
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def hammer(
    ask: Callable[[str], Awaitable[object]],
    names: Sequence[str],
    seconds: float,
    callers: int,
) -> dict[str, Any]:
    """Let many callers ask for random names, each as soon as it was answered.

    Parameters
    ----------
    ask
        What to measure.
    names
        Every name that may be asked for.
    seconds
        How long, after half a second that is not counted.
    callers
        How many ask at a time.

    Returns
    -------
    dict
        ``per_s``, percentiles of the latency in ms, ``stall_ms``, and ``begun`` and ``ended``
        as Unix seconds.
    """
    took: list[float] = []

    async def caller(seed: int, until: float, kept: list[float]) -> None:
        chosen = random.Random(seed)
        while (begun := time.perf_counter()) < until:
            # a request arrives in a task of its own: it waits its turn on the loop first
            await asyncio.sleep(0)
            await ask(chosen.choice(names))
            kept.append(time.perf_counter() - begun)

    async def all_callers(offset: int, length_s: float, kept: list[float]) -> None:
        until = time.perf_counter() + length_s
        await asyncio.gather(*(caller(offset + i, until, kept) for i in range(callers)))

    await all_callers(callers, _WARM_S, [])
    unix, begun = time.time(), time.perf_counter()
    async with ticking() as stall:
        await all_callers(0, seconds, took)
        spent = time.perf_counter() - begun
    return {
        "per_s": len(took) / spent,
        "stall_ms": stall.longest_s * 1e3,
        "begun": unix,
        "ended": unix + spent,
        **percentiles_ms(took),
    }


async def repeat(work: Callable[[], Awaitable[object]], seconds: float) -> dict[str, Any]:
    """Do one thing again and again for a while, at least three times after a first time.

    Returns
    -------
    dict
        As of `hammer`, with ``first_ms`` and, for the median, ``seconds``.
    """
    took: list[float] = []
    begun = time.time()
    async with ticking() as stall:
        while len(took) < 4 or time.time() - begun < seconds:
            start = time.perf_counter()
            await work()
            took.append(time.perf_counter() - start)
            if len(took) == 1:
                begun = time.time()
            await asyncio.sleep(2 * _TICK_S)  # so that two times make no single stall
    first, *others = took
    middle = percentiles_ms(others)
    return {
        "seconds": middle["p50_ms"] / 1e3,
        "first_ms": first * 1e3,
        "stall_ms": stall.longest_s * 1e3,
        "begun": begun,
        "ended": time.time(),
        **middle,
    }


def percentiles_ms(took_s: Iterable[float]) -> dict[str, float]:
    """Latencies in ms that 50, 95 and 99 of 100 did not exceed.

    Parameters
    ----------
    took_s
        Latencies in seconds; at least one.

    Examples
    --------
    >>> percentiles_ms([0.001 * n for n in range(1, 101)])["p95_ms"]
    95.0
    """
    order = sorted(took_s)
    ranks = {q: order[math.ceil(q / 100 * len(order)) - 1] for q in (50, 95, 99)}
    return {f"p{q}_ms": value * 1e3 for q, value in ranks.items()}


def memory_mb() -> dict[str, float]:
    """Peak memory of this process so far, and of its largest child, in MB (10^6 bytes).

    Where ``/proc`` is absent the peak is that of ``getrusage``, which may include the parent's.
    """
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        own = int(peak.split()[1]) * 1024.0 / 1e6
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6
    return {"peak_mb": own, "children_mb": children}
