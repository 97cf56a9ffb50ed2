"""Measurements of a night as checks see them, and which catalogued sources it shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.cone import in_cone, separation_deg
from contimg_lab.analysis.epochs import (
    REASONS,
    TIME_SOURCES,
    choose_fluxes,
    choose_times,
    superseded,
)
from contimg_lab.records._fields import cast
from contimg_lab.records.images import Image
from contimg_lab.repositories._photometry import FLUXES, photometry_of_columns
from contimg_lab.repositories.stored import Stored, shown
from contimg_lab.services._epochs import image_times
from contimg_lab.services._night_references import SourceReference
from contimg_lab.services._night_rows import NightRows
from contimg_lab.services._night_tables import Values
from contimg_lab.services._sidereal import MARGIN_DEG

__all__ = ["catalogue_values", "photometry_values", "sources_of"]

_TIMES = ("mjd", "measured_at")
_NUMBERS = ("ra_deg", "dec_deg", "nvss_flux_mjy", *_TIMES, *FLUXES)
_FLAGS = ("quality_flag", "flags")
_FOUND_SNR = 5.0
_MATCH_DEG = 10.0 / 3600.0


def sources_of(stored: Stored | None) -> frozenset[str]:
    """Sources that were measured in the night's images."""
    if stored is None:
        return frozenset()
    return frozenset(cast(shown(s), str) for s in set(stored.column("source_id")) if s is not None)


def photometry_values(
    rows: NightRows, images: Sequence[Image], references: Mapping[str, SourceReference]
) -> tuple[Values, NDArray[np.float64], NDArray[np.float64]]:
    """Rows of catalogued sources, each with its flux, its time, and what its source was before.

    Returns
    -------
    values, ra_deg, dec_deg
        The columns, and beside them where each row was measured.
    """
    stored = rows.stored.get("photometry")
    if stored is None or "source_id" not in stored.columns:
        return {}, np.zeros(0), np.zeros(0)
    sources = stored.column("source_id")
    mine = [i for i, source in enumerate(sources) if source is not None]
    held = [name for name in _NUMBERS if name in stored.columns]
    flags = {name: stored.column(name) for name in _FLAGS if name in stored.columns}

    def taken(name: str) -> list[Any]:
        values = stored.column(name)
        return values if len(mine) == len(values) else [values[i] for i in mine]

    ids = taken("id")
    # a list a column, not a tuple a row: zip() over so many rows is one step in C, which holds
    # the interpreter's lock, and what it leaves the garbage collector walks through in another
    named = [[shown(value) for value in taken(name)] for name in ("source_id", "image_path")]
    read = photometry_of_columns([named[0], ids, named[1], *map(taken, held)], held, None)
    del named
    chosen = choose_fluxes(read.value, read.kind)
    ms_of = {i.path: i.ms_path for i in images if i.path is not None and i.ms_path is not None}
    mid_of = {e.ms.path: e.ms.mid_mjd for e in rows.entries}
    known = {path: math.nan if mid is None else mid for path, mid in mid_of.items()}
    mid, name = image_times(read.images, np.unique(read.image), ms_of, known)
    mjd, time_source = choose_times(
        mjd=read.mjd,
        ms_mid_mjd=mid[read.image],
        name_mjd=name[read.image],
        measured_at=read.measured_at,
    )
    reason = chosen.reason.copy()
    reason[superseded(read.source, read.image, read.row_id)] = REASONS.index("superseded")
    # of images with one path the latest row counts
    row_of = {image.path: row for row, image in enumerate(images)}
    of_image = np.array([*(row_of.get(path, -1) for path in read.images), -1], np.int64)[read.image]
    hour_of = {e.ms.path: e.hour for e in rows.entries}
    hours = [hour_of.get(image.ms_path or "") for image in images]
    of_hour = np.array([*(math.nan if h is None else float(h) for h in hours), math.nan], float)
    before = [references.get(source) for source in read.source_ids]
    said = tuple(text if code else "" for code, text in enumerate(REASONS))
    values: dict[str, Iterable[Any]] = {
        "id": list(map(str, ids)),
        "source_id": _named(read.source_ids, read.source),
        "image": np.where(of_image >= 0, of_image, np.nan),
        "hour": of_hour[of_image],
        "mjd": mjd,
        "time_source": _named(TIME_SOURCES, time_source),
        "flux_jy": chosen.flux_jy,
        "flux_err_jy": chosen.flux_err_jy,
        "reason": _named(said, reason),
        "nvss_flux_mjy": read.nvss_flux_mjy,
    }
    for flag, stored_flags in flags.items():
        values[flag] = [_flag(stored_flags[i]) for i in mine]
    for told, at in (("flux_jy", "flux_jy"), ("err_jy", "err_jy"), ("n", "n"), ("eta", "eta")):
        of_source = [math.nan if b is None else float(getattr(b, at)) for b in before]
        values[f"reference_{told}"] = np.array(of_source, float)[read.source]
    return values, read.ra_deg, read.dec_deg


def _named(names: Sequence[str], code: NDArray[Any]) -> NDArray[np.object_]:
    table = np.empty(len(names), object)
    table[:] = names
    found: NDArray[np.object_] = table[code]
    return found


def _flag(value: object) -> str:
    return "" if value is None or value == 0 or value == "0" else str(cast(shown(value), str))


def catalogue_values(
    rows: NightRows,
    images: Sequence[Image],
    tile: Iterable[float],
    measured: Values,
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
) -> Values:
    """Catalogued sources within a tile's worth of a tile's centre, and whether it shows them.

    A source is found where a measurement of the hour that counts lies within 10 arcsec and
    above 5 times its error.
    """
    stored = rows.stored.get("catalog_sources")
    if stored is None or not stored.rows:
        return {}
    place = [np.array(list(map(_finite, stored.column(n))), float) for n in ("ra_deg", "dec_deg")]
    flux = np.array(list(map(_finite, stored.column("flux_jy"))), float)
    names = [cast(shown(name), str) for name in stored.column("source_name")]
    numbers = stored.column("id")
    pointings = {p.ms_path: p for p in rows.pointings}
    hours = {e.ms.path: e.hour for e in rows.entries}
    snr = np.asarray(measured.get("flux_jy", ()), float) / np.asarray(
        measured.get("flux_err_jy", ()), float
    )
    counts = np.array([reason == "" for reason in measured.get("reason", ())], bool)
    of_hour = np.asarray(measured.get("hour", ()), float)
    near: dict[int, set[int]] = {}
    for image, own in zip(images, tile, strict=True):
        hour, pointing = hours.get(image.ms_path or ""), pointings.get(image.ms_path or "")
        if not own or hour is None or pointing is None:
            continue
        ra, dec = image.center_ra_deg, image.center_dec_deg
        if ra is None or dec is None:
            ra, dec = pointing.ra_deg, pointing.dec_deg
        if ra is not None and dec is not None:
            found, _ = in_cone(place[0], place[1], ra, dec, MARGIN_DEG)
            near.setdefault(hour, set()).update(found.tolist())
    told = []
    for hour in sorted(near):
        with np.errstate(invalid="ignore"):
            there = np.flatnonzero(counts & (of_hour == hour) & (snr >= _FOUND_SNR))
        for row in sorted(near[hour]):
            apart = separation_deg(place[0][row], place[1][row], ra_deg[there], dec_deg[there])
            is_found = bool((apart <= _MATCH_DEG).any())
            told.append((names[row] or str(numbers[row]), hour, flux[row] * 1e3, is_found))
    columns = list(zip(*told, strict=True)) or [(), (), (), ()]
    return dict(zip(("name", "hour", "flux_mjy", "is_found"), columns, strict=True))


def _finite(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
