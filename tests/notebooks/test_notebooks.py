"""Every notebook runs in a real kernel, says what it said, and reads well without one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
VIEW = "application/vnd.jupyter.widget-view+json"
LIMIT_KB = 1000

pytestmark = [
    pytest.mark.notebooks,
    pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name),
]


def test_it_runs_and_says_what_it_said(path, tmp_path):
    """nbval: no cell fails, and the outputs marked for it are those that were saved."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider",
         "-o", "addopts=", "-o", "filterwarnings=", str(path)],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTEST_ADDOPTS": ""},
        cwd=path.parent.parent, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_it_can_be_read_without_a_kernel(path):
    """Each cell that shows something has saved a picture, a table or text, and no widget."""
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert "widgets" not in book.metadata
    assert path.stat().st_size < LIMIT_KB * 1000
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        assert cell.execution_count is not None
        for output in cell.outputs:
            assert output.output_type != "error"
            assert VIEW not in output.get("data", {})
        if "parameters" in cell.metadata.get("tags", ()):
            continue
        if not cell.source.rstrip().splitlines()[-1].startswith((" ", "_ =", "await")):
            assert cell.outputs, cell.source


def test_it_holds_no_path_of_a_machine(path):
    """A saved notebook does not tell who saved it, or where."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|Users|work)/", text)
