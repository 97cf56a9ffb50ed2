"""Write log files: one a run in a tidy season, shared rotating ones in local time else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from contimg_lab.demo.loglines import LOGGER_ROOT, LogLine, lines_of
from contimg_lab.demo.processing import Processed
from contimg_lab.demo.season import stream
from contimg_lab.times import datetime_from_unix

__all__ = ["LOG_ZONE", "write_run_logs", "write_shared_logs"]

LOG_ZONE = "America/Los_Angeles"
_ORDINARY_EVERY = 80
_OWN_LOG_EVERY = 5
_ROTATED = {"pipeline": 3, "imaging": 3}


def write_run_logs(folder: Path, done: Processed, *, every: int = 1) -> None:
    """Write ``{run_id}.log``, in UTC, for runs that failed or were retried and a few others.

    Parameters
    ----------
    folder
        Where the files go.
    done
        The season.
    every
        Only every so many of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    telling = [
        ms for number, ms in enumerate(done.runs)
        if ms.failure is not None or (every == 1 and number % _ORDINARY_EVERY == 0)
    ]  # fmt: skip
    for ms in telling[::every]:
        lines = lines_of(done, ms)
        if lines and not (ms.failure is not None and not ms.failure.message):
            text = "".join(_utc_text(line) for line in lines)
            (folder / f"{ms.run_id}.log").write_text(text, encoding="utf-8")


def write_shared_logs(folder: Path, done: Processed) -> None:
    """Write the rotating files of a site: text in its local time, conversion as JSON in UTC."""
    folder.mkdir(parents=True, exist_ok=True)
    zone = ZoneInfo(LOG_ZONE)
    kept = {ms.path for ms in done.runs if ms.failure is not None}
    own = {ms.path for ms in [ms for ms in done.runs if ms.failure is not None][::_OWN_LOG_EVERY]}
    write_run_logs(folder, done, every=_OWN_LOG_EVERY)
    lines = [line for ms in done.runs if ms.path not in own for line in lines_of(done, ms)]
    lines.sort(key=lambda line: line.at_unix)
    files: dict[str, list[str]] = {}
    for line in lines:
        category = line.module.split(".", 1)[0]
        tagged = line.ms.position % 6 != 4 or line.ms.path in kept
        if category == "conversion":
            files.setdefault(category, []).append(_json_text(line))
            text = ""
        else:
            text = _local_text(line, zone, tagged=tagged)
            files.setdefault(category, []).append(text)
        if line.level == "ERROR":
            files.setdefault("error", []).append(text or _local_text(line, zone, tagged=True))
    files.setdefault("database", []).extend(_checkpoints(done, zone))
    files["database"].sort()
    for category, texts in files.items():
        _rotate(folder, category, texts, _ROTATED.get(category, 1))


def _rotate(folder: Path, category: str, texts: list[str], count: int) -> None:
    """The newest lines in ``.log``, older ones in ``.log.1``, ``.log.2``."""
    size = -(-len(texts) // count)
    for number in range(count):
        part = texts[number * size : (number + 1) * size]
        age = count - 1 - number
        name = f"{category}.log" + (f".{age}" if age else "")
        (folder / name).write_text("".join(part), encoding="utf-8")


def _utc_text(line: LogLine) -> str:
    at = datetime_from_unix(line.at_unix)
    head = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z {line.level}"
    return _text(f"{head} [{LOGGER_ROOT}.{line.module}] {line.message}", line.trace)


def _local_text(line: LogLine, zone: ZoneInfo, *, tagged: bool) -> str:
    head = f"{_stamp(line.at_unix, zone)} {line.level} [{LOGGER_ROOT}.{line.module}]"
    tail = f" [group_id={line.ms.group_id}]" if tagged else ""
    return _text(f"{head} {line.message}{tail} [stage={line.stage}]", line.trace)


def _json_text(line: LogLine) -> str:
    at = datetime_from_unix(line.at_unix)
    kept = {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}Z",
        "level": line.level,
        "logger": f"{LOGGER_ROOT}.{line.module}",
        "message": line.message,
        "module": line.module.rsplit(".", 1)[-1],
        "function": "run",
        "line": 80 + line.ms.position,
        "group_id": line.ms.group_id,
        "pipeline_stage": line.stage,
        "ms_path": line.ms.path,
    }
    if line.trace:
        kept["exception"] = "\n".join(line.trace)
    return json.dumps(kept) + "\n"


def _text(head: str, trace: Iterable[str]) -> str:
    return "\n".join((head, *trace)) + "\n"


def _stamp(unix_s: float, zone: ZoneInfo) -> str:
    local: datetime = datetime_from_unix(unix_s).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S},{local.microsecond // 1000:03d}"


def _checkpoints(done: Processed, zone: ZoneInfo) -> list[str]:
    draw = stream(done.plan.season, "checkpoints")
    start = datetime_from_unix(done.plan.first_unix)
    hours = sorted(24.0 * done.plan.season.nights * draw.random(6 * done.plan.season.nights))
    return [
        f"{_stamp((start + timedelta(hours=h)).timestamp(), zone)} INFO "
        f"[{LOGGER_ROOT}.database.session] checkpoint done, no frames left\n"
        for h in hours
    ]
