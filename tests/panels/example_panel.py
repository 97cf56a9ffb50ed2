"""Nights: how many images each night has, and the images of the chosen one.

An example of a new panel: this file, and one line in ``contimg_lab.panels.PANELS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import TextFilter
from contimg_lab.panels._table import Column, Table, numbers
from contimg_lab.panels._words import facts, plain, short_ms
from contimg_lab.plots.chart import Axis, Chart, Points

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_HINT = "Choose a night to see its images."


class NightsPanel(Panel):
    """Images per night, with their median noise.

    Parameters
    ----------
    lab
        An open Lab.
    text
        Only nights whose date holds this.
    start
        Read at once.
    """

    title = "Images per night"
    draws = True  # there is a figure to export
    has_flux = True  # noise is written in the Lab's unit
    selects = "night"  # what a chosen row is in the selection
    shows = ("image",)  # events after which it reads again

    def __init__(self, lab: Any, *, text: str = "", start: bool = True) -> None:
        self._first_text = text
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        self._text = TextFilter("date holds", self._first_text, 120)
        self._table = Table("nights", 180, self._choose)
        self._bars = self._plot((6.0, 3.0), "Images per night appear here.", self._on_pick)
        self._facts = widgets.HTML(_HINT)
        self._watch(self._text.widget, self._on_filter)
        self._watch(*self._table.watched)
        return [self._text.widget], [self._table.widget, self._bars.widget, self._facts]

    async def _fetch(self) -> tuple[str | None, pd.DataFrame]:
        text, ms = await self._text.read(), await self._lab.ms.table()
        images = await self._lab.images.table()
        return text, images.merge(ms[["path", "night"]].set_axis(["ms_path", "night"], axis=1))

    def _show(self, value: tuple[str | None, pd.DataFrame]) -> str:
        text, images = value
        by_night = images.dropna(subset="night").groupby("night")
        frame = by_night.agg(images=("path", "size"), noise_jy=("noise_jy", "median"))
        every, frame = len(frame), frame.reset_index()
        if text:
            frame = frame[frame["night"].str.contains(text, regex=False)].reset_index(drop=True)
        frame.attrs["units"] = {"noise_jy": "Jy/beam"}
        self._frame, nights = frame, plain(frame["night"])
        columns = [
            Column(title="night (UTC)", texts=nights),
            numbers("images", plain(frame["images"])),
            self._units.flux("noise", plain(frame["noise_jy"]), "no image tells", per_beam=True),
        ]
        self._table.show(columns, nights, total=every, selected=self.selected)
        self._bars.show(_chart(nights, frame["images"].to_numpy(float)))
        return f"{self._table.counts}, {int(frame['images'].sum())} images"

    def _on_pick(self, keys: frozenset[Any], how: str) -> None:
        self.select(next(iter(keys), None))

    async def _fetch_detail(self, key: str) -> pd.DataFrame:
        images: pd.DataFrame = await self._lab.images.table(night=key)
        return images

    def _show_detail(self, key: str | None, value: Any) -> None:
        if key is None:
            self._facts.value = _HINT
            return
        rows = zip(plain(value["path"]), plain(value["noise_jy"]), strict=True)
        self._facts.value = facts(
            {short_ms(path): f"noise {self._units.flux_words(noise)}" for path, noise in rows}
        )

    def _show_detail_error(self, words_html: str) -> None:
        self._facts.value = words_html

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)
        self._bars.select(() if key is None else (key,))

    def figure(self) -> Figure | None:
        """Return the images per night."""
        return self._bars.figure

    def _static(self) -> tuple[str, str]:
        page = f"{self._bars.to_html()}{self._table.to_html()}{self._facts.value}"
        return page, self._table.to_text()


def _chart(nights: Sequence[str], counts: np.ndarray[Any, np.dtype[np.float64]]) -> Chart:
    at = np.arange(len(nights), dtype=float)
    told = f"most {counts.max():.0f}, fewest {counts.min():.0f}" if len(counts) else "none"
    return Chart(
        name="images per night",
        title="Images per night",
        x=Axis(label="night, in order"),
        y=Axis(label="images"),
        points=(Points(role="point", name="night", x=at, y=counts, keys=tuple(nights)),),
        alt=f"Images per night, {len(nights)} nights: {told}.",
    )
