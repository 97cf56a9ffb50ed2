"""Many Measurement Sets: one question for all of them, and a directory that follows the file."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.analysis.coverage import cover
from contimg_lab.analysis.runs import night_hour
from contimg_lab.database import Database
from contimg_lab.errors import ForbiddenPath, InvalidInput, NotFound
from contimg_lab.records._fields import kinds, read, reader
from contimg_lab.records.jobs import JobStep
from contimg_lab.records.ms import MeasurementSet
from contimg_lab.services._coverage import _within_reach
from contimg_lab.services._log_files import LogRoots, find_run_log, find_run_logs

FOLDERS = ("/ms/", "/ms/calibrators/")
NAMES = (
    "2025-10-22T06:42:22.ms",
    "2025-10-22T06-42-22.ms",
    "2025-10-22T06:42:22_selfcal.ms",
    "2025-10-22-064222.ms",
    "2025-10-22T06:47:32.ms",
    "field_B0329.ms",
)


async def test_provenance_of_many_is_that_of_each(lab):
    """One call for all runs says of each what the call for it alone says."""
    runs = await lab.jobs.list_jobs(limit=None)
    many = await lab.jobs.build_provenance_many(run.run_id for run in runs)
    assert list(many) == [run.run_id for run in runs]
    for run in runs[:: max(1, len(runs) // 300)]:
        assert many[run.run_id] == await lab.jobs.build_provenance_links(run.run_id)


async def test_provenance_of_many_needs_no_query_a_run(demo, monkeypatch):
    """As many queries for 500 runs as for one."""
    asked = []
    fetch = Database.fetch

    async def counted(self, table, sql, parameters=()):
        asked.append(table)
        return await fetch(self, table, sql, parameters)

    runs = [run.run_id for run in await demo.jobs.list_jobs(limit=500)]
    monkeypatch.setattr(Database, "fetch", counted)
    await demo.jobs.build_provenance_many(runs[:1])
    for_one = len(asked)
    await demo.jobs.build_provenance_many(runs)
    assert len(asked) == 2 * for_one


async def test_provenance_of_many_refuses_what_one_refuses(demo):
    """An unknown run, an id that is none and a single text are refused; nothing gives nothing."""
    good = (await demo.jobs.list_jobs(limit=1))[0].run_id
    with pytest.raises(NotFound):
        await demo.jobs.build_provenance_many([good, "job-1999-01-01-000000"])
    for bad in (["../x"], [good, None], good):
        with pytest.raises(InvalidInput):
            await demo.jobs.build_provenance_many(bad)
    assert await demo.jobs.build_provenance_many([]) == {}
    assert list(await demo.jobs.build_provenance_many([good, good])) == [good]


async def test_a_page_of_runs_is_a_part_of_all(lab):
    """Pages, of all runs or of a night's, are what stands there in the whole list."""
    every = await lab.jobs.list_jobs(limit=None)
    assert await lab.jobs.list_jobs(limit=7, offset=11) == every[11:18]
    night = (await lab.nights())[0]
    of_night = tuple(run for run in every if run.night == night)
    assert await lab.jobs.list_jobs(night=night, limit=None) == of_night
    assert await lab.jobs.list_jobs(night=night, limit=3, offset=2) == of_night[2:5]
    sets = await lab.ms.list_ms(limit=None)
    assert await lab.ms.list_ms(limit=7, offset=11) == sets[11:18]


def test_logs_of_many_runs_are_those_of_each(tmp_path):
    """A listing finds the files that a look for each finds: first folder first, files only."""
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    ids = [f"job-{i}" for i in range(40)]
    for run_id in ids[:10]:
        (first / f"{run_id}.log").write_text("a")
    for run_id in ids[5:20]:
        (second / f"{run_id}.log").write_text("b")
    (first / f"{ids[21]}.log").mkdir()
    (first / f"{ids[22]}.log").symlink_to(second / "job-7.log")
    (first / f"{ids[23]}.log").symlink_to(second / "gone.log")
    roots = LogRoots.of([first, tmp_path / "absent", second])
    alone = {run_id: find_run_log(run_id, roots) for run_id in ids}
    expected = {run_id: path for run_id, path in alone.items() if path is not None}
    assert find_run_logs(ids, roots) == expected
    assert len(expected) == 21
    (first / f"{ids[30]}.log").symlink_to("/etc/passwd")
    with pytest.raises(ForbiddenPath):
        find_run_logs(ids, roots)


VALUES = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
)


@given(
    record=st.sampled_from([JobStep, MeasurementSet]),
    rows=st.lists(st.lists(VALUES, min_size=17, max_size=17), max_size=6),
    held=st.integers(1, 17),
)
def test_rows_read_together_are_the_rows_read_one_by_one(record, rows, held):
    """The quick reader makes the record that `read` makes, of good rows and of damaged ones."""
    names = tuple(kinds(record))[:held]
    make = reader(record, names)
    for row in rows:
        values = tuple(row[: len(names)])
        # NaN is not equal to itself; both write it alike
        assert repr(make(values)) == repr(read(record, dict(zip(names, values, strict=True))))


TIMES = st.floats(60950.0, 60953.0)


@given(
    mids=st.lists(TIMES | st.just(np.nan), max_size=8),
    windows=st.lists(
        st.tuples(
            st.floats(60940.0, 60963.0) | st.just(np.nan),
            st.floats(60940.0, 60963.0) | st.just(np.inf),
            st.booleans(),
        ),
        max_size=12,
    ),
)
def test_windows_out_of_reach_change_no_coverage(mids, windows):
    """Coverage by the windows within reach is coverage by all of them."""
    mid = np.array(mids, float)
    start = np.array([w[0] for w in windows], float)
    end = np.array([w[1] for w in windows], float)
    active = np.array([w[2] for w in windows], bool)

    def covered(rows):
        found = cover(
            mid,
            start_mjd=start[rows],
            end_mjd=end[rows],
            table_id=rows.astype(np.int64),
            is_active=active[rows],
            is_retired=~active[rows],
        )
        named = [
            [-1 if row < 0 else int(rows[row]) for row in which]
            for which in (found.active, found.retired)
        ]
        return found.state.tolist(), repr(found.distance_hours.tolist()), named

    every = np.arange(len(windows))
    assert covered(every[_within_reach(mid, start, end)]) == covered(every)


def test_a_start_that_no_calendar_has_has_no_night():
    """An MS whose start falls before the year 1 has no night, and is no error."""
    made = MeasurementSet(path="/m/x.ms", group_id="0001-01-01T00:00:00")
    assert night_hour(made) == ("0001-01-01", 0)
    assert night_hour(MeasurementSet(path="/m/x.ms", mid_mjd="0001-01-01T00:00:00")) == (None, None)  # type: ignore[arg-type]


def seen(directory) -> list[object]:
    """All that a directory says, and that its parts agree."""
    entries = directory.select(None, orphans=True)
    assert len(entries) == len(directory)
    for entry in entries:
        assert directory.of_ms(entry.ms.path) == entry
        assert directory.of_run(entry.run_id) == entry
    nights = {e.night for e in entries if e.night is not None}
    for night in nights:
        of_night = tuple(e for e in entries if e.night == night)
        assert directory.select(night, orphans=True) == of_night
        assert directory.select(night) == tuple(e for e in of_night if e.indexed)
    assert directory.nights() == tuple(sorted({e.night for e in entries if e.night and e.indexed}))
    longer = [directory.longer(entry.ms.path) for entry in entries]
    return [entries, longer]


def empty(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=wal")
    db.execute(
        "CREATE TABLE ms_index (path TEXT PRIMARY KEY, start_mjd REAL, mid_mjd REAL, "
        "status TEXT, stage TEXT, group_id TEXT)"
    )
    db.execute(
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, type TEXT, status TEXT, ms_path TEXT, "
        "created_at REAL, started_at REAL, finished_at REAL)"
    )
    db.execute(
        "CREATE TABLE caltables (id INTEGER PRIMARY KEY, path TEXT, table_type TEXT, "
        "source_ms_path TEXT, status TEXT, valid_start_mjd REAL, valid_end_mjd REAL)"
    )
    db.execute("CREATE TABLE other (x)")
    return db


def take_place(new: Path, path: Path) -> None:
    for end in ("-wal", "-shm"):  # a -wal left behind would be read into the new file
        path.with_name(path.name + end).unlink(missing_ok=True)
    new.replace(path)


PATHS = st.builds(str.__add__, st.sampled_from(FOLDERS), st.sampled_from(NAMES))
STARTS = st.sampled_from([None, 60970.25, 60970.9999999999, 60971.0, 60972.5, 1.7611e9, 0.0])
REPLACE = "replace the file"
CHANGES = (
    "INSERT OR REPLACE INTO ms_index (path, start_mjd) VALUES (:path, :start)",
    "INSERT OR IGNORE INTO ms_index (path, group_id) VALUES (:path, :other)",
    "INSERT OR IGNORE INTO ms_index (path, stage) VALUES (CAST(:path AS BLOB), 'imaged')",
    "INSERT INTO ms_index (path, mid_mjd) VALUES (NULL, 60971.5)",
    "UPDATE ms_index SET start_mjd = :start WHERE path = :path",
    "UPDATE ms_index SET start_mjd = start_mjd + 1e-11 WHERE path = :path",
    "UPDATE ms_index SET mid_mjd = :start WHERE path <> :path",
    "UPDATE ms_index SET status = status || 'a' WHERE path = :path",
    "UPDATE ms_index SET status = 'a' WHERE path = :path",
    "UPDATE OR IGNORE ms_index SET path = :other WHERE path = :path",
    "DELETE FROM ms_index WHERE path = :path",
    "INSERT INTO jobs (ms_path, status) VALUES (:path, 'done')",
    "DELETE FROM jobs WHERE ms_path = :path",
    "INSERT INTO caltables (source_ms_path) VALUES (:path)",
    "DELETE FROM caltables WHERE source_ms_path = :path",
    "INSERT INTO other VALUES (:path)",
    REPLACE,
)
CHANGE = st.tuples(
    st.sampled_from(CHANGES),
    st.fixed_dictionaries({"path": PATHS, "other": PATHS, "start": STARTS}),
)


@settings(max_examples=40, deadline=None)
@given(changes=st.lists(st.lists(CHANGE, min_size=1, max_size=6), min_size=1, max_size=6))
def test_a_directory_that_follows_a_writer_is_that_of_a_fresh_look(tmp_path_factory, changes):
    """After each commit the directory that was kept says what one made from scratch says."""
    path = tmp_path_factory.mktemp("followed") / "pipeline.sqlite3"
    db = empty(path)

    async def follow():
        nonlocal db
        async with cl.open(path) as lab:
            for group in changes:
                for sql, values in group:
                    if sql == REPLACE:
                        new = path.with_name("new.sqlite3")
                        db.execute("VACUUM INTO ?", (str(new),))
                        db.close()
                        take_place(new, path)
                        db = sqlite3.connect(path, isolation_level=None)
                        db.execute("PRAGMA journal_mode=wal")
                    else:
                        db.execute(sql, values)
                async with cl.open(path) as fresh:
                    expected = seen(await fresh._context.directory())
                assert seen(await lab._context.directory()) == expected

    try:
        asyncio.run(follow())
    finally:
        db.close()


async def test_a_commit_that_touches_no_measurement_set_keeps_the_directory(tmp_path):
    """A commit elsewhere leaves the directory in place; one that changes a row does not."""
    path = tmp_path / "pipeline.sqlite3"
    db = empty(path)
    db.executemany("INSERT INTO ms_index (path) VALUES (?)", [(f"/ms/{n}",) for n in NAMES])
    async with cl.open(path) as lab:
        before = await lab._context.directory()
        token = await lab.token()
        db.execute("INSERT INTO other VALUES (1)")
        db.execute("INSERT INTO jobs (ms_path, status) VALUES (?, 'done')", (f"/ms/{NAMES[0]}",))
        assert await lab.token() != token
        assert await lab._context.directory() is before
        db.execute("UPDATE ms_index SET status = 'failed' WHERE path = ?", (f"/ms/{NAMES[0]}",))
        after = await lab._context.directory()
        assert after.of_ms(f"/ms/{NAMES[0]}").ms.status == "failed"
        assert before.of_ms(f"/ms/{NAMES[0]}").ms.status is None
    db.close()


async def test_callers_share_a_making_and_none_gets_an_older_state(tmp_path):
    """Who asks after a commit sees it, even while an older look is under way; two looks do."""
    path = tmp_path / "pipeline.sqlite3"
    db = empty(path)
    db.execute("INSERT INTO ms_index (path) VALUES ('/ms/a.ms')")
    async with cl.open(path) as lab:
        repository = lab._context._directory._ms
        stored, looks = repository.stored, 0
        read, go = asyncio.Event(), asyncio.Event()

        async def slow():
            nonlocal looks
            looks += 1
            rows = await stored()
            read.set()
            await go.wait()
            return rows

        repository.stored = slow
        early = [asyncio.ensure_future(lab.ms.list_ms()) for _ in range(5)]
        await read.wait()
        db.execute("INSERT INTO ms_index (path) VALUES ('/ms/b.ms')")
        late = [asyncio.ensure_future(lab.ms.list_ms()) for _ in range(5)]
        await asyncio.sleep(0.05)
        early[0].cancel()
        late[0].cancel()
        await asyncio.sleep(0.01)
        go.set()
        assert {len(await task) for task in early[1:]} == {1}
        assert {len(await task) for task in late[1:]} == {2}
        assert looks == 2
    db.close()


async def test_a_making_that_nobody_waits_for_ends_and_the_next_goes_on(tmp_path):
    """When every caller is cancelled the look ends, and who comes then gets an answer."""
    path = tmp_path / "pipeline.sqlite3"
    db = empty(path)
    db.execute("INSERT INTO ms_index (path) VALUES ('/ms/a.ms')")
    async with cl.open(path) as lab:
        repository = lab._context._directory._ms
        stored, ended = repository.stored, asyncio.Event()

        async def endless():
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        repository.stored = endless
        waiting = [asyncio.ensure_future(lab.ms.list_ms()) for _ in range(3)]
        await asyncio.sleep(0.05)
        for task in waiting:
            task.cancel()
        await asyncio.wait_for(ended.wait(), 10)
        repository.stored = stored
        assert len(await lab.ms.list_ms()) == 1
    db.close()


async def test_the_identity_in_tables_is_read_once_of_each_file(tmp_path):
    """Commits do not make it be read again; another file in its place does; it is the Lab's."""
    path = tmp_path / "pipeline.sqlite3"
    db = empty(path)
    db.execute("INSERT INTO ms_index (path) VALUES ('/ms/000.ms')")

    async def told(lab):
        return (await lab.ms.table()).attrs["provenance"]["database"]

    async with cl.open(path) as lab:
        asked, first_paths = 0, lab._context.ms.first_paths

        async def counted(n):
            nonlocal asked
            asked += 1
            return await first_paths(n)

        lab._context.ms.first_paths = counted
        young = await told(lab)
        assert young == await told(lab) == await lab.identity()
        # as long as there are too few paths it changes while the file grows
        db.executemany(
            "INSERT INTO ms_index (path) VALUES (?)", [(f"/ms/{i:03}.ms",) for i in range(1, 150)]
        )
        grown = await told(lab)
        assert young != grown == await lab.identity()
        asked = 0
        for i in range(3):
            db.execute("INSERT INTO ms_index (path) VALUES (?)", (f"/ms/9{i}.ms",))
            assert await told(lab) == grown
        assert asked == 0
        assert await lab.identity() == grown
        other = tmp_path / "other" / "pipeline.sqlite3"
        other.parent.mkdir()
        new = empty(other)
        new.execute("INSERT INTO ms_index (path) VALUES ('/ms/other.ms')")
        new.close()
        db.close()
        take_place(other, path)
        assert await told(lab) == await lab.identity() != grown
