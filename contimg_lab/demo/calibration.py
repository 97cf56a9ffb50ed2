"""Rows about calibration: tables with validity, what was applied, checks and transits."""

from __future__ import annotations

import json

import numpy as np

from contimg_lab.demo.jobrows import error_text
from contimg_lab.demo.processing import CalSet, Processed
from contimg_lab.demo.products import Row, Rows
from contimg_lab.demo.season import Season, stream
from contimg_lab.demo.sky import transit_mjd
from contimg_lab.times import datetime_from_mjd, unix_from_mjd

__all__ = ["calibration_rows"]

_ORDER = {"K": 10, "BA": 20, "BP": 30, "GA": 40, "G": 40, "GP": 50, "2G": 60}
_TASKS = {"BA": "bandpass", "BP": "bandpass"}
_HALF_WINDOW_DAYS = 1.0 / 24.0
_OLD_HALF_WINDOW_DAYS = 0.5
_SLOTS, _EMPTY_SLOTS = 117, 21
_TRUSTED_SINCE_UNIX = 1.7e9


def calibration_rows(done: Processed) -> Rows:
    """Every row about calibrators, their tables and their use."""
    rows: Rows = {
        "caltables": [row for one in done.sets for row in _tables(done.plan.season, one)],
        "calibration_applied": _applied(done),
        "calibrator_catalog": [],
        "bandpass_calibrators": [],
        "calibrator_transits": _transits(done),
    }
    for calibrator in done.plan.calibrators:
        shared: Row = {
            "ra_deg": calibrator.ra_deg, "dec_deg": calibrator.dec_deg,
            "flux_jy": calibrator.flux_jy, "dec_range_min": calibrator.dec_deg - 3.0,
            "dec_range_max": calibrator.dec_deg + 3.0, "source_catalog": "VLA",
            "status": "active", "registered_at": _TRUSTED_SINCE_UNIX,
        }  # fmt: skip
        rows["calibrator_catalog"].append(
            {"name": calibrator.name, "flux_freq_ghz": 1.4, "code_20_cm": "P", **shared}
        )
        rows["bandpass_calibrators"].append({"calibrator_name": calibrator.name, **shared})
    rows["calibration_qa"], rows["calibration_monitoring"] = _checks(done)
    return rows


def _tables(season: Season, one: CalSet) -> list[Row]:
    rows: list[Row] = []
    half = _OLD_HALF_WINDOW_DAYS if season.layout == "split-old" else _HALF_WINDOW_DAYS
    middle = one.ms.mid_mjd
    bad = one.status == "failed"
    draw = stream(season, f"solutions {one.name}", one.ms.night)
    for table_type in one.types:
        draws = draw.random(3)
        phase_only = table_type in ("GA", "GP", "G", "2G")
        snr = (15.0 if phase_only else 98.0) * (0.85 + 0.3 * draws[0])
        flagged = (0.31 if phase_only else 0.28) * (0.8 + 0.4 * draws[1])
        quality = {
            "qa_passed": not bad,
            "snr_mean": 0.0 if bad else round(snr, 2),
            "snr_min": 0.0 if bad else round(0.2 * snr, 2),
            "flagged_fraction": 1.0 if bad else round(flagged, 4),
            "n_antennas": _SLOTS,
            "n_solutions": 2808 if phase_only else 5616,
            "assessed_at": one.created_unix + 60.0,
            "issues": ["all solutions flagged"] if bad else [],
            "warnings": [f"{_EMPTY_SLOTS} antennas fully flagged"],
        }
        rows.append({
            "set_name": one.name, "path": one.table_path(table_type), "table_type": table_type,
            "order_index": _ORDER[table_type],
            "cal_field": one.ms.calibrator.name if one.ms.calibrator else None, "refant": "103",
            "created_at": one.created_unix + len(rows), "valid_start_mjd": middle - half,
            "valid_end_mjd": middle + half, "status": one.status, "notes": one.notes,
            "source_ms_path": one.ms.path, "solver_command": _TASKS.get(table_type, "gaincal"),
            "solver_version": "6.7.0",
            "solver_params": json.dumps({"solint": "inf", "minsnr": 3.0, "refant": "103"}),
            "quality_metrics": json.dumps(quality),
        })  # fmt: skip
    return rows


def _applied(done: Processed) -> list[Row]:
    rows: list[Row] = []
    for ms, attempt in done.attempts():
        cal_set = done.applied.get(ms.night)
        if attempt.step != "apply" or attempt.finished_unix is None or cal_set is None:
            continue
        failed = attempt.status == "failed"
        if failed and (attempt.failure is None or attempt.failure.cause != "calibration"):
            continue
        for table_type in cal_set.types:
            rows.append({
                "ms_path": ms.path, "caltable_path": cal_set.table_path(table_type),
                "applied_at": attempt.finished_unix - 1.0, "quality": None if failed else 0.9,
                "success": int(not failed), "error_message": error_text(ms, attempt),
            })  # fmt: skip
    return rows


def _checks(done: Processed) -> tuple[list[Row], list[Row]]:
    checks: list[Row] = []
    monitored: list[Row] = []
    for ms in done.plan.reference:
        draws = stream(done.plan.season, "checks", ms.night).random(20)
        bad = ms.outcome == "failed"
        last = ms.attempts[-1]
        at = last.finished_unix or 0.0
        flagged = 1.0 if bad else 0.24 + 0.08 * draws[0]
        snr = 0.0 if bad else 90.0 + 20.0 * draws[1]
        scatter = 9.0 + 4.0 * draws[2]
        windows = [
            {"spw": spw, "flag": round(min(1.0, flagged * (0.6 + 0.8 * draws[spw + 3])), 3)}
            for spw in range(16)
        ]
        checks.append({
            "ms_path": ms.path, "job_id": last.job_id,
            "k_metrics": json.dumps({"median_delay_ns": round(80.0 * draws[3] - 40.0, 2)}),
            "bp_metrics": json.dumps({
                "flag_fraction": round(flagged, 3), "median_snr": round(snr, 1),
                "amp_median": 1.0, "phase_scatter_deg": round(scatter, 1)}),
            "g_metrics": json.dumps({
                "flag_fraction": round(min(1.0, flagged + 0.03), 3), "median_snr": 15.0,
                "phase_scatter_deg": 103.0}),
            "overall_quality": "poor" if bad else "good", "flags_total": flagged,
            "timestamp": at + 5.0, "per_spw_stats": json.dumps(windows),
        })  # fmt: skip
        if bad or ms.calibrator is None:
            continue
        ratio = 0.86 + 0.05 * draws[19]
        if ms.night == done.plan.special.low_scale:
            ratio = 0.70
        monitored.append({
            "calibrator_name": ms.calibrator.name, "ms_path": ms.path,
            "observed_flux_jy": ratio * ms.calibrator.flux_jy,
            "catalog_flux_jy": ms.calibrator.flux_jy, "flux_ratio": ratio, "frequency_ghz": 1.4,
            "mjd": ms.mid_mjd,
            "timestamp_iso": f"{datetime_from_mjd(ms.mid_mjd):%Y-%m-%dT%H:%M:%SZ}",
            "phase_rms_deg": scatter, "amp_rms": 0.05 + 0.04 * draws[18],
            "flagged_fraction": flagged, "created_at": at + 90.0,
        })  # fmt: skip
    return checks, monitored


def _transits(done: Processed) -> list[Row]:
    plan = done.plan
    by_name: dict[tuple[int, str], str] = {}
    middles: dict[tuple[int, str], float] = {}
    for ms in plan.reference:
        if ms.calibrator is not None:
            by_name[ms.night, ms.calibrator.name] = ms.group_id
            middles[ms.night, ms.calibrator.name] = ms.mid_mjd
    rows: list[Row] = []
    for night, middle in enumerate(np.asarray(plan.passages_mjd).tolist()):
        for calibrator in plan.calibrators:
            key = night, calibrator.name
            transit = transit_mjd(calibrator.ra_deg, middle - 0.3, plan.dish_deg)
            at = unix_from_mjd(transit) + 86400.0
            seen = middles.get(key)
            rows.append({
                "calibrator_name": calibrator.name, "transit_mjd": transit,
                "transit_iso": f"{datetime_from_mjd(transit):%Y-%m-%dT%H:%M:%S}",
                "has_data": int(seen is not None), "group_id": by_name.get(key),
                "group_mid_iso":
                    f"{datetime_from_mjd(seen):%Y-%m-%dT%H:%M:%S}" if seen else None,
                "delta_minutes": abs(seen - transit) * 1440.0 if seen else None,
                "pb_response": 0.97 if seen else None, "dec_match": 1,
                "calculated_at": at, "updated_at": at,
            })  # fmt: skip
    return rows
