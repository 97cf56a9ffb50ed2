"""The variability panel: sources with the rules that select them, and the chosen light curve."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import ANY, Choice, TextFilter
from contimg_lab.panels._field_reader import FieldReader
from contimg_lab.panels._field_rows import (
    ANY_RULE,
    CHOSEN_SET,
    RULES,
    Field,
    Listed,
    chart_of,
    draw_field,
    list_sources,
)
from contimg_lab.panels._source_view import SourceView
from contimg_lab.panels._table import Table
from contimg_lab.panels._variables import fold_html, rules_words, scale_words, together_words
from contimg_lab.panels._warm import load_frames
from contimg_lab.panels._words import error_html, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from contimg_lab.panels._chart_message import ChartMessage
    from contimg_lab.plots.chart import Chart, Key
    from contimg_lab.services.light_curve import LightCurve

__all__ = ["VariabilityPanel"]

_N_SIGMA = 2.0
_FIRST_S = 1.0  # how long the field waits for the curve that the reader looks at
_REST_S = 0.15  # a source is explained once the reader has stayed with it for so long
_SORTS = (
    ("η, highest first", "eta"),
    ("V, highest first", "v"),
    ("p of constancy, lowest first", "p_constant"),
    ("largest |Vs| first", "vs_max"),
    ("mean flux, brightest first", "weighted_mean_jy"),
    ("epochs, most first", "n_used"),
)


class VariabilityPanel(Panel):
    """Which sources vary, and which rule says so.

    Parameters
    ----------
    lab
        An open Lab.
    text
        Only sources whose name holds this.
    rule
        Only sources that a rule selects: any, eta_v, presets, two_epoch or expression; set:
        those of ``lab.selection.sources``; empty: all.
    sort
        Column to sort by: eta, v, p_constant, vs_max, weighted_mean_jy or n_used.
    expression
        A rule of the user's own over columns of ``lab.sources.variability()``.
    flux_scale
        Correct each image's flux scale first.
    source
        Name of the source whose light curve is shown first, before the field is read.
    start
        Read at once.
    """

    title = "Variability"
    by_frames = False  # the first light curve does not wait for pandas
    selects = "source"
    shows = ("photometry", "image", "other")

    def __init__(
        self,
        lab: Any,
        *,
        text: str = "",
        rule: str = ANY,
        sort: str = "eta",
        expression: str | None = None,
        flux_scale: bool = False,
        source: str | None = None,
        start: bool = True,
    ) -> None:
        self._first = (text, rule, sort, flux_scale)
        self._first_source = source
        self._expression = expression
        self._field_reader = FieldReader(lab, n_sigma=_N_SIGMA, expression=expression)
        self._shown: Field | None = None
        self._drawn: Field | None = None
        self._curve_read = asyncio.Event()
        self._curve_read.set()
        super().__init__(lab, start=start)
        self._on_set_there = self._home.taken(self._on_set)
        self._on_image_there = self._home.taken(self._on_image)
        lab.selection.observe(self._on_set_there, "sources")
        lab.selection.observe(self._on_image_there, "image")

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        text, rule, sort, flux_scale = self._first
        offered = [("all sources", ANY), ("any rule", ANY_RULE)]
        offered += [
            (words, key)
            for key, (words, _) in RULES.items()
            if key != "expression" or self._expression is not None
        ]
        offered.append(("chosen set", CHOSEN_SET))
        self._text = TextFilter("source name holds", text, 150)
        self._rule = Choice("Rule", offered, rule, self._on_filter, 150)
        self._sort = Choice("Sort by", _SORTS, sort, self._on_sort, 240)
        self._scale = widgets.Checkbox(
            value=flux_scale,
            description="correct the flux scale",
            indent=False,
            layout={"width": "170px"},
        )
        self._chip = widgets.Button(
            tooltip="Let go of the sources that a box or a lasso chose",
            layout={"width": "190px", "flex": "0 0 auto"},
        )
        self._chip_heard = self._home.taken(self._on_chip)
        self._chip.on_click(self._chip_heard)
        self._warning = widgets.HTML()
        self._table = Table("sources", 200, self._choose)
        self._scatter = self._plot((5.8, 5.2), "η against V appears here.", self._on_points)
        self._curve = self._plot(
            (7.2, 3.9), "Choose a source to see its light curve.", self._on_epochs
        )
        self._source = SourceView(self._curve)
        self._facts, self._fold = self._source.facts, self._source.fold
        for part in (self._warning, self._fold, self._facts):
            part.add_class("contimg-detail")
        warned = widgets.Box(
            [self._warning], layout={"height": "40px", "overflow": "auto", "flex": "1 1 0"}
        )
        # beside the warning it has a place that nothing else moves into
        line = widgets.Box([warned, self._chip], layout={"align_items": "center"})
        told = widgets.Box(
            [self._facts],
            layout={"height": "520px", "overflow": "auto", "flex": "1 1 240px", "min_width": "0"},
        )
        # opened by the reader it grows; below everything else it moves nothing
        folded = widgets.Box([self._fold], layout={"height": "34px", "overflow": "auto"})
        folded.add_class("contimg-still")
        self._watch(self._text.widget, self._on_filter)
        self._watch(self._rule.widget, self._rule.changed)
        self._watch(self._sort.widget, self._sort.changed)
        self._watch(self._scale, self._on_scale)
        self._watch(*self._table.watched)
        self._show_chip()
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        below = widgets.Box([self._scatter.widget, told, self._curve.widget], layout=wrap)
        filters = [self._text.widget, self._rule.widget, self._sort.widget, self._scale]
        return filters, [line, self._table.widget, below, folded]

    # what is chosen: one source, several, an image

    def _on_sort(self, change: Any) -> None:
        self._table.sort(None)  # the newer wish holds
        self._on_filter(change)

    def _on_scale(self, change: Any) -> None:
        self.refresh()
        self._explain_soon()

    def _on_points(self, keys: frozenset[Key], how: str) -> None:
        """Choose one source by a click, several by a box, a lasso or with Ctrl."""
        names = {str(key) for key in keys}
        if how in ("click", "key") and len(names) == 1:
            self._select(names.pop())
        else:
            self._lab.selection.sources = names
            if not names:
                self._select(None)
        self._mark_points()

    def _on_epochs(self, keys: frozenset[Key], how: str) -> None:
        """Choose the image of an epoch."""
        if len(keys) < 2:
            self._lab.selection.image = self._source.image_of(*keys) if keys else None

    def _on_image(self, change: Any) -> None:
        self._source.ring(change.new)

    def _on_set(self, change: Any) -> None:
        self._show_chip()
        self._mark_points()
        if self._rule.value == CHOSEN_SET:
            self._on_filter(change)

    def _on_chip(self, button: Any) -> None:
        self._lab.selection.sources = ()

    def _show_chip(self) -> None:
        count = len(self._lab.selection.sources)
        self._chip.description = f"✕ {count} source{'s' * (count != 1)} in the set"
        self._chip.layout.visibility = "visible" if count else "hidden"

    def _mark_points(self) -> None:
        chosen = () if self.selected is None else (self.selected,)
        self._scatter.select({*self._lab.selection.sources, *chosen})

    # the field: read, listed, drawn

    def _reread(self) -> None:
        # the curve that somebody waits for is asked for before the field
        first, self._first_source = self._first_source, None
        if first is not None:
            self._select(first)
        elif self._source.curve is None:
            named = self.selected or self._lab.selection.source
            if named is not None and "detail" not in self._requests.slots:
                self._mark(named)
                self._read_detail(named)
        super()._reread()

    def _on_filter(self, change: Any) -> None:
        # what was read is listed anew; only a reading under way is begun again
        if self._shown is None or "table" in self._requests.slots:
            self.refresh()
        else:
            self._ask("list", self._relist, self._show_list)

    async def _relist(self) -> Listed:
        assert self._shown is not None
        return await self._list(self._shown)

    def _show_list(self, value: Listed) -> None:
        if value.field is self._shown:  # else a newer field is listed already
            self._counts = self._show(value)
            self._say()

    async def _fetch(self) -> Listed:
        self._requests.drop("list")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_S):
                await self._curve_read.wait()
        await load_frames()
        return await self._list(await self._field())

    async def _list(self, field: Field) -> Listed:
        return await asyncio.to_thread(
            list_sources,
            field,
            text=await self._text.read(),
            rule=self._rule.value,
            chosen=self._lab.selection.sources,
            by=self._sort.value,
        )

    async def _field(self) -> Field:
        return await self._field_reader.read(flux_scale=bool(self._scale.value))

    def _show(self, value: Listed) -> str:
        field = value.field
        self._shown = field
        self._make_frame = value.to_pandas
        asked = {
            "flux_scale": field.attrs["flux_scale"]["applied"],
            "n_sigma": _N_SIGMA,
            "expression": self._expression,
        }
        self._asked = ("variability", {**asked, **value.asked})
        self._table.show(value.columns, value.names, total=len(field.names), selected=self.selected)
        scale = field.attrs["flux_scale"]
        words, bad = together_words(field.attrs["vary_together"], corrected=scale["applied"])
        kind = "contimg-bad" if bad else "contimg-quiet"
        self._warning.value = f"<span class='{kind}'>{escape(words)}</span>"
        self._source.tell(field)
        if self._drawn is not field:
            self._ask(
                "figure",
                lambda: asyncio.to_thread(chart_of, field, _N_SIGMA),
                lambda made: self._draw_field(field, *made),
            )
        told = [
            f"{len(value.names)} of {len(field.names)} sources, {value.n_used} epochs used, "
            f"{value.n_excluded} left out",
            rules_words(field),
            scale_words(scale),
        ]
        if self._field_reader.is_late:
            told.append(f"statistics as of {field.attrs['as_of']:%H:%M:%S} UTC")
        return "; ".join(part for part in told if part)

    def _draw_field(self, field: Field, chart: Chart, message: ChartMessage) -> None:
        self._drawn = field
        marked = {*self._lab.selection.sources, *filter(None, [self.selected])}
        chosen = frozenset(name for name in marked if name in field.places)
        chart = dataclasses.replace(chart, selected=chosen)
        self._scatter.show(
            chart,
            draw=lambda ax: draw_field(field, _N_SIGMA, self.selected, ax),
            message=message,
        )

    # one source: its curve at once, its numbers with the field, its explanation last

    async def _fetch_detail(self, key: str) -> LightCurve:
        self._requests.drop("why")
        self._curve_read.clear()
        try:
            curve: LightCurve = await self._lab.sources.light_curve(key)
            return curve
        finally:
            self._curve_read.set()

    def _show_detail(self, key: str | None, value: LightCurve | None) -> None:
        if value is None:
            self._requests.drop("why")
            self._source.clear()
        else:
            self._source.show(value, self._lab.selection.image)
            self._source.tell(self._shown)
            self._explain_soon()
        self._mark_points()

    def _explain_soon(self) -> None:
        curve = self._source.curve
        if curve is not None:
            self._ask("why", lambda: self._explained(curve.source_id), self._source.explain)

    async def _explained(self, key: str) -> str:
        await asyncio.sleep(_REST_S)
        scale = bool(self._scale.value)
        if scale:
            await self._field()  # a corrected source rests on the whole field: found once
        try:
            why = await self._lab.sources.explain(key, flux_scale=scale)
            return await asyncio.to_thread(fold_html, why)
        except Exception as error:
            return error_html(error)

    def _show_detail_error(self, words_html: str) -> None:
        self._requests.drop("why")
        self._source.clear(words_html)
        self._mark_points()

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    def close(self) -> None:
        """Close as every panel, and stop following what is chosen."""
        if self.state != "closed" and hasattr(self, "_on_set_there"):
            self._lab.selection.unobserve(self._on_set_there)
            self._lab.selection.unobserve(self._on_image_there)
            self._chip.on_click(self._chip_heard, remove=True)
        super().close()

    def figure(self) -> Figure | None:
        """Return the light curve where a source is chosen, else eta against V."""
        return self._curve.figure or self._scatter.figure

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else f"{self._facts.value}{self._fold.value}"
        figures = f"{self._scatter.to_html()}{self._curve.to_html()}"
        page = f"<p>{self._warning.value}</p>{figures}{detail}{self._table.to_html()}"
        return page, self._table.to_text()
