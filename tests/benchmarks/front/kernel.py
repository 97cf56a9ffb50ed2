"""What the front-end benchmark keeps in the kernel: stamps, the loop's heartbeat, counts.

It is imported in a notebook's kernel, beside what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from contimg_lab.panels._base import Panel

__all__ = [
    "HEARD", "SENT", "SPENT", "Heart", "SlowPanel", "cpu_s", "listen", "open_and_close",
    "refresh", "slow_sql", "stamps", "state", "steps_per_s", "timed",
]  # fmt: skip

HEARD: dict[str, float] = {}
"""When the kernel began to handle a message of the browser, by its id."""

SENT: dict[str, float] = {}
"""When a message to the browser was sent, by its id."""

SPENT: list[tuple[float, float, str]] = []
"""When each timed call began and ended, and its first argument."""

_TICK_S = 0.001
_LOOK_S = 0.004
_LATE_S = 0.020
_WAITING = ("_exit.py", "queue.py", "selectors.py", "subprocess.py", "threading.py")
_BYSTANDER = """
import sys, time
while True:
    slept = time.perf_counter()
    time.sleep(0.001)
    late_ms = 1e3 * (time.perf_counter() - slept) - 1.0
    if late_ms > 1.0:
        print(time.time(), late_ms, flush=True)
"""


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
        if kind == "comm_msg" and message:
            SENT[message["header"]["msg_id"]] = begun
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


def stamps() -> dict[str, Any]:
    """Return all stamps."""
    return {"heard": HEARD, "sent": SENT, "spent": SPENT}


class Heart:
    """Beats on the loop of the user's kernel; where a beat is late, it keeps what was running.

    A process that does nothing else beats beside it: what that is late is the machine's fault.
    """

    def __init__(self) -> None:
        self._phase = ""
        self._since_s = self._beat_s = time.perf_counter()
        self._late: list[float] = []
        self._spent: dict[tuple[str, str], float] = {}
        self._main = threading.get_ident()
        self._stopped = threading.Event()
        self._bystander = subprocess.Popen(
            [sys.executable, "-c", _BYSTANDER], stdout=subprocess.PIPE, text=True
        )
        self._others: list[tuple[float, float]] = []
        threading.Thread(target=self._hear, daemon=True).start()
        self._task = asyncio.get_running_loop().create_task(self._run())
        threading.Thread(target=self._look, daemon=True).start()

    def phase(self, name: str) -> None:
        """Count what follows under a name; nothing under none."""
        self._phase, self._late, self._since_s = name, [], time.perf_counter()
        self._others.clear()

    def told(self) -> dict[str, Any]:
        """What the phase was like, and where in the code its gaps over 20 ms were spent (ms)."""
        return {
            "phase": self._phase,
            "seconds": time.perf_counter() - self._since_s,
            "longest_ms": max(self._late, default=0.0),
            "bystander_ms": max((ms for _, ms in self._others), default=0.0),
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
        self._bystander.kill()
        self._bystander.wait()

    async def _run(self) -> None:
        while True:
            self._beat_s = begun = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            gap_ms = 1e3 * (time.perf_counter() - begun - _TICK_S)
            if self._phase:
                self._late.append(gap_ms)

    def _hear(self) -> None:
        assert self._bystander.stdout is not None
        for line in self._bystander.stdout:
            at, late = line.split()
            self._others.append((float(at), float(late)))

    def _look(self) -> None:
        seen_s = time.perf_counter()
        while not self._stopped.wait(_LOOK_S):
            before_s, seen_s = seen_s, time.perf_counter()
            if seen_s - self._beat_s < _LATE_S or not self._phase:
                continue
            stacks = {
                thread: traceback.extract_stack(frame)
                for thread, frame in sys._current_frames().items()
            }
            main = stacks.pop(self._main)
            words = _words(main)
            if not words:  # it waits: for the interpreter, if another thread is at work
                others = (_words(stack) for stack in stacks.values())
                words = " and ".join(f"(thread) {told}" for told in others if told)
            if not words:
                words = " < ".join(_frame(f) for f in reversed(main[-3:]))
            key = (self._phase, words)
            self._spent[key] = self._spent.get(key, 0.0) + 1e3 * (seen_s - before_s)


def _words(stack: Sequence[traceback.FrameSummary]) -> str:
    """The innermost of our own functions in a stack, innermost first; none where it waits."""
    ours = [
        frame for frame in stack if ("contimg_lab" in frame.filename or "naive" in frame.filename)
    ]
    return " < ".join(_frame(frame) for frame in reversed(ours[-3:]))


def _frame(frame: traceback.FrameSummary) -> str:
    return f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"


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

    def __init__(self, lab: Any) -> None:
        self.ends: list[tuple[float, str]] = []
        super().__init__(lab, start=False)

    def _build(self) -> tuple[list[Any], list[Any]]:
        return [], []

    async def _fetch(self) -> Any:
        how = "read"
        try:
            return await self._lab.sql.table(self.sql, timeout_s=600.0)
        except asyncio.CancelledError:
            how = "cancelled"
            raise
        finally:
            self.ends.append((now_ms(), how))

    def _show(self, value: Any) -> str:
        return f"counted to {int(value['n'].iloc[0])}"
