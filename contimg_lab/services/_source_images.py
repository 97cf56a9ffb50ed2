"""The images of one source as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.analysis.epochs import REASONS, TIME_SOURCES
from contimg_lab.errors import NotFound
from contimg_lab.services._directory import Directory, Entry
from contimg_lab.services._epochs import Epochs
from contimg_lab.services._frames import add_datetimes, frame
from contimg_lab.services._variability import FLUX_COLUMNS
from contimg_lab.services.light_curve import flux_unit
from contimg_lab.times import time_in_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["images_table"]


def images_table(
    epochs: Epochs, source: int, ms_of: Mapping[str, str], directory: Directory
) -> pd.DataFrame:
    """Make the table of `SourceSearch.images_of` of the source at a position."""
    rows = epochs.rows_of(source)
    # newest first, of equal times the later row first; what has no time stays last
    order = np.lexsort((-epochs.row_id[rows], -epochs.mjd[rows]))
    at = np.arange(rows.start, rows.stop)[order]
    paths: list[str | None] = epochs.image_paths(at).tolist()
    ms_paths = [None if path is None else ms_of.get(path) for path in paths]
    entries = [_entry(directory, ms_path) for ms_path in ms_paths]
    reason, column = epochs.reason[at], epochs.flux_column[at]
    data = {
        "image_path": paths,
        "ms_path": ms_paths,
        "run_id": [entry and entry.run_id for entry in entries],
        "night": [_night(*pair) for pair in zip(entries, paths, strict=True)],
        "mjd": epochs.mjd[at],
        "time_source": [TIME_SOURCES[code] for code in epochs.time_source[at].tolist()],
        "flux_jy": epochs.flux_jy[at],
        "flux_err_jy": epochs.flux_err_jy[at],
        "flux_column": [FLUX_COLUMNS[code] for code in column.tolist()],
        "used": (reason == 0).tolist(),
        "reason": [None if code == 0 else REASONS[code] for code in reason.tolist()],
        "row_id": epochs.row_id[at],
    }
    unit = flux_unit(column == 1)
    texts = ("image_path", "ms_path", "run_id", "night", "time_source", "flux_column", "reason")
    kind: dict[str, type] = dict.fromkeys(texts, str) | {"row_id": int}
    kind |= dict.fromkeys(("mjd", "flux_jy", "flux_err_jy"), float)
    units = {"mjd": "d (MJD, UTC)", "flux_jy": unit, "flux_err_jy": unit}
    return add_datetimes(frame(data, kind, units=units), {"observed_at": "mjd"})


def _entry(directory: Directory, ms_path: str | None) -> Entry | None:
    if ms_path is None:
        return None
    try:
        return directory.of_ms(ms_path)
    except NotFound:  # an image may outlive the row of its MS
        return None


def _night(entry: Entry | None, image_path: str | None) -> str | None:
    if entry is not None and entry.night is not None:
        return entry.night
    start = None if image_path is None else time_in_name(image_path)
    return None if start is None else start[:10]
