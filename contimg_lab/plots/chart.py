"""A plot as a value: what is shown, where, in which role, and in words; drawn elsewhere.

The drawn figure (`plots._draw`) and the live plot of a panel are made from the same `Chart`, so
that the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contimg_lab.errors import InvalidInput
from contimg_lab.plots._roles import ROLES

__all__ = ["Axis", "Band", "Chart", "Column", "Key", "Level", "Line", "Points", "Spans", "pick"]

Key = str | int
"""What a point is known by: the id of a source, the path of an MS, the id of a row."""

Floats = NDArray[np.float64]
Range = tuple[float, float]

_KINDS = ("number", "mjd", "hour", "ra", "rows")
_PAD = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis.

    Attributes
    ----------
    label
        What is written along it, with the unit.
    name, unit
        What a value is called where the row of one point is told, and its unit.
    kind
        ``mjd``: UTC is written on the other side; ``ra``: degrees that grow to the left, hours
        on the other side; ``hour``; ``rows``: row i stands at i and is called ``rows[i]``.
    log
        Logarithmic.
    limits
        Lowest and highest value shown at first; from the points where None.
    rows
        Names of rows, from below.
    """

    label: str
    name: str = ""
    unit: str = ""
    kind: Literal["number", "mjd", "hour", "ra", "rows"] = "number"
    log: bool = False
    limits: Range | None = None
    rows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise InvalidInput(f"an axis of kind {self.kind!r}; there are {', '.join(_KINDS)}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One more thing that the row of a point tells: numbers, with errors or not, or texts."""

    name: str
    values: Floats | tuple[str, ...]
    unit: str = ""
    err: Floats | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, mask: NDArray[np.bool_]) -> Column:
        """Return the column of some points."""
        if isinstance(self.values, tuple):
            return Column(name=self.name, values=pick(self.values, mask), unit=self.unit)
        err = None if self.err is None else self.err[mask]
        return Column(name=self.name, values=self.values[mask], unit=self.unit, err=err)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Points that play one role.

    Attributes
    ----------
    role, variant
        A key of `ROLES`, and which of its variants.
    name
        What one of them is called in its row: "detection".
    label
        Words of the legend; the name and the number of points where empty.
    x, y
        Shape (n,); what is not finite is not drawn.
    err
        Shape (n,): errors of y, drawn as bars.
    keys
        n keys, which a click selects, or none.
    columns
        More columns of each point's row.
    pinned
        y is a share of the axes' height: marks along an edge.
    overlay
        Drawn over points of another series, which is the one that is walked through.
    """

    role: str
    name: str
    x: Floats
    y: Floats
    variant: int = 0
    label: str = ""
    err: Floats | None = None
    keys: tuple[Key, ...] = ()
    columns: tuple[Column, ...] = ()
    pinned: bool = False
    overlay: bool = False

    def __post_init__(self) -> None:
        _check(self, ("x", "y", "err"))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def words(self) -> str:
        """What the legend says."""
        return self.label or f"{self.name} ({len(self)})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spans:
    """Bars along x in one role: from ``start`` to ``end`` (may be infinite), centred on ``row``."""

    role: str
    name: str
    start: Floats
    end: Floats
    row: Floats
    height: float = 0.34
    keys: tuple[Key, ...] = ()
    columns: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        _check(self, ("start", "end", "row"))

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A line through points; one without a label is not in the legend."""

    role: str
    x: Floats
    y: Floats
    label: str = ""

    def __post_init__(self) -> None:
        _check(self, ("x", "y"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A line across the whole axes, at one value of x or of y."""

    role: str
    axis: Literal["x", "y"]
    at: float
    label: str = ""

    def __post_init__(self) -> None:
        _check(self, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A shaded area; infinite where it has no edge."""

    role: str
    x: Range = (-np.inf, np.inf)
    y: Range = (-np.inf, np.inf)

    def __post_init__(self) -> None:
        _check(self, ())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """One plot.

    Attributes
    ----------
    name
        What it is a plot of: a live plot that is given the same name again stays zoomed.
    noun
        What a key names: "source".
    points, spans, lines, levels, bands
        What is drawn.
    corner
        Words in the lower right corner.
    empty
        Words in the middle, where there is nothing to draw.
    alt
        The plot in words, with numbers and their errors.
    selected
        Keys of the points to ring.
    columns
        Columns of the legend.
    """

    name: str
    x: Axis
    y: Axis
    alt: str
    title: str = ""
    noun: str = ""
    points: tuple[Points, ...] = ()
    spans: tuple[Spans, ...] = ()
    lines: tuple[Line, ...] = ()
    levels: tuple[Level, ...] = ()
    bands: tuple[Band, ...] = ()
    corner: tuple[str, ...] = ()
    empty: str = ""
    selected: frozenset[Key] = field(default_factory=frozenset)
    columns: int = 3

    def limits(self) -> tuple[Range, Range]:
        """Range of x and of y at first: those of the axes, else the points with their errors."""
        xs = [points.x for points in self.points] + [line.x for line in self.lines]
        ys = [line.y for line in self.lines]
        for points in self.points:
            if not points.pinned:
                err = np.zeros(1) if points.err is None else np.nan_to_num(points.err)
                ys += [points.y - err, points.y + err]
        ys.append(np.array([level.at for level in self.levels if level.axis == "y"]))
        return _range(self.x, xs), _range(self.y, ys)

    def keys(self) -> tuple[Key, ...]:
        """Every key once, in the order in which it is first met."""
        parts: tuple[Points | Spans, ...] = (*self.points, *self.spans)
        return tuple(dict.fromkeys(key for part in parts for key in part.keys))


def pick(values: Iterable[Any], mask: NDArray[np.bool_]) -> tuple[Any, ...]:
    """Return the values at which a mask is true.

    Examples
    --------
    >>> pick("abc", np.array([True, False, True]))
    ('a', 'c')
    """
    return tuple(value for value, keep in zip(values, mask.tolist(), strict=True) if keep)


def _range(axis: Axis, parts: list[Floats]) -> Range:
    if axis.limits is not None:
        return axis.limits
    values = np.concatenate(parts) if parts else np.empty(0)
    values = values[np.isfinite(values) & ((values > 0.0) | (not axis.log))]
    if not values.size:
        return (0.1, 10.0) if axis.log else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if axis.log:
        low, high = np.log10(low), np.log10(high)
    pad = (high - low) * _PAD or max(abs(low) * _PAD, 1e-9)
    low, high = low - pad, high + pad
    return (float(10.0**low), float(10.0**high)) if axis.log else (low, high)


def _check(part: Any, arrays: tuple[str, ...]) -> None:
    """Make what is given float64 arrays of one length, and refuse a role that nobody draws."""
    if part.role not in ROLES:
        raise InvalidInput(f"a chart has no role {part.role!r}; there are {', '.join(ROLES)}")
    lengths = {}
    for name in arrays:
        value: ArrayLike | None = getattr(part, name)
        if value is not None:
            array = np.ascontiguousarray(value, dtype=np.float64)
            object.__setattr__(part, name, array)
            lengths[name] = array.shape
    if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
        raise InvalidInput(f"{part.role}: arrays differ in shape: {lengths}")
    if not arrays or "keys" not in {f.name for f in fields(part)}:
        return
    count = len(part)
    for name, size in (
        ("keys", len(part.keys) or count),
        *((f"column {column.name}", len(column)) for column in part.columns),
    ):
        if size != count:
            raise InvalidInput(f"{part.role}: {size} of {name} for {count} points")
