"""Axes of angles: right ascension in degrees below and hours above, and hours by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["add_hour_axis", "add_ra_axis"]

_DEG_PER_HOUR = 15.0
_HOUR_STEPS = (1 / 60, 1 / 30, 1 / 12, 1 / 6, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0)


def add_ra_axis(ax: Axes) -> None:
    """Write degrees within one turn on the lower axis, and hours on the upper one."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    high, low = ax.get_xlim()
    step_h = _step(abs(high - low) / _DEG_PER_HOUR)
    ax.xaxis.set_major_locator(MultipleLocator(step_h * _DEG_PER_HOUR))
    ax.xaxis.set_major_formatter(FuncFormatter(_write_degrees))
    upper = ax.secondary_xaxis("top", functions=(_to_hours, _from_hours))
    upper.xaxis.set_major_locator(MultipleLocator(step_h))
    upper.xaxis.set_major_formatter(FuncFormatter(_write_hours))
    upper.set_xlabel("Right ascension (h)")
    upper.tick_params(labelsize="small")


def add_hour_axis(ax: Axes) -> None:
    """Write hours and minutes on the lower axis."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(MultipleLocator(_step(abs(high - low))))
    ax.xaxis.set_major_formatter(FuncFormatter(_write_hours))


def _step(span_h: float) -> float:
    return next((step for step in _HOUR_STEPS if span_h / step <= 6.5), 6.0)


def _to_hours(ra_deg: Any) -> Any:
    return ra_deg / _DEG_PER_HOUR


def _from_hours(ra_h: Any) -> Any:
    return ra_h * _DEG_PER_HOUR


def _write_degrees(value: float, position: int | None = None) -> str:
    turned = round(value, 6) % 360.0
    return f"{turned:.6f}".rstrip("0").rstrip(".")


def _write_hours(value: float, position: int | None = None) -> str:
    minutes = round(value * 60.0) % (24 * 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours:d}h{rest:02d}m" if rest else f"{hours:d}h"
