"""Checks of clocks: units mixed up, times in the future, out of order, or off by a zone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks._declared import FAIL, PASS, WARN, Found, Limits, check
from contimg_lab.analysis.checks._hours import listed, nothing, rows_by_hour
from contimg_lab.analysis.checks._night import Columns, Night
from contimg_lab.times import unix_from_mjd

__all__ = ["clock_future", "clock_kinds", "clock_name", "clock_order"]

Mask = NDArray[np.bool_]

_LEAST_MJD, _MOST_MJD = 5e4, 1e5
_LEAST_UNIX, _MOST_UNIX = 1e9, 1e10


def _is_mjd(clocks: Columns) -> Mask:
    """Which columns promise an MJD."""
    return np.array([str(name).endswith("mjd") for name in clocks["column"]], bool)


def _holds_mjd(value: NDArray[np.float64]) -> Mask:
    return np.asarray((value >= _LEAST_MJD) & (value <= _MOST_MJD))


def _named(clocks: Columns, rows: Mask) -> list[str]:
    return [
        f"{table}: {key}: {column}"
        for table, key, column in zip(
            clocks["table"][rows], clocks["key"][rows], clocks["column"][rows], strict=True
        )
    ]


@check(
    "clock_kinds",
    protects_against="an MJD taken for Unix seconds, or the other way round",
    metric="stored times that are of the other kind, or of none",
    unit="1",
    needs=["clocks"],
)
def clock_kinds(night: Night, limits: Limits) -> Iterator[Found]:
    """Find stored times whose value is not what their column promises."""
    clocks = night.clocks
    value = clocks["value"]
    is_unix = (value >= _LEAST_UNIX) & (value <= _MOST_UNIX)
    right = np.where(_is_mjd(clocks), _holds_mjd(value), is_unix)
    for hour, mine in rows_by_hour(clocks, night, ~np.isnan(value)):
        wrong = mine & ~right
        told = f": {listed(clocks['column'][wrong])}" if wrong.any() else ""
        why = f"{wrong.sum()} of {mine.sum()} stored times are of the wrong kind{told}"
        yield Found(
            word=FAIL if wrong.sum() > limits["most"] else PASS, why=why,
            value=float(wrong.sum()), limit="most", hour=hour,
            rows={"clocks": _named(clocks, wrong)},
        )  # fmt: skip


@check(
    "clock_future",
    protects_against="a clock that runs ahead, or a zone taken for UTC",
    metric="farthest stored time after the report was made",
    unit="s",
    needs=["clocks"],
)
def clock_future(night: Night, limits: Limits) -> Iterator[Found]:
    """Find stored times that had not come when the night was read."""
    clocks = night.clocks
    value = clocks["value"]
    unix = np.where(_holds_mjd(value), unix_from_mjd(value), value)
    known = (unix >= _LEAST_UNIX) & (unix <= _MOST_UNIX)
    ahead = unix - night.as_of_unix_s
    for hour, mine in rows_by_hour(clocks, night, known):
        if not np.isfinite(night.as_of_unix_s):
            yield nothing("not known when the night was read", hour=hour)
            continue
        early = mine & (ahead > limits["slack_s"])
        told = f": {listed(clocks['column'][early])}" if early.any() else ""
        yield Found(
            word=FAIL if early.any() else PASS, why=f"{early.sum()} times in the future{told}",
            value=float(ahead[mine].max()), limit="slack_s", hour=hour,
            rows={"clocks": _named(clocks, early)},
        )  # fmt: skip


@check(
    "clock_order",
    protects_against="work that ended before it began, or before the sky was observed",
    metric="runs and images whose times are out of order",
    unit="1",
    needs=["ms", "runs", "images"],
)
def clock_order(night: Night, limits: Limits) -> Iterator[Found]:
    """Find runs and images that are older than their observation, or end before they start."""
    runs, images, slack = night.runs, night.images, limits["slack_s"]
    start = dict(zip(night.ms["path"], unix_from_mjd(night.ms["start_mjd"]).tolist(), strict=True))
    observed = np.array([start.get(path, np.nan) for path in runs["path"]], float)
    began, ended = runs["started_at"], runs["finished_at"]
    bad_runs = (ended < began - slack) | (began < observed - slack) | (ended < observed - slack)
    taken = np.array([start.get(path, np.nan) for path in images["ms_path"]], float)
    bad_images = images["created_at"] < taken - slack
    run_times = (np.isfinite(began) | np.isfinite(ended)) & np.isfinite(observed)
    image_times = np.isfinite(images["created_at"]) & np.isfinite(taken)
    for hour in night.hours:
        of_runs = (runs["hour"] == hour) & run_times
        of_images = (images["hour"] == hour) & image_times
        if not of_runs.any() and not of_images.any():
            yield nothing("no run and no image of the hour has a time", hour=hour)
            continue
        runs_hit, images_hit = of_runs & bad_runs, of_images & bad_images
        count = int(runs_hit.sum() + images_hit.sum())
        why = (
            f"{runs_hit.sum()} of {of_runs.sum()} runs and {images_hit.sum()} of "
            f"{of_images.sum()} images have times out of order"
        )
        yield Found(
            word=FAIL if count else PASS, why=why, value=count, limit="slack_s", hour=hour,
            rows={"runs": runs["path"][runs_hit], "images": images["id"][images_hit]},
        )  # fmt: skip


@check(
    "clock_name",
    protects_against="a recorded start that is off from the name's, as by a zone of whole hours",
    metric="largest difference of the recorded start from the one in the name",
    unit="s",
    needs=["ms", "ms.stored_start_mjd"],
)
def clock_name(night: Night, limits: Limits) -> Iterator[Found]:
    """Compare the recorded start of each MS with the time in its name."""
    ms = night.ms
    off = np.abs(ms["stored_start_mjd"] - ms["name_mjd"]) * 86400.0
    for hour in night.hours:
        mine = (ms["hour"] == hour) & np.isfinite(off)
        if not mine.any():
            yield nothing("no MS of the hour has both times", hour=hour)
            continue
        worst = float(off[mine].max())
        limit = "fail_s" if worst > limits["fail_s"] else "warn_s"
        word = FAIL if limit == "fail_s" else WARN if worst > limits["warn_s"] else PASS
        hours = round(worst / 3600.0)
        zone = f", {hours} whole hours" if hours and abs(worst - 3600.0 * hours) < 60.0 else ""
        bad = mine & (off > limits["warn_s"])
        yield Found(
            word=word, why=f"up to {worst:.0f} s from the name{zone}", value=worst, limit=limit,
            hour=hour, rows={"ms": ms["path"][bad]},
        )  # fmt: skip
