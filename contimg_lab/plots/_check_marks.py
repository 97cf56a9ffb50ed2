"""What the figures of checks share: hours of UTC, marks by word, limits with whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks import FAIL, NOT_APPLICABLE, PASS, WARN
from contimg_lab.plots.chart import Axis, Column, Key, Level, Points, pick
from contimg_lab.times import night_bounds_mjd

if TYPE_CHECKING:
    from contimg_lab.analysis.checks import Columns, Night
    from contimg_lab.records.qa import Outcome
    from contimg_lab.thresholds import Threshold, Thresholds

__all__ = [
    "Bound",
    "ReportLike",
    "bounds_of",
    "counted",
    "headline",
    "hour_axis",
    "hours_of_paths",
    "in_words",
    "levels_of",
    "named",
    "padded",
    "skipped",
    "tile_images",
    "utc_hours",
    "whose",
    "word_points",
    "words_by",
]

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

_ROLES = {WARN: "cut", FAIL: "fail line"}
_FAR = 3.0  # a limit so many times farther than the values is told, not drawn
_AT_FOOT = 0.03


class ReportLike(Protocol):
    """What is drawn of `contimg_lab.services.night_report.NightReport`."""

    @property
    def night(self) -> str: ...
    @property
    def columns(self) -> Night: ...
    @property
    def thresholds(self) -> Thresholds: ...
    def of(self, check: str) -> tuple[Outcome, ...]: ...


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit as it is drawn: the word that lies beyond it, on which side, and whose it is."""

    word: str
    side: str
    at: float
    source: str
    unit: str = ""

    @property
    def words(self) -> str:
        """What the legend says."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.word} {self.side} {self.at:g}{unit} ({whose(self.source)})"


def whose(source: str) -> str:
    """Return the first words of a limit's source, which name it.

    Examples
    --------
    >>> whose("practice 1b: the epoch gate"), whose("ours, practice 1d has none")
    ('practice 1b', 'ours')
    """
    return re.split(r"[:;,(]", source, maxsplit=1)[0].strip() or "no source"


def bounds_of(
    report: ReportLike, check: str, side: str, unit: str = "", **words: str
) -> tuple[Bound, ...]:
    """Return limits of a check that its set has; by default ``warn`` and ``fail``.

    Parameters
    ----------
    report, check
        Whose limits.
    side
        "above", "below" or "beyond".
    unit
        Unit that is written.
    **words
        Word that lies beyond the limit of each short name.
    """
    asked = words or {"warn": WARN, "fail": FAIL}
    held: dict[str, Threshold] = {
        short: report.thresholds.limits[f"{check}.{short}"]
        for short in asked
        if f"{check}.{short}" in report.thresholds.limits
    }
    return tuple(
        Bound(asked[short], side, one.value, one.source, unit) for short, one in held.items()
    )


def words_by(values: Floats, bounds: Sequence[Bound]) -> Texts:
    """Word of each value by itself; what is not finite has none and is passed over."""
    words = np.full(len(values), PASS, object)
    for word in (WARN, FAIL):
        for bound in bounds:
            if bound.word == word:
                far = {
                    "above": values > bound.at,
                    "below": values < bound.at,
                    "beyond": np.abs(values) > bound.at,
                }[bound.side]
                words[far] = word
    return words


def levels_of(
    bounds: Iterable[Bound], values: Floats, axis: str = "y"
) -> tuple[tuple[Level, ...], tuple[str, ...]]:
    """Return limits as lines, and in words those too far from the values to be drawn."""
    known = np.abs(values[np.isfinite(values)])
    reach = float(known.max(initial=0.0))
    levels: list[Level] = []
    far: list[str] = []
    nearest = min((bound.at for bound in bounds if bound.side != "below"), default=0.0)
    for bound in bounds:
        if bound.side != "below" and bound.at > _FAR * max(reach, nearest):
            far.append(f"{bound.words}: off the plot")
            continue
        role = _ROLES.get(bound.word, "constant")
        places = (bound.at, -bound.at) if bound.side == "beyond" else (bound.at,)
        for place in places:
            label = bound.words if place == places[0] else ""
            levels.append(Level(role=role, axis="x" if axis == "x" else "y", at=place, label=label))
    return tuple(levels), tuple(far)


def utc_hours(report: ReportLike, mjd: Floats) -> Floats:
    """Return hours of UTC since the midnight that begins the night."""
    return np.asarray((mjd - night_bounds_mjd(report.night)[0]) * 24.0)


def hours_of_paths(report: ReportLike, paths: Iterable[object], hours: Floats) -> Floats:
    """UTC of the middle of some MS; the middle of the hour of one whose time is not known."""
    ms = report.columns.ms
    middle = utc_hours(report, ms["mid_mjd"])
    known = dict(zip(ms["path"], middle.tolist(), strict=True))
    found = np.array([known.get(path, np.nan) for path in paths], float)
    return np.where(np.isfinite(found), found, hours + 0.5)


def hour_axis(report: ReportLike) -> Axis:
    """Hours of UTC, from the first hour that is judged to the last."""
    hours = report.columns.hours or (0, 23)
    return Axis(
        label=f"UTC on {report.night} (h)", name="UTC", unit="h",
        limits=(hours[0] - 0.15, hours[-1] + 1.15),
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
                    role=word, name=f"{name}, {word}", label=f"{name}: {word} ({mine.sum()})",
                    x=x[mine], y=y[mine], keys=pick(keys, mine) if len(keys) else (),
                    err=None if err is None else err[mine],
                    columns=tuple(column.take(mine) for column in columns),
                )
            )  # fmt: skip
    return tuple(made)


def skipped(report: ReportLike, check: str) -> tuple[Points, ...]:
    """Marks along the lower edge for the hours of which a check could say nothing."""
    told: dict[int, str] = {}
    for one in report.of(check):
        if one.word == NOT_APPLICABLE and one.hour is not None:
            told.setdefault(one.hour, one.why)
    if not told:
        return ()
    n = len(told)
    return (
        Points(
            role="not applicable", name="not applicable", label=f"hour not applicable ({n})",
            x=np.array(list(told), float) + 0.5, y=np.full(n, _AT_FOOT), pinned=True,
            columns=(Column(name="why", values=tuple(told.values())),), overlay=True,
        ),
    )  # fmt: skip


def counted(outcomes: Iterable[Outcome]) -> str:
    """Count outcomes by word, the worst first: "1 fail, 2 warn, 5 pass"."""
    words = [one.word for one in outcomes]
    order = (FAIL, WARN, PASS, NOT_APPLICABLE)
    return ", ".join(f"{words.count(word)} {word}" for word in order if word in words)


def headline(report: ReportLike, check: str, what: str) -> str:
    """Return a title: the check, the night, what is shown, and what was said."""
    outcomes = report.of(check)
    scope = {one.scope for one in outcomes}.pop() if outcomes else "night"
    plural = scope if scope == "MS" or len(outcomes) == 1 else f"{scope}s"
    said = f"{plural}: {counted(outcomes)}"
    return f"{check}: {what}; {said}"


def named(paths: Iterable[object]) -> tuple[str, ...]:
    """Return the last part of each path."""
    return tuple(str(path).rsplit("/", 1)[-1] for path in paths)


def in_words(
    report: ReportLike,
    check: str,
    what: str,
    values: Floats,
    unit: str,
    bounds: Iterable[Bound],
    more: Iterable[str] = (),
) -> str:
    """Say a figure in words, with its numbers: the alternative text."""
    unit = f" {unit}" if unit else ""
    known = values[np.isfinite(values)]
    told = [f"{what} on {report.night} (UTC), N = {known.size}"]
    if known.size:
        told.append(f"median {np.median(known):.4g}{unit}, {known.min():.4g} to {known.max():.4g}")
    limits = [f"{bound.words}" for bound in bounds]
    told.append(f"limits: {', '.join(limits) or 'none'}")
    told += more
    worst = [one for one in report.of(check) if one.word in (WARN, FAIL)]
    for one in worst[:6]:
        where = f"{one.scope} {one.key}" if one.scope != "hour" else f"hour {one.key}"
        told.append(f"{where} {one.word}: {one.why}")
    if len(worst) > 6:
        told.append(f"and {len(worst) - 6} more")
    told.append(f"outcomes: {counted(report.of(check))}")
    return f"{'; '.join(told)}."


def tile_images(report: ReportLike) -> Columns:
    """The tile image of each tile."""
    images = report.columns.images
    return images.where(images["is_tile"] == 1.0)
