"""Rows of jobs, batches and their items, raw files and alerts."""

from __future__ import annotations

import json

from contimg_lab.demo.ms import DURATION_S, Attempt, Ms
from contimg_lab.demo.processing import Processed
from contimg_lab.demo.products import Row, Rows
from contimg_lab.demo.truth import PlantedFault
from contimg_lab.times import datetime_from_unix, mjd_from_unix

__all__ = ["INCOMPLETE", "error_text", "job_row", "job_rows"]

INCOMPLETE = 11
"""Subbands of a group that is not whole."""


def job_rows(done: Processed) -> Rows:
    """Jobs, batch jobs, raw subband files and alerts of a season."""
    batches, items = _batches(done)
    return {
        "jobs": [job_row(done, ms, attempt) for ms, attempt in done.attempts()],
        "batch_jobs": batches,
        "batch_job_items": items,
        "hdf5_files": _raw_files(done),
        "alert_history": _alerts(done),
    }


def error_text(ms: Ms, attempt: Attempt) -> str | None:
    """What a table says of a try that failed, None where nothing does."""
    if attempt.failure is None or not attempt.failure.message:
        return None
    return "\n".join(filter(None, attempt.failure.texts(ms.path, ms.group_id, ms.mid_mjd)))


def job_row(done: Processed, ms: Ms, attempt: Attempt) -> Row:
    """Row of ``jobs`` for a try that has ended as it will."""
    cal_set = done.applied.get(ms.night)
    name = cal_set.name if cal_set else None
    params = {
        "convert": {"group_id": ms.group_id, "subbands": 16},
        "calibrate": {"field": ms.calibrator.name if ms.calibrator else None, "refant": "103"},
        "apply": {"set": name},
        "image": {"robust": 0.5, "niter": 1000, "imsize": 2400},
    }[attempt.step]
    artifacts = None
    if attempt.step == "image" and attempt.status in ("done", "completed"):
        artifacts = json.dumps([ms.image_path])
    return {
        "id": attempt.job_id, "type": attempt.step, "status": attempt.status,
        "ms_path": ms.path, "params": json.dumps(params), "logs": None, "artifacts": artifacts,
        "created_at": attempt.created_unix, "started_at": attempt.started_unix,
        "finished_at": attempt.finished_unix,
    }  # fmt: skip


def _batches(done: Processed) -> tuple[list[Row], list[Row]]:
    """One batch a step: some of its failures, some of its successes; the last still runs."""
    batches: list[Row] = []
    items: list[Row] = []
    last = done.plan.special.last
    for number, (step, good) in enumerate((("image", 10), ("apply", 6), ("convert", 3)), start=1):
        running = step == "convert"
        tries = [
            (ms, attempt) for ms, attempt in done.attempts()
            if attempt.step == step and ms.calibrator is None and not ms.twin
            and (ms.night == last) == running
        ]  # fmt: skip
        bad = [pair for pair in tries if pair[0].outcome == "failed" and error_text(*pair)]
        fine = [pair for pair in tries if pair[1].status in ("done", "completed")]
        chosen = {pair[0].path: pair for pair in (*bad, *fine[:: len(fine) // good][:good])}
        members = sorted(chosen.values(), key=lambda pair: pair[1].job_id)
        failed = sum(attempt.status == "failed" for _, attempt in members)
        finished = [attempt.finished_unix or 0.0 for _, attempt in members]
        waiting = 2 * running
        batches.append({
            "id": number, "type": step, "created_at": members[0][1].created_unix - 20.0,
            "status": "running" if running else "failed",
            "total_items": len(members) + waiting, "completed_items": len(members) - failed,
            "failed_items": failed, "params": json.dumps({"n": len(members) + waiting}),
        })  # fmt: skip
        for (ms, attempt), end in zip(members, finished, strict=True):
            items.append({
                "batch_id": number, "ms_path": ms.path, "job_id": attempt.job_id,
                "status": "failed" if attempt.status == "failed" else "done",
                "error": error_text(ms, attempt), "started_at": attempt.started_unix,
                "completed_at": end, "data_id": ms.group_id,
            })  # fmt: skip
        for group, _ in _unconverted(done)[:waiting]:
            items.append({
                "batch_id": number, "ms_path": f"/stage/dsa110-contimg/ms/{group}.ms",
                "status": "pending", "data_id": group,
            })  # fmt: skip
    return batches, items


def _unconverted(done: Processed) -> list[tuple[str, float]]:
    """Groups that came after the last MS of the season: raw files, no MS yet."""
    last = done.runs[-1].start_unix
    starts = [last + float(int(DURATION_S * k)) for k in (1, 2)]
    return [(f"{datetime_from_unix(start):%Y-%m-%dT%H:%M:%S}", start) for start in starts]


def _raw_files(done: Processed) -> list[Row]:
    """Subband files of the first and the last nights and of every group that was not whole."""
    special = done.plan.special
    kept = {0, special.last - 1, special.last}
    groups: list[tuple[str, float, int, float, float]] = []
    for ms in done.runs:
        broken = ms.failure is not None and f"({INCOMPLETE}/16)" in ms.failure.message
        if (ms.night in kept or broken) and not ms.twin:
            count = INCOMPLETE if broken else 16
            groups.append((ms.group_id, ms.start_unix, count, ms.ra_deg, ms.dec_deg))
        if broken:
            done.faults.append(
                PlantedFault(kind="incomplete_group", ms_path=ms.path, night=ms.group_id[:10],
                             detail=f"{count} of 16 subbands of {ms.group_id}")
            )  # fmt: skip
    final = done.runs[-1]
    for group, start in _unconverted(done):
        groups.append((group, start, 16, final.ra_deg, final.dec_deg))
        done.faults.append(
            PlantedFault(kind="raw_without_ms", night=group[:10], detail=f"group {group}")
        )
    rows: list[Row] = []
    for group, start, count, ra, dec in groups:
        for band in range(count):
            code = f"sb{band:02d}"
            name = f"{group}_{code}.hdf5"
            rows.append({
                "path": f"/stage/dsa110-contimg/incoming/{name}", "filename": name,
                "group_id": group, "subband_code": code, "subband_num": band,
                "timestamp_iso": group, "timestamp_mjd": mjd_from_unix(start),
                "file_size_bytes": 560_000_000 + 61 * band, "modified_time": start + 320.0,
                "indexed_at": start + 380.0, "stored": 1, "ra_deg": ra, "dec_deg": dec,
                "obs_date": group[:10], "obs_time": group[11:],
            })  # fmt: skip
    return rows


def _alerts(done: Processed) -> list[Row]:
    special, first = done.plan.special, done.plan.first_unix
    told = [
        (special.blind, "caltables_missing", "critical", "no bandpass solution tonight", 40000.0),
        (special.low_scale, "calibrator_flux", "warning", "flux ratio 0.70 in one hour", 30000.0),
        (special.last, "failure_rate", "critical", "more than 10 % of runs failed in 1 h", None),
    ]
    rows: list[Row] = []
    for night, name, severity, message, after in told:
        at = first + 86164.0 * night + 9000.0
        rows.append({
            "alert_name": name, "severity": severity, "message": message, "details": "{}",
            "triggered_at": at, "resolved_at": at + after if after else None,
            "acknowledged_by": "operator" if after else None,
            "acknowledged_at": at + 1200.0 if after else None,
        })  # fmt: skip
    return rows
