"""Errors in a text: the message lines and final exception of each, in order of appearance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC

from contimg_lab.analysis.loglines import ERROR_LEVELS, LogLine, parse_line

__all__ = ["ErrorRecord", "error_records", "quiet_lines"]

_TRACEBACK = "Traceback (most recent call last)"
_CHAINED = ("During handling of the above", "The above exception was the direct cause")
_SHAPED = re.compile(
    r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Expired|Exit|Interrupt)(?::|\s*$)"
)
_NAMED = re.compile(r"[A-Za-z_][\w.]*(?::|\s*$)")
_CODE_TAGS = frozenset({"exit_code", "exitcode", "exit_status", "return_code", "returncode"})
_MAX_LINE = 4000
_CUT = " … "


@dataclass(slots=True)
class ErrorRecord:
    """One error: what its line said, and the last exception of the traceback below it."""

    levelled: bool
    messages: list[tuple[str, str]] = field(default_factory=list)  # (words, line as written)
    exception: str | None = None
    codes: list[str] = field(default_factory=list)
    in_traceback: bool = False

    def lines(self) -> Iterator[tuple[str, str]]:
        """Every (words, line as written), the exception last."""
        yield from self.messages
        if self.exception is not None:
            yield self.exception, self.exception


def error_records(text: str) -> list[ErrorRecord]:
    """Errors of a text in order: error lines, tracebacks, and lines that carry no level.

    A line of level WARNING or below is no error, nor is what follows a warning unprefixed.
    """
    records: list[ErrorRecord] = []
    current: ErrorRecord | None = None
    after = ""  # level of the last prefixed line that was no error
    for raw in text.split("\n"):
        written = _shorten(raw.strip("\r\0 \t"))
        if not written:
            continue
        line = parse_line(raw, UTC)
        if line.level is not None and line.level not in ERROR_LEVELS:
            current, after = None, line.level
            continue
        if line.level is not None or line.is_json:
            current, after = _from_line(line, written), ""
            records.append(current)
            continue
        indented = raw[:1] in " \t"
        starts = written.startswith(_TRACEBACK) or (not indented and _SHAPED.match(written))
        if current is None:
            # plain output after an INFO line may be anything; an exception never is
            if after.startswith("WARN") or (after and not starts):
                continue
            current = ErrorRecord(levelled=False)
            records.append(current)
        elif (
            not current.levelled and current.exception is not None and not current.in_traceback
        ) and not _continues(written, indented):
            current = ErrorRecord(levelled=False)
            records.append(current)
        _follow(current, _shorten(line.message.strip()), written, indented)
    return records


def quiet_lines(text: str) -> Iterator[tuple[str, str]]:
    """Every (words, line as written) of the lines that tell of no error."""
    for raw in text.split("\n"):
        line = parse_line(raw, UTC)
        if line.level is not None and line.level not in ERROR_LEVELS:
            yield _shorten(line.message), _shorten(raw.strip())


def _shorten(text: str) -> str:
    """Keep both ends: a long command's exit status stands at its end."""
    if len(text) <= 2 * _MAX_LINE:
        return text
    return text[:_MAX_LINE] + _CUT + text[-_MAX_LINE:]


def _from_line(line: LogLine, written: str) -> ErrorRecord:
    record = ErrorRecord(levelled=line.level is not None)
    shown = _shorten(line.message or written) if line.is_json else written
    for part in line.message.split("\n"):
        if part.strip():
            record.messages.append((_shorten(part.strip()), shown.split("\n")[0]))
    record.codes = [f"{name}={line.tags[name]}" for name in line.tags if name in _CODE_TAGS]
    if record.codes and not record.messages:
        record.messages.append(("", written))
    if line.exception:
        ends = [
            _shorten(part.strip())
            for part in line.exception.split("\n")
            if part.strip() and part[:1] not in " \t" and not part.startswith(_CHAINED)
        ]
        shaped = [end for end in ends if _SHAPED.match(end)]
        if ends and not ends[-1].startswith(_TRACEBACK):
            record.exception = (shaped or ends)[-1]
    return record


def _continues(written: str, indented: bool) -> bool:
    return indented or written.startswith((_TRACEBACK, *_CHAINED))


def _follow(record: ErrorRecord, words: str, written: str, indented: bool) -> None:
    if written.startswith(_TRACEBACK):
        record.in_traceback = True
    elif written.startswith(_CHAINED) or (indented and _indented_is_code(record, written)):
        return
    elif _SHAPED.match(written) or (record.in_traceback and _NAMED.match(written)):
        record.exception = written
        record.in_traceback = False
    elif record.exception is None and not record.in_traceback:
        record.messages.append((words, written))


def _indented_is_code(record: ErrorRecord, written: str) -> bool:
    return record.in_traceback or written.startswith('File "') or record.exception is not None
