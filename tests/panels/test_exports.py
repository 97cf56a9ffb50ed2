"""What leaves a panel as a file: all rows with units, or the figure; in a thread, for a browser."""

from __future__ import annotations

import asyncio
import io
import threading
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from astropy.table import Table as AstropyTable

import contimg_lab as cl
from contimg_lab.errors import InvalidInput
from contimg_lab.panels import PANELS, _files, make_panel
from contimg_lab.panels._base import Panel
from contimg_lab.panels._tools import Tools

ROWS = ("csv", "ecsv", "parquet")


class Page:
    """What a browser keeps of the pieces that it is sent."""

    def __init__(self, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.panel, self.pieces = panel, []

        def send(tools: Tools, content: dict[str, Any], buffers: Any = None) -> None:
            self.pieces.append((content, bytes(buffers[0])))

        monkeypatch.setattr(Tools, "send", send)

    async def ask(self, form: str) -> bytes:
        """Choose a form in the menu, and return the file."""
        self.pieces.clear()
        self.say({"do": "export", "form": form, "ticket": "t1"})
        await self.panel._rest()
        return b"".join(data for _, data in self.pieces)

    def say(self, content: dict[str, Any]) -> None:
        """Say what the browser says."""
        self.panel._head.tools._handle_custom_msg(content, [])


@pytest.mark.parametrize("name", list(PANELS))
async def test_every_panel_exports_all_rows(name: str, demo: cl.Lab, tmp_path: Path) -> None:
    """Each form must hold every row and column of `to_pandas`, with the units of its attrs."""
    panel = make_panel(name, demo)
    await panel._rest()
    shown = panel.to_pandas()
    for form in ROWS:
        path = await panel.export(tmp_path / f"rows.{form}")
        if form == "csv":
            found = pd.read_csv(path)
        else:
            found = getattr(cl.export, f"read_{form}")(path)
            assert found.attrs["units"] == shown.attrs.get("units", {})
        assert len(found) == len(shown)
        assert list(found.columns) == list(shown.columns)
        for column in shown.select_dtypes("float"):
            np.testing.assert_array_equal(found[column], shown[column])
    units = shown.attrs.get("units", {})
    table = AstropyTable.read(tmp_path / "rows.ecsv")
    times = set(shown.select_dtypes("datetimetz"))  # written as ISO 8601 (UTC)
    one = {name for name, unit in units.items() if " or " not in unit} - times
    assert {name for name in one if table[name].unit is None} == set()
    panel.close()


async def test_a_browser_gets_the_file_in_pieces(
    demo: cl.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces must be the file, named by panel and night, and told to whom they belong."""
    panel = demo.ms.panel()
    await panel._rest()
    page = Page(panel, monkeypatch)
    monkeypatch.setattr("contimg_lab.panels._tools._PIECE", 1000)
    data = await page.ask("parquet")
    found = pd.read_parquet(io.BytesIO(data))
    assert found["path"].tolist() == panel.to_pandas()["path"].tolist()
    told = [content for content, _ in page.pieces]
    assert len(told) > 3
    assert [content["left"] for content in told] == list(range(len(told)))[::-1]
    night = await demo.last_night()
    assert {(c["say"], c["ticket"], c["name"]) for c in told} == {
        ("file", "t1", f"pointings-{night}.parquet")
    }
    assert panel.state == "showing"
    panel.close()


async def test_figures_are_png_and_svg(
    demo: cl.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figure must come as a picture and as SVG, drawn in a thread; jobs have none."""
    panel = demo.ms.panel()
    await panel._rest()
    drawn: list[int] = []
    figure = panel.figure

    def figure_apart() -> Any:
        drawn.append(threading.get_ident())
        return figure()

    panel.figure = figure_apart
    page = Page(panel, monkeypatch)
    assert (await page.ask("png")).startswith(b"\x89PNG")
    assert b"<svg" in await page.ask("svg")
    assert b"<svg" in (await panel.export(tmp_path / "sky.svg")).read_bytes()
    assert threading.get_ident() not in drawn
    assert len(drawn) == 3
    jobs = demo.jobs.panel()
    await jobs._rest()
    assert [form for _, form in jobs._head.tools.forms] == list(ROWS)
    with pytest.raises(InvalidInput, match="no figure"):
        await jobs.export(tmp_path / "jobs.png")
    panel.close()
    jobs.close()


async def test_what_cannot_be_written_is_told_in_words(
    demo: cl.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No suffix, a file that is there, too much for a browser: words, and the panel goes on."""
    panel = demo.ms.panel()
    await panel._rest()
    with pytest.raises(InvalidInput, match=r"\.csv, \.ecsv, \.parquet, \.vot, \.png, \.svg"):
        await panel.export(tmp_path / "night.docx")
    path = await panel.export(tmp_path / "night.CSV")
    with pytest.raises(InvalidInput, match="is there already"):
        await panel.export(path)
    assert await panel.export(path, overwrite=True) == path
    page = Page(panel, monkeypatch)
    monkeypatch.setattr(_files, "_few_rows", lambda source, form, most: _refuse(source, form))
    assert await page.ask("ecsv") == b""
    assert "panel.export(" in panel._head.status.value
    monkeypatch.undo()
    panel.refresh()
    await panel._rest()
    assert panel.state == "showing"
    panel.close()


few_rows = _files._few_rows


def _refuse(source: Any, form: str) -> bytes:
    return few_rows(source, form, 100)


class Many(Panel):
    """A panel of 10^6 rows."""

    title = "Many"

    def _build(self) -> tuple[list[Any], list[Any]]:
        return [], [ipywidgets.HTML()]

    async def _fetch(self) -> int:
        return 1_000_000

    def _show(self, value: int) -> str:
        rng = np.random.default_rng(3)
        names = np.char.mod("J%07d", np.arange(value))
        self._frame = pd.DataFrame({"source": names, "flux_jy": rng.random(value)})
        return f"{value} of {value} sources"


async def test_a_million_rows_leave_the_loop_alone(tmp_path: Path) -> None:
    """All rows must be written while the loop goes on; text that is too long is not begun."""
    panel = Many(None)
    await panel._rest()
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    turning = asyncio.create_task(turn())
    path = await panel.export(tmp_path / "many.csv")
    turning.cancel()
    assert turns > 5
    assert len(pd.read_csv(path)) == 1_000_000
    with pytest.raises(InvalidInput, match="MB is too large"):
        await _files.contents(panel, "ecsv", 10_000_000)
    panel.close()
