"""Why runs failed: every text that says so, brought to `contimg_lab.analysis.causes`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from contimg_lab.analysis.causes import cause_of_texts, message_of_texts
from contimg_lab.analysis.runs import Decision
from contimg_lab.errors import ForbiddenPath, NotFound
from contimg_lab.services._context import Context
from contimg_lab.services._directory import Directory, Entry
from contimg_lab.services._logs import (
    LogRoots,
    RunKey,
    error_evidence,
    find_run_log,
    tail_lines,
)

__all__ = ["UNKNOWN", "Cause", "Failed", "find_causes", "log_window", "run_key"]

UNKNOWN = "unknown"
"""The cause of a failed run that left no text at all."""

_MARGIN_S = 60.0
_TAIL_LINES = 200


@dataclass(frozen=True, slots=True)
class Cause:
    """The kind of a failure, the line that showed it, where that stood, and what was said."""

    cause: str
    line: str | None
    source: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """One failed run: its MS, and how its status was decided."""

    entry: Entry
    decision: Decision


def log_window(failed: Failed) -> tuple[float, float] | None:
    """First and last Unix second at which the run can have written a line; None: unknown."""
    step, ms = failed.decision.deciding, failed.entry.ms
    if step is not None:
        known = [t for t in (step.created_at, step.started_at, step.finished_at) if t is not None]
        starts = [failed.decision.started_at] if failed.decision.started_at else []
        first, last = min([*known, *starts]), max(known)
        # without an end the run may have gone on for as long as a stage is ever given
        return first, last if step.finished_at is not None else last + 86400.0
    if ms.stage_updated_at is None and ms.processed_at is None:
        return None
    last = max(t for t in (ms.stage_updated_at, ms.processed_at) if t is not None)
    return (ms.created_at if ms.created_at is not None else last - 86400.0), last


def run_key(failed: Failed, directory: Directory) -> RunKey:
    """Name a run the way its log lines may."""
    ms = failed.entry.ms
    return RunKey(
        ms_path=ms.path,
        run_id=failed.entry.run_id,
        group_id=ms.group_id,
        window=log_window(failed),
        longer_paths=directory.longer(ms.path),
    )


async def find_causes(
    context: Context, failed: Sequence[Failed], roots: LogRoots
) -> dict[str, Cause]:
    """Find the cause of each failed run, by MS path.

    One query a table and one pass over the shared logs serve all of them.
    """
    if not failed:
        return {}
    tables = await context.jobs.error_texts([f.entry.ms.path for f in failed])
    texts: dict[str, list[tuple[str, str]]] = {}
    for run in failed:
        step = run.decision.deciding
        found = texts.setdefault(run.entry.ms.path, [])
        if step is not None and step.logs:
            found.append(("jobs.logs", step.logs))
        for said in tables.get(run.entry.ms.path, []):
            other_job = said.job_id is not None and step is not None and said.job_id != step.id
            before = (
                said.at is not None
                and step is not None
                and step.created_at is not None
                and said.at < step.created_at - _MARGIN_S
            )
            if not other_job and not before:
                found.append((said.source, said.text))
    directory = await context.directory()
    keys = [run_key(run, directory) for run in failed]
    zone = ZoneInfo(context.config.log_zone)
    from_logs = await asyncio.to_thread(_log_texts, roots, keys, zone)
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


def _log_texts(
    roots: LogRoots, keys: Sequence[RunKey], zone: ZoneInfo
) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        try:
            own = find_run_log(key.run_id, roots)
            lines, _ = tail_lines(own, _TAIL_LINES) if own is not None else ([], False)
        except (ForbiddenPath, NotFound):
            continue  # a link that leads out, or a file gone meanwhile, tells nothing here
        if lines:
            found.setdefault(key.ms_path, []).append((str(own), "\n".join(lines)))
    for path, texts in error_evidence(roots, keys, zone).items():
        found.setdefault(path, []).extend(texts)
    return found
