"""Damaged and unusual rows: a correct answer or a known absence, never a wrong number."""

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import contimg_lab as cl
from contimg_lab import errors
from contimg_lab.config import read_config

TABLES = """
CREATE TABLE ms_index (path TEXT PRIMARY KEY, start_mjd REAL, end_mjd REAL, mid_mjd REAL,
    processed_at REAL, status TEXT, stage TEXT, stage_updated_at REAL, cal_applied INTEGER);
CREATE TABLE jobs (id INTEGER, type TEXT, status TEXT, ms_path TEXT, logs TEXT,
    created_at REAL, started_at REAL, finished_at REAL);
CREATE TABLE images (id INTEGER, path TEXT, ms_path TEXT, created_at REAL, type TEXT,
    noise_jy REAL, imsize_x INTEGER);
CREATE TABLE caltables (id INTEGER, set_name TEXT, path TEXT, table_type TEXT, status TEXT,
    valid_start_mjd REAL, valid_end_mjd REAL);
CREATE TABLE photometry (id INTEGER, source_id TEXT, image_path TEXT, ra_deg REAL, dec_deg REAL,
    peak_jyb REAL, peak_err_jyb REAL, flux_jy REAL, flux_err_jy REAL, mjd REAL, measured_at REAL);
"""
X = "/ms/2025-10-09T01:00:00.ms"
MID = 60957.0 + 3755 / 86400


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Make a small database: rows by table, each a dict."""

    def make(**tables: list[dict[str, object]]) -> Path:
        path = tmp_path / "pipeline.sqlite3"
        db = sqlite3.connect(path)
        db.executescript(TABLES)
        for table, rows in tables.items():
            for row in rows:
                marks = ", ".join("?" * len(row))
                db.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
                )
        db.commit()
        db.close()
        return path

    return make


def ms(path: object = X, **more: object) -> dict[str, object]:
    return {"path": path, "mid_mjd": MID, "status": "completed", "stage": "imaged"} | more


async def test_ten_minutes_are_no_gap(made):
    """A gap is more than ten minutes; exactly ten are none, whatever the doubles say."""
    starts = [60957.0 + k * 600 / 86400 for k in range(12)]
    rows = [
        ms(f"/ms/2025-10-09T{k // 6:02}:{k % 6 * 10:02}:00.ms", start_mjd=t)
        for k, t in enumerate(starts)
    ]
    rows.append(ms("/ms/2025-10-09T02:00:01.ms", start_mjd=60957.0 + 7201 / 86400))
    async with cl.open(made(ms_index=rows)) as lab:
        gaps = (await lab.qa.night("2025-10-09")).gaps
        assert [round(gap.minutes, 4) for gap in gaps] == [10.0167]


async def test_a_change_of_folder_does_not_change_the_database(made, tmp_path, monkeypatch):
    """A relative path means what it meant when it was opened."""
    made(ms_index=[ms()])
    monkeypatch.chdir(tmp_path)
    async with cl.open("pipeline.sqlite3") as lab:
        monkeypatch.chdir("/")
        assert len(await lab.ms.list_ms()) == 1
        assert lab.layout.path.is_absolute()


@pytest.mark.parametrize(
    ("start", "end", "state"),
    [
        (MID - 30, "garbage", "none"),
        (MID - 30, b"x", "none"),
        (MID - 30, None, "inside"),
        (MID - 30, math.inf, "inside"),
        (-math.inf, MID + 1, "none"),
        (None, MID + 1, "none"),
        ((MID - 40587 - 0.1) * 86400, (MID - 40587 + 0.1) * 86400, "inside"),
    ],
)
async def test_a_window_is_placed_only_by_what_is_a_time(made, start, end, state):
    """A damaged end is not an open one; infinity is; Unix seconds are seconds."""
    table = {"id": 1, "path": "/c", "table_type": "BP", "status": "active"}
    window = {"valid_start_mjd": start, "valid_end_mjd": end}
    async with cl.open(made(ms_index=[ms()], caltables=[table | window])) as lab:
        assert (await lab.caltables.coverage())["state"].tolist() == [state]


async def test_a_table_without_a_path_covers_nothing(made):
    """A NULL path is no path called None; a text stored as a blob is that text."""
    window = {"valid_start_mjd": MID - 1, "valid_end_mjd": MID + 1, "status": "active"}
    tables = [
        {"id": 1, "path": None, "table_type": "BP"} | window,
        {"id": "x", "path": b"/ba", "table_type": b"BA"} | window,
    ]
    async with cl.open(made(ms_index=[ms()], caltables=tables)) as lab:
        primary = await lab.ms.get_primary_cal_table(X)
        assert (primary.state, primary.caltable_path, primary.table_type) == ("inside", "/ba", "BA")


async def test_night_and_primary_table_say_the_same(made):
    """The night counts a tile by the very table that get_primary_cal_table names."""
    tables = [
        {"id": 1, "path": "/bp", "table_type": "BP", "status": "active",
         "valid_start_mjd": MID - 90, "valid_end_mjd": MID - 89},
        {"id": 2, "path": "/ba", "table_type": "BA", "status": "active",
         "valid_start_mjd": MID - 1, "valid_end_mjd": MID + 1},
    ]  # fmt: skip
    async with cl.open(made(ms_index=[ms()], caltables=tables)) as lab:
        hour = (await lab.qa.night("2025-10-09")).hours[0]
        assert (hour.n_inside, hour.n_uncovered) == (1, 0)
        assert (await lab.ms.get_primary_cal_table(X)).caltable_path == "/ba"


@pytest.mark.parametrize("mjd", [2460957.5, 0.0, 7.0, None, "--", math.inf])
async def test_an_mjd_that_is_none_falls_back_to_the_ms(made, mjd):
    """What is no MJD is not used, and the MS's own time is looked up instead."""
    row = {"id": 1, "source_id": "s", "image_path": "/i", "mjd": mjd, "flux_jy": 1.0,
           "flux_err_jy": 0.1, "measured_at": 1.79e9}  # fmt: skip
    images = [{"id": 1, "path": "/i", "ms_path": X, "type": "image"}]
    async with cl.open(made(ms_index=[ms()], images=images, photometry=[row])) as lab:
        curve = await lab.sources.light_curve("s")
        assert (curve.mjd.tolist(), curve.time_source.tolist()) == ([MID], ["ms_mid_mjd"])


async def test_an_epoch_without_any_time_still_counts(made):
    """It has no place on the axis, but is neither lost nor an error anywhere."""
    rows = [
        {"id": k, "source_id": "s", "image_path": f"/i{k}", "mjd": t, "flux_jy": 1.0 + k,
         "flux_err_jy": 0.1} for k, t in ((1, 60957.0), (2, None))
    ]  # fmt: skip
    async with cl.open(made(ms_index=[ms()], photometry=rows)) as lab:
        curve = await lab.sources.light_curve("s")
        assert len(curve) == 2
        assert math.isnan(curve.mjd[1])
        assert "2 epochs" in repr(curve)
        series = curve.to_astropy()
        assert (len(series), series.meta["n_untimed"]) == (1, 1)
        assert curve.to_pandas()["time"].isna().tolist() == [False, True]
        curve.plot()


@pytest.mark.parametrize(
    "names",
    [
        ["/ms/a/2025-10-09T01:00:00.ms", "/ms/b/2025-10-09T01:00:00.ms"],
        ["/ms/2025-10-09T01:00:00.ms", "/ms/2025-10-09T01-00-00.ms"],
        ["/ms/2025-10-09T01:00:00_selfcal.ms", "/ms/2025-10-09T01:00:00_selfcal2.ms"],
        ["/ms/2025-10-09T01:00:00.ms/", "/ms/2025-10-09T01:00:00_selfcal.ms/"],
        ["/ms/2025-10-09T01:00:00.MS", "/ms/2025-10-09T01:00:00_selfcal.MS"],
    ],
)
async def test_one_observation_is_one_tile(made, names):
    """Of several MS that hold one time in their names, one is the tile and the rest twins."""
    async with cl.open(made(ms_index=[ms(name) for name in names])) as lab:
        night = await lab.qa.night("2025-10-09")
        assert (night.n_tiles, night.n_twins) == (1, 1)


async def test_a_lost_night_keeps_what_its_steps_said(made):
    """Where ms_index says failed over completed steps, their own log still gives the cause."""
    job = {"id": 1, "type": "image", "status": "done", "ms_path": X, "created_at": 1.76e9,
           "logs": "2025-10-09 01:00:00,000 ERROR [x] wsclean was killed (exit -9)"}  # fmt: skip
    async with cl.open(made(ms_index=[ms(status="failed")], jobs=[job])) as lab:
        run = (await lab.jobs.list_jobs())[0]
        assert (run.status, run.cause, run.cause_source) == ("failed", "memory", "jobs.logs")


async def test_a_job_of_no_ms_is_a_run_and_no_ms(made):
    """An orphan job is listed as a run; it makes no night and no Measurement Set."""
    job = {"id": 1, "type": "image", "status": "failed", "ms_path": "/ms/2031-01-01T00:00:00.ms"}
    async with cl.open(made(ms_index=[ms()], jobs=[job])) as lab:
        assert await lab.last_night() == "2025-10-09"
        assert len(await lab.ms.table()) == len(await lab.ms.list_ms()) == 1
        assert (await lab.jobs.table())["status"].tolist() == ["completed", "failed"]
        assert (await lab.jobs.get_job("job-2031-01-01-000000")).status == "failed"


@pytest.mark.parametrize("time", [None, math.inf, -math.inf, "soon", 0.0, 1e300, b"x"])
async def test_times_of_jobs_may_be_anything(made, time):
    """A failed run whose times are none is listed with its cause, and has no duration."""
    job = {"id": 1, "type": "image", "status": "failed", "ms_path": X,
           "created_at": time, "started_at": time, "finished_at": time}  # fmt: skip
    rows = [ms(processed_at=time, stage_updated_at=time), ms("/ms/b.ms", status="failed",
            mid_mjd=time, processed_at=time, stage_updated_at=time)]  # fmt: skip
    async with cl.open(made(ms_index=rows, jobs=[job])) as lab:
        table = (await lab.jobs.table()).set_index("ms_path")
        assert table["cause"].to_dict() == {X: "unknown", "/ms/b.ms": "unknown"}
        assert table["duration_s"].isna().all()
        assert (await lab.jobs.read_log_tail(table["run_id"].iloc[0])).source == "none"
        assert (await lab.qa.night("2025-10-09")).cause_counts == {"unknown": 1}


async def test_keys_may_be_damaged(made):
    """A NULL path, a path twice as text and blob, a text id: left out, and the rest stands."""
    rows = [ms(), ms(None), ms(X.encode()), ms(b"/ms/\xff.ms")]
    jobs = [{"id": i, "type": "image", "status": "failed", "ms_path": X} for i in (None, "x")]
    photometry = [
        {"id": i, "source_id": s, "image_path": p, "flux_jy": 1.0, "flux_err_jy": 0.1}
        for i, s, p in (
            (None, "s", "/i"), ("x", b"t", b"/i"), (3, 5, None), (4, "s", None), (5, "s", None)
        )
    ]  # fmt: skip
    async with cl.open(made(ms_index=rows, jobs=jobs, photometry=photometry)) as lab:
        table = await lab.jobs.table()
        assert table["ms_path"].is_unique
        assert table["run_id"].is_unique
        assert table.set_index("ms_path").loc[X, "status"] == "completed"
        sources = (await lab.sources.table()).set_index("source_id")["n_used"].to_dict()
        assert sources["s"] == 3


async def test_numbers_may_be_huge(made):
    """A number that no integer column can hold is damaged, not an error."""
    image = {"id": 1, "path": "/i", "ms_path": X, "type": "image", "noise_jy": math.inf}
    images = [image | {"imsize_x": n} for n in (1e300, 1e19, 5)]
    async with cl.open(made(ms_index=[ms(cal_applied=1e300)], images=images)) as lab:
        assert (await lab.images.table())["imsize_x"].tolist()[2] == 5
        assert (await lab.images.list_images())[0].damaged == ("imsize_x",)
        assert (await lab.ms.table())["cal_applied"].isna().all()
        assert (await lab.qa.night("2025-10-09")).noise_median_jy is None


async def test_other_shapes_of_tables_are_known_absences(made):
    """Tables without the columns that others have leave those things unknown, and no more."""
    path = made(ms_index=[ms(status="failed")])
    db = sqlite3.connect(path)
    db.executescript(
        """
        DROP TABLE images; DROP TABLE photometry; DROP TABLE caltables; DROP TABLE jobs;
        CREATE TABLE calibration_applied (ms_path TEXT, caltable_path TEXT, applied_at REAL);
        CREATE TABLE batch_job_items (ms_path TEXT PRIMARY KEY, error TEXT) WITHOUT ROWID;
        CREATE TABLE pointing_history (timestamp REAL);
        CREATE TABLE dead_letter_queue (component TEXT, operation TEXT);
        """
    )
    db.execute("INSERT INTO calibration_applied VALUES (?, '/c', 1.76e9)", (X,))
    db.execute("INSERT INTO batch_job_items VALUES (?, 'MemoryError')", (X,))
    db.commit()
    db.close()
    async with cl.open(path) as lab:
        assert (await lab.ms.get_primary_cal_table(X)).applied_paths == ("/c",)
        assert (await lab.jobs.list_jobs())[0].cause == "memory"
        assert (await lab.ms.table())["pointing_source"].tolist() == ["unknown"]
        night = await lab.qa.night("2025-10-09")
        assert (night.noise_median_jy, night.coverage) == (None, {})
        with pytest.raises(errors.AbsentFeature):
            await lab.sources.table()


async def test_arguments_of_the_wrong_kind_are_refused(made):
    """One key where one is wanted, a list where a list is."""
    row = {"id": 1, "source_id": "S", "image_path": "/i", "flux_jy": 1.0, "flux_err_jy": 0.1}
    async with cl.open(
        made(ms_index=[ms()], photometry=[row], images=[{"id": 1, "path": "/i"}])
    ) as lab:
        with pytest.raises(errors.InvalidInput):
            await lab.sources.light_curves("S")
        assert await lab.sources.light_curves([["S"], "S\0x", None]) == {}
        for call, key in (
            (lab.sources.get_source, ["S"]),
            (lab.images.get_image, [1, 2]),
            (lab.caltables.get_caltable, ["/c"]),
        ):
            with pytest.raises((errors.InvalidInput, errors.NotFound)):
                await call(key)


@pytest.mark.parametrize("path", ["~nosuchuser/x", "x" * 5000, 5, b"bytes", "a\0b"])
async def test_a_path_that_is_none_is_said(path):
    """What can be no path is a ConfigError or not found, never a traceback of another kind."""
    with pytest.raises((errors.ConfigError, errors.DatabaseNotFound)):
        await cl.open(path)
    if isinstance(path, str) and "\0" not in path:
        with pytest.raises(errors.ConfigError):
            read_config(environ={"DSA110_ALLOWED_LOG_ROOTS": path})


async def test_callers_at_once_share_one_look_at_the_season(season_folder):
    """Many calls at the same time make the directory of MS once; one cancelled does no harm."""
    async with cl.open(season_folder()) as lab:
        first = asyncio.create_task(lab.nights())
        rest = [asyncio.create_task(lab.nights()) for _ in range(8)]
        await asyncio.sleep(0)
        first.cancel()
        assert len({await task for task in rest}) == 1
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_the_loop_goes_on_while_a_large_season_is_read(tmp_path):
    """At 20,000 MS and 40,000 jobs no call keeps the loop from a 5 ms beat for long."""
    path = tmp_path / "pipeline.sqlite3"
    db = sqlite3.connect(path)
    db.executescript(TABLES)
    names = [
        f"/ms/2025-{1 + k // 2400:02}-{1 + k // 96 % 25:02}T{k // 4 % 24:02}:{k % 4 * 15:02}:00.ms"
        for k in range(20_000)
    ]
    db.executemany(
        "INSERT INTO ms_index (path, status, stage) VALUES (?, 'done', 'imaged')",
        ((n,) for n in dict.fromkeys(names)),
    )
    db.executemany(
        "INSERT INTO jobs (id, type, status, ms_path, created_at) VALUES (?, ?, 'done', ?, 1.76e9)",
        (
            (2 * k + i, kind, n)
            for k, n in enumerate(names)
            for i, kind in enumerate(("apply", "image"))
        ),
    )
    db.commit()
    db.close()
    worst = 0.0

    async def beat() -> None:
        nonlocal worst
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            worst = max(worst, loop.time() - before)

    async with cl.open(path) as lab:
        await lab.ms.list_ms(limit=1)
        beating = asyncio.create_task(beat())
        began = time.monotonic()
        await lab.jobs.table()
        await lab.ms.table()
        took = time.monotonic() - began
        beating.cancel()
    print(f"worst stall {worst * 1e3:.0f} ms of {took * 1e3:.0f} ms, {os.cpu_count()} cores")
    # done on the loop itself, either table would be one stall of about half of the whole
    assert worst < took / 4
