"""One figure beside its naive twin, and all figures as one table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Line", "Side", "spread", "table", "value"]

_REACHED = {True: "yes", False: "NO", None: ""}


@dataclass(frozen=True, slots=True)
class Side:
    """What one way gave: the middle and the 95th percentile, or one number twice."""

    p50: float
    p95: float
    n: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure.

    Attributes
    ----------
    what, unit
        What was measured.
    ours, naive
        What came of it; None: not measured, or nothing to measure.
    goal
        In words, and the largest value that reaches it.
    at
        Which of the two the goal is for: ``p50`` or ``p95``.
    note
        What a reader has to know.
    """

    what: str
    unit: str = "ms"
    ours: Side | None = None
    naive: Side | None = None
    goal: float | None = None
    at: str = "p50"
    note: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None or self.ours is None:
            return None
        return bool(getattr(self.ours, self.at) <= self.goal)


def spread(found: Sequence[float]) -> Side | None:
    """Return the middle and the 95th percentile (the nearest that occurred)."""
    if not found:
        return None
    ordered = sorted(found)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

    return Side(at(0.5), at(0.95), len(ordered))


def value(number: float) -> Side:
    """One number."""
    return Side(float(number), float(number))


def table(lines: Iterable[Line]) -> str:
    """Lay all lines out."""
    cells = [["what", "unit", "ours p50", "p95", "naive p50", "p95", "times", "goal", "", "note"]]
    for line in lines:
        cells.append(
            [
                *(line.what, line.unit, *_both(line.ours), *_both(line.naive), _ratio(line)),
                *(_goal(line), _REACHED[line.is_reached], line.note),
            ]
        )
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]) - 1)]
    rows = [
        "  ".join(
            [
                *(
                    cell.ljust(width) if k in (0, 1, 8) else cell.rjust(width)
                    for k, (cell, width) in enumerate(zip(row[:-1], widths, strict=True))
                ),
                row[-1],
            ]
        ).rstrip()
        for row in cells
    ]
    return "\n".join([rows[0], "-" * len(rows[0]), *rows[1:]])


def _both(side: Side | None) -> tuple[str, str]:
    if side is None:
        return "", ""
    return _number(side.p50), _number(side.p95) if side.n > 1 else ""


def _ratio(line: Line) -> str:
    if line.ours is None or line.naive is None:
        return ""
    ours, naive = (getattr(side, line.at) for side in (line.ours, line.naive))
    return _number(naive / ours) if ours > 0 else ""


def _goal(line: Line) -> str:
    if line.goal is None:
        return ""
    return f"{line.at if line.ours and line.ours.n > 1 else ''} {_number(line.goal)}".strip()


def _number(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100.0 else f"{number:.3g}"
