"""A processed night as what happens in it, one commit after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from contimg_lab.demo.calibration import calibration_rows
from contimg_lab.demo.jobrows import job_row
from contimg_lab.demo.ms import Attempt, Ms
from contimg_lab.demo.photometry import Block
from contimg_lab.demo.processing import Processed
from contimg_lab.demo.products import Row, Rows, product_rows

__all__ = ["Happening", "happenings_of"]

_STAGES = {
    "convert": "converted", "calibrate": "calibrated", "apply": "calibrated", "image": "imaged",
}  # fmt: skip
_MEASURED_AFTER_S = 600.0
_LATER = ("processed_at", "stage_updated_at", "imagename")


@dataclass(slots=True, kw_only=True)
class Happening:
    """One commit: when (Unix s), rows added, rows changed by key, and whose log is written."""

    at_unix: float
    added: list[tuple[str, Row]] = field(default_factory=list)
    changed: list[tuple[str, Row, Row]] = field(default_factory=list)
    log_of: Ms | None = None


def happenings_of(done: Processed, block: Block) -> list[Happening]:
    """Everything that happens in a night, in order of time.

    Parameters
    ----------
    done
        One night.
    block
        Its photometry.
    """
    rows = {**product_rows(done), **calibration_rows(done)}
    final = {row["path"]: row for row in rows["ms_index"]}
    found = [_arrival(rows, final[ms.path]) for ms in done.runs]
    for ms, attempt in done.attempts():
        found += _attempt(done, ms, attempt, final[ms.path], rows)
    for one in done.sets:
        tables = [row for row in rows["caltables"] if row["set_name"] == one.name]
        added = [("caltables", row) for row in tables]
        found.append(Happening(at_unix=one.created_unix, added=added))
    found += _measured(rows, block)
    return sorted(found, key=lambda happening: happening.at_unix)


def _arrival(rows: Rows, row: Row) -> Happening:
    first = {name: value for name, value in row.items() if name not in _LATER}
    first |= {"status": "pending", "stage": "ingested", "cal_applied": 0}
    pointings = [p for p in rows["pointing_history"] if p["timestamp_mjd"] == row["mid_mjd"]]
    return Happening(
        at_unix=row["created_at"],
        added=[("ms_index", first), *(("pointing_history", p) for p in pointings)],
    )


def _attempt(
    done: Processed, ms: Ms, attempt: Attempt, final: Row, rows: Rows
) -> Iterator[Happening]:
    ended = job_row(done, ms, attempt)
    # ids go on from what is there: this try is known by what no other has
    key = {"ms_path": ms.path, "type": attempt.step, "created_at": attempt.created_unix}
    waiting = {name: value for name, value in ended.items() if name != "id"}
    waiting |= {"status": "pending", "started_at": None, "finished_at": None, "artifacts": None}
    of_ms: Row = {"path": ms.path}
    yield Happening(at_unix=attempt.created_unix, added=[("jobs", waiting)])
    if attempt.started_unix is None or attempt.finished_unix is None:
        return
    running = {"status": "running", "started_at": attempt.started_unix}
    yield Happening(
        at_unix=attempt.started_unix,
        changed=[("jobs", key, running), ("ms_index", of_ms, {"status": "processing"})],
    )
    end: Row = {name: ended[name] for name in ("status", "finished_at", "artifacts")}
    last = attempt is ms.attempts[-1]
    failed = attempt.status == "failed"
    word: Row = {"status": "pending"}
    if not failed:
        word |= {"stage": _STAGES[attempt.step], "stage_updated_at": attempt.finished_unix + 1.0}
    happening = Happening(
        at_unix=attempt.finished_unix,
        changed=[("jobs", key, end), ("ms_index", of_ms, final if last else word)],
        log_of=ms if last and failed else None,
    )
    if attempt.step == "apply":
        mine = [r for r in rows["calibration_applied"] if r["ms_path"] == ms.path]
        at = attempt.finished_unix - 1.0
        happening.added += [("calibration_applied", r) for r in mine if r["applied_at"] == at]
    if attempt.step == "image" and not failed:
        for table in ("images", "image_qa"):
            happening.added += [(table, r) for r in rows[table] if r["ms_path"] == ms.path]
    yield happening


def _measured(rows: Rows, block: Block) -> Iterator[Happening]:
    places: dict[str, list[int]] = {}
    for at, path in enumerate(block.columns["image_path"]):
        places.setdefault(path, []).append(at)
    made = {row["path"]: row["created_at"] for row in rows["images"]}
    for path, found in places.items():
        at_unix = made[path] + _MEASURED_AFTER_S
        yield Happening(
            at_unix=at_unix,
            added=[
                ("photometry", {name: values[at] for name, values in block.columns.items()}
                 | {"measured_at": at_unix + 0.3 * number})
                for number, at in enumerate(found)
            ],
        )  # fmt: skip
