"""Files of a panel: its rows as CSV, ECSV, Parquet or VOTable, its figure as PNG or SVG.

Everything is written in a thread. A browser gets what it can hold; more is for code.
"""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from contimg_lab.errors import InvalidInput
from contimg_lab.panels._picture import draw_apart

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["contents", "forms", "write"]

_ROWS: Mapping[str, str] = {
    "csv": "CSV (spreadsheets)",
    "ecsv": "ECSV (text with units)",
    "parquet": "Parquet (pandas, large)",
}
_FIGURES: Mapping[str, str] = {"png": "PNG (figure)", "svg": "SVG (figure)"}
_SUFFIXES: Mapping[str, str] = {"vot": "votable", "xml": "votable", "pq": "parquet"}
_MOST_BYTES = 50_000_000
_SAMPLE = 2_000
_DPI = 200


class Source(Protocol):
    """What is exported."""

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows."""

    def figure(self) -> Figure | None:
        """Return the figure, or None."""


def forms(*, figure: bool) -> list[tuple[str, str]]:
    """Return what a menu offers: words and forms."""
    offered = {**_ROWS, **_FIGURES} if figure else _ROWS
    return [(words, form) for form, words in offered.items()]


async def contents(source: Source, form: str, most_bytes: int = _MOST_BYTES) -> bytes:
    """Return a file's bytes for a browser; raises InvalidInput where they are too many."""
    if form in _FIGURES:
        return await draw_apart(_picture, source, form)  # type: ignore[no-any-return]
    return await asyncio.to_thread(_few_rows, source, form, most_bytes)


async def write(source: Source, path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Write a file by its suffix."""
    from contimg_lab.services import exports

    suffix = Path(path).suffix.removeprefix(".").lower()
    form = _SUFFIXES.get(suffix, suffix)
    if form in _FIGURES:
        return await draw_apart(  # type: ignore[no-any-return]
            lambda: exports.to_picture(_figure(source), path, overwrite=overwrite)
        )
    if form not in (*_ROWS, "votable"):
        known = ", ".join(f".{name}" for name in (*_ROWS, "vot", *_FIGURES))
        raise InvalidInput(f"{path} has no suffix that says what to write; there are {known}")
    to_file: Any = getattr(exports, f"to_{form}")
    return await asyncio.to_thread(lambda: to_file(source.to_pandas(), path, overwrite=overwrite))


def _few_rows(source: Source, form: str, most_bytes: int) -> bytes:
    from contimg_lab.services.exports import to_bytes

    frame = source.to_pandas()
    step = len(frame) // _SAMPLE
    if step > 1 and form != "parquet":  # text grows with its rows: no need to write it to know
        sample = frame.iloc[::step]
        _check(len(to_bytes(sample, form)) * len(frame) / len(sample), form, most_bytes)
    data = to_bytes(frame, form)
    _check(len(data), form, most_bytes)
    return data


def _check(size: float, form: str, most_bytes: int) -> None:
    if size > most_bytes:
        raise InvalidInput(
            f"a file of {size / 1e6:.0f} MB is too large for the browser: write it beside the "
            f"kernel with `await panel.export('rows.{form}')`"
        )


def _picture(source: Source, form: str) -> bytes:
    stream = io.BytesIO()
    _figure(source).savefig(stream, format=form, dpi=_DPI)
    return stream.getvalue()


def _figure(source: Source) -> Figure:
    figure = source.figure()
    if figure is None:
        raise InvalidInput("no figure is shown that could be saved")
    return figure
