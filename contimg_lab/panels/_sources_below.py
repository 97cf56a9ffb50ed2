"""Below a chosen source's curve: its periods, where its numbers come from, and its images.

Only what is in sight is worked out, after the curve is on screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from contimg_lab.errors import ContimgLabError
from contimg_lab.panels._sources_words import image_columns, period_words
from contimg_lab.panels._table import Table
from contimg_lab.panels._words import error_html, escape, plain

if TYPE_CHECKING:
    from contimg_lab.panels._base import Panel
    from contimg_lab.panels._live_plot import LivePlot
    from contimg_lab.services.light_curve import LightCurve
    from contimg_lab.services.light_curve_periods import FoldedCurve, Periodogram

__all__ = ["TITLES", "Below"]

T = TypeVar("T")

TITLES = ("Period", "Explanation", "Images")
_PAUSE_S = 0.12  # somebody who walks through the table is not followed with each step
_HEIGHT_PX = 410
_NONE = "Choose a source to see its "


class Below:
    """What is told of one source, in tabs.

    Parameters
    ----------
    panel
        The panel whose requests, watches and plots these are.
    on_epoch
        Called with the id of a row that the reader chose, or None.
    on_image
        Called with the path of an image that the reader chose, or None.

    Attributes
    ----------
    pages
        One widget a title of `TITLES`.
    periods
        Periodogram of the source, once it is there.
    """

    def __init__(
        self,
        panel: Panel,
        on_epoch: Callable[[int | None], None],
        on_image: Callable[[str | None], None],
    ) -> None:
        import ipywidgets as widgets

        self._panel = panel
        self._on_epoch, self._on_image = on_epoch, on_image
        self._at: int | None = 0
        self._source: tuple[str, LightCurve] | None = None
        self._done: set[int] = set()
        self._pool: ThreadPoolExecutor | None = None
        self.periods: Periodogram | None = None
        self._peaks_d: list[float] = []
        self._quiet = False

        self._words = widgets.HTML()
        self._period = widgets.FloatText(
            description="folded on (days)",
            style={"description_width": "initial"},
            layout={"width": "230px", "flex": "0 0 auto"},
        )
        self._power = panel._plot((4.55, 3.3), f"{_NONE}periodogram.", self._on_peak)
        self._folded = panel._plot((4.55, 3.3), f"{_NONE}folded curve.", self._on_row)
        self._why = widgets.HTML()
        for part in (self._words, self._why):
            part.add_class("contimg-detail")
        self._images = Table("images", 330, self._image_chosen)
        told = widgets.Box([self._words], layout={"height": "56px", "overflow": "auto"})
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        plots = widgets.Box([self._power.widget, self._folded.widget], layout=wrap)
        scrolled = {"height": f"{_HEIGHT_PX}px", "overflow": "auto", "display": "block"}
        self.pages = (
            widgets.VBox([told, self._period, plots]),
            widgets.Box([self._why], layout=scrolled),
            self._images.widget,
        )
        panel._watch(self._period, self._on_period)
        panel._watch(*self._images.watched)
        self._clear()

    def choose(self, key: str | None, curve: LightCurve | None) -> None:
        """Tell of another source, or of none."""
        self._panel._requests.drop("below")
        self._panel._requests.drop("fold")
        self._source = None if key is None or curve is None else (key, curve)
        self._done.clear()
        self.periods, self._peaks_d = None, []
        if self._source is None:
            self._clear()
        else:
            self._begin(pause_s=_PAUSE_S)

    def look(self, at: int | None) -> None:
        """Say which page is in sight; None: none of these."""
        self._at = at
        if self._source is not None:
            self._begin(pause_s=0.0)

    def mark_image(self, path: str | None) -> None:
        """Mark an image in the table."""
        self._images.mark(path)

    @property
    def pictures(self) -> list[LivePlot]:
        """Plots that a saved page shows."""
        return [] if self.periods is None else [self._power]

    def to_html(self) -> str:
        """Return what is known of periods as a figure and words, for a saved page."""
        return "" if self.periods is None else f"<p>{self._words.value}</p>{self._power.to_html()}"

    def close(self) -> None:
        """Give up what is being computed."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _clear(self) -> None:
        quiet = "<span class='contimg-quiet'>{}</span>".format
        self._power.clear()
        self._folded.clear()
        self._words.value = quiet(f"{_NONE}periods.")
        self._why.value = quiet(f"{_NONE}equations, sums and papers.")
        self._images.show(image_columns_of_none(), [], total=0)
        self._set_period(0.0)

    def _begin(self, pause_s: float) -> None:
        """Work out the page in sight, unless that is done."""
        at, source = self._at, self._source
        if at is None or source is None or at in self._done:
            return
        fetch = (self._fetch_period, self._fetch_why, self._fetch_images)[at]
        show = (self._show_period, self._show_why, self._show_images)[at]
        if at == 0:
            self._words.value = "<span class='contimg-quiet'>looking for periods…</span>"

        async def run() -> Any:
            await asyncio.sleep(pause_s)
            return await kept(fetch(*source))

        def put(value: Any) -> None:
            self._done.add(at)
            show(value)

        self._panel._ask("below", run, put)

    # periods

    async def _fetch_period(self, key: str, curve: LightCurve) -> tuple[Any, ...]:
        from contimg_lab.plots.folded import folded_chart
        from contimg_lab.plots.periodogram import peak_periods_d, periodogram_chart

        def find() -> tuple[Any, ...]:
            found = curve.periodogram()
            folded = curve.fold(found.best_period_d)
            chart = periodogram_chart(found)
            return found, chart, peak_periods_d(found), folded, folded_chart(folded)

        return await self._compute(find)

    def _show_period(self, value: tuple[Any, ...] | Exception) -> None:
        if isinstance(value, Exception):
            words = _words_html(value)
            self._words.value = words
            self._power.clear("There is no periodogram of this source.")
            self._folded.clear("Give a period to fold on.")
            return
        self.periods, chart, self._peaks_d, folded, folded_chart = value
        assert self.periods is not None
        self._words.value = escape(period_words(self.periods))
        self._set_period(self.periods.best_period_d)
        found = self.periods
        self._power.show(chart, draw=lambda ax: found.plot(ax))
        self._show_folded((folded, folded_chart))

    def _on_peak(self, keys: frozenset[Any], how: str) -> None:
        if len(keys) == 1 and next(iter(keys)) < len(self._peaks_d):
            self._period.value = self._peaks_d[next(iter(keys))]

    def _on_period(self, change: Any) -> None:
        if self._quiet or self._source is None:
            return
        _, curve = self._source
        period_d = float(change["new"])

        async def fold() -> Any:
            from contimg_lab.plots.folded import folded_chart

            def make() -> tuple[FoldedCurve, Any]:
                folded = curve.fold(period_d)
                return folded, folded_chart(folded)

            return await kept(self._compute(make))

        self._panel._ask("fold", fold, self._show_folded)

    def _show_folded(self, value: Any) -> None:
        if isinstance(value, Exception):
            self._folded.clear(str(value))
            return
        self._folded.show(value[1])

    def _on_row(self, keys: frozenset[Any], how: str) -> None:
        if len(keys) < 2:
            self._on_epoch(next(iter(keys), None))

    def _set_period(self, period_d: float) -> None:
        self._quiet = True
        try:
            self._period.value = float(f"{period_d:.8g}")
        finally:
            self._quiet = False

    async def _compute(self, make: Callable[[], T]) -> T:
        """Compute in a thread, one thing at a time; what nobody waits for is never begun."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "periods")
        return await asyncio.get_running_loop().run_in_executor(self._pool, make)

    # where the numbers come from

    async def _fetch_why(self, key: str, curve: LightCurve) -> str:
        explanation = await self._panel._lab.sources.explain(key)
        html: str = explanation._repr_html_()
        return html

    def _show_why(self, value: str | Exception) -> None:
        self._why.value = _words_html(value) if isinstance(value, Exception) else value

    # images

    async def _fetch_images(self, key: str, curve: LightCurve) -> tuple[Any, list[str]]:
        images = await self._panel._lab.sources.images_of(key)
        paths = plain(images["image_path"])
        # of two measurements in one image the later row counts, and leads to the same image
        keys = [path or f"row {row}" for path, row in zip(paths, images["row_id"], strict=True)]
        return images, keys

    def _show_images(self, value: tuple[Any, list[str]] | Exception) -> None:
        if isinstance(value, Exception):
            self._images.show(image_columns_of_none(), [], total=0, note=f"; {value}")
            return
        images, keys = value
        columns, image = image_columns(images, self._panel._units), self._panel._lab.selection.image
        self._images.show(columns, keys, total=len(keys), selected=image)

    def _image_chosen(self, key: str | None) -> None:
        self._on_image(None if key is None or key.startswith("row ") else key)


async def kept(work: Any) -> Any:
    """Return what work gives, or the error it ends with: told where the answer would stand."""
    try:
        return await work
    except Exception as error:
        return error


def image_columns_of_none() -> list[Any]:
    """Return the columns of a table that has no rows yet."""
    from contimg_lab.panels._table import Column

    return [Column(title="image", texts=[])]


def _words_html(error: Exception) -> str:
    if isinstance(error, ContimgLabError):
        words = str(error)
        return f"<span class='contimg-quiet'>{escape(words[:1].upper() + words[1:])}</span>"
    return error_html(error)
