"""Images: one row of ``images``."""

from __future__ import annotations

from dataclasses import dataclass

from contimg_lab.records._fields import UNIX, column, damaged_field, required

__all__ = ["Image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image as the pipeline registered it."""

    id: int = required(None, "key of the row")
    path: str | None = column(None, "path of the image")
    ms_path: str | None = column(None, "Measurement Set that it was made from")
    created_at: float | None = column(UNIX, "when it was made")
    type: str | None = column(None, "image, 5min, pbcor, residual, psf, dirty, mosaic ...")
    format: str | None = column(None, "fits or casa")
    pbcor: int | None = column(None, "1 if corrected for the primary beam")
    noise_jy: float | None = column("Jy/beam", "rms noise")
    dynamic_range: float | None = column("1", "peak over noise")
    beam_major_arcsec: float | None = column("arcsec", "major axis of the beam (FWHM)")
    beam_minor_arcsec: float | None = column("arcsec", "minor axis of the beam (FWHM)")
    beam_pa_deg: float | None = column("deg", "position angle of the beam, east of north")
    field_name: str | None = column(None, "name of the field")
    center_ra_deg: float | None = column("deg", "right ascension of the centre (ICRS)")
    center_dec_deg: float | None = column("deg", "declination of the centre (ICRS)")
    imsize_x: int | None = column("pixel", "width")
    imsize_y: int | None = column("pixel", "height")
    cellsize_arcsec: float | None = column("arcsec", "size of a pixel")
    freq_ghz: float | None = column("GHz", "centre frequency")
    bandwidth_mhz: float | None = column("MHz", "bandwidth")
    integration_sec: float | None = column("s", "integration time")
    damaged: tuple[str, ...] = damaged_field()
