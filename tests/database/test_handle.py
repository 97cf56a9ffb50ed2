"""The read-only handle: nothing changed, nothing littered, nothing stale, nobody waiting."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import contimg_lab as cl
from contimg_lab import errors
from contimg_lab.config import read_config
from contimg_lab.database import Database
from contimg_lab.layouts import detect

ENDLESS = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1e12) "
    "SELECT count(*) FROM c"
)


def digest(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(p.relative_to(folder)): (
            hashlib.sha256(p.read_bytes()).hexdigest(),
            p.stat().st_mtime_ns,
        )
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def handle(path: Path, **options) -> Database:
    return Database(detect(read_config(path)), **options)


def small(path: Path, rows: int = 3, mode: str = "wal") -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA journal_mode={mode}")
    db.execute(
        "CREATE TABLE ms_index (path TEXT PRIMARY KEY, start_mjd REAL, mid_mjd REAL, status TEXT)"
    )
    db.executemany(
        "INSERT INTO ms_index VALUES (?, 60957.0, 60957.001, 'completed')",
        [(f"/ms/2025-10-09T00:00:0{i}.ms",) for i in range(rows)],
    )
    db.commit()
    return db


async def use(lab: cl.Lab) -> None:
    night = await lab.last_night()
    await lab.jobs.table()
    await lab.ms.table()
    await lab.sources.table()
    await lab.images.table()
    await lab.qa.night(night)
    if not lab.layout.absent:
        await lab.caltables.coverage()
        await lab.caltables.table()


async def test_no_byte_changes_and_nothing_is_left_behind(database_folder):
    """Using every noun leaves each file as it was, and no file beside it."""
    before = digest(database_folder)
    async with cl.open(database_folder) as lab:
        await use(lab)
    assert digest(database_folder) == before


async def test_a_live_file_is_read_without_changing_it(copy_of):
    """With a writer's -wal beside it, the database and its -wal stay as they are."""
    folder = copy_of()
    writer = sqlite3.connect(folder / "pipeline.sqlite3", isolation_level=None)
    writer.execute("UPDATE ms_index SET status = 'failed' WHERE rowid = 1")
    before = {k: v for k, v in digest(folder).items() if not k.endswith("-shm")}
    async with cl.open(folder) as lab:
        await use(lab)
        assert lab._database.how() == {"pipeline": "read-only, live"}
    assert {k: v for k, v in digest(folder).items() if not k.endswith("-shm")} == before
    assert writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    writer.close()


@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_a_commit_is_seen_by_the_next_call(tmp_path, mode):
    """Each answer is of the moment it was asked for, with a -wal and without."""
    path = tmp_path / "pipeline.sqlite3"
    writer = small(path, mode=mode)
    if mode == "wal":
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    async with cl.open(path) as lab:
        for n in range(3, 13):
            assert len(await lab.ms.list_ms()) == n
            token = await lab.token()
            assert token == await lab.token()
            writer.execute("INSERT INTO ms_index (path) VALUES (?)", (f"/ms/{n}.ms",))
            writer.commit()
            assert await lab.token() != token
    writer.close()


async def test_a_file_at_rest_that_comes_to_life_is_noticed(tmp_path):
    """A writer that starts after we opened is read from its -wal at once."""
    path = tmp_path / "pipeline.sqlite3"
    small(path).close()
    async with cl.open(path) as lab:
        assert len(await lab.ms.list_ms()) == 3
        assert "at rest" in lab._database.how()["pipeline"]
        writer = sqlite3.connect(path)
        writer.execute("DELETE FROM ms_index WHERE rowid = 1")
        writer.commit()
        assert len(await lab.ms.list_ms()) == 2
        assert "live" in lab._database.how()["pipeline"]
        writer.close()


@pytest.mark.parametrize("alive", [False, True])
async def test_a_replaced_file_is_noticed(tmp_path, alive):
    """After another file took the name, answers are the new file's."""
    path, other = tmp_path / "pipeline.sqlite3", tmp_path / "other.sqlite3"
    small(path, 3).close()
    small(other, 5).close()
    keep = sqlite3.connect(path) if alive else None
    if keep:
        keep.execute("UPDATE ms_index SET status = 'x'")
        keep.commit()
    async with cl.open(path) as lab:
        assert len(await lab.ms.list_ms()) == 3
        if keep:
            keep.close()
            for ending in ("-wal", "-shm"):  # ours was the last connection, so they stayed
                path.with_name(path.name + ending).unlink()
        other.replace(path)
        assert len(await lab.ms.list_ms()) == 5


async def test_a_column_added_later_is_known_at_once(tmp_path):
    """What a file has is looked at again when its schema has moved."""
    path = tmp_path / "pipeline.sqlite3"
    writer = small(path)
    async with cl.open(path) as lab:
        assert "ra_deg" in (await lab.absent())["ms_index"]
        writer.execute("ALTER TABLE ms_index ADD COLUMN ra_deg REAL")
        writer.execute("ALTER TABLE ms_index ADD COLUMN dec_deg REAL")
        writer.execute("UPDATE ms_index SET ra_deg = 0.0, dec_deg = 16.0")
        writer.commit()
        assert "ra_deg" not in (await lab.absent())["ms_index"]
        found = await lab.ms.get_pointing("/ms/2025-10-09T00:00:00.ms")
        assert (found.ra_deg, found.dec_deg) == (0.0, 16.0)
    writer.close()


@pytest.mark.parametrize("name", ["a b", "100%", "what?", "#1", "q&a=1", 'it\'s "x"', "é☆", "%20"])
async def test_any_path_opens(tmp_path, name):
    """Spaces, %, ?, # and the like in a path are only characters."""
    folder = tmp_path / name
    folder.mkdir()
    small(folder / "pipeline.sqlite3").close()
    async with cl.open(folder) as lab:
        assert len(await lab.ms.list_ms()) == 3
    assert sorted(p.name for p in folder.iterdir()) == ["pipeline.sqlite3"]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda p: None, errors.DatabaseNotFound, "no file"),
        (lambda p: p.write_bytes(b""), errors.NotADatabase, "empty"),
        (lambda p: p.write_bytes(b"hello " * 1000), errors.NotADatabase, "no SQLite database"),
        (lambda p: p.mkdir(), errors.DatabaseNotFound, "no pipeline database"),
        (lambda p: os.mkfifo(p), errors.NotADatabase, "no regular file"),
        (
            lambda p: sqlite3.connect(p).execute("CREATE TABLE cats (name)").connection.commit(),
            errors.UnknownLayout,
            "it has cats",
        ),
    ],
)
async def test_what_is_no_pipeline_database_is_said_in_one_line(tmp_path, make, error, says):
    """Missing, empty, foreign: a typed error that names the file and the way out."""
    path = tmp_path / "x.sqlite3"
    make(path)
    with pytest.raises(error, match=says) as caught:
        await cl.open(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_truncated_file_is_refused(copy_of):
    """A file cut short is said to be truncated when it is opened, not after wrong numbers."""
    path = copy_of() / "pipeline.sqlite3"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(errors.NotADatabase, match="truncated"):
        await cl.open(path)


async def test_a_damaged_page_is_an_error_and_never_a_number(copy_of):
    """Garbage in the middle of the file raises NotADatabase or still gives whole rows."""
    path = copy_of() / "pipeline.sqlite3"
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 200)
    with pytest.raises(errors.DatabaseError):
        async with cl.open(path) as lab:
            await use(lab)


async def test_a_locked_file_is_busy_after_the_time_out(tmp_path, monkeypatch):
    """An exclusive lock is waited for as long as DB_CONNECTION_TIMEOUT says, then named."""
    path = tmp_path / "pipeline.sqlite3"
    writer = small(path, mode="delete")
    writer.isolation_level = None
    writer.execute("PRAGMA locking_mode=EXCLUSIVE")
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("UPDATE ms_index SET status = 'x'")
    monkeypatch.setenv("DB_CONNECTION_TIMEOUT", "0.2")
    with pytest.raises(errors.DatabaseBusy, match=r"0\.2 s"):
        await cl.open(path)
    writer.execute("ROLLBACK")
    writer.close()


async def test_cancelling_ends_the_sql_and_frees_the_connection(tmp_path):
    """A cancelled await leaves no SQL running, and the next caller is served at once."""
    path = tmp_path / "pipeline.sqlite3"
    small(path).close()
    database = handle(path, connections=1)
    await database.check()
    for pause in (0.0, 0.001, 0.05):
        task = asyncio.create_task(database.fetch("ms_index", ENDLESS))
        await asyncio.sleep(pause)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.wait_for(database.fetch("ms_index", "SELECT 1"), 5) == [(1,)]
    await asyncio.wait_for(database.close(), 5)


async def test_callers_are_served_in_turn(tmp_path):
    """A connection goes to the oldest waiter: callers finish in the order they came."""
    path = tmp_path / "pipeline.sqlite3"
    small(path).close()
    database = handle(path, connections=1)
    order: list[int] = []

    async def call(i: int) -> None:
        for _ in range(2):
            await database.fetch("ms_index", "SELECT path FROM ms_index")
            order.append(i)

    await asyncio.gather(*(call(i) for i in range(64)))
    assert order == [*range(64), *range(64)]
    await database.close()


@pytest.mark.parametrize("turn", range(5))
async def test_closing_ends_running_queries(tmp_path, turn):
    """close() interrupts what runs, tells who waits, and may be called again."""
    path = tmp_path / "pipeline.sqlite3"
    small(path).close()
    database = handle(path, connections=1)
    running = asyncio.create_task(database.fetch("ms_index", ENDLESS))
    waiting = asyncio.create_task(database.fetch("ms_index", "SELECT 1"))
    await asyncio.sleep(0.02 * turn)
    await asyncio.wait_for(database.close(), 5)
    for task in (running, waiting):
        with pytest.raises(errors.Closed):
            await asyncio.wait_for(task, 5)
    await asyncio.wait_for(database.close(), 5)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with pytest.raises(errors.Closed):
        await database.fetch("ms_index", "SELECT 1")


def test_one_lab_serves_one_event_loop_after_another(tmp_path):
    """A script may call asyncio.run again and again on the same Lab."""
    path = tmp_path / "pipeline.sqlite3"
    small(path).close()

    async def opened() -> cl.Lab:
        return await cl.open(path)

    lab = asyncio.run(opened())
    for _ in range(3):
        assert len(asyncio.run(lab.ms.list_ms())) == 3
    asyncio.run(lab.close())


async def test_two_event_loops_at_once_leave_each_other_alone(tmp_path):
    """What runs in a thread with a loop of its own must not end the queries of this one."""
    db = small(tmp_path / "products.sqlite3", rows=40)
    async with cl.open(tmp_path / "products.sqlite3") as lab:

        async def read(times: int) -> int:
            found = 0
            for _ in range(times):
                await lab.token()
                found += len(await lab.ms.list_ms())
            return found

        elsewhere = asyncio.to_thread(lambda: asyncio.run(read(30)))
        async with asyncio.timeout(60):
            assert await asyncio.gather(read(30), elsewhere) == [1200, 1200]
        assert len(await lab.ms.list_ms()) == 40
    db.close()


@pytest.mark.parametrize("busy", [False, True])
def test_a_script_that_forgets_to_close_exits_at_once(tmp_path, busy):
    """The interpreter ends by itself, also while a query runs."""
    path = tmp_path / "pipeline.sqlite3"
    small(path).close()
    code = f"""
        import asyncio, contimg_lab as cl
        async def main():
            lab = await cl.open({str(path)!r})
            print(len(await lab.ms.list_ms()), flush=True)
            if {busy}:
                asyncio.ensure_future(lab._database.fetch("ms_index", {ENDLESS!r}))
                await asyncio.sleep(0.2)
            return lab
        lab = asyncio.run(main())
    """
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "3", "")
    assert time.monotonic() - begun < 30


def as_nobody(code: str) -> subprocess.CompletedProcess[str]:
    """Run code where permission bits count, even for root."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root, and no setpriv to give its rights up")
        caps = ["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
        command = ["setpriv", *caps, *command]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


COUNT = """
    import asyncio, contimg_lab as cl
    async def main():
        async with cl.open({path!r}) as lab:
            print(len(await lab.ms.list_ms()), lab._database.how()["pipeline"])
    asyncio.run(main())
"""


@pytest.mark.parametrize("left", ["nothing", "empty wal", "wal", "wal and shm"])
def test_a_file_on_a_disk_that_we_may_not_write_to_is_read(tmp_path, left):
    """Rows that are only in a -wal are seen where we cannot write, with a -shm and without."""
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "pipeline.sqlite3"
    source = tmp_path / "source.sqlite3"
    writer = small(source)
    if left == "nothing":
        writer.close()
        shutil.copy(source, path)
    elif left == "empty wal":
        writer.close()
        shutil.copy(source, path)
        path.with_name(path.name + "-wal").touch()
    else:
        endings = ("", "-wal", "-shm") if left == "wal and shm" else ("", "-wal")
        for ending in endings:
            shutil.copy(f"{source}{ending}", f"{path}{ending}")
        writer.close()
    for file in folder.iterdir():
        file.chmod(0o444)
    before = digest(folder)
    folder.chmod(0o555)
    try:
        done = as_nobody(COUNT.format(path=str(path)))
    finally:
        folder.chmod(0o755)
    assert done.stderr == ""
    assert done.stdout.split()[0] == "3"
    assert digest(folder) == before


def test_an_unreadable_file_is_a_clear_error(tmp_path):
    """A file that we may not read is named, with the way out."""
    path = tmp_path / "pipeline.sqlite3"
    small(path).close()
    path.chmod(0o000)
    done = as_nobody(COUNT.format(path=str(path)))
    assert done.returncode == 1
    assert "DatabaseError" in done.stderr
    assert "cannot be opened" in done.stderr
