"""A night in short: what is there, what failed and how it is covered, hour by hour."""

from __future__ import annotations

import html
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contimg_lab.records.caltables import Coverage
from contimg_lab.records.jobs import Run
from contimg_lab.records.qa import Gap, HourSummary
from contimg_lab.services._coverage import bandpass_of
from contimg_lab.services._directory import Entry
from contimg_lab.services._frames import record_frame
from contimg_lab.services._gaps import find_gaps

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NightSummary", "summarise"]

_HEADINGS = {
    "hour": "hour (UTC)",
    "n_ms": "MS",
    "n_tiles": "tiles",
    "n_failed": "failed",
    "n_other": "unfinished or other",
    "n_noise": "with noise",
    "noise_median_jy": "median noise (mJy/beam)",
    "noise_max_jy": "largest noise (mJy/beam)",
    "n_inside": "cal inside",
    "n_nearest": "cal nearest",
    "n_uncovered": "no cal",
    "n_gaps": "gaps",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NightSummary:
    """What a night came to, before anybody judges it.

    Attributes
    ----------
    night
        UTC date of the starts of its MS.
    n_ms, n_tiles, n_calibrators, n_twins
        Measurement Sets, by kind.
    status_counts, cause_counts
        Runs by status; failed runs by cause.
    failed
        The failed runs.
    noise_median_jy, noise_max_jy, noisiest_path
        Noise of the tile images, Jy/beam; None where none has one.
    coverage
        For each table type the MS by state: inside, nearest, none, unknown.
    gaps
        Holes of more than 10 minutes between neighbouring tiles.
    hours
        The same by UTC hour; an hour that holds only a calibrator is left out.
    """

    night: str
    n_ms: int
    n_tiles: int
    n_calibrators: int
    n_twins: int
    status_counts: Mapping[str, int]
    cause_counts: Mapping[str, int]
    failed: tuple[Run, ...]
    noise_median_jy: float | None
    noise_max_jy: float | None
    noisiest_path: str | None
    coverage: Mapping[str, Mapping[str, int]]
    gaps: tuple[Gap, ...]
    hours: tuple[HourSummary, ...]

    def to_pandas(self) -> pd.DataFrame:
        """Return the hours as a DataFrame, one row a UTC hour."""
        return record_frame(HourSummary, self.hours)

    def lines(self) -> list[str]:
        """Return the summary in words, a line for each thing that a reviewer asks first."""
        others = [f"{n} {status}" for status, n in self.status_counts.items()]
        causes = [f"{n} {cause}" for cause, n in self.cause_counts.items()]
        noise = (
            f"noise: median {self.noise_median_jy * 1e3:.1f}, "
            f"largest {self.noise_max_jy * 1e3:.1f} mJy/beam"
            if self.noise_median_jy is not None and self.noise_max_jy is not None
            else "noise: no tile image has one"
        )
        covered = [
            f"{kind} {', '.join(f'{n} {state}' for state, n in states.items() if n)}"
            for kind, states in self.coverage.items()
        ]
        gaps = [f"{gap.minutes:.0f} min" for gap in self.gaps]
        kinds = ((self.n_tiles, "tile"), (self.n_calibrators, "calibrator"), (self.n_twins, "twin"))
        counted = ", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for n, kind in kinds if n)
        return [
            f"{self.n_ms} Measurement Sets: {counted}",
            f"runs: {', '.join(others) or 'none'}",
            f"failures by cause: {', '.join(causes) or 'none'}",
            noise,
            f"cal tables: {'; '.join(covered) or 'no registry'}",
            f"gaps over 10 min: {', '.join(gaps) or 'none'}",
        ]

    def __repr__(self) -> str:
        return "\n  ".join([f"Night {self.night} (UTC)", *self.lines()])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self.lines())
        shown = self.to_pandas()
        for name in ("noise_median_jy", "noise_max_jy"):
            shown[name] = shown[name] * 1e3
        hours = shown.rename(columns=_HEADINGS).to_html(
            index=False, border=0, na_rep="-", float_format="{:.1f}".format
        )
        return f"<b>Night {html.escape(self.night)} (UTC)</b><ul>{items}</ul>{hours}"


def summarise(
    day: str,
    entries: Sequence[Entry],
    runs: Sequence[Run],
    covers: Sequence[Coverage],
    noise: Mapping[str, float],
) -> NightSummary:
    """Summarise a night.

    Parameters
    ----------
    day
        UTC date.
    entries, runs, covers
        Of its MS.
    noise
        Noise of the tile images by MS, Jy/beam.
    """
    tiles = [entry for entry in entries if entry.kind == "tile"]
    gaps = find_gaps(tiles)
    states = {(c.ms_path, c.table_type): c.state for c in covers}
    types = list(dict.fromkeys(kind for _, kind in states))
    of_each: dict[str, list[Coverage]] = {}
    for cover in covers:
        of_each.setdefault(cover.ms_path, []).append(cover)
    chosen = {path: bandpass_of(mine) for path, mine in of_each.items()}
    primary = {path: cover.state for path, cover in chosen.items() if cover is not None}
    coverage = {
        kind: dict(Counter(state for (_, k), state in states.items() if k == kind))
        for kind in types
    }
    failed = tuple(run for run in runs if run.status == "failed")
    of_tiles = {e.ms.path: noise[e.ms.path] for e in tiles if e.ms.path in noise}
    noisiest = max(of_tiles, key=lambda path: of_tiles[path], default=None)
    hours = sorted({entry.hour for entry in tiles if entry.hour is not None})
    kinds = Counter(entry.kind for entry in entries)
    return NightSummary(
        night=day,
        n_ms=len(entries),
        n_tiles=kinds["tile"],
        n_calibrators=kinds["calibrator"],
        n_twins=kinds["twin"],
        status_counts=dict(Counter(run.status for run in runs).most_common()),
        cause_counts=dict(Counter(run.cause or "unknown" for run in failed).most_common()),
        failed=failed,
        noise_median_jy=statistics.median(of_tiles.values()) if of_tiles else None,
        noise_max_jy=max(of_tiles.values(), default=None),
        noisiest_path=noisiest,
        coverage=coverage,
        gaps=gaps,
        hours=tuple(_hour(hour, entries, runs, of_tiles, gaps, primary) for hour in hours),
    )


def _hour(
    hour: int,
    entries: Sequence[Entry],
    runs: Sequence[Run],
    noise: Mapping[str, float],
    gaps: Sequence[Gap],
    primary: Mapping[str, str],
) -> HourSummary:
    mine = [entry for entry in entries if entry.hour == hour]
    tiles = [entry for entry in mine if entry.kind == "tile"]
    words = Counter(run.status for run in runs if run.hour == hour)
    levels = [noise[e.ms.path] for e in tiles if e.ms.path in noise]
    of_primary = [primary.get(e.ms.path, "none") for e in tiles]
    paths = {entry.ms.path for entry in tiles}
    return HourSummary(
        hour=hour,
        n_ms=len(mine),
        n_tiles=len(tiles),
        n_failed=words["failed"],
        n_other=sum(words.values()) - words["failed"] - words["completed"],
        n_noise=len(levels),
        noise_median_jy=statistics.median(levels) if levels else None,
        noise_max_jy=max(levels, default=None),
        n_inside=of_primary.count("inside"),
        n_nearest=of_primary.count("nearest"),
        n_uncovered=len(tiles) - of_primary.count("inside") - of_primary.count("nearest"),
        n_gaps=sum(gap.after_path in paths for gap in gaps),
    )
