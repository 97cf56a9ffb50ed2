"""Photometry rows as epochs: sorted by source and time, with what counts and why not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.epochs import (
    REASONS,
    choose_fluxes,
    choose_times,
    superseded,
)
from contimg_lab.repositories.sources import Photometry
from contimg_lab.services._context import Context
from contimg_lab.times import mjd_from_name, mjd_from_values

__all__ = ["Epochs", "read_epochs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epochs:
    """Rows of m sources in order of (source_id, time, id), one array of shape (n,) a column.

    Rows of source i are ``offsets[i]:offsets[i + 1]``; ``reason`` is 0 where a row counts.
    """

    source_ids: tuple[str, ...]
    offsets: NDArray[np.int64]
    row_id: NDArray[np.int64]
    image_path: NDArray[np.object_]
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    nvss_flux_mjy: NDArray[np.float64]
    mjd: NDArray[np.float64]
    time_source: NDArray[np.uint8]
    flux_jy: NDArray[np.float64]
    flux_err_jy: NDArray[np.float64]
    flux_column: NDArray[np.uint8]
    reason: NDArray[np.uint8]

    def latest(self, of: NDArray[np.float64]) -> NDArray[np.float64]:
        """Value that each source's latest row (highest id) holds, shape (m,)."""
        order = np.lexsort((self.row_id, np.repeat(np.arange(len(self.source_ids)), self.counts)))
        return of[order[self.offsets[1:] - 1]]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each source, used or not, shape (m,)."""
        return np.diff(self.offsets)

    def only(self, chosen: NDArray[np.bool_]) -> Epochs:
        """Take some of the sources: shape (m,), True for those to keep."""
        kept = np.repeat(chosen, self.counts)
        counts = self.counts[chosen]
        names = [name for name, keep in zip(self.source_ids, chosen, strict=True) if keep]
        columns = {
            field.name: getattr(self, field.name)[kept]
            for field in fields(self)
            if field.name not in ("source_ids", "offsets")
        }
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Epochs(source_ids=tuple(names), offsets=offsets, **columns)

    def reasons(self) -> NDArray[np.int64]:
        """Rows of each source by reason, shape (m, len(REASONS))."""
        source = np.repeat(np.arange(len(self.source_ids)), self.counts)
        cells = source * len(REASONS) + self.reason
        table = np.bincount(cells, minlength=len(self.source_ids) * len(REASONS))
        return table.reshape(len(self.source_ids), len(REASONS))


async def read_epochs(context: Context, source_ids: Sequence[str] | None) -> Epochs:
    """Read the epochs of some sources, or of all (None): three queries at most."""
    rows = await context.measurements.photometry(source_ids)
    missing = np.isnan(mjd_from_values(rows.mjd))
    ms_of: Mapping[str, str] = {}
    mid_of: dict[str, float] = {}
    if missing.any():
        wanted = sorted({path for path in rows.image_path[missing] if isinstance(path, str)})
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
    import pandas as pd

    source, names = pd.factorize(rows.source_id)
    image, images = pd.factorize(rows.image_path)
    # a row without an image is no second measurement of another such row
    distinct = np.where(image < 0, -1 - np.arange(len(image)), image)
    chosen = choose_fluxes(rows.value, rows.kind)
    reason = chosen.reason.copy()
    reason[superseded(source, distinct, rows.row_id)] = REASONS.index("superseded")
    mid = np.full(len(images) + 1, np.nan)
    name = np.full(len(images) + 1, np.nan)  # one more, for rows without an image
    for code in np.unique(image[missing]):
        if code < 0:
            continue
        path = images[code]
        ms_path = ms_of.get(path)
        mid[code] = mid_of.get(ms_path, np.nan) if ms_path else np.nan
        start = mjd_from_name(ms_path) if ms_path else None
        start = mjd_from_name(path) if start is None else start
        name[code] = np.nan if start is None else start
    mjd, time_source = choose_times(
        mjd=rows.mjd, ms_mid_mjd=mid[image], name_mjd=name[image], measured_at=rows.measured_at
    )
    order = np.lexsort((rows.row_id, mjd, source))
    counts = np.bincount(source, minlength=len(names))
    return Epochs(
        source_ids=tuple(names),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        row_id=rows.row_id[order],
        image_path=rows.image_path[order],
        ra_deg=rows.ra_deg[order],
        dec_deg=rows.dec_deg[order],
        nvss_flux_mjy=rows.nvss_flux_mjy[order],
        mjd=mjd[order],
        time_source=time_source[order],
        flux_jy=chosen.flux_jy[order],
        flux_err_jy=chosen.flux_err_jy[order],
        flux_column=chosen.column[order],
        reason=reason[order],
    )
