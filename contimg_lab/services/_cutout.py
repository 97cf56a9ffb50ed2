"""A cut-out of an image: a square of its pixels, with beam, noise and the sources in it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contimg_lab import _faces
from contimg_lab.config import Config
from contimg_lab.database import heartbeat
from contimg_lab.errors import AbsentFeature, InvalidInput
from contimg_lab.records.images import Image
from contimg_lab.services._field import all_epochs
from contimg_lab.services._image_files import find_image_file, image_folders
from contimg_lab.services._image_pixels import MOST_PX, Window, read_window
from contimg_lab.services._origin import Origin, origin_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from contimg_lab.services._context import Context

__all__ = ["Cutout", "make_cutout"]

Floats = NDArray[np.float64]

_PLACES_AGE_S = 3600.0  # sources do not move


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Cutout:
    """A square of an image.

    Attributes
    ----------
    image_path, ms_path
        Paths of the image and its MS, as the database holds them.
    file
        The file that was read.
    data
        Shape (size, size), float32, in ``unit``; row 0 is lowest, NaN is outside of the image.
    header
        FITS cards of the square: its coordinates, unit and beam.
    unit
        Of the data as the file says it, such as ``Jy/beam``; empty where it does not.
    ra_deg, dec_deg
        Place that it was made around (ICRS).
    x_px, y_px
        Where that place is in ``data``: 0 is the middle of the first pixel.
    arcsec_per_px
        Shape (2, 2): offsets to the east and north (rows) of a step in x and y (columns).
    noise_jy
        Noise of the image as the database holds it, Jy/beam; None where it holds none.
    beam_major_arcsec, beam_minor_arcsec, beam_pa_deg
        Beam (FWHM; position angle east of north) of the file, else of the database, or None.
    source_ids, source_x_px, source_y_px
        Shape (m,): sources of the database inside, by name, and where they are in ``data``.
    provenance
        Database, time and call.
    """

    image_path: str
    ms_path: str | None
    file: Path
    data: NDArray[np.float32]
    header: Mapping[str, object]
    unit: str
    ra_deg: float
    dec_deg: float
    x_px: float
    y_px: float
    arcsec_per_px: Floats
    noise_jy: float | None
    beam_major_arcsec: float | None
    beam_minor_arcsec: float | None
    beam_pa_deg: float | None
    source_ids: tuple[str, ...]
    source_x_px: Floats
    source_y_px: Floats
    provenance: Origin

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw it; see `contimg_lab.plots.cutout.plot_cutout`."""
        return _faces.plot_cutout(self, ax)

    def __repr__(self) -> str:
        rows, columns = self.data.shape
        return (
            f"Cutout of {self.file.name}: {columns} by {rows} pixels around "
            f"RA {self.ra_deg:.5f}, Dec {self.dec_deg:+.5f} deg; sources: {len(self.source_ids)}"
        )


async def make_cutout(
    context: Context,
    image: Image,
    *,
    ra_deg: float | None,
    dec_deg: float | None,
    size_px: int | None,
    sources: bool,
) -> Cutout:
    """Read a cut-out of an image off the loop; see `ImagesService.cutout`."""
    _check(ra_deg, dec_deg, size_px)
    if image.path is None:
        raise AbsentFeature(f"image {image.id} has no path in the database")
    with heartbeat():
        file, window = await asyncio.to_thread(
            _read, context.config, image.path, ra_deg, dec_deg, size_px
        )
    names, x, y = await _inside(context, window) if sources else ((), np.zeros(0), np.zeros(0))
    major, minor, angle = window.beam
    if not math.isfinite(major):
        major, minor, angle = (
            math.nan if value is None else value
            for value in (image.beam_major_arcsec, image.beam_minor_arcsec, image.beam_pa_deg)
        )
    asked = {"key": image.path, "ra_deg": ra_deg, "dec_deg": dec_deg, "size_px": size_px}
    return Cutout(
        image_path=image.path,
        ms_path=image.ms_path,
        file=file,
        data=window.data,
        header=window.header,
        unit=window.unit,
        ra_deg=window.ra_deg,
        dec_deg=window.dec_deg,
        x_px=window.x_px,
        y_px=window.y_px,
        arcsec_per_px=window.arcsec_per_px,
        noise_jy=_positive(image.noise_jy),
        beam_major_arcsec=_positive(major),
        beam_minor_arcsec=_positive(minor),
        beam_pa_deg=angle if math.isfinite(angle) else None,
        source_ids=names,
        source_x_px=x,
        source_y_px=y,
        provenance=await origin_of(context, "images.cutout", **asked),
    )


def _check(ra_deg: float | None, dec_deg: float | None, size_px: int | None) -> None:
    if (ra_deg is None) != (dec_deg is None):
        raise InvalidInput("give both ra_deg and dec_deg, or neither for the middle of the image")
    for name, value, most in (("ra_deg", ra_deg, 720.0), ("dec_deg", dec_deg, 90.0)):
        if value is not None and not (isinstance(value, Real) and abs(value) <= most):
            raise InvalidInput(f"{name} {value!r} is no angle of at most {most:.0f} degrees")
    whole = isinstance(size_px, (int, np.integer)) and not isinstance(size_px, bool)
    if size_px is not None and (not whole or not 1 <= size_px <= MOST_PX):
        raise InvalidInput(f"size_px {size_px!r} is no number of pixels from 1 to {MOST_PX}")


def _read(
    config: Config, path: str, ra_deg: float | None, dec_deg: float | None, size_px: int | None
) -> tuple[Path, Window]:
    file = find_image_file(path, image_folders(config))
    return file, read_window(file, ra_deg, dec_deg, None if size_px is None else int(size_px))


async def _inside(context: Context, window: Window) -> tuple[tuple[str, ...], Floats, Floats]:
    """Sources of the database inside of a window, and their pixels."""
    if await context.database.find_table("photometry") is None:
        return (), np.zeros(0), np.zeros(0)
    epochs, _ = await all_epochs(context, _PLACES_AGE_S)

    def find() -> tuple[tuple[str, ...], Floats, Floats]:
        x, y, inside = window.place(epochs.ra_deg, epochs.dec_deg)
        names = tuple(epochs.source_ids[i] for i in np.flatnonzero(inside).tolist())
        return names, x[inside], y[inside]

    return await asyncio.to_thread(find)


def _positive(value: float | None) -> float | None:
    return value if value is not None and 0.0 < value < math.inf else None
