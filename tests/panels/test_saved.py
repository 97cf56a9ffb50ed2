"""What a saved notebook keeps of its panels: complete, small, and drawn beside the event loop."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import numpy as np
import pytest

from contimg_lab.panels import PANELS, _saved
from contimg_lab.panels._base import Panel
from contimg_lab.plots.sky import pointings_chart

OPEN = "import contimg_lab as cl\nlab = await cl.open({folder!r})"
MOST_BYTES = 100_000


class Sky(Panel):
    """A panel with one plot, which says in which thread it was drawn."""

    title = "Sky"
    plain = False  # the chart's own drawing

    def _build(self) -> tuple[list[Any], list[Any]]:
        self.threads: list[int] = []
        self.n = 3
        self._sky = self._plot((5.0, 3.5), "The sky appears here.")
        return [], [self._sky.widget]

    async def _fetch(self) -> int:
        return self.n

    def _show(self, value: int) -> str:
        chart = pointings_chart(np.arange(value), np.full(value, 16.0), title=f"{value} pointings")

        def draw(axes: Any) -> None:
            self.threads.append(threading.get_ident())
            axes.plot(chart.points[0].x, chart.points[0].y, ".")

        self._sky.show(chart, draw=None if self.plain else draw)
        return f"{value} of {value} pointings"

    def _static(self) -> tuple[str, str]:
        return self._sky.to_html(), "text"


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, str], bool]]:
    """What would go to the notebook: each output, and whether it updates one."""
    sent: list[tuple[dict[str, str], bool]] = []

    def publish(data: dict[str, str], **options: Any) -> None:
        sent.append((data, options.get("update", False)))

    monkeypatch.setattr(_saved, "_publish", publish)
    return sent


async def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - as a reader of the screen does
            await asyncio.sleep(0.02)


def run(folder: Path, *cells: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run cells in a kernel without a browser, and return the notebook."""
    texts = [OPEN.format(folder=str(folder)), *cells, "await lab.close()"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in texts])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(part for part in sys.path if part))
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return book


async def test_the_live_view_comes_first_and_the_picture_follows(
    published: list[tuple[dict[str, str], bool]],
) -> None:
    """Shown before it was drawn, a panel must send its live view, words, and later the picture."""
    panel = Sky(None)
    await panel._rest()
    panel._ipython_display_()
    live, twin = (data for data, _ in published)
    assert "application/vnd.jupyter.widget-view+json" in live
    assert "Sky plot" not in twin["text/plain"]
    assert "<img" not in twin["text/html"]
    assert "pointing (3)" in twin["text/html"]  # the figure's words stand where it will be
    assert panel.threads == []
    await until(lambda: len(published) == 3)
    data, updates = published[2]
    assert updates
    assert 'src="data:image/png;base64,' in data["text/html"]
    assert panel.threads
    assert threading.get_ident() not in panel.threads
    panel.close()


async def test_a_panel_in_use_is_not_drawn_for_saving(
    published: list[tuple[dict[str, str], bool]],
) -> None:
    """Of changes in a row only what is there at rest may be drawn; and nothing after close."""
    panel = Sky(None)
    panel._ipython_display_()
    await panel.settled()
    drawn, sent = len(panel.threads), len(published)
    for n in range(4, 9):
        panel.n = n
        panel.refresh()
        await panel._rest()
    assert (len(panel.threads), len(published)) == (drawn, sent)
    await until(lambda: len(published) > sent)
    assert (len(panel.threads), len(published)) == (drawn + 1, sent + 1)
    assert "8 of 8" in published[-1][0]["text/plain"]
    panel.refresh()
    await panel._rest()
    task = panel._saved._task
    assert task is not None
    panel.close()
    await panel.settled()
    assert task.cancelled()
    assert len(published) == sent + 1


async def test_what_did_not_change_is_not_sent(
    published: list[tuple[dict[str, str], bool]],
) -> None:
    """A twin that would be the same must neither be drawn nor sent again."""
    panel = Sky(None)
    panel._ipython_display_()
    await panel.settled()
    drawn, sent = len(panel.threads), len(published)
    panel._settle()
    await panel.settled()
    assert (len(panel.threads), len(published)) == (drawn, sent)
    panel.close()


async def test_settled_before_it_is_shown_is_complete(
    published: list[tuple[dict[str, str], bool]],
) -> None:
    """After `settled` the first output must hold the picture: no update may be needed."""
    panel = Sky(None)
    await panel.settled()
    panel._ipython_display_()
    assert "<img" in published[1][0]["text/html"]
    await panel.settled()
    assert len(published) == 2
    panel.close()


async def test_a_picture_that_cannot_be_drawn_is_told_in_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A drawing that fails must leave the words of the figure, and the panel alive."""
    panel = Sky(None)
    await panel._rest()
    panel._sky.show(panel._sky.chart, draw=lambda axes: axes.no_such_method())
    await panel.settled()
    page, _ = panel._static_page()
    assert "<img" not in page
    assert "pointing (3)" in page
    assert "could not be drawn" in caplog.text
    assert panel.state == "showing"
    panel.close()


async def test_the_loop_goes_on_while_a_twin_is_drawn() -> None:
    """The longest stall of the loop by a twin is printed; a timer must run meanwhile."""
    panel = Sky(None)
    panel.plain = True
    await panel.settled()  # what is imported first is no stall of a twin
    panel.n = 3000
    panel.refresh()
    await panel._rest()
    gaps_ms: list[float] = []

    async def tick() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            gaps_ms.append(1e3 * (time.perf_counter() - begun) - 1.0)

    ticking = asyncio.create_task(tick())
    begun = time.perf_counter()
    await panel.settled()
    took_ms = 1e3 * (time.perf_counter() - begun)
    ticking.cancel()
    print(f"\na twin in {took_ms:.0f} ms; longest stall {max(gaps_ms):.0f} ms")
    assert "<img" in panel._static_page()[0]
    assert len(gaps_ms) > 3
    panel.close()


@pytest.mark.notebooks
def test_executed_notebook_keeps_table_and_figure(
    season_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The saved file must hold what the panel showed last, beside the live view."""
    book = run(
        season_folder(),
        "panel = lab.sources.panel()\npanel",
        "await panel.settled()",
        "panel.select(panel.to_pandas()['source_id'].iloc[0])\nawait panel.settled()",
        "jobs = lab.jobs.panel()\ndisplay(jobs)\nawait jobs.settled()",
        "panel.close()\njobs.close()",
        monkeypatch=monkeypatch,
    )
    live, saved = book.cells[1].outputs
    assert "application/vnd.jupyter.widget-view+json" in live.data
    page = saved.data["text/html"]
    assert page.count('src="data:image/png;base64,') == 2  # eta against V, and the light curve
    assert "Light curve of" in page
    assert "<table" in page
    assert " of " in saved.data["text/plain"]
    jobs = book.cells[4].outputs[1].data["text/html"]
    assert " runs" in jobs
    assert "<td" in jobs


@pytest.mark.notebooks
def test_saved_panels_are_small(
    season_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each panel must be saved in 100 kB with its pictures, table, text and their words."""
    names = [name for name in PANELS if name != "dashboard"]
    make = "from contimg_lab.panels import make_panel\n"
    cells = [f"{make}panel = make_panel({name!r}, lab)\nawait panel.settled()\npanel"
             for name in names]  # fmt: skip
    book = run(season_folder(), *cells, monkeypatch=monkeypatch)
    for name, cell in zip(names, book.cells[1:], strict=False):
        twin = cell.outputs[-1].data
        size = len(json.dumps(cell.outputs))
        pictures = re.findall(r'<img [^>]*alt="([^"]+)"[^>]*base64,([^"]+)"', twin["text/html"])
        sizes = ", ".join(f"{len(data) / 1e3:.0f}" for _, data in pictures)
        print(f"\n{name}: {size / 1e3:.0f} kB saved, pictures of {sizes or 'none'} kB", end="")
        assert size < MOST_BYTES
        assert "<td" in twin["text/html"]
        assert " of " in twin["text/plain"]
        assert all(re.search(r"\d", alt) for alt, _ in pictures)
