"""One log line: its time, level and words, and whether it speaks of a given run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from types import MappingProxyType

from contimg_lab.times import unix_from_value

__all__ = ["ERROR_LEVELS", "LogLine", "RunKey", "belongs_to", "line_times", "parse_line"]

ERROR_LEVELS = frozenset({"CRITICAL", "ERROR", "FATAL", "SEVERE"})
"""Levels of a line that tells of an error (``SEVERE`` is CASA's word)."""

_LEVELS = ERROR_LEVELS | {"DEBUG", "INFO", "NOTICE", "TRACE", "WARN", "WARNING"}
_TIME = re.compile(
    r"\s*(\d{4}-\d{2}-\d{2})([T ])(\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?"
    r"(Z|[+-]\d{2}:?\d{2})?(?![\w:])",
    re.ASCII,
)
_LEVEL = re.compile(r"\s*\[?([A-Za-z]+)\]?(?=[\s:]|$):?\s*", re.ASCII)
_BRACKETED = re.compile(r"\[([A-Za-z_][\w.-]*)\]\s*")
_COLON = re.compile(r"([A-Za-z_][\w.-]*):(?:\s+|$)")
_BARE = re.compile(r"([A-Za-z_][\w.-]*)(?:\s+|$)")
_TAG = re.compile(r"\[([A-Za-z_]\w*)=([^\[\]]*)\]$")
_MS = re.compile(r"\.ms(?![A-Za-z0-9])")
_OTHER = "/another.ms"
_NO_TAGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LogLine:
    """What one line of a log says.

    Attributes
    ----------
    level
        Level in upper case; None where the line has none (a traceback, plain output).
    logger, message
        Name of the logger, and the text without time, level, logger and trailing tags.
    tags
        ``[name=value]`` at the end of a text line; every other value of a JSON line.
    times_unix
        Unix seconds (UTC): none, one, or both times that a line in the repeated hour of a
        clock change may mean. In a skipped hour it is the time that the old offset gives.
    is_json
        Whether the line is one JSON object.
    exception
        Traceback that a JSON line carries.
    """

    level: str | None
    logger: str | None
    message: str
    tags: Mapping[str, str] = field(default_factory=lambda: _NO_TAGS)
    times_unix: tuple[float, ...] = ()
    is_json: bool = False
    exception: str | None = None


@dataclass(frozen=True, slots=True)
class RunKey:
    """What a run's lines in shared logs are known by.

    Attributes
    ----------
    ms_path, run_id, group_id
        Measurement Set, id and group of sub-band files; the group None where unknown.
    window
        First and last Unix second of the run; None where unknown (then any time will do).
    longer_paths
        Paths of other Measurement Sets that begin with ``ms_path``: only needed where a
        space or such follows, since a longer *name* is told apart without them.
    """

    ms_path: str
    run_id: str
    group_id: str | None = None
    window: tuple[float, float] | None = None
    longer_paths: tuple[str, ...] = ()


def parse_line(line: str, zone: tzinfo) -> LogLine:
    """Take one line apart; a line of no known form is all message.

    Parameters
    ----------
    line
        A line with or without its newline.
    zone
        Zone of text lines that carry none; JSON lines without one are UTC.

    Examples
    --------
    >>> line = parse_line("2025-10-06T06:25:35Z INFO  imaging: cycle 1", UTC)
    >>> line.level, line.logger, line.message
    ('INFO', 'imaging', 'cycle 1')
    """
    line = line.rstrip("\r\n")
    if line.lstrip()[:1] == "{":
        parsed = _json_line(line)
        if parsed is not None:
            return parsed
    found = _TIME.match(line)
    if found is None:
        return LogLine(None, None, line)
    rest = line[found.end() :]
    level = logger = None
    named = _LEVEL.match(rest)
    if named is not None and named[1].upper() in _LEVELS:
        level = named[1].upper()
        rest = rest[named.end() :]
        # only the newer pipeline writes a naive time with T, and it always names the logger
        bare = _BARE.match(rest) if found[2] == "T" and found[5] is None else None
        name = _BRACKETED.match(rest) or _COLON.match(rest) or bare
        if name is not None:
            logger = name[1]
            rest = rest[name.end() :]
    message, tags = _split_tags(rest.strip())
    return LogLine(level, logger, message, tags, _times(found, zone))


def line_times(line: str, zone: tzinfo) -> tuple[float, ...]:
    """Only the times of a line, as `parse_line` would give them."""
    if line.lstrip()[:1] == "{":
        return parse_line(line, zone).times_unix
    found = _TIME.match(line)
    return () if found is None else _times(found, zone)


def belongs_to(line: LogLine, run: RunKey) -> bool:
    """Whether a line speaks of a run, whatever its time.

    It does where it names the MS's path as a whole, or a file inside the MS; or where its
    group is the run's and it names no other Measurement Set (a twin has the same group).
    """
    own = run.ms_path.rstrip("/")
    if own and line.tags.get("ms_path", "").rstrip("/") == own:
        return True
    text = "\n".join((line.message, line.exception or "", *line.tags.values()))
    for other in run.longer_paths:
        text = text.replace(other, _OTHER)
    if own and own in text and _whole(own).search(text):
        return True
    if run.group_id is None or line.tags.get("group_id") != run.group_id:
        return False
    base = own.rsplit("/", 1)[-1]
    return all(_bare_name(text, base, found.end()) for found in _MS.finditer(text))


def _json_line(line: str) -> LogLine | None:
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(held, dict):
        return None
    texts = {
        str(name): value if isinstance(value, str) else json.dumps(value)
        for name, value in held.items()
        if value is not None
    }
    when = held.get("timestamp", held.get("time"))
    unix = unix_from_value(when)
    level = texts.pop("level", texts.pop("levelname", "")).strip().upper() or None
    logger = texts.pop("logger", texts.pop("name", None))
    message = texts.pop("message", texts.pop("msg", texts.pop("event", "")))
    exception = texts.pop("exception", texts.pop("exc_info", None))
    for name in ("timestamp", "time"):
        texts.pop(name, None)
    return LogLine(
        level,
        logger,
        message,
        MappingProxyType(texts),
        () if unix is None else (unix,),
        True,
        exception,
    )


def _times(found: re.Match[str], zone: tzinfo) -> tuple[float, ...]:
    day, _, clock, fraction, offset = found.groups()
    digits = f".{fraction[:6].ljust(6, '0')}" if fraction else ""
    try:
        if offset is not None:
            return (datetime.fromisoformat(f"{day}T{clock}{digits}{offset}").timestamp(),)
        when = datetime.fromisoformat(f"{day}T{clock}{digits}").replace(tzinfo=zone)
        first, second = when.utcoffset(), when.replace(fold=1).utcoffset()
        if first is None:
            return ()
        start = (when.replace(tzinfo=UTC) - first).timestamp()
    except (ValueError, OverflowError):
        return ()
    if second is not None and first > second:
        return (start, start + (first - second) / timedelta(seconds=1))
    return (start,)


def _split_tags(text: str) -> tuple[str, Mapping[str, str]]:
    tags: dict[str, str] = {}
    while text.endswith("]"):
        opened = text.rfind("[")
        found = _TAG.match(text, opened) if opened >= 0 else None
        if found is None:
            break
        tags.setdefault(found[1], found[2])
        text = text[:opened].rstrip()
    return text, MappingProxyType(tags) if tags else _NO_TAGS


@lru_cache(maxsize=4096)
def _whole(path: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.~%+-]){re.escape(path)}(?![\w~+-]|\.\w)")


def _bare_name(text: str, base: str, end: int) -> bool:
    start = end - len(base)
    if start < 0 or not text.startswith(base, start):
        return False
    return start == 0 or not re.match(r"[\w./~-]", text[start - 1])
