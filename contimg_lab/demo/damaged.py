"""Photometry as it should not be: text, NULL, infinite and negative values, rows twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from contimg_lab.demo.photometry import Block
from contimg_lab.demo.processing import Processed
from contimg_lab.demo.season import stream
from contimg_lab.demo.truth import PlantedFault

__all__ = ["damage_photometry"]

_NAN, _INF = float("nan"), float("inf")
_FLUX, _ERROR, _PEAK, _PEAK_ERROR = "flux_jy", "flux_err_jy", "peak_jyb", "peak_err_jyb"

_DAMAGES: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("a dash for a flux", {_FLUX: "--"}, 2),
    ("the word nan for an error", {_ERROR: "nan"}, 2),
    ("infinite flux", {_FLUX: _INF, _PEAK: _INF}, 1),
    ("infinite error", {_ERROR: _INF, _PEAK_ERROR: _INF}, 2),
    ("error of zero", {_ERROR: 0.0, _PEAK_ERROR: 0.0}, 4),
    ("negative error", {_ERROR: -0.0166, _PEAK_ERROR: -0.0166}, 3),
    ("no flux and no peak", {_FLUX: None, _PEAK: None}, 6),
    ("no error", {_ERROR: None, _PEAK_ERROR: None}, 3),
    ("a flux of exactly zero", {_FLUX: 0.0}, 1),
)
_SUPERSEDED = 8
_NAMELESS = 40
_NO_EPOCH = 160


def damage_photometry(done: Processed, block: Block) -> None:
    """Spoil rows of a whole season's photometry; what is usable follows the rows."""
    draw = stream(done.plan.season, "untidy photometry")
    columns = block.columns
    _older_rows(done, block)
    fine = [row for row in range(len(block)) if columns[_FLUX][row] is not None]
    wanted = sum(count for *_, count in _DAMAGES) + _SUPERSEDED
    picked = iter(draw.choice(fine, wanted, replace=False).tolist())
    for detail, values, count in _DAMAGES:
        for _ in range(count):
            row = next(picked)
            for name, value in values.items():
                columns[name][row] = value
            _told(done, block, row, "damaged_row", detail)
    for row in draw.choice(len(block), _NO_EPOCH, replace=False).tolist():
        columns["mjd"][row] = None
    twice = [next(picked) for _ in range(_SUPERSEDED)]
    for row in range(len(block)):
        _reread(block, row)
    for row in twice:
        _append(block, row, lambda name, value: value * 1.07 if name in (_FLUX, _PEAK) else value)
        block.usable[row] = False
        _told(done, block, row, "superseded_row", "measured again in the same image")
    for row in draw.choice(len(block), _NAMELESS, replace=False).tolist():
        _append(block, row, _nameless)
        block.usable[-1] = False


def _older_rows(done: Processed, block: Block) -> None:
    """One night from before the upgrade: peaks only."""
    night = done.plan.date(done.plan.special.withdrawn + 1)
    for row, path in enumerate(block.columns["image_path"]):
        if night in path:
            for name in (_FLUX, _ERROR, "normalized_flux_jy", "normalized_flux_err_jy", "snr"):
                block.columns[name][row] = None


def _reread(block: Block, row: int) -> None:
    """Take the flux of a row from its columns: flux_jy where that pair is valid, else peak."""
    for flux, error in ((_FLUX, _ERROR), (_PEAK, _PEAK_ERROR)):
        pair = block.columns[flux][row], block.columns[error][row]
        if all(isinstance(v, float) and math.isfinite(v) for v in pair) and pair[1] > 0:
            block.flux_jy[row], block.error_jy[row] = pair
            block.usable[row] = True
            return
    block.usable[row] = False


def _append(block: Block, row: int, change: Callable[[str, Any], Any]) -> None:
    """Add a copy of a row at the end, with some values changed."""
    for name, values in block.columns.items():
        value = values[row]
        if name == "measured_at":
            value = max(values) + 30.0
        values.append(change(name, value))
    block.source = np.append(block.source, block.source[row])
    block.mjd = np.append(block.mjd, block.mjd[row])
    block.measured_unix = np.append(block.measured_unix, block.columns["measured_at"][-1])
    block.flux_jy = np.append(block.flux_jy, _NAN)
    block.error_jy = np.append(block.error_jy, _NAN)
    block.usable = np.append(block.usable, True)
    _reread(block, len(block) - 1)


def _nameless(name: str, value: Any) -> Any:
    if name in ("source_id", "nvss_flux_mjy"):
        return None
    if name == "ra_deg":
        return (value + 0.031) % 360.0
    if name in (_FLUX, _PEAK) and isinstance(value, float):
        return abs(value) * 0.1
    return value


def _told(done: Processed, block: Block, row: int, kind: str, detail: str) -> None:
    columns = block.columns
    path = columns["image_path"][row]
    done.faults.append(
        PlantedFault(kind=kind, image_path=path, detail=f"{detail}: {columns['source_id'][row]}")
    )
