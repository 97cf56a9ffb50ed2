"""A few small FITS images of a season: windows of its last tiles around their brightest sources."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from contimg_lab.demo.ms import DURATION_S, Ms
from contimg_lab.demo.photometry import beam_response
from contimg_lab.demo.plan import make_plan
from contimg_lab.demo.processing import process
from contimg_lab.demo.products import Row, product_rows
from contimg_lab.demo.season import Season, stream
from contimg_lab.demo.sky import Array, separation_deg
from contimg_lab.demo.sources import Sky, make_sky
from contimg_lab.demo.untidy import rename

__all__ = ["draw_images"]

_SIZE_PX = 128
_TILES_A_NIGHT = 3
_NIGHTS = 2
_WITHIN_DEG = 1.2
_CELL_DEG = 6.0 / 3600.0
_FWHM_TO_SIGMA = 1.0 / math.sqrt(8.0 * math.log(2.0))


def draw_images(folder: Path, season: Season) -> None:
    """Write the images into an empty folder, each under the name that its database row gives it.

    The same three places of the strip on both of the last nights, each a window of 128 by 128
    pixels of the tile around its brightest source, with the tile's projection, beam, noise and
    flux scale; the noise itself is drawn anew.
    """
    plan = make_plan(season)
    if season.untidy:
        rename(plan)
    done = process(plan)
    sky = make_sky(season, plan.passages_mjd, frozenset({plan.special.blind}))
    rows = {
        row["ms_path"]: row
        for row in product_rows(done)["images"]
        if row["type"] == "image" and row["format"] == "fits"
    }
    last: dict[int, dict[int, Ms]] = {}
    for ms in plan.science:
        if ms.night >= season.nights - _NIGHTS and ms.path in rows and not ms.twin:
            last.setdefault(ms.position, {})[ms.night] = ms
    both = {place: tiles for place, tiles in last.items() if len(tiles) == _NIGHTS}
    centres = {place: _brightest(next(iter(t.values())), sky) for place, t in both.items()}
    chosen: dict[int, int] = {}  # each source once, in the tile that sees it best
    for place, (index, peak) in sorted(centres.items(), key=lambda item: -item[1][1]):
        if peak > 0.0 and index not in chosen and len(chosen) < _TILES_A_NIGHT:
            chosen[index] = place
    for index, place in chosen.items():
        for ms in both[place].values():
            _write(folder, ms, rows[ms.path], sky, index, season)


def _brightest(ms: Ms, sky: Sky) -> tuple[int, float]:
    """Source that is brightest in a tile before correction for the beam, and its flux there."""
    apart = separation_deg(sky.ra_deg, sky.dec_deg, ms.ra_deg, ms.dec_deg)
    seen = np.where(apart < _WITHIN_DEG, sky.base_jy * beam_response(apart), 0.0)
    index = int(np.argmax(seen))
    return index, float(seen[index])


def _write(folder: Path, ms: Ms, row: Row, sky: Sky, centre: int, season: Season) -> None:
    from astropy.io import fits

    header = fits.Header()
    data = _pixels(ms, row, sky, centre, season, header)
    header["BUNIT"] = "JY/BEAM"
    header["BMAJ"] = row["beam_major_arcsec"] / 3600.0
    header["BMIN"] = row["beam_minor_arcsec"] / 3600.0
    header["BPA"] = row["beam_pa_deg"]
    header["OBJECT"] = row["field_name"]
    header["TELESCOP"] = "DSA-110"
    header["DATE-OBS"] = f"{ms.when:%Y-%m-%dT%H:%M:%S.%f}"
    header["EXPTIME"] = DURATION_S
    header["ORIGIN"] = "contimg_lab, simulated"
    header["COMMENT"] = f"Window of the tile around {sky.names[centre]}; its noise is drawn anew."
    # a plane of Stokes and a channel, as imagers leave them
    fits.PrimaryHDU(data[None, None], header).writeto(folder / row["path"].rsplit("/", 1)[-1])


def _pixels(
    ms: Ms, row: Row, sky: Sky, centre: int, season: Season, header: dict[str, object]
) -> Array:
    """Sources and noise of the window (Jy/beam), and its coordinates into the header."""
    x, y = _project(sky.ra_deg, sky.dec_deg, ms.ra_deg, ms.dec_deg)
    first_x, first_y = (
        round(float(x[centre])) - _SIZE_PX // 2,
        round(float(y[centre])) - _SIZE_PX // 2,
    )
    axes = (
        ("RA---SIN", ms.ra_deg, -_CELL_DEG, 1.0 - first_x, "deg"),
        ("DEC--SIN", ms.dec_deg, _CELL_DEG, 1.0 - first_y, "deg"),
        ("STOKES", 1.0, 1.0, 1.0, ""),
        ("FREQ", row["freq_ghz"] * 1e9, row["bandwidth_mhz"] * 1e6, 1.0, "Hz"),
    )
    for number, (kind, value, step, pixel, unit) in enumerate(axes, start=1):
        header[f"CTYPE{number}"], header[f"CRVAL{number}"] = kind, value
        header[f"CDELT{number}"], header[f"CRPIX{number}"] = step, pixel
        if unit:
            header[f"CUNIT{number}"] = unit
    header["RADESYS"] = "ICRS"
    grid_y, grid_x = np.mgrid[:_SIZE_PX, :_SIZE_PX].astype(np.float64)
    beam = (row["beam_major_arcsec"], row["beam_minor_arcsec"], row["beam_pa_deg"])
    apart = separation_deg(sky.ra_deg, sky.dec_deg, ms.ra_deg, ms.dec_deg)
    response = beam_response(apart)
    corrected = bool(row["pbcor"])
    peak = sky.flux_jy(np.arange(len(apart)), np.full(len(apart), ms.mid_mjd)) * ms.gain
    peak = peak / sky.extent * (1.0 if corrected else response)
    white = stream(season, "image pixels", ms.key).standard_normal((_SIZE_PX, _SIZE_PX))
    blur = np.fft.rfft2(np.fft.ifftshift(_beam(grid_x - _SIZE_PX / 2, grid_y - _SIZE_PX / 2, beam)))
    noise = np.fft.irfft2(np.fft.rfft2(white) * blur, s=white.shape)
    noise *= ms.noise_jy / noise.std() / (float(response[centre]) if corrected else 1.0)
    image = noise
    near = (np.abs(x - x[centre]) < _SIZE_PX) & (np.abs(y - y[centre]) < _SIZE_PX) & (apart < 90.0)
    for index in np.flatnonzero(near):
        off_x, off_y = x[index] - first_x, y[index] - first_y
        image = image + peak[index] * _beam(grid_x - off_x, grid_y - off_y, beam)
    return image.astype(np.float32)


def _project(ra: Array, dec: Array, ra_0: float, dec_0: float) -> tuple[Array, Array]:
    """Pixels from the tile's centre, orthographic (SIN); east is to lower x.

    References
    ----------
    Calabretta & Greisen 2002, A&A 395, 1077, sec. 5.1.5.
    """
    turn, high, high_0 = np.radians(ra - ra_0), np.radians(dec), math.radians(dec_0)
    east = np.cos(high) * np.sin(turn)
    north = np.sin(high) * math.cos(high_0) - np.cos(high) * math.sin(high_0) * np.cos(turn)
    return np.degrees(east) / -_CELL_DEG, np.degrees(north) / _CELL_DEG


def _beam(x: Array, y: Array, beam: tuple[float, float, float]) -> Array:
    """Gaussian beam of peak 1 at offsets in pixels."""
    major, minor = (axis / 3600.0 / _CELL_DEG * _FWHM_TO_SIGMA for axis in beam[:2])
    angle = math.radians(beam[2])  # from north (up) through east (left)
    along = -x * math.sin(angle) + y * math.cos(angle)
    across = x * math.cos(angle) + y * math.sin(angle)
    shape: Array = np.exp(-0.5 * ((along / major) ** 2 + (across / minor) ** 2))
    return shape
