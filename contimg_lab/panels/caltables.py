"""Cal tables: how a night's MS are covered, the windows in time, and each table's details."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import ANY, LAST_NIGHT, Choice, night_of, night_options
from contimg_lab.panels._figure import FigureView
from contimg_lab.panels._table import Column, Table, Written, numbers
from contimg_lab.panels._words import clip, count_words, facts, number, plain, short_ms, utc
from contimg_lab.times import night_bounds_mjd

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from contimg_lab.records.caltables import CalTable
    from contimg_lab.records.ms import PrimaryCal

__all__ = ["CalTablesPanel"]

_REACH_D = 0.5
_STATUSES = (("any", ANY), ("active", "active"), ("retired", "retired"), ("failed", "failed"))
_HINT = "<span class='contimg-quiet'>Choose a cal table to see its window and quality.</span>"


@dataclass(frozen=True, slots=True)
class _Page:
    nights: Sequence[str]
    night: str | None
    status: str | None
    tables: pd.DataFrame
    coverage: pd.DataFrame


class CalTablesPanel(Panel):
    """Calibration tables of a night.

    Parameters
    ----------
    lab
        An open Lab.
    night, status
        First values of the filters: a UTC date, ``last`` or ``all``; active, retired, failed.
    start
        Read at once.
    """

    title = "Cal tables"
    by_night = True
    draws = True
    selects = "caltable"
    follows = ("ms_path",)
    shows = ("caltable", "job")

    def __init__(
        self, lab: Any, *, night: str = LAST_NIGHT, status: str = ANY, start: bool = True
    ) -> None:
        self._first = (str(night), status)
        self._page: _Page | None = None
        self._alt = ""
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        self._night = Choice("Night", night_options(()), self._first[0], self._on_filter)
        self._status_filter = Choice("Status", _STATUSES, self._first[1], self._on_filter, 130)
        self._covered = widgets.HTML()
        self._timeline = FigureView((5.3, 3.6), "The windows appear here.")
        self._table = Table("cal tables", 200, self._choose)
        self._facts = widgets.HTML(_HINT)
        for part in (self._covered, self._facts):
            part.add_class("contimg-detail")
        still = {"overflow": "auto", "min_width": "0"}
        covered = widgets.Box(
            [self._covered],
            layout=still | {"height": "130px", "flex": "1 1 240px"},
        )
        told = widgets.Box([self._facts], layout=still | {"height": "190px"})
        self._watch(self._night.widget, self._night.changed)
        self._watch(self._status_filter.widget, self._status_filter.changed)
        self._watch(*self._table.watched)
        above = widgets.Box(
            [self._timeline.widget, covered],
            layout={"flex_flow": "row wrap", "grid_gap": "4px 12px"},
        )
        return [self._night.widget, self._status_filter.widget], [above, self._table.widget, told]

    async def _fetch(self) -> _Page:
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        status = self._status_filter.value or None
        tables = await self._lab.caltables.table(status=status)
        coverage = await self._lab.caltables.coverage(night)
        return _Page(nights, night, status, tables, coverage)

    def _show(self, value: _Page) -> str:
        self._night.offer(night_options(value.nights))
        where = _where(value.night)
        frame = value.tables
        if value.night is not None:
            low, high = night_bounds_mjd(value.night)
            late = (frame["valid_end_mjd"] < low - _REACH_D).fillna(False)
            early = (frame["valid_start_mjd"] >= high + _REACH_D).fillna(False)
            frame = frame[~(late | early)]
        self._frame = frame = frame.reset_index(drop=True)
        shown = {"night": value.night, "status": value.status, "reach_d": _REACH_D}
        self._asked = ("caltables", shown)
        self._table.show(
            _columns(frame, dated=value.night is None),
            [str(path) for path in plain(frame["path"])],
            total=len(value.tables),
            selected=self.selected,
            **self._ties.marks(self._table.show, *[[str(p) for p in plain(frame["path"])]] * 2),
            note=f"; windows within 12 h of {where}" if value.night is not None else "",
        )
        lines = _coverage_lines(value.coverage)
        self._covered.value = facts(lines)
        self._page, self._alt = value, "; ".join(f"{kind} {told}" for kind, told in lines.items())
        self._paint_soon()
        n_ms = value.coverage["ms_path"].nunique()
        return f"{where}, {n_ms} MS by active tables. {_headline(lines)}"

    def _paint(self) -> None:
        from contimg_lab.plots.coverage import plot_coverage

        page = self._page
        if page is None:
            return
        title = f"Validity windows, {_where(page.night)}"

        def plot(ax: Axes) -> None:
            plot_coverage(page.coverage, page.tables, title=title, ax=ax)

        self._timeline.draw(plot, f"{title}. {self._alt or 'No cal table'}.")

    async def _key_of(self, field: str, value: str) -> str | None:
        if field == "caltable":
            return value
        found: PrimaryCal = await self._lab.ms.get_primary_cal_table(value)
        return found.caltable_path

    async def _fetch_detail(self, key: str) -> CalTable:
        found: CalTable = await self._lab.caltables.get_caltable(key)
        return found

    def _show_detail(self, key: str | None, value: Any) -> None:
        self._facts.value = _HINT if key is None else _facts_html(value)

    def _show_detail_error(self, words_html: str) -> None:
        self._facts.value = words_html

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    def figure(self) -> Figure | None:
        """Return the windows in time."""
        return self._timeline.figure

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else self._facts.value
        parts = (self._covered.value, self._timeline.to_html(), self._table.to_html(), detail)
        return "".join(parts), self._table.to_text()


def _where(night: str | None) -> str:
    return "all nights" if night is None else f"night {night}"


def _coverage_lines(coverage: pd.DataFrame) -> dict[str, str]:
    """For each table type: ``28 inside, 3 nearest (max 7.2 h), 0 none``."""
    from contimg_lab.plots.coverage import STATE_STYLE, type_rank

    lines = {}
    for kind in sorted({str(k) for k in plain(coverage["table_type"])}, key=type_rank):
        mine = coverage[coverage["table_type"] == kind]
        words = count_words(plain(mine["state"]), tuple(STATE_STYLE))
        far = mine.loc[mine["state"] == "nearest", "distance_hours"]
        if len(far):
            words = words.replace("nearest", f"nearest (max {float(far.max()):.1f} h)")
        lines[kind] = words if " none" in words else f"{words}, 0 none"
    return lines


def _headline(lines: dict[str, str]) -> str:
    kind = next((kind for kind in ("BP", "BA", "G") if kind in lines), None)
    return f"{kind}: {lines[kind]}" if kind else "No bandpass table in the registry"


def _columns(tables: pd.DataFrame, *, dated: bool) -> list[Column]:
    found = [_metrics(text) for text in plain(tables["quality_metrics"])]
    snr = [metrics.get("snr_mean") for metrics in found]
    flagged = [metrics.get("flagged_fraction") for metrics in found]
    start, end = plain(tables["valid_start_at"]), plain(tables["valid_end_at"])
    late = [datetime.max.replace(tzinfo=UTC) if when is None else when for when in end]
    unrated = "the pipeline's quality metrics do not say"
    form = "%Y-%m-%d %H:%M" if dated else "%m-%d %H:%M"
    return [
        Column(title="table", texts=Written(plain(tables["path"]), short_ms)),
        Column(
            title="type", texts=Written(plain(tables["table_type"]), lambda kind: clip(kind, 8))
        ),
        Column(title="status", texts=Written(plain(tables["status"]), lambda word: clip(word, 12))),
        Column(
            title="field", texts=Written(plain(tables["cal_field"]), lambda word: clip(word, 24))
        ),
        Column(
            title="from (UTC)",
            texts=Written(start, lambda when: utc(when, form)),
            sort_by=start,
            kind="time",
        ),
        Column(
            title="to (UTC)",
            texts=["open" if when is None else utc(when, form) for when in end],
            sort_by=late,
            kind="time",
        ),
        numbers("order", plain(tables["order_index"])),
        numbers("SNR", snr, number, unrated),
        numbers("flagged", flagged, lambda x: number(x, 2), unrated),
    ]


def _metrics(text: str | None) -> dict[str, float]:
    """Numbers of a JSON text; what is malformed or no number is left out."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        str(name): float(value)
        for name, value in found.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _facts_html(table: CalTable) -> str:
    start = "unknown" if table.valid_start_mjd is None else f"{table.valid_start_mjd:.5f}"
    end = "open-ended" if table.valid_end_mjd is None else f"{table.valid_end_mjd:.5f}"
    rows: dict[str, object] = {
        "Table": table.path,
        "Set": f"{table.set_name or '-'}, applied as {table.order_index}",
        "Type, status": f"{table.table_type or '-'}, {table.status or '-'}",
        "Window (MJD)": f"{start} to {end}",
        "Field, refant": f"{table.cal_field or '-'}, {table.refant or '-'}",
        "Solved on": table.source_ms_path or "not recorded",
        "Solver": table.solver_command,
        "Notes": table.notes,
    }
    metrics = _metrics(table.quality_metrics)
    rows |= {f"Quality: {name}": number(value, 4) for name, value in metrics.items()}
    if not metrics and table.quality_metrics:
        rows["Quality (not readable)"] = clip(table.quality_metrics, 200)
    return facts({name: value for name, value in rows.items() if value is not None})
