"""Holes between the tiles of a night."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contimg_lab.analysis.gaps import GAP_MINUTES, minutes_between
from contimg_lab.records.qa import Gap
from contimg_lab.services._directory import Entry

__all__ = ["GAP_MINUTES", "find_gaps"]


def find_gaps(tiles: Sequence[Entry], minutes: float = GAP_MINUTES) -> tuple[Gap, ...]:
    """Find the holes of more than some minutes between the starts of neighbouring tiles."""
    timed = [(e.times.start_mjd, e.ms.path) for e in tiles if e.times.start_mjd is not None]
    timed.sort()
    between = minutes_between(np.array([start for start, _ in timed], float))
    return tuple(
        Gap(
            after_path=timed[place][1],
            before_path=timed[place + 1][1],
            start_mjd=timed[place][0],
            end_mjd=timed[place + 1][0],
            minutes=float(between[place]),
        )
        for place in np.flatnonzero(between > minutes).tolist()
    )
