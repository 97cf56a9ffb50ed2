"""Night: what broke, in words and as hours by checks; a chosen check tells its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import LAST_NIGHT, Choice, night_of, night_options
from contimg_lab.panels._matrix import Matrix, MatrixRow
from contimg_lab.panels._night_words import (
    HEADINGS,
    culprits,
    facts_html,
    hours_verdict,
    matrix_rows,
    runs_verdict,
    split_key,
    summary_html,
    verdict_html,
)
from contimg_lab.panels._table import Table
from contimg_lab.services.hours import JudgedHours, read_hours

if TYPE_CHECKING:
    from contimg_lab.services.night_summary import NightSummary

__all__ = ["NightPanel"]

_HINT = (
    "<span class='contimg-quiet'>Choose a cell (click, or arrow keys and Enter) to see its value, "
    "its limits and the tiles behind it.</span>"
)
_NO_TIME = "no Measurement Set in this database has a time"


@dataclass(frozen=True, slots=True)
class _Page:
    nights: Sequence[str]
    summary: NightSummary | None


class NightPanel(Panel):
    """A night at a glance: what broke, then its UTC hours by checks.

    Parameters
    ----------
    lab
        An open Lab.
    night
        First value of the filter: a UTC date or ``last``. What is selected moves it.
    start
        Read at once.
    """

    title = "Night"
    by_night = True
    by_frames = False  # the first thing that a control room sees: it waits for no pandas
    selects = "night"
    follows = ("hour",)
    shows = ("job", "status", "image", "caltable")

    def __init__(self, lab: Any, *, night: str = LAST_NIGHT, start: bool = True) -> None:
        self._first_night = str(night)
        self._summary: NightSummary | None = None
        self._judged: JudgedHours | None = None
        self._rows: Sequence[MatrixRow] = ()
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        self._night = Choice("Night", night_options(()), self._first_night, self._on_filter)
        self._verdict = widgets.HTML()
        self._verdict.add_class("contimg-board")
        self._told = widgets.HTML()
        self._matrix = Matrix("UTC hours by checks", self._home, 194, self._choose)
        self._facts = widgets.HTML(_HINT)
        self._table = Table("rows", 150, self._choose_ms)
        for part in (self._told, self._facts):
            part.add_class("contimg-detail")
        self._watch(self._night.widget, self._night.changed)
        self._watch(*self._table.watched)
        still = {"overflow": "auto", "min_width": "0"}
        head = widgets.Box([self._verdict], layout=still | {"height": "68px"})
        more = widgets.Box([self._told], layout=still | {"height": "70px"})
        boxes = [
            widgets.Box([self._facts], layout=still | {"height": "170px", "flex": "2 1 300px"}),
            widgets.Box([self._table.widget], layout={"flex": "3 1 380px", "min_width": "0"}),
        ]
        below = widgets.Box(boxes, layout={"flex_flow": "row wrap", "grid_gap": "4px 12px"})
        self._table.widget.layout.width = "100%"
        return [self._night.widget], [head, self._matrix, below, more]

    async def _fetch(self) -> _Page:
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        if night is None:
            night = nights[-1] if nights else None
        return _Page(nights, None if night is None else await self._lab.qa.summary(night))

    def _show(self, value: _Page) -> str:
        self._night.offer([pair for pair in night_options(value.nights) if pair[1] != "all"])
        before, self._summary = self._summary, value.summary
        if value.summary is None:
            self._judged = None
            self._verdict.value = self._told.value = ""
            self._matrix.show(HEADINGS, ())
            return _NO_TIME
        summary = value.summary
        if before is None or before.night != summary.night:  # the hours of another night
            self._judged, self._rows = None, ()
            self._matrix.show(HEADINGS, ())
            self._read_detail(None)
        self._say_verdict(summary)
        self._told.value = summary_html(summary)
        self._ask("figure", lambda: self._judge(summary), self._show_hours)
        hours = f"{len(summary.hours)} of 24 hours"
        return f"Night {summary.night} (UTC): {summary.n_tiles} tiles in {hours}"

    async def _judge(self, summary: NightSummary) -> JudgedHours:
        return await read_hours(self._lab.qa.context, summary.night, summary.hours, 0.0)

    def _show_hours(self, judged: JudgedHours) -> None:
        self._judged, self._rows = judged, matrix_rows(judged)
        self._make_frame = judged.to_pandas
        self._asked = ("night", {"night": judged.night})
        self._matrix.show(HEADINGS, self._rows)
        self._mark(self.selected)
        if self._summary is not None:
            self._say_verdict(self._summary)
        if self.selected is not None:
            self._show_detail(self.selected, None)

    def _say_verdict(self, summary: NightSummary) -> None:
        parts = [runs_verdict(summary)]
        parts.append(hours_verdict(self._rows) if self._rows else ("…", "none", "judging hours"))
        self._verdict.value = verdict_html(parts)

    # what is chosen: a cell, which is an hour and a check

    def _choose(self, key: str | None) -> None:
        self._mark(key)
        self._read_detail(key)
        if key is not None and self._judged is not None:
            self._lab.selection.choose(night=self._judged.night, hour=split_key(key)[0])

    def _choose_ms(self, path: str | None) -> None:
        if path is not None:
            self._lab.selection.ms_path = path

    def _follow(self, field: str, value: Any) -> None:
        """Go to the night that is selected, and light the hour."""
        first, self._first_night = self._first_night, LAST_NIGHT
        asked_for = first != LAST_NIGHT and not self._rows  # by whoever made the panel
        shown = None if self._summary is None else self._summary.night
        if field == "night" and value is not None and value != shown and not asked_for:
            # soon: what calls this may be the reading that this gives up
            self._ask("night", lambda: asyncio.sleep(0, value), self._night.choose)
        self._mark(self.selected)

    def _mark(self, key: str | None) -> None:
        chosen = self._lab.selection
        here = self._summary is not None and chosen.night == self._summary.night
        self._matrix.mark(key, str(chosen.hour) if here and chosen.hour is not None else None)

    def _show_detail(self, key: str | None, value: Any) -> None:
        judged, summary = self._judged, self._summary
        if key is None or judged is None or summary is None:
            self._facts.value = _HINT
            self._table.show([], [], total=0)
            return
        if self._matrix.cell(key) is None:
            self._facts.value = "<span class='contimg-quiet'>This hour is not there.</span>"
            self._table.show([], [], total=0)
            return
        self._facts.value = facts_html(key, judged)
        paths, columns, note = culprits(key, judged, summary)
        self._table.show(columns, paths, total=len(paths), note=note)

    def _show_detail_error(self, words_html: str) -> None:
        self._facts.value = words_html

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else f"{self._facts.value}{self._table.to_html()}"
        html = f"{self._verdict.value}{self._matrix.to_html()}{self._told.value}{detail}"
        parts = [runs_verdict(self._summary)] if self._summary is not None else []
        parts += [hours_verdict(self._rows)] if self._rows else []
        words = "\n".join(f"{sign} {told}" for sign, _, told in parts)
        return html, f"{words}\n{self._matrix.to_text()}"
