"""A notebook that a real kernel ran on a copy of the made season, and the season itself."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import contimg_lab as cl
from contimg_lab.services.notebook_proof import NotebookCheck, verify_notebook

PARTS = ("verdict", "hours", "checks", "noise", "flux_ratio", "failed", "subbands", "thresholds",
         "evidence", "withdraw", "not applicable")  # fmt: skip


def run_notebook(database: Path, sources: Sequence[str]) -> Any:
    """Run cells in a real kernel, the first opens the database; returns the saved notebook."""
    opening = (
        "import contimg_lab as cl\n"
        f"lab = await cl.open({str(database)!r})\n"
        "report = await lab.qa.night(await lab.last_night())\n"
        "pass"
    )
    cells = [nbformat.v4.new_code_cell(source) for source in (opening, *sources)]
    book = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(book, timeout=120).execute()
    nbformat.validate(book)
    return nbformat.reads(nbformat.writes(book), as_version=4)


def notebook_of(parts: Iterable[Any]) -> Any:
    """Make the notebook that shows some parts, as a kernel would save it."""
    cells = []
    for part in parts:
        data, metadata = part._repr_mimebundle_()
        cell = nbformat.v4.new_code_cell(f"report.part({part.name!r})")
        cell.outputs = [nbformat.v4.new_output("display_data", data=data, metadata=metadata)]
        cells.append(cell)
    book = nbformat.v4.new_notebook(cells=cells)
    return nbformat.reads(nbformat.writes(book), as_version=4)


@pytest.fixture(scope="session")
def executed(season_folder: Callable[..., Path]) -> Any:
    """The notebook of `PARTS`, one a cell, every other by ``display``."""
    told = [f"report.part({part!r})" for part in PARTS]
    sources = [f"display({one})" if place % 2 else one for place, one in enumerate(told)]
    return run_notebook(season_folder(), sources)


@pytest.fixture
def book(executed: Any) -> Any:
    """The executed notebook, to be changed by a test."""
    return copy.deepcopy(executed)


@pytest.fixture
def season(season_folder: Callable[..., Path], tmp_path: Path) -> Path:
    """A copy of the season that the notebook ran on, to be changed by a test."""
    return Path(shutil.copytree(season_folder(), tmp_path / "season"))


@pytest.fixture
def verify(tmp_path: Path) -> Callable[..., Any]:
    """Save a notebook, and verify it against a database, or against none."""

    async def verified(book: Any, database: Path | None = None) -> NotebookCheck:
        path = tmp_path / "saved.ipynb"
        path.write_text(nbformat.writes(nbformat.from_dict(book)), encoding="utf-8")
        if database is None:
            return await verify_notebook(path)
        async with cl.open(database) as lab:
            return await verify_notebook(path, lab.qa.context)

    return verified
