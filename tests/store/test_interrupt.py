"""A notebook's stop button ends whatever a cell awaits, at once, and the kernel lives on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from .test_scan import children, fill

ENDLESS = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1e12) "
    "SELECT count(*) FROM c"
)
WAITS = {
    "a query": f"await lab._database.fetch('photometry', {ENDLESS!r})",
    "a build": "await lab.sources.prepare()",
    "a scan": "await lab.sources.measurements()",
}


@pytest.fixture(scope="module")
def kernel() -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """A real kernel."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def ask(client: BlockingKernelClient, code: str) -> dict[str, object]:
    """Run a cell and return its reply."""
    reply: dict[str, object] = client.execute(code, reply=True, timeout=60)["content"]
    return reply


@pytest.mark.parametrize("wait", WAITS)
def test_an_interrupt_ends_what_is_awaited(
    kernel: tuple[KernelManager, BlockingKernelClient],
    tmp_path: Path,
    writer: sqlite3.Connection,
    wait: str,
) -> None:
    """An interrupt ends a query, a build and a scan, its child too, and the next call answers."""
    manager, client = kernel
    fill(writer, 1_500_000)
    opened = ask(client, f"import contimg_lab as cl\nlab = await cl.open({str(tmp_path)!r})")
    assert opened["status"] == "ok"
    process = int(manager.provisioner.pid)
    asked = client.execute("print('begun')\n" + WAITS[wait])
    while client.get_iopub_msg(timeout=30.0)["content"].get("text") != "begun\n":
        pass
    if wait == "a query":
        time.sleep(0.5)
    else:
        end = time.monotonic() + 30.0
        while not children(process) and time.monotonic() < end:
            time.sleep(0.01)
        assert children(process)
    began = time.monotonic()
    manager.interrupt_kernel()
    while (reply := client.get_shell_msg(timeout=30.0))["parent_header"]["msg_id"] != asked:
        pass
    took = time.monotonic() - began
    print(f"an interrupt of {wait} acted after {took * 1e3:.0f} ms")
    assert reply["content"].get("ename") in ("KeyboardInterrupt", "CancelledError"), reply
    assert not children(process)
    after = ask(
        client, "assert len(await lab.sources.light_curve('S7')) == 15000\nawait lab.close()"
    )
    assert after["status"] == "ok", after
