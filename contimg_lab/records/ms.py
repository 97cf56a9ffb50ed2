"""Measurement Sets: one row of ``ms_index``, and where a time or pointing came from."""

from __future__ import annotations

from dataclasses import dataclass

from contimg_lab.records._fields import MJD, UNIX, column, damaged_field, required

__all__ = ["MeasurementSet", "MsMetadata", "Pointing", "PrimaryCal", "RawGroup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementSet:
    """One Measurement Set as ``ms_index`` holds it."""

    path: str = required(None, "path of the Measurement Set, its key")
    start_mjd: float | None = column(MJD, "start of the observation as recorded")
    end_mjd: float | None = column(MJD, "end of the observation as recorded")
    mid_mjd: float | None = column(MJD, "middle of the observation as recorded")
    processed_at: float | None = column(UNIX, "when processing ended")
    status: str | None = column(None, "word that the pipeline keeps for the MS")
    stage: str | None = column(None, "last stage that the pipeline reached")
    stage_updated_at: float | None = column(UNIX, "when the stage was last written")
    cal_applied: int | None = column(None, "1 calibrated; 0 may be a later stage's rewrite")
    imagename: str | None = column(None, "stem of the images made from it")
    ra_deg: float | None = column("deg", "right ascension of the field centre (ICRS)")
    dec_deg: float | None = column("deg", "declination of the field centre (ICRS)")
    pointing_ra_deg: float | None = column("deg", "right ascension the dishes pointed at (ICRS)")
    pointing_dec_deg: float | None = column("deg", "declination the dishes pointed at (ICRS)")
    field_name: str | None = column(None, "name of the field")
    group_id: str | None = column(None, "group of sub-band files it was made from")
    created_at: float | None = column(UNIX, "when the row was made")
    damaged: tuple[str, ...] = damaged_field()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """Where a Measurement Set looked, and which columns say so."""

    ms_path: str = required(None, "path of the Measurement Set")
    ra_deg: float | None = column("deg", "right ascension (ICRS); 0.0 is a real one")
    dec_deg: float | None = column("deg", "declination (ICRS)")
    source: str = required(
        None, "pointing columns, field centre columns, pointing_history or unknown"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryCal:
    """The bandpass table of a Measurement Set by validity, with what was really applied.

    ``state`` is ``inside`` (a window holds the MS's mid time), ``nearest`` (within 12 h;
    ``distance_hours`` says how far), ``none`` or ``unknown`` (the MS has no time at all).
    """

    ms_path: str = required(None, "path of the Measurement Set")
    state: str = required(None, "inside, nearest, none or unknown")
    caltable_path: str | None = column(None, "path of the bandpass table")
    table_type: str | None = column(None, "BP, BA or G")
    distance_hours: float | None = column("h", "from the MS's mid time to the window's midpoint")
    retired_path: str | None = column(None, "retired table whose window holds the MS")
    applied_paths: tuple[str, ...] = ()
    why: str = required(None, "the state in words")


@dataclass(frozen=True, slots=True, kw_only=True)
class MsMetadata:
    """What a detail page of a Measurement Set shows."""

    ms: MeasurementSet
    run_id: str = required(None, "run that processed it")
    night: str | None = column(None, "UTC date of its start")
    start_mjd: float | None = column(MJD, "start, recorded or worked out")
    mid_mjd: float | None = column(MJD, "middle, recorded or worked out")
    time_source: str = required(None, "mid_mjd, start_mjd, name, group_id or unknown")
    pointing: Pointing
    stage_grade: str = required(None, "the older system's grade by stage: good, warn or fail")
    cal_tables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawGroup:
    """Sub-band files of one observation that lie on the disk."""

    group_id: str = required(None, "group of sub-band files: start of the observation (UTC)")
    n_subbands: int = required("1", "files; 16 make a whole group")
    start_mjd: float | None = column(MJD, "start of the observation, recorded or in its name")
    night: str | None = column(None, "UTC date of its start")
