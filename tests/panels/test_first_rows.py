"""Before the live table is there: plain rows, and everything that a reader does meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

import contimg_lab as cl
from contimg_lab.panels import TABS, _warm, make_panel


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Import of the live table, held until the test lets it go."""
    gate = threading.Event()
    real = _warm._import_grids

    def wait() -> None:
        assert gate.wait(60)
        real()

    monkeypatch.setattr(_warm, "_import_grids", wait)
    yield gate
    gate.set()


async def rows_of(panel) -> str:
    """Wait for the plain rows of a panel just made, and return their HTML."""
    shown = asyncio.get_running_loop().create_future()
    plain = panel._table._plain

    def tell(change) -> None:
        shown.set_result(change["new"])
        plain.unobserve(tell, "value")

    plain.observe(tell, "value")
    return await asyncio.wait_for(shown, 60)


@pytest.mark.parametrize("name", TABS)
async def test_rows_are_shown_before_the_live_table(name: str, demo: cl.Lab, held) -> None:
    """The first rows must be on screen, escaped text and all, while itables is imported."""
    panel = make_panel(name, demo)
    html = await rows_of(panel)
    assert panel._table._grid is None
    shown = html.count("<tr>") - 1
    assert 0 < shown <= 30
    assert panel._table.counts in panel._table._caption.value
    held.set()
    await panel.settled()
    assert panel.state == "showing"
    first, second = panel._table._scroll.children
    assert (first, second) == (panel._table._grid, panel._table._plain)
    assert first.df.iloc[0, 0] in html
    panel.close()


async def test_what_was_chosen_meanwhile_is_marked_in_the_live_table(demo: cl.Lab, held) -> None:
    """A run chosen before the live table is there must be the one that it marks."""
    panel = demo.jobs.panel()
    await rows_of(panel)
    key = panel._table._keys[2]
    panel.select(key)
    held.set()
    await panel.settled()
    assert panel._table._grid.selected_rows == [2]
    assert panel.selected == key
    panel._table._grid.selected_rows = []
    assert panel.selected is None
    panel.close()


async def test_refreshed_meanwhile_it_gets_one_live_table(demo: cl.Lab, held) -> None:
    """A filter changed before the live table is there must be in it, and in it alone."""
    panel = demo.jobs.panel()
    await rows_of(panel)
    panel._status_filter.choose("failed")
    held.set()
    await panel.settled()
    assert set(panel._table._grid.df["status"]) == {"failed"}
    assert len(panel._table._scroll.children) == 2
    assert len([w for w, _, name in panel._watched if name == "selected_rows"]) == 1
    panel._status_filter.choose("completed")
    await panel.settled()
    assert panel._table._plain.value == ""
    assert set(panel._table._grid.df["status"]) == {"completed"}
    panel.close()


async def test_a_live_table_that_does_not_load_leaves_the_rows(demo: cl.Lab, monkeypatch) -> None:
    """Where itables does not import, the rows stay and the panel says what is wrong."""

    def fail() -> None:
        raise ImportError("no itables here")

    monkeypatch.setattr(_warm, "_import_grids", fail)
    panel = demo.jobs.panel()
    await panel.settled()
    assert panel.state == "failed"
    assert "no itables here" in panel._head.status.value
    assert "<td" in panel._table._plain.value
    monkeypatch.undo()
    panel.refresh()
    await panel.settled()
    assert panel.state == "showing"
    assert len(panel._table._grid.df) == len(panel.to_pandas())
    panel.close()


async def test_the_frame_of_the_jobs_panel_is_the_table(demo: cl.Lab) -> None:
    """The panel's DataFrame must be that of the service, in the panel's order, with its origin."""
    panel = demo.jobs.panel(sort="latest")
    await panel.settled()
    wanted = await demo.jobs.table(night=await demo.last_night())
    shown = panel.to_pandas()
    assert shown.equals(wanted.iloc[::-1].reset_index(drop=True))
    origin, told = wanted.attrs["provenance"], shown.attrs["provenance"]
    assert {k: told[k] for k in told if k != "read_at"} == {
        k: origin[k] for k in origin if k != "read_at"
    }
    assert shown.attrs["units"] == wanted.attrs["units"]
    panel.close()


@pytest.mark.parametrize("by", ["duration_s", "attempts"])
async def test_the_jobs_panel_sorts_highest_first(by: str, demo: cl.Lab) -> None:
    """Runs must stand by falling value, those without one last, ties in order of time."""
    panel = demo.jobs.panel(night="all", sort=by)
    await panel.settled()
    every = await demo.jobs.table()
    wanted = every.sort_values(by, ascending=False, kind="stable", ignore_index=True)
    assert list(panel.to_pandas()["run_id"]) == list(wanted["run_id"])
    panel.close()
