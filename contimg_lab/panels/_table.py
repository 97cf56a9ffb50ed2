"""The table of a panel: plain rows at once, then itables; plain HTML and text where it is saved.

The plain rows are there before the half megabyte of script that a live table is; the style
sheet hides them as soon as the live table is drawn over them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._words import MISSING, escape

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "Table"]

_STATIC_ROWS = 50
_FIRST_ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column as it is read: texts, and what to sort them by where text order is wrong."""

    title: str
    texts: Sequence[str]
    sort_by: Sequence[float | None] | None = None

    @property
    def right(self) -> bool:
        """Numbers stand to the right."""
        return self.sort_by is not None


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
    want_grid
        Called with the table when plain rows are shown; sees to it that `make_grid` is called.
    """

    def __init__(
        self,
        noun: str,
        height_px: int,
        on_select: Callable[[str | None], None],
        want_grid: Callable[[Table], None],
    ) -> None:
        import ipywidgets as widgets

        self.noun = noun
        self._columns: tuple[Column, ...] = ()
        self._keys: tuple[str, ...] = ()
        self._total = self._matching = 0
        self._marked: str | None = None
        self._on_select = on_select
        self._want_grid = want_grid
        self._quiet = False
        self._options: dict[str, Any] = {
            "select": "single",
            "paging": False,
            "layout": dict.fromkeys(("topStart", "topEnd", "bottomStart", "bottomEnd")),
            "showIndex": False,
            "maxBytes": 0,
            "maxColumns": 0,
            "classes": "display compact nowrap",
            "style": "width:100%;margin:0",
            "allow_html": False,
            "text_in_header_can_be_selected": False,
            "language": {"emptyTable": f"no {noun} to show", "zeroRecords": f"no {noun} to show"},
        }
        self._grid: Any = None
        self._plain = widgets.HTML()
        self._plain.add_class("contimg-plain")
        self._caption = widgets.HTML()
        self._caption.add_class("contimg-caption")
        self._scroll = widgets.Box(
            [self._plain],
            layout={"height": f"{height_px}px", "overflow": "auto", "flex": "0 0 auto"},
        )
        self._scroll.add_class("contimg-scroll")
        self.widget = widgets.VBox([self._scroll, self._caption], layout={"min_width": "0"})

    @property
    def counts(self) -> str:
        """How many of how many rows are shown."""
        return f"{len(self._keys)} of {self._total} {self.noun}"

    def show(
        self,
        columns: Sequence[Column],
        keys: Sequence[str],
        *,
        matching: int,
        total: int,
        selected: str | None = None,
        note: str = "",
    ) -> None:
        """Put rows on screen; a table that did not change keeps its sort order and scroll.

        Parameters
        ----------
        columns, keys
            What to show, and the key of each row.
        matching
            How many rows the filters let through; where these are fewer, the header does not
            sort, since a part of the rows would be sorted as if it were all.
        total
            How many rows there are without filters.
        selected
            Key of the row to mark.
        note
            Words after the count.
        """
        changed = tuple(columns) != self._columns or tuple(keys) != self._keys
        self._columns, self._keys, self._total = tuple(columns), tuple(keys), total
        self._matching, self._marked = matching, selected
        cut = "" if len(keys) == matching else f"; the first of {matching} that match"
        self._caption.value = escape(f"{self.counts}{note}{cut}")
        if self._grid is None:
            self._plain.value = self._rows_html(_FIRST_ROWS)
            self._want_grid(self)
        elif changed:
            self._plain.value = ""
            self._quiet = True
            try:
                self._grid.update(self._frame(), **self._arguments())
            finally:
                self._quiet = False
        else:
            self.mark(selected)

    def make_grid(self) -> tuple[Any, Callable[[Any], None], str]:
        """Put the live table over the plain rows; return what there is to observe."""
        from itables.widget import ITable

        self._grid = ITable(self._frame(), **self._arguments())
        self._scroll.children = (self._grid, self._plain)
        return self._grid, self._selected, "selected_rows"

    def mark(self, key: str | None) -> None:
        """Mark the row of a key, and no other, without telling anybody."""
        self._marked = key
        rows = self._rows_of(key)
        if self._grid is not None and self._grid.selected_rows != rows:
            self._quiet = True
            try:
                self._grid.selected_rows = rows
            finally:
                self._quiet = False

    def to_html(self) -> str:
        """Return the first rows as plain HTML, with how many there are."""
        return (
            f"<div style='overflow-x:auto'>{self._rows_html(_STATIC_ROWS)}</div>"
            f"<p>{escape(self._static_counts())}</p>"
        )

    def _rows_html(self, most: int) -> str:
        sides = [f"style='text-align:{'right' if c.right else 'left'}'" for c in self._columns]
        told = list(zip(self._columns, sides, strict=True))
        head = "".join(f"<th {side}>{escape(column.title)}</th>" for column, side in told)
        body = "".join(
            "<tr>" + "".join(f"<td {side}>{escape(c.texts[i])}</td>" for c, side in told) + "</tr>"
            for i in range(min(len(self._keys), most))
        )
        return (
            "<table style='white-space:nowrap'>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def to_text(self) -> str:
        """Return the first rows as plain text, with how many there are."""
        lines = [[column.title for column in self._columns]]
        lines += [
            [column.texts[i] for column in self._columns]
            for i in range(min(len(self._keys), _STATIC_ROWS))
        ]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self._columns))]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([*text, self._static_counts()])

    def _static_counts(self) -> str:
        return f"{min(len(self._keys), _STATIC_ROWS)} of {self._total} {self.noun}"

    def _rows_of(self, key: str | None) -> list[int]:
        return [self._keys.index(key)] if key is not None and key in self._keys else []

    def _arguments(self) -> dict[str, Any]:
        return {
            "selected_rows": self._rows_of(self._marked),
            "ordering": len(self._keys) == self._matching,
            "columnDefs": self._definitions(),
            "add_rank_to_categories": True,
            **self._options,
        }

    def _definitions(self) -> list[dict[str, Any]]:
        right = [i for i, column in enumerate(self._columns) if column.right]
        left = [i for i, column in enumerate(self._columns) if not column.right]
        return [
            {"targets": right, "className": "dt-right", "type": "num"},
            {"targets": left, "className": "dt-left", "type": "string"},
        ]

    def _selected(self, change: Any) -> None:
        if not self._quiet:
            rows = [row for row in change["new"] if row < len(self._keys)]
            self._on_select(self._keys[rows[0]] if rows else None)

    def _frame(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({column.title: _cells(column) for column in self._columns})


def _cells(column: Column) -> Any:
    """Texts, as a categorical in the order to sort by: itables then sorts by rank."""
    import pandas as pd

    if column.sort_by is None:
        return list(column.texts)
    low = float("-inf")
    rank = {MISSING: low}
    for text, value in zip(column.texts, column.sort_by, strict=True):
        number = low if value is None or value != value else float(value)
        rank[text] = max(rank.get(text, low), number)
    order = sorted(rank, key=lambda text: (text != MISSING, rank[text]))
    return pd.Categorical(list(column.texts), categories=order, ordered=True)
