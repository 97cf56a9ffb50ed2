"""The served explore notebook: its address answers, Ctrl-C ends it, and no work is overwritten."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from contimg_lab.cli._notebook import place_notebook, shipped_notebook


def opened_by(notebook: Path) -> str:
    """The line that says which database a notebook opens."""
    book = nbformat.read(notebook, as_version=4)
    lines = [line for cell in book.cells for line in cell.source.splitlines()]
    return next(line for line in lines if line.startswith("database = "))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_served(season_folder: Callable[..., Path], tmp_path: Path, number: int) -> None:
    """The printed address answers with the notebook, and a signal ends server and command."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "contimg_lab", "demo", "--no-browser"),
            *("--cache", season_folder().parent, "--folder", tmp_path / "books"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = ""
        for line in process.stdout:
            if line.startswith("JupyterLab: "):
                address = line.split()[1]
                break
        assert address, process.stderr.read() if process.stderr else ""
        parts = urllib.parse.urlsplit(address)
        assert parts.path == "/lab/tree/explore.ipynb"
        with urllib.request.urlopen(address, timeout=30) as page:
            assert "@jupyterlab/apputils-extension:announcements" in page.read().decode()
        contents = f"{parts.scheme}://{parts.netloc}/api/contents/explore.ipynb?{parts.query}"
        with urllib.request.urlopen(contents, timeout=30) as answer:
            assert json.load(answer)["type"] == "notebook"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(contents.partition("?")[0], timeout=30)
        process.send_signal(number)
        process.wait(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=5)


def test_port_in_use(command, season_folder: Callable[..., Path], tmp_path: Path) -> None:
    """A port that another program holds gives one line that says so, and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        said = command(
            *("demo", "--no-browser", "--cache", season_folder().parent),
            *("--folder", tmp_path, "--port", held.getsockname()[1]),
        )
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert "--port" in line


@pytest.mark.notebooks
def test_placed_notebook_opens_the_database(
    season_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """The copy runs from top to bottom on the database that it was placed for."""
    folder = season_folder("split")
    notebook, made = place_notebook(tmp_path, str(folder), keep_outputs=False)
    assert made
    assert opened_by(notebook).startswith(f"database = {str(folder)!r}")
    book = nbformat.read(notebook, as_version=4)
    assert not any(cell.outputs for cell in book.cells if cell.cell_type == "code")
    NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    texts = [str(output) for cell in book.cells for output in cell.get("outputs", [])]
    assert any("split layout, 30 nights" in text for text in texts)


def test_work_is_never_overwritten(tmp_path: Path) -> None:
    """A notebook that is there stays as it is: reused for its database, numbered for another."""
    first, _ = place_notebook(tmp_path, "/data/one", keep_outputs=False)
    book = nbformat.read(first, as_version=4)
    book.cells.append(nbformat.v4.new_code_cell("my_work = 1"))
    nbformat.write(book, first)
    before = first.read_bytes()
    again, made = place_notebook(tmp_path, "/data/one", keep_outputs=False)
    assert (again, made) == (first, False)
    other, made = place_notebook(tmp_path, "/data/two", keep_outputs=False)
    assert made
    assert other != first
    (tmp_path / "explore-3.ipynb").write_text("no notebook")
    third, made = place_notebook(tmp_path, "/data/three", keep_outputs=False)
    assert (third.name, made) == ("explore-4.ipynb", True)
    assert first.read_bytes() == before


def test_shipped_notebook_names_its_database_once() -> None:
    """The shipped notebook opens the built-in season until a copy is told another database."""
    assert opened_by(shipped_notebook()).startswith("database = None")


def test_unwritable_folder(command, season_folder: Callable[..., Path], tmp_path: Path) -> None:
    """A folder that cannot be made gives one line that names it, and exit code 2."""
    (tmp_path / "file").write_text("in the way")
    said = command(
        "demo", "--cache", season_folder().parent, "--folder", tmp_path / "file" / "books"
    )
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert "--folder" in line
