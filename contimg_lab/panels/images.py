"""Images: those of a night in a table, the chosen one's pixels, and their figures over time."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import InvalidInput
from contimg_lab.panels._age import is_told, most_age_s
from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import (
    ANY,
    LAST_NIGHT,
    Choice,
    TextFilter,
    night_of,
    night_options,
)
from contimg_lab.panels._figure import FigureView
from contimg_lab.panels._image_pages import (
    WHOLE,
    Detail,
    Page,
    fluxes_of,
    read_detail,
    read_page,
    texts_of,
    tile_key,
)
from contimg_lab.panels._images import (
    charts_of,
    columns_of,
    facts_html,
    regressions_words,
    short_image,
)
from contimg_lab.panels._table import Column, Table
from contimg_lab.panels._words import escape, number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from contimg_lab.plots.chart import Chart, Key

__all__ = ["ImagesPanel"]

_HINT = "<span class='contimg-quiet'>Choose an image to see its pixels and figures.</span>"
_VIEWS = (
    ("whole image", WHOLE),
    *((f"{size} px around the source", str(size)) for size in (48, 96, 192, 384)),
)
_MOST_TILES = 20_000  # of all nights, the latest


_Rows = tuple[Page, list[Column]]


class ImagesPanel(Panel):
    """Images of a night, what they measure, and how that compares with the nights before.

    Parameters
    ----------
    lab
        An open Lab.
    night, type, text
        First values of the filters: a UTC date, ``last`` or ``all``; a type of image; a part of
        a path.
    quantity
        What the plots show first: noise_jy, beam_major_arcsec, beam_minor_arcsec, axis_ratio,
        dynamic_range or flux_ratio.
    start
        Read at once.
    """

    title = "Images"
    by_night = True
    draws = True
    selects = "image"
    follows = ("ms_path",)
    shows = ("image", "photometry", "status")

    def __init__(
        self,
        lab: Any,
        *,
        night: str = LAST_NIGHT,
        type: str = ANY,
        text: str = "",
        quantity: str = "noise_jy",
        start: bool = True,
    ) -> None:
        from contimg_lab.plots.trends import SHOWN

        if quantity not in SHOWN:
            raise InvalidInput(f"quantity {quantity!r} is none of {', '.join(SHOWN)}")
        self._first = (str(night), type, text, quantity)
        self._page: Page | None = None
        self._trends: tuple[pd.DataFrame, pd.DataFrame] | None = None
        self._detail: Detail | None = None
        super().__init__(lab, start=start)
        self._heard = self._home.taken(self._on_source)
        lab.selection.observe(self._heard, "source")

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        from contimg_lab.plots.trends import SHOWN

        night, kind, text, quantity = self._first
        self._night = Choice("Night", night_options(()), night, self._on_filter)
        self._type = Choice("Type", (("any", ANY),), kind, self._on_filter, 150)
        self._text = TextFilter("path holds", text)
        offered = [
            (f"{name} ({unit})" if unit else name, key) for key, (name, unit, _) in SHOWN.items()
        ]
        self._quantity = Choice("Quantity", offered, quantity, self._on_quantity, 250)
        self._view = Choice("Cut-out", _VIEWS, WHOLE, self._on_view, 250)
        self._table = Table("images", 230, self._choose)
        self._picture = FigureView((5.6, 4.6), "The pixels of a chosen image appear here.")
        self._picture.widget.layout.height = "474px"  # with a picture and with words
        self._facts, self._told = widgets.HTML(_HINT), widgets.HTML()
        self._tiles = self._plot((4.7, 3.6), "The night's images appear here.", self._on_tile)
        self._nights = self._plot((4.7, 3.6), "The nights appear here.", self._on_night)
        for part in (self._facts, self._told):
            part.add_class("contimg-detail")
        still = {"overflow": "auto", "min_width": "0"}
        told = widgets.Box([self._facts], layout=still | {"height": "468px", "flex": "1 1 300px"})
        line = widgets.Box([self._told], layout=still | {"height": "40px", "flex": "1 1 300px"})
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        chosen = widgets.Box([self._picture.widget, told], layout=wrap)
        over = widgets.Box([self._quantity.widget, line], layout=wrap)
        plots = widgets.Box([self._tiles.widget, self._nights.widget], layout=wrap)
        for choice in (self._night, self._type, self._quantity, self._view):
            self._watch(choice.widget, choice.changed)
        self._watch(self._text.widget, self._on_filter)
        self._watch(*self._table.watched)
        filters = [self._night.widget, self._type.widget, self._text.widget]
        return filters, [self._table.widget, self._view.widget, chosen, over, plots]

    # rows

    async def _fetch(self) -> _Rows:
        text = await self._text.read()
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        # the rows are on screen before all photometry has been read
        return await self._read(nights, night, text, photometry=self._is_ready())

    async def _read(
        self, nights: Sequence[str], night: str | None, text: str | None, *, photometry: bool
    ) -> _Rows:
        page = await read_page(
            self._lab,
            nights,
            night,
            self._type.value or None,
            text,
            photometry=photometry,
            max_age_s=most_age_s(self._lab),
        )
        return page, await asyncio.to_thread(columns_of, page)

    def _is_ready(self) -> bool:
        seen = self._page is not None and self._page.photometry
        return seen or self._lab.status().store.state == "ready"

    def _show(self, value: _Rows) -> str:
        counts = self._show_rows(value)
        self._ask("figure", self._fetch_trends, self._show_trends)
        return counts

    def _show_rows(self, rows: _Rows) -> str:
        page, columns = rows
        self._page, self._frame = page, page.frame
        self._night.offer(night_options(page.nights))
        types = sorted({str(kind) for kind in page.images["type"].dropna().unique()})
        self._type.offer([("any", ANY), *((kind, kind) for kind in types)])
        shown = {"night": page.night, "type": page.type, "text": page.text}
        self._asked = ("images", shown | {"photometry": page.photometry})
        where = _where(page.night)
        paths = texts_of(page.frame, "path")
        self._table.show(
            columns,
            page.keys,
            total=len(page.images),
            selected=self.selected,
            marked=self._ties.marks(page.keys, paths),
            note=f", {where}",
        )
        told = [f"{len(page.images)} images, {where}"]
        kinds = page.images["type"].value_counts().items()
        told[0] += ": " + ", ".join(f"{n} {kind}" for kind, n in kinds)
        for name, words, factor, unit in (
            ("noise_jy", "noise", 1e3, " mJy/beam"),
            ("flux_ratio", "flux / NVSS", 1.0, ""),
        ):
            known = page.frame[name].dropna()
            if len(known):
                told.append(f"median {words} {number(float(known.median()) * factor)}{unit}")
        if page.source is not None:
            n = sum(path in page.fluxes for path in paths)
            told.append(f"{page.source} in {n} of those shown")
        as_of = page.images.attrs["as_of"]
        if is_told(as_of, most_age_s(self._lab)):
            told.append(f"photometry as of {as_of:%H:%M:%S} UTC")
        return "; ".join(told)

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    # figures over time

    async def _fetch_trends(self) -> tuple[_Rows | None, pd.DataFrame, pd.DataFrame]:
        page = self._page
        assert page is not None
        images, age_s = self._lab.images, most_age_s(self._lab)
        tiles = await images.trends(nights=page.night, max_age_s=age_s)
        nightly = await images.nightly(max_age_s=age_s)
        if page.photometry:
            return None, tiles, nightly
        whole = await self._read(page.nights, page.night, page.text, photometry=True)
        return whole, tiles, nightly

    def _show_trends(self, value: tuple[_Rows | None, pd.DataFrame, pd.DataFrame]) -> None:
        rows, tiles, nightly = value
        self._trends = (tiles.tail(_MOST_TILES), nightly)
        if rows is not None:
            self._counts = self._show_rows(rows)
        night = None if self._page is None else self._page.night
        self._told.value = escape(regressions_words(nightly, night))
        self._draw_plots()
        if self._detail is not None and (rows is not None or not self._detail.with_sources):
            self._reread_detail()

    def _draw_plots(self) -> None:
        if self._page is not None and self._trends is not None:
            self._ask("plots", self._make_charts, self._show_charts)

    async def _make_charts(self) -> list[Chart | str]:
        """Make the charts of the chosen quantity; words where this site has no column for it."""
        page, trends, quantity = self._page, self._trends, self._quantity.value
        assert page is not None
        assert trends is not None
        chosen = self._tile_of(self.selected)
        return await asyncio.to_thread(charts_of, page, *trends, quantity, chosen)

    def _show_charts(self, charts: list[Chart | str]) -> None:
        for plot, chart in zip((self._tiles, self._nights), charts, strict=True):
            if isinstance(chart, str):
                plot.clear(chart)
            else:
                plot.show(chart)

    def _tile_of(self, key: str | None) -> str | None:
        """Path of the tile image that an image belongs to: that of the same MS."""
        row = None if self._page is None else self._page.row(key)
        if row is None or self._trends is None:
            return None
        tiles = self._trends[0]
        mine = (tiles["ms_path"] == row["ms_path"]).fillna(False)
        found = tiles.loc[mine, "image_path"]
        return str(found.iloc[0]) if len(found) else None

    def _on_quantity(self, change: Any) -> None:
        self._draw_plots()

    def _on_tile(self, keys: frozenset[Key], how: str) -> None:
        if len(keys) <= 1:
            self._select(str(next(iter(keys))) if keys else None)

    def _on_night(self, keys: frozenset[Key], how: str) -> None:
        if len(keys) == 1:
            night = str(next(iter(keys)))
            self._lab.selection.night = night
            self._night.choose(night)

    # one image

    def _choose(self, key: str | None) -> None:
        """Choose an image, and its MS with it."""
        self._read_detail(key)
        row = None if self._page is None else self._page.row(key)
        if row is None:
            self._ties.choose(key)
        else:
            also = {} if row["ms_path"] is None else {"ms_path": row["ms_path"]}
            self._ties.choose(row["path"], **also)

    async def _key_of(self, field: str, value: str) -> str | None:
        return value if field == "image" else await tile_key(self._lab, value, self.selected)

    async def _fetch_detail(self, key: str) -> Detail:
        view, make, ready = self._view.value, self._picture.make, self._is_ready()
        return await read_detail(self._lab, key, view, make, sources=ready)

    def _show_detail(self, key: str | None, value: Any) -> None:
        self._detail = value
        self._tiles.select([tile] if (tile := self._tile_of(key)) else [])
        if key is None or value is None:
            self._facts.value = _HINT
            self._picture.clear()
            return
        self._show_facts(key)
        if value.drawn is None:
            told = f"No picture of {short_image(value.image.path)}: {value.note}"
            self._picture.clear(f"<span class='contimg-quiet'>{escape(told)}</span>")
        else:
            from contimg_lab.plots.cutout import cutout_words

            source = self._lab.selection.source
            self._picture.put(value.drawn, cutout_words(value.cutout, source))

    def _show_facts(self, key: str) -> None:
        detail, page = self._detail, self._page
        if detail is None or page is None:
            return
        fluxes = {path: page.fluxes[path] for path in page.beside(detail.image.ms_path)}
        file = "" if detail.cutout is None else str(detail.cutout.file)
        told = detail.note if detail.drawn is not None else ""
        note = f"<p class='contimg-quiet'>{escape(told)}</p>" if told else ""
        self._facts.value = note + facts_html(
            detail.image, page.row(key), file, page.source, fluxes
        )

    def _show_detail_error(self, words_html: str) -> None:
        self._detail = None
        self._facts.value = words_html
        self._picture.clear()

    def _reread_detail(self) -> None:
        if self.selected is not None:
            self._read_detail(self.selected)

    def _on_view(self, change: Any) -> None:
        self._reread_detail()

    # the chosen source

    def _on_source(self, change: Any) -> None:
        """Mark the images in which another source was measured."""
        page = self._page
        if page is None or self.state == "closed":
            return

        async def read() -> _Rows:
            fluxes = await fluxes_of(self._lab, change.new)
            now = dataclasses.replace(self._page or page, source=change.new, fluxes=fluxes)
            return now, await asyncio.to_thread(columns_of, now)

        def show(rows: _Rows) -> None:
            self._counts = self._show_rows(rows)
            self._draw_plots()
            self._reread_detail()

        self._ask("source", read, show)

    # the whole

    def _layout(self) -> dict[str, Any]:
        return {"quantity": self._quantity.value, "view": self._view.value}

    def _arrange(self, layout: Mapping[str, Any]) -> None:
        for name, choice in (("quantity", self._quantity), ("view", self._view)):
            value = layout.get(name)
            if value in {known for _, known in choice.widget.options}:
                choice.choose(str(value))

    def figure(self) -> Figure | None:
        """Return the plot of the nights."""
        return self._nights.figure

    def _static(self) -> tuple[str, str]:
        chosen = "" if self.selected is None else f"{self._picture.to_html()}{self._facts.value}"
        plots = f"<p>{self._told.value}</p>{self._nights.to_html()}{self._tiles.to_html()}"
        return f"{chosen}{plots}{self._table.to_html()}", "\n".join(
            part for part in (self._nights.alt, self._tiles.alt, self._table.to_text()) if part
        )

    def close(self) -> None:
        """Cancel what is under way, stop listening, close every widget; may be called twice."""
        if hasattr(self, "_heard"):
            self._lab.selection.unobserve(self._heard)
        super().close()


def _where(night: str | None) -> str:
    return "all nights" if night is None else f"night {night}"
