"""What the front-end benchmark keeps in the kernel: stamps, the loop's heartbeat, counts.

It is imported in a notebook's kernel, beside what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from contimg_lab.panels._base import Panel

__all__ = [
    "HEARD", "SENT", "SPENT", "Heart", "SlowPanel", "cpu_s", "listen", "open_and_close",
    "refresh", "slow_sql", "state", "steps_per_s", "timed",
]  # fmt: skip

HEARD: dict[str, float] = {}
"""When the kernel began to handle a message of the browser, by its id."""

SENT: dict[str, tuple[float, str, int]] = {}
"""When a message to the browser was sent, its kind, and its bytes, by its id."""

SPENT: list[tuple[float, float, str]] = []
"""When each timed call began and ended, and its first argument."""

_TICK_S = 0.001
_LOOK_S = 0.004
_LATE_S = 0.020


def now_ms() -> float:
    """Milliseconds of the clock that the browser shares."""
    return 1e3 * time.time()


def listen() -> None:
    """Stamp every message of a widget that comes or goes."""
    from IPython import get_ipython

    kernel = get_ipython().kernel
    handle, send = kernel.shell_handlers["comm_msg"], kernel.session.send

    def heard(stream: Any, ident: Any, message: Any) -> Any:
        HEARD[message["header"]["msg_id"]] = now_ms()
        return handle(stream, ident, message)

    def sent(stream: Any, kind: Any, *args: Any, **options: Any) -> Any:
        begun = now_ms()
        message = send(stream, kind, *args, **options)
        if kind in ("comm_msg", "comm_open") and message:
            parts = options.get("buffers") or ()
            size = sum(memoryview(part).nbytes for part in parts)
            SENT[message["header"]["msg_id"]] = (begun, kind, size)
        return message

    kernel.shell_handlers["comm_msg"] = heard
    kernel.session.send = sent


def timed(owner: Any, name: str) -> None:
    """Stamp every call of one object's coroutine method."""
    method = getattr(owner, name)

    async def call(first: Any, *args: Any, **options: Any) -> Any:
        begun = now_ms()
        try:
            return await method(first, *args, **options)
        finally:
            SPENT.append((begun, now_ms(), str(first)))

    setattr(owner, name, call)


class Heart:
    """Beats on the loop of the user's kernel; where a beat is late, it keeps what was running."""

    def __init__(self) -> None:
        self._phase = ""
        self._since_s = self._beat_s = time.perf_counter()
        self._late: list[float] = []
        self._spent: dict[tuple[str, str], float] = {}
        self._main = threading.get_ident()
        self._stopped = threading.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())
        threading.Thread(target=self._look, daemon=True).start()

    def phase(self, name: str) -> None:
        """Count what follows under a name; nothing under none."""
        self._phase, self._late, self._since_s = name, [], time.perf_counter()

    def told(self) -> dict[str, Any]:
        """What the phase was like, and where in the code its gaps over 20 ms were spent (ms)."""
        return {
            "phase": self._phase,
            "seconds": time.perf_counter() - self._since_s,
            "longest_ms": max(self._late, default=0.0),
            "late": sum(gap_ms > 1e3 * _LATE_S for gap_ms in self._late),
            "causes": [
                (ms, phase, words)
                for (phase, words), ms in sorted(self._spent.items(), key=lambda pair: -pair[1])
            ],
        }

    def stop(self) -> None:
        """End: a heart that beats costs a few per cent of a core."""
        self._stopped.set()
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            self._beat_s = begun = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            gap_ms = 1e3 * (time.perf_counter() - begun - _TICK_S)
            if self._phase:
                self._late.append(gap_ms)

    def _look(self) -> None:
        seen_s = time.perf_counter()
        while not self._stopped.wait(_LOOK_S):
            before_s, seen_s = seen_s, time.perf_counter()
            frame = sys._current_frames().get(self._main)
            if seen_s - self._beat_s < _LATE_S or frame is None or not self._phase:
                continue
            stack = traceback.extract_stack(frame)
            ours = [f for f in stack if "contimg_lab" in f.filename or "naive" in f.filename]
            words = " < ".join(
                f"{Path(f.filename).name}:{f.lineno} {f.name}"
                for f in reversed(ours[-3:] or stack[-3:])
            )
            key = (self._phase, words)
            self._spent[key] = self._spent.get(key, 0.0) + 1e3 * (seen_s - before_s)


def state() -> dict[str, float]:
    """Return memory (MB), tasks, threads, comms and open files, after a collection."""
    import comm
    from ipywidgets.widgets.widget import _instances

    for _ in range(3):
        gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        tasks = 0
    return {
        "rss_mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "tasks": tasks,
        "threads": threading.active_count(),
        "comms": len(comm.get_comm_manager().comms),
        "widgets": len(_instances),
        "files": len(list(Path("/proc/self/fd").iterdir())),
    }


def cpu_s() -> tuple[float, float]:
    """Return the processor time of this process and of its ended children, and the time."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system, time.time()


async def refresh(again: Callable[[], Awaitable[None]], times: int) -> None:
    """Read again so many times, each when the one before was shown."""
    for _ in range(times):
        await again()
        await asyncio.sleep(0.005)


async def open_and_close(make: Callable[[], Any], times: int, seen_s: float) -> None:
    """Show a new panel, let the browser draw it, and close it, so many times."""
    from IPython.display import clear_output, display

    for _ in range(times):
        panel = make()
        display(panel)
        if hasattr(panel, "settled"):
            await panel.settled()
        await asyncio.sleep(seen_s)
        panel.close()
        clear_output()
        await asyncio.sleep(0.01)


def slow_sql(steps: int) -> str:
    """Return a statement that takes long and reads nothing."""
    return (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        f"WHERE i < {steps}) SELECT count(*) AS n FROM n"
    )


def steps_per_s() -> float:
    """How far `slow_sql` counts in a second, here and now."""
    n_steps = 3_000_000
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        begun = time.perf_counter()
        connection.execute(slow_sql(n_steps)).fetchall()
        return n_steps / (time.perf_counter() - begun)


class SlowPanel(Panel):
    """A panel whose reading is one slow query on the same Lab."""

    title = "Slow"
    sql = ""
    ended_ms = 0.0

    def __init__(self, lab: Any) -> None:
        super().__init__(lab, start=False)

    def _build(self) -> tuple[list[Any], list[Any]]:
        return [], []

    async def _fetch(self) -> Any:
        try:
            return await self._lab.sql.table(self.sql, timeout_s=600.0)
        finally:
            self.ended_ms = now_ms()

    def _show(self, value: Any) -> str:
        return f"counted to {int(value['n'].iloc[0])}"
