"""Cal tables: how a night's MS are covered, how old and how good the tables are, and each one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._base import Panel
from contimg_lab.panels._cal_words import (
    HINT,
    Detail,
    columns_of,
    coverage_lines,
    facts_html,
    floor_html,
    headline,
    quality_words,
    tier_words,
)
from contimg_lab.panels._controls import ANY, LAST_NIGHT, Choice, night_of, night_options
from contimg_lab.panels._table import Column, Table
from contimg_lab.panels._words import facts, plain
from contimg_lab.times import night_bounds_mjd

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from contimg_lab.plots.chart import Chart
    from contimg_lab.records.ms import PrimaryCal

__all__ = ["CalTablesPanel"]

_REACH_D = 0.5
_STATUSES = (("any", ANY), ("active", "active"), ("retired", "retired"), ("failed", "failed"))
_VIEWS = (("validity windows", "windows"), ("age at each MS", "age"))
_METRICS = (("mean SNR", "snr_mean"), ("flagged fraction", "flagged_fraction"))
_BANDPASS = ("BP", "BA", "G")


@dataclass(frozen=True, slots=True)
class _Page:
    nights: Sequence[str]
    night: str | None
    status: str | None
    tables: pd.DataFrame
    quality: pd.DataFrame
    coverage: pd.DataFrame
    tiers: pd.DataFrame
    shown: pd.DataFrame
    columns: Sequence[Column]
    paths: Sequence[str]
    covered_html: str
    words: str


class CalTablesPanel(Panel):
    """Calibration tables of a night.

    Parameters
    ----------
    lab
        An open Lab.
    night, status
        First values of the filters: a UTC date, ``last`` or ``all``; active, retired, failed.
    view, metric
        What is plotted first: ``windows`` or ``age``; ``snr_mean`` or ``flagged_fraction``.
    start
        Read at once.
    """

    title = "Cal tables"
    by_night = True
    selects = "caltable"
    follows = ("ms_path",)
    shows = ("caltable", "job")

    def __init__(
        self,
        lab: Any,
        *,
        night: str = LAST_NIGHT,
        status: str = ANY,
        view: str = "windows",
        metric: str = "snr_mean",
        start: bool = True,
    ) -> None:
        self._first = (str(night), status, view, metric)
        self._page: _Page | None = None
        self._several: frozenset[str] = frozenset()
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        night, status, view, metric = self._first
        self._night = Choice("Night", night_options(()), night, self._on_filter)
        self._status_filter = Choice("Status", _STATUSES, status, self._on_filter, 118)
        self._view = Choice("Plot", _VIEWS, view, self._on_view, 154)
        self._type = Choice("Type", (("bandpass", ANY),), ANY, self._on_view, 130)
        self._metric = Choice("History", _METRICS, metric, self._on_view, 180)
        self._covered, self._facts = widgets.HTML(), widgets.HTML(HINT)
        for part in (self._covered, self._facts):
            part.add_class("contimg-detail")
        self._timeline = self._plot((6.4, 3.6), "The windows appear here.", self._on_plot)
        self._history = self._plot((5.8, 3.2), "The history appears here.", self._on_history)
        self._table = Table("cal tables", 200, self._choose_row)
        still = {"overflow": "auto", "min_width": "0"}
        covered = widgets.Box(
            [self._covered], layout=still | {"height": "360px", "flex": "1 1 260px"}
        )
        told = widgets.Box([self._facts], layout=still | {"height": "320px", "flex": "1 1 320px"})
        filters = (self._night, self._status_filter, self._view, self._type, self._metric)
        for choice in filters:
            self._watch(choice.widget, choice.changed)
        self._watch(*self._table.watched)
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        above = widgets.Box([self._timeline.widget, covered], layout=wrap)
        below = widgets.Box([self._history.widget, told], layout=wrap)
        return [choice.widget for choice in filters], [above, self._table.widget, below]

    async def _fetch(self) -> _Page:
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        status = self._status_filter.value or None
        caltables = self._lab.caltables
        tables, quality, coverage, tiers = await asyncio.gather(
            caltables.table(status=status),
            caltables.quality(),
            caltables.coverage(night),
            caltables.tiers(night),
        )
        return await asyncio.to_thread(
            _page, nights, night, status, tables, quality, coverage, tiers
        )

    def _show(self, value: _Page) -> str:
        self._night.offer(night_options(value.nights))
        kinds = sorted({str(kind) for kind in plain(value.quality["table_type"])})
        self._type.offer([("bandpass", ANY), *((kind, kind) for kind in kinds)])
        where = _where(value.night)
        self._frame, self._page = value.shown, value
        shown = {"night": value.night, "status": value.status, "reach_d": _REACH_D}
        self._asked = ("caltables", shown)
        self._table.show(
            value.columns,
            value.paths,
            total=len(value.tables),
            selected=self.selected,
            marked=self._ties.marks(value.paths, value.paths),
            note=f"; windows within 12 h of {where}" if value.night is not None else "",
        )
        self._covered.value = value.covered_html
        self._paint()
        return f"{where}, {value.words}"

    def _on_view(self, change: Any) -> None:
        self._paint()

    def _paint(self) -> None:
        """Describe both plots in a thread, and show them."""
        page = self._page
        if page is None:
            return
        asked = (self._view.value, self._type.value or _bandpass(page.quality), self._metric.value)

        def show(charts: tuple[Chart, Chart]) -> None:
            self._timeline.show(charts[0])
            self._history.show(charts[1])
            if not self._several:
                self._mark_plots(self.selected)

        self._ask("figure", lambda: asyncio.to_thread(_charts, page, *asked), show)

    async def _key_of(self, field: str, value: str) -> str | None:
        if field == "caltable":
            return value
        found: PrimaryCal = await self._lab.ms.get_primary_cal_table(value)
        return found.caltable_path

    async def _fetch_detail(self, key: str) -> Detail:
        ms = self._lab.selection.ms_path
        table = await self._lab.caltables.get_caltable(key)
        return Detail(table, ms, None if ms is None else await self._tied(ms, table.table_type))

    async def _tied(self, ms: str, table_type: str | None) -> Mapping[str, Any] | None:
        """Return how the chosen MS is covered by tables of a type; of a night shown, as shown."""
        page = self._page
        if page is None:
            return None
        covers = page.coverage
        mine = covers[((covers["ms_path"] == ms) & (covers["table_type"] == table_type))]
        tier = page.tiers[page.tiers["ms_path"] == ms]
        if mine.empty or tier.empty:
            return None
        rows = (mine.iloc[0], tier.iloc[0])
        return {str(name): value for row in rows for name, value in row.items()}

    def _show_detail(self, key: str | None, value: Any) -> None:
        self._facts.value = HINT if key is None else facts_html(value)

    def _show_detail_error(self, words_html: str) -> None:
        self._facts.value = words_html

    def _mark(self, key: str | None) -> None:
        self._several = frozenset()
        self._table.mark(key)
        self._mark_plots(key)

    def _mark_plots(self, key: str | None) -> None:
        """Mark a table, and the MS that is chosen anywhere."""
        chosen = [part for part in (key, self._lab.selection.ms_path) if part is not None]
        self._timeline.select(chosen)
        self._history.select(chosen[:1] if key is not None else ())

    def _choose_row(self, key: str | None) -> None:
        self._several = frozenset()
        self._mark_plots(key)
        self._choose(key)

    def _on_plot(self, keys: frozenset[Any], how: str) -> None:
        """A window chooses its table, an MS itself and with it its table; several are marked."""
        self._several = frozenset(keys) if len(keys) > 1 else frozenset()
        if self._several:
            return
        key = next(iter(keys), None)
        page = self._page
        if key is not None and page is not None and (page.coverage["ms_path"] == key).any():
            self._lab.selection.ms_path = key
            return
        self._mark(key)
        self._choose(key)

    def _on_history(self, keys: frozenset[Any], how: str) -> None:
        if len(keys) <= 1:
            key = next(iter(keys), None)
            self._mark(key)
            self._choose(key)

    def figure(self) -> Figure | None:
        """Return the windows in time, or the ages."""
        return self._timeline.figure

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else self._facts.value
        plots = f"{self._timeline.to_html()}{self._history.to_html()}"
        return f"{self._covered.value}{plots}{self._table.to_html()}{detail}", self._table.to_text()


def _where(night: str | None) -> str:
    return "all nights" if night is None else f"night {night}"


def _page(
    nights: Sequence[str],
    night: str | None,
    status: str | None,
    tables: pd.DataFrame,
    quality: pd.DataFrame,
    coverage: pd.DataFrame,
    tiers: pd.DataFrame,
) -> _Page:
    """Make what is put on screen; of a whole season that takes longer than a loop may wait."""
    shown = tables
    if night is not None:
        low, high = night_bounds_mjd(night)
        late = (shown["valid_end_mjd"] < low - _REACH_D).fillna(False)
        early = (shown["valid_start_mjd"] >= high + _REACH_D).fillna(False)
        shown = shown[~(late | early)]
    shown = shown.reset_index(drop=True)
    paths = [str(path) for path in plain(shown["path"])]
    lines, told = coverage_lines(coverage), tier_words(tiers)
    covered = (
        "<h4>Coverage by active tables (MS)</h4>"
        + facts(lines)
        + facts({"Provenance tier": told})
        + floor_html(quality_words(quality, paths))
    )
    n_ms = coverage["ms_path"].nunique()
    return _Page(
        nights, night, status, tables, quality, coverage, tiers,
        shown=shown,
        columns=columns_of(shown, dated=night is None),
        paths=paths,
        covered_html=covered,
        words=f"{n_ms} MS by active tables. {headline(lines)}. Tier {told}",
    )  # fmt: skip


def _bandpass(quality: pd.DataFrame) -> str:
    kinds = set(plain(quality["table_type"]))
    return next((kind for kind in _BANDPASS if kind in kinds), _BANDPASS[0])


def _charts(page: _Page, view: str, table_type: str, metric: str) -> tuple[Chart, Chart]:
    from contimg_lab.plots.cal_history import age_chart, metric_chart
    from contimg_lab.plots.coverage import coverage_chart

    where = _where(page.night)
    history = metric_chart(page.quality, metric, table_type, title=f"{table_type}, all nights")
    if view == "age":
        title = f"Age of {table_type} tables, {where}"
        return age_chart(page.coverage, table_type, title=title, name=f"age {page.night}"), history
    title, name = f"Validity windows, {where}", f"windows {page.night}"
    return coverage_chart(page.coverage, page.tables, title=title, name=name), history
