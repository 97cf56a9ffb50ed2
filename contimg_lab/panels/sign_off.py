"""Sign-off: a night decided on hour by hour, each exception with its reason, and signed by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import ContimgLabError
from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import LAST_NIGHT, Choice, night_options
from contimg_lab.panels._sign_draft import Draft
from contimg_lab.panels._sign_entry import entered_line, entry_html, entry_words, judged_html
from contimg_lab.panels._sign_foot import SIGN, SIGNED, SIGNING, TRY_AGAIN, Foot
from contimg_lab.panels._sign_form import Places, write
from contimg_lab.panels._sign_page import Page, read_page
from contimg_lab.panels._sign_style import CSS
from contimg_lab.panels._sign_words import (
    Line,
    freshness_html,
    lines_html,
    lines_text,
    report_line,
    rest_html,
    state_line,
)
from contimg_lab.panels._words import error_words

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.services.night_report import NightReport

__all__ = ["SignOffPanel"]

_NO_TIME = "no Measurement Set in this database has a time"
_PAUSE_S = 0.2  # a name is being typed


class SignOffPanel(Panel):
    """The form in which a night is decided on and signed.

    What the checks say is not judged anew while somebody works: rows that change meanwhile are
    named, and *Judge again* takes them in, with all that was typed.

    Parameters
    ----------
    lab
        An open Lab.
    night
        First value of the filter: a UTC date or ``last``. What is selected moves it.
    report
        A report of ``lab.qa.night`` to decide on, in place of a night.
    corrects
        Number of the entry that is put right; None: the last about the night, if there is one.
    reviewer, key
        Who signs; and with which key or key's file, in place of the reviewer's own.
    start
        Read at once.
    """

    title = "Sign-off"
    by_night = True
    by_frames = False
    selects = "night"
    shows = (
        "job", "status", "image", "caltable", "photometry", "sign_off", "stale", "other",
    )  # fmt: skip

    def __init__(
        self,
        lab: Any,
        *,
        night: Any = LAST_NIGHT,
        report: NightReport | None = None,
        corrects: int | None = None,
        reviewer: str = "",
        key: Any = None,
        start: bool = True,
    ) -> None:
        self._first_night = str(night) if report is None else report.night
        self._given, self._key, self._corrects = report, key, corrects
        self._reviewer = reviewer
        self._asked_for = self._first_night != LAST_NIGHT
        self._page: Page | None = None
        self._draft: Draft | None = None
        self._drafts: dict[str, Draft] = {}
        self._proposed: dict[str, int | None] = {}
        self._signer: tuple[str, str, bool] | None = None
        self._act: asyncio.Task[None] | None = None
        self._act_told: Line | None = None
        self._word = SIGN
        self._judge = self._quiet = self._begins = False
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        self._night = Choice("Night", night_options(()), self._first_night, self._on_filter)
        self._told, self._changes, self._rest_told = (widgets.HTML() for _ in range(3))
        self._again = widgets.Button(
            description="Judge again",
            icon="repeat",
            tooltip="Run every check on the rows as they are now; what you typed stays",
            layout={"width": "130px", "flex": "0 0 auto"},
        )
        self._places = Places(self._home, self._changed)
        self._foot = Foot(self._reviewer)
        self._pressed = [
            (self._again, self._home.taken(self._on_again)),
            (self._foot.sign, self._home.taken(self._on_sign)),
        ]
        for button, handler in self._pressed:
            button.on_click(handler)
        self._watch(self._night.widget, self._night.changed)
        self._watch(self._foot.reviewer, self._on_reviewer)
        for widget, take in self._foot.heard():
            self._watch(widget, partial(self._on_typed, take))
        top = widgets.Box([self._told], layout={"overflow": "auto", "min_width": "0"})
        fresh = widgets.Box(
            [self._again, self._changes],
            layout={"overflow": "auto", "grid_gap": "0 12px", "align_items": "flex-start"},
        )
        top.add_class("contimg-sign-top")
        fresh.add_class("contimg-sign-fresh")
        style = widgets.HTML(f"<style>{CSS}</style>")
        self._form = widgets.VBox(
            [style, top, fresh, self._places.box, self._rest_told, self._foot.box],
            layout={"overflow": "visible"},
        )
        self._form.add_class("contimg-sign")
        return [self._night.widget], [self._form]

    # what is read: the report once, and whether it still holds as often as anything changes

    async def _fetch(self) -> Page:
        return await read_page(
            self._lab, self._night.value, self._page, given=self._given, again=self._judge
        )

    def _show(self, page: Page) -> str:
        self._night.offer([pair for pair in night_options(page.nights) if pair[1] != "all"])
        self._page, report = page, page.report
        before = self._draft
        if report is None:
            self._draft = None
            self._recheck()
            return _NO_TIME
        self._judge, self._given = False, None
        draft = self._draft = self._drafts.get(report.night) or Draft(report)
        self._drafts[report.night] = draft
        if draft.report is not report:
            draft.judge(report)
        if before is not draft:
            self._act_told, self._word = None, SIGN
            self._forget(before)
        if self._signer is None:
            self._ask("signer", self._find_signer, self._show_signer)
        self._propose(page)
        self._make_frame = partial(_outcomes, report)
        self._asked = ("sign_off", {
            "night": report.night,
            "as_of": report.as_of.isoformat(),
            "thresholds": report.thresholds.name,
        })  # fmt: skip
        self._recheck()
        self._say_page(page)
        failing = {one.check for one in report.outcomes if one.word == "fail"}
        checks = {one.check for one in report.outcomes}
        return (
            f"Night {report.night} (UTC): {report.verdict}; {len(failing)} of {len(checks)} "
            f"checks fail in {len(report.judged)} hours"
        )

    def _propose(self, page: Page) -> None:
        """An entry about the night is put right by the next, if the reviewer does not say else."""
        draft, number = self._draft, page.state.number if page.state is not None else None
        given, self._corrects = self._corrects, None
        if draft is not None and given is not None:
            draft.corrects, self._proposed[draft.report.night] = given, number
        elif draft is not None and self._proposed.get(draft.report.night) != number:
            draft.corrects = self._proposed[draft.report.night] = number

    # what a reviewer does

    def _on_typed(self, take: Callable[[Draft, Any], None], change: Any) -> None:
        if not self._quiet and self._draft is not None:
            take(self._draft, change["new"])
            self._changed()

    def _changed(self) -> None:
        if not self._is_signing():
            self._word = SIGN
        self._recheck()

    def _on_reviewer(self, change: Any) -> None:
        self._signer = None
        self._ask("signer", self._find_signer, self._show_signer)
        self._changed()

    async def _find_signer(self) -> tuple[str, str, bool]:
        """Name, words about the key, and whether it can sign."""
        await asyncio.sleep(_PAUSE_S)
        name = self._foot.reviewer.value
        if not name.strip():
            return name, "", True
        try:
            return name, str(await self._lab.qa.signer(name, key=self._key)), True
        except ContimgLabError as error:
            return name, f"The key cannot be used: {error_words(error)}", False

    def _show_signer(self, found: tuple[str, str, bool]) -> None:
        self._signer = found
        self._foot.say_key(found[1])
        self._recheck()

    def _on_refresh(self, button: Any) -> None:
        self._signer = None
        super()._on_refresh(button)

    def _on_again(self, button: Any) -> None:
        self._judge = True
        self._on_refresh(button)

    def _on_sign(self, button: Any) -> None:
        if self._draft is None or self._lacking(self._draft) or self._is_signing():
            return
        self._act_told, self._word = None, SIGNING
        given = {**self._draft.arguments(), "reviewer": self._foot.reviewer.value.strip()}
        # no request of the panel's: an entry under way is neither given up nor overtaken
        self._act = asyncio.get_running_loop().create_task(self._sign(self._draft, given))
        self._say_act()

    async def _sign(self, draft: Draft, given: Mapping[str, Any]) -> None:
        night, word = draft.report.night, TRY_AGAIN
        try:
            entry = await self._lab.qa.sign(draft.report, key=self._key, **given)
        except ContimgLabError as error:
            told = ("✗", "bad", f"Nothing was signed of {night}: {error_words(error)}")
        except Exception as error:
            words = f"{error_words(error)} Look at the ledger whether there is an entry."
            told = ("✗", "bad", f"It is not known whether night {night} was signed: {words}")
        else:
            told, word = entered_line(entry), SIGNED
            draft.confirm(yes=False)
        self._act = None
        if self.state == "closed":
            return
        self._act_told = told
        self._word = word if draft is self._draft else SIGN  # else another night came meanwhile
        self._say_act()
        self.refresh()

    def _say_act(self) -> None:
        self._recheck()
        if self._page is not None:
            self._say_page(self._page)

    def _is_signing(self) -> bool:
        return self._act is not None and not self._act.done()

    def _pending(self) -> Sequence[asyncio.Task[None]]:
        return (*super()._pending(), *([self._act] if self._act is not None else ()))

    def _recheck(self) -> None:
        """Write what follows from the draft; nothing that has not changed is sent."""
        page, draft = self._page, self._draft
        if page is None or draft is None:
            self._places.show(None)
            self._form.layout.display = None if page is None else "none"
            return
        write(self._form.layout, display=None)
        self._quiet = True
        try:
            self._places.show(draft)
            self._foot.show(draft, page.entries(draft.corrects))
        finally:
            self._quiet = False
        self._foot.say(self._lacking(draft), draft, self._word)

    def _say_page(self, page: Page) -> None:
        """Write what was read, and what came of the last press of Sign."""
        write(self._told, value=lines_html(page.lines()))
        told = [self._act_told] if self._act_told is not None else []
        if page.state is not None and page.state.stale_since is not None:
            told.append(state_line(page.state))  # else an old entry would be read as one that holds
        write(self._foot.result, value=entry_html(page.entry, page.ledger, lines_html(told)))
        if page.report is not None:
            write(self._changes, value=freshness_html(page.report, page.changes))
            write(self._rest_told, value=rest_html(page.report))

    def _lacking(self, draft: Draft) -> list[str]:
        page, signer, lines = self._page, self._signer, []
        if page is not None and page.changes:
            lines.append("Rows changed since it was judged: press “Judge again”, and look.")
        if page is not None and page.unreadable is not None:
            lines.append("The ledger cannot be read; see above.")
        name = self._foot.reviewer.value
        if not name.strip():
            lines.append("No reviewer is named.")
        elif signer is None or signer[0] != name:
            lines.append("The reviewer's key is being looked for.")
        elif not signer[2]:
            lines.append(signer[1])
        if not draft.reason.strip():
            lines.append("No reason is written.")
        lines += draft.lacking()
        if not draft.is_confirmed:
            lines.append("“I have looked, and decide …” is not ticked.")
        return lines

    def _forget(self, draft: Draft | None) -> None:
        """Let go of a night on which nothing was typed: its rows need not be kept."""
        if draft is not None and not draft.is_touched:
            self._drafts.pop(draft.report.night, None)
            self._proposed.pop(draft.report.night, None)

    # the night that is selected

    def _show_all(self, value: Any) -> None:
        self._begins = self._asked_for  # a night that was asked for wins over what was selected
        try:
            super()._show_all(value)
        finally:
            self._begins = self._asked_for = False

    def _follow(self, field: str, value: Any) -> None:
        """Go to the night that is selected."""
        shown = None if self._draft is None else self._draft.report.night
        if value is not None and value != shown and not self._begins:
            # soon: what calls this may be the reading that this gives up
            self._ask("night", lambda: asyncio.sleep(0, value), self._night.choose)

    def close(self) -> None:
        """Close the panel; what is being signed is signed all the same."""
        if self.state != "closed" and hasattr(self, "_pressed"):
            for button, handler in self._pressed:
                button.on_click(handler, remove=True)
            self._places.close()
        super().close()

    def _static(self) -> tuple[str, str]:
        page = self._page
        if page is None or page.report is None:
            return "", ""
        lines = [*page.lines(), report_line(page.report, page.changes)]
        signed = entry_html(page.entry, page.ledger)
        html = f"{lines_html(lines)}{signed}{judged_html(page.report)}"
        told = [lines_text(lines)]
        if page.entry is not None and page.ledger is not None:
            words = entry_words(page.entry, page.ledger)
            told += [f"{name}: {value}" for name, value in words.items()]
        return html, "\n".join(told)


def _outcomes(report: NightReport) -> pd.DataFrame:
    """What the checks say, as a table that any file can hold."""
    return report.checks().drop(columns="rows")
