"""The night at a glance: what the service judges, cell by cell, chosen and followed."""

from __future__ import annotations

import asyncio
import html
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import contimg_lab as cl
from contimg_lab.panels import TABS
from contimg_lab.panels._night_words import split_key

SIGN = {"pass": "✓", "warn": "!", "fail": "✗", "not applicable": "–"}
SCRIPT = "<script>alert('x')</script>"


def press(panel, key: str) -> None:
    """Choose a cell as the browser tells it."""
    panel._matrix._handle_custom_msg({"do": "press", "key": key}, [])


async def test_every_cell_is_what_the_service_judges(lab: cl.Lab) -> None:
    """On every database each cell must bear the word, its sign and the reason of ``qa.hours``."""
    panel = lab.qa.panel()
    await panel.settled()
    night = await lab.last_night()
    if night is None:
        assert panel._matrix.rows == ()
        panel.close()
        return
    hours = await lab.qa.hours(night)
    assert [int(row.key) for row in panel._matrix.rows] == list(hours["hour"])
    for row, (_, told) in zip(panel._matrix.rows, hours.iterrows(), strict=True):
        assert len(row.cells) == len(hours.attrs["checks"])
        for cell in row.cells:
            hour, check = split_key(cell.key)
            word = told[f"{check}_word"]
            assert hour == told["hour"]
            assert cell.sign == SIGN[word]
            assert cell.word == ("n/a" if word == "not applicable" else word)
            assert cell.why == f"{word}: {hours.attrs['reasons'][check][hour]}"
            assert cell.text
    panel.close()


async def test_what_broke_is_told_first(demo: cl.Lab) -> None:
    """The verdict must count the failed runs by cause, and name the hours that fail a check."""
    panel = demo.qa.panel()
    await panel.settled()
    summary = await demo.qa.summary(await demo.last_night())
    told = html.unescape(panel._verdict.value)
    n = summary.status_counts["failed"]
    assert f"{n} of {summary.n_ms} runs failed" in told
    assert all(f"{k} {cause}" in told for cause, k in summary.cause_counts.items())
    hours = await demo.qa.hours(summary.night)
    words = [hours[f"{check}_word"] for check in hours.attrs["checks"]]
    for word in ("fail", "warn"):
        assert f"{sum((column == word).sum() for column in words)} {word}:" in told
    for hour in hours["hour"][hours["failed_word"] == "fail"]:
        assert re.search(rf"failed runs [\d, ]*{hour:02d} h", told)
    panel.close()


async def test_a_calm_night_is_told_as_such(copy_of: Callable[..., Path]) -> None:
    """Where every run is completed the verdict must say so with the sign of a pass."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as connection:
        connection.execute("UPDATE jobs SET status = 'completed'")
        connection.execute("UPDATE ms_index SET status = 'completed', stage = 'done'")
    connection.close()
    async with cl.open(folder) as lab:
        panel = lab.qa.panel()
        await panel.settled()
        assert "✓</span> all 36 of 36 runs are completed" in panel._verdict.value
        panel.close()


async def test_the_verdict_and_the_hours_come_one_after_the_other(demo: cl.Lab) -> None:
    """What broke must be on screen while the hours are still being judged."""
    panel = demo.qa.panel()
    for _ in range(2000):
        await asyncio.sleep(0.002)
        if panel._verdict.value:
            break
    assert "runs failed" in panel._verdict.value
    assert "judging hours" in panel._verdict.value
    assert panel._matrix.rows == ()
    await panel.settled()
    assert "judging" not in panel._verdict.value
    assert panel._matrix.rows
    panel.close()


async def test_a_chosen_cell_tells_its_value_and_limits(demo: cl.Lab) -> None:
    """Value with its unit, both limits, whose they are, and the tiles behind it, worst first."""
    panel = demo.qa.panel()
    await panel.settled()
    press(panel, "5 noise")
    await panel.settled()
    told = html.unescape(panel._facts.value)
    hours = (await demo.qa.hours(await demo.last_night())).set_index("hour")
    limit = hours.attrs["limits"]["noise"]
    level = hours.loc[5, "noise_median_jy"] * 1e3
    for words in (limit["warn"], limit["fail"], limit["source"], f"median {level:.1f} mJy/beam"):
        assert words in told
    assert str(hours.loc[5, "noise_reference"]) in told
    worst = panel._table.rows.page(0, 1)[0]
    assert f"{hours.loc[5, 'noise_max_jy'] * 1e3:.3g} mJy/beam" in worst["cells"][2]
    assert worst["cells"][1] == "✗ yes"
    assert len(panel._table.rows) == hours.loc[5, "n_tiles"]
    page = panel._repr_mimebundle_()
    assert limit["fail"] in page["text/html"]
    assert "✗ 4 of 36 runs failed" in page["text/plain"]
    panel.close()


async def test_the_failed_runs_of_an_hour_lead_to_the_jobs(demo: cl.Lab) -> None:
    """The rows of a failed hour must be its failed runs, and choosing one chooses its MS."""
    panel, jobs = demo.qa.panel(), demo.jobs.panel()
    await asyncio.gather(panel.settled(), jobs.settled())
    press(panel, "5 failed")
    await panel.settled()
    runs = await demo.jobs.table(night=await demo.last_night(), status="failed")
    mine = sorted(runs["ms_path"][runs["hour"] == 5])
    assert sorted(panel._table.rows.keys) == mine
    panel._table._grid._handle_custom_msg({"do": "choose", "key": mine[0]}, [])
    await jobs.settled()
    assert demo.selection.ms_path == mine[0]
    assert jobs.selected == await demo.jobs.run_id_of(mine[0])
    panel.close()
    jobs.close()


async def test_a_cell_is_night_and_hour_for_everybody(demo: cl.Lab) -> None:
    """A chosen cell must set night and hour in one step, and an MS chosen elsewhere light both."""
    panel = demo.qa.panel()
    await panel.settled()
    night = await demo.last_night()
    press(panel, "4 tiles")
    await panel.settled()
    assert demo.selection.to_dict() == {"night": night, "hour": 4}
    assert (panel._matrix.chosen, panel._matrix.lit) == ("4 tiles", "4")
    demo.selection.back()
    assert demo.selection.to_dict() == {}
    other = (await demo.nights())[3]
    ms = (await demo.jobs.list_jobs(night=other, limit=1))[0]
    demo.selection.ms_path = ms.ms_path
    await panel.settled()
    assert panel.to_pandas()["night"].iloc[0] == other
    assert panel._matrix.lit == str(ms.hour)
    assert panel.selected is None  # no cell of another night stays chosen
    press(panel, "99 tiles")  # what is not there is not chosen
    press(panel, "4 nonsense")
    assert panel.selected is None
    panel.close()


async def test_a_night_that_was_asked_for_stays(demo: cl.Lab) -> None:
    """A panel made for a night must show it, whatever is selected, until that changes."""
    nights = await demo.nights()
    demo.selection.night = nights[2]
    panel = demo.qa.panel(night=nights[4])
    await panel.settled()
    assert set(panel.to_pandas()["night"]) == {nights[4]}
    demo.selection.night = nights[5]
    await panel.settled()
    assert set(panel.to_pandas()["night"]) == {nights[5]}
    panel.close()
    follows = demo.qa.panel()
    await follows.settled()
    assert set(follows.to_pandas()["night"]) == {nights[5]}
    follows.close()


async def test_what_cannot_be_checked_says_why(demo: cl.Lab) -> None:
    """A night without images must have cells that are not applicable, with the reason."""
    panel = demo.qa.panel(night="2025-10-20")
    await panel.settled()
    cell = panel._matrix.cell("5 noise")
    assert (cell.sign, cell.word, cell.state) == ("–", "n/a", "none")
    assert cell.text == "no tile image"
    assert "no tile image of the hour has a noise" in cell.told
    press(panel, "5 noise")
    await panel.settled()
    assert "not applicable" in panel._facts.value
    panel.close()


async def test_a_page_that_comes_later_is_told_everything(
    demo: cl.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that says hello must get the whole grid and what is chosen in it."""
    panel = demo.qa.panel()
    await panel.settled()
    press(panel, "3 tiles")
    await panel.settled()
    said: list[dict] = []
    monkeypatch.setattr(type(panel._matrix), "send", lambda self, message: said.append(message))
    panel._matrix._handle_custom_msg({"do": "hello"}, [])
    assert [message["say"] for message in said] == ["table"]
    assert (said[0]["chosen"], said[0]["lit"]) == ("3 tiles", "3")
    assert len(said[0]["rows"]) == len(panel._matrix.rows)
    said.clear()
    panel.refresh()
    await panel.settled()
    assert said == []  # the same again is not worth a message
    panel.close()


async def test_hostile_texts_are_escaped(copy_of: Callable[..., Path]) -> None:
    """A status, path or message that holds HTML must be shown as text."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as connection:
        path = connection.execute(
            "SELECT ms_path FROM jobs WHERE status = 'failed' ORDER BY ms_path DESC"
        ).fetchone()[0]
        evil = path.replace(".ms", f"{SCRIPT}.ms")
        for table, column in (("ms_index", "path"), ("jobs", "ms_path")):
            connection.execute(f"UPDATE {table} SET {column}=? WHERE {column}=?", (evil, path))
        connection.execute("UPDATE ms_index SET status = ? WHERE status = 'running'", (SCRIPT,))
        connection.execute("UPDATE jobs SET status = ? WHERE status = 'running'", (SCRIPT,))
    connection.close()
    async with cl.open(folder) as lab:
        panel = lab.qa.panel()
        await panel.settled()
        for row in panel._matrix.rows:
            press(panel, f"{row.key} failed")
            await panel.settled()
            pages = [panel._verdict.value, panel._facts.value, panel._told.value]
            pages.append(panel._repr_mimebundle_()["text/html"])
            assert not any("<script" in page for page in pages)
        assert "&lt;script&gt;" in panel._verdict.value
        panel.close()


async def test_the_dashboard_opens_on_the_night(demo: cl.Lab) -> None:
    """Its first tab must be the night; above the others what broke is told in one line."""
    assert TABS[0] == "night"
    board = demo.dashboard()
    await board.settled()
    assert list(board.panels) == ["night"]
    assert board._still.layout.display == "none"  # the tab tells it
    board.show_tab("jobs")
    await board.settled()
    assert board._still.layout.display is None
    assert "4 of 36 runs failed" in board._verdict.value
    board.close()
