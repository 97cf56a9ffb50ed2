"""The panel that comes first to mind: it blocks, and it sends everything anew at each change.

A plain sqlite3 call in a callback, the whole table as HTML, and a matplotlib PNG.
"""

from __future__ import annotations

import asyncio
import io
import sqlite3
import time
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd

__all__ = ["Naive"]

_LIVE_S = 1.0


class Naive(widgets.VBox):  # type: ignore[misc]
    """Sources, and the light curve of the chosen one.

    Parameters
    ----------
    file
        The database.
    source
        Chosen first; empty: the first one.
    slow
        A statement that a button runs.
    """

    def __init__(self, file: str, source: str = "", slow: str = "SELECT 1") -> None:
        self.connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, check_same_thread=False)
        self.names = [
            name
            for (name,) in self.connection.execute(
                "SELECT DISTINCT source_id FROM photometry WHERE source_id IS NOT NULL"
            )
        ]
        self.slow = slow
        self.task: asyncio.Task[None] | None = None
        self.text = widgets.Text(placeholder="source name holds")
        self.select = widgets.Select(options=self.names, value=source or self.names[0], rows=10)
        self.sources = widgets.HTML(layout={"height": "200px", "overflow": "auto"})
        self.title = widgets.HTML()
        self.title.add_class("naive-title")
        self.picture = widgets.Image(format="png")
        self.picture.add_class("naive-picture")
        self.table = widgets.HTML(layout={"height": "200px", "overflow": "auto"})
        self.count = widgets.Button(description="Count")
        self.cancel = widgets.Button(description="Cancel")
        self.said = widgets.HTML()
        self.said.add_class("naive-said")
        self.text.observe(self._on_text, "value")
        self.select.observe(self._on_select, "value")
        self.count.on_click(self._on_count)
        self.cancel.on_click(self._on_cancel)
        super().__init__(
            [
                *(self.text, self.select, self.title, self.picture, self.table, self.sources),
                widgets.HBox([self.count, self.cancel, self.said]),
            ]
        )
        self.show_sources()
        self.show_curve()

    def show_sources(self) -> None:
        """Write all sources that the text lets through."""
        found = pd.DataFrame({"source_id": self.names})
        found = found[found["source_id"].str.contains(self.text.value, case=False, regex=False)]
        self.sources.value = found.to_html(max_rows=None)

    def show_curve(self) -> None:
        """Read, write and draw all measurements of the chosen source."""
        rows = pd.read_sql(
            "SELECT id, image_path, mjd, flux_jy, flux_err_jy, snr FROM photometry "
            "WHERE source_id = ? ORDER BY mjd",
            self.connection,
            params=[self.select.value],
        )
        self.title.value = f"<b>{self.select.value}</b>: {len(rows)} measurements"
        self.table.value = rows.to_html(max_rows=None)
        figure, ax = plt.subplots(figsize=(7.2, 4.0))
        ax.errorbar(rows["mjd"], rows["flux_jy"], rows["flux_err_jy"], fmt="o")
        ax.set_xlabel("MJD")
        ax.set_ylabel("flux (Jy)")
        png = io.BytesIO()
        figure.savefig(png, format="png")
        plt.close(figure)
        self.picture.value = png.getvalue()

    def refresh(self) -> None:
        """Read everything again."""
        self.show_sources()
        self.show_curve()

    async def again(self) -> None:
        """Read everything again, as a coroutine."""
        self.refresh()

    def live(self) -> None:
        """Read everything again each second."""

        async def run() -> None:
            while True:
                await asyncio.sleep(_LIVE_S)
                self.refresh()

        self.task = asyncio.get_running_loop().create_task(run())

    def close(self) -> None:
        """Close what this class opened; the widgets inside stay, as they do by default."""
        if self.task is not None:
            self.task.cancel()
        self.connection.close()
        super().close()

    def _on_text(self, change: Any) -> None:
        self.show_sources()

    def _on_select(self, change: Any) -> None:
        if change["new"]:
            self.show_curve()

    def _on_count(self, button: Any) -> None:
        self.said.value = "counting"
        self.connection.execute(self.slow).fetchall()
        self.said.value = "counted"

    def _on_cancel(self, button: Any) -> None:
        self.said.value = f"cancelled at {1e3 * time.time():.0f}"
