"""One more night: played into a copy, in every layout, and seen by whoever listens."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import contimg_lab as cl
from contimg_lab import blocking
from contimg_lab.demo import copy_season, play
from contimg_lab.demo.playing import playing
from contimg_lab.errors import InvalidInput


@pytest.mark.parametrize("layout", ["unified", "split", "split-old", "untidy"])
async def test_a_night_happens_in_every_layout(
    layout: str, season_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """A played night must be one more night like the others: runs, failures, images, epochs."""
    kind = {"untidy": True} if layout == "untidy" else {"layout": layout}
    folder = copy_season(season_folder(**kind), tmp_path / "season")
    async with cl.open(folder) as lab:
        nights, identity = await lab.nights(), await lab.identity()
        before = await lab.sources.table()
        assert play(folder, speed=1e9) > 200
        assert await lab.identity() == identity
        new = [night for night in await lab.nights() if night not in nights]
        assert len(new) >= 1  # a passage may cross midnight
        runs = [run for night in new for run in await lab.jobs.list_jobs(night=night, limit=None)]
        words = {run.status for run in runs}
        assert words == {"completed", "failed"}
        if layout in ("unified", "untidy"):
            failed = {run.cause for run in runs if run.status == "failed"}
            assert failed == {"memory", "io", "conversion", "timeout"}
            assert max(run.attempts for run in runs) > 3
        after = await lab.sources.table()
        assert after["n_rows"].sum() > before["n_rows"].sum() if "n_rows" in after else True
        assert after["n_used"].sum() > before["n_used"].sum()
        assert set(after["source_id"]) == set(before["source_id"])
        done = next(run for run in runs if run.status == "completed")
        assert (await lab.ms.get_primary_cal_table(done.ms_path)).state in ("inside", "nearest")
    assert play(folder, speed=1e9) > 200  # and the night after


def test_only_a_copy_is_played_into(season_folder: Callable[..., Path], tmp_path: Path) -> None:
    """A season in the cache must never be written to, and nothing must be copied over."""
    with pytest.raises(InvalidInput, match="copy_season"):
        play(season_folder(), speed=1e9)
    copy = copy_season(season_folder(), tmp_path / "season")
    with pytest.raises(InvalidInput):
        copy_season(season_folder(), copy)
    with pytest.raises(InvalidInput):
        play(copy, speed=0.0)


def test_stop_ends_it(season_folder: Callable[..., Path], tmp_path: Path) -> None:
    """A night must end after the commit under way when it is told to."""
    folder = copy_season(season_folder(), tmp_path / "season")
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    assert 1 <= play(folder, speed=1e9, max_rate=10.0, stop=stop) < 50


def write_last(folder: Path) -> None:
    """Commit an image that no night has, after everything else."""
    db = sqlite3.connect(folder / "pipeline.sqlite3", timeout=30.0)
    with db:
        db.execute("INSERT INTO images (path, ms_path, created_at, type) VALUES ('/last','',1,'')")
    db.close()


async def test_events_tell_a_night_as_it_happens(
    season_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """A night played by another process must be told from its first MS to its last epochs."""
    folder = copy_season(season_folder(), tmp_path / "season")
    async with cl.open(folder) as lab, lab.events() as events:
        nights = await lab.nights()
        found = []
        with playing(folder, speed=4000.0) as child:
            ended = asyncio.create_task(asyncio.to_thread(child.wait, 60))
            ended.add_done_callback(lambda _: write_last(folder))
            async with asyncio.timeout(90):
                async for event in events:
                    if event.key == "/last":
                        break
                    found.append(event)
            assert await ended == 0
        new = [night for night in await lab.nights() if night not in nights]
        runs = [run for night in new for run in await lab.jobs.list_jobs(night=night, limit=None)]
        last = {e.key: e.new for e in found if e.kind in ("job", "status")}
        assert {run.ms_path: run.status for run in runs}.items() <= last.items()
        told = {event.new for event in found if event.kind == "status"}
        assert {"running", "failed", "completed"} <= told
        assert {"image", "caltable", "photometry"} <= {event.kind for event in found}


def test_events_and_views_without_await(season_folder: Callable[..., Path], tmp_path: Path) -> None:
    """People who do not write await must get the same stream, and save the same view."""
    folder = copy_season(season_folder(), tmp_path / "season")
    with blocking.open(folder) as lab:
        lab.selection.source = "a"
        saved = lab.view.save(tmp_path / "view.json")
        lab.selection.clear()
        assert lab.view.restore(tmp_path / "view.json") == ()
        assert lab.selection.source == "a"
        assert lab.view.save() == saved
        events = lab.events()
        writer = threading.Timer(1.0, lambda: play(folder, speed=1e9))
        writer.start()
        assert next(events).kind in ("job", "caltable")
        events.close()
        writer.join()


def alive(pid: int) -> bool:
    """Whether a process still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_command_ends_what_it_began(
    how: signal.Signals, season_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """``demo --live`` must play in a copy; its child ends with it, however it ends."""
    before = (season_folder() / "pipeline.sqlite3").read_bytes()
    words = ["demo", "--live", "--speed", "60", "--no-serve", "--cache", season_folder().parent]
    command = subprocess.Popen(
        [sys.executable, "-m", "contimg_lab", *map(str, words)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert command.stdout is not None
    folder = Path(command.stdout.readline().removeprefix("season: ").strip())
    assert folder.is_relative_to(tmp_path)
    children = Path(f"/proc/{command.pid}/task/{command.pid}/children")
    deadline = time.monotonic() + 30.0
    while not (pids := [int(pid) for pid in children.read_text().split()]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with blocking.open(folder) as lab:
        events = lab.events()
        assert next(events).text
        events.close()
    command.send_signal(how)
    command.communicate(timeout=30)
    while any(map(alive, pids)):
        assert time.monotonic() < deadline + 30.0
        time.sleep(0.05)
    assert folder.exists() == (how is signal.SIGKILL)
    assert (season_folder() / "pipeline.sqlite3").read_bytes() == before
