"""Which photometry rows make the epochs of a light curve, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.times import MS_HALF_DURATION_S, mjd_from_values

__all__ = [
    "REASONS",
    "TIME_SOURCES",
    "Chosen",
    "choose_fluxes",
    "choose_times",
    "order_in_time",
    "superseded",
]

REASONS = (
    "used",
    "missing",
    "not a number",
    "not finite",
    "error not positive",
    "superseded",
)
"""Why a row is left out, by code; 0 is a row that counts."""

TIME_SOURCES = ("unknown", "mjd", "ms_mid_mjd", "name", "measured_at")
"""Where the time of an epoch came from, by code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The flux of each row, with its error, its column and whether it counts.

    Attributes
    ----------
    flux_jy, flux_err_jy
        Shape (n,), Jy (Jy/beam where ``column`` is 1); of a row that is left out: what it
        holds, NaN where that is no number.
    column
        Shape (n,): 0 ``flux_jy``, 1 ``peak_jyb``.
    reason
        Shape (n,): index into `REASONS`.
    """

    flux_jy: NDArray[np.float64]
    flux_err_jy: NDArray[np.float64]
    column: NDArray[np.uint8]
    reason: NDArray[np.uint8]


def choose_fluxes(
    value: Mapping[str, NDArray[np.float64]], kind: Mapping[str, NDArray[np.uint8]]
) -> Chosen:
    """Choose one flux a row: ``flux_jy`` with its error, else ``peak_jyb`` with its own.

    Never one column's flux with the other's error. A pair is valid if both are real numbers
    and finite and the error is positive. Where neither pair is, the reason is that of
    ``flux_jy`` if it holds anything, else that of ``peak_jyb``.

    Parameters
    ----------
    value, kind
        By column name, shape (n,): the number (NaN where there is none), and what is stored
        (0 nothing, 1 a number, 2 something else).
    """
    first = _reason(value, kind, "flux_jy", "flux_err_jy")
    second = _reason(value, kind, "peak_jyb", "peak_err_jyb")
    use_second = (first != 0) & ((second == 0) | (kind["flux_jy"] == 0))
    return Chosen(
        flux_jy=np.where(use_second, value["peak_jyb"], value["flux_jy"]),
        flux_err_jy=np.where(use_second, value["peak_err_jyb"], value["flux_err_jy"]),
        column=use_second.astype(np.uint8),
        reason=np.where(use_second, second, first).astype(np.uint8),
    )


def superseded(
    source: NDArray[np.integer], image: NDArray[np.integer], row_id: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Mark the rows that a later row (higher id) of the same source and image replaces.

    Parameters
    ----------
    source, image, row_id
        Shape (n,): a code for each source, one for each image (negative: no image, which is
        no second measurement of anything), and the row's id.
    """
    marked = np.zeros(len(row_id), bool)
    if not len(row_id):
        return marked
    key = source.astype(np.int64) * (int(image.max()) + 2) + image
    alone = np.flatnonzero(image < 0)
    key[alone] = -1 - alone
    ordered = np.sort(key)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(again):  # few, so only those are sorted with their ids
        rows = np.flatnonzero(np.isin(key, again))
        rows = rows[np.lexsort((row_id[rows], key[rows]))]
        earlier, later = rows[:-1], rows[1:]
        marked[earlier] = key[earlier] == key[later]
    return marked


def order_in_time(
    source: NDArray[np.integer],
    mjd: NDArray[np.float64],
    row_id: NDArray[np.int64],
    n_sources: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order rows by source, time (unknown last) and id.

    Parameters
    ----------
    source, mjd, row_id
        Shape (n,): source codes from 0, times, ids.
    n_sources
        Sources m.

    Returns
    -------
    order, offsets
        Shape (n,): the rows in that order; shape (m + 1,): where each source begins.
    """
    offsets = np.zeros(n_sources + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=n_sources), out=offsets[1:])
    # the sort of 16-bit numbers is linear
    narrow = source.astype(np.uint16) if n_sources <= 1 << 16 else source
    order = np.argsort(narrow, kind="stable")
    time, number, of = mjd[order], row_id[order], source[order]
    unknown = np.isnan(time)
    wrong = (time[1:] < time[:-1]) | (unknown[:-1] & ~unknown[1:])
    tied = (time[1:] == time[:-1]) | (unknown[:-1] & unknown[1:])
    wrong |= tied & (number[1:] < number[:-1])
    wrong &= of[1:] == of[:-1]
    if wrong.any():  # rows are mostly written in order of time: only the other sources are sorted
        mixed = np.zeros(n_sources, bool)
        mixed[of[1:][wrong]] = True
        rows = np.flatnonzero(mixed[of])
        order[rows] = order[rows][np.lexsort((number[rows], time[rows], of[rows]))]
    return order, offsets


def choose_times(
    *,
    mjd: NDArray[np.float64],
    ms_mid_mjd: NDArray[np.float64],
    name_mjd: NDArray[np.float64],
    measured_at: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Choose the time of each row, best first, and say which it was.

    Parameters
    ----------
    mjd, ms_mid_mjd
        Shape (n,): as stored (MJD, or Unix seconds: the value decides), NaN for none.
    name_mjd
        Shape (n,): the start time in the MS's or image's name (MJD), NaN for none.
    measured_at
        Shape (n,): as stored; when the measurement was made, the last resort.

    Returns
    -------
    mjd, source
        Shape (n,): MJD (UTC), NaN where unknown; index into `TIME_SOURCES`.
    """
    candidates = np.stack(
        [
            mjd_from_values(mjd),
            mjd_from_values(ms_mid_mjd),
            name_mjd + MS_HALF_DURATION_S / 86400.0,
            mjd_from_values(measured_at),
        ]
    )
    known = np.isfinite(candidates)
    first = np.argmax(known, axis=0)
    any_known = known.any(axis=0)
    chosen = np.where(any_known, candidates[first, np.arange(candidates.shape[1])], np.nan)
    return chosen, np.where(any_known, first + 1, 0).astype(np.uint8)


def _reason(
    value: Mapping[str, NDArray[np.float64]],
    kind: Mapping[str, NDArray[np.uint8]],
    flux: str,
    error: str,
) -> NDArray[np.uint8]:
    with np.errstate(invalid="ignore"):
        checks = [
            (kind[flux] == 0, 1),
            (kind[flux] == 2, 2),
            (~np.isfinite(value[flux]), 3),
            (kind[error] == 0, 1),
            (kind[error] == 2, 2),
            (~np.isfinite(value[error]), 3),
            (value[error] <= 0.0, 4),
        ]
    return np.select([c for c, _ in checks], [np.uint8(r) for _, r in checks], np.uint8(0))
