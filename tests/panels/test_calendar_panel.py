"""The calendar: how nights stand, what the background finds, what differs, where to sign."""

from __future__ import annotations

import asyncio
import html
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.ledger.changes import Change
from contimg_lab.ledger.keys import SigningKey, key_path, save_key
from contimg_lab.panels._calendar_words import NEEDS, columns, counts, is_let_through, months_of
from contimg_lab.panels._difference import change_columns, change_html
from contimg_lab.panels._home import Home
from contimg_lab.panels._months import Months
from contimg_lab.records.sign_offs import STATES, NightState

NOISE = "UPDATE images SET noise_jy = {value} WHERE id = {key}"
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
async def lab(
    copy_of: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[cl.Lab]:
    """A Lab on a private copy with a ledger of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    async with cl.open(copy_of(), ledger=tmp_path / "ledger.sqlite3") as opened:
        yield opened


def change(lab: cl.Lab, sql: str) -> None:
    """Commit as another process would."""
    with closing(sqlite3.connect(next(iter(lab.layout.files.values())), timeout=30.0)) as db, db:
        db.execute(sql)


def tile(lab: cl.Lab, night: str) -> tuple[int, float]:
    """Id and noise of an image of a night."""
    with closing(sqlite3.connect(next(iter(lab.layout.files.values())))) as db:
        found: tuple[int, float] = db.execute(
            "SELECT id, noise_jy FROM images WHERE path LIKE ? ORDER BY id",
            (f"%{night}%image.fits",),
        ).fetchone()
    return found


async def sign(lab: cl.Lab, night: str, decision: str = "hold", **more: Any) -> Any:
    report = await lab.qa.night(night)
    given = {"reviewer": "Ana Núñez", "reason": "flux scale is looked into", **more}
    return await lab.qa.sign(report, decision=decision, **given)


async def shown(panel: Any, holds: Callable[[], bool]) -> None:
    """Wait for what comes by itself."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 -- nobody tells a test
            await asyncio.sleep(0.02)


def press(panel: Any, does: str, key: str | None) -> None:
    """Say what the browser says."""
    panel._months._handle_custom_msg({"do": does, "key": key}, [])


def cells(panel: Any, night: str) -> list[str]:
    """The row of a night in the table."""
    [row] = [row for row in panel._table.rows.page(0, 1000) if row["key"] == night]
    found: list[str] = row["cells"]
    return found


async def test_every_night_is_unsigned_at_first(demo: cl.Lab, tmp_path: Path) -> None:
    """Without a ledger each night with data must stand there as unsigned, and the words say why."""
    async with cl.open(demo.layout.path, ledger=tmp_path / "none.sqlite3") as lab:
        panel = lab.qa.calendar_panel()
        await panel.settled()
        days = [day for month in panel._months.months for day in month.days]
        assert [day.key for day in days] == list(await lab.nights())
        assert {(day.sign, day.word, day.state) for day in days} == {("○", "unsigned", "open")}
        assert "No ledger yet" in panel._ledger.value
        assert str(tmp_path / "none.sqlite3") in panel._ledger.value
        assert not (tmp_path / "none.sqlite3").exists()
        assert f"{len(days)} nights: {len(days)} unsigned" in repr(panel)
        panel.close()


async def test_each_decision_has_its_word_sign_and_count(lab: cl.Lab) -> None:
    """Accepted with exceptions, rejected and on hold must differ by word and sign, and counted."""
    nights = await lab.nights()
    report = await lab.qa.night(nights[0])
    failing = {(one.check, one.hour, one.key) for one in report.outcomes if one.word == "fail"}
    excused = [{"check": c, "hour": h, "key": k, "reason": "known"} for c, h, k in failing]
    await sign(lab, nights[0], "accept with exceptions", exceptions=excused)
    await sign(lab, nights[1], "reject")
    await sign(lab, nights[2], "hold")
    panel = lab.qa.calendar_panel()
    await panel.settled()
    told = [(d.word, d.state) for d in map(panel._months.day, nights[:4])]
    assert told == [
        ("with exc.", "ok"),
        ("rejected", "bad"),
        ("on hold", "warn"),
        ("unsigned", "open"),
    ]
    assert len({panel._months.day(night).sign for night in nights[:4]}) == 4
    texts = [chip.text for chip in panel._state_filter.chips]
    rest = len(nights) - 3
    assert texts == [
        f"{rest} need somebody", f"{rest} unsigned", "0 stale", "0 accepted", "1 with exceptions",
        "1 rejected", "1 on hold",
    ]  # fmt: skip
    panel.close()


async def test_a_night_that_is_not_checked_yet_says_so(lab: cl.Lab) -> None:
    """Until the background has held a night against its rows, sign and words must say so."""
    night = await lab.last_night()
    await sign(lab, night)
    panel = lab.qa.calendar_panel()
    await panel.settled()
    day = panel._months.day(night)
    assert (day.sign, day.word) == ("‖?", "on hold")
    assert "its rows are not checked yet" in day.told
    assert "1 of 1 signed not checked yet" in repr(panel)
    assert cells(panel, night)[-1] == "not yet"
    await shown(panel, lambda: panel._months.day(night).sign == "‖")
    assert "its rows are as signed, checked at" in panel._months.day(night).told
    assert "not checked" not in repr(panel)
    panel.close()


async def test_a_night_turns_stale_by_itself_and_holds_again(lab: cl.Lab) -> None:
    """A row changed behind the panel's back must turn the night stale, and back again."""
    night = await lab.last_night()
    await sign(lab, night)
    panel = lab.qa.calendar_panel()
    await panel.settled()
    key, noise = tile(lab, night)
    change(lab, NOISE.format(value=0.5, key=key))
    await shown(panel, lambda: panel._months.day(night).word == "stale")
    day = panel._months.day(night)
    assert (day.sign, day.state) == ("≠", "stale")
    assert f"noise_jy was {noise!r}, is 0.5" in day.told
    assert f"stale since {datetime.now(UTC):%Y-%m-%d}" in day.told
    assert cells(panel, night)[1] == "≠ stale"
    assert "1 stale" in [chip.text for chip in panel._state_filter.chips]
    change(lab, NOISE.format(value=repr(noise), key=key))
    await shown(panel, lambda: panel._months.day(night).word == "on hold")
    panel.close()


async def test_a_signature_of_somebody_else_is_shown_by_itself(lab: cl.Lab) -> None:
    """An entry that comes into the ledger while the panel is open must be shown without Refresh."""
    panel = lab.qa.calendar_panel()
    await panel.settled()
    nights = await lab.nights()
    async with cl.open(lab.layout.path, ledger=lab.config.ledger) as other:
        await sign(other, nights[3], "reject")
    await shown(panel, lambda: panel._months.day(nights[3]).word == "rejected")
    assert "No ledger" not in panel._ledger.value
    panel.close()


async def test_a_commit_makes_no_night_be_read_by_the_panel(
    lab: cl.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading again must not read the rows of signed nights: that is the background's."""
    await sign(lab, await lab.last_night())
    panel = lab.qa.calendar_panel()
    panel._head.live.value = False  # nobody listens: no background either
    await panel.settled()

    async def never(*arguments: Any) -> None:
        raise AssertionError("the panel had a night checked")

    monkeypatch.setattr(type(lab.qa.context.standing), "check", never)
    panel.refresh()
    await panel.settled()
    assert panel.state == "showing"
    panel.close()


async def test_a_chosen_night_shows_its_entry_and_those_before(
    copy_of: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that the entry says, listed and signed or not, and what was corrected by it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    key = SigningKey()
    save_key(key, key_path("Ana Núñez"))
    listing = tmp_path / "site.toml"
    listing.write_text(f'[[reviewers]]\nname = "Ana Núñez"\npublic_keys = ["{key.public_key}"]\n')
    monkeypatch.setenv("CONTIMG_LAB_THRESHOLDS", str(listing))
    async with cl.open(copy_of(), ledger=tmp_path / "ledger.sqlite3") as lab:
        night = await lab.last_night()
        first = await sign(lab, night, "hold", reviewer="Ben", reason="waiting for gains")
        entry = await sign(lab, night, "reject", corrects=1, notes="seen twice")
        panel = lab.qa.calendar_panel()
        await panel.settled()
        press(panel, "choose", night)
        await panel.settled()
        assert lab.selection.night == night
        told = html.unescape(panel._facts.value)
        for words in (
            "Ana Núñez (listed)", f"signed with the key {key.public_key[:16]}", "reject",
            "flux scale is looked into", "seen twice", "2, corrects entry 1", entry.hash,
            f"2:{entry.hash}", "dsa110, digest", f"contimg_lab {cl.__version__}",
            "entry 1: hold, Ben (not listed), no key", "waiting for gains",
        ):  # fmt: skip
            assert words in told
        assert first.hash not in told
        panel.close()


async def test_the_selection_of_others_is_followed(lab: cl.Lab) -> None:
    """A night chosen elsewhere must be marked here, in the calendar and in the table."""
    nights = await lab.nights()
    panel = lab.qa.calendar_panel()
    await panel.settled()
    lab.selection.night = nights[5]
    await panel.settled()
    assert (panel.selected, panel._months.chosen) == (nights[5], nights[5])
    assert panel._table._grid.chosen == nights[5]
    assert f"{nights[5]} (" in panel._facts.value
    assert "unsigned; nobody has decided on it" in panel._facts.value
    lab.selection.night = None
    await panel.settled()
    assert (panel.selected, panel._months.chosen) == (None, None)
    panel.close()


async def test_only_what_needs_somebody(lab: cl.Lab) -> None:
    """The filter must leave unsigned and stale nights in the table, and dim the others."""
    nights = await lab.nights()
    await sign(lab, nights[0], "reject")
    await sign(lab, nights[1])
    key, _ = tile(lab, nights[1])
    change(lab, NOISE.format(value=0.5, key=key))
    await lab.qa.states()
    panel = lab.qa.calendar_panel(state=NEEDS)
    await panel.settled()
    assert sorted(panel._table.rows.keys) == list(nights[1:])
    off = [day.key for month in panel._months.months for day in month.days if day.off]
    assert off == [nights[0]]
    assert list(panel.to_pandas()["night"]) == list(nights[1:])
    assert panel.view_state()["filters"] == {"state": NEEDS}
    panel._state_filter._handle_custom_msg({"do": "press", "key": "stale"}, [])
    assert list(panel._table.rows.keys) == [nights[1]]
    panel._state_filter._handle_custom_msg({"do": "press", "key": "stale"}, [])
    assert len(panel._table.rows) == len(nights)
    panel.close()


async def test_the_difference_names_table_key_field_old_and_new(lab: cl.Lab) -> None:
    """One key must show the changed row beside what it was, the results and what moved; and go."""
    night = await lab.last_night()
    entry = await sign(lab, night)
    panel = lab.qa.calendar_panel()
    await panel.settled()
    key, noise = tile(lab, night)
    change(lab, NOISE.format(value=0.5, key=key))
    press(panel, "d", night)  # chooses the night as well
    await panel.settled()
    assert panel.selected == night
    [row] = panel._changes.rows.page(0, 10)
    assert row["cells"][:5] == ["images", str(key), "noise_jy", repr(noise), "0.5"]
    assert row["cells"][6] == "changed"
    told = html.unescape(panel._facts.value)
    check = await lab.qa.verify(entry)
    assert check.results
    assert "not given again: the data moved" in told
    assert str(check.results[0]) in told
    assert "1 change in 1 row since entry 1 was signed" in panel._said.value
    assert panel._table.widget.layout.display == "none"
    page = panel._repr_mimebundle_()
    assert repr(noise) in html.unescape(page["text/html"])
    assert "noise_jy" in page["text/plain"]
    panel._changes._grid._handle_custom_msg({"do": "choose", "key": "0"}, [])
    assert "Was, when signed" in panel._facts.value
    press(panel, "d", night)
    assert panel._table.widget.layout.display is None
    assert panel._changes.widget.layout.display == "none"
    assert "not given again" not in panel._facts.value
    press(panel, "d", night)
    await panel.settled()
    lab.selection.night = (await lab.nights())[0]  # what is shown is of another night then
    await panel.settled()
    assert panel._changes.widget.layout.display == "none"
    press(panel, "d", lab.selection.night)
    assert "nobody has signed this night" in panel._said.value
    panel.close()


async def test_rows_that_vanished_and_appeared_are_told(lab: cl.Lab) -> None:
    """A deleted and an added row must stand in the table as such."""
    night = await lab.last_night()
    await sign(lab, night)
    key, _ = tile(lab, night)
    change(lab, f"DELETE FROM images WHERE id = {key}")
    panel = lab.qa.calendar_panel()
    await panel.settled()
    press(panel, "d", night)
    await panel.settled()
    rows = {tuple(row["cells"][:3]): row["cells"] for row in panel._changes.rows.page(0, 99)}
    assert rows["images", str(key), "whole row"][4] == "not there: the row vanished"
    panel.close()


async def test_signing_goes_to_the_tab_or_says_how(lab: cl.Lab) -> None:
    """One key must select the night and have the dashboard show the sign-off; alone, say how."""
    nights = await lab.nights()
    alone = lab.qa.calendar_panel()
    await alone.settled()
    press(alone, "s", nights[2])
    assert lab.selection.night == nights[2]
    assert f"lab.qa.sign_panel('{nights[2]}')" in html.unescape(alone._said.value)
    alone.close()
    board = lab.dashboard(tab="calendar")
    await board.settled()
    panel = board.panels["calendar"]
    assert panel.show_panel("jobs")
    await board.settled()
    assert board._layout()["tab"] == "jobs"
    assert not panel.show_panel("nonsense")
    board.show_tab("calendar")
    press(panel, "s", nights[4])
    await board.settled()
    assert board._layout()["tab"] == "sign_off"
    assert lab.selection.night == nights[4]
    assert nights[4] in board.panels["sign_off"]._static_page()[1]
    board.close()


@pytest.mark.parametrize("kind", ["garbage", "the pipeline's own", "a folder"])
async def test_a_ledger_that_cannot_be_read_is_told(
    kind: str, copy_of: Callable[..., Path], tmp_path: Path
) -> None:
    """Nights must stand there as not known, never as unsigned, with clear words."""
    folder = copy_of()
    path = tmp_path / "ledger.sqlite3"
    if kind == "garbage":
        path.write_bytes(b"this is no ledger" * 100)
    elif kind == "a folder":
        path.mkdir()
    else:
        path = folder / "pipeline.sqlite3"
    async with cl.open(folder, ledger=path) as lab:
        panel = lab.qa.calendar_panel()
        await panel.settled()
        words = html.unescape(panel._ledger.value)
        assert "The ledger cannot be read, so nobody's decision is known here" in words
        assert path.name in words
        days = [day for month in panel._months.months for day in month.days]
        assert {(day.sign, day.word) for day in days} == {("?", "not known")}
        assert panel._state_filter.chips == ()
        press(panel, "choose", days[0].key)
        await panel.settled()
        assert panel.state == "failed"
        press(panel, "d", days[0].key)
        press(panel, "s", days[0].key)
        panel.close()


async def test_hostile_words_of_a_reviewer_are_escaped(lab: cl.Lab) -> None:
    """Names, reasons and notes of a ledger must be shown as text."""
    night = await lab.last_night()
    await sign(lab, night, reviewer=SCRIPT, reason=SCRIPT, notes=SCRIPT)
    change(lab, f'UPDATE images SET type = "{SCRIPT}" WHERE id = {tile(lab, night)[0]}')
    panel = lab.qa.calendar_panel()
    await panel.settled()
    press(panel, "d", night)
    await panel.settled()
    parts = [panel._facts.value, panel._said.value, panel._repr_mimebundle_()["text/html"]]
    assert not any("<script" in part for part in parts)
    assert "&lt;script&gt;" in panel._facts.value
    panel.close()


async def test_closing_ends_all_hearing(lab: cl.Lab) -> None:
    """A closed panel must not be told of checks, and a dropped one must not be kept alive."""
    night = await lab.last_night()
    await sign(lab, night)
    panel = lab.qa.calendar_panel()
    await panel.settled()
    before = panel._months.months
    standing = lab.qa.context.standing
    assert len(standing._hearers) == 1
    panel.close()
    panel.close()
    assert not standing._hearers
    await lab.qa.states()
    assert panel._months.months == before


async def test_only_months_that_differ_are_sent(
    demo: cl.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night that changes must cost one month of a message, and a page that comes later all."""
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(Months, "send", lambda self, message: said.append(message))
    months = Months("nights", Home(), 200, lambda does, key: None)
    first = date(2016, 1, 1)
    states = [
        NightState(night=str(first + timedelta(days=n)), state="unsigned") for n in range(3653)
    ]
    months.show(months_of(states))
    assert len(said.pop()["months"]) == 120
    states[100] = NightState(night=states[100].night, state="hold")
    months.show(months_of(states))
    message = said.pop()
    assert [month["key"] for month in message["months"]] == ["2016-04"]
    assert len(message["order"]) == 120
    months.show(months_of(states))
    assert said == []
    months._handle_custom_msg({"do": "hello"}, [])
    assert len(said.pop()["months"]) == 120
    assert await demo.nights()


NIGHTS = st.dates(date(1, 1, 1), date(9999, 12, 31)) | st.dates(date(2025, 1, 1), date(2026, 1, 1))


@given(st.lists(NIGHTS, unique=True, max_size=60), st.sampled_from(["", NEEDS, *STATES]))
def test_every_date_stands_on_its_weekday(nights: list[date], wanted: str) -> None:
    """Each night must be once in the calendar, below its weekday, and gaps fill what is between."""
    ordered = sorted(nights)
    states = [NightState(night=str(night), state=STATES[0]) for night in ordered]
    months = months_of(states, wanted)
    found = []
    for month in months:
        for day in month.days:
            night = date.fromisoformat(day.key)
            assert f"{night:%Y}".zfill(4) + f"-{night.month:02d}" == month.key
            assert (month.lead + day.day - 1) % 7 == night.weekday()
            assert day.off is (not is_let_through(states[0], wanted))
            found.append(day.key)
        assert bool(month.days) == bool(month.length)
    assert found == [str(night) for night in ordered]
    assert len({month.key for month in months}) == len(months)


def test_a_night_that_is_no_date_is_in_the_table_alone() -> None:
    """A ledger may hold a date that is none: it must be told, and break nothing."""
    states = [NightState(night="2025-13-45", state="unsigned")]
    assert months_of(states) == []
    assert list(columns(states)[0].texts) == ["2025-13-45"]
    assert counts(states) == "1 nights: 1 unsigned"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("t:5", "i:5", ("'5'", "5")),
        ("null", "t:", ("NULL", "''")),
        ("absent", "f:nan", ("no such column", "nan")),
        ("f:0000000000000000", "f:8000000000000000", ("0.0", "-0.0")),
        ("t:" + "x" * 500, "b:00ff", ("'" + "x" * 58 + "…", "b'\\x00\\xff'")),
    ],
)
def test_values_that_differ_are_written_differently(
    old: str, new: str, told: tuple[str, str]
) -> None:
    """Text, number, NULL, no column and zeros of both signs must be told apart."""
    change = Change("changed", "jobs", "03", "/ms/a.ms", "status", old, new)
    columns = change_columns([change])
    assert (columns[3].texts[0], columns[4].texts[0]) == told
    assert columns[1].texts[0] == "a"
    assert "/ms/a.ms" in change_html(change)
