"""Pointings: the MS of a night in a table, on the sky and in time, and what is out of order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import LAST_NIGHT, Choice, night_of, night_options
from contimg_lab.panels._sky_words import (
    HINT,
    NOWHERE,
    columns_of,
    facts_html,
    findings_html,
    findings_words,
    rows_of,
    several_html,
)
from contimg_lab.panels._table import Column, Table
from contimg_lab.panels._words import plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from contimg_lab.panels._units import UnitColumns
    from contimg_lab.plots.chart import Chart
    from contimg_lab.records.ms import MsMetadata
    from contimg_lab.services.drift import Drift

__all__ = ["PointingsPanel"]

_VIEWS = (
    ("sky: RA, Dec", "sky"),
    ("strip: RA against time", "strip"),
    ("declination against time", "declination"),
    ("drift: RA − LST", "drift"),
)


@dataclass(frozen=True, slots=True)
class _Page:
    nights: Sequence[str]
    night: str | None
    ms: pd.DataFrame
    drift: Drift
    calibrators: pd.DataFrame
    paths: Sequence[str]
    ra_deg: Sequence[float | None]
    dec_deg: Sequence[float | None]
    columns: Sequence[Column]
    findings_html: str
    words: str


class PointingsPanel(Panel):
    """Measurement Sets of a night, where they pointed, and what is out of order.

    Parameters
    ----------
    lab
        An open Lab.
    night
        First value of the filter: a UTC date, ``last`` or ``all``.
    view
        What is plotted first: ``sky``, ``strip``, ``declination`` or ``drift``.
    start
        Read at once.
    """

    title = "Pointings"
    by_night = True
    has_positions = True
    selects = "ms_path"
    shows = ("job", "status")

    def __init__(
        self, lab: Any, *, night: str = LAST_NIGHT, view: str = "sky", start: bool = True
    ) -> None:
        self._first = (str(night), view)
        self._page: _Page | None = None
        self._several: frozenset[str] = frozenset()
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        night, view = self._first
        self._night = Choice("Night", night_options(()), night, self._on_filter)
        self._view = Choice("Plot", _VIEWS, view, self._on_view, 240)
        self._where = "no night"
        self._table = Table("Measurement Sets", 230, self._choose_row)
        self._plot_box = self._plot((6.4, 4.0), "The sky plot appears here.", self._on_plot)
        self._facts, self._findings = widgets.HTML(HINT), widgets.HTML()
        for part in (self._facts, self._findings):
            part.add_class("contimg-detail")
        still = {"overflow": "auto", "min_width": "0"}
        told = widgets.Box([self._facts], layout=still | {"height": "400px", "flex": "1 1 260px"})
        found = widgets.Box([self._findings], layout=still | {"height": "170px"})
        self._watch(self._night.widget, self._night.changed)
        self._watch(self._view.widget, self._view.changed)
        self._watch(*self._table.watched)
        below = widgets.Box(
            [self._plot_box.widget, told], layout={"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        )
        return [self._night.widget, self._view.widget], [self._table.widget, below, found]

    async def _fetch(self) -> _Page:
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        ms, drift, calibrators = await asyncio.gather(
            self._lab.ms.table(night=night),
            self._lab.ms.drift(night),
            self._lab.caltables.calibrators(),
        )
        return await asyncio.to_thread(_page, nights, night, ms, drift, calibrators)

    def _show(self, value: _Page) -> str:
        self._night.offer(night_options(value.nights))
        self._frame, self._page = value.ms, value
        self._asked = ("pointings", {"night": value.night})
        self._where = "all nights" if value.night is None else f"night {value.night}"
        # what was read is shown again when the units change: the columns in them are made here
        place = [self._units.ra(value.ra_deg, NOWHERE), self._units.dec(value.dec_deg, NOWHERE)]
        self._table.show(
            [*value.columns[:2], *place, *value.columns[2:]],
            value.paths,
            total=len(value.ms),
            selected=self.selected,
            marked=self._ties.marks(value.paths, value.paths),
            note=f", {self._where}",
        )
        self._findings.value = value.findings_html
        self._paint()
        return f"{len(value.ms)} Measurement Sets, {self._where}: {value.words}"

    def _on_view(self, change: Any) -> None:
        self._paint()

    def _paint(self) -> None:
        """Describe the plot in a thread: of a whole season there is much to describe."""
        page, view, chosen = self._page, self._view.value, self.selected
        if page is not None:
            title = f"{len(page.ms)} Measurement Sets, {self._where}"
            ringed = None if self._several else chosen
            self._ask(
                "figure",
                lambda: asyncio.to_thread(_chart, page, view, ringed, title, self._units),
                self._plot_box.show,
            )

    async def _fetch_detail(self, key: str) -> MsMetadata:
        found: MsMetadata = await self._lab.ms.get_ms_metadata(key)
        return found

    def _show_detail(self, key: str | None, value: Any) -> None:
        if self._several:
            return
        drift = None if self._page is None else self._page.drift
        self._facts.value = HINT if key is None else facts_html(value, drift, self._units)

    def _show_detail_error(self, words_html: str) -> None:
        self._facts.value = words_html

    def _mark(self, key: str | None) -> None:
        self._several = frozenset()
        self._table.mark(key)
        self._plot_box.select(() if key is None else (key,))

    def _choose_row(self, key: str | None) -> None:
        self._several = frozenset()
        self._plot_box.select(() if key is None else (key,))
        self._choose(key)

    def _on_plot(self, keys: frozenset[Any], how: str) -> None:
        """One MS is chosen; several are marked and told of together."""
        if len(keys) > 1:
            self._several = frozenset(map(str, keys))
            self._table.mark(None)
            self._requests.drop("detail")
            if self._page is not None:
                self._facts.value = several_html(self._page.ms, self._several)
            self._settle()
            return
        self._several = frozenset()
        key = next(iter(keys), None)
        self._table.mark(key)
        self._choose(key)

    def figure(self) -> Figure | None:
        """Return the plot."""
        return self._plot_box.figure

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else self._facts.value
        told = "" if self._page is None else "\n".join(self._page.drift.lines())
        page = f"{self._plot_box.to_html()}{self._findings.value}{self._table.to_html()}{detail}"
        return page, f"{told}\n{self._table.to_text()}"


def _page(
    nights: Sequence[str],
    night: str | None,
    ms: pd.DataFrame,
    drift: Drift,
    calibrators: pd.DataFrame,
) -> _Page:
    """Make what is put on screen; of a whole season that takes longer than a loop may wait."""
    counts = Counter(str(kind) for kind in plain(ms["kind"])).most_common()
    kinds = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts)
    lost = int(ms["ra_deg"].isna().sum())
    missing = f"; {lost} without a position" if lost else ""
    return _Page(
        nights, night, ms, drift, calibrators,
        paths=plain(ms["path"]),
        ra_deg=plain(ms["ra_deg"]),
        dec_deg=plain(ms["dec_deg"]),
        columns=columns_of(ms, drift, dated=night is None),
        findings_html=findings_html(drift),
        words=f"{kinds}{missing}. {'; '.join(findings_words(drift))}",
    )  # fmt: skip


def _chart(page: _Page, view: str, chosen: str | None, title: str, units: UnitColumns) -> Chart:
    from contimg_lab.plots import strip
    from contimg_lab.plots.sky import pointings_chart

    drift = page.drift
    status, columns = rows_of(page.ms, drift, units)
    if view != "sky":
        chart = {
            "strip": strip.strip_chart,
            "declination": strip.declination_chart,
            "drift": strip.drift_chart,
        }[view]
        name = f"{view} {page.night}"
        return chart(drift, status, columns=columns, selected=chosen, title=title, name=name)
    named = page.calibrators
    places = zip(named["ra_deg"].tolist(), named["dec_deg"].tolist(), strict=True)
    return pointings_chart(
        drift.ra_deg, drift.dec_deg, status, keys=drift.path, columns=columns,
        selected=drift.path.index(chosen) if chosen in drift.path else None,
        calibrators=dict(zip(named["name"].tolist(), places, strict=True)),
        waiting=strip.raw_places(drift)[1:], title=title, name=f"sky {page.night}",
    )  # fmt: skip
