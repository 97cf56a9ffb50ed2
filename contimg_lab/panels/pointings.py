"""Pointings: the MS of a night in a table and on the sky; a chosen one is ringed and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.panels._base import Panel
from contimg_lab.panels._controls import LAST_NIGHT, Choice, night_of, night_options
from contimg_lab.panels._figure import FigureView
from contimg_lab.panels._table import Column, Table, Written, numbers
from contimg_lab.panels._words import clip, facts, plain, short_ms, utc

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from contimg_lab.records.ms import MsMetadata

__all__ = ["PointingsPanel"]

_HINT = (
    "<span class='contimg-quiet'>Choose an MS to ring it on the sky and see its metadata.</span>"
)


@dataclass(frozen=True, slots=True)
class _Page:
    nights: Sequence[str]
    night: str | None
    ms: pd.DataFrame


class PointingsPanel(Panel):
    """Measurement Sets of a night and where they pointed.

    Parameters
    ----------
    lab
        An open Lab.
    night
        First value of the filter: a UTC date, ``last`` or ``all``.
    start
        Read at once.
    """

    title = "Pointings"
    by_night = True
    draws = True
    selects = "ms_path"
    shows = ("job", "status")

    def __init__(self, lab: Any, *, night: str = LAST_NIGHT, start: bool = True) -> None:
        self._first_night = str(night)
        super().__init__(lab, start=start)

    def _build(self) -> tuple[Sequence[Any], Sequence[Any]]:
        import ipywidgets as widgets

        self._night = Choice("Night", night_options(()), self._first_night, self._on_filter)
        self._where = "no night"
        self._table = Table("Measurement Sets", 230, self._choose)
        self._sky = FigureView((5.0, 3.5), "The sky plot appears here.")
        self._facts = widgets.HTML(_HINT)
        self._facts.add_class("contimg-detail")
        facts_box = widgets.Box(
            [self._facts],
            layout={"height": "230px", "overflow": "auto", "flex": "1 1 260px", "min_width": "0"},
        )
        self._watch(self._night.widget, self._night.changed)
        self._watch(*self._table.watched)
        below = widgets.Box(
            [self._sky.widget, facts_box], layout={"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        )
        return [self._night.widget], [self._table.widget, below]

    async def _fetch(self) -> _Page:
        nights = await self._lab.nights()
        night = night_of(self._night.value, nights)
        return _Page(nights, night, await self._lab.ms.table(night=night))

    def _show(self, value: _Page) -> str:
        self._night.offer(night_options(value.nights))
        self._frame = value.ms
        self._asked = ("pointings", {"night": value.night})
        self._where = "all nights" if value.night is None else f"night {value.night}"
        self._table.show(
            _columns(value.ms, dated=value.night is None),
            plain(value.ms["path"]),
            total=len(value.ms),
            selected=self.selected,
            **self._ties.marks(self._table.show, *[plain(value.ms["path"])] * 2),
            note=f", {self._where}",
        )
        self._paint_soon()
        counts = Counter(str(kind) for kind in plain(value.ms["kind"])).most_common()
        kinds = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts)
        lost = int(value.ms["ra_deg"].isna().sum())
        missing = f"; {lost} without a position" if lost else ""
        return f"{len(value.ms)} Measurement Sets, {self._where}: {kinds}{missing}"

    def _paint(self) -> None:
        from contimg_lab.plots.sky import plot_pointings

        frame = self._frame
        if frame is None:
            return
        paths = plain(frame["path"])
        ra = frame["ra_deg"].to_numpy(dtype=np.float64, na_value=np.nan)
        dec = frame["dec_deg"].to_numpy(dtype=np.float64, na_value=np.nan)
        at = paths.index(self.selected) if self.selected in paths else None
        title = f"{len(paths)} Measurement Sets, {self._where}"

        def plot(ax: Axes) -> None:
            plot_pointings(ra, dec, plain(frame["status"]), selected=at, title=title, ax=ax)

        self._sky.draw(plot, f"Sky plot. {title}: {_strip(ra, dec)}{_chosen(at, paths, ra, dec)}.")

    async def _fetch_detail(self, key: str) -> MsMetadata:
        found: MsMetadata = await self._lab.ms.get_ms_metadata(key)
        return found

    def _show_detail(self, key: str | None, value: Any) -> None:
        self._facts.value = _HINT if key is None else _facts_html(value)
        self._paint()

    def _show_detail_error(self, words_html: str) -> None:
        self._facts.value = words_html

    def _mark(self, key: str | None) -> None:
        self._table.mark(key)

    def figure(self) -> Figure | None:
        """Return the sky plot."""
        return self._sky.figure

    def _static(self) -> tuple[str, str]:
        detail = "" if self.selected is None else self._facts.value
        return f"{self._sky.to_html()}{self._table.to_html()}{detail}", self._table.to_text()


def _columns(ms: pd.DataFrame, *, dated: bool) -> list[Column]:
    form = "%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"
    middle = plain(ms["mid_at"])
    times = list(zip(middle, plain(ms["time_source"]), strict=True))
    nowhere = "no table tells where it pointed"
    return [
        Column(title="MS", texts=Written(plain(ms["path"]), short_ms)),
        Column(
            title="middle (UTC)",
            texts=Written(times, lambda told: _when(told[0], told[1], form)),
            sort_by=middle,
            kind="time",
            missing="no table tells its time",
        ),
        numbers("RA (deg)", plain(ms["ra_deg"]), lambda x: _degrees(x, ""), nowhere),
        numbers("Dec (deg)", plain(ms["dec_deg"]), lambda x: _degrees(x, "+"), nowhere),
        Column(title="position from", texts=Written(plain(ms["pointing_source"]), _short)),
        Column(title="status", texts=Written(plain(ms["status"]), lambda word: clip(word, 22))),
        Column(title="stage", texts=Written(plain(ms["stage"]), lambda word: clip(word, 18))),
        Column(title="kind", texts=Written(plain(ms["kind"]), lambda word: clip(word, 12))),
    ]


def _when(middle: datetime | None, source: str, form: str) -> str:
    return utc(middle, form) + ("" if source in ("mid_mjd", "unknown") else f" by {source}")


def _short(source: str | None) -> str:
    return clip(source, 24).removesuffix(" columns")


def _degrees(value: float | None, sign: str) -> str:
    return "-" if value is None else f"{value:{sign}.4f}"


def _strip(ra: np.ndarray[Any, Any], dec: np.ndarray[Any, Any]) -> str:
    from contimg_lab.analysis.sky import unwrap_ra

    known = np.isfinite(ra) & np.isfinite(dec)
    if not known.any():
        return "no position is known"
    turned = unwrap_ra(ra[known])[1]
    low, high = float(turned.min()), float(turned.max())
    seam = ", across 0 h" if low < 0.0 or high >= 360.0 else ""
    return (
        f"RA {low % 360.0:.2f} to {high % 360.0:.2f} degrees{seam}, "
        f"Dec {dec[known].min():+.2f} to {dec[known].max():+.2f} degrees"
    )


def _chosen(
    at: int | None, paths: Sequence[str], ra: np.ndarray[Any, Any], dec: np.ndarray[Any, Any]
) -> str:
    if at is None:
        return ""
    return f"; ringed: {short_ms(paths[at])} at RA {ra[at]:.4f}, Dec {dec[at]:+.4f}"


def _facts_html(told: MsMetadata) -> str:
    ms, point = told.ms, told.pointing
    cal = ", ".join(f"{kind} {short_ms(path)}" for kind, path in told.cal_tables)
    mid = "unknown" if told.mid_mjd is None else f"{told.mid_mjd:.6f} ({told.time_source})"
    position = f"{_degrees(point.ra_deg, '')}, {_degrees(point.dec_deg, '+')} deg ({point.source})"
    rows: dict[str, object] = {
        "MS": ms.path,
        "Run": told.run_id,
        "Middle (MJD)": mid,
        "RA, Dec": position,
        "Field": ms.field_name,
        "Status": ms.status,
        "Stage": f"{ms.stage or '-'} (stage grade {told.stage_grade})",
        "cal_applied": ms.cal_applied,
        "Cal tables": cal or "none by validity",
        "Group": ms.group_id,
        "Image": ms.imagename,
    }
    return facts({name: value for name, value in rows.items() if value is not None})
