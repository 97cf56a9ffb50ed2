"""Run ids, stages, and what decides the status of a run."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contimg_lab.analysis.runs import (
    decide,
    latest_attempts,
    ms_times,
    night_hour,
    run_ids,
    stage_grade,
    stage_rank,
    valid_run_id,
)
from contimg_lab.records._fields import read
from contimg_lab.records.jobs import JobStep
from contimg_lab.records.ms import MeasurementSet

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
T0 = 1761112829.0
HALF_D = 155.0 / 86400.0

STEMS = st.sampled_from(
    [
        "2025-10-22T06:42:22",
        "2025-10-22T06-42-22",
        "2025-10-22T06:42:22_selfcal",
        "2025-10-22-064222",
        "2025-10-22-064222.2",
        "2025-10-22-064222.3",
        "2025-10-22T06:42-22",
        "2025-02-30T06:42:22",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59",
        "a b",
        "a:b",
        "a-b",
        "",
        "..",
        "x" * 400,
    ]
)
PATHS = st.builds(
    lambda folder, stem, end: f"{folder}{stem}{end}",
    st.sampled_from(["/ms/", "/ms/science/", "", "/ms/odd names/"]),
    STEMS | st.text(max_size=30),
    st.sampled_from([".ms", ".ms/", "", ".ms.2"]),
)


def step(id: int, type: str | None, status: str | None, **more: Any) -> JobStep:
    return JobStep(id=id, type=type, status=status, **more)


def done(id: int, type: str, start: float | None, end: float | None) -> JobStep:
    return step(id, type, "done", started_at=start, finished_at=end)


def ms(status: str | None, stage: str | None = None, **more: Any) -> MeasurementSet:
    return MeasurementSet(path=more.pop("path", "/ms/x.ms"), status=status, stage=stage, **more)


@given(st.lists(PATHS, max_size=30), st.randoms(use_true_random=False))
@example(
    ["/a/2025-10-22T06:42:22.ms", "/b/2025-10-22T06:42:22.ms", "2025-10-22-064222.2.ms"],
    random.Random(0),
)
def test_ids_are_one_to_one(paths: list[str], shuffler: random.Random) -> None:
    """Every MS has its own valid run id, whatever the order or repetition of the paths."""
    ids = run_ids(paths)
    assert set(ids) == set(paths)
    assert len(set(ids.values())) == len(ids)
    assert all(valid_run_id(run_id) for run_id in ids.values())
    again = [*paths, *paths[:3]]
    shuffler.shuffle(again)
    assert run_ids(again) == ids


def test_id_is_the_time_in_the_name() -> None:
    """A name's start time gives the id, in either form and with a suffix when it is alone."""
    assert run_ids(["/m/2025-11-30T01:23:45.ms", "/m/2025-11-30T02-23-45.ms"]) == {
        "/m/2025-11-30T01:23:45.ms": "job-2025-11-30-012345",
        "/m/2025-11-30T02-23-45.ms": "job-2025-11-30-022345",
    }
    assert run_ids(["/m/2025-11-02T07:28:04_meridian.ms/"]) == {
        "/m/2025-11-02T07:28:04_meridian.ms/": "job-2025-11-02-072804"
    }


def test_name_without_a_time_gives_its_stem() -> None:
    """A name without a real time gives ``job-<stem>``, unsafe characters replaced by ``-``."""
    ids = run_ids(["/m/field B0329 é.ms", "/m/stack_2025-10-31.ms", "/m/2025-02-30T01:02:03.ms"])
    assert list(ids.values()) == [
        "job-2025-02-30T01-02-03",
        "job-field-B0329--",
        "job-stack_2025-10-31",
    ]


def test_twin_leaves_the_short_id_to_the_plain_name() -> None:
    """Of several MS of one time only the name that is the time alone has the short id."""
    plain, twin, other = (f"/m/2025-10-22T06:42:22{s}.ms" for s in ("", "_selfcal", "_b"))
    assert run_ids([twin, plain]) == {
        plain: "job-2025-10-22-064222",
        twin: "job-2025-10-22T06-42-22_selfcal",
    }
    assert run_ids([twin, other]) == {
        twin: "job-2025-10-22T06-42-22_selfcal",
        other: "job-2025-10-22T06-42-22_b",
    }


def test_clash_is_numbered_in_order_of_path() -> None:
    """Names that still clash get ``.2``, ``.3`` in path order, and never an id in use."""
    paths = [f"/{folder}/2025-10-22T06:42:22.ms" for folder in "cab"]
    assert run_ids([*paths, "/z/2025-10-22-064222.2.ms", "/0/2025-10-22-064222.ms"]) == {
        "/a/2025-10-22T06:42:22.ms": "job-2025-10-22-064222",
        "/z/2025-10-22-064222.2.ms": "job-2025-10-22-064222.2",
        "/0/2025-10-22-064222.ms": "job-2025-10-22-064222.3",
        "/b/2025-10-22T06:42:22.ms": "job-2025-10-22-064222.4",
        "/c/2025-10-22T06:42:22.ms": "job-2025-10-22-064222.5",
    }


@pytest.mark.parametrize(
    "text", ["", ".", "..", "../x", "a/b", "a b", "a\n", "é", "job-%2e%2e", "x" * 256, "a\0"]
)
def test_hostile_ids_are_refused(text: str) -> None:
    """An id that could leave its folder, or is no id at all, is refused."""
    assert not valid_run_id(text)


def test_stages_of_both_vocabularies_have_one_order() -> None:
    """The stages' own words and the web service's have one order; others have no place."""
    assert stage_rank("conversion") == stage_rank("Converted ") == 1
    assert stage_rank("calibration") == stage_rank("calibrated")
    assert stage_rank("IMAGING") == stage_rank("imaged")
    words = ["ingested", "converted", "calibration_solve", "calibrated", "selfcal", "imaged"]
    ranks = [stage_rank(word) for word in [*words, "mosaicked", "cataloged"]]
    assert ranks == list(range(8))
    assert stage_rank("rfi_excision") is stage_rank(None) is stage_rank("") is None


def test_stage_grade_is_the_older_systems() -> None:
    """Only the older system's own words are good or warn."""
    assert [stage_grade(s) for s in ("imaged", "mosaicked", "cataloged")] == ["good"] * 3
    assert stage_grade("calibrated") == "warn"
    assert {stage_grade(s) for s in ("imaging", "IMAGED", "converted", None, "?")} == {"fail"}


def test_only_the_latest_attempt_counts() -> None:
    """A step that failed and was repeated with success is completed."""
    steps = [step(5, "image", "done"), step(2, "image", "failed"), step(1, "apply", "completed")]
    assert [s.id for s in latest_attempts(steps)] == [1, 5]
    assert decide(ms("completed"), steps).status == "completed"


@pytest.mark.parametrize(
    ("words", "status", "deciding"),
    [
        (["failed", "running", "pending", "done"], "running", 2),
        (["done", "failed", "pending", "cancelled"], "failed", 2),
        (["pending", "cancelled", "done", "pending"], "pending", 4),
        (["cancelled", "paused", "completed", "done"], "paused", 2),
        (["completed", "done", "Completed", " DONE "], "completed", 4),
        (["failed", "FAILED", "done", "done"], "failed", 2),
        (["done", None, "done", "done"], "unknown", 2),
    ],
)
def test_worst_word_decides(words: list[str | None], status: str, deciding: int) -> None:
    """Running, failed, pending, unknown words, completed: the first of these decides."""
    steps = [step(i, f"t{i}", word) for i, word in enumerate(words, 1)]
    decision = decide(ms("completed", "imaged"), steps)
    assert (decision.status, decision.step) == (status, f"t{deciding}")
    assert decision.deciding is not None
    assert decision.deciding.id == deciding
    assert not decision.from_ms_index


@pytest.mark.parametrize("word", ["failed", "skipped_no_caltables", "skipped_rfi"])
def test_lost_night_does_not_look_clean(word: str) -> None:
    """Where all steps are done but ms_index says failed or skipped, that word wins."""
    decision = decide(ms(word, "conversion"), [done(1, "apply", T0, T0 + 5)])
    assert (decision.status, decision.step, decision.deciding) == (word, "conversion", None)
    assert decision.from_ms_index
    assert (decision.started_at, decision.finished_at, decision.duration_s) == (T0, T0 + 5, 5.0)
    running = decide(ms(word, "conversion"), [step(1, "apply", "running")])
    assert running.status == "running"


@pytest.mark.parametrize(
    ("status", "stage", "expected"),
    [
        ("done", None, "completed"),
        ("completed", "converted", "completed"),
        ("converted", "conversion", "pending"),
        ("processing", "conversion", "running"),
        ("failed", "imaged", "failed"),
        ("pending", None, "pending"),
        ("awaiting_review", "rfi_excision", "awaiting_review"),
        ("skipped_no_caltables", "converted", "skipped_no_caltables"),
        (None, "imaging", "completed"),
        (None, "cataloged", "completed"),
        ("", "selfcal", "pending"),
        (None, None, "pending"),
        (None, "rfi_excision", "pending"),
    ],
)
def test_without_jobs_rows_ms_index_decides(
    status: str | None, stage: str | None, expected: str
) -> None:
    """Without jobs rows the status, else the stage, of ms_index is the run's, without times."""
    decision = decide(ms(status, stage, processed_at=T0), ())
    assert (decision.status, decision.step) == (expected, stage)
    assert decision.from_ms_index
    assert decision.started_at is decision.finished_at is decision.duration_s is None


def test_times_are_those_of_the_latest_attempts() -> None:
    """Start is the first, finish the last, of the latest attempts only."""
    steps = [
        step(1, "image", "failed", started_at=T0 - 900, finished_at=T0 - 800),
        done(2, "apply", T0, T0 + 100),
        done(3, "image", T0 + 110, T0 + 300),
    ]
    decision = decide(None, steps)
    assert (decision.started_at, decision.finished_at) == (T0, T0 + 300)
    assert decision.duration_s == 300.0


@pytest.mark.parametrize(
    "odd",
    [
        done(3, "image", None, T0 + 300),
        done(3, "image", T0 + 110, None),
        done(3, "image", T0 + 110, T0 + 10),
        done(3, "image", float("nan"), T0 + 300),
        done(3, "image", 0.0, T0 + 300),
        done(3, "image", T0 + 110, float("inf")),
    ],
)
def test_duration_is_never_wrong(odd: JobStep) -> None:
    """Where a start or finish is missing, implausible or reversed there is no duration."""
    decision = decide(None, [done(2, "apply", T0, T0 + 100), odd])
    assert decision.duration_s is None
    assert decision.started_at == T0


def test_unfinished_run_has_no_finish() -> None:
    """A running or pending run has a start but neither finish nor duration."""
    for word in ("running", "pending"):
        decision = decide(None, [done(1, "apply", T0, T0 + 9), step(2, "image", word)])
        assert (decision.started_at, decision.finished_at, decision.duration_s) == (T0, None, None)


def test_middle_falls_back_in_order() -> None:
    """The middle is as recorded, else from the name, the start, the group, else unknown."""
    path, group = "/m/2025-11-30T00:00:00.ms", "2025-11-29T00:00:00"
    full = ms(None, path=path, mid_mjd=61000.5, start_mjd=61000.0, group_id=group)
    assert (ms_times(full).mid_mjd, ms_times(full).mid_source) == (61000.5, "mid_mjd")
    named = ms(None, path=path, mid_mjd=0.0, start_mjd=61000.0, group_id=group)
    assert ms_times(named).mid_mjd == pytest.approx(61009.0 + HALF_D, abs=1e-9)
    assert ms_times(named).mid_source == "name"
    started = ms(None, path="/m/x.ms", start_mjd=61000.0, group_id=group)
    assert ms_times(started).mid_mjd == pytest.approx(61000.0 + HALF_D, abs=1e-9)
    assert ms_times(started).mid_source == "start_mjd"
    grouped = ms(None, path="/m/x.ms", start_mjd=float("inf"), group_id=group)
    assert ms_times(grouped).mid_mjd == pytest.approx(61008.0 + HALF_D, abs=1e-9)
    assert (ms_times(grouped).mid_source, ms_times(grouped).start_source) == ("group_id",) * 2
    nothing = ms_times(ms(None))
    assert (nothing.start_mjd, nothing.mid_mjd) == (None, None)
    assert (nothing.start_source, nothing.mid_source) == ("unknown", "unknown")


def test_start_falls_back_in_order() -> None:
    """The start is as recorded, else from the name, the group, else before the middle."""
    named = ms(None, path="/m/2025-11-30T00:00:00.ms", mid_mjd=61000.5)
    assert (ms_times(named).start_mjd, ms_times(named).start_source) == (61009.0, "name")
    recorded = ms(None, path="/m/2025-11-30T00:00:00.ms", start_mjd=61000.25)
    assert (ms_times(recorded).start_mjd, ms_times(recorded).start_source) == (
        61000.25,
        "start_mjd",
    )
    middle = ms_times(ms(None, mid_mjd=61000.5))
    assert middle.start_mjd == pytest.approx(61000.5 - HALF_D, abs=1e-9)
    assert middle.start_source == "mid_mjd"


def test_night_and_hour_are_utc_and_exact() -> None:
    """A start on the full hour belongs to the hour that begins, whatever an MJD rounds to."""
    for hour in range(24):
        start = 61009.0 + hour / 24.0
        assert night_hour(ms(None, start_mjd=start)) == ("2025-11-30", hour)
    assert night_hour(ms(None, path="/m/2025-11-30T23:59:59.ms")) == ("2025-11-30", 23)
    assert night_hour(ms(None)) == (None, None)


def test_practice_database_has_one_id_a_run() -> None:
    """In the practice database every MS has its own id, and 26 runs failed."""
    file = DATA / "practice" / "pipeline.sqlite3"
    if not file.exists():
        pytest.skip(f"NO PRACTICE DATA: {file} is absent, this test did not run")
    link = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    link.row_factory = sqlite3.Row
    sets = [read(MeasurementSet, dict(row)) for row in link.execute("SELECT * FROM ms_index")]
    steps: dict[str, list[JobStep]] = {}
    for row in link.execute("SELECT * FROM jobs"):
        steps.setdefault(row["ms_path"], []).append(read(JobStep, dict(row)))
    link.close()
    ids = run_ids([one.path for one in sets])
    assert len(set(ids.values())) == len(sets) == 505
    words = [decide(one, steps.get(one.path, ())).status for one in sets]
    assert words.count("failed") == 26
    assert words.count("skipped_no_caltables") == 32
    assert words.count("awaiting_review") == 1
