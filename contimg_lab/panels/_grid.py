"""The live grid of a table: the browser asks for pages, Python orders and filters all rows.

It stands on regular-table (FINOS, Apache-2.0; several releases a year): a plain HTML table on a
data model that is asynchronous, so that a page may come from the kernel, and drawn for what is
visible, of any number of rows. It is 29 kB; tabulator-tables and slickgrid, kept as well, are
400 kB and more in every saved widget, page by clicks or want all rows in the browser, and know
`role=grid` only in part. Keyboard, roles and choosing are ours, in ``front/src/grid.js``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import anywidget
import traitlets

from contimg_lab.panels._front import script
from contimg_lab.panels._home import Home
from contimg_lab.panels._rows import Rows
from contimg_lab.panels._words import error_words

__all__ = ["Grid"]

_AT_ONCE = 5_000  # rows that are sorted faster than a thread is worth
_FIRST_PAGE = 60
_MOST_PAGE = 1_000


class Grid(anywidget.AnyWidget):
    """A table of any number of rows in the browser; only pages of it are sent.

    Parameters
    ----------
    noun
        What a row is, in the plural.
    height_px
        Height that it always takes.
    on_change
        Called when other rows are shown, or the same in another order.

    Attributes
    ----------
    chosen
        Key of the row that the user chose, or None.
    quiet
        Whether ``chosen`` is being set by us, and not by the user.
    trouble
        Why the rows are not in the order that was asked for, in words.
    """

    label = traitlets.Unicode().tag(sync=True)
    height_px = traitlets.Int().tag(sync=True)
    chosen = traitlets.Unicode(None, allow_none=True)  # not synced: data travels in messages

    def __init__(self, noun: str, height_px: int, on_change: Callable[[], None]) -> None:
        self._given = self._rows = Rows((), ())
        self._by: tuple[str, bool] | None = None
        self._text: tuple[str, Collection[str]] = ("", ())
        self._version = 0
        self._told = 0  # how often the browser was told what is chosen
        self._page = (0, _FIRST_PAGE)
        self._task: asyncio.Task[None] | None = None
        self._on_change = on_change
        self.quiet = False
        self.trouble = ""
        self._esm = script("grid")
        super().__init__(label=noun, height_px=height_px)
        self._home = Home()
        self.on_msg(lambda *message: self._home.call(self._heard, *message))

    def live_at(self, home: Home) -> None:
        """Hear on the loop of whoever owns this."""
        self._home = home

    @property
    def rows(self) -> Rows:
        """What is shown, in its order."""
        return self._rows

    @property
    def sorted_by(self) -> tuple[str, bool] | None:
        """Title of the column that the user sorts by, and whether downwards."""
        return self._by

    def show(self, rows: Rows, chosen: str | None = None) -> None:
        """Show rows in place of those before; order, filter and place on screen stay."""
        self._given, before = rows, self._given
        if self._by is not None:
            title = _renamed(self._by[0], before, rows)
            self._by = None if title is None else (title, self._by[1])
        self._set_chosen(chosen)
        self._arrange()

    def mark(self, key: str | None) -> None:
        """Mark the row of a key, and bring it in sight; nobody is told."""
        if key != self.chosen:
            self._set_chosen(key)
            self.send({"say": "mark", **self._marked(), "reveal": True})

    def sort(self, title: str | None, *, down: bool = False) -> None:
        """Sort all rows by a column; None: as they came."""
        by = None if title is None else (title, down)
        if by != self._by:
            self._by = by
            self._arrange()

    def filter(self, text: str, titles: Collection[str] = ()) -> None:
        """Show only rows that hold a text in one of some columns, of all of them by default."""
        self._text = (text, titles)
        self._arrange()

    async def settled(self) -> None:
        """Wait until the order that was asked for is shown."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    def close(self) -> None:
        """Give up what is under way, and close."""
        self._drop()
        super().close()

    # an order: made off the loop where it takes a moment, the latest wins

    def _arrange(self) -> None:
        self._drop()
        if len(self._given) > _AT_ONCE and (self._by is not None or self._text[0]):
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # a plain script has nothing to keep alive meanwhile
                pass
            else:
                self._task = loop.create_task(self._arrange_soon())
                return
        try:
            self._put(_arranged(self._given, self._by, self._text))
        except Exception as error:
            self._fail(error)

    async def _arrange_soon(self) -> None:
        try:
            self._put(await asyncio.to_thread(_arranged, self._given, self._by, self._text))
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        title, self._by = "" if self._by is None else self._by[0], None
        self._put(self._given)
        self.trouble = f"could not be sorted by {title}: {error_words(error)}"
        self._on_change()

    def _put(self, rows: Rows) -> None:
        self._rows, self.trouble = rows, ""
        self._version += 1
        self._say_rows()
        self._on_change()

    def _drop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # what is said to the browser, and heard

    def _set_chosen(self, key: str | None) -> None:
        self.quiet = True
        try:
            self.chosen = key
        finally:
            self.quiet = False

    def _marked(self) -> dict[str, Any]:
        self._told += 1
        return {
            "chosen": self.chosen,
            "at": self._rows.place(self.chosen),
            "told": self._told,
        }

    def _say_rows(self) -> None:
        rows = self._rows
        columns = [
            {"title": column.title, "right": column.right, "longest": longest}
            for column, longest in zip(rows.columns, rows.longest, strict=True)
        ]
        title, down = self._by or ("", False)
        by = next((i for i, column in enumerate(rows.columns) if column.title == title), None)
        self.send(
            {
                "say": "rows",
                "version": self._version,
                "count": len(rows),
                "columns": columns,
                "by": by,
                "down": down,
                **self._marked(),
                "start": self._page[0],
                "rows": rows.page(*self._page),
            }
        )

    def _heard(self, widget: Any, content: Any, buffers: Any) -> None:
        """Answer the browser; a page is written at once, since that takes no longer than asking."""
        asked = content.get("do")
        if asked in ("hello", "page", "sort") and "start" in content:
            start = max(0, int(content["start"]))
            self._page = (start, min(int(content["stop"]), start + _MOST_PAGE))
        if asked == "hello":
            self._say_rows()
        elif asked == "page":
            self.send(
                {
                    "say": "page",
                    "version": self._version,
                    "start": self._page[0],
                    "rows": self._rows.page(*self._page),
                }
            )
        elif asked == "sort":
            by = content["by"]
            self.sort(
                None if by is None else self._rows.columns[int(by)].title,
                down=bool(content["down"]),
            )
        elif asked == "choose":
            self.chosen = content["key"]
            if content.get("told") != self._told:  # what was on its way then said another
                self.send({"say": "mark", **self._marked(), "reveal": False})


def _arranged(rows: Rows, by: tuple[str, bool] | None, text: tuple[str, Collection[str]]) -> Rows:
    found = rows.filter(*text) if text[0] else rows
    return found if by is None else found.order(by[0], down=by[1])


def _renamed(title: str, before: Rows, now: Rows) -> str | None:
    """Title of a column among new ones: a unit in it may have changed; None where it is gone."""
    if any(column.title == title for column in now.columns):
        return title
    name = next((column.name for column in before.columns if column.title == title), "")
    return next((column.title for column in now.columns if name and column.name == name), None)
