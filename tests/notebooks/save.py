"""Run the notebooks on the built-in season and save them with outputs that need no kernel.

``python tests/notebooks/save.py [NAME ...]``: all of ``notebooks/``, or those named. Widgets
are taken out of the saved outputs: what stays is the static table and figure beside each.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
VIEW = "application/vnd.jupyter.widget-view+json"


def strip(book: nbformat.NotebookNode) -> None:
    """Take out what only a kernel can show, and what differs from run to run."""
    book.metadata.pop("widgets", None)
    book.metadata["language_info"] = {"name": "python"}
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if VIEW not in o.get("data", {})]


def save(path: Path) -> None:
    """Run one notebook and save it in place."""
    book = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(book, timeout=300, resources={"metadata": {"path": folder}})
        client.execute()
    strip(book)
    nbformat.write(book, path)
    print(f"{path.name}: {len(book.cells)} cells, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    os.environ.pop("PIPELINE_DB", None)
    names = sys.argv[1:] or sorted(p.name for p in NOTEBOOKS.glob("*.ipynb"))
    for name in names:
        save(NOTEBOOKS / name)
