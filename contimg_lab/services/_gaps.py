"""Holes between the tiles of a night."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from contimg_lab.records.qa import Gap
from contimg_lab.services._directory import Entry

__all__ = ["GAP_MINUTES", "find_gaps"]

GAP_MINUTES = 10.0
"""More than this between the starts of neighbouring tiles is a gap."""


def _minutes(start_mjd: float, end_mjd: float) -> float:
    # to the millisecond: a double of MJD holds no more, and ten minutes are no gap
    return round((end_mjd - start_mjd) * 86400.0, 3) / 60.0


def find_gaps(tiles: Sequence[Entry]) -> tuple[Gap, ...]:
    """Find the holes of more than `GAP_MINUTES` between the starts of neighbouring tiles."""
    timed = [(e.times.start_mjd, e.ms.path) for e in tiles if e.times.start_mjd is not None]
    timed.sort()
    return tuple(
        Gap(
            after_path=before[1],
            before_path=after[1],
            start_mjd=before[0],
            end_mjd=after[0],
            minutes=_minutes(before[0], after[0]),
        )
        for before, after in itertools.pairwise(timed)
        if _minutes(before[0], after[0]) > GAP_MINUTES
    )
