"""Logarithmic axes that are read as numbers: 0.1, 0.2, 0.5, 1, not powers with minor labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axis import Axis

__all__ = ["write_plain_ticks"]


# which multiples of a decade are labelled, by how many decades the axis spans
_SUBS: tuple[tuple[float, tuple[float, ...]], ...] = (
    (0.35, (1.0, 1.2, 1.5, 1.8, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)),
    (0.7, (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)),
    (2.2, (1.0, 2.0, 5.0)),
    (3.5, (1.0, 3.0)),
    (np.inf, (1.0,)),
)


def write_plain_ticks(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers, as many as its present range needs.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> ax.set_xscale("log")
    >>> _ = ax.set_xlim(0.1, 10.0)
    >>> write_plain_ticks(ax.xaxis)
    >>> [ax.xaxis.get_major_formatter()(x) for x in (0.5, 2.0, 1e6)]
    ['0.5', '2', '$10^{6}$']
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    decades = float(np.log10(high / low)) if low > 0.0 else 1.0
    subs = next(subs for widest, subs in _SUBS if decades <= widest)
    axis.set_major_locator(LogLocator(base=10.0, subs=subs, numticks=12))
    axis.set_major_formatter(FuncFormatter(_write))
    axis.set_minor_formatter(NullFormatter())  # dozens of minor labels cost 0.1 s


def _write(value: float, position: int | None = None) -> str:
    if 1e-4 <= value < 1e5:
        return f"{value:g}"
    return "" if value <= 0.0 else f"$10^{{{round(np.log10(value))}}}$"
