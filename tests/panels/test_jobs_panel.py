"""The jobs panel: counts and causes that filter, unusual durations, a log that is followed."""

from __future__ import annotations

import asyncio
import html
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import contimg_lab as cl
from contimg_lab.panels._log_view import Following

RUN = "job-2025-11-06-064333"  # the one that is running
SCRIPT = "<script>alert('x')</script>"


def press(chips: Any, key: str) -> None:
    """Press a chip as the browser tells it."""
    chips._handle_custom_msg({"do": "press", "key": key}, [])


async def until(happened: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 (a file tells nobody)
            await asyncio.sleep(0.02)


def followers() -> list[asyncio.Task[Any]]:
    """Tasks that follow a log."""
    coroutine = Following._follow.__qualname__
    return [t for t in asyncio.all_tasks() if t.get_coro().__qualname__ == coroutine]


@pytest.fixture
async def live(copy_of: Callable[..., Path]) -> AsyncIterator[tuple[cl.Lab, Path]]:
    """A Lab on a private copy of a season, and the log of the run that is running."""
    folder = copy_of()
    log = folder / "logs" / f"{RUN}.log"
    log.write_text("first\nsecond\n")
    async with cl.open(folder) as lab:
        yield lab, log


async def test_counts_and_causes_are_those_of_the_service(lab: cl.Lab) -> None:
    """On every database the chips must hold the numbers of ``jobs.summary``."""
    panel = lab.jobs.panel(night="all")
    await panel.settled()
    summary = await lab.jobs.summary()
    texts = {chip.key: chip.text for chip in panel._status_filter.chips}
    assert texts.pop("") == f"all {summary.n_runs}"
    for status, n in summary.status_counts.items():
        assert texts.pop(status).endswith(f" {n}")
    assert all(text.endswith(" 0") for text in texts.values())
    causes = {chip.key: chip.text for chip in panel._cause_filter.chips}
    assert causes == {cause: f"{cause} {n}" for cause, n in summary.cause_counts.items()}
    for cause, n in summary.cause_counts.items():
        press(panel._cause_filter, cause)
        await panel.settled()
        assert len(panel.to_pandas()) == n
        press(panel._cause_filter, cause)
    panel.close()


async def test_a_press_filters_and_another_lets_all_through(demo: cl.Lab) -> None:
    """A chip must filter by what it says, be pressed meanwhile, and then not."""
    panel = demo.jobs.panel()
    await panel.settled()
    total = len(panel.to_pandas())
    press(panel._status_filter, "failed")
    press(panel._cause_filter, "memory")
    await panel.settled()
    assert set(panel.to_pandas()["cause"]) == {"memory"}
    assert panel._cause_filter.value == "memory"
    assert "cause='memory'" in panel.code()
    press(panel._status_filter, "completed")  # which has no cause: the newer wish holds
    await panel.settled()
    assert set(panel.to_pandas()["status"]) == {"completed"}
    assert panel._cause_filter.value == ""
    press(panel._status_filter, "completed")
    await panel.settled()
    assert len(panel.to_pandas()) == total
    press(panel._status_filter, "no such")
    assert panel._status_filter.value == ""
    panel.close()


async def test_a_cause_has_an_example(demo: cl.Lab) -> None:
    """Beside each cause must stand the message of one of its runs."""
    panel = demo.jobs.panel()
    await panel.settled()
    runs = panel.to_pandas()
    for chip in panel._cause_filter.chips:
        messages = runs["message"][runs["cause"] == chip.key]
        paths = runs["ms_path"][runs["cause"] == chip.key]
        shown = [m.replace(p, "the MS") for m, p in zip(messages, paths, strict=True)]
        assert chip.note in [" ".join(text.split()) for text in shown]
    panel.close()


async def test_a_night_without_failures_says_so(copy_of: Callable[..., Path]) -> None:
    """Where no run failed, words must stand in the place of causes."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as connection:
        for table in ("jobs", "ms_index"):
            connection.execute(f"UPDATE {table} SET status = 'completed'")
    connection.close()
    async with cl.open(folder) as lab:
        panel = lab.jobs.panel()
        await panel.settled()
        assert panel._cause_filter.chips == ()
        assert "No run failed" in panel._calm.value
        panel.close()


async def test_unusual_durations_are_marked_by_a_rule_in_words(demo: cl.Lab) -> None:
    """Exactly the outliers of the summary must bear the sign; the column sorts by seconds."""
    panel = demo.jobs.panel(night="all")
    await panel.settled()
    summary = await demo.jobs.summary()
    rows = panel._table.rows
    at = [column.title for column in rows.columns].index("took")
    marked = {r["key"] for r in rows.page(0, len(rows)) if r["cells"][at].startswith("⚠ ")}
    assert marked == {run.run_id for run in summary.outliers}
    assert marked
    told = html.unescape(panel._durations.value)
    assert f"⚠ marks {len(marked)} of them: further than 5 × 1.4826 MAD from the median" in told
    assert f"of {summary.n_durations} completed runs" in told
    panel._table.sort("took", down=True)
    took = panel.to_pandas()["duration_s"]
    top = rows.place(panel._table.rows.page(0, 1)[0]["key"])
    assert took.iloc[top] == took.max()
    panel.close()


async def test_too_few_durations_are_not_judged(copy_of: Callable[..., Path]) -> None:
    """Where nothing can be called unusual the panel must say why."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as connection:
        connection.execute("UPDATE jobs SET finished_at = NULL")
    connection.close()
    async with cl.open(folder) as lab:
        panel = lab.jobs.panel()
        await panel.settled()
        assert "of no completed run known" in panel._durations.value
        panel.close()


async def test_the_steps_lead_to_what_they_name(demo: cl.Lab) -> None:
    """Each step must say whether it is there, and choose it for everybody when pressed."""
    panel, tables = demo.jobs.panel(), demo.caltables.panel(night="all")
    await asyncio.gather(panel.settled(), tables.settled())
    runs = panel.to_pandas()
    panel.select(runs["run_id"][runs["status"] == "completed"].iloc[-1])
    await panel.settled()
    links = await demo.jobs.build_provenance_links(panel.selected)
    chips = {chip.key: chip for chip in panel._steps.chips}
    assert list(chips)[:3] == [
        f"ms_path {links.ms_path}", f"caltable {links.cal_table}", f"pointing {links.ms_path}",
    ]  # fmt: skip
    assert [key for key in chips if key.startswith("image ")] == [
        f"image {path}" for path in links.image_paths
    ]
    press(panel._steps, f"caltable {links.cal_table}")
    await tables.settled()
    assert demo.selection.caltable == links.cal_table
    assert tables.selected == links.cal_table
    press(panel._steps, f"image {links.image_paths[0]}")
    assert demo.selection.image == links.image_paths[0]
    demo.selection.choose(ms_path=runs["ms_path"].iloc[0])
    await panel.settled()
    panel.select(links.run_id)
    await panel.settled()
    press(panel._steps, f"pointing {links.ms_path}")
    assert demo.selection.ms_path == links.ms_path
    panel.select(runs["run_id"][runs["cause"] == "conversion"].iloc[0])
    await panel.settled()
    missing = panel._steps.chips[-1]
    assert (missing.sign, missing.text, missing.off) == ("✗", "images missing", True)
    press(panel._steps, missing.key)  # leads nowhere
    assert demo.selection.image == links.image_paths[0]
    panel.close()
    tables.close()


async def test_the_log_of_a_running_run_is_followed(
    live: tuple[cl.Lab, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is appended must be added line by line; nothing new must send nothing."""
    lab, log = live
    panel = lab.jobs.panel()
    await panel.settled()
    panel.select(RUN)
    await panel.settled()
    assert panel._log.lines == ("first", "second")
    assert panel._follow_button.value
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(type(panel._log), "send", lambda self, message: said.append(message))
    with log.open("a") as file:
        file.write("third\nfou")
    await until(lambda: len(panel._log.lines) > 2)
    assert said[-1]["lines"] == [("third", False), ("fou", False)]
    with log.open("a") as file:
        file.write(f"rth\nERROR {SCRIPT}\n")
    await until(lambda: len(panel._log.lines) > 4)
    assert panel._log.lines == ("first", "second", "third", "fourth", f"ERROR {SCRIPT}")
    assert (said[-1]["say"], said[-1]["drop"]) == ("add", 1)
    assert said[-1]["lines"][-1] == (f"ERROR {SCRIPT}", True)
    assert "<script" not in panel._repr_mimebundle_()["text/html"]
    count = len(said)
    await asyncio.sleep(2.2)
    assert len(said) == count
    panel.refresh()  # and reading everything again tells nothing twice
    panel.select(RUN)
    await panel.settled()
    assert len(said) == count
    panel.close()
    assert len(panel._log.lines) == 5


async def test_a_log_that_is_begun_anew(live: tuple[cl.Lab, Path]) -> None:
    """A file cut off, replaced, or gone for a while must go on being followed, with a word."""
    lab, log = live
    panel = lab.jobs.panel()
    await panel.settled()
    panel.select(RUN)
    await panel.settled()
    await asyncio.sleep(0.5)  # it has begun to follow
    log.write_text("cut off\n")
    await until(lambda: panel._log.lines[-1] == "cut off")
    assert panel._log.lines == ("first", "second", "[the log file was begun anew]", "cut off")
    fresh = log.with_name("fresh")
    fresh.write_text("another file, longer than the one before\n")
    fresh.replace(log)
    await until(lambda: panel._log.lines[-1].startswith("another file"))
    log.rename(log.with_name("moved"))
    await asyncio.sleep(1.5)
    log.write_text("back again\n")
    await until(lambda: panel._log.lines[-1] == "back again")
    with log.open("a") as file:
        file.write("and on\n")
    await until(lambda: panel._log.lines[-1] == "and on")
    panel.close()


async def test_following_ends_when_it_must(live: tuple[cl.Lab, Path]) -> None:
    """Another run, a hidden tab, the toggle and close must leave no task that reads."""
    lab, log = live
    panel = lab.jobs.panel()
    await panel.settled()
    assert followers() == []
    panel.select(RUN)
    await panel.settled()
    assert len(followers()) == 1
    panel._follow_button.value = False
    await asyncio.sleep(0)
    assert followers() == []
    panel._follow_button.value = True
    await asyncio.sleep(0)
    assert len(followers()) == 1
    panel._ties.see(visible=False)
    await asyncio.sleep(0)
    assert followers() == []
    with log.open("a") as file:
        file.write("while hidden\n")
    panel._ties.see(visible=True)
    await until(lambda: panel._log.lines[-1] == "while hidden")
    assert len(followers()) == 1
    failed = panel.to_pandas()["run_id"].iloc[0]
    panel.select(failed)
    await panel.settled()
    await asyncio.sleep(0)
    assert (followers(), panel._follow_button.value) == ([], False)
    panel._follow_button.value = True  # any run's log can be followed
    await asyncio.sleep(0)
    assert len(followers()) == 1
    panel.close()
    await asyncio.sleep(0)
    assert followers() == []


async def test_a_run_that_ends_is_followed_to_its_last_line(live: tuple[cl.Lab, Path]) -> None:
    """When the run is completed its last lines must be there, and following ends by itself."""
    lab, log = live
    panel = lab.jobs.panel()
    await panel.settled()
    panel.select(RUN)
    await panel.settled()
    await lab.watcher.began()
    with log.open("a") as file:
        file.write("done\n")
    with sqlite3.connect(log.parent.parent / "pipeline.sqlite3") as connection:
        for table in ("jobs", "ms_index"):
            connection.execute(f"UPDATE {table} SET status = 'completed' WHERE status = 'running'")
    connection.close()
    await until(lambda: not panel._follow_button.value)
    await panel.settled()
    assert panel._log.lines[-1] == "done"
    await asyncio.sleep(0)
    assert followers() == []
    panel.close()


async def test_a_log_that_appears_later_is_found(copy_of: Callable[..., Path]) -> None:
    """A running run without a file of its own must show that file once it is written."""
    folder = copy_of()
    log = folder / "logs" / f"{RUN}.log"
    log.unlink(missing_ok=True)
    async with cl.open(folder) as lab:
        panel = lab.jobs.panel()
        await panel.settled()
        panel.select(RUN)
        await panel.settled()
        assert f"the run's own file {RUN}.log" not in html.unescape(panel._log_name.value)
        assert len(followers()) == 1
        await asyncio.sleep(0.3)
        log.write_text("here it is\n")
        await until(lambda: panel._log.lines[-1:] == ("here it is",))
        assert f"the run's own file {RUN}.log" in html.unescape(panel._log_name.value)
        with log.open("a") as file:
            file.write("and more\n")
        await until(lambda: panel._log.lines[-1] == "and more")
        panel.close()


async def test_a_closed_lab_ends_the_following_in_words(live: tuple[cl.Lab, Path]) -> None:
    """Where the log cannot be read any more the panel must say so, and stop."""
    lab, log = live
    panel = lab.jobs.panel()
    await panel.settled()
    panel.select(RUN)
    await panel.settled()
    os.mkfifo(log.with_suffix(".fifo"))
    log.with_suffix(".fifo").replace(log)  # at once: a log that is gone for a moment is waited for
    await until(lambda: not panel._follow_button.value)
    assert "Not followed any more" in panel._log_name.value
    assert followers() == []
    panel.close()


async def test_a_paused_panel_follows_only_when_asked(live: tuple[cl.Lab, Path]) -> None:
    """Paused, a running run's log must stand still until the toggle is pressed."""
    lab, _ = live
    panel = lab.jobs.panel()
    await panel.settled()
    panel._head.live.value = False
    panel.select(RUN)
    await panel.settled()
    await asyncio.sleep(0)
    assert (followers(), panel._follow_button.value) == ([], False)
    panel.close()
