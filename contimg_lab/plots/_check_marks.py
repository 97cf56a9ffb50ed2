"""Marks of the figures of checks: by word in shape and colour, and what was not judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, PASS, WARN
from contimg_lab.plots._check_report import Floats, ReportLike, hours_of_paths
from contimg_lab.plots.chart import Column, Key, Level, Points, pick

__all__ = ["padded", "skipped", "word_points"]

Texts = NDArray[np.object_]

_MARKS = {PASS: "good", WARN: "doubtful", FAIL: "bad"}
_AT_FOOT = 0.03


def word_points(
    x: Floats,
    y: Floats,
    words: Sequence[object] | Texts,
    name: str,
    *,
    keys: Sequence[Key] = (),
    err: Floats | None = None,
    columns: Sequence[Column] = (),
) -> tuple[Points, ...]:
    """Points in three roles, each with its count; shape and colour tell them apart."""
    held = np.array(list(words), object)
    made = []
    for word in (PASS, WARN, FAIL):
        mine = (held == word) & np.isfinite(x) & np.isfinite(y)
        if mine.any():
            made.append(
                Points(
                    role=_MARKS[word],
                    name=f"{name}, {word}",
                    label=f"{name}: {word} ({mine.sum()})",
                    x=x[mine],
                    y=y[mine],
                    keys=pick(keys, mine) if len(keys) else (),
                    err=None if err is None else err[mine],
                    columns=tuple(column.take(mine) for column in columns),
                )
            )
    return tuple(made)


def skipped(report: ReportLike, check: str) -> tuple[Points, ...]:
    """Marks along the lower edge where a check could say nothing: of an hour, or of one thing."""
    told = [one for one in report.of(check) if one.word == NOT_APPLICABLE and one.hour is not None]
    if not told:
        return ()
    hours = np.array([one.hour for one in told], float)
    images = report.columns.images
    ms_of = dict(zip(images["id"], images["ms_path"], strict=True))
    scope = told[0].scope
    x = hours + 0.5
    if scope in ("MS", "image"):
        x = hours_of_paths(report, [ms_of.get(one.key, one.key) for one in told], hours)
    plural = scope if scope == "MS" or len(told) == 1 else f"{scope}s"
    return (
        Points(
            role="not applicable", name="not applicable",
            label=f"not applicable ({len(told)} {plural})",
            x=x, y=np.full(len(told), _AT_FOOT), pinned=True, overlay=True,
            columns=(Column(name="why", values=tuple(one.why for one in told)),),
        ),
    )  # fmt: skip


def padded(values: Iterable[float], levels: Iterable[Level], *, floor: float | None = None) -> (
    tuple[float, float]
):  # fmt: skip
    """Range that holds values and limits, with room; ``floor``: where it begins at the latest."""
    held = np.array([*values, *(level.at for level in levels)], float)
    held = held[np.isfinite(held)]
    if floor is not None:
        held = np.append(held, floor)
    if not held.size:
        return 0.0, 1.0
    low, high = float(held.min()), float(held.max())
    room = 0.08 * (high - low) or 0.1 * abs(high) or 0.1
    return (low if low == floor else low - room), high + room
