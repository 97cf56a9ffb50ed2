"""Panels that live: tied to one selection, read again when their data change, and only then."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import comm
import pytest

import contimg_lab as cl
from contimg_lab.errors import InvalidInput
from contimg_lab.panels import TABS, make_panel
from contimg_lab.panels._base import Panel


class CountingComm(comm.base_comm.BaseComm):  # type: ignore[misc]
    """A comm without a browser that counts what would be sent to it."""

    sent = 0

    def publish_msg(self, *args: Any, **options: Any) -> None:
        """Count instead of sending."""
        type(self).sent += 1


@pytest.fixture
def messages() -> Iterator[type[CountingComm]]:
    """Count every message of widgets made in a test."""
    before = comm.create_comm
    CountingComm.sent = 0
    comm.create_comm = CountingComm
    yield CountingComm
    comm.create_comm = before


@pytest.fixture
async def live(copy_of: Callable[..., Path]) -> AsyncIterator[tuple[cl.Lab, Path]]:
    """A Lab on a private copy, and its folder."""
    folder = copy_of()
    async with cl.open(folder) as lab:
        yield lab, folder


def write(folder: Path, *statements: str) -> None:
    """Commit once, as another process would."""
    db = sqlite3.connect(folder / "pipeline.sqlite3", timeout=30.0)
    with db:
        for sql in statements:
            db.execute(sql)
    db.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - as a reader of the screen does
            await asyncio.sleep(0.05)


async def test_one_click_moves_every_panel(demo: cl.Lab) -> None:
    """A failed job chosen must show its MS on the sky and its cal table, and say its night."""
    panels = {name: make_panel(name, demo) for name in ("jobs", "pointings", "caltables")}
    for panel in panels.values():
        await panel.settled()
    run = (await demo.jobs.list_jobs(status="failed", limit=5))[4]
    panels["jobs"]._choose(run.run_id)  # what a click on a row does
    for panel in panels.values():
        await panel.settled()
    links = await demo.jobs.build_provenance_links(run.run_id)
    assert demo.selection.to_dict() == {
        "night": run.night,
        "hour": run.hour,
        "ms_path": run.ms_path,
    }
    assert panels["pointings"].selected == run.ms_path
    assert panels["caltables"].selected == links.cal_table
    other = (await demo.ms.list_ms(limit=1))[0].path
    panels["pointings"]._choose(other)
    for panel in panels.values():
        await panel.settled()
    assert panels["jobs"].selected == await demo.jobs.run_id_of(other)
    demo.selection.back()
    for panel in panels.values():
        await panel.settled()
    assert panels["jobs"].selected == run.run_id
    assert panels["pointings"].selected == run.ms_path
    demo.selection.clear()
    for panel in panels.values():
        await panel.settled()
    assert [panels[name].selected for name in ("jobs", "pointings")] == [None, None]
    for panel in panels.values():
        panel.close()


async def test_code_moves_a_panel_and_filters_do_not_move_the_selection(demo: cl.Lab) -> None:
    """A source chosen in code must be shown; sort, filter and Refresh must leave it chosen."""
    panel = demo.sources.panel()
    await panel.settled()
    first, other = panel.to_pandas()["source_id"].iloc[[0, 7]]
    demo.selection.source = other
    await panel.settled()
    assert panel.selected == other
    panel._sort.choose("n_used")
    panel._text.widget.value = first
    await panel.settled()
    panel.refresh()
    await panel.settled()
    assert (panel.selected, demo.selection.source) == (other, other)
    late = demo.sources.panel()
    await late.settled()
    assert late.selected == other
    demo.selection.source = "no such source"
    await panel.settled()
    assert panel.state == "failed"
    assert "no such source" in panel._facts.value
    demo.selection.source = other
    await panel.settled()
    assert panel.state == "showing"
    panel.close()
    late.close()
    demo.selection.source = first
    await panel.settled()
    assert panel.state == "closed"


async def test_a_panel_reads_again_when_its_rows_change(live: tuple[cl.Lab, Path]) -> None:
    """A new status must appear by itself, be counted as new, and leave controls and choice."""
    lab, folder = live
    panel = lab.jobs.panel(status="running")
    await panel.settled()
    ms = panel.to_pandas()["ms_path"].iloc[0]
    run_id = panel.to_pandas()["run_id"].iloc[0]
    panel.select(run_id)
    await panel.settled()
    controls = list(panel._head.widgets[0].children)
    await lab.watcher.began()
    write(folder, f"UPDATE jobs SET status = 'failed' WHERE ms_path = '{ms}' AND status='running'")
    await until(lambda: panel.state == "showing" and panel.to_pandas().empty)
    await panel.settled()
    assert "1 new or changed" in panel._head.status.value
    assert "failed" in panel._links.value  # the chosen run is read again, too
    assert panel.selected == run_id
    assert list(panel._head.widgets[0].children) == controls
    panel.close()


async def test_what_was_committed_while_it_read_is_not_missed(live: tuple[cl.Lab, Path]) -> None:
    """A commit between a panel's reading and its first look for commits must still be shown."""
    lab, folder = live
    panel = lab.jobs.panel(status="running")
    await panel.settled()
    write(folder, "UPDATE jobs SET status = 'failed' WHERE status = 'running'")
    await until(lambda: panel.state == "showing" and panel.to_pandas().empty)
    panel.close()


async def test_paused_panels_stay_as_they_are(live: tuple[cl.Lab, Path]) -> None:
    """A paused panel must say so and not read; live again it reads at once."""
    lab, folder = live
    panel = lab.jobs.panel(status="running")
    await panel.settled()
    panel._head.live.value = False
    assert panel._head.live.description == "paused"
    write(folder, "UPDATE jobs SET status = 'failed' WHERE status = 'running'")
    await asyncio.sleep(1.2)
    assert len(panel.to_pandas())
    panel._head.live.value = True
    await panel.settled()
    assert panel._head.live.description == "live"
    assert panel.to_pandas().empty
    panel.close()


async def test_nothing_new_sends_nothing(
    live: tuple[cl.Lab, Path], messages: type[CountingComm]
) -> None:
    """With nothing committed, and with what a panel does not show, no message may be sent."""
    lab, folder = live
    panels = [lab.jobs.panel(), lab.sources.panel()]
    for panel in panels:
        await panel.settled()
    await lab.watcher.began()
    assert messages.sent > 0
    before = messages.sent
    await asyncio.sleep(1.2)
    assert messages.sent == before
    panels[1].close()
    before = messages.sent
    write(folder, "UPDATE photometry SET flux_jy = 1.0 WHERE id = 1")
    await asyncio.sleep(1.2)
    assert messages.sent == before
    panels[0].close()


async def test_a_tab_that_is_not_seen_waits(live: tuple[cl.Lab, Path]) -> None:
    """A panel in a tab behind another must read only when its tab is opened again."""
    lab, folder = live
    board = lab.dashboard(tab="jobs")
    await board.settled()
    board.show_tab("variability")
    await board.settled()
    jobs = board.panels["jobs"]
    read_at = jobs._read_at
    ms = (await lab.jobs.list_jobs(status="running", limit=1))[0].ms_path
    await lab.watcher.began()
    write(folder, "UPDATE jobs SET status = 'failed' WHERE status = 'running'")
    lab.selection.ms_path = ms
    await asyncio.sleep(1.2)
    assert (jobs._read_at, jobs.selected) == (read_at, None)
    board.show_tab("jobs")
    await until(lambda: jobs.state == "showing" and jobs._read_at != read_at)
    await board.settled()
    assert "running" not in set(jobs.to_pandas()["status"])
    assert jobs.selected == await lab.jobs.run_id_of(ms)
    board.close()


async def test_a_view_is_saved_and_restored(demo: cl.Lab, tmp_path: Path) -> None:
    """Filters, selection and open tabs must come back from the file, in a new session too."""
    night = (await demo.nights())[3]
    board = demo.dashboard(tab="jobs")
    await board.settled()
    jobs = board.panels["jobs"]
    jobs._night.choose(night)
    jobs._status_filter.choose("completed")
    board.show_tab("variability")
    await board.settled()
    source = board.panels["variability"].to_pandas()["source_id"].iloc[3]
    board.panels["variability"]._choose(source)
    await board.settled()
    saved = await demo.view.save(tmp_path / "view.json")
    assert json.loads((tmp_path / "view.json").read_text(encoding="utf-8")) == saved
    assert len(json.dumps(saved)) < 2000
    board.close()
    assert demo.view.panels == {}
    async with cl.open(demo.layout.path) as again:
        fresh = again.dashboard(tab="jobs")
        await fresh.settled()
        assert await again.view.restore(tmp_path / "view.json") == ()
        await fresh.settled()
        assert fresh._tabs.selected_index == TABS.index("variability")
        frame = fresh.panels["jobs"].to_pandas()
        assert set(frame["night"]) == {night}
        assert set(frame["status"]) == {"completed"}
        assert again.selection.source == source
        assert fresh.panels["variability"].selected == source
        assert (await again.view.save())["panels"] == saved["panels"]
        fresh.close()
        assert await again.view.restore(saved) == tuple(saved["panels"])


async def test_a_view_of_another_database_is_refused(demo: cl.Lab, lab: cl.Lab) -> None:
    """A view must be restored on its own database only, unless that is forced."""
    demo.selection.source = "a"
    saved = await demo.view.save()
    if await demo.identity() == await lab.identity():
        assert await lab.view.restore(saved) == ()
        return
    with pytest.raises(InvalidInput, match="another database"):
        await lab.view.restore(saved)
    assert lab.selection.source is None
    await lab.view.restore(saved, force=True)
    assert lab.selection.source == "a"


async def test_what_was_chosen_last_is_what_is_selected(demo: cl.Lab) -> None:
    """A row clicked just before code selects another must not be told afterwards."""
    panel = demo.jobs.panel()
    await panel.settled()
    runs = await demo.jobs.list_jobs(limit=2)
    panel._choose(runs[0].run_id)
    demo.selection.ms_path = runs[1].ms_path
    await panel.settled()
    assert demo.selection.ms_path == runs[1].ms_path
    assert panel.selected == runs[1].run_id
    panel._choose("job-of-nobody")
    await panel.settled()
    assert (panel.state, demo.selection.ms_path) == ("failed", runs[1].ms_path)
    assert "job-of-nobody" in panel._head.status.value
    demo.selection.ms_path = runs[0].ms_path
    await panel.settled()
    assert (panel.state, panel.selected) == ("showing", runs[0].run_id)
    panel.close()


async def test_a_long_reading_is_neither_given_up_nor_repeated(live: tuple[cl.Lab, Path]) -> None:
    """Commits during a reading must let it end, and cause one more, however many there were."""
    lab, folder = live

    class Slow(Panel):
        shows = ("image",)

        def _build(self) -> tuple[list[Any], list[Any]]:
            self.gates: list[asyncio.Future[None]] = []
            return [], []

        async def _fetch(self) -> int:
            self.gates.append(asyncio.get_running_loop().create_future())
            await self.gates[-1]
            return len(self.gates)

        def _show(self, value: int) -> str:
            return f"reading {value}"

    panel = Slow(lab)
    await until(lambda: len(panel.gates) == 1)
    panel.gates[0].set_result(None)
    await panel.settled()
    await lab.watcher.began()
    panel.refresh()
    await until(lambda: len(panel.gates) == 2)
    for k in range(3):
        write(
            folder,
            "INSERT INTO images (path, ms_path, created_at, type) "
            f"VALUES ('/{k}', '/m', 1, 'image')",
        )
        await asyncio.sleep(0.7)
    assert (len(panel.gates), panel.gates[1].done()) == (2, False)
    panel.gates[1].set_result(None)
    await until(lambda: len(panel.gates) == 3)
    panel.gates[2].set_result(None)
    await panel.settled()
    assert "3 new or changed" in panel._head.status.value
    await asyncio.sleep(1.2)
    assert len(panel.gates) == 3

    assert panel._ties.marks(["a", "b"], ["/2", "/9"]) == frozenset({"a"})
    panel.close()


@pytest.mark.parametrize("broken", ["[]", "{", "{}", '{"contimg_lab_view": 1}'])
async def test_what_is_no_view_is_refused(demo: cl.Lab, tmp_path: Path, broken: str) -> None:
    """A file that holds no view must raise InvalidInput and change nothing."""
    (tmp_path / "view.json").write_text(broken, encoding="utf-8")
    with pytest.raises(InvalidInput):
        await demo.view.restore(tmp_path / "view.json")
    with pytest.raises(InvalidInput):
        await demo.view.restore(tmp_path / "missing.json")


@pytest.mark.parametrize("filters", [{"moon": "full"}, {"status": 3}])
async def test_unknown_filters_are_refused(demo: cl.Lab, filters: dict[str, Any]) -> None:
    """A view with a filter that a panel has not, or a value that is none, must be refused."""
    panel = demo.jobs.panel()
    await panel.settled()
    saved = await demo.view.save()
    saved["panels"]["jobs"]["filters"] = filters
    with pytest.raises(InvalidInput):
        await demo.view.restore(saved)
    panel.close()
