"""Calibration: a row of ``caltables``, of ``calibration_applied``, calibrators, coverage."""

from __future__ import annotations

from dataclasses import dataclass

from contimg_lab.records._fields import MJD, UNIX, column, damaged_field, required

__all__ = ["AppliedCalTable", "CalTable", "Calibrator", "Coverage", "Tier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalTable:
    """One calibration table as the registry holds it."""

    id: int = required(None, "key of the row")
    set_name: str | None = column(None, "set that it belongs to")
    path: str | None = column(None, "path of the table")
    table_type: str | None = column(None, "K, BA, BP, GA, GP, 2G, FLUX; older: G")
    order_index: int | None = column(None, "order of application within the set")
    cal_field: str | None = column(None, "calibrator")
    refant: str | None = column(None, "reference antenna")
    created_at: float | None = column(UNIX, "when it was registered")
    valid_start_mjd: float | None = column(MJD, "start of the validity window")
    valid_end_mjd: float | None = column(MJD, "end of the validity window; None is open-ended")
    status: str | None = column(None, "active, retired or failed")
    notes: str | None = column(None, "notes")
    source_ms_path: str | None = column(None, "Measurement Set that it was solved on")
    solver_command: str | None = column(None, "solver")
    solver_version: str | None = column(None, "version of the solver")
    solver_params: str | None = column(None, "solver parameters (JSON)")
    quality_metrics: str | None = column(None, "quality metrics (JSON; may be malformed)")
    damaged: tuple[str, ...] = damaged_field()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCalTable:
    """One application of a calibration table to a Measurement Set, as recorded."""

    id: int | None = column(None, "key of the row, where the table has one")
    ms_path: str | None = column(None, "Measurement Set")
    caltable_path: str | None = column(None, "calibration table")
    applied_at: float | None = column(UNIX, "when it was applied")
    quality: float | None = column("1", "quality as the pipeline recorded it")
    success: int | None = column(None, "1 applied, 0 failed")
    error_message: str | None = column(None, "why it failed")
    damaged: tuple[str, ...] = damaged_field()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator:
    """A source that tables are solved on."""

    name: str = required(None, "name of the source")
    ra_deg: float = required("deg", "right ascension (ICRS)")
    dec_deg: float = required("deg", "declination (ICRS)")
    flux_jy: float | None = column("Jy", "catalogued flux density")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How one Measurement Set is covered by the active tables of one type."""

    ms_path: str = required(None, "Measurement Set")
    table_type: str = required(None, "table type")
    state: str = required(None, "inside, nearest, none or unknown")
    distance_hours: float | None = column("h", "from the MS's mid time to the window's midpoint")
    caltable_path: str | None = column(None, "covering or nearest active table")
    retired_path: str | None = column(None, "retired table whose window holds the MS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Whether the tables of one Measurement Set were solved on its own UTC date."""

    ms_path: str = required(None, "Measurement Set")
    tier: str = required(None, "A, B, C, or unknown")
    bandpass_path: str | None = column(None, "bandpass table (BP, else BA, else G)")
    bandpass_date: str | None = column(None, "UTC date that it was solved on")
    gain_path: str | None = column(None, "gain table (GP, else GA, else 2G, else G)")
    gain_date: str | None = column(None, "UTC date that it was solved on")
    told_by: str = required(None, "applied (as recorded), or validity (by the registry)")
    why: str = required(None, "the tier in words")
