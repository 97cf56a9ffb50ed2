"""Checks of runs: too few tiles, failed, stuck and missing ones, raw data without an MS."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from contimg_lab.analysis.checks._declared import FAIL, PASS, WARN, Found, Limits, check
from contimg_lab.analysis.checks._hours import by_hour, found_of, listed, nothing, rows_by_hour
from contimg_lab.analysis.checks._night import Night
from contimg_lab.analysis.hour_checks import HourFigures

__all__ = ["failed", "missing", "raw_without_ms", "stuck", "subbands", "tiles"]


@check(
    "tiles",
    protects_against="an hour with too few tiles for its mosaic",
    metric="tiles in the hour",
    unit="1",
    needs=["ms"],
)
def tiles(night: Night, limits: Limits) -> Iterator[Found]:
    """Count the tiles of each hour."""
    for hour, mine in by_hour(night.ms, night, night.ms["kind"] == "tile"):
        figures = HourFigures(n_tiles=int(mine.sum()))
        yield found_of("tiles", hour, figures, limits, {"ms": night.ms["path"][mine]})


@check(
    "failed",
    protects_against="a pipeline that loses observations",
    metric="failed runs of the hour's",
    unit="1",
    needs=["runs", "runs.status"],
)
def failed(night: Night, limits: Limits) -> Iterator[Found]:
    """Count the failed runs of each hour, by cause."""
    runs = night.runs
    for hour, mine in rows_by_hour(runs, night):
        bad = mine & (runs["status"] == "failed")
        figures = HourFigures(n_runs=int(mine.sum()), n_failed=int(bad.sum()))
        causes = listed(cause or "unknown" for cause in runs["cause"][bad])
        more = f": {causes}" if causes else ""
        yield found_of("failed", hour, figures, limits, {"runs": runs["path"][bad]}, more)


@check(
    "stuck",
    protects_against="a run that hangs, and holds its place in the queue",
    metric="longest time that a run has been running",
    unit="min",
    needs=["runs", "runs.status", "runs.started_at"],
)
def stuck(night: Night, limits: Limits) -> Iterator[Found]:
    """Find runs that began long ago and are still said to be running."""
    runs = night.runs
    running = runs["status"] == "running"
    age = (night.as_of_unix_s - runs["started_at"]) / 60.0
    for hour, mine in rows_by_hour(runs, night):
        going = mine & running
        old = going & (age > limits["minutes"])
        unknown = going & ~np.isfinite(age)
        longest = float(age[going & ~unknown].max(initial=-math.inf))
        if old.any():
            why = f"{old.sum()} running for up to {longest:.0f} minutes"
            rows = {"runs": runs["path"][old]}
            yield Found(word=FAIL, why=why, value=longest, limit="minutes", hour=hour, rows=rows)
        elif unknown.any():
            yield nothing(f"{unknown.sum()} running, not known since when", hour=hour)
        else:
            why = f"{going.sum()} of {mine.sum()} running, none for long"
            yield Found(word=PASS, why=why, value=longest, limit="minutes", hour=hour)


@check(
    "missing",
    protects_against="an observation that was never worked on to its end, and nobody was told",
    metric="tiles without a finished run or without an image, of the hour's",
    unit="1",
    needs=["runs", "runs.status"],
)
def missing(night: Night, limits: Limits) -> Iterator[Found]:
    """Count tiles whose run neither finished, failed nor runs, and finished ones unimaged."""
    ms, runs = night.ms, night.runs
    status = dict(zip(runs["path"], runs["status"], strict=True))
    images = night.images
    imaged = set(images["ms_path"][images["is_tile"] == 1.0])
    why_no_images = night.why_absent("images", "images.ms_path")
    for hour, mine in rows_by_hour(ms, night, ms["kind"] == "tile"):
        left: dict[str, str] = {}
        for path in ms["path"][mine]:
            word = status.get(path)
            if word not in ("completed", "failed", "running"):
                left[path] = word or "no run"
            elif word == "completed" and path not in imaged and not why_no_images:
                left[path] = "completed without an image"
        share = len(left) / int(mine.sum())
        word = FAIL if share > limits["fail_fraction"] else WARN if left else PASS
        told = listed(left.values()) or "none"
        aside = f" (images not looked at: {why_no_images})" if why_no_images else ""
        yield Found(
            word=word, why=f"of {mine.sum()} tiles missing: {told}{aside}", value=share,
            limit="fail_fraction", hour=hour, rows={"ms": left},
        )  # fmt: skip


@check(
    "raw_without_ms",
    protects_against="observed data that the pipeline never took in",
    metric="raw groups without an MS, of the hour's",
    unit="1",
    needs=["groups", "groups.has_ms"],
)
def raw_without_ms(night: Night, limits: Limits) -> Iterator[Found]:
    """Find groups of raw files that no MS was made from, in judged hours and outside them."""
    groups = night.groups
    seen = groups["hour"][np.isfinite(groups["hour"])]
    for hour in sorted({*night.hours, *map(int, seen)}):
        mine = groups["hour"] == hour
        if not mine.any():
            continue
        left = mine & (groups["has_ms"] == 0.0)
        share = float(left.sum() / mine.sum())
        word = FAIL if share > limits["fail_fraction"] else WARN if left.any() else PASS
        yield Found(
            word=word, why=f"{left.sum()} of {mine.sum()} raw groups have no MS", value=share,
            limit="fail_fraction", hour=hour, rows={"groups": groups["group_id"][left]},
        )  # fmt: skip


@check(
    "subbands",
    protects_against="tiles made from a part of the band",
    metric="fewest sub-bands of a raw group",
    unit="1",
    severity="notice",
    needs=["groups", "groups.n_subbands"],
)
def subbands(night: Night, limits: Limits) -> Iterator[Found]:
    """Find groups of raw files that are not whole."""
    groups = night.groups
    known = np.isfinite(groups["n_subbands"])
    for hour, mine in rows_by_hour(groups, night, known):
        short = mine & (groups["n_subbands"] < limits["whole"])
        fewest = float(groups["n_subbands"][mine].min())
        why = f"{short.sum()} of {mine.sum()} raw groups have fewer than {limits['whole']:g}"
        yield Found(
            word=WARN if short.any() else PASS, why=why, value=fewest, limit="whole", hour=hour,
            rows={"groups": groups["group_id"][short]},
        )  # fmt: skip
