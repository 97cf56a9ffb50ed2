"""The Lab without await: in scripts, ipython and kernels, on threads, interrupted, forgotten."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import os
import pydoc
import queue
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.manager import start_new_kernel

import contimg_lab
from contimg_lab import blocking as cl
from contimg_lab.errors import Closed, ContimgLabError, DatabaseNotFound

# SQL that runs until it is interrupted, on a connection of the lab
ENDLESS = """
def endless(lab):
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    return cl.run(lab._lab._database.fetch("ms_index", sql))
"""


@pytest.fixture(scope="module")
def folder(season_folder: Callable[..., Path]) -> Path:
    return season_folder()


@pytest.fixture
def lab(folder: Path) -> Iterator[cl.BlockingLab]:
    with cl.open(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def kernel() -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=120)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def execute(client: BlockingKernelClient, code: str, timeout: float = 120.0) -> str:
    """Text that a cell printed; an error in it fails the test."""
    printed: list[str] = []

    def hear(message: dict[str, object]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            printed.append(content["text"])

    reply = client.execute_interactive(textwrap.dedent(code), output_hook=hear, timeout=timeout)
    content = reply["content"]
    assert content["status"] == "ok", f"{content.get('ename')}: {content.get('evalue')}"
    return "".join(printed)


def run_script(code: str, *words: object, timeout: float = 120.0) -> tuple[list[str], float]:
    """Lines that a script printed, and seconds from its last line to its exit."""
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    ended = time.time()
    assert process.returncode == 0, process.stderr
    *lines, last = process.stdout.splitlines()
    return lines, ended - float(last)


async def test_answers_are_those_of_the_async_lab(folder: Path, lab: cl.BlockingLab) -> None:
    """Each call returns what the same call of the async Lab returns."""
    async with contimg_lab.open(folder) as other:
        night = await other.last_night()
        assert lab.last_night() == night
        pd.testing.assert_frame_equal(
            lab.jobs.table(night=night), await other.jobs.table(night=night)
        )
        pd.testing.assert_frame_equal(
            lab.sources.table(limit=5), await other.sources.table(limit=5)
        )
        assert lab.qa.summary(night) == await other.qa.summary(night)
        assert lab.identity() == await other.identity()


def test_no_async_method_is_left(lab: cl.BlockingLab) -> None:
    """Every async method of the Lab and of each noun waits, and keeps its name and signature."""
    pairs = [(lab, lab._lab)]
    pairs += [(getattr(lab, n), v) for n, v in vars(lab._lab).items() if not n.startswith("_")]
    seen = 0
    for proxy, target in pairs:
        for name, method in inspect.getmembers(target, inspect.iscoroutinefunction):
            if name.startswith("_"):
                continue
            waiting = getattr(proxy, name)
            assert not inspect.iscoroutinefunction(waiting)
            assert inspect.signature(waiting).parameters == inspect.signature(method).parameters
            assert waiting.__name__ == name
            seen += 1
    assert seen > 30


def test_help_and_completion_are_the_real_ones(lab: cl.BlockingLab) -> None:
    """``help`` shows the real signature and docstring, and tab completion the real names."""
    text = pydoc.render_doc(lab.jobs.table, renderer=pydoc.plaintext)
    assert "status: 'str | None' = None" in text
    assert "Return `list_jobs` as a DataFrame" in text
    assert {"jobs", "ms", "caltables", "images", "sources", "qa", "nights"} <= set(dir(lab))
    assert {"table", "get_job", "read_log_tail", "panel"} <= set(dir(lab.jobs))
    assert repr(lab) == repr(lab._lab)
    with pytest.raises(AttributeError, match="tabel"):
        _ = lab.jobs.tabel


def test_errors_are_those_of_the_async_lab(lab: cl.BlockingLab, tmp_path: Path) -> None:
    """A failing call raises the same typed error, and a closed Lab says that it is closed."""
    with pytest.raises(DatabaseNotFound):
        cl.open(tmp_path / "nothing.sqlite3")
    with pytest.raises(contimg_lab.errors.NotFound):
        lab.jobs.get_job("job-1999-01-01-000000")
    lab.close()
    lab.close()
    with pytest.raises(Closed):
        lab.nights()


def test_demo_and_its_truth(season_folder: Callable[..., Path]) -> None:
    """``demo`` opens the built-in season, and ``demo_truth`` reads what was planted in it."""
    cache = season_folder().parent
    with cl.demo(cache=cache) as lab:
        assert len(lab.nights()) >= 30
    assert cl.demo_truth(cache=cache).faults


def test_several_threads(lab: cl.BlockingLab) -> None:
    """Calls from several threads at once all get their own right answers."""
    ids = [source.source_id for source in lab.sources.list_sources(limit=24)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        curves = list(pool.map(lab.sources.light_curve, ids))
    assert [curve.source_id for curve in curves] == ids


async def test_where_a_loop_runs(lab: cl.BlockingLab) -> None:
    """A call works in a thread whose own event loop is running."""
    assert asyncio.get_running_loop().is_running()
    assert lab.nights()


def test_no_deadlock_inside_its_own_coroutine(lab: cl.BlockingLab) -> None:
    """A blocking call inside a coroutine that `run` runs is an error, not a hang."""

    async def inside() -> object:
        return lab.nights()

    with pytest.raises(ContimgLabError, match="await"):
        cl.run(inside())


def test_panels_outside_a_notebook(lab: cl.BlockingLab) -> None:
    """Where no event loop runs a panel says that it needs a notebook."""
    with pytest.raises(ContimgLabError, match="panels need a notebook"):
        lab.jobs.panel()
    with pytest.raises(ContimgLabError, match="panels need a notebook"):
        lab.dashboard()


def test_script_that_forgets_to_close(folder: Path) -> None:
    """A plain script that never closes its Lab exits at once."""
    lines, seconds = run_script(
        """
        import sys, time
        from contimg_lab import blocking as cl
        lab = cl.open(sys.argv[1])
        print(len(lab.jobs.table(status="failed")))
        print(time.time(), flush=True)
        """,
        folder,
    )
    assert int(lines[0]) > 0
    assert seconds < 5.0


def test_interrupt_cancels_the_call_and_its_sql(folder: Path) -> None:
    """Ctrl-C in a script ends an endless query at once, and the Lab answers the next one."""
    lines, seconds = run_script(
        "import os, signal, sys, threading, time\nfrom contimg_lab import blocking as cl\n"
        + ENDLESS
        + """
lab = cl.open(sys.argv[1])
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
began = time.monotonic()
try:
    endless(lab)
except KeyboardInterrupt:
    print(time.monotonic() - began)
began = time.monotonic()
print(len(lab.nights()))
print(time.monotonic() - began)
print(time.time(), flush=True)
""",
        folder,
    )
    interrupted, nights, next_answer = map(float, lines)
    assert 0.9 < interrupted < 3.0
    assert nights >= 30
    assert next_answer < 3.0
    assert seconds < 5.0


def test_ipython(folder: Path, tmp_path: Path) -> None:
    """In ipython a call answers in a plain line, beside lines with ``await``."""
    lines = f"""
from contimg_lab import blocking as cl
lab = cl.open({str(folder)!r})
print("failed", len(lab.jobs.table(status="failed")))
import asyncio
print("slept", await asyncio.sleep(0, 7))
print("nights", len(lab.nights()))
"""
    process = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        input=lines,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
    )
    words = process.stdout
    assert "failed" in words, process.stderr
    assert "slept 7" in words
    assert "nights 3" in words


def test_kernel(kernel: tuple[KernelManager, BlockingKernelClient], folder: Path) -> None:
    """In a notebook cell calls answer without await, and ``await`` still works beside them."""
    _, client = kernel
    printed = execute(
        client,
        f"""
        import asyncio
        from contimg_lab import blocking as cl
        lab = cl.open({str(folder)!r})
        print(len(lab.jobs.table(status="failed")) > 0, asyncio.get_running_loop().is_running())
        print(await asyncio.sleep(0, 7), len(lab.nights()) >= 30)
        """,
    )
    assert printed.split() == ["True", "True", "7", "True"]


def test_kernel_interrupt(kernel: tuple[KernelManager, BlockingKernelClient], folder: Path) -> None:
    """A notebook's stop button ends an endless query at once, and the kernel lives on."""
    manager, client = kernel
    execute(
        client,
        f"from contimg_lab import blocking as cl\nlab = cl.open({str(folder)!r})\n" + ENDLESS,
    )
    # what is asked next must not be given up together with the cell
    asked = client.execute("endless(lab)", stop_on_error=False)
    time.sleep(1.5)
    began = time.monotonic()
    manager.interrupt_kernel()
    while True:
        try:
            reply = client.get_shell_msg(timeout=30.0)
        except queue.Empty:
            pytest.fail("the kernel did not answer the interrupt")
        if reply["parent_header"].get("msg_id") == asked:
            break
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert time.monotonic() - began < 5.0
    assert execute(client, "print(len(lab.nights()) >= 30)").split() == ["True"]


def test_kernel_panel(kernel: tuple[KernelManager, BlockingKernelClient], folder: Path) -> None:
    """In a notebook a blocking Lab's panel fills itself, and ``close`` ends its connections too."""
    _, client = kernel
    execute(
        client,
        f"""
        from contimg_lab import blocking as cl
        lab = cl.open({str(folder)!r})
        panel = lab.jobs.panel()
        """,
    )
    printed = execute(
        client,
        """
        await panel.settled()
        print(panel.state, len(panel.to_pandas()) > 0, len(lab._labs))
        panel.close()
        lab.close()
        print(len(lab._labs))
        """,
    )
    assert printed.split() == ["showing", "True", "1", "0"]
