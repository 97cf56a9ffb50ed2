"""A drift scan in figures: fields against the meridian, jumps, holes, raw data left over."""

from __future__ import annotations

import asyncio
import html
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.drift import (
    OFF_MERIDIAN_DEG,
    apparent_place,
    declination_states,
    drift_residual_deg,
    looks_of_date,
)
from contimg_lab.records.ms import Pointing, RawGroup
from contimg_lab.records.qa import Gap
from contimg_lab.services._context import Context
from contimg_lab.services._directory import Directory, Entry
from contimg_lab.services._frames import add_datetimes, frame
from contimg_lab.services._gaps import find_gaps
from contimg_lab.services._origin import Origin
from contimg_lab.services._pointings import read_pointings
from contimg_lab.times import time_in_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Drift", "night_medians", "read_drift", "unmade"]

Floats = NDArray[np.float64]

_SHOWN = 5  # gaps and groups that are named in words
_NO_TABLE = "this site keeps no table of raw files (hdf5_files)"
_EMPTY_TABLE = "the table of raw files (hdf5_files) has no row of the time"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drift:
    """Where n Measurement Sets looked, against the meridian and against each other.

    Attributes
    ----------
    night
        UTC date; None: every night.
    path, ms_night, kind
        Shape (n,), in order of time: the MS, the night it belongs to, and whether it is a
        tile, a calibrator or a twin.
    mid_mjd
        Shape (n,): middle of the observation (UTC).
    ra_deg, dec_deg
        Shape (n,): where it looked (ICRS); NaN where nothing says so.
    residual_deg
        Shape (n,): right ascension less local sidereal time at the middle, both of date;
        positive east of the meridian. NaN where the time or the pointing is unknown.
    dec_of_date_deg, dec_offset_deg
        Shape (n,): declination of date, and how far it is from the median of its night's tiles
        (of all its MS, where none is a tile).
    dec_state
        Shape (n,): same, new pointing (over 0.1 degrees), wrong strip (over 5) or unknown.
    gaps
        Holes of more than 10 minutes between neighbouring tiles of a night.
    looks_of_date
        Whether the fields lie off the meridian only because their right ascensions are those of
        date, where J2000 is promised.
    raw_without_ms
        Groups of raw files that no MS was made from; None where that cannot be known.
    raw_why
        Why it cannot be known, or that there was nothing to look at; "" otherwise.
    provenance
        Where the numbers come from.
    """

    night: str | None
    path: tuple[str, ...]
    ms_night: tuple[str | None, ...]
    kind: tuple[str, ...]
    mid_mjd: Floats
    ra_deg: Floats
    dec_deg: Floats
    residual_deg: Floats
    dec_of_date_deg: Floats
    dec_offset_deg: Floats
    dec_state: NDArray[np.object_]
    gaps: tuple[Gap, ...]
    looks_of_date: bool
    raw_without_ms: tuple[RawGroup, ...] | None
    raw_why: str
    provenance: Origin

    def __len__(self) -> int:
        return len(self.path)

    @property
    def off_meridian(self) -> NDArray[np.bool_]:
        """Which fields lie more than 0.1 degrees of right ascension from the meridian."""
        return np.asarray(np.abs(self.residual_deg) > OFF_MERIDIAN_DEG)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an MS, in order of time."""
        data = {
            "path": self.path,
            "night": self.ms_night,
            "kind": self.kind,
            "mid_mjd": self.mid_mjd,
            "ra_deg": self.ra_deg,
            "dec_deg": self.dec_deg,
            "residual_deg": self.residual_deg,
            "off_meridian": self.off_meridian,
            "dec_of_date_deg": self.dec_of_date_deg,
            "dec_offset_deg": self.dec_offset_deg,
            "dec_state": self.dec_state,
        }
        numbers = [name for name in data if name.endswith(("_mjd", "_deg"))]
        kind: dict[str, type] = dict.fromkeys(("path", "night", "kind", "dec_state"), str)
        units = dict.fromkeys(numbers, "deg (of date)") | {
            "mid_mjd": "d (MJD, UTC)",
            "ra_deg": "deg (ICRS)",
            "dec_deg": "deg (ICRS)",
        }
        made = frame(data, kind | dict.fromkeys(numbers, float), units=units)
        made.attrs["provenance"] = self.provenance.told()
        return add_datetimes(made, {"mid_at": "mid_mjd"})

    def lines(self) -> list[str]:
        """Return what was found in words."""
        known = self.residual_deg[np.isfinite(self.residual_deg)]
        off = int(self.off_meridian.sum())
        meridian = (
            f"median {np.median(known):+.3f}, largest {np.abs(known).max():.3f} deg from it; "
            f"{off} of {len(known)} by more than {OFF_MERIDIAN_DEG:g} deg"
            if len(known)
            else "no MS has a time and a pointing"
        )
        if self.looks_of_date:
            meridian += "; the right ascensions look like those of date, not J2000"
        states = Counter(self.dec_state.tolist())
        jumps = [f"{states[word]} {word}" for word in ("new pointing", "wrong strip", "unknown")]
        gaps = _some([f"{gap.minutes:.1f} min after {gap.after_path}" for gap in self.gaps])
        raw = _some(
            [f"{group.group_id} ({group.n_subbands})" for group in self.raw_without_ms or ()]
        )
        return [
            f"{len(self)} Measurement Sets",
            f"meridian: {meridian}",
            f"declination: {', '.join(jumps)}",
            f"gaps over 10 min: {gaps or 'none'}",
            f"raw groups without an MS: {raw or self.raw_why or 'none'}",
        ]

    def __repr__(self) -> str:
        title = f"Drift of {self.night} (UTC)" if self.night else "Drift of every night"
        return "\n  ".join([title, *self.lines()])

    def _repr_html_(self) -> str:
        first, *rest = repr(self).splitlines()
        items = "".join(f"<li>{html.escape(line.strip())}</li>" for line in rest)
        return f"<b>{html.escape(first)}</b><ul>{items}</ul>"


def _some(words: Sequence[str]) -> str:
    more = [f"{len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
    return ", ".join([*words[:_SHOWN], *more])


async def read_drift(
    context: Context, entries: Sequence[Entry], night: str | None, origin: Origin
) -> Drift:
    """Make the value of `MsService.drift` of some MS, in order of time."""
    pointings = await read_pointings(context, entries)
    groups = await context.ms.raw_groups(night)
    directory = await context.directory()
    return await asyncio.to_thread(_drift, entries, pointings, groups, directory, night, origin)


def _drift(
    entries: Sequence[Entry],
    pointings: Sequence[Pointing],
    groups: Sequence[RawGroup] | None,
    directory: Directory,
    night: str | None,
    origin: Origin,
) -> Drift:
    mjd = np.array([e.times.mid_mjd for e in entries], float)
    ra = np.array([p.ra_deg for p in pointings], float)
    dec = np.array([p.dec_deg for p in pointings], float)
    _, of_date = apparent_place(ra, dec, mjd)
    medians = night_medians(entries, of_date)
    left, why = _left(groups, entries, directory, night)
    return Drift(
        night=night,
        path=tuple(e.ms.path for e in entries),
        ms_night=tuple(e.night for e in entries),
        kind=tuple(e.kind for e in entries),
        mid_mjd=mjd,
        ra_deg=ra,
        dec_deg=dec,
        residual_deg=drift_residual_deg(ra, dec, mjd),
        dec_of_date_deg=of_date,
        dec_offset_deg=of_date - medians,
        dec_state=declination_states(of_date, medians),
        gaps=tuple(
            gap
            for _, mine in itertools.groupby(entries, key=lambda e: e.night)
            for gap in find_gaps([e for e in mine if e.kind == "tile"])
        ),
        looks_of_date=looks_of_date(ra, dec, mjd),
        raw_without_ms=left,
        raw_why=why,
        provenance=origin,
    )


def night_medians(entries: Sequence[Entry], dec_deg: Floats) -> Floats:
    """Median declination of each MS's night: of its tiles, else of all; NaN where unknown."""
    medians = np.full(len(entries), np.nan)
    nights: dict[str | None, list[int]] = {}
    for place, entry in enumerate(entries):
        nights.setdefault(entry.night, []).append(place)
    for places in nights.values():
        known = [k for k in places if np.isfinite(dec_deg[k])]
        tiles = [k for k in known if entries[k].kind == "tile"] or known
        if tiles:
            medians[places] = np.median(dec_deg[tiles])
    return medians


def _left(
    groups: Sequence[RawGroup] | None,
    entries: Sequence[Entry],
    directory: Directory,
    night: str | None,
) -> tuple[tuple[RawGroup, ...] | None, str]:
    """Groups of raw files that no MS was made from, and why that may not be known."""
    if groups is None:
        return None, _NO_TABLE
    if not groups:
        return (), _EMPTY_TABLE
    left = [group for group in groups if night is None or group.night == night]
    left = unmade(left, entries)
    if left and night is not None:  # an MS may stand under another night than its raw files
        left = unmade(left, directory.select(None))
    return tuple(left), ""


def unmade(groups: Sequence[RawGroup], entries: Sequence[Entry]) -> list[RawGroup]:
    """Groups of raw files that none of these MS was made from."""
    known = {entry.ms.group_id for entry in entries}
    left = [group for group in groups if group.group_id not in known]
    if not left:
        return left
    # an older ms_index has no group_id, and a later stage may lose it: the name tells it too
    times = {time_in_name(entry.ms.path) for entry in entries}
    return [g for g in left if (time_in_name(g.group_id) or g.group_id) not in times]
