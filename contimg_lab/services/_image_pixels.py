"""Pixels of a FITS image: a window of it around a place on the sky, and what its header says.

Everything here reads files and waits for them: call it in a worker thread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.errors import DamagedFile, InvalidInput

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

__all__ = ["MOST_PX", "Window", "read_window"]

Floats = NDArray[np.float64]

_BEAM = ("BMAJ", "BMIN", "BPA")
_SAME_UNIT = {"jy/beam": "Jy/beam", "mjy/beam": "mJy/beam", "jy": "Jy"}
_REACH_DEG = 60.0

MOST_PX = 4096
"""Widest square that is read, pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A square of an image.

    Attributes
    ----------
    data
        Shape (size, size), float32, row 0 lowest; NaN outside of the image.
    header
        FITS cards that place it on the sky, with its unit and beam.
    unit
        Of the data; empty where the file does not say.
    ra_deg, dec_deg
        Place that it was made around.
    x_px, y_px
        Where that place is: 0 is the middle of the first pixel.
    arcsec_per_px
        Shape (2, 2): offsets to the east and north (rows) of a step in x and y (columns).
    beam
        Major and minor axis (arcsec, FWHM) and position angle (degrees); NaN for none.
    wcs
        The same coordinates as the header's.
    """

    data: NDArray[np.float32]
    header: Mapping[str, object]
    unit: str
    ra_deg: float
    dec_deg: float
    x_px: float
    y_px: float
    arcsec_per_px: Floats
    beam: tuple[float, float, float]
    wcs: WCS

    def place(self, ra_deg: Floats, dec_deg: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Pixels x and y of places on the sky, shape (m,), and which are inside."""
        apart = np.abs((ra_deg - self.ra_deg + 180.0) % 360.0 - 180.0)
        near = (apart * math.cos(math.radians(self.dec_deg)) < _REACH_DEG) & (
            np.abs(dec_deg - self.dec_deg) < _REACH_DEG
        )
        x, y = np.full(len(ra_deg), np.nan), np.full(len(ra_deg), np.nan)
        if near.any():
            x[near], y[near] = self.wcs.wcs_world2pix(ra_deg[near], dec_deg[near], 0)
        rows, columns = self.data.shape
        inside = (x >= -0.5) & (x < columns - 0.5) & (y >= -0.5) & (y < rows - 0.5)
        return x, y, inside


def read_window(
    file: Path, ra_deg: float | None, dec_deg: float | None, size_px: int | None
) -> Window:
    """Read a square around a place, or around the middle of the image (None); no more than that.

    Without a size it is the longer side of the image, at most `MOST_PX`.

    Of an image with more than two axes the first plane is taken.

    Raises
    ------
    DamagedFile
        It is no FITS file, is cut short, or holds no image with celestial coordinates.
    InvalidInput
        No pixel of the square lies in the image.
    """
    from astropy.io import fits

    try:
        with fits.open(file, mode="readonly", memmap=True) as units:
            unit = next((u for u in units if u.is_image and _plane(u.shape) is not None), None)
            if unit is None:
                raise DamagedFile(f"{file} holds no image with two axes")
            _check_length(file, unit)
            return _window(file, unit, _coordinates(file, unit), ra_deg, dec_deg, size_px)
    except (DamagedFile, InvalidInput):
        raise
    except (OSError, ValueError, TypeError, KeyError, IndexError, fits.VerifyError) as error:
        raise DamagedFile(f"{file} cannot be read as FITS: {_short(error)}") from error


def _window(
    file: Path, unit: Any, wcs: WCS, ra_deg: float | None, dec_deg: float | None, size: int | None
) -> Window:
    rows, columns = unit.shape[-2:]
    size_px = min(max(rows, columns), MOST_PX) if size is None else size
    if ra_deg is None or dec_deg is None:
        x, y = (columns - 1) / 2.0, (rows - 1) / 2.0
        ra, dec = (float(v) for v in wcs.wcs_pix2world(x, y, 0))
    else:
        ra, dec = ra_deg, dec_deg
        x, y = (float(v) for v in wcs.wcs_world2pix(ra, dec, 0))
    first_x, first_y = (
        math.floor(c + 0.5) - size_px // 2 if math.isfinite(c) else -size_px for c in (x, y)
    )
    left, right = max(first_x, 0), min(first_x + size_px, columns)
    low, high = max(first_y, 0), min(first_y + size_px, rows)
    if left >= right or low >= high:
        raise InvalidInput(
            f"RA {ra:.5f}, Dec {dec:+.5f} deg lies outside {file.name} "
            f"({columns} by {rows} pixels around {_middle(wcs, columns, rows)})"
        )
    data = np.full((size_px, size_px), np.nan, np.float32)
    plane = _plane(unit.shape) or ()
    part = unit.section[(*plane, slice(low, high), slice(left, right))]
    data[low - first_y : high - first_y, left - first_x : right - first_x] = part
    moved = wcs.deepcopy()
    moved.wcs.crpix = wcs.wcs.crpix - (first_x, first_y)
    beam = _beam(unit.header)
    name = str(unit.header.get("BUNIT", "")).strip()
    name = _SAME_UNIT.get(name.lower().replace(" ", ""), name)
    header = {"NAXIS": 2, "NAXIS1": size_px, "NAXIS2": size_px, **dict(moved.to_header())}
    header |= {"BUNIT": name} if name else {}
    header |= {k: unit.header[k] for k in _BEAM if k in unit.header}
    return Window(
        data=data,
        header=header,
        unit=name,
        ra_deg=ra % 360.0,
        dec_deg=dec,
        x_px=x - first_x,
        y_px=y - first_y,
        arcsec_per_px=_steps(moved, x - first_x, y - first_y, ra, dec),
        beam=beam,
        wcs=moved,
    )


def _plane(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Index of the first plane; None where there is no plane or it has no pixel."""
    return (0,) * (len(shape) - 2) if len(shape) >= 2 and 0 not in shape else None


def _check_length(file: Path, unit: Any) -> None:
    # a map of what is not there would end the process when it is read
    told = unit.fileinfo()
    packed = file.suffix.lower() in (".gz", ".bz2", ".xz", ".z", ".zip")
    needed, held = told["datLoc"] + unit.size, file.stat().st_size
    if not packed and held < needed:
        raise DamagedFile(f"{file} is cut short: {held} of {needed} bytes")


def _coordinates(file: Path, unit: Any) -> WCS:
    from astropy.wcs import WCS, WcsError

    try:
        # as written: what astropy would fix are times, which need no fixing here
        wcs = WCS(unit.header, naxis=2, fix=False)
    except (WcsError, ValueError) as error:
        raise DamagedFile(f"{file} has no coordinates on the sky: {_short(error)}") from error
    if (wcs.wcs.lng, wcs.wcs.lat, wcs.wcs.lngtyp.strip()) != (0, 1, "RA"):
        raise DamagedFile(
            f"{file} does not have right ascension and declination as its first two axes "
            f"(CTYPE: {', '.join(wcs.wcs.ctype) or 'none'})"
        )
    return wcs


def _steps(wcs: WCS, x: float, y: float, ra: float, dec: float) -> Floats:
    """Offsets on the sky of one pixel's step, arcsec; from half a step to both sides."""
    places = np.array([(x - 0.5, y), (x + 0.5, y), (x, y - 0.5), (x, y + 0.5)])
    lon, lat = wcs.wcs_pix2world(places, 0).T
    east = ((lon - ra + 180.0) % 360.0 - 180.0) * math.cos(math.radians(dec))
    return (
        np.array([[east[1] - east[0], east[3] - east[2]], [lat[1] - lat[0], lat[3] - lat[2]]])
        * 3600.0
    )


def _beam(header: Header) -> tuple[float, float, float]:
    values = [header.get(name) for name in _BEAM]
    major, minor, angle = (
        float(v) if isinstance(v, (int, float)) and math.isfinite(v) else math.nan for v in values
    )
    if not (major > 0.0 and minor > 0.0):
        return math.nan, math.nan, math.nan
    return major * 3600.0, minor * 3600.0, angle


def _middle(wcs: WCS, columns: int, rows: int) -> str:
    ra, dec = wcs.wcs_pix2world((columns - 1) / 2.0, (rows - 1) / 2.0, 0)
    return f"RA {float(ra) % 360.0:.5f}, Dec {float(dec):+.5f} deg"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
