"""The arguments of a simulated season, and the random streams that they give."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from contimg_lab.errors import InvalidInput
from contimg_lab.times import night_bounds_mjd, parse_night

__all__ = ["LAYOUTS", "MAX_PHOTOMETRY_ROWS", "MIN_NIGHTS", "MIN_SOURCES", "Season", "stream"]

LAYOUTS = ("unified", "split", "split-old")
MIN_NIGHTS = 6
"""Fewer nights have no room for the planted faults, each on a night of its own."""
MIN_SOURCES = 40
"""Fewer sources have no room for two variables of each kind."""
MAX_PHOTOMETRY_ROWS = 10_000_000
_FIRST_MJD, _LAST_MJD = 51544.0, 99000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """What a simulated season holds; the same arguments give the same rows, always.

    Attributes
    ----------
    layout
        ``unified``, ``split`` or ``split-old``.
    untidy
        As a working site leaves it: rotating logs, twins, rewritten and damaged rows.
    nights
        Number of passages of the strip, one a night, each with jobs, logs and faults.
    seed
        Of every random number.
    n_sources
        Number of catalogued sources in the strip.
    photometry_rows
        None for what the season gives. Else the number of photometry rows, for benchmarks:
        nights beyond `nights` are added until they suffice, with MS, images, pointings and
        photometry only (no jobs, faults, cal sets or logs), and written as a stream.
    first_night
        UTC date of the first night, ``YYYY-MM-DD``.
    dec_deg
        Declination of the strip (J2000, degrees).

    Examples
    --------
    >>> Season(layout="split", nights=8).nights
    8
    """

    layout: str = "unified"
    untidy: bool = False
    nights: int = 30
    seed: int = 110
    n_sources: int = 200
    photometry_rows: int | None = None
    first_night: str = "2025-10-08"  # so that thirty nights hold the clock change of 2 November
    dec_deg: float = 16.26

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise InvalidInput(f"layout {self.layout!r} is none of {', '.join(LAYOUTS)}")
        if self.untidy and self.layout != "unified":
            raise InvalidInput(f"untidy seasons are unified only, not {self.layout!r}")
        if self.untidy and self.photometry_rows is not None:
            raise InvalidInput("photometry_rows is for tidy seasons; leave untidy=False")
        _between("nights", self.nights, MIN_NIGHTS, 400)
        _between("n_sources", self.n_sources, MIN_SOURCES, 100_000)
        _between("seed", self.seed, 0, 2**63 - 1)
        if self.photometry_rows is not None:
            _between("photometry_rows", self.photometry_rows, 1, MAX_PHOTOMETRY_ROWS)
        try:
            parse_night(self.first_night)
        except InvalidInput as error:
            raise InvalidInput(f"first_night: {error}") from error
        if not _FIRST_MJD <= night_bounds_mjd(self.first_night)[0] <= _LAST_MJD:
            raise InvalidInput(f"first_night {self.first_night!r} is before 2000 or after 2129")
        if not -30.0 <= self.dec_deg <= 75.0:
            raise InvalidInput(f"dec_deg {self.dec_deg!r} is outside -30 to 75 degrees")


def stream(season: Season, subject: str, index: int = 0) -> np.random.Generator:
    """Random numbers of one subject, untouched by how many any other subject draws."""
    key = (zlib.crc32(subject.encode()), index)
    return np.random.default_rng(np.random.SeedSequence(season.seed, spawn_key=key))


def _between(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidInput(f"{name} {value!r} is outside {low} to {high}")
