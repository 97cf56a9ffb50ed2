"""The life of every panel: tasks that it owns, the latest wins, errors in words, one close.

A panel is ``idle``, ``loading``, ``showing``, ``stale`` (what it shows is older than what was
asked for), ``failed`` or ``closed``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets as widgets
import traitlets

from contimg_lab.panels._giving import Giving
from contimg_lab.panels._head import Head
from contimg_lab.panels._home import Home
from contimg_lab.panels._requests import Requests
from contimg_lab.panels._saved import Saved
from contimg_lab.panels._style import style_html
from contimg_lab.panels._ties import Tied, Ties
from contimg_lab.panels._units import UnitColumns
from contimg_lab.panels._warm import load_figures, load_frames
from contimg_lab.panels._words import error_html

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from contimg_lab.panels._live_plot import LivePlot, OnSelect

__all__ = ["Panel"]


class Panel(Giving, Tied, widgets.VBox):  # type: ignore[misc]
    """A panel on a Lab. A new one says what it fetches and how it shows that.

    Attributes
    ----------
    title, by_night, by_frames, draws
        What a head and a tab say; whether there is a filter ``_night``, whether its rows come
        as DataFrames, and whether there is a figure.
    has_flux, has_positions
        Whether it writes fluxes or positions by ``self._units``: then its head offers units.
    state
        idle, loading, showing, stale, failed or closed.
    selected
        Key of what is chosen, or None.
    """

    title: ClassVar[str] = ""
    by_night: ClassVar[bool] = False
    by_frames: ClassVar[bool] = True
    has_flux: ClassVar[bool] = False
    has_positions: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    state = traitlets.Unicode("idle")
    selected = traitlets.Unicode(None, allow_none=True)

    def __init__(self, lab: Any, *, start: bool = True) -> None:
        self._lab = lab
        self._home = Home(getattr(lab, "loop", None))
        self._plots: list[LivePlot] = []
        self._requests = Requests(self)
        self._errors: dict[str, BaseException] = {}
        self._watched: list[tuple[Any, Callable[[Any], None], str]] = []
        self._after: list[Callable[[], None]] = []
        self._frame: pd.DataFrame | None = None
        self._make_frame: Callable[[], pd.DataFrame] | None = None
        self._asked: tuple[str, dict[str, Any]] | None = None
        self._code_view: Any = None
        self._counts = ""
        self._read_at: datetime | None = None
        self._stale = False
        self._saved = Saved(self)
        self._last: Any = None
        self._last_detail: tuple[str, Any] | None = None
        self._units = UnitColumns(None if lab is None else lab.view.units)
        filters, body = self._build()
        taken = self._home.taken
        self._head = Head(
            self.title,
            filters,
            taken(self._on_refresh),
            taken(self._on_cancel),
            taken(self._on_tool),
            {"forms": self._forms(), **self._offered()},
        )
        self._head.live.layout.display = None if self.shows else "none"
        style = widgets.HTML(style_html(self._saved.css_class))
        super().__init__(
            [style, *self._head.widgets, *body],
            layout={"width": "100%", "overflow": "hidden"},
        )
        self.add_class("contimg-panel")
        self._watch(self._head.live, self._on_live)
        self._ties = Ties(self, lab)
        if start:
            self.refresh()

    # what a panel fills in

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        """Make the widgets: filters for the bar, and what stands below it."""
        raise NotImplementedError

    async def _fetch(self) -> Any:
        """Read what the filters ask for."""
        raise NotImplementedError

    def _show(self, value: Any) -> str:
        """Put on screen what `_fetch` returned; return the line of counts.

        Sets ``_frame`` to the rows let through, or ``_make_frame`` to what makes it of them; and
        ``_asked`` to what `code` needs for the same.
        """
        raise NotImplementedError

    async def _fetch_detail(self, key: str) -> Any:
        """Read what belongs to the chosen row."""

    def _show_detail(self, key: str | None, value: Any) -> None:
        """Put on screen what `_fetch_detail` returned, or nothing for no key."""

    def _show_detail_error(self, words_html: str) -> None:
        """Put the words of a failure where the detail would be."""

    def _mark(self, key: str | None) -> None:
        """Mark a row in the table without choosing it."""

    def _paint(self) -> None:
        """Draw the figure of what is shown."""

    def _static(self) -> tuple[str, str]:
        """Return HTML and text of what is shown, for a reader without a kernel."""
        return "", ""

    def figure(self) -> Figure | None:
        """Return the last figure drawn, or None where none was."""
        return None

    # what everybody calls

    def refresh(self) -> None:
        """Read again; a reading under way is given up."""
        self._home.call(self._reread)

    def _reread(self) -> None:
        self._requests.drop("figure")
        self._errors.pop("export", None)
        self._ask("table", lambda: self._ties.read(self._fetch_all), self._show_all)

    def select(self, key: str | None) -> None:
        """Choose a row by its key (a run id, a path, a source id), shown or not."""
        self._home.call(self._select, key)

    def _select(self, key: str | None) -> None:
        self._mark(key)
        self._choose(key)

    def cancel(self) -> None:
        """Give up what is under way; what was shown before stays, and is called stale."""
        slots, took_s = self._requests.slots, self._requests.elapsed_s
        for slot in slots:
            self._requests.drop(slot)
        if slots:
            self._stale = self._stale or "table" in slots
            self._settle(f"cancelled after {took_s:.1f} s; press Refresh to read again")

    async def settled(self) -> None:
        """Wait until nothing is under way; a panel not yet started starts. Never raises.

        What a saved notebook keeps of the panel is then complete, its pictures too.
        """
        while True:
            await self._rest()
            await self._saved.now()
            if not self._requests.slots:
                break

    async def _rest(self) -> None:
        """Wait until nothing is read."""
        if self.state == "idle" and self._read_at is None and not self._stale:
            self.refresh()
        while pending := [task for task in self._pending() if not task.done()]:
            await asyncio.wait(pending)
        await self._ties.ended()

    def close(self) -> None:
        """Cancel what is under way, stop listening, close every widget; may be called twice."""
        if self.state == "closed" or not hasattr(self, "_head"):
            return  # a panel that failed to be built is closed by the collector
        self.state = "closed"
        self._requests.close()
        self._ties.close()
        self._saved.close()
        for widget, handler, name in self._watched:
            widget.unobserve(handler, name)
        self._watched.clear()
        self._after.clear()
        for plot in self._plots:
            plot.close()
        self._head.close()
        _close_below(self)
        super().close()

    # the machinery

    def _watch(self, widget: Any, handler: Callable[[Any], None], name: str = "value") -> None:
        if hasattr(widget, "live_at"):
            widget.live_at(self._home)
        taken = self._home.taken(handler)
        widget.observe(taken, name)
        self._watched.append((widget, taken, name))

    def _plot(
        self, size_in: tuple[float, float], empty: str, on_select: OnSelect | None = None
    ) -> LivePlot:
        """Make a live plot that ends with the panel."""
        from contimg_lab.panels._live_plot import LivePlot

        plot = LivePlot(size_in, empty, self._home)
        if on_select is not None:
            plot.on_select(on_select)
        self._plots.append(plot)
        return plot

    def _on_filter(self, change: Any) -> None:
        self.refresh()

    def _on_refresh(self, button: Any) -> None:
        self.refresh()

    def _on_cancel(self, button: Any) -> None:
        self.cancel()

    def _choose(self, key: str | None) -> None:
        self._read_detail(key)
        self._ties.choose(key)

    def _read_detail(self, key: str | None) -> None:
        self.selected = key
        if key is not None:
            self._ask(
                "detail",
                lambda: self._fetch_chosen(key),
                lambda value: self._put_detail(key, value),
            )
            return
        self._requests.drop("detail")
        self._errors.pop("detail", None)
        self._put_detail(None, None)
        self._settle()

    async def _fetch_all(self) -> Any:
        loading = load_frames() if self.by_frames else None
        value = await self._fetch()
        if loading is not None:
            await loading
        return value

    async def _fetch_chosen(self, key: str) -> Any:
        loading = load_figures() if self.draws else None
        value = await self._fetch_detail(key)
        if loading is not None:
            await loading
        return value

    def _put_detail(self, key: str | None, value: Any) -> None:
        self._last_detail = None if key is None else (key, value)
        self._show_detail(key, value)

    def _offered(self) -> dict[str, str]:
        """What is chosen of the units that this panel shows."""
        now = self._units.now
        return {
            "flux": now["flux"] if self.has_flux else "",
            "positions": now["positions"] if self.has_positions else "",
        }

    def _show_again(self) -> None:
        """Write what was read last once more: the units are other ones."""
        for name, value in self._offered().items():
            setattr(self._head.tools, name, value)
        if self._read_at is None or self.state == "closed":
            return
        self._counts = self._show(self._last)
        if self._last_detail is not None:
            self._show_detail(*self._last_detail)
        self._settle()

    def _show_all(self, value: Any) -> None:
        self._last = value
        self._counts = self._show(value)
        self._read_at = datetime.now(UTC)
        self._stale = False
        self._ties.shown()
        self._say()

    def _paint_soon(self) -> None:
        """Draw once matplotlib is there: the rows are on screen before it is imported."""
        self._ask("figure", load_figures, lambda _: self._paint())

    def _ask(self, slot: str, fetch: Callable[[], Any], show: Callable[[Any], None]) -> None:
        if self.state == "closed":
            return
        try:
            self._requests.ask(slot, fetch, show)
        except RuntimeError:  # a plain script: settled() will start it
            self._say("no event loop is running yet; write `await panel.settled()`")
            return
        self._errors.pop(slot, None)
        self.state = "loading"
        if self._read_at is None:
            self._say("loading…")

    def _pending(self) -> Sequence[asyncio.Task[None]]:
        return self._requests.tasks

    def _on_tick(self, elapsed_s: float) -> None:
        self._head.busy(shown=True)
        self._say(f"working… {elapsed_s:.1f} s")

    def _on_end(self, slot: str, error: BaseException | None) -> None:
        if isinstance(error, asyncio.CancelledError):
            self._stale = True
        elif error is not None:
            self._errors[slot] = error
            if slot == "detail":
                self._show_detail_error(error_html(error))
        self._settle()

    def _settle(self, words: str | None = None) -> None:
        """Say where things stand once nothing is under way."""
        if self._requests.slots or self.state == "closed":
            return
        self._head.busy(shown=False)
        if self._errors:
            self.state = "failed"
        elif self._stale:
            self.state = "stale"
        else:
            self.state = "idle" if self._read_at is None else "showing"
        self._say(words)
        self._ties.idle()
        self._recode()
        for callback in tuple(self._after):
            callback()
        self._saved.changed()

    def _say(self, words: str | None = None) -> None:
        """Counts on the first line; on the second what is going on, or when it was read."""
        failure = self._failure()
        if failure is not None and words is None:
            old = f"Shown below is what was read{self._when()}." if self._read_at else ""
            self._head.status.value = error_html(failure, old)
            return
        read = f"read{self._when()}{self._ties.words()}"
        second = read if words is None and self._read_at else words or ""
        self._head.say(self._counts or self.title, second)

    def _failure(self) -> BaseException | None:
        slots = ("table", "figure", "link", "export")
        return next((self._errors[slot] for slot in slots if slot in self._errors), None)

    def _when(self) -> str:
        return f" at {self._read_at:%Y-%m-%d %H:%M:%S} UTC" if self._read_at else ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state}: {self._counts or 'nothing read yet'}>"


def _close_below(widget: Any) -> None:
    """Close a widget's layout, style and children, and theirs."""
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, widgets.Widget):
            part.close()
    for child in getattr(widget, "children", ()):
        if not isinstance(child, Panel):
            _close_below(child)
        child.close()
