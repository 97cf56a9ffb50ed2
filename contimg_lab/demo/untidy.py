"""A working site's disorder: odd names, twins, rewritten rows, words of several ages."""

from __future__ import annotations

import dataclasses
import json

import numpy as np

from contimg_lab.demo.damaged import damage_photometry
from contimg_lab.demo.ms import Ms
from contimg_lab.demo.photometry import Block
from contimg_lab.demo.plan import Plan
from contimg_lab.demo.processing import Processed
from contimg_lab.demo.products import Row, Rows
from contimg_lab.demo.season import stream
from contimg_lab.demo.truth import PlantedFault

__all__ = ["HOSTILE", "damage", "rename"]

HOSTILE = "<script>alert('demo')</script><img src=x onerror=alert(1)>"
"""What must reach a reader's screen as these letters and nothing else."""

_MS_FOLDER = "/stage/dsa110-contimg/ms/"
_CASA_SHARE = 0.4
_NAMES = (
    'odd names/{group} it\'s "one" %20 more.ms',
    "{group}_meridian.ms",
    "{group}.rfi_v2.ms",
    "field_J0137_test.ms",
    "stack_{date}.ms",
    "unlabelled copy.ms",
)
"""The last three hold no time; of the very last nothing else does either."""
_TWINS = 2
_STAGE_WORDS = {
    "imaged": ("imaging", "imaged", "selfcal", "imaging"),
    "mosaicked": ("mosaicked", "imaging", "selfcal", "imaged"),
    "cataloged": ("cataloged", "imaging", "imaged", "selfcal"),
    "calibrated": ("calibrated", "calibration", "calibration", "calibrated"),
    "converted": ("converted", "conversion", "conversion", "converted"),
    "ingested": ("ingested", "conversion", "ingested", "conversion"),
}
_MALFORMED = ('{"qa_passed": true, "snr_mean": ', "passed", "", None)


def rename(plan: Plan) -> None:
    """Give the MS of a plan the names that they have at such a site, and two a twin."""
    draw = stream(plan.season, "untidy names")
    special = plan.special
    busy = {special.blind, special.last}
    quiet = [night for night in range(plan.season.nights) if night not in busy]
    dashes, folder = quiet[len(quiet) // 3], quiet[0]
    casa = draw.random(len(plan.science)) < _CASA_SHARE
    for ms, is_casa in zip(plan.science, casa.tolist(), strict=True):
        ms.casa_names = is_casa
        if ms.night == dashes:
            ms.path = f"{_MS_FOLDER}{ms.group_id.replace(':', '-')}.ms"
        elif ms.night == folder:
            ms.path = f"{_MS_FOLDER}science/{ms.group_id[:10]}/{ms.group_id}.ms"
    plain = [ms for ms in plan.science if ms.night in quiet and ms.night not in (dashes, folder)]
    chosen = draw.choice(len(plain), len(_NAMES) + _TWINS, replace=False).tolist()
    for pattern, index in zip(_NAMES, chosen, strict=False):
        ms = plain[index]
        ms.path = _MS_FOLDER + pattern.format(group=ms.group_id, date=ms.group_id[:10])
    for index in chosen[len(_NAMES) :]:
        ms = plain[index]
        path = f"{_MS_FOLDER}{ms.group_id}_selfcal.ms"
        plan.science.append(dataclasses.replace(ms, path=path, twin=True, attempts=[]))


def damage(done: Processed, rows: Rows, block: Block) -> None:
    """Do to a tidy season's rows what years of use do, and tell the truth of it."""
    draw = stream(done.plan.season, "untidy rows")
    by_path = {ms.path: ms for ms in done.runs}
    _ms_rows(done, rows["ms_index"], by_path, draw)
    _image_rows(done, rows, by_path, draw)
    for row in rows["jobs"]:
        chance = draw.random()
        if chance < 0.03 and row["status"] in ("done", "completed"):
            row["started_at"] = None
        elif chance < 0.05 and row["status"] in ("done", "completed"):
            row["finished_at"] = None
        elif chance < 0.08 and row["status"] in ("done", "completed"):
            row["logs"] = f"{row['type']} of {row['ms_path']} ok\nall steps done\n"
    for number, row in enumerate(rows["caltables"]):
        if number % 9 == 4:
            row["source_ms_path"] = None
        if number % 23 == 11:
            row["quality_metrics"] = _MALFORMED[number // 23 % len(_MALFORMED)]
    rows["caltables"][1]["notes"] = f"seen by hand {HOSTILE}"
    rows["caltables"][-1]["valid_end_mjd"] = None
    first_fine = next(row for row in rows["batch_job_items"] if row["status"] == "done")
    first_fine["error"] = f"only a warning: {HOSTILE}\nand a second line"
    rows["alert_history"].append({
        "alert_name": "disk", "severity": "warning", "message": f"stage at 88 % {HOSTILE}",
        "details": "{}", "triggered_at": done.plan.first_unix + 90000.0,
    })  # fmt: skip
    timed = {row["timestamp"]: row for row in rows["pointing_history"]}
    rows["pointing_history"] = list(timed.values())
    damage_photometry(done, block)


def _ms_rows(
    done: Processed, table: list[Row], by_path: dict[str, Ms], draw: np.random.Generator
) -> None:
    for row in table:
        ms = by_path[row["path"]]
        words = _STAGE_WORDS.get(row["stage"], (row["stage"],) * 4)
        row["stage"] = words[int(draw.integers(4))]
        if ms.calibrator and ms.outcome == "imaged":
            row["stage"] = "calibration_solve"
        if ms.outcome == "pending":
            row["status"] = "converted"
        chance = draw.random()
        named = "T" in ms.stem and ms.stem[:4].isdigit()
        if chance < 0.05 and named:
            row["group_id"] = None
        elif chance < 0.07:
            row["ra_deg"] = row["dec_deg"] = None
        elif chance < 0.11 and ms.outcome == "imaged" and not ms.calibrator:
            _rewrite(row)
            done.faults.append(_told("rewritten_row", ms, "status, imagename and *_mjd are NULL"))
        if not named:
            _rewrite(row)
            lost = ms.stem == _NAMES[-1].removesuffix(".ms")
            if lost:
                row["group_id"] = None
            text = "nothing holds its time" if lost else "only group_id holds its time"
            done.faults.append(_told("name_without_time", ms, text))
        if ms.twin:
            done.faults.append(_told("twin", ms, f"same time as {ms.group_id}.ms"))
    free = [row for row in table if row["status"] == "completed" and row["imagename"]]
    odd = free[int(draw.integers(len(free)))]
    odd["status"], odd["stage"] = "awaiting_review", "rfi_excision"
    done.faults.append(_told("unknown_words", by_path[odd["path"]], "awaiting_review"))


def _rewrite(row: Row) -> None:
    for name in ("status", "imagename", "start_mjd", "end_mjd", "mid_mjd"):
        row[name] = None
    row["cal_applied"] = 0


def _image_rows(
    done: Processed, rows: Rows, by_path: dict[str, Ms], draw: np.random.Generator
) -> None:
    images = rows["images"]
    measured = [
        row for row in images
        if row["type"] == "pbcor" and row["noise_jy"] is not None
        and not by_path[row["ms_path"]].noisy
    ]  # fmt: skip
    for row in images:
        if row["type"] == "5min" and draw.random() < 0.12:
            row["noise_jy"] = None
    picked = draw.choice(len(measured), 3, replace=False).tolist()
    measured[picked[0]]["noise_jy"] = float("inf")
    measured[picked[1]]["noise_jy"] = "nan"
    gone = measured[picked[2]]
    images.remove(gone)
    ms = by_path[gone["ms_path"]]
    done.faults.append(
        dataclasses.replace(
            _told("image_row_deleted", ms, "its photometry remains"), image_path=gone["path"]
        )
    )
    for row in measured[:: len(measured) // 38]:
        path = f"/stage/dsa110-contimg/images/{by_path[row['ms_path']].stem}.img-residual.fits"
        images.append({
            **row, "path": path, "type": "residual", "pbcor": 0,
            "noise_jy": 0.9 * by_path[row["ms_path"]].noise_jy,
        })  # fmt: skip
    of_image = {row["path"]: row["ms_path"] for row in images}
    for mosaic in rows["mosaics"]:
        first = next(path for path in json.loads(mosaic["tiles"]) if path in of_image)
        images.append({
            "path": mosaic["path"], "ms_path": of_image[first], "type": "mosaic", "pbcor": 1,
            "created_at": mosaic["created_at"], "noise_jy": mosaic["noise_jy"],
            "beam_major_arcsec": mosaic["beam_major_arcsec"], "format": "fits",
        })  # fmt: skip
    images.sort(key=lambda row: (row["created_at"], row["path"]))


def _told(kind: str, ms: Ms, detail: str) -> PlantedFault:
    return PlantedFault(kind=kind, night=ms.group_id[:10], ms_path=ms.path, detail=detail)
