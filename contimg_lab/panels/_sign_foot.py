"""The end of the sign-off form: who decides and why, with which key, and the button that signs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets

from contimg_lab.panels._sign_draft import Draft
from contimg_lab.panels._sign_form import offer, write
from contimg_lab.panels._sign_words import decision_words, lacking_html
from contimg_lab.panels._words import escape

__all__ = ["SIGN", "SIGNED", "SIGNING", "TRY_AGAIN", "Foot"]

SIGN, SIGNING, SIGNED, TRY_AGAIN = "Sign", "Signing…", "✓ In the ledger", "Sign (again)"

_STYLE = {"description_width": "80px"}
_WIDE = {"width": "auto", "max_width": "100%"}


class Foot:
    """Fields of the night as a whole.

    Parameters
    ----------
    reviewer
        First value of the name.

    Attributes
    ----------
    reviewer, corrects, reason, notes, confirm, sign
        What a reviewer reaches by Tab, in this order.
    key
        Which key will sign, in words.
    lacking, result
        Why it cannot be signed yet; what was signed, or why it was not.
    """

    def __init__(self, reviewer: str) -> None:
        self._draft: Draft | None = None
        self.reviewer = widgets.Text(
            value=reviewer, description="Reviewer:", placeholder="your name", style=_STYLE,
            layout={"width": "360px", "max_width": "100%"},
        )  # fmt: skip
        self.key = widgets.HTML(layout={"flex": "1 1 300px", "min_width": "0"})
        self.corrects = widgets.Dropdown(
            options=[("", 0)], value=0, description="Corrects:", style=_STYLE,
            layout={"width": "560px", "max_width": "100%"},
        )  # fmt: skip
        self.reason = widgets.Textarea(
            description="Reason:", placeholder="why you decide so, in words", style=_STYLE,
            layout={**_WIDE, "height": "54px"},
        )  # fmt: skip
        self.notes = widgets.Textarea(
            description="Notes:", placeholder="anything else (may be empty)", style=_STYLE,
            layout={**_WIDE, "height": "54px"},
        )  # fmt: skip
        self.confirm = widgets.Checkbox(indent=False, layout=_WIDE)
        self.confirm.add_class("contimg-sign-confirm")
        self.sign = widgets.Button(
            description="Sign", icon="pencil", button_style="primary", disabled=True,
            tooltip="Write the entry into the ledger", layout={"width": "130px"},
        )  # fmt: skip
        self.lacking, self.result = widgets.HTML(), widgets.HTML()
        who = widgets.Box(
            [self.reviewer, self.key],
            layout={"flex_flow": "row wrap", "grid_gap": "0 12px", "align_items": "center"},
        )
        act = widgets.Box(
            [self.sign, self.lacking],
            layout={"grid_gap": "0 12px", "align_items": "flex-start", "min_height": "96px"},
        )
        self.sign.layout.flex = "0 0 auto"
        self.box = widgets.VBox(
            [widgets.HTML("<b style='font-size:14px'>Sign-off</b>"), who, self.corrects,
             self.reason, self.notes, self.confirm, act, self.result],
            layout={"overflow": "visible"},
        )  # fmt: skip
        self.box.add_class("contimg-sign-place")

    def heard(self) -> Iterator[tuple[Any, Callable[[Draft, Any], None]]]:
        """Return the widgets of the draft, and what takes their values into it."""
        yield self.reason, lambda draft, text: setattr(draft, "reason", text)
        yield self.notes, lambda draft, text: setattr(draft, "notes", text)
        yield self.corrects, lambda draft, number: setattr(draft, "corrects", number or None)
        yield self.confirm, lambda draft, yes: draft.confirm(yes=yes)

    def show(self, draft: Draft, entries: list[tuple[str, int]]) -> None:
        """Show what is decided; entries are those that can be put right, with their words."""
        if draft is not self._draft:  # else the widgets are ahead of it while somebody types
            self._draft = draft
            write(self.reason, value=draft.reason)
            write(self.notes, value=draft.notes)
        nothing = "nothing: a new sign-off" if entries else "nothing: there is no entry yet"
        offer(self.corrects, [*entries, (nothing, 0)], draft.corrects or 0)
        write(self.confirm, description=f"I have looked, and decide: {decision_words(draft)}")
        write(self.confirm, value=draft.is_confirmed)

    def say(self, lacking: list[str], draft: Draft, word: str) -> None:
        """Say why it cannot be signed yet, or that it can.

        Parameters
        ----------
        lacking
            Why not; nothing: it can.
        draft
            What would be signed.
        word
            What stands on the button; other than *Sign* it was pressed, and keeps the focus: a
            button that is disabled would lose it.
        """
        write(self.lacking, value=lacking_html(lacking, draft.left_out()))
        write(self.sign, description=word, icon="" if word == SIGNED else "pencil")
        write(self.sign, disabled=bool(lacking) and word == SIGN)

    def say_key(self, words: str) -> None:
        """Say which key will sign."""
        write(self.key, value=f"<span role='status'>{escape(words)}</span>")
