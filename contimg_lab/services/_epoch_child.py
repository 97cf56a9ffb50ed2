"""What the child process of the store does: every epoch of the field into a mapped file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.epochs import Chosen, choose_fluxes, choose_times
from contimg_lab.database._child import Cells, Codes, Out, Snapshot, floats, whole
from contimg_lab.repositories._base import json_list, number
from contimg_lab.repositories._photometry import FLUXES
from contimg_lab.services._epochs import OF_ROWS, OF_SOURCES, arrange, image_times
from contimg_lab.times import mjd_from_values

__all__ = ["WORK", "build"]

WORK = "contimg_lab.services._epoch_child:build"
"""What `contimg_lab.database.Database.scan` is asked to run."""

_DTYPES = {
    "image": "<i4",
    "time_source": "u1",
    "flux_column": "u1",
    "reason": "u1",
    "row_id": "<i8",
    "offsets": "<i8",
}
_TIMES = ("mjd", "measured_at")
_KIND = "CASE typeof({0}) WHEN 'null' THEN 0 WHEN 'real' THEN 1 WHEN 'integer' THEN 1 ELSE 2 END"


def build(request: Mapping[str, Any], out: Out) -> None:
    """Read one state of the file, and write its epochs as `Epochs` has them.

    Parameters
    ----------
    request
        ``uri``, ``timeout_s``; ``columns``: those that photometry has; ``has_images``;
        ``careful``: whether each value's kind must be asked for.
    out
        Where to.
    """
    snapshot = Snapshot(request["uri"], links=2, timeout_s=request["timeout_s"])
    out.say(began=True)
    held = frozenset(request["columns"])
    source, image = Codes(), Codes()
    reader = _Reader(held, source, image, careful=request["careful"])
    parts = snapshot.scan(
        "photometry", reader.select, "source_id IS NOT NULL", reader.kinds, reader.keep, out
    )
    columns = _joined(parts)
    row_id, of_source, of_image, mjd, measured_at, flux, err, column, reason = columns
    time_source = np.ones(len(mjd), np.uint8)
    missing = np.flatnonzero(np.isnan(mjd))
    names, images = source.texts(), image.texts()
    if len(missing):
        rest, told = _other_times(
            snapshot, images, of_image[missing], measured_at, has_images=request["has_images"]
        )
        mjd[missing], time_source[missing] = rest, told
    epochs, latest = arrange(
        source_ids=names,
        images=images,
        row_id=row_id,
        source=of_source,
        image=of_image,
        mjd=mjd,
        time_source=time_source,
        chosen=Chosen(flux_jy=flux, flux_err_jy=err, column=column, reason=reason),
    )
    places = _places(snapshot, held, row_id[latest])
    snapshot.close()
    for name in OF_ROWS:
        out.column(name, [getattr(epochs, name)], _DTYPES.get(name, "<f8"))
    for name in OF_SOURCES:
        out.column(name, [places[name]], "<f8")
    out.column("offsets", [epochs.offsets], "<i8")
    out.finish(source_ids=epochs.source_ids, images=images)


def _joined(parts: list[list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Whole columns; each is let go in its parts once it is whole."""
    if not parts:
        return _NONE
    columns = []
    for at in range(len(_NONE)):
        columns.append(np.concatenate([part[at] for part in parts]))
        for part in parts:
            part[at] = _NONE[at]
    return columns


class _Reader:
    """What is asked of each row, and what is kept of it."""

    def __init__(self, held: frozenset[str], source: Codes, image: Codes, *, careful: bool) -> None:
        self._source, self._image, self._careful = source, image, careful
        self._numbers = [name for name in (*_TIMES, *FLUXES) if name in held]
        fluxes = [name for name in FLUXES if name in held]
        self.kinds = "itt" + "f" * len(self._numbers)
        select = ["id", "source_id", "image_path", *self._numbers]
        if careful:
            select = ["CASE typeof(id) WHEN 'integer' THEN id ELSE -1 END"]
            select += ["CAST(source_id AS TEXT)", "CAST(image_path AS TEXT)"]
            select += [f"CAST({number(name)} AS REAL)" for name in self._numbers]
            select += [_KIND.format(name) for name in fluxes]
            self.kinds += "i" * len(fluxes)
            self._kind_at = {name: 3 + len(self._numbers) + i for i, name in enumerate(fluxes)}
        self.select = ", ".join(select)

    def keep(self, batch: Cells) -> list[NDArray[Any]]:
        """Of a batch: id, codes, time, the time of measurement where there is no other, flux."""
        nothing = np.full(batch.num_rows, np.nan)
        value = dict.fromkeys((*_TIMES, *FLUXES), nothing)
        kind = dict.fromkeys(FLUXES, np.zeros(batch.num_rows, np.uint8))
        for at, name in enumerate(self._numbers, start=3):
            value[name] = floats(batch.column(at))
            if name in FLUXES and self._careful:
                kind[name] = batch.column(self._kind_at[name]).to_numpy().astype(np.uint8)
            elif name in FLUXES:
                valid = batch.column(at).is_valid().to_numpy(zero_copy_only=False)
                kind[name] = valid.astype(np.uint8)
        chosen = choose_fluxes(value, kind)
        mjd = mjd_from_values(value["mjd"])
        return [
            whole(batch.column(0)),
            self._source.of(batch.column(1)),
            self._image.of(batch.column(2)),
            mjd,
            value["measured_at"][np.isnan(mjd)],
            chosen.flux_jy,
            chosen.flux_err_jy,
            chosen.column,
            chosen.reason,
        ]


_NONE = [
    np.zeros(0, dtype)
    for dtype in ("i8", "i4", "i4", "f8", "f8", "f8", "f8", "u1", "u1")
]  # fmt: skip


def _other_times(
    snapshot: Snapshot,
    images: Sequence[str],
    image: NDArray[np.int32],
    measured_at: NDArray[np.float64],
    *,
    has_images: bool,
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Times of rows that have none of their own."""
    ms_of: dict[str, str] = {}
    if has_images:
        sql = (
            "SELECT CAST(path AS TEXT), CAST(ms_path AS TEXT) FROM images "
            "WHERE path IS NOT NULL AND ms_path IS NOT NULL ORDER BY id"
        )
        ms_of = dict(snapshot.rows(sql))
    sql = f"SELECT CAST(path AS TEXT), CAST({number('mid_mjd')} AS REAL) FROM ms_index"
    mid_of = {path: np.nan if mid is None else mid for path, mid in snapshot.rows(sql)}
    mid, name = image_times(images, np.unique(image), ms_of, mid_of)
    nothing = np.full(len(image), np.nan)
    return choose_times(
        mjd=nothing, ms_mid_mjd=mid[image], name_mjd=name[image], measured_at=measured_at
    )


def _places(
    snapshot: Snapshot, held: frozenset[str], latest: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Positions on the sky and catalogue fluxes of the rows with these ids."""
    select = [f"CAST({number(n)} AS REAL)" if n in held else "NULL" for n in OF_SOURCES]
    sql = (
        f"SELECT id, {', '.join(select)} FROM photometry "
        "WHERE id IN (SELECT value FROM json_each(?))"
    )
    found = {row[0]: row[1:] for row in snapshot.rows(sql, (json_list(latest.tolist()),))}
    none = (None,) * len(OF_SOURCES)
    rows = np.array([found.get(row_id, none) for row_id in latest.tolist()], float)
    rows = rows.reshape(len(latest), len(OF_SOURCES))
    return {name: rows[:, i] for i, name in enumerate(OF_SOURCES)}
