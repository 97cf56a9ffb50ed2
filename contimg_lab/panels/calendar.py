"""Calendar: how each night stands with its reviewers, what its entry says, what has changed."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contimg_lab.config import ledger_path
from contimg_lab.errors import LedgerError
from contimg_lab.panels._base import Panel
from contimg_lab.panels._board import Chip, Chips
from contimg_lab.panels._calendar_words import (
    NEEDS,
    NOT_KNOWN,
    WAITING,
    chips,
    columns,
    counts,
    is_let_through,
    months_of,
    standing,
)
from contimg_lab.panels._difference import change_columns, change_html, findings_html, headline
from contimg_lab.panels._entry_words import Told, entry_html
from contimg_lab.panels._months import Months
from contimg_lab.panels._table import Table
from contimg_lab.panels._words import error_html, error_words, escape
from contimg_lab.records.sign_offs import NightState

if TYPE_CHECKING:
    from contimg_lab.services._sign_off_check import SignOffCheck
    from contimg_lab.services._standing import Standing

__all__ = ["CalendarPanel"]

DIFFERENCE, SIGN = "d", "s"
_HINT = (
    "<span class='contimg-quiet'>Choose a night (click, or arrow keys and Enter) to see its entry; "
    "press d for what has changed since it was signed, s to sign it.</span>"
)
_NO_NIGHT = "no such night in this database"
_UNSIGNED = "nobody has signed this night: there is nothing to compare it with"


@dataclass(frozen=True, slots=True)
class _Page:
    """How nights stand; with what keeps them up to date, or why nobody knows."""

    states: Sequence[NightState]
    path: Path
    is_there: bool
    standing: Standing | None
    trouble: LedgerError | None = None


class CalendarPanel(Panel):
    """Nights in a calendar: unsigned, accepted, rejected, on hold, or stale since when.

    Signed nights are held against their rows in the background, by what ``lab.events()`` has
    running while anybody listens; what it finds is shown at once, and nothing is asked for again.

    Parameters
    ----------
    lab
        An open Lab.
    state
        First value of the filter: one of `contimg_lab.records.sign_offs.STATES`,
        ``needs somebody`` (unsigned or stale), or empty for all.
    start
        Read at once.
    """

    title = "Calendar"
    by_frames = False
    selects = "night"
    shows = ("sign_off", "stale", "job")

    def __init__(self, lab: Any, *, state: str = "", start: bool = True) -> None:
        self._first_state = state
        self._standing: Standing | None = None
        self._heard: dict[str, NightState] = {}
        self._states: dict[str, NightState] = {}
        self._told: Told | None = None
        self._check: SignOffCheck | None = None
        super().__init__(lab, start=start)
        # it stands below the bar, and is a filter of it all the same
        self._head.filters = (self._state_filter,)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        self._state_filter = Chips("nights by state", self._home, value=self._first_state)
        self._ledger = widgets.HTML()
        self._months = Months("nights by month", self._home, 270, self._press, DIFFERENCE + SIGN)
        self._actions = Chips("what to do with the night", self._home, on_press=self._act)
        self._said = widgets.HTML(_HINT)
        self._table = Table("nights", 190, self._choose)
        self._changes = Table("changes", 190, self._choose_change)
        self._facts = widgets.HTML()
        for part in (self._ledger, self._facts, self._said):
            part.add_class("contimg-detail")
        for table in (self._table, self._changes):
            self._watch(*table.watched)
            table.widget.layout.width = "100%"
        self._watch(self._state_filter, self._on_state)
        still = {"overflow": "auto", "min_width": "0"}
        line = {"align_items": "center", "flex": "0 0 auto"}
        strip = [widgets.Box([self._actions], layout={"flex": "0 0 auto"})]
        strip.append(widgets.Box([self._said], layout=still | {"flex": "1 1 200px"}))
        tables = [self._table.widget, self._changes.widget]
        boxes = [
            widgets.Box(tables, layout={"flex": "3 1 420px", "min_width": "0"}),
            widgets.Box([self._facts], layout=still | {"flex": "2 1 320px", "height": "215px"}),
        ]
        self._open_difference(None)
        return [], [
            widgets.Box([self._state_filter], layout=line | {"min_height": "30px"}),
            widgets.Box([self._ledger], layout=still | {"height": "36px"}),
            self._months,
            widgets.Box(strip, layout=line | {"height": "36px", "grid_gap": "0 10px"}),
            widgets.Box(boxes, layout={"flex_flow": "row wrap", "grid_gap": "4px 12px"}),
        ]

    async def _fetch(self) -> _Page:
        context = self._lab.qa.context
        path = ledger_path(self._lab.config)
        is_there = await asyncio.to_thread(path.exists)
        try:
            states = await self._lab.qa.states(check=False)
            return _Page(states, path, is_there, context.standing)
        except LedgerError as error:
            nights = await self._lab.nights()
            unknown = [NightState(night=night, state=NOT_KNOWN) for night in nights]
            return _Page(unknown, path, is_there, None, error)

    def _show(self, value: _Page) -> str:
        if value.standing is not None and self._standing is not value.standing:
            value.standing.hear(self._on_checked)
            self._standing = value.standing
        states = [_later(state, self._heard.get(state.night)) for state in value.states]
        self._states = {state.night: state for state in states}
        self._ledger.value = _ledger_html(value)
        wanted = self._state_filter.value
        known = value.trouble is None
        self._state_filter.show(chips(states) if known else [])
        self._months.show(months_of(states, wanted if known else ""))
        shown = [state for state in states if not known or is_let_through(state, wanted)]
        shown.reverse()  # the latest first
        keys = [state.night for state in shown]
        self._table.show(
            columns(shown),
            keys,
            total=len(states),
            selected=self.selected,
            marked=self._ties.marks(keys, keys),
        )
        self._frame = None
        self._make_frame, self._asked = None, None
        if known:
            given = self._lab.config.ledger
            let = (WAITING if wanted == NEEDS else (wanted,)) if wanted else None
            self._make_frame = functools.partial(_frame, shown[::-1])
            self._asked = (
                "calendar",
                {"states": let, "ledger": None if given is None else str(given)},
            )
        self._tell_chosen()
        return counts(states)

    # what the background finds

    def _on_checked(self, state: NightState) -> None:
        """Show how a night stands that was just held against its rows."""
        self._heard[state.night] = state
        if self.state == "closed" or self._last is None:
            return
        self._counts = self._show(self._last)
        self._settle()

    # what is chosen

    def _on_state(self, change: Any) -> None:
        if self._last is not None:
            self._counts = self._show(self._last)
            self._settle()

    def _choose(self, key: str | None) -> None:
        self._mark(key)
        super()._choose(key)

    def _mark(self, key: str | None) -> None:
        self._months.mark(key)
        self._table.mark(key)

    def _press(self, does: str, key: str) -> None:
        """Take what the calendar says: a night, or one of its letters."""
        if key and key != self.selected:
            self._choose(key)
        if does in (DIFFERENCE, SIGN):
            self._act(does)

    def _act(self, does: str) -> None:
        night = self.selected
        if night is None:
            self._said.value = _HINT
        elif does == SIGN:
            self._sign(night)
        elif self._check is not None and self._check.night == night:
            self._open_difference(None)
            self._tell_chosen()
        else:
            self._compare(night)

    async def _fetch_detail(self, key: str) -> Told:
        standing = self._lab.qa.context.standing
        mine = [one for one in await standing.refresh() if one.night == key]
        if not mine:
            return Told(None)
        entry = await self._lab.qa.entry(mine[-1].number)
        head = await asyncio.to_thread(self._lab.qa.context.ledger.head)
        return Told(entry, mine[:-1], head)

    def _show_detail(self, key: str | None, value: Told | None) -> None:
        self._told = value
        entry = None if value is None else value.entry
        number = None if entry is None else entry.number
        if self._check is not None and (self._check.night, self._check.number) != (key, number):
            self._open_difference(None)
        self._tell_chosen()

    def _show_detail_error(self, words_html: str) -> None:
        self._told = None
        self._facts.value = words_html

    def _tell_chosen(self) -> None:
        """Write what is known of the chosen night, below what was found of it."""
        state = None if self.selected is None else self._states.get(self.selected)
        self._offer(state)
        if self.selected is None:
            self._facts.value, self._said.value = "", _HINT
        elif self._told is not None:
            entry = entry_html(_NO_NIGHT if state is None else standing(state), self._told)
            found = "" if self._check is None else findings_html(self._check)
            self._facts.value = f"{found}{entry}"
            if self._check is None:
                self._said.value = ""

    def _offer(self, state: NightState | None) -> None:
        signed = state is not None and state.number is not None
        stale = state is not None and state.state == "stale"
        sign = "Sign again (s)" if signed else "Sign (s)"
        self._actions.show(
            [
                Chip(
                    key=DIFFERENCE,
                    text="Difference (d)",
                    state="bad" if stale else "",
                    title="what has changed since the night was signed; once more: back",
                    off=not signed,
                ),
                Chip(
                    key=SIGN, text=sign, title="go to the sign-off of the night", off=state is None
                ),
            ]
        )

    # the difference

    def _compare(self, night: str) -> None:
        state = self._states.get(night)
        if state is None or state.number is None:
            self._said.value = f"<span class='contimg-quiet'>{escape(_UNSIGNED)}</span>"
            return
        number = state.number

        def show(check: SignOffCheck) -> None:
            if check.night == self.selected:
                self._open_difference(check)
                self._tell_chosen()

        self._ask("difference", lambda: self._lab.qa.verify(number), show)

    def _open_difference(self, check: SignOffCheck | None) -> None:
        """Show what was found in place of the table of nights; None: the nights again."""
        self._check = check
        self._actions.value = "" if check is None else DIFFERENCE
        for table, is_shown in ((self._table, check is None), (self._changes, check is not None)):
            table.widget.layout.display = None if is_shown else "none"
        changes = () if check is None else check.changes or ()
        keys = [str(at) for at in range(len(changes))]
        self._changes.show(change_columns(changes), keys, total=len(changes))
        if check is not None:
            word = "contimg-bad" if changes else ""
            self._said.value = f"<span class='{word}'>{escape(headline(check))}</span>"

    def _choose_change(self, key: str | None) -> None:
        """Tell one change in full, above the rest."""
        if self._check is None or not self._check.changes:
            return
        self._tell_chosen()
        if key is not None:
            told = change_html(self._check.changes[int(key)])
            self._facts.value = f"{told}{self._facts.value}"

    def _on_end(self, slot: str, error: BaseException | None) -> None:
        super()._on_end(slot, error)
        if slot == "difference" and isinstance(error, Exception):
            self._facts.value = error_html(error)

    # to the sign-off

    def _sign(self, night: str) -> None:
        """Go where the night can be signed, or say how."""
        self._lab.selection.night = night
        if self.show_panel("sign_off"):
            self._months.leave()
            return
        way = f"lab.qa.sign_panel({night!r})"
        self._said.value = f"No dashboard holds this panel; sign by <code>{escape(way)}</code>"

    def close(self) -> None:
        """Stop hearing of checks, and close."""
        standing: Standing | None = getattr(self, "_standing", None)
        if standing is not None:
            standing.leave(self._on_checked)
            self._standing = None
        super().close()

    def _static(self) -> tuple[str, str]:
        html = f"{self._state_filter.to_html()}{self._ledger.value}{self._months.to_html()}"
        table = self._table if self._check is None else self._changes
        html += f"{table.to_html()}{self._facts.value}"
        return html, f"{self._months.to_text()}\n{table.to_text()}"


def _later(read: NightState, heard: NightState | None) -> NightState:
    """Of what was read and what was heard of a night, what is known later."""
    if heard is None or heard.number != read.number or heard.checked_at is None:
        return read
    if read.checked_at is None or heard.checked_at > read.checked_at:
        return heard
    return read


def _ledger_html(page: _Page) -> str:
    """Say where the ledger lies, or what is the matter with it."""
    if page.trouble is not None:
        return (
            "<span class='contimg-bad' role='alert'>✗ The ledger cannot be read, so nobody's "
            f"decision is known here: {escape(error_words(page.trouble))} Mend it, then press "
            "Refresh.</span>"
        )
    path = f"<code>{escape(page.path)}</code>"
    if not page.is_there:
        return f"No ledger yet: nobody has signed a night; the first sign-off makes {path}"
    return f"Ledger {path}"


def _frame(states: Sequence[NightState]) -> Any:
    from contimg_lab.services._frames import record_frame

    return record_frame(NightState, states)
