"""Who fails, who waits, and when each step of each run was queued, started and finished."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from contimg_lab.demo.faults import ALL_FLAGGED, FAILURES, LAST_NIGHT, SILENT, Failure
from contimg_lab.demo.ms import DURATION_S, Attempt, Ms
from contimg_lab.demo.plan import Plan
from contimg_lab.demo.season import stream
from contimg_lab.demo.truth import PlantedFault

__all__ = ["CalSet", "Processed", "process", "process_night"]

_TYPES = ("K", "BA", "BP", "GA", "GP")
_OLD_TYPES = ("K", "BP", "G")
_NOISY_JY = (0.06, 0.099)
_BACKLOG_EVERY, _BACKLOG_S = 5, 4200.0
_RETRIED = (1, 5, 10, 0, 9, 3)  # places in FAILURES of what went away on the second try


@dataclass(slots=True, kw_only=True)
class CalSet:
    """Tables solved from one calibrator MS."""

    name: str
    ms: Ms
    types: tuple[str, ...]
    created_unix: float
    status: str = "active"
    notes: str | None = None
    version: int = 1

    def table_path(self, table_type: str) -> str:
        """Path of one table of the set."""
        name = self.ms.calibrator.name if self.ms.calibrator else ""
        tail = f"_v{self.version}" if self.version > 1 else ""
        return f"/stage/dsa110-contimg/cal/{self.ms.group_id}_{name}{tail}_{table_type.lower()}cal"


@dataclass(slots=True, kw_only=True)
class Processed:
    """A season after the pipeline went over it."""

    plan: Plan
    sets: list[CalSet]
    applied: dict[int, CalSet]
    faults: list[PlantedFault] = field(default_factory=list)

    @property
    def runs(self) -> list[Ms]:
        """Every MS, in order of start."""
        both = [*self.plan.reference, *self.plan.science]
        return sorted(both, key=lambda ms: (ms.start_unix, ms.path))

    def attempts(self) -> list[tuple[Ms, Attempt]]:
        """Every try at a step in order of being queued, which is the order of job ids."""
        found = [(ms, attempt) for ms in self.runs for attempt in ms.attempts]
        return sorted(found, key=lambda pair: (pair[1].created_unix, pair[0].path, pair[1].step))


def process(plan: Plan) -> Processed:
    """Let the pipeline run over a plan, with everything that goes wrong."""
    faults = _assign(plan)
    for ms in plan.reference:
        _calibrate(plan, ms)
    sets, applied = _solve(plan)
    for ms in plan.science:
        _image(plan, ms, applied.get(ms.night))
    return _numbered(Processed(plan=plan, sets=sets, applied=applied, faults=faults))


def process_night(plan: Plan, night: int) -> Processed:
    """Let the pipeline run over one night beyond the season: some runs fail, all of them end."""
    draw = stream(plan.season, "faults beyond", night)
    chosen = draw.permutation(np.arange(2, len(plan.science) - 2))
    retried = replace(FAILURES[_RETRIED[night % len(_RETRIED)]], attempts=1)
    for place, failure in zip(chosen.tolist(), (*LAST_NIGHT, retried), strict=False):
        ms = plan.science[place]
        ms.failure = failure
        ms.outcome = "imaged" if failure is retried else "failed"
    for ms in plan.reference:
        _calibrate(plan, ms)
    sets, applied = _solve(plan)
    for ms in plan.science:
        _image(plan, ms, applied.get(night))
    return _numbered(Processed(plan=plan, sets=sets, applied=applied))


def _numbered(done: Processed) -> Processed:
    for number, (_, attempt) in enumerate(done.attempts(), start=1):
        attempt.job_id = number
    return done


def _assign(plan: Plan) -> list[PlantedFault]:
    """Choose the tiles that fail, are noisy, wait or go lost; say what was planted."""
    season, special = plan.season, plan.special
    faults: list[PlantedFault] = []
    by_night: dict[int, list[Ms]] = {}
    for ms in (ms for ms in plan.science if not ms.twin):
        by_night.setdefault(ms.night, []).append(ms)
    draw = stream(season, "faults")
    ordinary = [k for k in by_night if k not in (special.blind, special.last)]

    def pick(night: int) -> Ms:
        free = [
            ms for ms in by_night[night]
            if ms.outcome == "imaged" and not ms.noisy and not ms.attempts
        ][:-2]  # fmt: skip
        return free[int(draw.integers(len(free)))]

    def spread(number: int, of: int) -> int:
        return ordinary[int((number + 0.5) * len(ordinary) / of)]

    def fail(ms: Ms, failure: Failure) -> None:
        ms.outcome, ms.failure = "failed", failure
        faults.append(_fault(plan, "failed_run", ms, failure.cause, f"at step {failure.step}"))

    for number, failure in enumerate((*FAILURES, SILENT)):
        fail(pick(spread(number, len(FAILURES) + 1)), failure)
    for failure in LAST_NIGHT:
        fail(pick(special.last), failure)
    for number, which in enumerate(_RETRIED):
        ms = pick(spread(number, len(_RETRIED)))
        ms.failure = replace(FAILURES[which], attempts=1)
        faults.append(_fault(plan, "retried_run", ms, ms.failure.cause, "second try went well"))
    for night in (spread(0, 3), spread(1, 3), spread(2, 3), special.last, special.last):
        ms = pick(night)
        ms.noise_jy, ms.noisy = float(draw.uniform(*_NOISY_JY)), True
        faults.append(_fault(plan, "noisy_image", ms, None, f"{ms.noise_jy * 1000:.1f} mJy/beam"))
    for ms in by_night[special.blind]:
        ms.outcome = "skipped"
    *_, running, pending = by_night[special.last]
    running.outcome, pending.outcome = "running", "pending"
    for ms in plan.reference:
        early = ms.calibrator == plan.calibrators[0]
        if ms.night == special.blind or (ms.night == special.fallback and early):
            fail(ms, ALL_FLAGGED)
    return faults + _night_faults(plan)


def _night_faults(plan: Plan) -> list[PlantedFault]:
    special = plan.special
    told = [
        ("no_calibration", special.blind, "no set within 12 h: every tile is skipped"),
        ("withdrawn_set", special.withdrawn, "its set was retired later and never replaced"),
        ("retired_set", special.resolved, "solved twice: the first set is retired"),
        ("late_set", special.fallback, "set of the second calibrator, 5.5 to 8.5 h later"),
        ("flux_scale", special.low_scale, "one hour recorded at 0.70 of the true flux"),
    ]
    told += [
        ("hole", night, f"{delay / 60.0:.1f} min more between two tiles")
        for night, (_, delay) in sorted(special.holes.items())
    ]
    return [PlantedFault(kind=k, night=plan.date(n), detail=text) for k, n, text in told]


def _fault(plan: Plan, kind: str, ms: Ms, cause: str | None, detail: str) -> PlantedFault:
    image = ms.image_path if kind == "noisy_image" else None
    return PlantedFault(
        kind=kind, cause=cause, night=f"{ms.when:%Y-%m-%d}", ms_path=ms.path,
        image_path=image, detail=detail,
    )  # fmt: skip


def _run(
    ms: Ms, step: str, at_unix: float, draws: np.ndarray, wall_s: float, word: str
) -> float | None:
    """Add the tries at one step; None where the run ends there."""
    failure = ms.failure if ms.failure is not None and ms.failure.step == step else None
    lost = failure is not None and ms.outcome == "failed"
    tries = 0 if failure is None else failure.attempts
    at = at_unix
    for number in range(tries):
        wall = 1800.0 if failure and failure.cause == "timeout" else wall_s * (0.3 + draws[0] / 2)
        start = at + 2.0 + 30.0 * draws[1]
        ms.attempts.append(
            Attempt(step=step, status="failed", created_unix=at, started_unix=start,
                    finished_unix=start + wall, failure=failure)
        )  # fmt: skip
        at = start + wall + 60.0 * 2.0**number
    if lost:
        return None
    start = at + 2.0 + 30.0 * float(draws[1])
    end = start + wall_s * float(0.7 + 0.6 * draws[2])
    ms.attempts.append(
        Attempt(step=step, status=word, created_unix=at, started_unix=start, finished_unix=end)
    )
    return end + 3.0


def _begin(plan: Plan, ms: Ms, subject: str) -> tuple[np.ndarray, str, float | None]:
    draws = stream(plan.season, subject, ms.key).random(12)
    word = "done" if draws[11] < 0.5 else "completed"
    backlog = _BACKLOG_S * (ms.night % _BACKLOG_EVERY == 0)
    at = ms.start_unix + DURATION_S + 900.0 + 1500.0 * draws[0] + backlog
    return draws, word, _run(ms, "convert", at, draws[1:4], 280.0, word)


def _calibrate(plan: Plan, ms: Ms) -> None:
    draws, word, at = _begin(plan, ms, "calibration run")
    if at is not None:
        _run(ms, "calibrate", at, draws[4:7], 700.0, word)


def _solve(plan: Plan) -> tuple[list[CalSet], dict[int, CalSet]]:
    special = plan.special
    split = plan.season.layout != "unified"
    sets: list[CalSet] = []
    applied: dict[int, CalSet] = {}
    for ms in plan.reference:
        if ms.night == special.blind or ms.calibrator is None:
            continue
        types = _OLD_TYPES if split else _TYPES + ("2G",) * (ms.night % 4 == 3)
        made = ms.attempts[-1].finished_unix or 0.0
        name = f"{ms.when:%Y-%m-%d}_{ms.calibrator.name}"
        one = CalSet(name=name, ms=ms, types=types, created_unix=made)
        sets.append(one)
        if ms.outcome == "failed":
            one.status, one.notes = "failed", "all solutions flagged"
            continue
        if ms.night == special.withdrawn:
            one.status, one.notes = "retired", "wrong reference antenna, found too late"
        if ms.night == special.resolved:
            one.status, one.notes = "retired", "replaced by the second solve"
            one = CalSet(
                name=f"{name}_v2", ms=ms, types=types, created_unix=made + 1500.0, version=2
            )
            sets.append(one)
        applied[ms.night] = one
    return sets, applied


def _image(plan: Plan, ms: Ms, cal_set: CalSet | None) -> None:
    draws, word, at = _begin(plan, ms, "run")
    if at is None or ms.outcome == "skipped" or cal_set is None:
        return
    at = max(at, cal_set.created_unix + 30.0 + 600.0 * draws[4])
    if ms.outcome == "pending":
        ms.attempts.append(Attempt(step="apply", status="pending", created_unix=at))
        return
    at = _run(ms, "apply", at, draws[5:8], 320.0, word)
    if at is None:
        return
    if ms.outcome == "running":
        ms.attempts.append(
            Attempt(step="image", status="running", created_unix=at, started_unix=at + 8.0)
        )
        return
    _run(ms, "image", at, draws[8:11], 480.0, word)
