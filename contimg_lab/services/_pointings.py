"""Where Measurement Sets looked, from whichever columns say so."""

from __future__ import annotations

import math
from collections.abc import Sequence

from contimg_lab.records.ms import MeasurementSet, Pointing
from contimg_lab.services._context import Context
from contimg_lab.services._directory import Entry
from contimg_lab.times import MS_HALF_DURATION_S

__all__ = ["read_pointings"]


async def read_pointings(context: Context, entries: Sequence[Entry]) -> list[Pointing]:
    """Read where each MS looked, one for each entry; see `MsService.get_pointing`."""
    found = [_recorded_pointing(entry.ms) for entry in entries]
    missing = [
        (i, e.times.mid_mjd)
        for i, e in enumerate(entries)
        if found[i].source == "unknown" and e.times.mid_mjd is not None
    ]
    if missing:
        half = MS_HALF_DURATION_S / 86400.0
        times = [mid for _, mid in missing]
        history = await context.ms.pointing_history(min(times) - half, max(times) + half)
        for i, mid in missing:
            near = abs(history["mjd"] - mid)
            if not len(near) or near.min() > half:
                continue
            row = int(near.argmin())
            ra, dec = float(history["ra_deg"][row]), float(history["dec_deg"][row])
            if _on_the_sky(ra, dec):
                found[i] = Pointing(
                    ms_path=entries[i].ms.path,
                    ra_deg=ra,
                    dec_deg=dec,
                    source="pointing_history",
                )
    return found


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
