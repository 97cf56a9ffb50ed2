"""The widgets of the sign-off form: one block for the night, one for each hour, kept by place.

A block and a row are made once and changed in place, so that a focus and a text are never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets

from contimg_lab.panels._home import Home
from contimg_lab.panels._sign_draft import CHOICES, Draft
from contimg_lab.panels._sign_items import Item
from contimg_lab.panels._sign_words import classes_words, heading_html, item_html, rule_html
from contimg_lab.panels._words import escape

__all__ = ["Places", "offer", "write"]

_NO_CLASS = "no class"
_SHRINKS = {"min_width": "0", "overflow": "visible"}
_WRAPS = {"flex_flow": "row wrap", "grid_gap": "0 12px", "overflow": "visible"}


def write(widget: Any, **values: Any) -> None:
    """Set what differs, so that nothing is sent for nothing."""
    for name, value in values.items():
        if getattr(widget, name) != value:
            setattr(widget, name, value)


def offer(widget: Any, options: list[tuple[str, Any]], value: Any) -> None:
    """Change options and value of a drop-down in place."""
    if list(widget.options) != options:
        widget.options = options
    write(widget, value=value)


class Places:
    """The blocks of one night, the night itself first.

    Parameters
    ----------
    home
        Where what the widgets hear is taken.
    on_change
        Called when the reviewer has changed the draft.
    """

    def __init__(self, home: Home, on_change: Callable[[], None]) -> None:
        self.box = widgets.VBox(layout={"overflow": "visible"})
        self.blocks: dict[int | None, Block] = {}
        self._home = home
        self._on_change = on_change
        self._draft: Draft | None = None
        self._quiet = False

    def show(self, draft: Draft | None) -> None:
        """Show a draft; blocks of another one's night are closed."""
        if draft is not self._draft:
            self.close()
            self._draft = draft
        if draft is None:
            return
        self._quiet = True
        try:
            for hour in draft.items:
                if hour not in self.blocks:
                    self.blocks[hour] = Block(hour, self._hear)
                self.blocks[hour].show(draft)
        finally:
            self._quiet = False
        boxes = tuple(self.blocks[hour].box for hour in draft.items)
        write(self.box, children=boxes)

    def close(self) -> None:
        """Close every block."""
        self.box.children = ()
        for block in self.blocks.values():
            block.close()
        self.blocks.clear()

    def _hear(self, widget: Any, take: Callable[[Draft, Any], None]) -> None:
        def changed(change: Any) -> None:
            if not self._quiet and self._draft is not None:
                take(self._draft, change["new"])
                self._on_change()

        widget.observe(self._home.taken(changed), "value")


class Row:
    """One check: what it says, and beside it a reason.

    Parameters
    ----------
    text
        What was typed before; from then on the widget is ahead of the draft.
    """

    def __init__(self, text: str) -> None:
        self.told = widgets.HTML(layout=_SHRINKS | {"flex": "3 1 380px"})
        self.reason = widgets.Text(text, layout=_SHRINKS | {"flex": "2 1 300px", "width": "auto"})
        self.reason.add_class("contimg-sign-unlabelled")
        self.box = widgets.Box([self.told, self.reason], layout=_WRAPS | {"align_items": "center"})
        self.box.add_class("contimg-sign-item")

    def show(self, item: Item, draft: Draft) -> None:
        """Say what the check says now, and whether a reason is needed."""
        needed = draft.needs(item)
        text = draft.reasons.get(item.key, "")
        if needed:
            hint = "why it is accepted nevertheless (needed)"
        elif draft.is_accepted(item.hour):
            hint = "why it is accepted, if as an exception"
        else:
            hint = "not accepted: no reason needed"
        name = f"Reason, {item.name}"
        write(self.told, value=item_html(item, draft.report.gates))
        write(self.reason, description=name, placeholder=hint, tooltip=f"{name}: {hint}")
        mark = self.reason.add_class if needed and not text.strip() else self.reason.remove_class
        mark("contimg-missing")


class Block:
    """The night, or one hour: its decision, and a row for each check that warns or fails.

    Parameters
    ----------
    hour
        None: the night.
    hear
        Called with a widget, and with what takes its value into the draft.
    """

    def __init__(self, hour: int | None, hear: Callable[..., None]) -> None:
        self.hour = hour
        self._hear = hear
        self.rows: dict[str, Row] = {}
        self.head, self.rule = widgets.HTML(), widgets.HTML(layout=_SHRINKS)
        self.decision = self._choice("Decision", 380, self._take_decision)
        parts = [self.decision]
        if hour is not None:
            self.promotion = self._choice("Class", 230, self._take_class)
            self.classes = widgets.HTML(layout=_SHRINKS | {"flex": "1 1 220px"})
            parts += [self.promotion, self.classes]
        self.bar = widgets.Box(parts, layout=_WRAPS | {"align_items": "center"})
        self.box = widgets.VBox([self.head, self.bar, self.rule], layout={"overflow": "visible"})
        self.box.add_class("contimg-sign-place")

    def show(self, draft: Draft) -> None:
        """Show what is decided and what the checks say."""
        items = draft.items[self.hour]
        for item in items:
            self._row(item, draft).show(item, draft)
        report = draft.report
        is_judged = self.hour is None or self.hour in draft.hours
        if not is_judged:
            head = f"<b>{self.hour:02d} h UTC</b>: no tile, so it is not decided on"
        elif self.hour is None:
            head = heading_html(None, report, items)
            self._show_decision(draft, draft.night, report.recommendation)
        else:
            head = heading_html(draft.hours[self.hour], report, items)
            advice = draft.hours[self.hour].recommendation
            self._show_decision(draft, draft.hour(self.hour), advice)
            self._show_class(draft, self.hour)
        write(self.head, value=head)
        controls = (self.bar, self.rule) if is_judged else ()
        rows = (self.rows[item.check].box for item in items)
        write(self.box, children=(self.head, *controls, *rows))

    def close(self) -> None:
        """Close every widget of it."""
        for part in [self.box, *(row.box for row in self.rows.values()), self.bar, self.rule]:
            for widget in _below(part):
                widget.unobserve_all()
                widget.layout.close()
                if hasattr(widget, "style"):
                    widget.style.close()
                widget.close()

    def _show_decision(self, draft: Draft, chosen: str, advice: Any) -> None:
        marked = f"{advice.decision}  (recommended)"
        options = [(marked if one == advice.decision else one, one) for one in CHOICES]
        offer(self.decision, options, chosen)
        write(self.rule, value=rule_html(advice.decision, advice.rule, chosen))

    def _show_class(self, draft: Draft, hour: int) -> None:
        options = [(_NO_CLASS, ""), *((name, name) for name in draft.offered(hour))]
        offer(self.promotion, options, draft.promotion(hour) or "")
        told = f"<span class='contimg-quiet'>{escape(classes_words(draft, hour))}</span>"
        write(self.classes, value=told)

    def _row(self, item: Item, draft: Draft) -> Row:
        if item.check not in self.rows:
            row = self.rows[item.check] = Row(draft.reasons.get(item.key, ""))

            def take(draft: Draft, text: str) -> None:
                draft.reasons[item.key] = text

            self._hear(row.reason, take)
        return self.rows[item.check]

    def _take_decision(self, draft: Draft, decision: str) -> None:
        if self.hour is None:
            draft.decision = decision
        else:
            draft.chosen[self.hour] = decision

    def _take_class(self, draft: Draft, name: str) -> None:
        if self.hour is not None:
            draft.classes[self.hour] = name

    def _choice(self, noun: str, width_px: int, take: Callable[[Draft, Any], None]) -> Any:
        named = "night" if self.hour is None else f"{self.hour:02d} h"
        made = widgets.Dropdown(
            options=[("", "")],
            value="",
            description=f"{noun}, {named}:",
            style={"description_width": "initial"},
            layout={"width": f"{width_px}px", "max_width": "100%"},
        )
        self._hear(made, take)
        return made


def _below(widget: Any) -> Iterator[Any]:
    for child in getattr(widget, "children", ()):
        yield from _below(child)
    yield widget
