"""A small grid of verdicts: rows by columns, each cell a sign, a number, a word and a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from contimg_lab.panels._board import Board
from contimg_lab.panels._home import Home
from contimg_lab.panels._words import escape

__all__ = ["Cell", "Heading", "Matrix", "MatrixRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One verdict.

    Attributes
    ----------
    key
        What it is known by.
    sign, text, word
        What is read: the sign and the word say what ``state`` says by colour.
    state
        ok, warn, bad or none.
    why
        The reason, where it is pointed at.
    told
        The same with its place, where the keyboard is.
    """

    key: str
    sign: str
    text: str
    word: str
    state: str
    why: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One row: its key, its name with the worst sign, and its cells."""

    key: str
    name: str
    sign: str
    state: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above a column, and what pointing at it tells."""

    text: str
    why: str = ""


class Matrix(Board):
    """A grid of cells in which one can be chosen.

    Parameters
    ----------
    label
        What it is.
    home
        Where what it hears is taken.
    height_px
        Height that it always takes, without the line below it.
    on_choose
        Called with the key of the cell that was chosen.
    """

    height_px = traitlets.Int().tag(sync=True)

    def __init__(
        self, label: str, home: Home, height_px: int, on_choose: Callable[[str], None]
    ) -> None:
        self.columns: tuple[Heading, ...] = ()
        self.rows: tuple[MatrixRow, ...] = ()
        self.chosen: str | None = None
        self.lit: str | None = None
        self._on_choose = on_choose
        super().__init__("matrix", label, home, height_px=height_px)

    def show(self, columns: Sequence[Heading], rows: Sequence[MatrixRow]) -> None:
        """Show a table; the first heading is that of the rows' names. The focus stays."""
        if (tuple(columns), tuple(rows)) != (self.columns, self.rows):
            self.columns, self.rows = tuple(columns), tuple(rows)
            self._tell()

    def mark(self, chosen: str | None, lit: str | None) -> None:
        """Mark a cell as chosen and light a row, by their keys; nobody is told."""
        if (chosen, lit) != (self.chosen, self.lit):
            self.chosen, self.lit = chosen, lit
            self.send({"say": "mark", **self._marked()})

    def cell(self, key: str | None) -> Cell | None:
        """Return the cell of a key, or None."""
        cells = (cell for row in self.rows for cell in row.cells)
        return next((cell for cell in cells if cell.key == key), None)

    def to_html(self) -> str:
        """Return the table as plain HTML."""
        head = "".join(f"<th>{escape(column.text)}</th>" for column in self.columns)
        body = "".join(
            f"<tr><th>{escape(row.sign)} {escape(row.name)}</th>"
            + "".join(
                f"<td title='{escape(cell.why)}'>{escape(_words(cell))}</td>" for cell in row.cells
            )
            + "</tr>"
            for row in self.rows
        )
        table = f"<table style='white-space:nowrap'><thead><tr>{head}</tr></thead><tbody>{body}"
        return f"<div style='overflow-x:auto'>{table}</tbody></table></div>"

    def to_text(self) -> str:
        """Return the table as plain text."""
        lines = [[column.text for column in self.columns]]
        lines += [[f"{r.sign} {r.name}", *map(_words, r.cells)] for r in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _tell(self) -> None:
        said = {
            "columns": [asdict(c) for c in self.columns],
            "rows": [asdict(r) for r in self.rows],
        }
        self.send({"say": "table", **said, **self._marked()})

    def _marked(self) -> dict[str, Any]:
        return {"chosen": self.chosen, "lit": self.lit}

    def _answer(self, content: Any) -> None:
        key = content.get("key")
        if content.get("do") == "press" and self.cell(key) is not None:
            self._on_choose(key)


def _words(cell: Cell) -> str:
    return f"{cell.sign} {cell.text} {cell.word}"
