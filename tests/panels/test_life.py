"""The life of a panel: the latest wins, it can be cancelled, errors are told, close ends all."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances

import contimg_lab as cl
from contimg_lab.errors import NotFound
from contimg_lab.panels import PANELS, TABS, make_panel
from contimg_lab.panels._base import Panel


class Slow(Panel):
    """A panel whose answers come when the test says so."""

    title = "Slow"

    def _build(self) -> tuple[list[Any], list[Any]]:
        self.gates: list[asyncio.Future[object]] = []
        self.shown: list[object] = []
        self.details: list[object] = []
        return [], [ipywidgets.HTML()]

    async def _fetch(self) -> object:
        gate = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        return await gate

    def _show(self, value: object) -> str:
        self._frame = pd.DataFrame({"value": [value]})
        self.shown.append(value)
        return f"1 of 1 values: {value}"

    async def _fetch_detail(self, key: str) -> object:
        return await self._fetch()

    def _show_detail(self, key: str | None, value: object) -> None:
        self.details.append((key, value))


async def step() -> None:
    """Let tasks that are ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_states_of_a_reading() -> None:
    """A panel must be idle, then loading, then showing, and say which."""
    panel = Slow(None, start=False)
    assert panel.state == "idle"
    panel.refresh()
    await step()
    assert panel.state == "loading"
    panel.gates[0].set_result(7)
    await panel.settled()
    assert (panel.state, panel.shown) == ("showing", [7])
    assert "1 of 1 values: 7" in panel._head.status.value
    panel.close()
    assert panel.state == "closed"


async def test_the_latest_request_wins() -> None:
    """An older request must be cancelled, and its answer never shown over a newer one."""
    panel = Slow(None)
    await step()
    panel.refresh()
    await step()
    assert panel.gates[0].cancelled()
    panel.gates[1].set_result("new")
    await panel.settled()
    assert panel.shown == ["new"]
    panel.close()


async def test_an_answer_that_ignores_its_cancelling_is_not_shown() -> None:
    """A fetch that ends after a newer one began must be thrown away all the same."""

    class Stubborn(Slow):
        async def _fetch(self) -> object:
            turn = len(self.gates)
            self.gates.append(asyncio.get_running_loop().create_future())
            try:
                return await self.gates[turn]
            except asyncio.CancelledError:
                return "stale"

    panel = Stubborn(None)
    await step()
    panel.refresh()
    await step()
    panel.gates[1].set_result("new")
    await panel.settled()
    assert panel.shown == ["new"]
    panel.close()


async def test_choosing_again_drops_the_older_detail() -> None:
    """Of two rows chosen in a row only the second may be shown; none chosen shows none."""
    panel = Slow(None)
    await step()
    panel.gates[0].set_result(1)
    await panel.settled()
    panel.select("a")
    await step()
    panel.select("b")
    await step()
    panel.gates[2].set_result("of b")
    await panel.settled()
    assert panel.details == [("b", "of b")]
    panel.select(None)
    assert (panel.details[-1], panel.selected) == ((None, None), None)
    panel.close()


async def test_working_is_shown_with_time_and_cancel() -> None:
    """After a moment the panel must show elapsed time and offer Cancel, and then not."""
    panel = Slow(None)
    cancel = panel._head.cancel
    assert cancel.layout.visibility == "hidden"
    await asyncio.sleep(0.7)
    assert "working… 0." in panel._head.status.value
    assert cancel.layout.visibility == "visible"
    panel.gates[0].set_result(1)
    await panel.settled()
    assert cancel.layout.visibility == "hidden"
    assert "read at" in panel._head.status.value
    panel.close()


async def test_cancel_keeps_what_was_shown_and_calls_it_stale() -> None:
    """Cancel must stop the reading at once; the old table stays, and is called stale."""
    panel = Slow(None)
    await step()
    panel.gates[0].set_result("old")
    await panel.settled()
    panel.refresh()
    await step()
    panel._head.cancel.click()
    assert panel.state == "stale"
    await panel.settled()
    assert panel.gates[1].cancelled()
    assert panel.shown == ["old"]
    assert "cancelled after" in panel._head.status.value
    panel.refresh()
    await step()
    panel.gates[2].set_result("new")
    await panel.settled()
    assert panel.state == "showing"
    panel.close()


async def test_an_error_is_shown_in_words_with_details() -> None:
    """A failure must be told in the panel, escaped, with a fold; the old table stays."""
    panel = Slow(None)
    await step()
    panel.gates[0].set_result("old")
    await panel.settled()
    panel.refresh()
    await step()
    panel.gates[1].set_exception(NotFound("MS", "<script>alert(1)</script>"))
    await panel.settled()
    told = panel._head.status.value
    assert panel.state == "failed"
    assert "No MS" in told
    assert "<details>" in told
    assert "<script>" not in told
    assert "read at" in told
    panel.refresh()
    await step()
    panel.gates[2].set_result("new")
    await panel.settled()
    assert panel.state == "showing"
    assert "No MS" not in panel._head.status.value
    panel.close()


async def test_a_task_cancelled_by_others_does_not_hang_the_panel() -> None:
    """A panel must settle even if somebody else cancels its task."""
    panel = Slow(None)
    await step()
    for task in panel._pending():
        task.cancel()
    await asyncio.wait_for(panel.settled(), 5)
    assert panel.state == "stale"
    panel.close()


async def test_settled_starts_a_panel_that_had_no_loop() -> None:
    """A panel made before any loop ran must start when it is waited for."""
    panel = await asyncio.to_thread(lambda: Slow(None))
    assert panel.state == "idle"
    waiting = asyncio.create_task(panel.settled())
    await step()
    panel.gates[0].set_result(3)
    await waiting
    assert panel.shown == [3]
    panel.close()


@pytest.mark.parametrize("name", list(PANELS))
async def test_close_leaves_nothing(name: str, demo: cl.Lab) -> None:
    """After close no task, widget or reference may be left; a second close does nothing."""
    before, open_before = asyncio.all_tasks(), len(_instances)
    panel = make_panel(name, demo)
    await panel.settled()
    key = (
        panel.to_pandas()
        .iloc[0]
        .get({"jobs": "run_id", "sources": "source_id", "variability": "source_id"}.get(name))
    )
    panel.select(key)
    panel.close()
    panel.close()
    await panel.settled()
    assert asyncio.all_tasks() == before
    assert len(_instances) == open_before
    dead = weakref.ref(panel)
    del panel
    async with asyncio.timeout(20):
        while dead() is not None:  # a thread under way ends by itself
            gc.collect()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", list(PANELS))
async def test_close_while_reading_leaves_no_task(name: str, demo: cl.Lab) -> None:
    """A panel closed in the middle of its first reading must end its tasks."""
    before = asyncio.all_tasks()
    panel = make_panel(name, demo)
    await asyncio.sleep(0.01)
    panel.close()
    await asyncio.wait_for(panel.settled(), 10)
    assert (panel.state, panel._pending()) == ("closed", ())
    async with asyncio.timeout(10):  # the handle ends its own query in its own time
        await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)


@pytest.mark.parametrize("name", list(PANELS))
async def test_a_closed_lab_is_told_in_words(name: str, copy_of: Callable[..., Path]) -> None:
    """When the Lab was closed, the panel must say so and keep its last table."""
    lab = await cl.open(copy_of())
    panel = make_panel(name, lab)
    await panel.settled()
    rows = len(panel.to_pandas())
    await lab.close()
    panel.refresh()
    await panel.settled()
    assert panel.state == "failed"
    assert "closed" in panel._head.status.value.lower()
    assert len(panel.to_pandas()) == rows
    panel.close()


async def test_dashboard_reads_a_tab_when_it_is_opened(demo: cl.Lab) -> None:
    """Only panels whose tab was opened may read, and each only once."""
    dashboard = demo.dashboard()
    await dashboard.settled()
    assert list(dashboard.panels) == [TABS[0]]
    dashboard.show_tab("variability")
    await dashboard.settled()
    assert list(dashboard.panels) == [TABS[0], "variability"]
    assert dashboard.panels["variability"].state == "showing"
    assert dashboard.figure() is not None
    panels = list(dashboard.panels.values())
    dashboard.close()
    assert [panel.state for panel in panels] == ["closed", "closed"]


async def test_panels_follow_the_night_of_the_dashboard(demo: cl.Lab) -> None:
    """A night chosen in the dashboard must be the night of its panels, opened or to come."""
    night = (await demo.nights())[3]
    dashboard = demo.dashboard()
    await dashboard.settled()
    dashboard._night.widget.value = night
    await dashboard.settled()
    dashboard.show_tab("pointings")
    await dashboard.settled()
    for panel in dashboard.panels.values():
        assert set(panel.to_pandas()["night"]) == {night}
    assert f"Night {night}" in dashboard._head.status.value
    dashboard.close()
