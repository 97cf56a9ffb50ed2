"""Rows of ms_index, images, image_qa, mosaics and pointings, as the pipeline leaves them."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import numpy as np

from contimg_lab.demo.ms import DURATION_S, Ms
from contimg_lab.demo.processing import Processed
from contimg_lab.demo.season import stream
from contimg_lab.demo.truth import PlantedFault
from contimg_lab.times import mjd_from_unix

__all__ = ["Row", "Rows", "image_made_unix", "mosaic_paths", "product_rows"]

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, list[Row]]

_STAGES = ("cataloged", "mosaicked", "imaged", "imaged", "imaged")
_FEWEST_TILES = 8
_NULL_POINTINGS, _NULL_NOISES = 3, 2


def image_made_unix(ms: Ms) -> float:
    """When the image of an MS was finished (Unix seconds)."""
    return ms.attempts[-1].finished_unix or ms.start_unix


def product_rows(done: Processed) -> Rows:
    """Every row that stands for an MS, an image, a mosaic or a pointing."""
    rows: Rows = {
        "ms_index": [_ms_row(done, ms) for ms in done.runs],
        "pointing_history": [
            {
                "timestamp_mjd": ms.mid_mjd, "timestamp": ms.mid_mjd, "ra_deg": ms.ra_deg,
                "dec_deg": ms.dec_deg, "source": "ms_index",
                "recorded_at": ms.start_unix + DURATION_S + 5.0,
            }
            for ms in done.runs
        ],
        "mosaics": _mosaic_rows(done),
    }  # fmt: skip
    rows["images"], rows["image_qa"] = _image_rows(done)
    _plant_nulls(done, rows)
    return rows


def mosaic_paths(done: Processed) -> dict[str, str]:
    """Hourly mosaic of each imaged MS, by MS path."""
    found: dict[str, str] = {}
    for tiles in _hours(done).values():
        path = f"/stage/dsa110-contimg/mosaics/{tiles[0].when:%Y-%m-%dT%H}00_mosaic.fits"
        found.update((ms.path, path) for ms in tiles)
    return found


def _hours(done: Processed) -> dict[str, list[Ms]]:
    hours: dict[str, list[Ms]] = {}
    for ms in done.plan.science:
        if ms.outcome == "imaged" and not ms.twin:
            hours.setdefault(f"{ms.when:%Y-%m-%dT%H}", []).append(ms)
    return {hour: tiles for hour, tiles in hours.items() if len(tiles) >= _FEWEST_TILES}


def _ms_row(done: Processed, ms: Ms) -> Row:
    finished = [attempt.finished_unix for attempt in ms.attempts if attempt.finished_unix]
    last = max(finished) if finished else None
    status, stage, calibrated = _state(ms)
    imaged = ms.outcome == "imaged" and ms.calibrator is None
    return {
        "path": ms.path,
        "start_mjd": ms.start_mjd,
        "end_mjd": mjd_from_unix(ms.start_unix + DURATION_S),
        "mid_mjd": ms.mid_mjd,
        "processed_at": last + 6.0 if last and ms.outcome in ("imaged", "failed") else None,
        "status": status,
        "stage": stage,
        "stage_updated_at": last + 1.0 if last else None,
        "cal_applied": int(calibrated),
        "imagename": f"/stage/dsa110-contimg/images/{ms.stem}.img" if imaged else None,
        "field_name": "calibrator" if ms.calibrator else f"meridian_icrs_t{ms.position}",
        "pointing_ra_deg": ms.ra_deg,
        "pointing_dec_deg": ms.dec_deg,
        "ra_deg": ms.ra_deg,
        "dec_deg": ms.dec_deg,
        "group_id": ms.group_id,
        "created_at": ms.start_unix + DURATION_S + 240.0,
    }


def _state(ms: Ms) -> tuple[str, str, bool]:
    """Status and stage words of an MS, and whether it was calibrated."""
    if ms.outcome == "imaged":
        if ms.calibrator is not None:
            return "completed", "calibrated", False
        stage = "selfcal" if ms.twin else _STAGES[ms.night % len(_STAGES)]
        return "done" if ms.attempts[-1].status == "done" else "completed", stage, True
    if ms.outcome == "failed":
        step = ms.failure.step if ms.failure else "image"
        before = {"convert": "ingested", "apply": "converted", "calibrate": "converted"}
        return "failed", before.get(step, "calibrated"), step == "image"
    if ms.outcome == "skipped":
        return "skipped_no_caltables", "converted", False
    if ms.outcome == "running":
        return "processing", "calibrated", True
    return "pending", "converted", False


def _image_rows(done: Processed) -> tuple[list[Row], list[Row]]:
    images: list[Row] = []
    checks: list[Row] = []
    for ms in done.plan.science:
        if ms.outcome != "imaged":
            continue
        draw = stream(done.plan.season, "image", ms.key)
        z = draw.standard_normal(8)
        major, minor = 36.9 * (1.0 + 0.015 * z[0]), 25.5 * (1.0 + 0.015 * z[1])
        span = float(np.clip(450.0 * np.exp(0.3 * z[2]) * (0.013 / ms.noise_jy) ** 0.5, 60, 1900))
        made = image_made_unix(ms)
        shared: Row = {
            "ms_path": ms.path, "format": "casa" if ms.casa_names else "fits",
            "beam_major_arcsec": major, "beam_minor_arcsec": minor,
            "beam_pa_deg": 6.0 + 3.0 * z[3], "dynamic_range": span,
            "field_name": f"meridian_icrs_t{ms.position}", "center_ra_deg": ms.ra_deg,
            "center_dec_deg": ms.dec_deg, "imsize_x": 2400, "imsize_y": 2400,
            "cellsize_arcsec": 6.0, "freq_ghz": 1.405, "bandwidth_mhz": 187.5,
            "integration_sec": DURATION_S,
        }  # fmt: skip
        plain = f"/stage/dsa110-contimg/images/{ms.stem}.img"
        flat = plain + (".image" if ms.casa_names else "-image.fits")
        corrected = {
            "path": ms.image_path, "type": "pbcor", "pbcor": 1, "created_at": made - 2.0,
            "noise_jy": ms.noise_jy * (1.0 + 0.01 * z[4]),
        }  # fmt: skip
        if done.plan.season.layout == "unified":
            kind = "5min" if ms.casa_names else "image"
            images.append(
                {"path": flat, "type": kind, "pbcor": 0, "created_at": made - 4.0,
                 "noise_jy": ms.noise_jy, **shared}
            )  # fmt: skip
        else:  # these sites keep one image an MS, and call it so
            corrected["type"], flat = "image", ms.image_path
        images.append({**corrected, **shared})
        quality = "excellent" if span > 1000 else "good" if span > 100 else "marginal"
        checks.append({
            "ms_path": ms.path, "job_id": ms.attempts[-1].job_id, "image_path": flat,
            # the pipeline takes the rms of all pixels, sources included
            "rms_noise": ms.noise_jy * (1.35 + 0.1 * abs(z[5])), "peak_flux": span * ms.noise_jy,
            "dynamic_range": span, "beam_major": major, "beam_minor": minor,
            "beam_pa": shared["beam_pa_deg"], "num_sources": int(24 + 7 * z[6]),
            "overall_quality": quality, "timestamp": made + 30.0,
        })  # fmt: skip
    images.sort(key=lambda row: (row["created_at"], row["path"]))
    checks.sort(key=lambda row: (row["timestamp"], row["image_path"]))
    return images, checks


def _mosaic_rows(done: Processed) -> list[Row]:
    rows: list[Row] = []
    for tiles in _hours(done).values():
        first, middle = tiles[0], tiles[len(tiles) // 2]
        noise = 0.75 * float(np.median([ms.noise_jy for ms in tiles]))
        decs = [ms.dec_deg for ms in tiles]
        path = f"/stage/dsa110-contimg/mosaics/{first.when:%Y-%m-%dT%H}00_mosaic.fits"
        made = max(image_made_unix(ms) for ms in tiles) + 1200.0
        rows.append({
            "path": path, "name": f"{first.when:%Y-%m-%dT%H}00", "created_at": made,
            "start_mjd": first.start_mjd, "end_mjd": tiles[-1].start_mjd + DURATION_S / 86400.0,
            "integration_sec": DURATION_S * len(tiles), "n_images": len(tiles),
            "center_ra_deg": middle.ra_deg, "center_dec_deg": middle.dec_deg,
            "dec_min_deg": min(decs) - 1.6, "dec_max_deg": max(decs) + 1.6, "noise_jy": noise,
            "effective_noise_jy": noise * 1.1, "beam_major_arcsec": 37.2,
            "beam_minor_arcsec": 25.8, "beam_pa_deg": 6.0, "n_sources": 40 * len(tiles),
            "status": "completed", "method": "linear",
            "tiles": json.dumps([ms.image_path for ms in tiles]), "output_path": path,
        })  # fmt: skip
    return rows


def _plant_nulls(done: Processed, rows: Rows) -> None:
    season = done.plan.season
    draw = stream(season, "nulls")
    noisy = {fault.ms_path for fault in done.faults if fault.kind == "noisy_image"}
    free = [row for row in rows["images"] if row["ms_path"] not in noisy]
    for index in draw.choice(len(free), _NULL_NOISES, replace=False):
        row = free[int(index)]
        row["noise_jy"] = None
        done.faults.append(
            PlantedFault(kind="null_value", ms_path=row["ms_path"], image_path=row["path"],
                         night=row["ms_path"].rsplit("/", 1)[-1][:10], detail="noise_jy")
        )  # fmt: skip
    for index in draw.choice(len(rows["ms_index"]), _NULL_POINTINGS, replace=False):
        row = rows["ms_index"][int(index)]
        row["pointing_ra_deg"] = row["pointing_dec_deg"] = None
        done.faults.append(
            PlantedFault(kind="null_value", ms_path=row["path"], night=row["group_id"][:10],
                         detail="pointing_ra_deg and pointing_dec_deg")
        )  # fmt: skip
