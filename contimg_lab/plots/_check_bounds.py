"""Limits as the figures of checks draw them: the word beyond each, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks import FAIL, PASS, WARN
from contimg_lab.plots._check_report import Floats, ReportLike
from contimg_lab.plots.chart import Level

if TYPE_CHECKING:
    from contimg_lab.thresholds import Threshold

__all__ = ["Bound", "bounds_of", "levels_of", "whose", "words_by"]

_LINES = {WARN: "cut", FAIL: "fail line"}
_FAR = 3.0  # a limit so many times farther than the values is told, not drawn


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


def words_by(values: Floats, bounds: Sequence[Bound]) -> NDArray[np.object_]:
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
    bounds: Sequence[Bound], values: Floats, axis: Literal["x", "y"] = "y"
) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Return limits as lines: those within reach of the values, and those off the plot.

    The latter are drawn outside of it, so that the legend names them.
    """
    reach = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    nearest = min((bound.at for bound in bounds if bound.side != "below"), default=0.0)
    near: list[Level] = []
    far: list[Level] = []
    for bound in bounds:
        is_far = bound.side != "below" and bound.at > _FAR * max(reach, nearest)
        words = f"{bound.words}, off the plot" if is_far else bound.words
        for place in (bound.at, -bound.at) if bound.side == "beyond" else (bound.at,):
            (far if is_far else near).append(
                Level(
                    role=_LINES.get(bound.word, "constant"), axis=axis, at=place,
                    label=words if place == bound.at else "",
                )
            )  # fmt: skip
    return tuple(near), tuple(far)
