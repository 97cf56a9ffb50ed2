"""What the pipeline says while it works: log lines of a run, without a file or a zone yet."""

from __future__ import annotations

from dataclasses import dataclass

from contimg_lab.demo.ms import Attempt, Ms
from contimg_lab.demo.processing import Processed
from contimg_lab.times import unix_from_mjd

__all__ = ["LOGGER_ROOT", "STAGES", "LogLine", "lines_of"]

LOGGER_ROOT = "dsa110_contimg"
STAGES = {
    "convert": "conversion",
    "calibrate": "calibration_solve",
    "apply": "calibration",
    "image": "imaging",
}
"""Step of a job, and the word that its stage writes."""
_SOURCE = "/stage/dsa110-contimg/src/dsa110_contimg"
_CYCLES = (0.61, 0.152, 0.068)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line: Unix seconds, level, module, message, and the traceback that follows it."""

    at_unix: float
    level: str
    module: str
    message: str
    ms: Ms
    stage: str
    trace: tuple[str, ...] = ()


def lines_of(done: Processed, ms: Ms) -> list[LogLine]:
    """All that is said about one run, in order of time."""
    found: list[LogLine] = []
    for attempt in ms.attempts:
        if attempt.started_unix is not None:
            found += _attempt(done, ms, attempt)
    if ms.outcome == "skipped" and ms.attempts[-1].finished_unix is not None:
        message = f"no active caltables near MJD {ms.mid_mjd:.5f}, {ms.path} left out"
        at = ms.attempts[-1].finished_unix + 20.0
        found.append(
            LogLine(at_unix=at, level="WARNING", module="imaging.worker", message=message,
                    ms=ms, stage="calibration")
        )  # fmt: skip
    return sorted(found, key=lambda line: line.at_unix)


def _attempt(done: Processed, ms: Ms, attempt: Attempt) -> list[LogLine]:
    start = attempt.started_unix or 0.0
    end = attempt.finished_unix
    stage = STAGES[attempt.step]
    failed = attempt.status == "failed"
    if failed and attempt.failure is not None and not attempt.failure.message:
        return []
    lines: list[LogLine] = []

    def say(at: float, module: str, message: str, level: str = "INFO") -> None:
        lines.append(
            LogLine(at_unix=at, level=level, module=module, message=message, ms=ms, stage=stage)
        )

    say(start, "pipeline.orchestrator", f"{stage} begins: {ms.path}")
    if end is None:
        return lines
    wall = end - start
    if not failed or attempt.step == "image":
        for part, module, message, level in _work(done, ms, attempt.step):
            if not (failed and part > 0.8):
                say(start + part * wall, module, message, level)
    if failed and attempt.failure is not None:
        message, exception = attempt.failure.texts(ms.path, ms.group_id, ms.mid_mjd)
        module = attempt.failure.module
        trace: tuple[str, ...] = ()
        if exception:
            trace = (
                "Traceback (most recent call last):",
                f'  File "{_SOURCE}/{module.replace(".", "/")}.py", line {80 + ms.position}, '
                "in run",
                "    self._step(context)",
                exception,
            )
        lines.append(
            LogLine(at_unix=end - 0.5, level="ERROR", module=module, message=message, ms=ms,
                    stage=stage, trace=trace)
        )  # fmt: skip
    else:
        say(
            end, "pipeline.orchestrator",
            f"{stage} ends after {wall:.1f} s: {ms.path}",
        )  # fmt: skip
    return lines


def _work(done: Processed, ms: Ms, step: str) -> list[tuple[float, str, str, str]]:
    """Part of the wall time, module, message and level of what a step says on its way."""
    cal_set = done.applied.get(ms.night)
    if step == "convert":
        return [
            (0.05, "conversion.streaming", f"group {ms.group_id} is whole, 16 subbands", "INFO"),
            (0.98, "conversion.writer", f"MS written: {ms.path}", "INFO"),
        ]
    if step == "calibrate":
        name = ms.calibrator.name if ms.calibrator else ""
        return [
            (0.4, "calibration.solve", f"delays of {name} on {ms.path}: 96 antennas", "INFO"),
            (0.97, "calibration.solve", f"tables of {name} registered, 28 % flagged", "INFO"),
        ]
    if step == "apply" and cal_set is not None:
        hours = abs(ms.start_unix - unix_from_mjd(cal_set.ms.start_mjd)) / 3600.0
        told: list[tuple[float, str, str, str]] = []
        if hours > 1.0:
            level = "WARNING" if hours > 6.0 else "INFO"
            text = f"{ms.path}: no window holds it, nearest set {cal_set.name} at {hours:.1f} h"
            told.append((0.03, "calibration.applycal", text, level))
        text = f"{len(cal_set.types)} tables of {cal_set.name} applied to {ms.path}"
        return [*told, (0.95, "calibration.applycal", text, "INFO")]
    cycles = [
        (0.2 * (number + 1), "imaging.wsclean",
         f"cycle {number + 1} of {len(_CYCLES)}, residual peak {peak:.4f} Jy/beam",
         "DEBUG" if number == 1 else "INFO")
        for number, peak in enumerate(_CYCLES)
    ]  # fmt: skip
    return [
        (0.02, "imaging.wsclean", f"wsclean starts on {ms.path}, 2400 pixels of 6 arcsec", "INFO"),
        *cycles,
        (0.97, "imaging.worker",
         f"{ms.path} imaged, noise {ms.noise_jy * 1000.0:.2f} mJy/beam", "INFO"),
    ]  # fmt: skip
