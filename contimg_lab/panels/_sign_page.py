"""What the sign-off panel reads: a report once, and whether it holds as often as it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import LedgerError
from contimg_lab.panels._controls import night_of
from contimg_lab.panels._sign_words import Line, state_line, verdict_line
from contimg_lab.panels._words import error_words
from contimg_lab.records.sign_offs import NightState

if TYPE_CHECKING:
    from pathlib import Path

    from contimg_lab.ledger.chain import Entry
    from contimg_lab.ledger.changes import Change
    from contimg_lab.services.night_report import NightReport

__all__ = ["Page", "read_page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One night as it was read.

    Attributes
    ----------
    nights, asked
        Every night, and what the filter said.
    token
        State of the data that ``changes`` tells of.
    report, changes
        What was judged, and what of its rows has changed since.
    state, entry, ledger
        How the night stands in the ledger, the last entry about it, and where the ledger lies.
    unreadable
        Why the ledger could not be read.
    """

    nights: Sequence[str]
    asked: str
    token: object = None
    report: NightReport | None = None
    changes: tuple[Change, ...] = ()
    state: NightState | None = None
    entry: Entry | None = None
    ledger: Path | None = None
    unreadable: LedgerError | None = None

    def lines(self) -> list[Line]:
        """How the night stands, and what its checks come to."""
        lines: list[Line] = []
        if self.unreadable is not None:
            words = f"The ledger cannot be read: {error_words(self.unreadable)}"
            lines.append(("✗", "bad", words))
        elif self.state is not None:
            lines.append(state_line(self.state))
        if self.report is not None:
            lines.append(verdict_line(self.report))
        return lines

    def entries(self, corrects: int | None) -> list[tuple[str, int]]:
        """Entries that can be put right, with their words; ``corrects`` is among them."""
        found: list[tuple[str, int]] = []
        state = self.state
        if state is not None and state.number is not None:
            words = f"entry {state.number}: {state.decision}, by {state.reviewer}"
            found.append((words, state.number))
        if corrects is not None and corrects not in [number for _, number in found]:
            found.append((f"entry {corrects}", corrects))
        return found


async def read_page(
    lab: Any, asked: str, before: Page | None, *, given: NightReport | None, again: bool
) -> Page:
    """Read a night; one that was judged is held against the data, and judged anew on demand only.

    Parameters
    ----------
    lab
        An open Lab.
    asked
        Value of the filter of nights.
    before
        What was read last: while the filter is the same, so are night and report.
    given
        A report to begin with.
    again
        Judge anew.
    """
    nights = await lab.nights()
    page = Page(nights=nights, asked=asked, token=await lab.token())
    held = None if before is None or before.asked != asked else before.report
    if held is None and given is not None and asked == given.night:
        held = given
    night = night_of(asked, nights) if held is None else held.night
    night = night or (nights[-1] if nights else None)
    if night is None:
        return page
    if held is None or again:
        limits = None if held is None else held.thresholds.name
        page = replace(page, report=await lab.qa.night(night, thresholds=limits))
    elif before is not None and before.report is held and before.token == page.token:
        page = replace(page, report=held, changes=before.changes)
    else:
        page = replace(page, report=held, changes=await lab.qa.changes(held))
    try:
        states = await lab.qa.states(night, night)
        state = states[0] if states else NightState(night=night, state="unsigned")
        if state.number is None:
            return replace(page, state=state)
        entry = await lab.qa.entry(state.number)
        return replace(page, state=state, entry=entry, ledger=lab.qa.context.ledger.path)
    except LedgerError as error:
        return replace(page, unreadable=error)
