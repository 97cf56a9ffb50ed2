"""The README tells the truth: its commands, its example, its settings and its dependencies."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

TOP = Path(__file__).resolve().parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_commands_come_first() -> None:
    """The first two blocks are one line each: set up and run the demo; set up and test."""
    demo, test = blocks("bash")[:2]
    assert demo == "bash .ci/setup && .venv/bin/contimg-lab demo\n"
    assert test.startswith("bash .ci/setup test && ")
    assert test.count("\n") == 1
    assert README.index("```bash") < README.index("dashboard.png") < README.index("```python")


def test_every_setting_is_told() -> None:
    """Every environment variable that is read stands in the table of settings."""
    config = (TOP / "contimg_lab" / "config.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"((?:PIPELINE|DSA110|CONTIMG_LAB|DB)_[A-Z_]+)"', config))
    assert len(read) >= 9
    assert {name for name in read if f"`{name}`" not in README} == set()


def test_every_dependency_has_its_reason() -> None:
    """Every dependency stands in the README with one line that says what it is for."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.split(r"[<>=]", line)[0] for line in wanted}
    rows = set(re.findall(r"^\| `([a-z0-9-]+)` \| \S.*\|$", README, re.MULTILINE))
    assert names - rows == set()


@pytest.mark.notebooks
def test_example_runs(season_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The five-line example runs in a notebook as it stands, on what PIPELINE_DB names."""
    monkeypatch.setenv("PIPELINE_DB", str(season_folder() / "pipeline.sqlite3"))
    example = blocks("python")[0]
    assert len([line for line in example.splitlines() if line.strip()]) == 5
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(example)])
    NotebookClient(book, timeout=120).execute()
