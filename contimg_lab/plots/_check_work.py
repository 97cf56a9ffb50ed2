"""Figures of the checks of runs and tiles: how the night went, where it pointed, its gaps."""

from __future__ import annotations

import numpy as np

from contimg_lab.analysis.checks import WARN, Columns
from contimg_lab.plots._check_bounds import bounds_of
from contimg_lab.plots._check_outcomes import bars_chart
from contimg_lab.plots._check_report import Floats, ReportLike, hour_axis, hours_of_paths, utc_hours
from contimg_lab.plots._check_scatter import scatter_chart
from contimg_lab.plots._check_words import headline, in_words, named
from contimg_lab.plots._roles import ROLES
from contimg_lab.plots.chart import Axis, Chart, Column, Points, pick

__all__ = [
    "declination_chart",
    "failed_chart",
    "gaps_chart",
    "pointing_chart",
    "tiles_chart",
]

_STATUSES = ("completed", "running", "pending")
_CAUSES = {None: "cause in no row", "unknown": "cause in no row"}


def _tiles(report: ReportLike) -> Columns:
    ms = report.columns.ms
    return ms.where(ms["kind"] == "tile")


def failed_chart(report: ReportLike, check: str) -> Chart:
    """Every run of the night in time: a row for each status, and for each cause of failure."""
    runs = report.columns.runs
    x = hours_of_paths(report, runs["path"], runs["hour"])
    status = runs["status"].astype(str)
    causes = np.array([_CAUSES.get(cause, cause) for cause in runs["cause"]], object)
    lanes = np.array(
        [f"failed: {cause}" if word == "failed" else word
         for word, cause in zip(status, causes, strict=True)], object,
    )  # fmt: skip
    known = np.isfinite(x)
    others = sorted(set(lanes.tolist()) - set(_STATUSES))
    order = [*(lane for lane in _STATUSES if lane in set(lanes.tolist())), *others]
    rows = {lane: i for i, lane in enumerate(order)}
    points = []
    for lane in order:
        mine = known & (lanes == lane)
        if not mine.any():
            continue
        word = "failed" if lane.startswith("failed") else lane
        points.append(
            Points(
                role=word if word in ROLES else "other status", name=lane,
                label=f"{lane} ({int((lanes == lane).sum())})", x=x[mine],
                y=np.full(int(mine.sum()), float(rows[lane])), keys=pick(runs["run_id"], mine),
                columns=(Column(name="MS", values=named(pick(runs["path"], mine))),
                         Column(name="step", values=tuple(map(str, pick(runs["step"], mine))))),
            )
        )  # fmt: skip
    counts = ", ".join(f"{int((lanes == lane).sum())} {lane}" for lane in order)
    return Chart(
        name=f"check {check}", noun="run", title=headline(report, check, f"{runs.n_rows} runs"),
        x=hour_axis(report),
        y=Axis(label="Run", kind="rows", rows=tuple(order),
               limits=(-0.6, len(order) - 0.4)),
        points=tuple(points),
        alt=in_words(
            report, check, "Runs by status and cause", np.full(runs.n_rows, np.nan), "",
            bounds_of(report, check, "above", fail_fraction="fail"),
            [f"{runs.n_rows} runs: {counts}"],
        ),
    )  # fmt: skip


def tiles_chart(report: ReportLike, check: str) -> Chart:
    """How many tiles each hour has, with the least and the most of an hour."""
    bounds = (
        *bounds_of(report, check, "below", fewest="fail"),
        *bounds_of(report, check, "above", most=WARN),
    )
    return bars_chart(report, check, bounds, Axis(label="Tiles in the hour", name="tiles"))


def gaps_chart(report: ReportLike, check: str) -> Chart:
    """Minutes from the start of each tile to that of the next one."""
    tiles = _tiles(report)
    tiles = tiles.where(np.isfinite(tiles["start_mjd"]))
    tiles = tiles.where(np.argsort(tiles["start_mjd"], kind="stable"))
    start = tiles["start_mjd"]
    minutes: Floats = np.append(np.diff(start) * 1440.0, np.nan)
    # the last one has no next; one at the end of the night is no gap
    return scatter_chart(
        report, check, utc_hours(report, start), minutes, "tile",
        bounds_of(report, check, "above", minutes=WARN),
        Axis(label="To the start of the next tile (min)", name="time to the next tile",
             unit="min"),
        keys=tuple(tiles["path"]), columns=(Column(name="MS", values=named(tiles["path"])),),
        floor=0.0,
    )  # fmt: skip


def pointing_chart(report: ReportLike, check: str) -> Chart:
    """Right ascension less sidereal time of each tile, both of date."""
    tiles = _tiles(report)
    return scatter_chart(
        report, check, hours_of_paths(report, tiles["path"], tiles["hour"]),
        tiles["lst_residual_deg"], "tile",
        bounds_of(report, check, "beyond", "deg", warn_deg=WARN, fail_deg="fail"),
        Axis(label="RA less sidereal time (deg, of date)", name="RA less LST", unit="deg"),
        keys=tuple(tiles["path"]), columns=(Column(name="MS", values=named(tiles["path"])),),
        level=0.0,
    )  # fmt: skip


def declination_chart(report: ReportLike, check: str) -> Chart:
    """Declination of each tile less the night's median, both of date."""
    tiles = _tiles(report)
    declination = tiles["dec_of_date_deg"]
    known = declination[np.isfinite(declination)]
    usual = f"{np.median(known):.3f}" if known.size else "the night's"
    return scatter_chart(
        report, check, hours_of_paths(report, tiles["path"], tiles["hour"]),
        tiles["dec_offset_deg"], "tile",
        bounds_of(report, check, "beyond", "deg", warn_deg=WARN, fail_deg="fail"),
        Axis(label=f"Declination of date less {usual} (deg)", name="declination offset",
             unit="deg"),
        keys=tuple(tiles["path"]),
        columns=(Column(name="MS", values=named(tiles["path"])),
                 Column(name="declination of date", values=declination, unit="deg")),
        level=0.0,
        more=[f"the night's median: {usual} deg (of date)"] if known.size else (),
    )  # fmt: skip
