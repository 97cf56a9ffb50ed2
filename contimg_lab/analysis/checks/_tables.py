"""Tables and columns of a night, with the unit and the meaning of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["TABLES", "Column"]


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column: text or number, its unit, its meaning."""

    is_text: bool
    unit: str | None
    meaning: str


def _text(meaning: str) -> Column:
    return Column(True, None, meaning)


def _number(unit: str | None, meaning: str) -> Column:
    return Column(False, unit, meaning)


_MJD = "d (MJD, UTC)"
_UNIX = "s (Unix, UTC)"
_HOUR = _number("h (UTC)", "UTC hour of the MS's start; NaN where it is unknown")

TABLES: Mapping[str, Mapping[str, Column]] = {
    "ms": {
        "path": _text("key: the Measurement Set"),
        "hour": _HOUR,
        "kind": _text("tile, calibrator or twin"),
        "status": _text("word of ms_index, as it stands"),
        "stage": _text("word of ms_index, as it stands"),
        "start_mjd": _number(_MJD, "start, recorded or worked out"),
        "mid_mjd": _number(_MJD, "middle, recorded or worked out"),
        "time_source": _text("mid_mjd, start_mjd, name, group_id or unknown"),
        "stored_start_mjd": _number(_MJD, "start as recorded"),
        "stored_mid_mjd": _number(_MJD, "middle as recorded"),
        "stored_end_mjd": _number(_MJD, "end as recorded"),
        "name_mjd": _number(_MJD, "start that stands in the path"),
        "ra_deg": _number("deg", "where it looked (ICRS)"),
        "dec_deg": _number("deg", "where it looked (ICRS)"),
        "lst_residual_deg": _number("deg (of date)", "right ascension less sidereal time"),
        "dec_of_date_deg": _number("deg (of date)", "declination"),
        "dec_offset_deg": _number("deg (of date)", "declination less the median of the night"),
        "damaged": _text("columns whose stored value is of the wrong kind, by commas"),
    },
    "runs": {
        "path": _text("key: the Measurement Set"),
        "run_id": _text("the run"),
        "hour": _HOUR,
        "status": _text("running, failed, pending, completed, or the pipeline's own word"),
        "cause": _text("kind of failure"),
        "step": _text("type of the step that decided"),
        "started_at": _number(_UNIX, "first start of the latest attempts"),
        "finished_at": _number(_UNIX, "last finish of the latest attempts"),
        "attempts": _number("1", "rows of the jobs table; 0 where ms_index alone makes the run"),
    },
    "groups": {
        "group_id": _text("key: group of raw sub-band files"),
        "hour": _HOUR,
        "n_subbands": _number("1", "files; 16 make a whole group"),
        "has_ms": _number("1", "1 where an MS of any night was made from it, else 0"),
    },
    "covers": {
        "path": _text("key, with table_type: the tile"),
        "hour": _HOUR,
        "table_type": _text("K, BA, BP, G, GA, GP, 2G, FLUX"),
        "state": _text("inside, nearest, none or unknown"),
        "distance_hours": _number("h", "from the tile's middle to the middle of the window"),
        "table_path": _text("active table that covers or is nearest"),
        "is_bandpass": _number("1", "1 for the one that counts as the tile's bandpass, else 0"),
    },
    "tiers": {
        "path": _text("key: the tile"),
        "hour": _HOUR,
        "tier": _text("A, B, C or unknown"),
        "bandpass_night": _text("UTC date that its bandpass table was solved on"),
        "gain_night": _text("UTC date that its gain table was solved on"),
        "why": _text("the tier in words"),
    },
    "caltables": {
        "path": _text("key: a table that covers names"),
        "set_name": _text("its set"),
        "table_type": _text("K, BA, BP, G, GA, GP, 2G, FLUX"),
        "status": _text("active, retired or failed"),
        "valid_start_mjd": _number(_MJD, "start of its window"),
        "valid_end_mjd": _number(_MJD, "end of its window; infinity where it is open"),
        "created_at": _number(_UNIX, "when it was made"),
        "snr_mean": _number("1", "as recorded in quality_metrics"),
        "flagged_fraction": _number("1", "as recorded in quality_metrics"),
        "n_antennas": _number("1", "as recorded in quality_metrics"),
        "solved_night": _text("UTC date of the calibrator's observation; None where unknown"),
    },
    "images": {
        "id": _text("key: the row's id, as text"),
        "path": _text("the image"),
        "ms_path": _text("MS that it was made from"),
        "hour": _HOUR,
        "type": _text("image, 5min, pbcor, residual ..."),
        "is_tile": _number("1", "1 for the tile image of a tile, else 0"),
        "created_at": _number(_UNIX, "when it was made"),
        "noise_jy": _number("Jy/beam", "rms noise, as stored"),
        "dynamic_range": _number("1", "peak over noise, as stored"),
        "beam_major_arcsec": _number("arcsec", "FWHM, as stored"),
        "beam_minor_arcsec": _number("arcsec", "FWHM, as stored"),
        "beam_pa_deg": _number("deg", "east of north, as stored"),
        "damaged": _text("columns whose stored value is of the wrong kind, by commas"),
    },
    "references": {
        "hour": _HOUR,
        "noise_median_jy": _number("Jy/beam", "of earlier nights' tiles at the same sidereal time"),
        "noise_mad_jy": _number("Jy/beam", "their median absolute deviation, not scaled"),
        "n": _number("1", "tiles that it is of"),
        "of": _text("what it is of, in words: tiles of earlier nights, the night's other hours"),
    },
    "photometry": {
        "id": _text("key: the row's id, as text"),
        "source_id": _text("the source"),
        "image": _number("1", "row of the table images, NaN for none"),
        "hour": _HOUR,
        "mjd": _number(_MJD, "epoch of the observation"),
        "time_source": _text("column that the epoch came from"),
        "flux_jy": _number("Jy", "flux that counts"),
        "flux_err_jy": _number("Jy", "its error"),
        "reason": _text("why it does not count; empty where it counts"),
        "quality_flag": _text("as stored, 0 and NULL as empty"),
        "flags": _text("as stored, 0 and NULL as empty"),
        "nvss_flux_mjy": _number("mJy", "catalogued flux of the source"),
        "reference_flux_jy": _number("Jy", "weighted mean of its earlier nights"),
        "reference_err_jy": _number("Jy", "error of that mean"),
        "reference_n": _number("1", "epochs of earlier nights that it is of"),
        "reference_eta": _number("1", "reduced chi-squared of those epochs"),
    },
    "catalogue": {
        "name": _text("key, with hour: a catalogued source in the field of the hour"),
        "hour": _HOUR,
        "flux_mjy": _number("mJy", "catalogued flux"),
        "is_found": _number("1", "1 where an image of the hour shows it above 5 sigma, else 0"),
    },
    "astrometry": {
        "id": _text("key: the row's id, as text"),
        "hour": _HOUR,
        "n_matches": _number("1", "matched sources"),
        "ra_offset_mas": _number("mas", "measured offset in right ascension"),
        "dec_offset_mas": _number("mas", "measured offset in declination"),
        "rms_residual_mas": _number("mas", "rms of the residuals"),
    },
    "clocks": {
        "table": _text("pipeline's table"),
        "key": _text("key of the row"),
        "hour": _HOUR,
        "column": _text("name of the column, one that ends in _at or _mjd, or timestamp"),
        "value": _number(None, "as stored: an MJD or Unix seconds"),
    },
}
"""Tables and columns of a night; which rows they hold stands in `Night`."""
