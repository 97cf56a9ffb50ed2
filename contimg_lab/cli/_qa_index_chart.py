"""One small figure of the index: a quantity over nights, and the nights that stand out."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.trends import LIMIT_SIGMA
from contimg_lab.cli._qa_figures import QUANTITIES
from contimg_lab.plots._draw import draw_chart
from contimg_lab.plots._style import pad_limits
from contimg_lab.plots.chart import Axis, Band, Chart, Level, Line, Points, pick
from contimg_lab.plots.trends import FLUX_RATIO_BAND
from contimg_lab.times import mjd_from_datetime

__all__ = ["nights_chart", "picture"]

_SIZE_IN = (4.0, 2.3)
_DPI = 160

Floats = NDArray[np.float64]


def nights_chart(
    name: str, nights: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]
) -> Chart:
    """Describe one quantity over nights.

    Parameters
    ----------
    name
        A key of `QUANTITIES`.
    nights
        In order of time: ``night`` and ``figures``; what has no figure is not drawn.
    before
        Nights that they were compared with alone: ``figures`` are values.
    """
    quantity = QUANTITIES[name]
    held = _held(nights, name)
    others = {one["night"]: one["figures"][name] for one in before}
    others = {night: value for night, value in others.items() if value is not None}
    keys = tuple(night for night, _ in held)
    mjd = _times(keys)
    value = _column(held, "value") * quantity.factor
    middle = _column(held, "before") * quantity.factor
    reach = LIMIT_SIGMA * _column(held, "before_sigma") * quantity.factor
    then, earlier = _times(others), np.array([*others.values()], float) * quantity.factor
    side = np.array([told["stands_out"] or "" for _, told in held], object)
    compared = np.isfinite(middle)
    kinds = (
        ("tile median", 0, compared & (side == ""), "night"),
        ("few before", 0, ~compared, "few nights before"),
        ("stands out", 0, side == "high", "high"),
        ("stands out", 1, side == "low", "low"),
    )
    points = [Points(role="echo", name="compared with", x=then, y=earlier)]
    points += [
        Points(
            role=role, variant=variant, name=words, x=mjd[which], y=value[which],
            keys=pick(keys, which),
        )
        for role, variant, which, words in kinds
        if which.any()
    ]  # fmt: skip
    bands = [
        Band(role="expected", x=(x - 0.5, x + 0.5), y=(y - far, y + far))
        for x, y, far in zip(mjd[compared], middle[compared], reach[compared], strict=True)
    ]
    good = FLUX_RATIO_BAND if name == "flux_ratio" else ()
    unit = f" ({quantity.shown_unit})" if quantity.shown_unit else ""
    return Chart(
        name=f"qa nights {name}",
        title=f"{quantity.name}{unit}",
        noun="night",
        x=Axis(label="MJD (UTC, days)", kind="mjd", limits=_span(np.concatenate([mjd, then]))),
        y=Axis(label="", name=quantity.name, unit=quantity.shown_unit,
               limits=_range(np.concatenate([value, earlier]))),
        points=tuple(points),
        levels=tuple(Level(role="good epoch", axis="y", at=at) for at in good),
        lines=(Line(role="before", x=mjd[compared], y=middle[compared]),),
        bands=tuple(bands),
        empty="" if held else "no night has one",
        alt=_words(name, held),
    )  # fmt: skip


def picture(chart: Chart) -> str:
    """Draw a chart as a picture that a page holds in itself: an address of its bytes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_IN, dpi=_DPI, layout="constrained")
    ax = draw_chart(chart, figure.add_subplot())
    legend = ax.get_legend()
    if legend is not None:  # the page says it once, for all of them
        legend.remove()
    ax.tick_params(labelsize="small")
    for upper in ax.child_axes:
        upper.set_xlabel("")  # dates say what they are
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _held(nights: Sequence[Mapping[str, Any]], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    held = [(one["night"], one["figures"][name]) for one in nights if one["figures"]]
    return [(night, told) for night, told in held if told["value"] is not None]


def _times(nights: Iterable[str]) -> Floats:
    days = [datetime.fromisoformat(night).replace(tzinfo=UTC) for night in nights]
    return np.array([mjd_from_datetime(day) for day in days], float)


def _words(name: str, held: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    quantity = QUANTITIES[name]
    if not held:
        return f"{quantity.name}: no night has one."
    values = [told["value"] * quantity.factor for _, told in held]
    unit = f" {quantity.shown_unit}" if quantity.shown_unit else ""
    out = [f"{night} ({told['stands_out']})" for night, told in held if told["stands_out"]]
    return (
        f"{quantity.name} of {len(held)} nights, {held[0][0]} to {held[-1][0]}: "
        f"{min(values):.4g} to {max(values):.4g}{unit}, last {values[-1]:.4g}; "
        f"nights that stand out: {', '.join(out) or 'none'}."
    )


def _column(held: Sequence[tuple[str, Mapping[str, Any]]], name: str) -> Floats:
    return np.array([math.nan if told[name] is None else told[name] for _, told in held], float)


def _range(values: Floats) -> tuple[float, float] | None:
    if not values.size:
        return None
    least = float(np.abs(values).max()) * 0.02 or 1e-9
    return pad_limits(float(values.min()), float(values.max()), 0.15, least)


def _span(mjd: Floats) -> tuple[float, float] | None:
    return pad_limits(float(mjd.min()), float(mjd.max()), 0.05, 2.0) if mjd.size else None
