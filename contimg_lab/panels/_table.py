"""The table of a panel: a grid over all rows while it is live, HTML and text where it is saved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from contimg_lab.panels._rows import Column, Rows, Written, numbers
from contimg_lab.panels._words import escape

__all__ = ["Column", "Table", "Written", "numbers"]

_STATIC_ROWS = 20
_LONG = 100_000  # from here on digits are read in groups of three


class Table:
    """A table in which one row can be chosen; rows are known by a key.

    Parameters
    ----------
    noun
        What a row is, in the plural.
    height_px
        Height that the table always takes.
    on_select
        Called with the key of the row that the user chose, or None.
    """

    def __init__(self, noun: str, height_px: int, on_select: Callable[[str | None], None]) -> None:
        import ipywidgets as widgets

        from contimg_lab.panels._grid import Grid

        self.noun = noun
        self._total, self._note = 0, ""
        self._on_select = on_select
        self._caption = widgets.HTML()
        self._caption.add_class("contimg-caption")
        self._grid = Grid(noun, height_px, self._count)
        self.widget = widgets.VBox([self._grid, self._caption], layout={"min_width": "0"})

    @property
    def watched(self) -> tuple[Any, Callable[[Any], None], str]:
        """What the panel has to observe, and to stop observing."""
        return self._grid, self._chosen, "chosen"

    @property
    def rows(self) -> Rows:
        """What is shown, in its order."""
        return self._grid.rows

    @property
    def counts(self) -> str:
        """How many of how many rows are shown."""
        return f"{_digits(len(self.rows))} of {_digits(self._total)} {self.noun}"

    def show(
        self,
        columns: Sequence[Column],
        keys: Sequence[str],
        *,
        total: int,
        selected: str | None = None,
        note: str = "",
        marked: Collection[str] = (),
    ) -> None:
        """Put all rows on screen; the user's order, the scroll and the focus stay.

        Parameters
        ----------
        columns, keys
            What to show, and the key of each row.
        total
            How many rows there are without filters.
        selected
            Key of the row to mark.
        note
            Words after the count.
        marked
            Keys of rows that are new.
        """
        self._total, self._note = total, note
        self._grid.show(Rows(columns, keys, marked), selected)

    def mark(self, key: str | None) -> None:
        """Mark the row of a key, and no other, without telling anybody."""
        self._grid.mark(key)

    def sort(self, title: str | None, *, down: bool = False) -> None:
        """Sort all rows by a column, as a click on its header does; None: as they came."""
        self._grid.sort(title, down=down)

    def filter(self, text: str, titles: Collection[str] = ()) -> None:
        """Show only rows that hold a text in one of some columns, of all of them by default."""
        self._grid.filter(text, titles)

    async def settled(self) -> None:
        """Wait until the rows stand in the order that was asked for."""
        await self._grid.settled()

    def to_html(self) -> str:
        """Return the first rows as plain HTML, with how many there are."""
        columns = self.rows.columns
        sides = [f"style='text-align:{'right' if c.right else 'left'}'" for c in columns]
        head = "".join(
            f"<th {side}>{escape(column.title)}</th>"
            for column, side in zip(columns, sides, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(
                f"<td {side}>{escape(cell)}</td>"
                for cell, side in zip(row["cells"], sides, strict=True)
            )
            + "</tr>"
            for row in self.rows.page(0, _STATIC_ROWS)
        )
        return (
            "<div style='overflow-x:auto'><table style='white-space:nowrap'>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
            f"<p>{escape(self._static_counts())}</p>"
        )

    def to_text(self) -> str:
        """Return the first rows as plain text, with how many there are."""
        lines = [[column.title for column in self.rows.columns]]
        lines += [row["cells"] for row in self.rows.page(0, _STATIC_ROWS)]
        widths = [max(len(cell) for cell in cells) for cells in zip(*lines, strict=True)]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([*text, self._static_counts()])

    def _static_counts(self) -> str:
        shown = min(len(self.rows), _STATIC_ROWS)
        return f"{shown} of {_digits(self._total)} {self.noun}{self._order()}"

    def _order(self) -> str:
        by = self._grid.sorted_by
        return "" if by is None else f"; sorted by {by[0]}, {'down' if by[1] else 'up'}"

    def _count(self) -> None:
        trouble = f"; {self._grid.trouble}" if self._grid.trouble else ""
        self._caption.value = escape(f"{self.counts}{self._note}{self._order()}{trouble}")

    def _chosen(self, change: Any) -> None:
        if not self._grid.quiet:
            self._on_select(change["new"])


def _digits(count: int) -> str:
    return f"{count:,}" if count >= _LONG else str(count)
