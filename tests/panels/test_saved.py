"""A notebook run without a browser keeps the last table and figure of its panels."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import nbclient
import nbformat
import pytest

CELLS = (
    "import contimg_lab as cl\nlab = await cl.open({folder!r})",
    "panel = lab.sources.panel()\npanel",
    "await panel.settled()",
    "panel.select(panel.to_pandas()['source_id'].iloc[0])\nawait panel.settled()",
    "jobs = lab.jobs.panel()\ndisplay(jobs)\nawait jobs.settled()",
    "panel.close()\njobs.close()\nawait lab.close()",
)


@pytest.mark.notebooks
def test_executed_notebook_keeps_table_and_figure(
    season_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The saved file must hold what the panel showed last, beside the live view."""
    folder = str(season_folder())
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.format(folder=folder)) for cell in CELLS]
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(part for part in sys.path if part))
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
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
