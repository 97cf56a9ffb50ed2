"""Records of a shared log within a span of time, without reading the rest of a large file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

from contimg_lab.analysis.loglines import line_times
from contimg_lab.services._log_files import MAX_LINE_BYTES, shown_line

__all__ = ["LogRecord", "Span", "scan"]

Span = tuple[float, float]

_SEEK_FROM = 1 << 20  # smaller files are read whole
_NEAR = 64 << 10
_PROBE_LINES = 400
_STEP = 128
_DISORDER_S = 900.0  # lines of several writers are only nearly in order
_REPEATED_S = 3600.0  # a naive line of the repeated hour is taken an hour early
_MAX_FOLLOWING = 400
_RECORD = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\{\s*\"")


@dataclass(slots=True)
class LogRecord:
    """One prefixed line and the unprefixed lines (a traceback) that follow it."""

    head: str
    following: list[str]


def scan(
    path: Path,
    spans: Sequence[Span] | None,
    zone: tzinfo,
    wanted: Callable[[bytes], bool],
) -> Iterator[LogRecord]:
    """Records whose head line is wanted, at least all of those within the spans.

    Parameters
    ----------
    path
        File to read.
    spans
        Spans of Unix seconds; None reads the whole file. Records around them come too:
        whoever asks compares times, since a line may have two.
    zone
        Zone of lines that carry none.
    wanted
        A quick test on the bytes of a head line.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if spans is None or size <= _SEEK_FROM:
            yield from _records(file, 0, size, None, zone, wanted)
            return
        done = 0
        for low, high in _merged(spans):
            start = max(done, _offset_before(file, size, low - _REPEATED_S - _DISORDER_S, zone))
            yield from _records(file, start, size, high + _DISORDER_S, zone, wanted)
            done = max(done, file.tell())


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    gap = _REPEATED_S + 2 * _DISORDER_S
    for low, high in sorted(spans):
        if merged and low - gap <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _records(
    file: BinaryIO,
    start: int,
    end: int,
    until: float | None,
    zone: tzinfo,
    wanted: Callable[[bytes], bool],
) -> Iterator[LogRecord]:
    """Wanted records from the first whole line at ``start``; leaves the file where it stopped."""
    file.seek(start)
    if start > 0:
        file.seek(start - 1)
        _line(file)
    held: LogRecord | None = None
    heads = late = 0
    while (begin := file.tell()) < end:
        line = _line(file)
        if not line:
            break
        if _RECORD.match(line) is None:
            if held is not None and len(held.following) < _MAX_FOLLOWING:
                held.following.append(shown_line(line))
            continue
        if held is not None:
            yield held
            held = None
        heads += 1
        if until is not None and heads % _STEP == 0:
            times = line_times(line.decode("utf-8", "replace"), zone)
            # one wild clock must not end the search, two in a row are the end of the span
            late = late + 1 if times and times[0] > until else 0
            if late == 2:
                file.seek(begin)  # the next span may want it, with what follows
                break
        if wanted(line):
            held = LogRecord(shown_line(line), [])
    if held is not None:
        yield held


def _line(file: BinaryIO) -> bytes:
    """Next line; of a longer one than is ever shown only the beginning."""
    line = file.readline(MAX_LINE_BYTES + 1)
    if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)
    return line


def _offset_before(file: BinaryIO, size: int, when: float, zone: tzinfo) -> int:
    """An offset before which every line is earlier, by bisecting the times in the file."""
    low, high = 0, size
    while high - low > _NEAR:
        middle = (low + high) // 2
        time = _time_after(file, middle, high, zone)
        if time is not None and time < when:
            low = middle
        else:
            high = middle
    return low


def _time_after(file: BinaryIO, offset: int, end: int, zone: tzinfo) -> float | None:
    file.seek(offset)
    _line(file)
    for _ in range(_PROBE_LINES):
        if file.tell() >= end:
            return None
        line = _line(file)
        if _RECORD.match(line) is not None:
            times = line_times(line.decode("utf-8", "replace"), zone)
            if times:
                return times[0]
    return None
