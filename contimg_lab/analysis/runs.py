"""Runs: the id of each Measurement Set's processing, its stage, status and times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contimg_lab.records.jobs import JobStep
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.times import (
    MS_HALF_DURATION_S,
    datetime_from_unix,
    mjd_from_name,
    mjd_from_value,
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
    "run_ids",
    "stage_grade",
    "stage_rank",
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


def run_ids(paths: Sequence[str]) -> dict[str, str]:
    """Run id of each Measurement Set, one to one, whatever the order of the paths.

    Parameters
    ----------
    paths
        Every Measurement Set of the database: a twin changes the id of the other.

    Examples
    --------
    >>> run_ids(["/ms/2025-10-22T06:42:22.ms", "/ms/2025-10-22T06:42:22_selfcal.ms"])
    ... # doctest: +NORMALIZE_WHITESPACE
    {'/ms/2025-10-22T06:42:22.ms': 'job-2025-10-22-064222',
     '/ms/2025-10-22T06:42:22_selfcal.ms': 'job-2025-10-22T06-42-22_selfcal'}
    """
    ordered = sorted(set(paths))
    times = {path: _name_time(path) for path in ordered}
    holders: dict[str, int] = {}
    for time in times.values():
        if time is not None:
            holders[time] = holders.get(time, 0) + 1
    wants: dict[str, list[tuple[int, str]]] = {}
    for path in ordered:
        time, stem = times[path], _stem(path)
        only_time = time is not None and stem in (time, time.replace(":", "-"))
        if time is not None and (only_time or holders[time] == 1):
            base = f"job-{time[:10]}-{time[11:].replace(':', '')}"
            rank = 0 if only_time else 1
        else:
            base, rank = f"job-{_UNSAFE.sub('-', stem)}"[:_MAX_BASE], 2
        wants.setdefault(base, []).append((rank, path))
    ids: dict[str, str] = {}
    late: list[tuple[str, str]] = []
    for base, group in wants.items():
        # a stem that only looks like another's id must not take it from the name with that time
        (_, first), *rest = sorted(group)
        ids[first] = base
        late.extend((path, base) for _, path in rest)
    used = set(ids.values())
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
    ranked = [(_weight(word), -step.id, word, step) for step, word in _worded(attempts)]
    _, _, status, deciding = min(ranked, key=lambda row: row[:2])
    by_ms = False
    step = deciding.type
    if status == "completed" and ms is not None and ms.status is not None:
        word = ms.status.strip()
        if word.lower() == "failed" or word.lower().startswith("skipped_"):
            status, step, by_ms = _WORDS.get(word.lower(), word), stage, True
    starts = [unix_from_value(attempt.started_at) for attempt in attempts]
    ends = [unix_from_value(attempt.finished_at) for attempt in attempts]
    started = min((time for time in starts if time is not None), default=None)
    finished = max((time for time in ends if time is not None), default=None)
    if status in ("running", "pending"):
        finished = None
    return Decision(
        status,
        step,
        None if by_ms else deciding,
        started,
        finished,
        None if finished is None else _duration(starts, ends),
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
    start = mjd_from_value(ms.start_mjd)
    mid = mjd_from_value(ms.mid_mjd)
    name = mjd_from_name(ms.path)
    group = None if ms.group_id is None else mjd_from_name(ms.group_id)
    start_mjd, start_source = _first(
        (start, 0.0, "start_mjd"),
        (name, 0.0, "name"),
        (group, 0.0, "group_id"),
        (mid, -_HALF_D, "mid_mjd"),
    )
    mid_mjd, mid_source = _first(
        (mid, 0.0, "mid_mjd"),
        (name, _HALF_D, "name"),
        (start, _HALF_D, "start_mjd"),
        (group, _HALF_D, "group_id"),
    )
    return MsTimes(start_mjd, mid_mjd, start_source, mid_source)


def night_hour(ms: MeasurementSet) -> tuple[str | None, int | None]:
    """UTC date (``YYYY-MM-DD``) and UTC hour of a Measurement Set's start."""
    start = ms_times(ms).start_mjd
    if start is None:
        return None, None
    # an MJD holds a full hour only to the microsecond, and may fall just short of it
    when = datetime_from_unix(round(unix_from_mjd(start), 3))
    return when.date().isoformat(), when.hour


def _stem(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".ms")


def _name_time(path: str) -> str | None:
    mjd = mjd_from_name(path)
    if mjd is None:
        return None
    return datetime_from_unix(round(unix_from_mjd(mjd))).isoformat()[:19]


def _worded(attempts: Iterable[JobStep]) -> Iterable[tuple[JobStep, str]]:
    for attempt in attempts:
        word = (attempt.status or "").strip()
        yield attempt, _WORDS.get(word.lower(), word or "unknown")


def _weight(word: str) -> int:
    return _WEIGHTS.get(word, _UNKNOWN_WEIGHT)


def _ms_status(ms: MeasurementSet | None) -> str:
    if ms is None:
        return "unknown"
    word = (ms.status or "").strip()
    if word:
        return _MS_WORDS.get(word.lower(), word)
    rank = stage_rank(ms.stage)
    return "completed" if rank is not None and rank >= _STAGES["imaged"] else "pending"


def _duration(starts: Sequence[float | None], ends: Sequence[float | None]) -> float | None:
    known_starts: list[float] = []
    known_ends: list[float] = []
    for start, end in zip(starts, ends, strict=True):
        if start is None or end is None or end < start:
            return None
        known_starts.append(start)
        known_ends.append(end)
    return max(known_ends) - min(known_starts)


def _first(*choices: tuple[float | None, float, str]) -> tuple[float | None, str]:
    for value, shift, source in choices:
        if value is not None:
            return value + shift, source
    return None, "unknown"
