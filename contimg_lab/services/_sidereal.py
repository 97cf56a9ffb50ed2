"""Which tiles of other nights saw the same sky as an hour: those at its sidereal times."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.drift import apparent_sidereal_deg
from contimg_lab.services._directory import Entry

__all__ = ["MARGIN_DEG", "sidereal_deg", "within_hour"]

MARGIN_DEG = 1.3
"""A tile's worth of the sky, degrees."""


def sidereal_deg(entries: Iterable[Entry]) -> NDArray[np.float64]:
    """Sidereal time in the middle of each MS, degrees; NaN where it has no time."""
    return apparent_sidereal_deg(np.array([e.times.mid_mjd for e in entries], float))


def within_hour(lst_deg: NDArray[np.float64], here_deg: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which sidereal times lie among those of an hour, a tile more on either side."""
    known = here_deg[np.isfinite(here_deg)]
    if not len(known):
        return np.zeros(len(lst_deg), bool)
    first = known[0]
    span = np.mod(known - first + 180.0, 360.0) - 180.0
    off = np.mod(lst_deg - first + 180.0, 360.0) - 180.0
    return np.asarray((off >= span.min() - MARGIN_DEG) & (off <= span.max() + MARGIN_DEG))
