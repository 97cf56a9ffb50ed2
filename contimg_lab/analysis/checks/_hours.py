"""What the checks share: rows by hour, and the words of an hour's own checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.checks._declared import FAIL, NOT_APPLICABLE, PASS, WARN, Found
from contimg_lab.analysis.checks._night import Columns, Night
from contimg_lab.analysis.hour_checks import HourFigures, judge

__all__ = [
    "by_hour",
    "codes_of",
    "first_of",
    "found_of",
    "graded",
    "listed",
    "nothing",
    "positive",
    "rows_by_hour",
]

Mask = NDArray[np.bool_]
_NAMED = 200  # rows of a large table that an outcome names
_SHOWN = 3  # words that a sentence names


def by_hour(columns: Columns, night: Night, only: Mask | None = None) -> Iterator[tuple[int, Mask]]:
    """Each hour that is judged, with a mask of its rows; ``only``: among these."""
    for hour in night.hours:
        mine = columns["hour"] == hour
        yield hour, mine if only is None else mine & only


def rows_by_hour(
    columns: Columns, night: Night, only: Mask | None = None
) -> Iterator[tuple[int, Mask]]:
    """As `by_hour`, without the hours that have no such row: those are not applicable."""
    for hour, mine in by_hour(columns, night, only):
        if mine.any():
            yield hour, mine


def positive(values: NDArray[Any]) -> Mask:
    """Which values are finite and above 0."""
    return np.asarray(np.isfinite(values) & (values > 0.0))


def listed(words: Iterable[Any]) -> str:
    """Count words, the most frequent first: ``3 io, 1 memory``."""
    counts: dict[str, int] = {}
    for word in words:
        counts[str(word)] = counts.get(str(word), 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    more = [f"{len(ordered) - _SHOWN} more kinds"] if len(ordered) > _SHOWN else []
    return ", ".join([*(f"{n} {word}" for word, n in ordered[:_SHOWN]), *more])


def codes_of(names: NDArray[np.object_]) -> NDArray[np.int64]:
    """Number each name, in order of first appearance; names of any kind."""
    seen: dict[object, int] = {}
    return np.array([seen.setdefault(name, len(seen)) for name in names], np.int64)


def first_of(keys: NDArray[Any]) -> tuple[list[str], str]:
    """Keys of the first rows to blame, and words where that is not all of them."""
    more = f" (the first {_NAMED} are named)" if len(keys) > _NAMED else ""
    return [str(key) for key in keys[:_NAMED]], more


def found_of(
    check: str,
    hour: int,
    figures: HourFigures,
    limits: Mapping[str, float],
    rows: Mapping[str, Iterable[str]],
    more: str = "",
) -> Found:
    """Judge one of the checks that `judge` knows; ``rows`` are told where it does not pass."""
    verdict = judge(check, figures, limits)
    return Found(
        word=verdict.word,
        why=verdict.why + more,
        value=verdict.value,
        limit=verdict.limit,
        hour=hour,
        rows=rows if verdict.word in (WARN, FAIL) else None,
    )


def graded(
    value: float,
    limits: Mapping[str, float],
    why: str,
    *,
    low_is_bad: bool = False,
    warn: str = "warn",
    fail: str = "fail",
    **told: Any,
) -> Found:
    """Judge a number by its limits of the names ``warn`` and ``fail``, where it has them."""
    for limit, word in ((fail, FAIL), (warn, WARN)):
        if limit in limits and (value < limits[limit] if low_is_bad else value > limits[limit]):
            return Found(word=word, why=why, value=value, limit=limit, **told)
    told.pop("rows", None)
    nearest = warn if warn in limits else fail
    return Found(word=PASS, why=why, value=value, limit=nearest, **told)


def nothing(why: str, **told: Any) -> Found:
    """Say that there was nothing, or not enough, to judge."""
    return Found(word=NOT_APPLICABLE, why=why, **told)
