"""A new panel is one file and one line: the example lives through all that every panel can do."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances

import contimg_lab as cl
from contimg_lab.errors import NotFound
from contimg_lab.panels import PANELS, make_panel, panel_class
from contimg_lab.panels._base import Panel

from . import example_panel


@pytest.fixture
async def lab(
    copy_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[cl.Lab, Path]]:
    """A Lab on a private copy, with the example registered by its one line."""
    monkeypatch.setitem(PANELS, "nights", f"{example_panel.__name__}:NightsPanel")
    folder = copy_of()
    async with cl.open(folder) as opened:
        yield opened, folder


def test_it_is_one_short_file() -> None:
    """The example must stay about as short as the documentation says."""
    assert len(Path(example_panel.__file__).read_text().splitlines()) < 140


async def test_it_shows_and_is_chosen(lab: tuple[cl.Lab, Path]) -> None:
    """It must show every night with its images, follow the selection, and write into it."""
    opened, _ = lab
    panel = make_panel("nights", opened)
    await panel._rest()
    images = await opened.images.table()
    assert panel.state == "showing"
    assert panel.to_pandas()["images"].sum() == len(images)
    night, other = panel.to_pandas()["night"].iloc[[0, 3]]
    panel._table._grid._handle_custom_msg({"do": "choose", "key": night}, [])
    await panel._rest()
    assert opened.selection.night == night
    assert len(panel._last_detail[1]) == panel.to_pandas()["images"].iloc[0]
    opened.selection.night = other
    await panel._rest()
    assert (panel.selected, panel._table._grid.chosen) == (other, other)
    assert panel._bars.selected == {other}
    panel._on_pick(frozenset({night}), "click")
    assert opened.selection.night == night
    panel.close()


async def test_the_latest_reading_wins_and_can_be_cancelled(lab: tuple[cl.Lab, Path]) -> None:
    """Of two filters the later must be shown; Cancel keeps what is there, and calls it stale."""
    panel = make_panel("nights", lab[0])
    await panel._rest()
    nights = panel.to_pandas()["night"].tolist()
    panel._text.widget.value = nights[0]
    panel._text.widget.value = nights[1]
    await panel._rest()
    assert panel.to_pandas()["night"].tolist() == [nights[1]]
    assert f"1 of {len(nights)} nights" in panel._head.status.value
    panel.refresh()
    panel.cancel()
    assert panel.state == "stale"
    await panel._rest()
    assert len(panel.to_pandas()) == 1
    panel.close()


async def test_errors_are_words_and_the_rest_stays(
    lab: tuple[cl.Lab, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading that fails must be told, a detail that fails too, and Refresh must mend it."""
    opened, _ = lab
    panel = make_panel("nights", opened)
    await panel._rest()
    rows = len(panel.to_pandas())

    async def fails(**options: Any) -> pd.DataFrame:
        raise NotFound("image", "any")

    table = opened.images.table
    monkeypatch.setattr(opened.images, "table", fails)
    panel.select(panel.to_pandas()["night"].iloc[0])
    panel.refresh()
    await panel._rest()
    assert panel.state == "failed"
    assert "No image" in panel._head.status.value
    assert "No image" in panel._facts.value
    assert len(panel.to_pandas()) == rows
    monkeypatch.setattr(opened.images, "table", table)
    panel.select(None)
    panel.refresh()
    await panel._rest()
    assert panel.state == "showing"
    panel.close()


async def test_it_is_alive(lab: tuple[cl.Lab, Path]) -> None:
    """An image that the pipeline adds must be counted without anybody's asking."""
    opened, folder = lab
    panel = make_panel("nights", opened)
    await panel._rest()
    before = int(panel.to_pandas()["images"].sum())
    db = sqlite3.connect(folder / "pipeline.sqlite3", timeout=30.0)
    with db:
        names = [row[1] for row in db.execute("PRAGMA table_info(images)") if row[1] != "id"]
        new = ", ".join("path || '.new'" if name == "path" else name for name in names)
        db.execute(f"INSERT INTO images ({', '.join(names)}) SELECT {new} FROM images LIMIT 1")
    db.close()
    async with asyncio.timeout(20):
        while int(panel.to_pandas()["images"].sum()) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert int(panel.to_pandas()["images"].sum()) == before + 1
    panel.close()


async def test_it_gives_away_what_every_panel_does(
    lab: tuple[cl.Lab, Path], tmp_path: Path
) -> None:
    """Units, exports, a saved twin with picture and words must come without a line of its own."""
    opened, _ = lab
    panel = make_panel("nights", opened)
    await panel.settled()
    opened.view.units.flux = "uJy"
    titles = [column.title for column in panel._table.rows.columns]
    assert titles == ["night (UTC)", "images", "noise (µJy/beam)"]
    found = cl.export.read_ecsv(await panel.export(tmp_path / "nights.ecsv"))
    assert found["noise_jy"].tolist() == panel.to_pandas()["noise_jy"].tolist()
    assert found.attrs["units"] == {"noise_jy": "Jy/beam"}
    assert (await panel.export(tmp_path / "n.png")).read_bytes().startswith(b"\x89PNG")
    await panel.settled()
    page, text = panel._static_page()
    assert 'alt="Images per night' in page
    assert len(page) < 100_000
    assert "nights" in text
    saved = await opened.view.save()
    assert saved["panels"][panel._ties.name]["filters"] == {"text": ""}
    panel.close()


def counts(opened: cl.Lab) -> dict[str, int]:
    """What must not grow."""
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "widgets, each with a comm": len(_instances),
        "watchers of the selection": len(opened.selection._observers),
        "watchers of units": len(opened.view.units._observers),
        "views": len(opened.view.panels),
        "panels": sum(isinstance(one, Panel) for one in gc.get_objects()),
    }


async def test_panels_that_come_and_go_leave_nothing(lab: tuple[cl.Lab, Path]) -> None:
    """Of 200 panels opened and closed, some in the middle of a reading, nothing may be left."""
    opened, _ = lab
    for settled in (True, False):
        panel = make_panel("nights", opened)
        if settled:
            await panel.settled()
        panel.close()
        await panel.settled()
    del panel
    before = counts(opened)
    for i in range(200):
        panel = make_panel("nights", opened)
        if i % 20 == 0:
            await panel._rest()
            panel.select(panel.to_pandas()["night"].iloc[0])
        elif i % 3:
            await asyncio.sleep(0)
        panel.close()
        await panel.settled()
    dead = weakref.ref(panel)
    del panel
    after = counts(opened)
    assert dead() is None
    assert after == before | {"threads": after["threads"]}
    assert after["threads"] <= before["threads"] + 2  # of the pool for threads, which is bounded


@pytest.mark.parametrize("times", [30, pytest.param(1000, marks=pytest.mark.slow)])
async def test_refreshes_leave_nothing(times: int, lab: tuple[cl.Lab, Path]) -> None:
    """However often a panel reads again, it must hold as much as after its first times."""
    opened, _ = lab
    panel = make_panel("nights", opened)
    for _ in range(3):
        panel.refresh()
        await panel._rest()
    before = counts(opened)
    for _ in range(times):
        panel.refresh()
        await panel._rest()
    after = counts(opened)
    assert after == before | {"threads": after["threads"]}
    assert after["threads"] <= before["threads"] + 2
    panel.close()


def test_it_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line must be enough to make it by name."""
    monkeypatch.setitem(PANELS, "nights", f"{example_panel.__name__}:NightsPanel")
    assert panel_class("nights") is example_panel.NightsPanel
