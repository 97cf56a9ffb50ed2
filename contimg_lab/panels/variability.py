"""The variability panel: sources with the rules that select them, and the chosen light curve."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import ANY, Choice, TextFilter
from contimg_lab.panels._figure import FigureView
from contimg_lab.panels._table import Table
from contimg_lab.panels._variables import (
    ANY_RULE,
    RULES,
    Detail,
    Field,
    columns_of,
    field_of,
    fold_html,
    numbers_of,
    rule_columns,
    rules_words,
    scale_words,
    selected_by,
    together_words,
)
from contimg_lab.panels._words import escape, facts, number, plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["VariabilityPanel"]

_LONG_S = 2.0
_AGE = 10.0  # how old a field may be, in lengths of reading it again
_N_SIGMA = 2.0
_SORTS = (
    ("η, highest first", "eta"),
    ("V, highest first", "v"),
    ("p of constancy, lowest first", "p_constant"),
    ("largest |Vs| first", "vs_max"),
    ("mean flux, brightest first", "weighted_mean_jy"),
    ("epochs, most first", "n_used"),
)
_HINT = "<span class='contimg-quiet'>Choose a source to see its light curve.</span>"
_NO_FOLD = "<span class='contimg-quiet'>Where the chosen source's numbers come from: here.</span>"


class VariabilityPanel(Panel):
    """Which sources vary, and which rule says so.

    Parameters
    ----------
    lab
        An open Lab.
    text
        Only sources whose name holds this.
    rule
        Only sources that a rule selects: any, eta_v, presets, two_epoch or expression; empty:
        all.
    sort
        Column to sort by: eta, v, p_constant, vs_max, weighted_mean_jy or n_used.
    expression
        A rule of the user's own over columns of ``lab.sources.variability()``.
    flux_scale
        Correct each image's flux scale first.
    start
        Read at once.
    """

    title = "Variability"
    draws = True
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
        start: bool = True,
    ) -> None:
        self._first = (text, rule, sort, flux_scale)
        self._expression = expression
        self._all: tuple[Any, Field] | None = None
        self._late = False
        self._shown: Field | None = None
        self._reading = asyncio.Lock()  # table and detail want the same field: read it once
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        text, rule, sort, flux_scale = self._first
        offered = [("all sources", ANY), ("any rule", ANY_RULE)]
        offered += [
            (words, key)
            for key, (words, _) in RULES.items()
            if key != "expression" or self._expression is not None
        ]
        self._text = TextFilter("source name holds", text, 150)
        self._rule = Choice("Rule", offered, rule, self._on_filter, 150)
        self._sort = Choice("Sort by", _SORTS, sort, self._on_sort, 240)
        self._scale = widgets.Checkbox(
            value=flux_scale,
            description="correct the flux scale",
            indent=False,
            layout={"width": "170px"},
        )
        self._warning = widgets.HTML()
        self._fold = widgets.HTML(_NO_FOLD)
        self._facts = widgets.HTML(_HINT)
        for part in (self._warning, self._fold, self._facts):
            part.add_class("contimg-detail")
        self._table = Table("sources", 200, self._choose)
        self._scatter = FigureView((5.8, 5.2), "η against V appears here.")
        self._curve = FigureView((7.2, 3.9), "Choose a source to see its light curve.")
        warned = widgets.Box([self._warning], layout={"height": "40px", "overflow": "auto"})
        told = widgets.Box(
            [self._facts],
            layout={"height": "500px", "overflow": "auto", "flex": "1 1 240px", "min_width": "0"},
        )
        # opened by the reader it grows; below everything else it moves nothing
        folded = widgets.Box([self._fold], layout={"height": "34px", "overflow": "auto"})
        folded.add_class("contimg-still")
        self._watch(self._text.widget, self._on_filter)
        self._watch(self._rule.widget, self._rule.changed)
        self._watch(self._sort.widget, self._sort.changed)
        self._watch(self._scale, self._on_scale)
        self._watch(*self._table.watched)
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        below = widgets.Box([self._scatter.widget, told, self._curve.widget], layout=wrap)
        filters = [self._text.widget, self._rule.widget, self._sort.widget, self._scale]
        return filters, [warned, self._table.widget, below, folded]

    def _on_sort(self, change: Any) -> None:
        self._table.sort(None)  # the newer wish holds
        self.refresh()

    def _on_scale(self, change: Any) -> None:
        self.refresh()
        if self.selected is not None:
            self._choose(self.selected)

    async def _fetch(self) -> tuple[Field, str | None]:
        text = await self._text.read()
        return await self._field(), text

    async def _field(self) -> Field:
        scale, sources = bool(self._scale.value), self._lab.sources
        async with self._reading:
            asked = (await self._lab.token(), scale)
            if self._all is None or self._all[0] != asked:
                # where a field takes long to read again, one that is a little older will do
                built_s = self._lab.status().store.built_s or 0.0
                max_age_s = _AGE * built_s if built_s > _LONG_S else 0.0
                statistics = await sources.variability(flux_scale=scale, max_age_s=max_age_s)
                candidates = await sources.candidates(
                    n_sigma=_N_SIGMA,
                    expression=self._expression,
                    flux_scale=scale,
                    max_age_s=max_age_s,
                )
                field = await asyncio.to_thread(field_of, statistics, candidates)
                late_s = (datetime.now(UTC) - field.attrs["as_of"]).total_seconds()
                self._late = max_age_s > 0.0 and late_s > _LONG_S
                self._all = ((None, scale) if self._late else asked, field)
            return self._all[1]

    def _show(self, value: tuple[Field, str | None]) -> str:
        field, text = value
        every = frame = field.table
        if text:
            frame = frame[frame["source_id"].str.contains(text, case=False, regex=False)]
        if self._rule.value != ANY:
            frame = frame[selected_by(frame, self._rule.value)]
        by = self._sort.value
        order = frame[by].abs() if by == "vs_max" else frame[by]
        order = order.sort_values(ascending=by == "p_constant", na_position="last", kind="stable")
        frame = frame.loc[order.index]
        self._shown = field
        self._frame = frame = frame.reset_index(drop=True)
        self._asked = (
            "variability",
            {"flux_scale": bool(self._scale.value), "n_sigma": _N_SIGMA}
            | {"expression": self._expression, "text": text, "sort": by}
            | {"ascending": by == "p_constant", "absolute": by == "vs_max"}
            | {"rules": rule_columns(every, self._rule.value) if self._rule.value != ANY else ()},
        )
        self._table.show(
            columns_of(frame),
            frame["source_id"].tolist(),
            total=len(every),
            selected=self.selected,
        )
        scale = field.attrs["flux_scale"]
        words, bad = together_words(field.attrs["vary_together"], corrected=scale["applied"])
        kind = "contimg-bad" if bad else "contimg-quiet"
        self._warning.value = f"<span class='{kind}'>{escape(words)}</span>"
        self._paint_soon()
        told = [
            f"{len(frame)} of {len(every)} sources, {int(frame['n_used'].sum())} epochs used, "
            f"{int(frame['n_excluded'].sum())} left out",
            rules_words(field),
            scale_words(scale),
        ]
        if self._late:
            told.append(f"statistics as of {field.attrs['as_of']:%H:%M:%S} UTC")
        return "; ".join(part for part in told if part)

    def _paint(self) -> None:
        from contimg_lab.plots.variability import count_undrawn, plot_eta_v

        shown = self._shown
        if shown is None:
            return
        frame, attrs = shown.table, shown.attrs
        eta, v = (frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("eta", "v"))
        names = plain(frame["source_id"])
        at = names.index(self.selected) if self.selected in names else None
        rules = {
            words: selected_by(frame, key).to_numpy(dtype=bool)
            for key, (words, columns) in RULES.items()
            if columns[0] in frame
        }
        fitted = shown.fitted.to_numpy(dtype=bool)
        listed = 0 if self._frame is None else len(self._frame)
        told = "" if listed == len(names) else f", {listed} listed"

        def plot(ax: Axes) -> None:
            plot_eta_v(
                eta, v, fits=attrs["fits"], n_sigma=_N_SIGMA, fitted=fitted, rules=rules,
                selected=at, marginals=True, ax=ax,
                title=f"{len(names)} sources{told}",
            )  # fmt: skip

        top = f"highest η {number(float(np.nanmax(eta)))}" if np.isfinite(eta).any() else "no η"
        ring = (
            "" if at is None else f"; ringed: {names[at]}, η {number(eta[at])}, V {number(v[at])}"
        )
        lost = count_undrawn(eta, v)
        chosen = f"{rules_words(shown)}; cut {attrs['rules']['eta_v']}"
        alt = f"η against V of {len(names)} sources: {top}; {chosen}"
        self._scatter.draw(plot, f"{alt}{'; ' + lost if lost else ''}{ring}.")

    async def _fetch_detail(self, key: str) -> Detail:
        scale = bool(self._scale.value)
        curve = await self._lab.sources.light_curve(key)
        why = await self._lab.sources.explain(key, flux_scale=scale)
        field = await self._field()
        row: pd.Series[Any] = field.table[field.table["source_id"] == key].iloc[0]
        return Detail(curve, row, why, scale)

    def _show_detail(self, key: str | None, value: Any) -> None:
        if key is None:
            self._facts.value, self._fold.value = _HINT, _NO_FOLD
            self._curve.clear()
        else:
            from contimg_lab.plots.light_curve import plot_light_curve

            rows = numbers_of(value)
            self._facts.value = facts({"Source": key, **rows})
            self._fold.value = fold_html(value.explanation)

            def plot(ax: Axes) -> None:
                plot_light_curve(value.curve, ax)

            told = "; ".join(f"{name} {words}" for name, words in rows.items())
            self._curve.draw(plot, f"Light curve of {key}. {told}.")
        self._paint()

    def _show_detail_error(self, words_html: str) -> None:
        self._facts.value, self._fold.value = words_html, _NO_FOLD
        self._curve.clear()

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    def figure(self) -> Figure | None:
        """Return the light curve where a source is chosen, else eta against V."""
        return self._curve.figure or self._scatter.figure

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else f"{self._facts.value}{self._fold.value}"
        figures = f"{self._scatter.to_html()}{self._curve.to_html()}"
        page = f"<p>{self._warning.value}</p>{figures}{detail}{self._table.to_html()}"
        return page, self._table.to_text()
