"""What a browser says comes through a subshell: a thread of the kernel with a loop of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

OPEN = """
import asyncio, json, threading
import contimg_lab as cl
from contimg_lab.panels.jobs import JobsPanel

lab = await cl.open({folder!r})
where = []

def noted(method):
    async def run(self, *arguments):
        here = asyncio.get_running_loop() is lab.loop
        where.append(here and threading.current_thread() is threading.main_thread())
        return await method(self, *arguments)
    return run

JobsPanel._fetch = noted(JobsPanel._fetch)
JobsPanel._fetch_detail = noted(JobsPanel._fetch_detail)
panel = lab.jobs.panel(night="all")
await panel.settled()
assert panel._ties._follower.on
"""
NAMES = """
nights = [value for _, value in panel._night.widget.options]
print(json.dumps([panel._night.widget.comm.comm_id, panel._table._grid.comm.comm_id,
                  nights, nights.index(panel.to_pandas()["night"].iloc[0])]))
"""
ONE_NIGHT = """
async with asyncio.timeout(30):
    while panel._asked[1]["night"] is None:
        await asyncio.sleep(0.05)
await panel.settled()
print(json.dumps(list(panel._table.rows.keys[:2])))
"""
TOLD = """
async with asyncio.timeout(30):
    while panel.selected != {second!r}:
        await asyncio.sleep(0.05)
await panel.settled()
nights = sorted(set(panel.to_pandas()["night"]))
print(json.dumps([panel.state, panel.selected, nights, panel._head.status.value,
                  [str(error) for error in panel._errors.values()], where]))
"""


class Kernel:
    """A kernel with one subshell, as JupyterLab makes it."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")
        self.client.control_channel.send(self.client.session.msg("create_subshell_request"))
        answer = self.client.get_control_msg(timeout=30)
        self.subshell = answer["content"]["subshell_id"]

    def run(self, code: str) -> str:
        """Run a cell in the main shell, and return what it printed."""
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                said.append(message["content"]["text"])

        reply = self.client.execute_interactive(code, timeout=90, output_hook=hear)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(said)

    def say(self, comm_id: str, data: dict[str, Any]) -> None:
        """Send a widget's message through the subshell."""
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def close(self) -> None:
        """End it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """A kernel that imports what this process does."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(part for part in sys.path if part))
    made = Kernel()
    yield made
    made.close()


@pytest.mark.notebooks
def test_a_panel_works_on_its_own_loop(kernel: Kernel, season_folder: Callable[..., Path]) -> None:
    """A filter and a row chosen through a subshell must be read on the Lab's loop, and shown."""
    kernel.run(OPEN.format(folder=str(season_folder())))
    filter_id, grid_id, nights, at = json.loads(kernel.run(NAMES))
    time.sleep(1.0)  # the watcher looks, and holds its connections
    kernel.say(filter_id, {"method": "update", "state": {"index": at}, "buffer_paths": []})
    first, second = json.loads(kernel.run(ONE_NIGHT))
    kernel.say(grid_id, {"method": "custom", "content": {"do": "choose", "key": first}})
    kernel.say(grid_id, {"method": "custom", "content": {"do": "choose", "key": second}})
    state, selected, shown, said, errors, where = json.loads(kernel.run(TOLD.format(second=second)))
    assert (state, selected, shown, errors) == ("showing", second, [nights[at]], [])
    assert "closed" not in said.lower()
    assert len(where) >= 3
    assert all(where)
    kernel.run("panel.close()\nawait lab.close()")
