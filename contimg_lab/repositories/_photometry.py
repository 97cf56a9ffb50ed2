"""Rows of ``photometry`` as columns."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.records._fields import cast
from contimg_lab.times import mjd_from_values

__all__ = [
    "FLUXES",
    "NUMBERS",
    "PLACES",
    "USUAL",
    "Photometry",
    "photometry_of",
    "photometry_of_columns",
    "usual_photometry",
]

FLUXES = ("flux_jy", "flux_err_jy", "peak_jyb", "peak_err_jyb")
"""Columns that a flux is chosen from."""

PLACES = ("ra_deg", "dec_deg", "nvss_flux_mjy")
"""Columns of which a source's latest row counts."""

NUMBERS = (*PLACES, "mjd", "measured_at")
"""The other columns of numbers."""

USUAL = ("mjd", "flux_jy", "flux_err_jy")
"""Columns that suffice where each row has its own time and flux."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photometry:
    """Photometry rows in no order, one array of length n a column.

    ``source`` and ``image`` are positions in ``source_ids`` and ``images``; -1 for no image.
    ``kind`` holds for each flux and error column what is stored: 0 nothing (NULL or no such
    column), 1 a number, 2 something else. Where it is no number the value is NaN.
    """

    source_ids: Sequence[str]
    images: Sequence[str]
    row_id: NDArray[np.int64]
    source: NDArray[np.int32]
    image: NDArray[np.int32]
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    nvss_flux_mjy: NDArray[np.float64]
    mjd: NDArray[np.float64]
    measured_at: NDArray[np.float64]
    value: dict[str, NDArray[np.float64]]
    kind: dict[str, NDArray[np.uint8]]

    def __len__(self) -> int:
        return len(self.row_id)


def usual_photometry(rows: Sequence[tuple[Any, ...]], wanted: Sequence[str]) -> Photometry | None:
    """Make columns of what is usually enough; None where a value must be stood in for.

    Parameters
    ----------
    rows
        Number of the source among ``wanted``, id, image, mjd, flux, error; at the end, with
        ``-1 - number``, id, None and the place of each source's latest row.
    wanted
        Names.
    """
    end = len(rows)
    while end and rows[end - 1][0] < 0:
        end -= 1
    latest = rows[end:]
    parts: list[Any] = list(zip(*rows[:end], strict=True)) if end else [()] * 6
    (mjd, _), (flux, flux_kind), (error, error_kind) = map(_numbers, parts[3:])
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(flux) & np.isfinite(error) & (error > 0.0)
    if not (valid.all() and np.isfinite(mjd_from_values(mjd)).all()):
        return None
    if any(type(row[1]) is not int for row in latest):  # no key: the highest is not known
        return None
    code = np.array(parts[0], np.int32)
    source, source_ids = _present(code, wanted)
    image, images = _codes(parts[2])
    places = {name: np.full(len(wanted), np.nan) for name in PLACES}
    for name, values in zip(PLACES, list(zip(*latest, strict=True))[3:], strict=False):
        places[name][[-1 - row[0] for row in latest]] = _numbers(values)[0]
    nothing, none = _none(end)
    return Photometry(
        source_ids=source_ids,
        images=images,
        row_id=_whole(parts[1]),
        source=source,
        image=image,
        **{name: values[code] for name, values in places.items()},
        mjd=mjd,
        measured_at=nothing,
        value={"flux_jy": flux, "flux_err_jy": error} | dict.fromkeys(FLUXES[2:], nothing),
        kind={"flux_jy": flux_kind, "flux_err_jy": error_kind} | dict.fromkeys(FLUXES[2:], none),
    )


def _none(count: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    return np.full(count, np.nan), np.zeros(count, np.uint8)


def photometry_of(
    rows: Sequence[tuple[Any, ...]], names: Sequence[str], wanted: Sequence[str] | None
) -> Photometry:
    """Make columns of rows with the named numbers.

    Parameters
    ----------
    rows
        Source (its name, or its number among ``wanted``), id, image and the numbers.
    names
        Names of the numbers.
    wanted
        Names of the sources; None where the rows hold them.
    """
    parts: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * (3 + len(names))
    return photometry_of_columns(parts, names, wanted)


def photometry_of_columns(
    parts: Sequence[Sequence[Any]], names: Sequence[str], wanted: Sequence[str] | None
) -> Photometry:
    """As `photometry_of`, of what its rows hold: one sequence a column, all of one length."""
    found = {name: _numbers(part) for name, part in zip(names, parts[3:], strict=True)}
    none = _none(len(parts[0]))
    if wanted is None:
        source, source_ids = _codes(parts[0])
    else:
        source, source_ids = _present(np.array(parts[0], np.int32), wanted)
    image, images = _codes(parts[2])
    return Photometry(
        source_ids=source_ids,
        images=images,
        row_id=_whole(parts[1]),
        source=source,
        image=image,
        **{name: found.get(name, none)[0] for name in NUMBERS},
        value={name: found.get(name, none)[0] for name in FLUXES},
        kind={name: found.get(name, none)[1] for name in FLUXES},
    )


def _present(code: NDArray[np.int32], wanted: Sequence[str]) -> tuple[NDArray[np.int32], list[str]]:
    """Codes and names of those that occur."""
    occurs = np.bincount(code, minlength=len(wanted)) > 0
    number = (np.cumsum(occurs) - 1).astype(np.int32)
    return number[code], [wanted[i] for i in np.flatnonzero(occurs).tolist()]


def _whole(values: Sequence[object]) -> NDArray[np.int64]:
    try:
        return np.frombuffer(struct.pack(f"{len(values)}q", *values), np.int64)
    except struct.error:  # a damaged id counts as the oldest
        return np.array([v if isinstance(v, int) else -1 for v in values], np.int64)


def _numbers(values: Sequence[object]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    try:  # packing takes numbers only, and is the quickest way to an array
        packed = struct.pack(f"{len(values)}d", *values)
    except struct.error:
        pass
    else:
        return np.frombuffer(packed), np.ones(len(values), np.uint8)
    number = np.array([isinstance(v, (int, float)) for v in values], bool)
    kind = np.where(number, 1, [0 if v is None else 2 for v in values]).astype(np.uint8)
    return np.array([v if n else np.nan for v, n in zip(values, number, strict=True)], float), kind


def _codes(values: Sequence[object]) -> tuple[NDArray[np.int32], list[str]]:
    """Positions in the texts that occur, in order of appearance; -1 for none."""
    place = {value: i for i, value in enumerate(dict.fromkeys(values))}
    code = np.fromiter(map(place.__getitem__, values), np.int32, len(values))
    texts = [cast(value, str) for value in place]
    if None not in texts and len(set(texts)) == len(texts):
        return code, texts
    final: dict[str, int] = {}
    at = [-1 if text is None else final.setdefault(text, len(final)) for text in texts]
    return np.array(at, np.int32)[code], list(final)
