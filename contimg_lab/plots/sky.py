"""Where Measurement Sets pointed: right ascension to the left, whole across 0 h."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.analysis.sky import unwrap_ra
from contimg_lab.plots._style import (
    COLOURS,
    OTHER_STATUS,
    STATUS_STYLE,
    draw_legend,
    ensure_axes,
    pad_limits,
    write_empty,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["plot_pointings"]

_DEG_PER_HOUR = 15.0
_HOUR_STEPS = (1 / 60, 1 / 30, 1 / 12, 1 / 6, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0)


def plot_pointings(
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    status: Sequence[object] | None = None,
    *,
    selected: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw pointings on the sky.

    Parameters
    ----------
    ra_deg, dec_deg
        Positions in degrees; NaN where unknown. A right ascension of 0 is a real one.
    status
        Word for each pointing; decides colour and marker.
    selected
        Index of the pointing to ring.
    title
        Title of the plot.
    ax
        Axes to draw on; new ones where there are none.

    Returns
    -------
    Axes
        The axes: degrees below, hours above, both within one turn.
    """
    axes = ensure_axes(ax, (6.4, 3.6))
    centre, ra = unwrap_ra(ra_deg)
    dec = np.asarray(dec_deg, dtype=np.float64)
    known = np.isfinite(ra) & np.isfinite(dec)
    words = np.asarray(
        ["pointing"] * ra.size if status is None else [_word(word) for word in status],
        dtype=object,
    )
    for word in sorted(set(words.tolist()), key=lambda w: (w not in STATUS_STYLE, w)):
        mask = known & (words == word)
        colour, marker = STATUS_STYLE.get(word, OTHER_STATUS)
        axes.plot(
            ra[mask], dec[mask], ls="", marker=marker, ms=6, alpha=0.75, color=colour,
            mec="white", mew=0.4, label=f"{word} ({int((words == word).sum())})",
        )  # fmt: skip
    if known.any():
        axes.set_xlim(*pad_limits(float(ra[known].min()), float(ra[known].max()), 0.06, 0.5)[::-1])
        axes.set_ylim(*pad_limits(float(dec[known].min()), float(dec[known].max()), 0.35, 1.0))
    else:
        axes.set_xlim(centre + 180.0, centre - 180.0)
        axes.set_ylim(-90.0, 90.0)
        write_empty(axes, "no pointing is known")
    if selected is not None and 0 <= selected < ra.size and known[selected]:
        axes.plot(
            ra[selected], dec[selected], ls="", marker="o", ms=12, mfc="none", mew=1.8,
            color=COLOURS["black"], label="selected", zorder=5,
        )  # fmt: skip
    _label_sky(axes)
    missing = int(ra.size - known.sum())
    if missing:
        title = f"{title}   {missing} of {ra.size} without a position".strip()
    axes.set_title(title, fontsize="medium")
    draw_legend(axes, ncols=4)
    return axes


def _word(status: object) -> str:
    if not isinstance(status, str) or not status:
        return "no status"
    return "completed" if status == "done" else status  # the pipeline writes both


def _label_sky(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    high, low = ax.get_xlim()
    span_h = abs(high - low) / _DEG_PER_HOUR
    step_h = next((step for step in _HOUR_STEPS if span_h / step <= 6.5), 6.0)
    ax.xaxis.set_major_locator(MultipleLocator(step_h * _DEG_PER_HOUR))
    ax.xaxis.set_major_formatter(FuncFormatter(_write_degrees))
    ax.set_xlabel("Right ascension (deg, ICRS)")
    ax.set_ylabel("Declination (deg, ICRS)")
    upper = ax.secondary_xaxis("top", functions=(_to_hours, _from_hours))
    upper.xaxis.set_major_locator(MultipleLocator(step_h))
    upper.xaxis.set_major_formatter(FuncFormatter(_write_hours))
    upper.set_xlabel("Right ascension (h)")
    upper.tick_params(labelsize="small")
    ax.grid(visible=True, alpha=0.25, linewidth=0.5)


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
