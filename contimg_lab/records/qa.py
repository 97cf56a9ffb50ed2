"""Quality of a night: its hours, its gaps, what failed, and what a check says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contimg_lab.records._fields import MJD, column, required

__all__ = ["Gap", "HourSummary", "Outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A hole of more than 10 minutes between the starts of neighbouring tiles."""

    after_path: str = required(None, "last MS before the hole")
    before_path: str = required(None, "first MS after it")
    start_mjd: float = required(MJD, "start of the MS before")
    end_mjd: float = required(MJD, "start of the MS after")
    minutes: float = required("min", "between the two starts")


@dataclass(frozen=True, slots=True, kw_only=True)
class HourSummary:
    """One UTC hour of a night: the unit that is judged."""

    hour: int = required("h (UTC)", "UTC hour of the MS's start")
    n_ms: int = required(None, "Measurement Sets, calibrators and twins included")
    n_tiles: int = required(None, "tiles: 11 or 12 make a full hour")
    n_failed: int = required(None, "failed runs")
    n_other: int = required(None, "runs that are neither completed nor failed")
    n_noise: int = required(None, "tile images with a noise")
    noise_median_jy: float | None = column("Jy/beam", "median noise of the tile images")
    noise_max_jy: float | None = column("Jy/beam", "largest noise of a tile image")
    n_inside: int = required(None, "tiles inside a window of the bandpass table")
    n_nearest: int = required(None, "tiles with the nearest bandpass table within 12 h")
    n_uncovered: int = required(None, "tiles without a bandpass table, or without a time")
    n_gaps: int = required(None, "holes of more than 10 minutes that begin in this hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one check says of one thing: a Measurement Set, an image, a cal set, an hour or a night.

    ``rows`` are the keys of the rows that are to blame, by the table of `Night` that holds
    them: what would have to be withdrawn for the check to pass.
    """

    check: str = required(None, "name of the check")
    scope: str = required(None, "MS, image, cal set, hour or night")
    key: str = required(None, "path, image id, set name, hour as two digits, or UTC date")
    hour: int | None = column("h (UTC)", "UTC hour that it belongs to; None: to the whole night")
    word: str = required(None, "pass, warn, fail or not applicable")
    value: float | None = column(None, "what was measured, in the unit; None where nothing was")
    unit: str = required(None, "unit of value and threshold")
    threshold: float | None = column(None, "limit that decided, or that was nearest")
    threshold_name: str | None = column(None, "its name in the set of thresholds")
    threshold_source: str | None = column(None, "whose limit it is")
    why: str = required(None, "the word in a sentence")
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON has them: numbers, texts, null, lists and objects."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return told | {"rows": {table: list(keys) for table, keys in self.rows.items()}}
