"""Sources: what photometry says of one catalogued source, and one measurement of it."""

from __future__ import annotations

from dataclasses import dataclass

from contimg_lab.records._fields import MJD, UNIX, column, damaged_field, required

__all__ = ["Measurement", "Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source with photometry; position and catalogue flux of its latest row (highest id)."""

    source_id: str = required(None, "name in the catalogue, its key")
    ra_deg: float | None = column("deg", "right ascension (ICRS); 0.0 is a real one")
    dec_deg: float | None = column("deg", "declination (ICRS)")
    nvss_flux_mjy: float | None = column("mJy", "flux density in NVSS at 1.4 GHz")
    n_rows: int | None = column(None, "photometry rows, used or not")
    damaged: tuple[str, ...] = damaged_field()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One row of ``photometry``, as stored."""

    id: int = required(None, "key of the row")
    source_id: str | None = column(None, "source; None for a measurement of no catalogued source")
    image_path: str | None = column(None, "image that was measured")
    ra_deg: float | None = column("deg", "right ascension (ICRS)")
    dec_deg: float | None = column("deg", "declination (ICRS)")
    nvss_flux_mjy: float | None = column("mJy", "flux density in NVSS at 1.4 GHz")
    peak_jyb: float | None = column("Jy/beam", "peak flux density")
    peak_err_jyb: float | None = column("Jy/beam", "error of the peak flux density")
    measured_at: float | None = column(UNIX, "when the measurement was made, not observed")
    mjd: float | None = column(MJD, "epoch of the observation")
    flux_jy: float | None = column("Jy", "flux density")
    flux_err_jy: float | None = column("Jy", "error of the flux density")
    snr: float | None = column("1", "signal to noise")
    local_rms: float | None = column("Jy/beam", "rms noise around the source")
    flags: int | None = column(None, "flags as the pipeline set them")
    damaged: tuple[str, ...] = damaged_field()
