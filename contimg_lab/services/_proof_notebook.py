"""A saved notebook: what its cells show, and a copy in which each output is marked."""

from __future__ import annotations

import copy
import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contimg_lab.errors import InvalidInput

__all__ = ["MARK", "Mark", "Notebook", "Output", "read_notebook", "write_copy"]

MARK = "contimg_lab_mark"
"""Key in the metadata of an output that marks another."""

_MOST_BYTES = 500_000_000
_COLOURS = {"same": "#e3f1e3", "changed": "#f8d0cc"}
_OTHER_COLOUR = "#fff0c2"


@dataclass(frozen=True, slots=True)
class Output:
    """What one cell shows once: places count from 1; ``data`` by media type."""

    cell: int
    output: int
    data: Mapping[str, Any] = field(repr=False)
    metadata: Mapping[str, Any] = field(repr=False)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is to be seen."""
        return not any(map(_is_seen, self.data.values()))


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of format 4 as it was saved, and its outputs in order."""

    book: Mapping[str, Any] = field(repr=False)
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a copy says beside one output."""

    cell: int
    output: int
    word: str
    text: str


def read_notebook(path: str | os.PathLike[str]) -> Notebook:
    """Read a notebook; nothing in it is run.

    Raises
    ------
    InvalidInput
        There is no such file, it is no notebook of format 4, or it is larger than 500 MB.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise InvalidInput(f"{file}: there is no such file")
        if file.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"{file}: larger than 500 MB; no notebook of ours is")
        book = json.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise InvalidInput(f"{file}: nested deeper than any notebook") from error
    except InvalidInput:
        raise
    except ValueError as error:
        raise InvalidInput(f"{file}: no notebook, for it is no JSON: {error}") from error
    if not isinstance(book, dict) or "nbformat" not in book:
        raise InvalidInput(f"{file}: no notebook, though it is JSON")
    if book["nbformat"] != 4:
        told = f"notebook format {str(book['nbformat'])[:20]!r}, not 4"
        raise InvalidInput(f"{file}: {told}; open it in Jupyter and save it again")
    return Notebook(book, tuple(_outputs(file, book)))


def _outputs(file: Path, book: Mapping[str, Any]) -> Sequence[Output]:
    found = []
    for number, cell in enumerate(_list(file, book.get("cells"), "its cells"), 1):
        where = f"cell {number}"
        outputs = _object(file, cell, where).get("outputs", [])
        for place, output in enumerate(_list(file, outputs, f"{where}, outputs"), 1):
            held = _object(file, output, f"{where}, output {place}")
            metadata = held.get("metadata", {})
            found.append(
                Output(number, place, _shown(held), metadata if isinstance(metadata, dict) else {})
            )
    return found


def _shown(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is to be seen: the forms of a value, printed text, or an error."""
    data = output.get("data", {})
    shown = dict(data) if isinstance(data, dict) else {"data": data}
    shown |= {name: output[name] for name in ("text", "traceback", "evalue") if name in output}
    return shown


def _is_seen(content: object) -> bool:
    lines = content if isinstance(content, list) else [content]
    return any(line.strip() if isinstance(line, str) else True for line in lines)


def _list(file: Path, value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidInput(f"{file}: {what} are not as a notebook has them")
    return value


def _object(file: Path, value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{file}: {what} is not as a notebook has it")
    return value


def write_copy(notebook: Notebook, marks: Sequence[Mark], path: str | os.PathLike[str]) -> Path:
    """Write a copy of a notebook in which a mark stands below each output that was judged.

    What the notebook holds is copied as it is, scripts too: Jupyter runs none of a notebook that
    you did not make.

    Raises
    ------
    InvalidInput
        The file exists already, or cannot be written.
    """
    file = Path(path)
    book = copy.deepcopy(dict(notebook.book))
    for mark in sorted(marks, key=lambda one: (one.cell, one.output), reverse=True):
        book["cells"][mark.cell - 1]["outputs"].insert(mark.output, _marked(mark))
    text = json.dumps(book, indent=1) + "\n"
    try:
        with file.open("x", encoding="ascii") as stream:
            try:
                stream.write(text)
                stream.flush()
            except OSError:
                file.unlink()
                raise
    except FileExistsError as error:
        raise InvalidInput(f"{file}: is there already, and is not written over") from error
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be written: {error.strerror}") from error
    return file


def _marked(mark: Mark) -> dict[str, Any]:
    colour = _COLOURS.get(mark.word, _OTHER_COLOUR)
    style = f"background:{colour};color:#111;border:1px solid #999;padding:.2em .5em"
    told = f'<div style="{style}">{html.escape(mark.text)}</div>'
    return {
        "output_type": "display_data",
        "data": {"text/html": told, "text/plain": mark.text},
        "metadata": {MARK: {"word": mark.word}},
    }
