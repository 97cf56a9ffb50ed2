"""Filters of a panel: offered anew without being replaced, and nights by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["ALL_NIGHTS", "ANY", "LAST_NIGHT", "Choice", "TextFilter", "night_of", "night_options"]

ANY = ""
LAST_NIGHT = "last"
ALL_NIGHTS = "all"

_DEBOUNCE_S = 0.25


class Choice:
    """A drop-down whose options may grow while its value, and the focus, stay.

    Parameters
    ----------
    label
        What is chosen.
    options
        Words and values.
    value
        First value; offered as it is where no option has it.
    on_change
        Called when the user chooses.
    width_px
        Width with the label.
    """

    def __init__(
        self,
        label: str,
        options: Sequence[tuple[str, str]],
        value: str,
        on_change: Callable[[Any], None],
        width_px: int = 175,
    ) -> None:
        import ipywidgets as widgets

        self._on_change = on_change
        self._quiet = False
        self._given = value
        self.widget: Any = widgets.Dropdown(
            description=label,
            options=self._with_given(options),
            value=value,
            style={"description_width": "initial"},
            layout={"width": f"{width_px}px"},
        )

    @property
    def value(self) -> str:
        """What is chosen."""
        return str(self.widget.value)

    def choose(self, value: str) -> None:
        """Choose as the user would, a value that no option has included."""
        if value not in {known for _, known in self.widget.options}:
            self._given = value
            self.offer(tuple(self.widget.options))
        self.widget.value = value

    def offer(self, options: Sequence[tuple[str, str]]) -> None:
        """Change the options where they differ; the value stays."""
        wanted = self._with_given(options)
        if tuple(self.widget.options) != wanted:
            value = self.widget.value
            self._quiet = True
            try:
                self.widget.options = wanted
                self.widget.value = value
            finally:
                self._quiet = False

    def changed(self, change: Any) -> None:
        """Pass on what the user chose, and nothing that `offer` did."""
        if not self._quiet:
            self._given = str(change["new"])
            self._on_change(change)

    def _with_given(self, options: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        known = {value for _, value in options}
        extra = () if self._given in known else ((self._given, self._given),)
        return (*options, *extra)


class TextFilter:
    """A text to look for; typing is answered when it pauses."""

    def __init__(self, placeholder: str, value: str, width_px: int = 180) -> None:
        import ipywidgets as widgets

        self._seen = value
        self.widget: Any = widgets.Text(
            value=value, placeholder=placeholder, layout={"width": f"{width_px}px"}
        )

    async def read(self) -> str | None:
        """Return the text, or None; waits a moment where it is being typed."""
        import asyncio

        if self.widget.value != self._seen:
            await asyncio.sleep(_DEBOUNCE_S)
            self._seen = self.widget.value
        return self._seen.strip() or None


def night_options(nights: Sequence[str]) -> list[tuple[str, str]]:
    """Return what a night filter offers: last night by name, all, then each, latest first."""
    last = f"last ({nights[-1]})" if nights else "last night"
    each = [(night, night) for night in reversed(nights)]
    return [(last, LAST_NIGHT), ("all nights", ALL_NIGHTS), *each]


def night_of(value: str, nights: Sequence[str]) -> str | None:
    """Return the night that a filter's value means; None for all of them."""
    if value == ALL_NIGHTS:
        return None
    if value == LAST_NIGHT:
        return nights[-1] if nights else None
    return value
