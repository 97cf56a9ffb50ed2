"""Checks of single measurements: flagged, unusable, double, or at a wrong time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from contimg_lab.analysis.checks._declared import FAIL, PASS, WARN, Found, Limits, check
from contimg_lab.analysis.checks._hours import (
    codes_of,
    first_of,
    graded,
    listed,
    nothing,
    rows_by_hour,
)
from contimg_lab.analysis.checks._night import Night

__all__ = ["duplicate_epochs", "epoch_times", "measurement_flags", "missing_values"]

_UNFLAGGED = frozenset({"", "0", "0.0", "none", "null", "good", "ok", "pass", "[]", "{}"})


@check(
    "measurement_flags",
    protects_against="light curves made of measurements that the pipeline itself doubts",
    metric="flagged measurements, of the hour's",
    unit="1",
    severity="notice",
    needs=["photometry"],
)
def measurement_flags(night: Night, limits: Limits) -> Iterator[Found]:
    """Count the measurements that carry a flag, by flag."""
    columns = ("quality_flag", "flags")
    lacking = [night.why_absent(f"photometry.{column}") for column in columns]
    rows = night.photometry
    flagged = np.zeros(rows.n_rows, bool)
    for column in columns:
        flagged |= np.array([_is_flag(word) for word in rows[column]], bool)
    for hour, mine in rows_by_hour(rows, night):
        n = int(mine.sum())
        if all(lacking):
            yield nothing("; ".join(dict.fromkeys(lacking)), hour=hour)
        elif n < limits["fewest"]:
            yield nothing(f"{n} measurements, too few for a share", hour=hour)
        else:
            bad = mine & flagged
            words = [q if _is_flag(q) else f for q, f in zip(
                rows["quality_flag"][bad], rows["flags"][bad], strict=True)]  # fmt: skip
            ids, more = first_of(rows["id"][bad])
            told = f": {listed(words)}" if words else ""
            why = f"{bad.sum()} of {n} measurements are flagged{told}{more}"
            yield graded(float(bad.sum()) / n, limits, why, hour=hour, rows={"photometry": ids})


def _is_flag(word: object) -> bool:
    return word is not None and str(word).strip().lower() not in _UNFLAGGED


@check(
    "missing_values",
    protects_against="measurements that are NULL, no number or without an error, and drop out",
    metric="measurements without a usable flux and error, of the hour's",
    unit="1",
    needs=["photometry"],
)
def missing_values(night: Night, limits: Limits) -> Iterator[Found]:
    """Count the measurements that cannot be used, by reason."""
    rows = night.photometry
    bad = np.array([bool(why) and why != "superseded" for why in rows["reason"]], bool)
    for hour, mine in rows_by_hour(rows, night):
        n = int(mine.sum())
        if n < limits["fewest"]:
            yield nothing(f"{n} measurements, too few for a share", hour=hour)
            continue
        lost = mine & bad
        ids, more = first_of(rows["id"][lost])
        told = f": {listed(rows['reason'][lost])}" if lost.any() else ""
        why = f"{lost.sum()} of {n} measurements cannot be used{told}{more}"
        yield graded(float(lost.sum()) / n, limits, why, hour=hour, rows={"photometry": ids})


@check(
    "duplicate_epochs",
    protects_against="one measurement counted twice",
    metric="measurements that repeat a source in the same image",
    unit="1",
    severity="notice",
    needs=["photometry"],
)
def duplicate_epochs(night: Night, limits: Limits) -> Iterator[Found]:
    """Find sources that were measured more than once in one image."""
    rows = night.photometry
    known = np.isfinite(rows["image"])
    pairs = np.stack([codes_of(rows["source_id"]), np.where(known, rows["image"], -1)], axis=1)
    again = np.zeros(rows.n_rows, bool)
    if rows.n_rows:
        _, first = np.unique(pairs, axis=0, return_index=True)
        again[:] = known
        again[first] = False
    for hour, mine in rows_by_hour(rows, night, known):
        double = mine & again
        ids, more = first_of(rows["id"][double])
        why = f"{double.sum()} of {mine.sum()} measurements repeat another{more}"
        yield Found(
            word=WARN if double.sum() > limits["most"] else PASS, why=why,
            value=float(double.sum()), limit="most", hour=hour, rows={"photometry": ids},
        )  # fmt: skip


@check(
    "epoch_times",
    protects_against="light curves on a wrong time axis, as by measurement time or a lost zone",
    metric="farthest epoch of a measurement from the middle of its image's MS",
    unit="s",
    needs=["photometry", "photometry.mjd", "images", "images.ms_path", "ms", "ms.mid_mjd"],
)
def epoch_times(night: Night, limits: Limits) -> Iterator[Found]:
    """Compare the recorded epochs of measurements with the times of their MS."""
    rows, images = night.photometry, night.images
    middle = dict(zip(night.ms["path"], night.ms["mid_mjd"].tolist(), strict=True))
    of_image = np.array([middle.get(path, np.nan) for path in images["ms_path"]] + [np.nan], float)
    at = np.where(np.isfinite(rows["image"]), rows["image"], images.n_rows).astype(np.int64)
    recorded = rows["time_source"] == "mjd"  # others were taken from the MS, or are no epochs
    away = np.abs(rows["mjd"] - of_image[at]) * 86400.0
    for hour, mine in rows_by_hour(rows, night):
        kept = mine & recorded & np.isfinite(away)
        if not kept.any():
            yield nothing("no measurement has an epoch of its own", hour=hour)
            continue
        off = kept & (away > limits["most_s"])
        ids, more = first_of(rows["id"][off])
        why = f"{off.sum()} of {kept.sum()} epochs lie outside their MS{more}"
        yield Found(
            word=FAIL if off.any() else PASS, why=why, value=float(away[kept].max()),
            limit="most_s", hour=hour, rows={"photometry": ids},
        )  # fmt: skip
