"""The gallery of the sources panel: small live curves with their numbers, a page at a time.

Live plots, since twelve of them are made and filled in 0.04 s; one figure of the same by
matplotlib takes 1.4 s, stalls the loop by 40 ms from its thread, and cannot be clicked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._controls import Choice
from contimg_lab.panels._sources_below import kept
from contimg_lab.panels._sources_words import mean_words, numbers_words, row_of
from contimg_lab.panels._words import error_html, escape

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.panels._live_plot import LivePlot

__all__ = ["PAGE", "Gallery"]

PAGE = 12
_SIZE_IN = (2.24, 1.6)
_WHICH = (
    ("the rows above, in their order", "rows"),
    ("the set that was selected", "set"),
    ("η–V candidates, highest η first", "eta_v"),
    ("two-epoch candidates, highest η first", "two_epoch"),
    ("moderate candidates, highest η first", "moderate"),
    ("all rows above, highest η first", "eta"),
)
_LEGEND = (
    "Blue: detections with their errors; arrows: upper limits of 3 errors, the measured value "
    "hollow; marks along the lower edge: epochs left out; line: weighted mean. One time axis."
)
_STYLE = (
    "<style>.contimg-gallery .contimg-plot-legend, .contimg-gallery .contimg-plot-bar"
    "{display: none}</style>"
)


@dataclass(frozen=True, slots=True)
class _Page:
    names: Sequence[str]
    count: int
    start: int
    curves: Any
    statistics: pd.DataFrame


class Gallery:
    """Twelve light curves of many.

    Parameters
    ----------
    panel
        The panel that this is a part of.

    Attributes
    ----------
    widget
        The page.
    names
        Names of the sources in sight.
    """

    def __init__(self, panel: Any) -> None:
        import ipywidgets as widgets

        self._panel = panel
        self._start = 0
        self._seen = False
        self.names: Sequence[str] = ()
        self._cells: list[_Cell] = []
        self._which = Choice("Show", _WHICH, "rows", self._on_which, 330)
        button = {"width": "100px", "flex": "0 0 auto"}
        self._before = widgets.Button(description="Previous", icon="arrow-left", layout=button)
        self._after = widgets.Button(description="Next", icon="arrow-right", layout=button)
        self._count = widgets.HTML()
        self._hands = [
            (self._before, panel._home.taken(lambda _: self._turn(-PAGE))),
            (self._after, panel._home.taken(lambda _: self._turn(PAGE))),
        ]
        for hand, handler in self._hands:
            hand.on_click(handler)
        panel._watch(self._which.widget, self._which.changed)
        told = widgets.HTML(f"{_STYLE}<span class='contimg-quiet'>{escape(_LEGEND)}</span>")
        for part in (self._count, told):
            part.add_class("contimg-detail")
        bar = widgets.Box(
            [self._which.widget, self._before, self._after, self._count],
            layout={"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 8px"},
        )
        self._grid = widgets.Box(layout={"flex_flow": "row wrap", "grid_gap": "6px 8px"})
        self._grid.add_class("contimg-gallery")
        self.widget = widgets.VBox([bar, told, self._grid])

    @property
    def which(self) -> str:
        """Which sources are shown: rows, set, eta_v, two_epoch, moderate or eta."""
        return self._which.value

    def see(self, *, seen: bool) -> None:
        """Say whether the gallery is in sight; it is read when it is."""
        was, self._seen = self._seen, seen
        if seen and not was:
            self.read()

    def show_set(self, names: frozenset[str]) -> None:
        """Show a set that was selected; the rows again where it is empty."""
        self._start = 0
        wanted = "set" if names else "rows" if self.which == "set" else self.which
        if wanted != self.which:
            self._which.choose(wanted)  # which reads
        else:
            self.read()

    def read(self) -> None:
        """Read the curves of the page, where it is in sight."""
        if self._seen:
            self._panel._ask("gallery", lambda: kept(self._fetch()), self._show)

    def mark(self, key: str | None) -> None:
        """Mark the cell of the chosen source."""
        for cell in self._cells:
            cell.mark(chosen=cell.name is not None and cell.name == key)

    def to_html(self) -> str:
        """Return names and numbers of the page as a list, for a saved page."""
        if not self.names:
            return ""
        cells = (cell for cell in self._cells if cell.name)
        items = "".join(f"<li>{escape(cell.name)}: {cell.words.value}</li>" for cell in cells)
        return f"<p>Gallery, {self._count.value}:</p><ul>{items}</ul>"

    def close(self) -> None:
        """Stop listening to the buttons."""
        for hand, handler in (*self._hands, *(cell.hand for cell in self._cells)):
            hand.on_click(handler, remove=True)

    def _on_which(self, change: Any) -> None:
        self._start = 0
        self.read()

    def _turn(self, by: int) -> None:
        self._start = max(0, self._start + by)
        self.read()

    async def _fetch(self) -> _Page:
        lab, which = self._panel._lab, self.which
        statistics = await self._panel.field()
        if which == "rows":
            rows = self._panel._table.rows
            count = len(rows)
            start = min(self._start, max(0, (count - 1) // PAGE * PAGE))
            names = [row["key"] for row in rows.page(start, start + PAGE)]
        else:
            every = await self._names(which, statistics)
            count = len(every)
            start = min(self._start, max(0, (count - 1) // PAGE * PAGE))
            names = every[start : start + PAGE]
        curves = await lab.sources.light_curves(names)
        return _Page(names, count, start, curves, statistics)

    async def _names(self, which: str, statistics: pd.DataFrame) -> list[str]:
        """Names by falling eta."""
        eta = statistics["eta"]
        if which == "set":
            eta = eta[eta.index.isin(self._panel._lab.selection.sources)]
        elif which == "eta":
            eta = eta[eta.index.isin(self._panel.to_pandas()["source_id"])]
        else:
            rules = await self._panel._lab.sources.candidates(max_age_s=self._panel.max_age_s)
            eta = eta[eta.index.isin(rules.index[rules[which]])]
        ordered = eta.sort_values(ascending=False, na_position="last", kind="stable")
        return [str(name) for name in ordered.index]

    def _show(self, value: _Page | Exception) -> None:
        if isinstance(value, Exception):
            self._count.value = error_html(value)
            return
        from contimg_lab.plots._style import pad_limits
        from contimg_lab.plots.light_curve import light_curve_chart

        self.names, self._start = value.names, value.start
        last = value.start + len(value.names)
        self._count.value = (
            f"{value.start + 1} to {last} of {value.count} sources"
            if value.names
            else "no source to show; draw a box or a lasso around some on the sky"
            if self.which == "set"
            else "no source to show"
        )
        self._before.disabled = value.start == 0
        self._after.disabled = last >= value.count
        times = [curve.mjd[np.isfinite(curve.mjd)] for curve in value.curves.values()]
        every = np.concatenate([*times, np.empty(0)])
        limits = None
        if every.size:
            limits = pad_limits(float(every.min()), float(every.max()), 0.04, 0.01)
        self._make_cells(len(value.names))
        for cell, name in zip(self._cells, value.names, strict=False):
            curve, row = value.curves.get(name), row_of(value.statistics, name)
            if curve is None or row is None:
                cell.clear()
                continue
            chart = light_curve_chart(curve)
            words = f"{mean_words(row, self._panel._units)}; n {int(row['n_used'])}"
            cell.show(
                name, f"{escape(words)}<br>{escape(numbers_words(row, short=True))}",
                replace(chart, title="", x=replace(chart.x, limits=limits, label="MJD (UTC)"),
                        y=replace(chart.y, label=chart.y.unit)),
            )  # fmt: skip
        for cell in self._cells[len(value.names) :]:
            cell.clear()
        self.mark(self._panel.selected)

    def _make_cells(self, count: int) -> None:
        while len(self._cells) < count:
            self._cells.append(_Cell(self._panel))
        children = tuple(cell.widget for cell in self._cells)
        if len(children) != len(self._grid.children):
            self._grid.children = children


class _Cell:
    """One curve with its name, which is a button, and its numbers."""

    def __init__(self, panel: Any) -> None:
        import ipywidgets as widgets

        self.name: str | None = None
        self._panel = panel
        self._button = widgets.Button(layout={"width": "auto"})
        self.words = widgets.HTML()
        self.words.add_class("contimg-detail")
        self.plot: LivePlot = panel._plot(_SIZE_IN, "", lambda keys, how: self._choose())
        self.widget = widgets.VBox(
            [self._button, self.words, self.plot.widget],
            layout={"width": f"{round(_SIZE_IN[0] * 100)}px", "overflow": "hidden"},
        )
        self.hand = (self._button, panel._home.taken(lambda _: self._choose()))
        self._button.on_click(self.hand[1])

    def show(self, name: str, words_html: str, chart: Any) -> None:
        self.name = name
        self.words.value = words_html
        self.plot.show(chart)
        self.widget.layout.visibility = "visible"

    def clear(self) -> None:
        """Leave the place empty, and as high as it is."""
        self.name = None
        self.plot.clear()
        self.widget.layout.visibility = "hidden"

    def mark(self, *, chosen: bool) -> None:
        self._button.description = f"{'▶ ' if chosen else ''}{self.name or ''}"
        self._button.tooltip = f"Choose {self.name}"
        self._button.button_style = "info" if chosen else ""

    def _choose(self) -> None:
        if self.name is not None:
            self.plot.select(())
            self._panel.select(self.name)
