"""Variability: eta against V, a table over all sources, and the chosen light curve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import Choice, TextFilter
from contimg_lab.panels._figure import FigureView
from contimg_lab.panels._table import Column, Table
from contimg_lab.panels._words import count_words, facts, number, plain, probability
from contimg_lab.plots.variability import count_undrawn
from contimg_lab.times import datetime_from_mjd

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from contimg_lab.services.light_curve import LightCurve

__all__ = ["VariabilityPanel"]

_MOST_ROWS = 300
_SORTS = (
    ("η, highest first", "eta"),
    ("V, highest first", "v"),
    ("p of constancy, lowest first", "p_constant"),
    ("mean flux, brightest first", "weighted_mean_jy"),
    ("epochs, most first", "n_used"),
)
_HINT = "<span class='contimg-quiet'>Choose a source to see its light curve.</span>"


@dataclass(frozen=True, slots=True)
class _Detail:
    curve: LightCurve
    row: pd.Series[Any]


class VariabilityPanel(Panel):
    """Which sources vary.

    Parameters
    ----------
    lab
        An open Lab.
    text
        Only sources whose name holds this.
    sort
        Column to sort by: eta, v, p_constant, weighted_mean_jy or n_used.
    start
        Read at once.
    """

    title = "Variability"

    def __init__(self, lab: Any, *, text: str = "", sort: str = "eta", start: bool = True) -> None:
        self._first = (text, sort)
        self._all: tuple[Any, pd.DataFrame] | None = None
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        self._text = TextFilter("source name holds", self._first[0], 160)
        self._sort = Choice("Sort by", _SORTS, self._first[1], self._on_filter, 250)
        self._table = Table("sources", 200, self._choose)
        self._scatter = FigureView((4.6, 3.6), "η against V appears here.")
        self._curve = FigureView((7.2, 3.9), "Choose a source to see its light curve.")
        self._facts = widgets.HTML(_HINT)
        self._facts.add_class("contimg-detail")
        told = widgets.Box(
            [self._facts],
            layout={"height": "230px", "overflow": "auto", "flex": "1 1 240px", "min_width": "0"},
        )
        self._watch(self._text.widget, self._on_filter)
        self._watch(self._sort.widget, self._sort.changed)
        self._watch(*self._table.watched)
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        below = widgets.Box([self._scatter.widget, told, self._curve.widget], layout=wrap)
        return [self._text.widget, self._sort.widget], [self._table.widget, below]

    async def _fetch(self) -> tuple[pd.DataFrame, str | None]:
        text = await self._text.read()
        token = await self._lab.token()
        if self._all is None or self._all[0] != token:
            self._all = (token, await self._lab.sources.table())
        return self._all[1], text

    def _show(self, value: tuple[pd.DataFrame, str | None]) -> str:
        every, text = value
        frame = every
        if text:
            frame = frame[frame["source_id"].str.contains(text, case=False, regex=False)]
        by = self._sort.value
        frame = frame.sort_values(by, ascending=by == "p_constant", na_position="last")
        self._frame = frame = frame.reset_index(drop=True)
        part = frame.head(_MOST_ROWS)
        self._table.show(
            _columns(part),
            plain(part["source_id"]),
            matching=len(frame),
            total=len(every),
            selected=self.selected,
        )
        self._paint_soon()
        left = int(frame["n_excluded"].sum())
        return (
            f"{len(frame)} of {len(every)} sources, {int(frame['n_used'].sum())} epochs used, "
            f"{left} left out"
        )

    def _paint(self) -> None:
        from contimg_lab.plots.variability import plot_eta_v

        frame = self._frame
        if frame is None:
            return
        eta, v = (frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("eta", "v"))
        names = plain(frame["source_id"])
        at = names.index(self.selected) if self.selected in names else None

        def plot(ax: Axes) -> None:
            plot_eta_v(eta, v, selected=at, title=f"{len(names)} sources", ax=ax)

        top = f"highest η {number(float(np.nanmax(eta)))}" if np.isfinite(eta).any() else "no η"
        ring = (
            "" if at is None else f"; ringed: {names[at]}, η {number(eta[at])}, V {number(v[at])}"
        )
        lost = count_undrawn(eta, v)
        alt = f"η against V of {len(names)} sources: {top}{'; ' + lost if lost else ''}{ring}."
        self._scatter.draw(plot, alt)

    async def _fetch_detail(self, key: str) -> _Detail:
        curve = await self._lab.sources.light_curve(key)
        return _Detail(curve, await self._lab.sources.calculate_variability(key))

    def _show_detail(self, key: str | None, value: Any) -> None:
        if key is None:
            self._facts.value = _HINT
            self._curve.clear()
        else:
            from contimg_lab.plots.light_curve import plot_light_curve

            rows = _numbers(value)
            self._facts.value = facts({"Source": key, **rows})

            def plot(ax: Axes) -> None:
                plot_light_curve(value.curve, ax)

            told = "; ".join(f"{name} {words}" for name, words in rows.items())
            self._curve.draw(plot, f"Light curve of {key}. {told}.")
        self._paint()

    def _show_detail_error(self, words_html: str) -> None:
        self._facts.value = words_html
        self._curve.clear()

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    def figure(self) -> Figure | None:
        """Return the light curve where a source is chosen, else eta against V."""
        return self._curve.figure or self._scatter.figure

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else self._facts.value
        figures = f"{self._scatter.to_html()}{self._curve.to_html()}"
        return f"{figures}{detail}{self._table.to_html()}", self._table.to_text()


def _columns(sources: pd.DataFrame) -> list[Column]:
    mean_mjy = [None if x is None else x * 1e3 for x in plain(sources["weighted_mean_jy"])]
    columns = [Column(title="source", texts=[str(name) for name in plain(sources["source_id"])])]
    numbers: list[tuple[str, list[float | None], int]] = [
        ("η", plain(sources["eta"]), 3),
        ("V", plain(sources["v"]), 3),
        ("mean (mJy)", mean_mjy, 4),
        ("NVSS (mJy)", plain(sources["nvss_flux_mjy"]), 4),
    ]
    for title, values, digits in numbers:
        texts = [number(x, digits) for x in values]
        columns.append(Column(title=title, texts=texts, sort_by=values))
    p = plain(sources["p_constant"])
    shown = Column(title="p (constant)", texts=[probability(x) for x in p], sort_by=p)
    columns.insert(3, shown)
    for title, name in (("epochs", "n_used"), ("left out", "n_excluded")):
        counts = plain(sources[name])
        columns.append(Column(title=title, texts=[str(n) for n in counts], sort_by=counts))
    return columns


def _numbers(value: _Detail) -> dict[str, str]:
    curve, row = value.curve, value.row
    mean, error = float(row["weighted_mean_jy"]) * 1e3, float(row["weighted_mean_err_jy"]) * 1e3
    found = int(np.sum(curve.is_detection))
    reasons = ", ".join(f"{n} {reason}" for reason, n in curve.excluded.counts().items())
    rows = {
        "RA, Dec": f"{curve.ra_deg:.4f}, {curve.dec_deg:+.4f} deg",
        "Weighted mean": f"{number(mean, 4)} ± {number(error, 2)} mJy",
        "NVSS": f"{number(curve.nvss_flux_mjy, 4)} mJy",
        "V": number(float(row["v"])),
        "η": number(float(row["eta"])),
        "χ²": f"{number(float(row['chi_squared']), 4)} ({max(len(curve) - 1, 0)} dof)",
        "p (constant)": probability(float(row["p_constant"])),
        "Epochs used": f"{len(curve)} ({found} detections, {len(curve) - found} upper limits)",
        "Left out": reasons or "none",
        "Times from": count_words(curve.time_source),
    }
    if len(curve):
        first, last = (datetime_from_mjd(float(t)) for t in (curve.mjd[0], curve.mjd[-1]))
        rows["Observed"] = f"{first:%Y-%m-%d} to {last:%Y-%m-%d} UTC"
    columns = Counter(str(name) for name in curve.flux_column)
    if "peak_jyb" in columns:
        rows["Fluxes from"] = count_words(columns.elements())
    return rows
