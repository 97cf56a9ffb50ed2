"""A calendar of months: days that have data bear a sign and a word, and one can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from contimg_lab.panels._board import Board
from contimg_lab.panels._home import Home
from contimg_lab.panels._words import escape

__all__ = ["Day", "Month", "Months"]

_WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day that has data.

    Attributes
    ----------
    key
        UTC date.
    day
        Day of the month.
    sign, word
        What is read; they say what ``state`` says by colour.
    state
        Of the style sheet: ok, warn, bad, stale or open.
    told
        Everything, in words.
    off
        Whether a filter leaves it out.
    """

    key: str
    day: int
    sign: str
    word: str
    state: str
    told: str
    off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month, or (without days in it) the time between two in which there is nothing.

    Attributes
    ----------
    key
        ``YYYY-MM``.
    name
        Its heading.
    lead, length
        Weekday of its first day, from Monday as 0, and how many days it has; 0 for a gap.
    days
        Days with data, ascending.
    """

    key: str
    name: str
    lead: int = 0
    length: int = 0
    days: tuple[Day, ...] = ()


class Months(Board):
    """Months one after the other, at one height whatever there is.

    Parameters
    ----------
    label
        What it is.
    home
        Where what it hears is taken.
    height_px
        Height that it always takes, without the lines below it.
    on_press
        Called with what was asked (``choose``, or one of ``letters``) and the day's key,
        empty where there is none.
    letters
        Those that are heard wherever the focus is in the panel.
    """

    height_px = traitlets.Int().tag(sync=True)
    letters = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        label: str,
        home: Home,
        height_px: int,
        on_press: Callable[[str, str], None],
        letters: str = "",
    ) -> None:
        self.months: tuple[Month, ...] = ()
        self.chosen: str | None = None
        self._sent: dict[str, Month] = {}
        self._on_press = on_press
        super().__init__("months", label, home, height_px=height_px, letters=letters)

    def show(self, months: Sequence[Month]) -> None:
        """Show months in place of those before; only what differs is sent. The scroll stays."""
        if tuple(months) != self.months:
            self.months = tuple(months)
            self._say()

    def mark(self, chosen: str | None) -> None:
        """Mark a day as chosen and bring it in sight; nobody is told."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.send({"say": "mark", "chosen": chosen})

    def leave(self) -> None:
        """Give the focus to the tab that was opened instead of this one."""
        self.send({"say": "leave"})

    def day(self, key: str | None) -> Day | None:
        """Return the day of a key, or None."""
        days = (day for month in self.months for day in month.days)
        return next((day for day in days if day.key == key), None)

    def to_html(self) -> str:
        """Return the months as plain HTML, a table each."""
        parts = "".join(map(_month_html, self.months))
        return f"<div style='display:flex;flex-wrap:wrap;gap:4px 16px'>{parts}</div>"

    def to_text(self) -> str:
        """Return the months as plain text, a line for each day that has data."""
        return "\n".join(f"{d.key} {d.sign} {d.word}" for month in self.months for d in month.days)

    def _tell(self) -> None:
        self._sent = {}
        self._say()

    def _say(self) -> None:
        changed = [month for month in self.months if self._sent.get(month.key) != month]
        self._sent = {month.key: month for month in self.months}
        said = [asdict(month) for month in changed]
        order = [month.key for month in self.months]
        self.send({"say": "months", "order": order, "months": said, "chosen": self.chosen})

    def _answer(self, content: Any) -> None:
        does, key = str(content.get("do")), content.get("key")
        known = self.day(key) is not None
        if (does == "choose" and known) or (len(does) == 1 and does in self.letters):
            self._on_press(does, str(key) if known else "")


def _month_html(month: Month) -> str:
    if not month.length:
        return f"<p>{escape(month.name)}</p>"
    days = {day.day: day for day in month.days}
    cells = [""] * month.lead + [_cell_html(n, days.get(n)) for n in range(1, month.length + 1)]
    cells += [""] * (-len(cells) % 7)
    rows = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells[at : at + 7]) + "</tr>"
        for at in range(0, len(cells), 7)
    )
    head = "".join(f"<th>{name}</th>" for name in _WEEKDAYS)
    return (
        f"<table style='white-space:nowrap'><caption>{escape(month.name)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _cell_html(number: int, day: Day | None) -> str:
    return str(number) if day is None else f"{number} {escape(day.sign)} {escape(day.word)}"
