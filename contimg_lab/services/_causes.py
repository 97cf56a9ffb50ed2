"""Why runs failed: every text that says so, brought to `contimg_lab.analysis.causes`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from contimg_lab.analysis.causes import cause_of_texts, message_of_texts
from contimg_lab.analysis.runs import Decision, latest_attempts
from contimg_lab.errors import ForbiddenPath, NotFound
from contimg_lab.records.jobs import JobStep
from contimg_lab.repositories.jobs import ErrorText
from contimg_lab.services._context import Context
from contimg_lab.services._directory import Directory, Entry
from contimg_lab.services._logs import (
    LogRoots,
    RunKey,
    error_evidence,
    find_run_log,
    named_in_roots,
    tail_lines,
)
from contimg_lab.times import unix_from_mjd, unix_from_value

__all__ = [
    "UNKNOWN",
    "Cause",
    "Decided",
    "find_causes",
    "log_window",
    "own_logs",
    "row_texts",
    "run_key",
]

UNKNOWN = "unknown"
"""The cause of a failed run that left no text at all."""

_MARGIN_S = 60.0
_TAIL_LINES = 200
_LATE_S = 14 * 86400.0  # an MS is hardly processed later than this


@dataclass(frozen=True, slots=True)
class Cause:
    """The kind of a failure, the line that showed it, where that stood, and what was said."""

    cause: str
    line: str | None
    source: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """One run: its MS, the rows of its jobs, and how its status was decided."""

    entry: Entry
    steps: tuple[JobStep, ...]
    decision: Decision


def own_logs(run: Decided) -> list[JobStep]:
    """Latest attempts that kept a log text of their own."""
    return [step for step in latest_attempts(run.steps) if step.logs and step.logs.strip()]


def log_window(run: Decided) -> tuple[float, float] | None:
    """First and last Unix second at which the run can have written a line; None: unknown."""
    step, ms = run.decision.deciding, run.entry.ms
    if step is not None:
        known = _known(step.created_at, step.started_at, step.finished_at)
        if known:
            first = min([*known, *_known(run.decision.started_at)])
            # without an end the run may have gone on for as long as a stage is ever given
            ended = unix_from_value(step.finished_at) is not None
            return first, max(known) if ended else max(known) + 86400.0
    written = _known(ms.stage_updated_at, ms.processed_at)
    if written:
        made = _known(ms.created_at)
        return (min(made) if made else max(written) - 86400.0), max(written)
    if run.entry.times.start_mjd is not None:
        start = unix_from_mjd(run.entry.times.start_mjd)
        return start, start + _LATE_S
    return None


def _known(*times: float | None) -> list[float]:
    return [t for t in map(unix_from_value, times) if t is not None]


def run_key(run: Decided, directory: Directory) -> RunKey:
    """Name a run the way its log lines may."""
    ms = run.entry.ms
    return RunKey(
        ms_path=ms.path,
        run_id=run.entry.run_id,
        group_id=ms.group_id,
        window=log_window(run),
        longer_paths=directory.longer(ms.path),
    )


async def find_causes(
    context: Context, failed: Sequence[Decided], directory: Directory, roots: LogRoots
) -> dict[str, Cause]:
    """Find the cause of each failed run, by MS path.

    One query a table and one pass over the shared logs serve all of them.
    """
    if not failed:
        return {}
    tables = await context.jobs.error_texts([f.entry.ms.path for f in failed])
    texts = {
        path: row_texts(run, tables.get(path, ()))
        for run in failed
        for path in (run.entry.ms.path,)
    }
    keys = [run_key(run, directory) for run in failed]
    zone = ZoneInfo(context.config.log_zone)
    stop = threading.Event()
    try:
        from_logs = await asyncio.to_thread(_log_texts, roots, keys, zone, stop)
    finally:
        stop.set()  # a cancelled await leaves its thread behind: let it end soon
    causes: dict[str, Cause] = {}
    for path, found in texts.items():
        found.extend(from_logs.get(path, []))
        words = [text for _, text in found]
        evidence = cause_of_texts(words, paths=[path])
        if evidence is None:
            causes[path] = Cause(UNKNOWN, None, None, None)
        else:
            where = found[evidence.text][0]
            causes[path] = Cause(evidence.cause, evidence.line, where, message_of_texts(words))
    return causes


def row_texts(run: Decided, said: Iterable[ErrorText]) -> list[tuple[str, str]]:
    """Return what rows say of a failed run: where each text stands, and the text."""
    step = run.decision.deciding
    kept = own_logs(run) if step is None else [step]
    found = [("jobs.logs", one.logs) for one in kept if one.logs]
    queued_at = None if step is None else unix_from_value(step.created_at)
    for one in said:
        other_job = one.job_id is not None and step is not None and one.job_id != step.id
        before = one.at is not None and queued_at is not None and one.at < queued_at - _MARGIN_S
        if not other_job and not before:
            found.append((one.source, one.text))
    return found


def _log_texts(
    roots: LogRoots, keys: Sequence[RunKey], zone: ZoneInfo, stop: threading.Event
) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    there = named_in_roots([key.run_id for key in keys], roots)
    for key in keys:
        if key.run_id not in there:
            continue
        try:
            own = find_run_log(key.run_id, roots)
            lines, _ = tail_lines(own, _TAIL_LINES) if own is not None else ([], False)
        except (ForbiddenPath, NotFound):
            continue  # a link that leads out, or a file gone meanwhile, tells nothing here
        if lines:
            found.setdefault(key.ms_path, []).append((str(own), "\n".join(lines)))
    for path, texts in error_evidence(roots, keys, zone, stop).items():
        found.setdefault(path, []).extend(texts)
    return found
