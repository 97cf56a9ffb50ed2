"""Runs: the id of each Measurement Set's processing, its stage, status and times."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contimg_lab.records.jobs import JobStep
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.times import (
    MS_HALF_DURATION_S,
    datetime_from_unix,
    mjd_from_name,
    mjd_from_value,
    time_in_name,
    unix_from_mjd,
    unix_from_value,
)

__all__ = [
    "Decision",
    "MsTimes",
    "decide",
    "latest_attempts",
    "ms_times",
    "night_hour",
    "night_of_hour",
    "run_ids",
    "stage_grade",
    "stage_rank",
    "times_of",
    "unix_hour",
    "valid_run_id",
]

_MAX_ID = 255
_MAX_BASE = 240  # leaves room for ".N", so that every id that we make is a valid one
_RUN_ID = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)
_STAGES = {
    word: rank
    for rank, words in enumerate(
        (
            ("ingested",),
            ("conversion", "converted"),
            ("calibration_solve",),
            ("calibration", "calibrated"),
            ("selfcal",),
            ("imaging", "imaged"),
            ("mosaicked",),
            ("cataloged",),
        )
    )
    for word in words
}
_GRADES = {"imaged": "good", "mosaicked": "good", "cataloged": "good", "calibrated": "warn"}
_WORDS = {
    "running": "running",
    "failed": "failed",
    "pending": "pending",
    "done": "completed",
    "completed": "completed",
}
_MS_WORDS = {**_WORDS, "converted": "pending", "processing": "running"}
_WEIGHTS = {"running": 0, "failed": 1, "pending": 2, "completed": 4}
_UNKNOWN_WEIGHT = 3  # a word that we do not know must not look clean
_HALF_D = MS_HALF_DURATION_S / 86400.0
_FIRST_S, _END_S = -62_135_596_800.0, 253_402_300_800.0  # the years 1 to 9999


def run_ids(paths: Sequence[str], times: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Run id of each Measurement Set, one to one, whatever the order of the paths.

    Parameters
    ----------
    paths
        Every Measurement Set of the database: a twin changes the id of the other.
    times
        Time in the name of each path (`time_in_name`), where that is known already.

    Examples
    --------
    >>> run_ids(["/ms/2025-10-22T06:42:22.ms", "/ms/2025-10-22T06:42:22_selfcal.ms"])
    ... # doctest: +NORMALIZE_WHITESPACE
    {'/ms/2025-10-22T06:42:22.ms': 'job-2025-10-22-064222',
     '/ms/2025-10-22T06:42:22_selfcal.ms': 'job-2025-10-22T06-42-22_selfcal'}
    """
    ordered = sorted(dict.fromkeys(paths))  # mostly in order already, which a set would undo
    known = {path: time_in_name(path) for path in ordered} if times is None else times
    holders = Counter(known[path] for path in ordered)

    def rank(path: str) -> int:
        time = known[path]
        return 2 if time is None else 0 if _only_time(path, time) else 1 + (holders[time] > 1)

    firsts: dict[str, str] = {}
    late: list[tuple[str, str]] = []
    for path in ordered:
        time = known[path]
        if time is not None and (holders[time] == 1 or _only_time(path, time)):
            base = f"job-{time[:10]}-{time[11:].replace(':', '')}"
        else:
            base = f"job-{_UNSAFE.sub('-', _stem(path))}"[:_MAX_BASE]
        first = firsts.setdefault(base, path)
        if first is not path:
            # a stem that only looks like another's id must not take it from the name with that
            # time
            firsts[base], other = sorted((first, path), key=lambda p: (rank(p), p))
            late.append((other, base))
    ids = {path: base for base, path in firsts.items()}
    used = set(firsts)
    for path, base in sorted(late):
        number = 2
        while f"{base}.{number}" in used:
            number += 1
        ids[path] = f"{base}.{number}"
        used.add(ids[path])
    return {path: ids[path] for path in ordered}


def valid_run_id(text: str) -> bool:
    """Whether a text can be a run id, and so a file's name without any way out of its folder."""
    return len(text) <= _MAX_ID and text not in (".", "..") and bool(_RUN_ID.fullmatch(text))


def stage_rank(stage: str | None) -> int | None:
    """Place of a stage in the one order of both vocabularies; None for a word not in it."""
    return None if stage is None else _STAGES.get(stage.strip().lower())


def stage_grade(stage: str | None) -> str:
    """Grade by stage as the older web service gave it: ``good``, ``warn`` or ``fail``."""
    return "fail" if stage is None else _GRADES.get(stage, "fail")


def latest_attempts(steps: Sequence[JobStep]) -> tuple[JobStep, ...]:
    """The last attempt at each step (highest id of a type), in order of id."""
    latest: dict[str | None, JobStep] = {}
    for step in steps:
        held = latest.get(step.type)
        if held is None or step.id > held.id:
            latest[step.type] = step
    if len(latest) == 1:
        return tuple(latest.values())
    return tuple(sorted(latest.values(), key=lambda step: step.id))


@dataclass(frozen=True, slots=True)
class Decision:
    """Status of a run, and what decided it.

    Attributes
    ----------
    status
        running, failed, pending, completed, or the pipeline's own word.
    step
        Type of the step that decided; the MS's stage where ``from_ms_index``.
    deciding
        Row of ``jobs`` that decided; None where ``from_ms_index``.
    started_at, finished_at
        First start and last finish of the latest attempts, in Unix seconds (UTC).
    duration_s
        Seconds between them, only where both are sure.
    from_ms_index
        Whether ``ms_index`` gave the word, not ``jobs``.
    """

    status: str
    step: str | None
    deciding: JobStep | None
    started_at: float | None
    finished_at: float | None
    duration_s: float | None
    from_ms_index: bool


def decide(ms: MeasurementSet | None, steps: Sequence[JobStep]) -> Decision:
    """Status of a run by the latest attempt at each step, else by ``ms_index``."""
    attempts = latest_attempts(steps)
    stage = None if ms is None else ms.stage
    if not attempts:
        return Decision(_ms_status(ms), stage, None, None, None, None, True)
    status, deciding, least = "", attempts[0], (len(_WEIGHTS) + 1, 0)
    started: float | None = None
    finished: float | None = None
    sure = True
    for attempt in attempts:
        word = (attempt.status or "").strip()
        word = _WORDS.get(word.lower(), word or "unknown")
        turn = (_WEIGHTS.get(word, _UNKNOWN_WEIGHT), -attempt.id)
        if turn < least:
            status, deciding, least = word, attempt, turn
        start, end = unix_from_value(attempt.started_at), unix_from_value(attempt.finished_at)
        if start is not None and (started is None or start < started):
            started = start
        if end is not None and (finished is None or end > finished):
            finished = end
        sure = sure and start is not None and end is not None and end >= start
    by_ms = False
    step = deciding.type
    if status == "completed" and ms is not None and ms.status is not None:
        word = ms.status.strip()
        if word.lower() == "failed" or word.lower().startswith("skipped_"):
            status, step, by_ms = _WORDS.get(word.lower(), word), stage, True
    if status in ("running", "pending"):
        finished = None
    return Decision(
        status,
        step,
        None if by_ms else deciding,
        started,
        finished,
        finished - started if sure and started is not None and finished is not None else None,
        by_ms,
    )


@dataclass(frozen=True, slots=True)
class MsTimes:
    """Start and middle of a Measurement Set (MJD, UTC, days), and what gave each.

    A source is ``mid_mjd``, ``name``, ``start_mjd``, ``group_id`` or ``unknown``.
    """

    start_mjd: float | None
    mid_mjd: float | None
    start_source: str
    mid_source: str


def ms_times(ms: MeasurementSet) -> MsTimes:
    """Start and middle as recorded, else from the name, else from what else is known."""
    return MsTimes(*times_of(ms.path, ms.start_mjd, ms.mid_mjd, ms.group_id))


def times_of(
    path: str, start: float | None, mid: float | None, group_id: str | None
) -> tuple[float | None, float | None, str, str]:
    """Fields of `MsTimes`, of the columns of a Measurement Set."""
    start_mjd, mid_mjd = mjd_from_value(start), mjd_from_value(mid)
    if start_mjd is not None and mid_mjd is not None:  # nearly all: nothing else is asked
        return start_mjd, mid_mjd, "start_mjd", "mid_mjd"
    name_mjd = mjd_from_name(path)
    group = None if group_id is None else mjd_from_name(group_id)
    begun, begun_by = _first(
        (start_mjd, 0.0, "start_mjd"),
        (name_mjd, 0.0, "name"),
        (group, 0.0, "group_id"),
        (mid_mjd, -_HALF_D, "mid_mjd"),
    )
    middle, middle_by = _first(
        (mid_mjd, 0.0, "mid_mjd"),
        (name_mjd, _HALF_D, "name"),
        (start_mjd, _HALF_D, "start_mjd"),
        (group, _HALF_D, "group_id"),
    )
    return begun, middle, begun_by, middle_by


def night_hour(ms: MeasurementSet) -> tuple[str | None, int | None]:
    """UTC date (``YYYY-MM-DD``) and UTC hour of a Measurement Set's start."""
    hours = unix_hour(ms_times(ms).start_mjd)
    return (None, None) if hours is None else (night_of_hour(hours), hours % 24)


def unix_hour(start_mjd: float | None) -> int | None:
    """Full hours since 1970 (UTC) at a start; None where no calendar has it."""
    if start_mjd is None:
        return None
    # an MJD holds a full hour only to the microsecond, and may fall just short of it
    unix_s = round(unix_from_mjd(start_mjd), 3)
    return int(unix_s // 3600.0) if _FIRST_S <= unix_s < _END_S else None


@functools.lru_cache(maxsize=1 << 12)
def night_of_hour(hours: int) -> str:
    """UTC date (``YYYY-MM-DD``) of full hours since 1970."""
    return datetime_from_unix(hours * 3600.0).date().isoformat()


def _stem(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".ms")


def _only_time(path: str, time: str) -> bool:
    return _stem(path) in (time, time.replace(":", "-"))


def _ms_status(ms: MeasurementSet | None) -> str:
    if ms is None:
        return "unknown"
    word = (ms.status or "").strip()
    if word:
        return _MS_WORDS.get(word.lower(), word)
    rank = stage_rank(ms.stage)
    return "completed" if rank is not None and rank >= _STAGES["imaged"] else "pending"


def _first(*choices: tuple[float | None, float, str]) -> tuple[float | None, str]:
    for value, shift, source in choices:
        if value is not None:
            return value + shift, source
    return None, "unknown"
