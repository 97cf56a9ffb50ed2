"""Whole tables by a child process: complete, exact, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import contimg_lab as cl

from .conftest import make_database

N = 150_000
CHILDREN = "contimg_lab.database._child"


def fill(writer: sqlite3.Connection, n: int = N) -> None:
    """Write n rows of a hundred sources."""
    writer.execute(
        "WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c WHERE x < ?) "
        "INSERT INTO photometry (source_id, image_path, ra_deg, dec_deg, peak_jyb, "
        "peak_err_jyb, measured_at, mjd, flux_jy, flux_err_jy) "
        "SELECT 'S' || (x % 100), '/i/' || (x / 100) || '.fits', 0.0, 16.0, 0.5, 0.1, 1.76e9, "
        "60000.0 + x / 100, 1.0 / (x + 3), 0.1 FROM c",
        (n - 1,),
    )


def children(of: int) -> list[int]:
    """Processes that read for a process, dead ones not counted."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if CHILDREN.encode() in command and parent == of:
                found.append(int(entry.name))
    return found


async def until(what: object, seconds: float = 20.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came to be"
        await asyncio.sleep(0.01)


async def test_measurements_are_the_table(tmp_path: Path, writer: sqlite3.Connection) -> None:
    """Every row and value of the table arrives, in order, with its units."""
    fill(writer, 70_000)
    writer.execute("UPDATE photometry SET flux_jy = NULL, source_id = NULL WHERE id = 9")
    writer.execute("DELETE FROM photometry WHERE id BETWEEN 100 AND 30000")
    names = ("id", "source_id", "mjd", "flux_jy", "image_path")
    async with cl.open(tmp_path) as lab:
        rows = await lab.sources.measurements(*names)
        every = await lab.sources.measurements()
        with pytest.raises(cl.errors.InvalidInput, match="colour"):
            await lab.sources.measurements("colour")
    wanted = writer.execute(f"SELECT {', '.join(names)} FROM photometry ORDER BY id").fetchall()
    assert len(rows) == len(wanted) == 40_099
    for name, column in zip(names, zip(*wanted, strict=True), strict=True):
        if name in ("source_id", "image_path"):
            assert [None if v != v else v for v in rows[name].tolist()] == list(column)
        else:
            np.testing.assert_array_equal(rows[name].to_numpy(), np.array(column, float))
    assert rows.attrs["units"]["flux_jy"] == "Jy"
    assert every.attrs["absent"] == ("snr", "local_rms", "flags")
    assert every["snr"].isna().all()
    rows.loc[:, "flux_jy"] = 0.0  # the frame is the caller's own


async def test_a_value_of_another_kind_is_no_number(tmp_path: Path) -> None:
    """Text and blobs in a column of numbers are NaN, and the rest is as stored."""
    columns = "id INTEGER PRIMARY KEY, source_id TEXT, image_path TEXT, ra_deg REAL, dec_deg REAL, "
    writer = make_database(tmp_path / "pipeline.sqlite3", columns + "flux_jy, peak_jyb REAL")
    for flux in (1.5, "2.5", "x", b"\x01", 7, None, float("inf")):
        writer.execute("INSERT INTO photometry (source_id, flux_jy) VALUES ('S', ?)", (flux,))
    async with cl.open(tmp_path) as lab:
        rows = await lab.sources.measurements("flux_jy", "source_id")
    writer.close()
    nan = np.nan
    np.testing.assert_array_equal(rows["flux_jy"], [1.5, nan, nan, nan, 7.0, nan, np.inf])
    assert rows["source_id"].tolist() == ["S"] * 7


async def test_progress_is_told_and_cancelling_ends_the_child(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    """A build says how far it is; cancelled, its process is gone and the Lab goes on."""
    fill(writer)
    async with cl.open(tmp_path) as lab:
        asked = asyncio.ensure_future(lab.sources.prepare())
        await until(lambda: children(os.getpid()))
        assert lab.status().store.state == "building"
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await until(lambda: lab.status().store.building is None)
        assert not children(os.getpid())
        assert len(await lab.sources.light_curve("S7")) == N // 100
        seen = set()
        asked = asyncio.ensure_future(lab.sources.prepare())
        while not asked.done():
            seen.add(lab.status().store.building)
            await asyncio.sleep(0.005)
        status = lab.status().store
        assert status.state == "ready"
        assert status.n_rows == N
        assert status.n_sources == 100
        assert 39 * N <= status.size_bytes < 45 * N
        assert any(part is not None and 0.0 < part <= 1.0 for part in seen)


async def test_a_build_goes_on_while_one_still_waits(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    """Of two who wait one may be cancelled; the other gets the answer of the same child."""
    fill(writer)
    async with cl.open(tmp_path) as lab:
        first = asyncio.ensure_future(lab.sources.prepare())
        second = asyncio.ensure_future(lab.sources.variability())
        await until(lambda: children(os.getpid()))
        first.cancel()
        assert len(await second) == 100
        assert len(children(os.getpid())) == 0


async def test_closing_ends_the_child(tmp_path: Path, writer: sqlite3.Connection) -> None:
    """A Lab that is closed while it builds leaves no process and tells who waits."""
    fill(writer)
    lab = await cl.open(tmp_path)
    asked = asyncio.ensure_future(lab.sources.prepare())
    await until(lambda: children(os.getpid()))
    await lab.close()
    with pytest.raises(cl.errors.Closed):
        await asked
    assert not children(os.getpid())


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_kernel_leaves_nothing(tmp_path: Path, writer: sqlite3.Connection) -> None:
    """After kill -9 of the process that asked, its child ends and no file is left."""
    fill(writer, 600_000)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    code = textwrap.dedent(
        """
        import asyncio, sys
        import contimg_lab as cl

        async def main():
            async with cl.open(sys.argv[1]) as lab:
                asked = asyncio.ensure_future(lab.sources.prepare())
                while not lab.status().store.building:
                    await asyncio.sleep(0.01)
                print("reading", flush=True)
                await asked
                print("done", flush=True)

        asyncio.run(main())
        """
    )
    asker = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert asker.stdout is not None
    assert asker.stdout.readline() == b"reading\n"
    [child] = children(asker.pid)
    asker.send_signal(signal.SIGKILL)
    asker.wait()
    assert asker.stdout.read() == b""
    end = time.monotonic() + 20.0
    while Path(f"/proc/{child}").exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert not Path(f"/proc/{child}").exists()
    assert list(temporary.iterdir()) == []


async def test_a_field_too_large_is_answered_by_sql(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    """Over the bound there is no store, the status says why, and the answers are the same."""
    fill(writer, 60_000)
    async with cl.open(tmp_path, store_mb=1) as lab, cl.open(tmp_path) as other:
        assert (await lab.sources.variability()).equals(await other.sources.variability())
        status = lab.status().store
        assert status.state == "off"
        assert "CONTIMG_LAB_STORE_MB" in status.why_off
        with pytest.raises(cl.errors.AbsentFeature, match="60,000 rows need"):
            await lab.sources.prepare()


async def test_without_an_index_a_click_reads_the_store(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    """A file without an index on source_id is read whole once, not at each click."""
    fill(writer)
    writer.execute("DROP INDEX of_source")
    async with cl.open(tmp_path) as lab:
        curve = await lab.sources.light_curve("S7")
        assert len(curve) == N // 100
        first = lab.status().store
        assert first.state == "ready"
        for name in ("S1", "S2", "S99"):
            assert len(await lab.sources.light_curve(name)) == N // 100
        assert lab.status().store.built_s == first.built_s
