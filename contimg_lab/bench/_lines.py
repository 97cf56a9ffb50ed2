"""One line of the table of figures, and what lines say of each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Line", "line", "with_growth", "with_ratios"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was measured of one way to do one work; None where it does not apply.

    Attributes
    ----------
    work, way
        What was done, and how.
    n_rows
        Size of the database: rows of photometry, Measurement Sets or bytes of the log.
    per_s
        How often a second.
    seconds
        Of one time (the median, where it was done more than once).
    p50_ms, p95_ms, p99_ms
        Latencies that 50, 95 and 99 of 100 did not exceed.
    stall_ms
        The longest time for which the event loop let nobody else run.
    peak_mb, children_mb
        Peak memory of the process, and of its largest child (10^6 bytes).
    ratio
        How many times as fast as the older design, or as what the note says.
    memory_ratio
        Peak memory as a fraction of the older design's.
    growth
        Cost as a multiple of that in the smallest database measured.
    note
        In words: what else there is to say.
    is_wrong
        The answer is not that of the other ways, or there is none: the note says which.
    """

    work: str
    way: str
    n_rows: int
    per_s: float | None = None
    seconds: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    stall_ms: float | None = None
    peak_mb: float | None = None
    children_mb: float | None = None
    ratio: float | None = None
    memory_ratio: float | None = None
    growth: float | None = None
    note: str = ""
    is_wrong: bool = False

    @property
    def cost_s(self) -> float | None:
        """Seconds of one time."""
        if self.per_s:
            return 1.0 / self.per_s
        return self.seconds


_MEASURED = {field.name for field in dataclasses.fields(Line)}
_GIVEN = {"work", "way", "n_rows", "note"}


def line(work: str, way: str, n_rows: int, told: Mapping[str, Any], note: str = "") -> Line:
    """Make a line of what a measuring process told; what the table has no place for is left."""
    kept = {name: value for name, value in told.items() if name in _MEASURED - _GIVEN}
    return Line(work=work, way=way, n_rows=n_rows, note=note, **kept)


def with_ratios(lines: Iterable[Line], base: str, *, memory: bool = False) -> list[Line]:
    """Give each line its ratio to the way called `base`, where both have a cost."""
    found = list(lines)
    first = next((each for each in found if each.way == base and each.cost_s), None)
    if first is None:
        return found
    made = []
    for each in found:
        ratio = first.cost_s / each.cost_s if first.cost_s and each.cost_s else None
        share = each.peak_mb / first.peak_mb if memory and each.peak_mb and first.peak_mb else None
        made.append(dataclasses.replace(each, ratio=ratio, memory_ratio=share))
    return made


def with_growth(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Give each line its cost as a multiple of the same way's in the smallest database."""
    smallest: dict[tuple[str, str], Line] = {}
    for each in lines:
        known = smallest.setdefault((each.work, each.way), each)
        if each.n_rows < known.n_rows:
            smallest[each.work, each.way] = each

    def growth(each: Line) -> float | None:
        first = smallest[each.work, each.way]
        if first.n_rows == each.n_rows or not first.cost_s or not each.cost_s:
            return None
        return each.cost_s / first.cost_s

    return tuple(dataclasses.replace(each, growth=growth(each)) for each in lines)
