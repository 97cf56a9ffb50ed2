"""The tiles behind the verdicts of an hour: each with its own value, the worst first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contimg_lab.analysis.hour_checks import Limit
from contimg_lab.records.caltables import Coverage

__all__ = ["TileValue", "tile_values"]


@dataclass(frozen=True, slots=True)
class TileValue:
    """What a check says of one tile.

    Attributes
    ----------
    ms_path
        The tile.
    value
        In words, with the unit.
    off
        Whether the tile itself lies beyond the limit of the check's warning.
    """

    ms_path: str
    value: str
    off: bool


def tile_values(
    paths: Sequence[str],
    cal: Mapping[str, Coverage],
    noise_jy: Mapping[str, float],
    reference_jy: float,
    major_arcsec: Mapping[str, float],
    minor_arcsec: Mapping[str, float],
    offsets_deg: Mapping[str, tuple[float, float]],
    limits: Mapping[str, Limit],
) -> dict[str, list[TileValue]]:
    """Say of the tiles of one hour what each check that is of single tiles saw.

    Parameters
    ----------
    paths
        The tiles.
    cal
        Their bandpass tables.
    noise_jy, reference_jy
        Noise of their images, Jy/beam, and what it is compared with; NaN where with nothing.
    major_arcsec, minor_arcsec
        Axes of their beams.
    offsets_deg
        Their declination of date, and how far it is from the night's median.
    limits
        Of every check.
    """
    warn = {check: limit.bounds for check, limit in limits.items()}
    return {
        "tiles": [TileValue(path, "a tile", False) for path in paths],
        "calibration": _calibration(paths, cal, warn["calibration"]["warn_hours"]),
        "noise": _noise(paths, noise_jy, reference_jy, warn["noise"]["warn"]),
        "beam": _beam(paths, major_arcsec, minor_arcsec, warn["beam"]["warn"]),
        "declination": _declination(paths, offsets_deg, warn["declination"]["warn_deg"]),
    }


def _calibration(
    paths: Sequence[str], cal: Mapping[str, Coverage], warn_h: float
) -> list[TileValue]:
    found: list[tuple[float, TileValue]] = []
    for path in paths:
        cover = cal.get(path)
        far = None if cover is None else cover.distance_hours
        if cover is None or cover.state not in ("inside", "nearest"):
            found.append((math.inf, TileValue(path, "no bandpass table", True)))
        elif cover.state == "inside":
            found.append((0.0, TileValue(path, "inside a window", False)))
        else:
            away = math.nan if far is None else far
            found.append((away, TileValue(path, f"nearest, {away:.1f} h away", away > warn_h)))
    return _worst_first(found)


def _noise(
    paths: Sequence[str], noise: Mapping[str, float], reference: float, most: float
) -> list[TileValue]:
    found: list[tuple[float, TileValue]] = []
    for path in paths:
        if path not in noise:
            found.append((-1.0, TileValue(path, "no noise is known", False)))
            continue
        level, ratio = noise[path], noise[path] / reference
        told = f"{level * 1e3:.3g} mJy/beam"
        if math.isfinite(ratio):
            told += f", {ratio:.2f} times the reference"
        found.append((level, TileValue(path, told, ratio > most)))
    return _worst_first(found)


def _beam(
    paths: Sequence[str], major: Mapping[str, float], minor: Mapping[str, float], most: float
) -> list[TileValue]:
    found: list[tuple[float, TileValue]] = []
    for path in paths:
        if path not in major or path not in minor:
            found.append((-1.0, TileValue(path, "no beam is known", False)))
            continue
        ratio = major[path] / minor[path]
        told = f"{major[path]:.1f} x {minor[path]:.1f} arcsec, ratio {ratio:.2f}"
        found.append((ratio, TileValue(path, told, ratio > most)))
    return _worst_first(found)


def _declination(
    paths: Sequence[str], offsets: Mapping[str, tuple[float, float]], most: float
) -> list[TileValue]:
    found: list[tuple[float, TileValue]] = []
    for path in paths:
        if path not in offsets:
            found.append((-1.0, TileValue(path, "no pointing is known", False)))
            continue
        dec, off = offsets[path]
        told = f"Dec {dec:+.4f} deg (of date), {off:+.4f} deg from the night's median"
        found.append((abs(off), TileValue(path, told, abs(off) > most)))
    return _worst_first(found)


def _worst_first(found: Sequence[tuple[float, TileValue]]) -> list[TileValue]:
    return [value for _, value in sorted(found, key=lambda pair: -pair[0])]
