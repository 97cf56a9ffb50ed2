"""Records of a shared log within a span of time, without reading the rest of a large file."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
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
_BLOCK = 128 << 10
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
    path: Path, spans: Sequence[Span] | None, zone: tzinfo, needles: Sequence[bytes]
) -> Iterator[LogRecord]:
    """Records whose head line holds a needle, at least all of those within the spans.

    Parameters
    ----------
    path
        File to read.
    spans
        Spans of Unix seconds; None reads the whole file. Records around them come too:
        whoever asks compares times, since a line may have two.
    zone
        Zone of lines that carry none.
    needles
        Bytes of which a head line must hold one.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if spans is None or size <= _SEEK_FROM:
            yield from _records(file, 0, size, None, zone, needles)
            return
        done = 0
        for low, high in _merged(spans):
            start = max(done, _offset_before(file, size, low - _REPEATED_S - _DISORDER_S, zone))
            done = yield from _records(file, start, size, high + _DISORDER_S, zone, needles)


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
    needles: Sequence[bytes],
) -> Generator[LogRecord, None, int]:
    """Records with a needle from the first whole line at ``start``; returns where it stopped."""
    held: LogRecord | None = None
    late = 0
    offset = start
    for offset, block in _blocks(file, start, end):
        at = 0
        if held is not None:
            at = _follow(block, 0, held)
            if at == len(block):
                continue
            yield held
            held = None
        if until is not None:
            time = _first_time(block, at, zone)
            # one wild clock must not end the search, two in a row are the end of the span
            late = late + 1 if time is not None and time > until else 0
            if late == 2:
                return offset
        for head in _heads(block, needles):
            body = block.find(b"\n", head) + 1 or len(block)
            record = LogRecord(shown_line(block[head:body]), [])
            if _follow(block, body, record) == len(block):
                held = record  # what follows may go on in the next block
            else:
                yield record
    if held is not None:
        yield held
    return end


def _blocks(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines with their offsets; of a very long line only its beginning."""
    file.seek(max(0, start - 1))
    if start > 0:
        _line(file)
        start = file.tell()
    carry, offset, too_long = b"", start, False
    while start < end:
        block = file.read(min(_BLOCK, end - start))
        if not block:
            break
        start += len(block)
        if too_long:
            newline = block.find(b"\n")
            if newline < 0:
                continue
            block, too_long = block[newline:], False
        block = carry + block
        whole = block.rfind(b"\n") + 1
        if whole:
            yield offset, block[:whole]
            offset = start - (len(block) - whole)
        carry = block[whole:]
        if len(carry) > MAX_LINE_BYTES:
            carry, too_long = carry[: MAX_LINE_BYTES + 1], True
    if carry:
        yield offset, carry


def _heads(block: bytes, needles: Sequence[bytes]) -> list[int]:
    """Where the prefixed lines begin that hold a needle, in order."""
    found: set[int] = set()
    for needle in needles:
        at = block.find(needle)
        while at >= 0:
            found.add(block.rfind(b"\n", 0, at) + 1)
            newline = block.find(b"\n", at)
            at = -1 if newline < 0 else block.find(needle, newline)
    return sorted(head for head in found if _RECORD.match(block, head))


def _follow(block: bytes, at: int, record: LogRecord) -> int:
    """Add the unprefixed lines from ``at`` to a record; returns where the next head is."""
    while at < len(block) and _RECORD.match(block, at) is None:
        newline = block.find(b"\n", at) + 1 or len(block)
        if len(record.following) < _MAX_FOLLOWING:
            record.following.append(shown_line(block[at:newline]))
        at = newline
    return at


def _first_time(block: bytes, at: int, zone: tzinfo) -> float | None:
    for _ in range(_PROBE_LINES):
        newline = block.find(b"\n", at) + 1 or len(block)
        if _RECORD.match(block, at) is not None:
            times = line_times(block[at:newline].decode("utf-8", "replace"), zone)
            if times:
                return times[0]
        if newline == len(block):
            break
        at = newline
    return None


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
