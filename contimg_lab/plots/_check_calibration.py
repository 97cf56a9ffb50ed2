"""Figures of the checks of calibration: coverage in time, age, tier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.checks import PASS, WARN, Columns
from contimg_lab.plots._check_bounds import bounds_of, whose
from contimg_lab.plots._check_marks import word_points
from contimg_lab.plots._check_report import ReportLike, hour_axis, hours_of_paths
from contimg_lab.plots._check_scatter import scatter_chart
from contimg_lab.plots._check_words import headline, in_words
from contimg_lab.plots.chart import Axis, Chart, Column, Level, Points, pick
from contimg_lab.plots.coverage import STATE_STYLE, coverage_chart

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["age_chart", "gains_coverage_chart", "tier_chart", "windows_chart"]

_GAIN_TYPES = ("GP", "GA", "2G", "G")
_TIERS = ("unknown", "C", "B", "A")


def _bandpasses(report: ReportLike) -> Columns:
    covers = report.columns.covers
    return covers.where(covers["is_bandpass"] == 1.0)


def windows_chart(report: ReportLike, check: str) -> Chart:
    """Windows of the bandpass tables in time, and which tile each covers or is nearest to."""
    return _coverage(report, check, _bandpasses(report), "bandpass")


def gains_coverage_chart(report: ReportLike, check: str) -> Chart:
    """Windows of the gain tables in time, and which tile each covers or is nearest to."""
    covers = report.columns.covers
    mine = covers.where(np.isin(covers["table_type"].astype(str), _GAIN_TYPES))
    return _coverage(report, check, mine, "gain")


def _coverage(report: ReportLike, check: str, covers: Columns, what: str) -> Chart:
    import dataclasses

    frame = _frame(covers, "table_type", "state", "distance_hours")
    ms = report.columns.ms
    middle = dict(zip(ms["path"], ms["mid_mjd"].tolist(), strict=True))
    frame["mid_mjd"] = [middle.get(path, np.nan) for path in covers["path"]]
    frame["ms_path"] = list(covers["path"])
    tables = _frame(
        report.columns.caltables, "path", "table_type", "status", "valid_start_mjd",
        "valid_end_mjd",
    )  # fmt: skip
    made = coverage_chart(frame, tables, name=f"check {check}")
    near = covers["distance_hours"][covers["state"] == "nearest"]
    known = near[np.isfinite(near)]
    told = [made.alt.removesuffix(".")]
    if known.size:
        told.append(f"nearest: {known.min():.1f} to {known.max():.1f} h to the window's middle")
    bounds = bounds_of(report, check, "above", "h", warn_hours=WARN, fail_hours="fail")
    return dataclasses.replace(
        made, title=headline(report, check, "; ".join([f"{what} tables", *told[1:]])),
        alt=in_words(report, check, f"Coverage by {what} tables", np.empty(0), "", bounds, told),
    )  # fmt: skip


def _frame(columns: Columns, *names: str) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: columns[name] for name in names})


def age_chart(report: ReportLike, check: str) -> Chart:
    """Hours from each tile to the middle of its bandpass table's window."""
    covers = _bandpasses(report)
    return scatter_chart(
        report, check, hours_of_paths(report, covers["path"], covers["hour"]),
        covers["distance_hours"], "tile",
        bounds_of(report, check, "above", "h", warn_hours=WARN, fail_hours="fail"),
        Axis(label="From the table's middle time (h)", name="age of the bandpass", unit="h"),
        keys=tuple(covers["path"]), floor=0.0,
        columns=(Column(name="state", values=tuple(
            STATE_STYLE.get(str(state), ("", "", str(state)))[2] for state in covers["state"])),
            Column(name="table", values=tuple(map(str, covers["table_path"])))),
    )  # fmt: skip


def tier_chart(report: ReportLike, check: str) -> Chart:
    """Provenance tier of each tile in time."""
    tiers = report.columns.tiers
    x = hours_of_paths(report, tiers["path"], tiers["hour"])
    rows = {tier: float(i) for i, tier in enumerate(_TIERS)}
    y = np.array([rows.get(str(tier), 0.0) for tier in tiers["tier"]], float)
    bad = {path for one in report.of(check) for path in one.rows.get("ms", ())}
    words = np.array([WARN if path in bad else PASS for path in tiers["path"]], object)
    counts = ", ".join(f"{int((tiers['tier'] == tier).sum())} {tier}" for tier in reversed(_TIERS))
    limit = report.thresholds.limits[f"{check}.most_borrowed"]
    rule = f"warn below: more than {limit.value:g} tables borrowed ({whose(limit.source)})"
    known = y > 0.0
    return Chart(
        name=f"check {check}", noun="MS", title=headline(report, check, f"{tiers.n_rows} tiles"),
        x=hour_axis(report),
        y=Axis(label="Provenance tier of a tile", kind="rows", rows=_TIERS, limits=(-0.6, 3.6)),
        points=(
            *word_points(x, np.where(known, y, np.nan), words, "tile", keys=tuple(tiers["path"]),
                         columns=(Column(name="why", values=tuple(map(str, tiers["why"]))),)),
            *(() if known.all() else (Points(
                role="not applicable", name="tier unknown", x=x[~known], y=y[~known],
                keys=pick(tiers["path"], ~known)),)),
        ),
        levels=(Level(role="cut", axis="y", at=rows["A"] - limit.value - 0.5, label=rule),),
        alt=in_words(report, check, "Provenance tier of tiles", np.full(len(y), np.nan), "", (),
                     [f"tiles by tier: {counts}", rule]),
    )  # fmt: skip
