"""The published recipe: plain Python tells an edited output, without this package."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from pathlib import Path

import nbformat

from .conftest import PARTS, run_notebook

PAGE = Path(__file__).resolve().parents[2] / "notebooks" / "proof.md"


def test_the_recipe_finds_what_was_edited(executed, season_folder, tmp_path):
    """Of parts and a figure it says True; of an edited output and one without proof, False."""
    script, path = tmp_path / "recipe.py", tmp_path / "book.ipynb"
    script.write_text(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0])
    book = copy.deepcopy(executed)
    drawn = run_notebook(season_folder(), ["report.figure('noise')"])
    book.cells += drawn.cells[1:]
    book.cells[3].outputs[0].data["text/plain"] += "."
    del book.cells[4].outputs[0].metadata["contimg_lab"]
    nbformat.write(book, path)
    done = subprocess.run(
        [sys.executable, "-I", script, path], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split("\n")[:-1] == [
        f"{PARTS[0]} True", f"{PARTS[1]} True", f"{PARTS[2]} False", "no proof False",
        *(f"{part} True" for part in PARTS[4:]), "noise True",
    ]  # fmt: skip
