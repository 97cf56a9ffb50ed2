"""Where Measurement Sets looked, from whichever columns say so."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contimg_lab.records.ms import MeasurementSet, Pointing
from contimg_lab.services._context import Context
from contimg_lab.services._directory import Entry
from contimg_lab.times import MS_HALF_DURATION_S

__all__ = ["read_pointings"]


async def read_pointings(context: Context, entries: Sequence[Entry]) -> list[Pointing]:
    """Read where each MS looked, one for each entry; see `MsService.get_pointing`."""
    found = await asyncio.to_thread(_recorded_pointings, entries)
    missing = [
        (i, e.times.mid_mjd)
        for i, e in enumerate(entries)
        if found[i].source == "unknown" and e.times.mid_mjd is not None
    ]
    if missing:
        half = MS_HALF_DURATION_S / 86400.0
        mids = np.array([mid for _, mid in missing])
        history = await context.ms.pointing_history(mids.min() - half, mids.max() + half)
        rows, near = nearest(history["mjd"], mids)
        for (i, _), row in zip(
            [missing[k] for k in np.flatnonzero(near <= half)], rows[near <= half], strict=True
        ):
            ra, dec = float(history["ra_deg"][row]), float(history["dec_deg"][row])
            found[i] = Pointing(
                ms_path=entries[i].ms.path, ra_deg=ra, dec_deg=dec, source="pointing_history"
            )
    return found


def _recorded_pointings(entries: Sequence[Entry]) -> list[Pointing]:
    return [_recorded_pointing(entry.ms) for entry in entries]


def nearest(
    sorted_values: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Index of the nearest of some rising values to each wanted one, and how far it is."""
    if not len(sorted_values):
        return np.zeros(len(wanted), np.intp), np.full(len(wanted), np.inf)
    after = np.clip(np.searchsorted(sorted_values, wanted), 1, max(1, len(sorted_values) - 1))
    after = np.minimum(after, len(sorted_values) - 1)
    before = np.maximum(after - 1, 0)
    closer = np.abs(sorted_values[before] - wanted) <= np.abs(sorted_values[after] - wanted)
    index = np.where(closer, before, after)
    return index, np.abs(sorted_values[index] - wanted)


def _recorded_pointing(ms: MeasurementSet) -> Pointing:
    for ra, dec, source in (
        (ms.pointing_ra_deg, ms.pointing_dec_deg, "pointing columns"),
        (ms.ra_deg, ms.dec_deg, "field centre columns"),
    ):
        if _on_the_sky(ra, dec):
            return Pointing(ms_path=ms.path, ra_deg=ra, dec_deg=dec, source=source)
    return Pointing(ms_path=ms.path, source="unknown")


def _on_the_sky(ra: float | None, dec: float | None) -> bool:
    return (
        ra is not None
        and dec is not None
        and math.isfinite(ra)
        and math.isfinite(dec)
        and 0.0 <= ra <= 360.0
        and -90.0 <= dec <= 90.0
    )
