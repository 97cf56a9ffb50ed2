"""Small boards beside a grid: chips that filter or lead somewhere; data travel in messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from contimg_lab.panels._home import Home
from contimg_lab.panels._words import escape

__all__ = ["Board", "Chip", "Chips"]


class Board(anywidget.AnyWidget):
    """A widget that is told everything by messages, so that nothing is saved with a notebook.

    Parameters
    ----------
    script
        Name of its script in ``front/src``.
    label
        What it is, for who cannot see it.
    home
        Where what it hears is taken.
    **traits
        More of the widget.
    """

    label = traitlets.Unicode().tag(sync=True)

    def __init__(self, script: str, label: str, home: Home, **traits: Any) -> None:
        self._esm = _script(script)
        super().__init__(label=label, **traits)
        self.on_msg(home.taken(self._heard))

    def _heard(self, widget: Any, content: Any, buffers: Any) -> None:
        if content.get("do") == "hello":  # a page was opened, or a tab for the first time
            self._tell()
        else:
            self._answer(content)

    def _tell(self) -> None:
        """Send everything."""
        raise NotImplementedError

    def _answer(self, content: Any) -> None:
        """Do what the reader asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One button.

    Attributes
    ----------
    key
        What it is known by.
    sign, text
        What stands on it; the sign says in a letter what ``state`` says by colour.
    state
        ok, warn, bad, busy or none.
    note
        Words beside it.
    title
        What pointing at it tells.
    off
        Whether it leads nowhere.
    """

    key: str
    sign: str = ""
    text: str = ""
    state: str = ""
    note: str = ""
    title: str = ""
    off: bool = False


class Chips(Board):
    """Buttons of which one may be pressed.

    Parameters
    ----------
    label
        What they are.
    home
        Where a press is taken.
    look
        ``row``, ``lines`` (each with its note) or ``steps`` (none stays pressed).
    value
        Key of the pressed one; empty for none.
    on_press
        Called with a key; None: the key becomes the value, or none where it was.

    Attributes
    ----------
    value
        Key of the chip that is pressed, or empty.
    """

    look = traitlets.Unicode("row").tag(sync=True)
    value = traitlets.Unicode("")  # not synced: data travel in messages

    def __init__(
        self,
        label: str,
        home: Home,
        *,
        look: str = "row",
        value: str = "",
        on_press: Callable[[str], None] | None = None,
        **traits: Any,
    ) -> None:
        self._chips: tuple[Chip, ...] = ()
        self._on_press = on_press
        super().__init__("chips", label, home, look=look, value=value, **traits)
        self.observe(self._tell_value, "value")

    @property
    def chips(self) -> tuple[Chip, ...]:
        """What is shown."""
        return self._chips

    def choose(self, value: str) -> None:
        """Press as the user would; a chip that is not there yet is offered by the panel."""
        self.value = value

    def show(self, chips: Sequence[Chip]) -> None:
        """Show chips in place of those before; one that has the focus keeps it."""
        if tuple(chips) != self._chips:
            self._chips = tuple(chips)
            self._tell()

    def to_html(self) -> str:
        """Return what is on the chips as plain HTML."""
        words = (f"{escape(c.sign)} {escape(c.text)} {escape(c.note)}".strip() for c in self._chips)
        return f"<p>{' &nbsp; '.join(words)}</p>" if self._chips else ""

    def _tell_value(self, change: Any) -> None:
        self._tell()

    def _tell(self) -> None:
        value = None if self.look == "steps" else self.value
        self.send({"chips": [asdict(chip) for chip in self._chips], "value": value})

    def _answer(self, content: Any) -> None:
        key = str(content.get("key"))
        if content.get("do") != "press" or key not in {c.key for c in self._chips if not c.off}:
            return
        if self._on_press is not None:
            self._on_press(key)
        else:
            self.value = "" if key == self.value else key


@cache
def _script(name: str) -> str:
    return (Path(__file__).parent / "front" / "dist" / f"{name}.js").read_text(encoding="utf-8")
