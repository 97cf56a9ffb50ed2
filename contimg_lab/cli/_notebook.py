"""The shipped notebooks: where they are, and a copy of one that opens one database."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import contimg_lab
from contimg_lab.errors import ContimgLabError, InvalidInput

__all__ = ["dashboard_notebook", "place_notebook", "shipped_notebook"]

_NAME = "explore.ipynb"
_DASHBOARD = "dashboard.ipynb"
_LINE = re.compile(r"^database = .*?(?P<note>  # .*)?$", re.MULTILINE)


def shipped_notebook(name: str = _NAME) -> Path:
    """Return a notebook that came with the package, the explore notebook by default.

    A wheel holds it beside the code; in a clone it lies in the folder of all notebooks.

    Raises
    ------
    ContimgLabError
        It is in neither place.
    """
    package = Path(contimg_lab.__file__).parent
    for folder in (package, package.parent):
        if (folder / "notebooks" / name).is_file():
            return folder / "notebooks" / name
    raise ContimgLabError(
        f"no {name} beside {package}: the installation is incomplete; install contimg-lab again"
    )


def place_notebook(folder: Path, database: str | None, *, keep_outputs: bool) -> tuple[Path, bool]:
    """Put a copy that opens a database into a folder, and never over a file that is there.

    Parameters
    ----------
    folder
        Made where it is missing.
    database
        What the copy's line ``database = ...`` says: a path, empty for what the environment
        says, None for the built-in season.
    keep_outputs
        Keep the outputs that were saved with the shipped notebook.

    Returns
    -------
    tuple of Path and bool
        The notebook, and whether it was made now. One that opens the same database already is
        left as its user left it; beside one that opens another the copy gets a number.

    Raises
    ------
    InvalidInput
        The folder cannot be made or written to.
    """
    book = json.loads(shipped_notebook().read_text(encoding="utf-8"))
    line = f"database = {database!r}"
    _point(book, line)
    if not keep_outputs:
        _strip(book)
    text = json.dumps(book, indent=1, ensure_ascii=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            path = folder / (_NAME if number == 1 else _NAME.replace(".", f"-{number}."))
            if not path.exists():
                path.write_text(text, encoding="utf-8")
                return path, True
            if _opens(path, line):
                return path, False
    except OSError as error:
        raise InvalidInput(
            f"cannot write a notebook into {folder}: {error.strerror}; give another --folder"
        ) from error
    raise AssertionError("count() has no end")


def dashboard_notebook(folder: Path, database: str | None) -> Path:
    """Put the notebook of the dashboard into a folder; arguments as for `place_notebook`."""
    book = json.loads(shipped_notebook(_DASHBOARD).read_text(encoding="utf-8"))
    _point(book, f"database = {database!r}")
    _strip(book)
    path = folder / _DASHBOARD
    path.write_text(json.dumps(book), encoding="utf-8")
    return path


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _point(book: dict[str, Any], line: str) -> None:
    for cell in book["cells"]:
        if cell["cell_type"] == "code" and _LINE.search(_source(cell)):
            text = _LINE.sub(lambda m: line + (m["note"] or ""), _source(cell), count=1)
            cell["source"] = text.splitlines(keepends=True)
            return


def _strip(book: dict[str, Any]) -> None:
    book["metadata"].pop("widgets", None)
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None


def _opens(path: Path, line: str) -> bool:
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        lines = [text for cell in book["cells"] for text in _source(cell).splitlines()]
        return any(text == line or text.startswith(f"{line}  # ") for text in lines)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
