"""A chart as a message to the browser: a small description, and its numbers as binary buffers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.plots._roles import look_of
from contimg_lab.plots.chart import Axis, Chart, Column, Key, Points, Spans

__all__ = ["ChartMessage", "chart_message"]

_BETWEEN = "\x1f"  # separates texts in one buffer; no name holds it


@dataclasses.dataclass(frozen=True, slots=True)
class ChartMessage:
    """What is sent: numbers of buffers stand in the description where arrays belong."""

    content: dict[str, Any]
    buffers: list[memoryview]
    numbers: dict[Key, int]

    def numbered(self, serial: int) -> ChartMessage:
        """Return the same message with another number."""
        return dataclasses.replace(self, content=self.content | {"serial": serial})


class _Buffers:
    """Buffers that are sent, and the place of each."""

    def __init__(self) -> None:
        self.held: list[memoryview] = []

    def floats(self, values: NDArray[np.float64] | None) -> int | None:
        return None if values is None else self._hold(np.ascontiguousarray(values, np.float64))

    def whole(self, values: Iterable[int]) -> int:
        return self._hold(np.array(list(values), np.uint32))

    def texts(self, values: Iterable[object]) -> int:
        joined = _BETWEEN.join(map(str, values)).encode()
        return self._hold(np.frombuffer(joined, np.uint8))

    def _hold(self, values: NDArray[Any]) -> int:
        self.held.append(memoryview(values.tobytes()))
        return len(self.held) - 1


def chart_message(chart: Chart, serial: int) -> ChartMessage:
    """Write a chart as a message.

    Parameters
    ----------
    chart
        What to show.
    serial
        Number of this message: what the browser answers is told to belong to it.
    """
    buffers = _Buffers()
    keys = chart.keys()
    numbers = dict(zip(keys, range(len(keys)), strict=True))
    x_limits, y_limits = chart.limits()
    content = {
        "kind": "chart",
        "serial": serial,
        "x": _axis(chart.x, x_limits),
        "y": _axis(chart.y, y_limits),
        "points": [_points(points, numbers, buffers) for points in chart.points],
        "spans": [_spans(spans, numbers, buffers) for spans in chart.spans],
        "lines": [
            _part(line) | {"x": buffers.floats(line.x), "y": buffers.floats(line.y)}
            for line in chart.lines
        ],
        "levels": [_part(level) for level in chart.levels],
        # JSON has no infinity
        "bands": [
            _part(band) | {name: [_finite(v) for v in getattr(band, name)] for name in ("x", "y")}
            for band in chart.bands
        ],
        "keys": buffers.texts(keys),
        "n_keys": len(keys),
        "selected_look": _look("selected", 0),
    }
    for name in ("name", "title", "noun", "alt", "corner", "empty"):
        content[name] = getattr(chart, name)
    return ChartMessage(content, buffers.held, numbers)


def _axis(axis: Axis, limits: tuple[float, float]) -> dict[str, Any]:
    return dataclasses.asdict(axis) | {"limits": limits}


def _look(role: str, variant: int) -> dict[str, Any]:
    return dataclasses.asdict(look_of(role, variant))


def _part(part: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(part)]
    plain = {n: getattr(part, n) for n in names if n in ("role", "label", "axis", "at")}
    return plain | {"look": _look(part.role, 0)}


def _points(points: Points, numbers: dict[Key, int], buffers: _Buffers) -> dict[str, Any]:
    return {
        "name": points.name,
        "label": points.words,
        "look": _look(points.role, points.variant),
        "pinned": points.pinned,
        "overlay": points.overlay,
        "x": buffers.floats(points.x),
        "y": buffers.floats(points.y),
        "err": buffers.floats(points.err),
        **_rows(points, numbers, buffers),
    }


def _spans(spans: Spans, numbers: dict[Key, int], buffers: _Buffers) -> dict[str, Any]:
    return {
        "name": spans.name,
        "label": spans.name,
        "look": _look(spans.role, 0),
        "height": spans.height,
        "start": buffers.floats(spans.start),
        "end": buffers.floats(spans.end),
        "row": buffers.floats(spans.row),
        **_rows(spans, numbers, buffers),
    }


def _rows(part: Points | Spans, numbers: dict[Key, int], buffers: _Buffers) -> dict[str, Any]:
    keys = buffers.whole(map(numbers.__getitem__, part.keys)) if part.keys else None
    return {"keys": keys, "columns": [_column(column, buffers) for column in part.columns]}


def _column(column: Column, buffers: _Buffers) -> dict[str, Any]:
    told: dict[str, Any] = {"name": column.name, "unit": column.unit}
    if isinstance(column.values, tuple):
        return told | {"texts": buffers.texts(column.values)}
    return told | {"values": buffers.floats(column.values), "err": buffers.floats(column.err)}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
