"""Statements that somebody types: what reads is answered, everything else is refused."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.errors import (
    AbsentFeature,
    Closed,
    ContimgLabError,
    DatabaseError,
    InvalidInput,
)

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

HOSTILE = (
    "INSERT INTO jobs DEFAULT VALUES",
    "REPLACE INTO jobs (id) VALUES (1)",
    "UPDATE ms_index SET status = 'x'",
    "DELETE FROM ms_index",
    "DROP TABLE ms_index",
    "SELECT 1; DROP TABLE ms_index",
    "SELECT 1; SELECT 2",
    "WITH x AS (SELECT 1) DELETE FROM ms_index",
    "WITH x AS (SELECT 1) INSERT INTO jobs (type) SELECT * FROM x",
    "WITH x AS (SELECT 1) UPDATE sqlite_master SET sql = ''",
    "CREATE TABLE x (a)",
    "CREATE TEMP TABLE x (a)",
    "CREATE TEMP VIEW x AS SELECT 1",
    "CREATE VIRTUAL TABLE temp.x USING fts5(a)",
    "ALTER TABLE ms_index ADD COLUMN x",
    "ATTACH 'beside.sqlite3' AS beside",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO 'beside.sqlite3'",
    "REINDEX",
    "ANALYZE",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA writable_schema = ON",
    "PRAGMA user_version = 7",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "SELECT * FROM pragma_optimize",
    "SELECT * FROM pragma_user_version",
    "BEGIN IMMEDIATE",
    "SAVEPOINT x",
    "COMMIT",
    "SELECT load_extension('mod_spatialite')",
    "SELECT writefile('beside.sqlite3', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple', x'00')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT sqlite_log(1, 'x')",
    "SELECT randomblob(1000000000)",
    "/* SELECT */ DELETE FROM ms_index",
    "-- SELECT\nDELETE FROM ms_index",
    "SELECT 1 -- \n; DELETE FROM ms_index",
    ".shell touch beside.sqlite3",
    "",
    "   -- nothing",
)


def digest(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder, by name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def test_answers_are_those_of_sqlite(lab: cl.Lab) -> None:
    """A SELECT must return what SQLite returns, whatever the layout."""
    path = lab.layout.path
    sql = "SELECT path, status, mid_mjd FROM ms_index ORDER BY path LIMIT 50"
    found = await lab.sql.table(sql)
    with sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True) as plain:
        wanted = plain.execute(sql).fetchall()
    plain.close()
    assert len(wanted) == 50
    rows = found[["path", "status", "mid_mjd"]].astype(object).itertuples(index=False)
    assert [tuple(None if v is pd.NA else v for v in row) for row in rows] == wanted
    assert found.attrs["file"] == path.name
    assert found.attrs["cut"] == ""


@pytest.mark.parametrize("sql", HOSTILE)
async def test_what_does_more_than_read_is_refused(
    sql: str, season_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever writes, attaches, loads or sets must be an error, and must leave no trace."""
    monkeypatch.chdir(tmp_path)
    folder = season_folder()
    before = digest(folder)
    async with cl.open(folder) as lab:
        with pytest.raises(InvalidInput):
            await lab.sql.table(sql)
    assert digest(folder) == before
    assert digest(tmp_path) == {}


PIECES = st.sampled_from([
    *HOSTILE, "SELECT ", "WITH x AS (", ") ", "; ", "EXPLAIN ", "VALUES (1)", " UNION ALL ",
    "/*", "*/", "--", "\n", "'", '"', "main.", "temp.", " INTO ", " RETURNING *", "\0", "jobs",
])  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(parts=st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=6))
def test_no_text_changes_a_byte(
    parts: list[str],
    season_folder: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is typed, the files beside and of the database must stay as they are."""
    monkeypatch.chdir(tmp_path)
    folder = season_folder()
    before = {path: path.stat() for path in folder.rglob("*")}

    async def ask() -> None:
        async with cl.open(folder) as lab:
            try:
                await lab.sql.table("".join(parts), timeout_s=0.5, limit=10)
            except ContimgLabError:
                return

    asyncio.run(ask())
    after = {path: path.stat() for path in folder.rglob("*")}
    assert after.keys() == before.keys()
    assert all(
        (after[p].st_mtime_ns, after[p].st_size) == (before[p].st_mtime_ns, before[p].st_size)
        for p in before
        if p.is_file()
    )
    assert digest(tmp_path) == {}


async def test_schema_may_be_read(demo: cl.Lab) -> None:
    """Tables and columns must be there to be looked up, and plans to be explained."""
    names = await demo.sql.table("SELECT name FROM pragma_table_info('ms_index')")
    assert tuple(names["name"]) == (await demo.sql.columns())["ms_index"]
    master = await demo.sql.table("SELECT name FROM sqlite_master WHERE type = 'table'")
    assert {"ms_index", "jobs", "photometry"} <= set(master["name"])
    plan = await demo.sql.table("EXPLAIN QUERY PLAN SELECT * FROM ms_index WHERE path = 'x'")
    assert plan["detail"].str.contains("USING INDEX").any()
    each = await demo.sql.table("SELECT value FROM json_each('[3, 4]')")
    assert each["value"].tolist() == [3, 4]


async def test_an_endless_statement_is_ended(demo: cl.Lab) -> None:
    """A statement without end must end at its time limit, say so, and leave the Lab answering."""
    with pytest.raises(DatabaseError, match=r"ended after 0\.3 s.*--timeout"):
        await demo.sql.table(ENDLESS, timeout_s=0.3)
    assert len(await demo.sql.table("SELECT 1")) == 1


async def test_cancelling_ends_the_statement(demo: cl.Lab) -> None:
    """Giving up must end the SQL too: its thread is gone soon after."""
    task = asyncio.create_task(demo.sql.table(ENDLESS, timeout_s=60.0))
    await asyncio.sleep(0.2)
    assert any(t.name == "contimg_lab-ask" for t in threading.enumerate())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline = time.monotonic() + 10.0
    while any(t.name == "contimg_lab-ask" for t in threading.enumerate()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_the_loop_goes_on_meanwhile(demo: cl.Lab) -> None:
    """While a statement runs, the event loop must serve others."""
    task = asyncio.create_task(demo.sql.table(ENDLESS, timeout_s=1.0))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert isinstance(task.exception(), DatabaseError)
    assert turns > 20


async def test_a_cut_is_told(demo: cl.Lab) -> None:
    """Rows beyond the limit must be left out, and the answer must say that they are."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    found = await demo.sql.table(endless, limit=7)
    assert found["i"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert found.attrs["cut"] == "cut at 7 rows"
    whole = await demo.sql.table(f"{endless} LIMIT 7", limit=7)
    assert whole.attrs["cut"] == ""
    big = endless.removesuffix("SELECT i FROM n") + "SELECT printf('%.*c', 60000000, 65) FROM n"
    assert "MB of text" in (await demo.sql.table(big, timeout_s=60.0)).attrs["cut"]


async def test_values_by_name(demo: cl.Lab) -> None:
    """A variable must reach the statement as a value, never as SQL."""
    asked = {"n": np.int64(3), "x": np.float64(0.5), "d": date(2025, 10, 9), "o": object()}
    asked["s"] = "'; DROP TABLE ms_index; --"
    found = await demo.sql.table("SELECT :n AS n, :x AS x, :d AS d, :s AS s, NULL AS lost", asked)
    assert found.iloc[0].tolist()[:4] == [3, 0.5, "2025-10-09", asked["s"]]
    assert found["lost"].isna().all()
    with pytest.raises(InvalidInput, match=":o is a object"):
        await demo.sql.table("SELECT :o", asked)
    with pytest.raises(InvalidInput, match="no value for :missing"):
        await demo.sql.table("SELECT :missing", asked)
    for value in (2**70, "\ud800"):
        with pytest.raises(InvalidInput):
            await demo.sql.table("SELECT :v", {"v": value})


async def test_times_stand_in_utc_beside(demo: cl.Lab) -> None:
    """Beside a column of times under the pipeline's name there must be one in UTC, with units."""
    found = await demo.sql.table(
        "SELECT m.id, c.id, c.valid_start_mjd, c.created_at "
        "FROM caltables AS c, images AS m LIMIT 5"
    )
    assert list(found.columns) == [
        "id", "id_2", "valid_start_mjd", "valid_start_mjd_utc", "created_at", "created_at_utc",
    ]  # fmt: skip
    assert str(found["created_at_utc"].dtype) == "datetime64[us, UTC]"
    assert found.attrs["units"]["valid_start_mjd"] == "d (MJD, UTC)"
    seconds = found["created_at_utc"].astype("int64") / 1e6
    assert np.allclose(seconds, found["created_at"].astype(float))


@pytest.mark.parametrize("layout", ["split", "split-old"])
async def test_the_file_that_has_the_table_is_asked(
    layout: str, season_folder: Callable[..., Path]
) -> None:
    """In the split layout each table must be found in its file, and two files told apart."""
    async with cl.open(season_folder(layout)) as lab:
        cal = await lab.sql.table("SELECT count(*) AS n FROM caltables")
        ms = await lab.sql.table("SELECT count(*) AS n FROM ms_index")
        assert (cal.attrs["file"], ms.attrs["file"]) == (
            "cal_registry.sqlite3", "products.sqlite3",
        )  # fmt: skip
        assert int(cal["n"][0]) == len(await lab.caltables.table())
        with pytest.raises(AbsentFeature) as told:
            await lab.sql.table("SELECT * FROM caltables, ms_index")
        assert "caltables is in cal_registry.sqlite3" in str(told.value)
        assert "ms_index is in products.sqlite3" in str(told.value)
        with pytest.raises(AbsentFeature, match=r"no table nonsense.*cal_registry\.sqlite3 has"):
            await lab.sql.table("SELECT * FROM nonsense")


async def test_a_registry_that_is_missing_is_told(copy_of: Callable[..., Path]) -> None:
    """Where there is no registry, the question for its table must be told why it has no answer."""
    folder = copy_of(layout="split")
    (folder / "cal_registry.sqlite3").unlink()
    async with cl.open(folder) as lab:
        with pytest.raises(AbsentFeature, match=r"no cal_registry\.sqlite3 beside"):
            await lab.sql.table("SELECT * FROM caltables")


async def test_a_leftover_table_of_another_file_is_not_read(copy_of: Callable[..., Path]) -> None:
    """A table that the layout keeps elsewhere must be read there, not where an old one lies."""
    folder = copy_of(layout="split")
    with sqlite3.connect(folder / "products.sqlite3") as old:
        old.execute("CREATE TABLE caltables (path TEXT)")
    old.close()
    async with cl.open(folder) as lab:
        found = await lab.sql.table("SELECT count(*) AS n FROM caltables")
        assert int(found["n"][0]) == len(await lab.caltables.table()) > 0


async def test_a_live_file_is_read_as_it_is(copy_of: Callable[..., Path]) -> None:
    """Beside a writer each answer must show what was committed, and nothing else."""
    folder = copy_of()
    writer = sqlite3.connect(folder / "pipeline.sqlite3", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    sql = "SELECT count(*) AS n FROM ms_index WHERE status = 'mine'"
    async with cl.open(folder) as lab:
        for n in range(3):
            found = await lab.sql.table(sql)
            assert int(found["n"][0]) == n
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("INSERT INTO ms_index (path, status) VALUES (?, 'mine')", (f"/{n}",))
            assert int((await lab.sql.table(sql))["n"][0]) == n
            writer.execute("COMMIT")
    writer.close()


async def test_limits_that_mean_nothing(demo: cl.Lab) -> None:
    """A limit or time that cannot mean anything must be an error that names it."""
    for wrong in ({"limit": 0}, {"limit": True}, {"limit": 10**9}, {"limit": 1.5}):
        with pytest.raises(InvalidInput, match="limit"):
            await demo.sql.table("SELECT 1", **wrong)
    for seconds in (0.0, -1.0, float("nan"), 1e9, "1"):
        with pytest.raises(InvalidInput, match="timeout_s"):
            await demo.sql.table("SELECT 1", timeout_s=seconds)
    with pytest.raises(InvalidInput, match="text"):
        await demo.sql.table(7)
    await demo.close()
    with pytest.raises(Closed):
        await demo.sql.table("SELECT 1")
