"""Figures of what cal tables are worth: SNR, flagging against its floor, antennas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks import Columns
from contimg_lab.plots._check_bounds import Bound, bounds_of, levels_of, whose, words_by
from contimg_lab.plots._check_marks import padded, word_points
from contimg_lab.plots._check_report import Floats, ReportLike
from contimg_lab.plots._check_words import headline, in_words
from contimg_lab.plots.chart import Axis, Chart, Level

if TYPE_CHECKING:
    pass

__all__ = ["antennas_chart", "flagged_chart", "snr_chart"]

_MOST_TABLES = 24


def snr_chart(report: ReportLike, check: str) -> Chart:
    """Mean SNR of each cal table in use."""
    return _tables(report, check, "snr_mean", "Mean SNR of a cal table", "below")


def antennas_chart(report: ReportLike, check: str) -> Chart:
    """Antennas of each cal table in use."""
    return _tables(report, check, "n_antennas", "Antennas of a cal table", "below")


def flagged_chart(report: ReportLike, check: str) -> Chart:
    """Flagged fraction of each cal table in use, with the floor that empty slots make."""
    limits = report.thresholds.limits
    floor = limits[f"{check}.floor"]
    # the limits hold for what is left beyond the floor; drawn where a stored fraction meets them
    bounds = [
        Bound(b.word, b.side, floor.value + b.at * (1.0 - floor.value), b.source)
        for b in bounds_of(report, check, "above")
    ]
    level = Level(
        role="constant", axis="x", at=floor.value,
        label=f"empty slots {floor.value:g} ({whose(floor.source)})",
    )  # fmt: skip
    return _tables(
        report, check, "flagged_fraction", "Flagged fraction of a cal table, as stored", "above",
        bounds=bounds, extra=(level,),
    )  # fmt: skip


def _tables(
    report: ReportLike,
    check: str,
    column: str,
    label: str,
    side: str,
    *,
    bounds: list[Bound] | None = None,
    extra: tuple[Level, ...] = (),
) -> Chart:
    """One row a table, the worst below, its value along x with the limits."""
    tables = report.columns.caltables
    tables = tables.where(np.isfinite(tables[column]))
    value = tables[column]
    held = list(bounds_of(report, check, side)) if bounds is None else bounds
    order = np.argsort(value if side == "above" else -value, kind="stable")
    left = max(len(order) - _MOST_TABLES, 0)
    shown = tables.where(order[left:])
    x: Floats = shown[column]
    names = _table_names(shown)
    levels, far = levels_of(held, x, "x")
    low, high = padded(x.tolist(), [*levels, *extra], floor=0.0)
    words: NDArray[np.object_] = words_by(x, held)
    said = f"{len(value)} tables" + (f", the worst {len(x)} of them" if left else "")
    return Chart(
        name=f"check {check}", noun="table", title=headline(report, check, said),
        x=Axis(label=label, name=column, limits=(low, high)),
        y=Axis(label="Table in use", kind="rows", rows=names, limits=(-0.6, len(x) - 0.4)),
        points=word_points(x, np.arange(len(x), dtype=float), words, "table",
                           keys=tuple(shown["path"])),
        levels=(*extra, *levels, *far),
        alt=in_words(report, check, label, value, "", held,
                     [f"{name} {v:.4g}" for name, v in zip(names, x, strict=True)]),
    )  # fmt: skip


def _table_names(tables: Columns) -> tuple[str, ...]:
    return tuple(
        f"{(name or 'no set')[-26:]} {kind}"
        for name, kind in zip(tables["set_name"], tables["table_type"], strict=True)
    )
