"""The sources panel: found by place, name or rule, on the sky, and all that is known of one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._age import most_age_s
from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import TextFilter
from contimg_lab.panels._sources_below import TITLES, Below
from contimg_lab.panels._sources_gallery import Gallery
from contimg_lab.panels._sources_search import (
    WAYS,
    Place,
    check_rule,
    meanings_of,
    nearest,
    offered,
    read_place,
)
from contimg_lab.panels._sources_words import brief_html, row_of, show_sources, sky_columns
from contimg_lab.panels._table import Table
from contimg_lab.panels._words import escape, plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from contimg_lab.panels._live_plot import LivePlot
    from contimg_lab.services.light_curve import LightCurve

__all__ = ["SourcesPanel"]

_HINT = "<span class='contimg-quiet'>Choose a source to see its numbers.</span>"


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search found, of which sources, and how it reads."""

    frame: pd.DataFrame
    every: pd.DataFrame
    place: Place | None
    radius_arcmin: float
    rule: str | None
    undecided: int


class SourcesPanel(Panel):
    """Sources by place, by name and by a rule; the chosen one's curve, periods and images.

    Parameters
    ----------
    lab
        An open Lab.
    text
        A name, a part of one, or a position; empty: all sources.
    radius_arcmin
        How far from a position to look.
    rule
        A rule over columns of ``lab.sources.variability()``, as ``lab.sources.select`` takes
        it; empty: none.
    start
        Read at once.
    """

    title = "Sources"
    has_flux = True
    has_positions = True
    selects = "source"
    shows = ("photometry", "image", "other")

    def __init__(
        self,
        lab: Any,
        *,
        text: str = "",
        radius_arcmin: float = 5.0,
        rule: str = "",
        start: bool = True,
    ) -> None:
        self._first = (text, float(radius_arcmin), rule)
        self._held: tuple[Any, pd.DataFrame] | None = None
        self._reading = asyncio.Lock()  # table and gallery want the same field: read it once
        self._found: _Found | None = None
        self._image_of: dict[Any, str | None] = {}
        super().__init__(lab, start=start)
        self._chosen_elsewhere = self._home.taken(self._on_chosen_elsewhere)
        lab.selection.observe(self._chosen_elsewhere, ("sources", "image"))

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        text, radius_arcmin, rule = self._first
        self._text = TextFilter("name, part of it, or position", text, 195)
        self._radius = widgets.FloatText(
            value=radius_arcmin,
            description="within (arcmin)",
            style={"description_width": "initial"},
            layout={"width": "150px"},
        )
        self._rule = TextFilter("rule: eta > 3 and n_used >= 20", rule, 215)
        self._text.widget.tooltip = WAYS
        self._columns = widgets.Dropdown(
            options=offered({}), value="", layout={"width": "330px", "flex": "0 0 auto"}
        )
        self._read_as = widgets.HTML(escape(WAYS))
        self._brief = widgets.HTML(_HINT)
        for part in (self._read_as, self._brief):
            part.add_class("contimg-detail")
        self._table = Table("sources", 220, self._choose)
        self._sky = self._plot((3.85, 3.6), "Sources on the sky appear here.", self._on_sky)
        self._curve = self._plot(
            (5.5, 3.6), "Choose a source to see its light curve.", self._on_curve
        )
        self._below = Below(self, self._choose_epoch, self._choose_image)
        self._gallery = Gallery(self)
        self._tabs = widgets.Tab(
            [*self._below.pages, self._gallery.widget], titles=(*TITLES, "Gallery")
        )
        self._tabs.selected_index = 0
        for widget in (self._text.widget, self._radius, self._rule.widget):
            self._watch(widget, self._on_filter)
        self._watch(self._columns, self._on_column)
        self._watch(self._tabs, self._on_tab, "selected_index")
        self._watch(*self._table.watched)
        said = widgets.Box([self._read_as], layout={"height": "38px", "overflow": "auto"})
        line = widgets.Box(
            [self._columns, said], layout={"flex_flow": "row wrap", "grid_gap": "2px 8px"}
        )
        told = widgets.Box([self._brief], layout={"height": "62px", "overflow": "auto"})
        plots = widgets.Box(
            [self._sky.widget, self._curve.widget],
            layout={"flex_flow": "row wrap", "grid_gap": "4px 12px"},
        )
        filters = [self._text.widget, self._radius, self._rule.widget]
        return filters, [line, self._table.widget, told, plots, self._tabs]

    # finding

    @property
    def max_age_s(self) -> float:
        """How old the field may be: not at all, unless it takes long to read."""
        return most_age_s(self._lab)

    async def field(self) -> pd.DataFrame:
        """Return every source with its statistics, by name."""
        async with self._reading:
            token = await self._lab.token()
            if self._held is None or self._held[0] != token:
                read = await self._lab.sources.variability(max_age_s=self.max_age_s)
                self._held = (token, read)
            return self._held[1]

    async def _fetch(self) -> _Found:
        text, rule = await self._text.read(), await self._rule.read()
        radius = float(self._radius.value)
        every = kept = await self.field()
        sources, max_age_s, undecided = self._lab.sources, self.max_age_s, 0
        columns = meanings_of(every)
        if len(self._columns.options) != len(columns) + 1:
            self._columns.options = offered(columns)  # before a rule is refused for want of them
        if rule is not None:
            check_rule(rule, columns)
            kept = await sources.select(rule, max_age_s=max_age_s)
            undecided = int(kept.attrs["n_undecided"])
        place = None if text is None else read_place(text, every)
        if place is not None:
            if place.centre_deg is None:
                near = await sources.find(place.text, limit=None, max_age_s=max_age_s)
            else:
                near = await sources.cone(
                    *place.centre_deg, radius_arcmin=radius, max_age_s=max_age_s
                )
            kept = near.set_index("source_id")[["separation_arcsec"]].join(kept, how="inner")
        kept.attrs["units"] = every.attrs["units"]
        return _Found(kept.reset_index(), every, place, radius, rule, undecided)

    def _show(self, value: _Found) -> str:
        self._found = value
        self._frame, place = value.frame, value.place
        asked: dict[str, Any] = {"rule": value.rule}
        if place is not None and place.centre_deg is not None:
            asked |= {"centre_deg": place.centre_deg, "radius_arcmin": value.radius_arcmin}
        elif place is not None:
            asked |= {"text": place.text}
        self._asked = ("sources", asked)
        names = value.frame["source_id"].tolist()
        show_sources(
            self._table, value.frame, self._units,
            total=len(value.every), selected=self.selected, marked=self._ties.marks(names, names),
        )  # fmt: skip
        self._say_search(value)
        self._paint()
        self._gallery.read()
        return self._count_words(value)

    def _say_search(self, value: _Found) -> None:
        told = f"{WAYS[:1].upper()}{WAYS[1:]}."
        if value.frame.empty and value.place is not None:
            closest = nearest(value.place, value.every)
            if closest is None:
                told = f"No name holds it. {told}"
            else:
                told = f"The nearest source is {closest[0]}, {closest[1]:.3g} arcmin away."
        self._read_as.value = escape(told)

    def _count_words(self, value: _Found) -> str:
        told = f"{len(value.frame)} of {len(value.every)} sources"
        if value.place is not None:
            told += f", {value.place.words(value.radius_arcmin)}"
            told += ", nearest first" * (value.place.centre_deg is not None)
        if value.rule is not None:
            told += f"; rule {value.rule}"
            if value.undecided:
                told += f" ({value.undecided} undecided, since a figure in it is undefined)"
        return told

    def _on_column(self, change: Any) -> None:
        """Put the name of a column at the end of the rule."""
        if change["new"]:
            rule = f"{self._rule.widget.value.rstrip()} {change['new']}".strip()
            self._columns.value = ""
            self._rule.widget.value = rule

    # on the sky

    def _paint(self) -> None:
        from contimg_lab.plots.sky_sources import sources_chart

        value = self._found
        if value is None:
            return
        frame, every, place = value.frame, value.every, value.place
        names = plain(frame["source_id"])
        circle = None
        if place is not None and place.centre_deg is not None:
            circle = (*place.centre_deg, value.radius_arcmin / 60.0)
        others = every[~every.index.isin(names)]
        chart = sources_chart(
            *_positions(frame), keys=names, columns=sky_columns(frame, self._units), circle=circle,
            others=_positions(others) if len(others) else None, selected=self._ringed(),
            title=f"{len(names)} of {len(every)}",
            name=f"sources, {'all' if circle is None else circle}",
        )  # fmt: skip
        self._sky.show(chart)

    def _ringed(self) -> frozenset[str]:
        chosen: frozenset[str] = self._lab.selection.sources
        return chosen if self.selected is None else chosen | {self.selected}

    def _on_sky(self, keys: frozenset[Any], how: str) -> None:
        """One source is chosen; a box or a lasso makes a set."""
        if how in ("click", "key") and len(keys) == 1:
            self.select(next(iter(keys)))
        else:
            self._lab.selection.sources = keys

    def _on_chosen_elsewhere(self, change: Any) -> None:
        """The selection has another set, or another image."""
        if self.state == "closed":
            return
        if change.name == "sources":
            self._sky.select(self._ringed())
            self._gallery.show_set(change.new)
        else:
            self._ring_epoch(change.new)
            self._below.mark_image(change.new)

    # one source

    async def _fetch_detail(self, key: str) -> LightCurve:
        curve: LightCurve = await self._lab.sources.light_curve(key)
        return curve

    def _show_detail(self, key: str | None, value: Any) -> None:
        if key is None:
            self._brief.value = _HINT
            self._curve.clear()
        else:
            from contimg_lab.plots.light_curve import light_curve_chart

            # its place stands above the plot
            self._curve.show(replace(light_curve_chart(value), title=key))
            every = None if self._found is None else self._found.every
            self._brief.value = brief_html(key, value, row_of(every, key), self._units)
            parts = (value, value.excluded)
            self._image_of = {
                row_id: path
                for part in parts
                for row_id, path in zip(part.row_id.tolist(), part.image_path, strict=True)
            }
            self._ring_epoch(self._lab.selection.image)
        self._below.choose(key, value)
        self._sky.select(self._ringed())
        self._gallery.mark(key)

    def _show_detail_error(self, words_html: str) -> None:
        self._brief.value = words_html
        self._curve.clear("There is no light curve to show.")
        self._below.choose(None, None)

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    def _on_curve(self, keys: frozenset[Any], how: str) -> None:
        if len(keys) < 2:
            self._choose_epoch(next(iter(keys), None))

    def _choose_epoch(self, row_id: Any) -> None:
        self._choose_image(self._image_of.get(row_id))

    def _choose_image(self, path: str | None) -> None:
        self._lab.selection.image = path

    def _ring_epoch(self, path: str | None) -> None:
        rows = [row for row, image in self._image_of.items() if path is not None and image == path]
        self._curve.select(rows)

    def _on_tab(self, change: Any) -> None:
        at = change["new"]
        self._below.look(at if at is not None and at < len(TITLES) else None)
        self._gallery.see(seen=at == len(TITLES))

    # kept, saved, closed

    def _layout(self) -> dict[str, Any]:
        return {"tab": self._tabs.selected_index, "gallery": self._gallery.which}

    def _arrange(self, layout: Mapping[str, Any]) -> None:
        if layout.get("gallery"):
            self._gallery._which.choose(layout["gallery"])
        if layout.get("tab") in range(len(TITLES) + 1):
            self._tabs.selected_index = layout["tab"]

    def figure(self) -> Figure | None:
        """Return the light curve where a source is chosen, else the sources on the sky."""
        return self._curve.figure or self._sky.figure

    def _pictures(self) -> Sequence[LivePlot]:
        return [self._sky, self._curve, *self._below.pictures]

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else f"<p>{self._brief.value}</p>"
        figures = f"{self._sky.to_html()}{self._curve.to_html()}{self._below.to_html()}"
        page = f"<p>{self._read_as.value}</p>{detail}{figures}{self._gallery.to_html()}"
        return f"{page}{self._table.to_html()}", self._table.to_text()

    def close(self) -> None:
        """Stop listening to the selection, give up what is computed, and close."""
        if self.state != "closed" and hasattr(self, "_chosen_elsewhere"):
            self._lab.selection.unobserve(self._chosen_elsewhere)
            self._gallery.close()
            self._below.close()
        super().close()


def _positions(sources: pd.DataFrame) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    ra, dec = (
        sources[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("ra_deg", "dec_deg")
    )
    return ra, dec
