"""Jobs: one row of ``jobs``, and the run of one Measurement Set that its rows make."""

from __future__ import annotations

from dataclasses import dataclass

from contimg_lab.records._fields import UNIX, column, damaged_field, required

__all__ = ["JobStep", "LogTail", "Provenance", "Run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStep:
    """One attempt at one step, as a row of ``jobs`` holds it."""

    id: int = required(None, "key of the row")
    type: str | None = column(None, "convert, calibrate, apply, image ...")
    status: str | None = column(None, "pending, running, done, completed, failed")
    ms_path: str | None = column(None, "Measurement Set that it worked on")
    params: str | None = column(None, "parameters (JSON)")
    logs: str | None = column(None, "its own log text, where it kept one")
    artifacts: str | None = column(None, "files it made (JSON)")
    created_at: float | None = column(UNIX, "when it was queued")
    started_at: float | None = column(UNIX, "when it started")
    finished_at: float | None = column(UNIX, "when it ended")
    damaged: tuple[str, ...] = damaged_field()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The processing of one Measurement Set: what people call a job."""

    run_id: str = required(None, "job-YYYY-MM-DD-HHMMSS, or job-<stem>")
    ms_path: str = required(None, "Measurement Set that it processed")
    night: str | None = column(None, "UTC date of the MS's start")
    hour: int | None = column("h", "UTC hour of the MS's start")
    status: str = required(None, "running, failed, pending, completed, or the pipeline's own word")
    cause: str | None = column(None, "kind of failure; None where nothing failed")
    message: str | None = column(None, "what went wrong, in the pipeline's words")
    cause_line: str | None = column(None, "line that showed the cause")
    cause_source: str | None = column(None, "where that line stood")
    step: str | None = column(None, "type of the step that decided")
    started_at: float | None = column(UNIX, "first start of the latest attempts")
    finished_at: float | None = column(UNIX, "last finish of the latest attempts")
    duration_s: float | None = column("s", "from first start to last finish, where both are known")
    attempts: int = required(None, "rows of the jobs table; 0 where ms_index alone makes the run")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail:
    """The last lines of a run's log, and which log that was.

    ``source`` is ``jobs.logs`` (the row's own text), ``file`` (``{run_id}.log``),
    ``shared`` (the run's lines from the shared rotating files) or ``none``.
    """

    run_id: str = required(None, "run that was asked for")
    source: str = required(None, "jobs.logs, file, shared or none")
    files: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    truncated: bool = False
    why: str = required(None, "which log this is, in words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What one run links together."""

    run_id: str = required(None, "run")
    ms_path: str = required(None, "Measurement Set")
    applied_paths: tuple[str, ...] = ()
    cal_table: str | None = column(None, "primary (bandpass) cal table by validity")
    cal_state: str = required(None, "inside, nearest, none or unknown")
    cal_distance_hours: float | None = column(
        "h", "from the MS's mid time to the window's midpoint"
    )
    pointing_ra_deg: float | None = column("deg", "right ascension (ICRS)")
    pointing_dec_deg: float | None = column("deg", "declination (ICRS)")
    image_paths: tuple[str, ...] = ()
    stage_grade: str = required(None, "the older system's grade by stage: good, warn or fail")
    log_file: str | None = column(None, "its own log file, where there is one")
    created_at: float | None = column(UNIX, "when the MS's row was made")
