"""Logs of runs: a run's own file, its lines in shared files, and the errors of many runs at once.

Everything here reads files and waits for them: call it in a worker thread.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo

from contimg_lab.analysis.loglines import ERROR_LEVELS, LogLine, RunKey, belongs_to, parse_line
from contimg_lab.errors import InvalidInput
from contimg_lab.services._log_files import (
    MAX_LINE_BYTES,
    MAX_TAIL_BYTES,
    LogRoots,
    default_log_folders,
    find_run_log,
    find_run_logs,
    named_in_roots,
    shared_log_files,
    tail_lines,
)
from contimg_lab.services._log_scan import LogRecord, Span, scan

__all__ = [
    "MAX_LINE_BYTES",
    "MAX_TAIL_BYTES",
    "LogRoots",
    "RunKey",
    "SharedLine",
    "default_log_folders",
    "error_evidence",
    "find_run_log",
    "find_run_logs",
    "named_in_roots",
    "shared_lines",
    "shared_log_files",
    "tail_lines",
]

_MARGIN_S = 120.0  # an orchestrator tells of a step's end after it
_BACKWARD_S = 60.0
_MAX_EVIDENCE = 50  # errors kept of one run: retries repeat
_BUCKET_S = 3600.0
_MAX_BUCKETS = 24 * 30
_ERROR_BYTES = (
    *(level.encode() for level in sorted(ERROR_LEVELS)),
    b'"error"',
    b'"critical"',
    b'"fatal"',
)


@dataclass(frozen=True, slots=True)
class SharedLine:
    """One line of a shared log.

    Attributes
    ----------
    file
        Path of the file that it stands in.
    text
        The line as written.
    at_unix
        Unix seconds (UTC) of the line or of the line above that it follows; None if unknown.
    """

    file: str
    text: str
    at_unix: float | None


def shared_lines(
    roots: LogRoots,
    *,
    needles: Sequence[str],
    window: Span | None,
    zone: tzinfo,
    limit: int,
    longer_paths: Sequence[str] = (),
) -> tuple[SharedLine, ...]:
    """Last lines of the shared logs that speak of a run within its window, in order of time.

    An error's copy in ``error.log`` is a line of its own: nothing that a file holds is left
    out. A time of the repeated hour is read in the order of its file. A file that cannot be
    read adds nothing.

    Parameters
    ----------
    roots
        Folders of the logs.
    needles
        The run's MS path, then its group id where it has one.
    window
        First and last Unix second of the run; None takes lines of any time.
    zone
        Zone of lines that carry none.
    limit
        Most lines; ask for one more than is needed to learn whether there are earlier ones.
    longer_paths
        Paths of other Measurement Sets that begin with this one's; see `RunKey`.

    Raises
    ------
    InvalidInput
        ``limit`` is negative, or no MS path is given.
    """
    if limit < 0 or not needles or not needles[0]:
        raise InvalidInput(f"needles={needles!r}, limit={limit}: give an MS path, and 0 or more")
    group = needles[1] if len(needles) > 1 else None
    run = RunKey(needles[0], "", group, window, tuple(longer_paths))
    written = _needles(run)
    spans = None if window is None else [_widened(window)]
    found: list[tuple[float, SharedLine]] = []
    for path in shared_log_files(roots):
        kept: deque[tuple[float, SharedLine]] = deque(maxlen=limit)
        last = float("-inf")
        with suppress(OSError):
            for record in scan(path, spans, zone, written):
                line = parse_line(record.head, zone)
                if not _within(line, spans) or not belongs_to(line, run):
                    continue
                time = _time_in_order(line, spans, last)
                last = last if time is None else time
                for text in (record.head, *record.following):
                    kept.append((last, SharedLine(str(path), text, time)))
        found.extend(kept)
    found.sort(key=lambda row: row[0])
    return tuple(line for _, line in found[max(0, len(found) - limit) :])


def error_evidence(
    roots: LogRoots,
    runs: Sequence[RunKey],
    zone: tzinfo,
    stop: threading.Event | None = None,
) -> dict[str, list[tuple[str, str]]]:
    """Errors that the shared logs hold of many runs, in one pass over each file.

    Once ``stop`` is set it ends early: nobody waits for the answer any more.

    Returns
    -------
    For each run's ``ms_path`` its errors in order of time, at most the last
    50: the file's path, and the text of the error line with the traceback below it.
    """
    held: dict[str, list[tuple[float, str, str]]] = {run.ms_path: [] for run in runs}
    if not runs:
        return {}
    spans: list[Span] | None = None
    if all(run.window is not None for run in runs):
        spans = [_widened(run.window) for run in runs if run.window is not None]
    candidates = _candidates(runs)
    for path in shared_log_files(roots):
        with suppress(OSError):
            for record in scan(path, spans, zone, _ERROR_BYTES):
                if stop is not None and stop.is_set():
                    return {}
                line = parse_line(record.head, zone)
                if line.level not in ERROR_LEVELS:
                    continue
                for run in candidates(line):
                    window = None if run.window is None else [_widened(run.window)]
                    if _within(line, window) and belongs_to(line, run):
                        time = _time_in_order(line, window, float("-inf"))
                        rows = held[run.ms_path]
                        rows.append((time or 0.0, str(path), _text(record)))
                        if len(rows) > 2 * _MAX_EVIDENCE:
                            _keep_last(rows)
    for rows in held.values():
        _keep_last(rows)
    return {ms_path: [(file, text) for _, file, text in rows] for ms_path, rows in held.items()}


def _keep_last(rows: list[tuple[float, str, str]]) -> None:
    rows.sort(key=lambda row: row[0])
    del rows[:-_MAX_EVIDENCE]


def _text(record: LogRecord) -> str:
    return "\n".join((record.head, *record.following))


def _widened(window: Span) -> Span:
    return window[0] - _MARGIN_S, window[1] + _MARGIN_S


def _within(line: LogLine, spans: Sequence[Span] | None) -> bool:
    """Whether any time that a line may mean is in the spans; a line without one may be."""
    if spans is None or not line.times_unix:
        return True
    return any(low <= time <= high for time in line.times_unix for low, high in spans)


def _time_in_order(line: LogLine, spans: Sequence[Span] | None, last: float) -> float | None:
    """Of the times that a line may mean, the one in its spans that follows the line before."""
    times = [
        time
        for time in line.times_unix
        if spans is None or any(low <= time <= high for low, high in spans)
    ]
    following = [time for time in times if time >= last - _BACKWARD_S]
    return min(following, default=max(times, default=None))


def _needles(run: RunKey) -> tuple[bytes, ...]:
    """Every way in which a line may write a run's path or group, JSON's escapes included."""
    found: dict[bytes, None] = {}
    for name in (run.ms_path.rstrip("/"), run.group_id):
        if name:
            escaped = (json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1])
            for text in (name, *escaped):
                found[text.encode("utf-8", "surrogatepass")] = None
    return tuple(found)


def _candidates(runs: Sequence[RunKey]) -> Callable[[LogLine], Iterable[RunKey]]:
    """Find the few runs that were under way at a line's time."""
    always: list[RunKey] = []
    by_hour: dict[int, list[RunKey]] = {}
    for run in runs:
        if run.window is None:
            always.append(run)
            continue
        low, high = (int(time // _BUCKET_S) for time in _widened(run.window))
        if high - low > _MAX_BUCKETS:
            always.append(run)
            continue
        for hour in range(low, high + 1):
            by_hour.setdefault(hour, []).append(run)

    def find(line: LogLine) -> Iterable[RunKey]:
        if not line.times_unix:
            return runs
        hours = {int(time // _BUCKET_S) for time in line.times_unix}
        near = {run: None for hour in hours for run in by_hour.get(hour, ())}
        return (*always, *near)

    return find
