"""Photometry rows as epochs: sorted by source and time, with what counts and why not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.epochs import (
    REASONS,
    Chosen,
    choose_fluxes,
    choose_times,
    order_in_time,
    superseded,
)
from contimg_lab.analysis.segments import offsets_of
from contimg_lab.repositories._photometry import Photometry
from contimg_lab.times import mjd_from_name, mjd_from_values

if TYPE_CHECKING:
    from contimg_lab.services._context import Context

__all__ = ["OF_ROWS", "OF_SOURCES", "Epochs", "arrange", "image_times", "read_epochs"]

OF_SOURCES = ("ra_deg", "dec_deg", "nvss_flux_mjy")
"""Columns of `Epochs` with a value a source."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Epochs:
    """Rows of m sources in order of (source_id, time, id).

    Attributes
    ----------
    source_ids
        Names, ascending.
    offsets
        Shape (m + 1,): rows of source i are ``offsets[i]:offsets[i + 1]``.
    ra_deg, dec_deg, nvss_flux_mjy
        Shape (m,): of each source's latest row (highest id).
    images
        Shape (k,): paths of images.
    row_id, image, mjd, time_source, flux_jy, flux_err_jy, flux_column, reason
        Shape (n,): ``image`` is a position in ``images``, -1 for none; ``reason`` is 0 where
        a row counts.
    places
        Position of each source, by name.
    """

    source_ids: tuple[str, ...]
    offsets: NDArray[np.int64]
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    nvss_flux_mjy: NDArray[np.float64]
    images: NDArray[np.object_]
    row_id: NDArray[np.int64]
    image: NDArray[np.int32]
    mjd: NDArray[np.float64]
    time_source: NDArray[np.uint8]
    flux_jy: NDArray[np.float64]
    flux_err_jy: NDArray[np.float64]
    flux_column: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    places: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {name: i for i, name in enumerate(self.source_ids)})

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each source, used or not, shape (m,)."""
        return np.diff(self.offsets)

    def rows_of(self, source: int) -> slice:
        """Rows of one source, by its position."""
        return slice(int(self.offsets[source]), int(self.offsets[source + 1]))

    def image_paths(self, rows: slice | NDArray[Any]) -> NDArray[np.object_]:
        """Path of the image of some rows; None for none."""
        code = self.image[rows]
        if not len(self.images):
            return np.full(len(code), None, object)
        paths: NDArray[np.object_] = self.images[code]
        paths[code < 0] = None
        return paths

    def only(self, source_ids: Sequence[str]) -> Epochs:
        """Take some of the sources, those that there are, in the order of their names."""
        at = np.array(sorted(self.places[n] for n in set(source_ids) if n in self.places), np.int64)
        counts = self.counts[at]
        offsets = offsets_of(counts)
        if len(at) == 1:  # views, no copies
            rows: Any = self.rows_of(int(at[0]))
        else:
            since = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
            rows = since + np.repeat(self.offsets[at], counts)
        columns = {name: getattr(self, name)[rows] for name in OF_ROWS}
        columns |= {name: getattr(self, name)[at] for name in OF_SOURCES}
        names = tuple(self.source_ids[i] for i in at.tolist())
        return replace(self, source_ids=names, offsets=offsets, **columns)

    def reasons(self) -> NDArray[np.int64]:
        """Rows of each source by reason, shape (m, len(REASONS))."""
        source = np.repeat(np.arange(len(self.source_ids)), self.counts)
        cells = source * len(REASONS) + self.reason
        table = np.bincount(cells, minlength=len(self.source_ids) * len(REASONS))
        return table.reshape(len(self.source_ids), len(REASONS))


OF_ROWS = tuple(
    f.name
    for f in fields(Epochs)
    if f.name not in ("source_ids", "offsets", "images", "places", *OF_SOURCES)
)
"""Columns of `Epochs` with a value a row."""


async def read_epochs(context: Context, source_ids: Sequence[str] | None) -> Epochs:
    """Read the epochs of some sources, or of all (None), by SQL: three queries at most."""
    rows = await context.measurements.photometry(source_ids)
    missing = np.isnan(mjd_from_values(rows.mjd))
    ms_of: Mapping[str, str] = {}
    mid_of: dict[str, float] = {}
    if missing.any():
        codes = np.unique(rows.image[missing])
        wanted = [rows.images[code] for code in codes.tolist() if code >= 0]
        if await context.database.find_table("images") is not None:
            ms_of = await context.images.ms_of(None if source_ids is None else wanted)
        arrays = await context.ms.columns("path", "mid_mjd")
        mid_of = dict(zip(arrays["path"], arrays["mid_mjd"], strict=True))
    return await asyncio.to_thread(_epochs, rows, missing, ms_of, mid_of)


def _epochs(
    rows: Photometry,
    missing: NDArray[np.bool_],
    ms_of: Mapping[str, str],
    mid_of: Mapping[str, float],
) -> Epochs:
    # of nothing, np.unique would import numpy.ma, which takes longer than a light curve
    codes = np.unique(rows.image[missing]) if missing.any() else rows.image[:0]
    mid, name = image_times(rows.images, codes, ms_of, mid_of)
    mjd, time_source = choose_times(
        mjd=rows.mjd,
        ms_mid_mjd=mid[rows.image],
        name_mjd=name[rows.image],
        measured_at=rows.measured_at,
    )
    epochs, latest = arrange(
        source_ids=rows.source_ids,
        images=rows.images,
        row_id=rows.row_id,
        source=rows.source,
        image=rows.image,
        mjd=mjd,
        time_source=time_source,
        chosen=choose_fluxes(rows.value, rows.kind),
    )
    return replace(epochs, **{name: getattr(rows, name)[latest] for name in OF_SOURCES})


def image_times(
    images: Sequence[str],
    wanted: NDArray[np.integer],
    ms_of: Mapping[str, str],
    mid_of: Mapping[str, float],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times that stand in for a missing one: the MS's mid time, and the time in a name.

    Parameters
    ----------
    images
        Paths of k images.
    wanted
        Positions of those that are asked for.
    ms_of, mid_of
        MS of an image path, and ``mid_mjd`` of an MS path.

    Returns
    -------
    mid, name
        Shape (k + 1,): as stored, and MJD; NaN where unknown, and last for no image.
    """
    mid = np.full(len(images) + 1, np.nan)
    name = np.full(len(images) + 1, np.nan)
    for code in wanted.tolist():
        if code < 0:
            continue
        ms_path = ms_of.get(images[code])
        mid[code] = mid_of.get(ms_path, np.nan) if ms_path else np.nan
        start = mjd_from_name(ms_path) if ms_path else None
        start = mjd_from_name(images[code]) if start is None else start
        name[code] = np.nan if start is None else start
    return mid, name


def arrange(
    *,
    source_ids: Sequence[str],
    images: Sequence[str],
    row_id: NDArray[np.int64],
    source: NDArray[np.int32],
    image: NDArray[np.int32],
    mjd: NDArray[np.float64],
    time_source: NDArray[np.uint8],
    chosen: Chosen,
) -> tuple[Epochs, NDArray[np.int64]]:
    """Put rows in order of source, time and id, and mark those that are superseded.

    Parameters
    ----------
    source_ids, images
        Names in any order.
    row_id, source, image, mjd, time_source, chosen
        Shape (n,): of each row; ``source`` and ``image`` are positions.

    Returns
    -------
    epochs, latest
        Without positions on the sky, which are NaN; and, shape (m,), the row given that is
        each source's latest (highest id).
    """
    by_name = sorted(range(len(source_ids)), key=source_ids.__getitem__)
    rank = np.empty(len(source_ids), np.int32)
    rank[by_name] = np.arange(len(source_ids), dtype=np.int32)
    of = rank[source]
    reason = chosen.reason.copy()
    reason[superseded(of, image, row_id)] = REASONS.index("superseded")
    order, offsets = order_in_time(of, mjd, row_id, len(source_ids))
    paths = np.empty(len(images), object)
    paths[:] = images
    unknown = np.full(len(source_ids), np.nan)
    epochs = Epochs(
        source_ids=tuple(source_ids[i] for i in by_name),
        offsets=offsets,
        **dict.fromkeys(OF_SOURCES, unknown),
        images=paths,
        row_id=row_id[order],
        image=image[order],
        mjd=mjd[order],
        time_source=time_source[order],
        flux_jy=chosen.flux_jy[order],
        flux_err_jy=chosen.flux_err_jy[order],
        flux_column=chosen.column[order],
        reason=reason[order],
    )
    return epochs, order[_latest(epochs.row_id, offsets)]


def _latest(row_id: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of the highest id of each source; of equal ones the last."""
    counts = np.diff(offsets)
    if not len(counts):
        return np.zeros(0, np.int64)
    highest = np.repeat(np.maximum.reduceat(row_id, offsets[:-1]), counts)
    at = np.where(row_id == highest, np.arange(len(row_id)), -1)
    found: NDArray[np.int64] = np.maximum.reduceat(at, offsets[:-1])
    return found
