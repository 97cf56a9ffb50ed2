"""Signing nights and holding them to it: on private copies, changed behind the Lab's back."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import contimg_lab as cl
from contimg_lab.errors import (
    InvalidInput,
    LedgerError,
    NotALedger,
    NotFound,
    SigningKeyError,
    StaleReport,
)
from contimg_lab.ledger.canonical import canonical
from contimg_lab.ledger.evidence import Evidence, gather
from contimg_lab.ledger.keys import SigningKey, key_path, save_key
from contimg_lab.ledger.store import Ledger
from contimg_lab.services._events import EventStream
from contimg_lab.services._night_again import evidence_again
from contimg_lab.services._standing import Standing

WHO = {"reviewer": "Ana Núñez", "reason": "as on other nights"}


def change(folder: Path, *statements: str) -> None:
    """Commit once, as another process would."""
    with closing(sqlite3.connect(folder / "pipeline.sqlite3", timeout=30.0)) as db, db:
        for sql in statements:
            db.execute(sql)


def value(folder: Path, sql: str) -> Any:
    """One value of the database."""
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db:
        return db.execute(sql).fetchone()[0]


def exceptions(report: Any) -> list[dict[str, Any]]:
    """An exception for everything that fails."""
    failing = {(one.check, one.hour, one.key) for one in report.outcomes if one.word == "fail"}
    return [
        {"check": check, "hour": hour, "key": key, "reason": "known, and harmless here"}
        for check, hour, key in sorted(failing, key=str)
    ]


async def accepted(lab: cl.Lab, night: str | None = None, **more: Any) -> Any:
    """Accept a night, with a reason for whatever fails."""
    report = await lab.qa.night(night or await lab.last_night())
    told = exceptions(report)
    decision = "accept with exceptions" if told else "accept"
    return await lab.qa.sign(report, decision=decision, exceptions=told, **{**WHO, **more})


async def take(events: EventStream, kind: str) -> Any:
    """The next event of a kind."""
    async with asyncio.timeout(60):
        async for event in events:
            if event.kind == kind:
                return event
    raise AssertionError("the stream ended")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and ledgers of whoever runs the tests are left alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def site(
    copy_of: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path, SigningKey]:
    """A private copy, a path for its ledger, and the key of the one reviewer that is listed."""
    key = SigningKey()
    save_key(key, key_path(WHO["reviewer"]))
    listing = tmp_path / "site.toml"
    listing.write_text(
        f'[[reviewers]]\nname = "{WHO["reviewer"]}"\npublic_keys = ["{key.public_key}"]\n'
    )
    monkeypatch.setenv("CONTIMG_LAB_THRESHOLDS", str(listing))
    return copy_of(), tmp_path / "ledger.sqlite3", key


@pytest.fixture
async def lab(site: tuple[Path, Path, SigningKey]) -> AsyncIterator[cl.Lab]:
    """A Lab on the private copy."""
    folder, ledger, _ = site
    async with cl.open(folder, ledger=ledger) as opened:
        yield opened


async def test_sign_and_verify(lab: cl.Lab, site: tuple[Path, Path, SigningKey]) -> None:
    """A signed night is in the ledger with all that was told, and holds until something moves."""
    _, path, key = site
    night = await lab.last_night()
    report = await lab.qa.night(night)
    told = exceptions(report)
    decision = "accept with exceptions" if told else "accept"
    entry = await lab.qa.sign(report, decision=decision, exceptions=told, notes="seen twice", **WHO)
    assert Ledger(path).entries() == [entry]
    body = entry.body
    assert (body["night"], body["kind"], body["reviewer"]) == (night, "sign-off", WHO["reviewer"])
    assert (body["listed"], body["public_key"]) == (True, key.public_key)
    assert body["evidence"] == report.evidence.summary
    assert body["results"] == json.loads(canonical([o.to_json() for o in report.outcomes]))
    assert body["thresholds"]["values"] == report.thresholds.values
    assert sorted(body["hours"]) == [f"{one.hour:02d}" for one in report.judged]
    assert body["exceptions"] == [
        {**one, "hour": None if one["hour"] is None else f"{one['hour']:02d}"}
        for one in exceptions(report)
    ]
    assert body["database"]["identity"] == await lab.identity()
    found = await lab.qa.verify(entry)
    assert (found.word, found.exit_code) == ("holds", 0), found
    assert (found.findings, found.changes, found.results) == ([], (), ())
    assert found.head == (1, entry.hash)
    book = await lab.qa.ledger()
    assert (len(book), book.head, book.path) == (1, entry.head, path)
    assert list(book.to_pandas()["night"]) == [night]
    assert (await lab.qa.entry(1)) == entry
    calendar = await lab.qa.calendar(night, night)
    (state,) = calendar["state"]
    assert state == ("with exceptions" if body["exceptions"] else "accepted")
    assert set((await lab.qa.calendar())["state"]) == {"unsigned", state}


@pytest.mark.parametrize(
    ("sql", "kind", "field"),
    [
        ("UPDATE images SET noise_jy = noise_jy * 2 WHERE id = {id}", "changed", "noise_jy"),
        ("UPDATE images SET noise_jy = NULL WHERE id = {id}", "changed", "noise_jy"),
        ("UPDATE images SET noise_jy = 9e999 WHERE id = {id}", "changed", "noise_jy"),
        ("UPDATE images SET noise_jy = 'loud' WHERE id = {id}", "changed", "noise_jy"),
        ("DELETE FROM images WHERE id = {id}", "vanished", None),
        (
            "INSERT INTO images (path, ms_path, created_at, type) "
            "SELECT path || '.new', ms_path, created_at, 'image' FROM images WHERE id = {id}",
            "appeared",
            None,
        ),
    ],
)
async def test_a_change_is_found_and_named(
    lab: cl.Lab, site: tuple[Path, Path, SigningKey], sql: str, kind: str, field: str | None
) -> None:
    """One row changed behind its back is named with its old and new value, and the night stale."""
    folder, _, _ = site
    night = await lab.last_night()
    entry = await accepted(lab)
    row = value(
        folder, f"SELECT id FROM images WHERE path LIKE '%{night}%image.fits' AND noise_jy > 0"
    )
    was = value(folder, f"SELECT noise_jy FROM images WHERE id = {row}")
    change(folder, sql.format(id=row))
    found = await lab.qa.verify(entry)
    assert (found.word, found.exit_code) == ("broken", 2)
    mine = [one for one in found.changes or () if one.table == "images" and one.kind == kind]
    assert [one.field for one in mine] == [field]
    if kind != "appeared":
        assert mine[0].key == row
    if field is not None:
        now = value(folder, f"SELECT noise_jy FROM images WHERE id = {row}")
        told = "NULL" if now is None else repr(now)
        assert str(mine[0]).endswith(f"noise_jy was {was!r}, is {told}")
        assert str(mine[0]) in repr(found)
    assert not found.results or "the data moved" in found.moved
    state = (await lab.qa.states(night, night))[0]
    assert (state.state, state.decision) == ("stale", entry.body["decision"])
    assert state.stale_since is not None
    with closing(sqlite3.connect(site[1])) as ledger:
        assert ledger.execute("SELECT count(*) FROM entries").fetchone() == (1,)


async def test_a_change_elsewhere_is_no_change(
    lab: cl.Lab, site: tuple[Path, Path, SigningKey]
) -> None:
    """What a later night brings, or another one loses of what was not read, leaves it as it is."""
    nights = await lab.nights()
    entry = await accepted(lab, nights[-2])
    change(site[0], f"UPDATE images SET noise_jy = 9 WHERE path LIKE '%{nights[-1]}%'")
    assert (await lab.qa.verify(entry)).changes == ()
    (state,) = await lab.qa.states(nights[-2], nights[-2])
    assert state.stale_since is None
    assert state.is_checked


async def test_the_report_must_be_current(lab: cl.Lab, site: tuple[Path, Path, SigningKey]) -> None:
    """A report whose rows have changed since must not be signed, and the change is named."""
    night = await lab.last_night()
    report = await lab.qa.night(night)
    change(site[0], f"UPDATE images SET noise_jy = 0.5 WHERE path LIKE '%{night}%image.fits'")
    with pytest.raises(StaleReport, match=r"noise_jy was .*, is 0\.5"):
        await lab.qa.sign(report, decision="hold", **WHO)
    change(site[0], f"DELETE FROM ms_index WHERE path LIKE '%{night}%'")
    with pytest.raises(StaleReport, match="vanished"):
        await lab.qa.sign(report, decision="hold", **WHO)
    assert not site[1].exists()


async def test_no_signature_without_a_reason(
    lab: cl.Lab, site: tuple[Path, Path, SigningKey]
) -> None:
    """A failing check without its reason, no name or no reason: nothing is written."""
    night = await lab.last_night()
    change(site[0], f"UPDATE images SET noise_jy = 5 WHERE path LIKE '%{night}%image.fits'")
    report = await lab.qa.night(night)
    told = exceptions(report)
    assert told
    sign = lab.qa.sign
    with pytest.raises(InvalidInput, match=told[0]["check"]):
        await sign(report, decision="accept", **WHO)
    for few in (told[1:], [{**told[0], "reason": " "}, *told[1:]]):
        with pytest.raises(InvalidInput):
            await sign(report, decision="accept with exceptions", exceptions=few, **WHO)
    for name in ("reviewer", "reason"):
        with pytest.raises(InvalidInput, match=f"no {name} was given"):
            await sign(report, decision="reject", **{**WHO, name: "  "})
    with pytest.raises(InvalidInput, match="report of a night"):
        await sign(report.judged[0], decision="reject", **WHO)
    assert not site[1].exists()
    entry = await sign(report, decision="accept with exceptions", exceptions=told, **WHO)
    words = [one["word"] for one in entry.body["results"]]
    assert words.count("fail") == len(told), "what failed still stands as failed"


async def test_corrections_name_the_old(lab: cl.Lab) -> None:
    """A correction is an entry more, names the old one, and the night stands as it says."""
    nights = await lab.nights()
    first = await accepted(lab)
    report = await lab.qa.night(nights[-1])
    second = await lab.qa.sign(report, decision="reject", corrects=first, **WHO)
    assert (second.body["kind"], second.body["corrects"]) == ("correction", 1)
    assert (await lab.qa.entry(1)) == first
    (state,) = await lab.qa.states(nights[-1])
    assert (state.state, state.number) == ("rejected", 2)
    with pytest.raises(InvalidInput, match="no entry 7"):
        await lab.qa.sign(report, decision="reject", corrects=7, **WHO)
    other = await lab.qa.night(nights[-2])
    with pytest.raises(InvalidInput, match="is about the night"):
        await lab.qa.sign(other, decision="reject", corrects=1, **WHO)
    with pytest.raises(NotFound):
        await lab.qa.verify(3)


async def test_who_signs(lab: cl.Lab, site: tuple[Path, Path, SigningKey]) -> None:
    """Unlisted names, other keys and lost keys are kept, and say what they are."""
    key = site[2]
    report = await lab.qa.night(await lab.last_night())

    async def sign(**more: Any) -> tuple[bool, bool]:
        entry = await lab.qa.sign(report, decision="hold", **{**WHO, **more})
        found = await lab.qa.verify(entry)
        assert found.word == ("holds" if entry.body["listed"] else "warnings"), found
        return entry.body["listed"], entry.signature is not None

    assert await sign() == (True, True)
    assert await sign(key=key) == (True, True)
    assert await sign(key=key_path(WHO["reviewer"])) == (True, True)
    assert await sign(key=SigningKey()) == (False, True)
    assert await sign(reviewer="Bo") == (False, False)
    key_path(WHO["reviewer"]).unlink()
    assert await sign() == (False, False), "a lost key leaves a name that somebody typed"
    with pytest.raises(SigningKeyError, match="no key"):
        await sign(key=key_path("Bo"))
    save_key(key, key_path(WHO["reviewer"]))
    key_path(WHO["reviewer"]).chmod(0o644)
    with pytest.raises(SigningKeyError, match="others than you"):
        await sign()
    assert len(await lab.qa.ledger()) == 6


async def test_two_labs_at_once(lab: cl.Lab, site: tuple[Path, Path, SigningKey]) -> None:
    """Reviewers who sign at once never fork the chain, and each sees the other's entries."""
    folder, path, _ = site
    nights = (await lab.nights())[-3:]
    async with cl.open(folder, ledger=path) as other:
        reports = [await lab.qa.night(night) for night in nights]
        entries = await asyncio.gather(
            *(
                one.qa.sign(report, decision="hold", **WHO)
                for report in reports
                for one in (lab, other)
            )
        )
        assert sorted(entry.number for entry in entries) == list(range(1, 7))
        assert not Ledger(path).check()
        for one in (lab, other):
            states = await one.qa.states(nights[0], check=False)
            assert [state.state for state in states] == ["hold"] * 3
            assert (await one.qa.ledger()).head.number == 6


async def test_events(lab: cl.Lab, site: tuple[Path, Path, SigningKey]) -> None:
    """Who listens is told of entries by others, of rows that no longer hold, and that do again."""
    folder, path, _ = site
    night = await lab.last_night()
    async with lab.events() as events, cl.open(folder, ledger=path) as other:
        entry = await accepted(other)
        event = await take(events, "sign_off")
        assert (event.key, event.old, event.new) == (night, None, entry.body["decision"])
        assert "Ana" in event.text
        change(folder, f"UPDATE images SET noise_jy = -noise_jy WHERE path LIKE '%{night}%'")
        event = await take(events, "stale")
        assert (event.key, event.old, event.new) == (night, entry.body["decision"], "stale")
        assert "noise_jy was" in event.text
        (state,) = await lab.qa.states(night, check=False)
        assert state.state == "stale"
        assert state.change in event.text
        change(folder, f"UPDATE images SET noise_jy = -noise_jy WHERE path LIKE '%{night}%'")
        event = await take(events, "stale")
        assert (event.old, event.new) == ("stale", entry.body["decision"])
        report = await lab.qa.night(night)
        await lab.qa.sign(report, decision="reject", corrects=1, **WHO)
        event = await take(events, "sign_off")
        assert (event.old, event.new) == (entry.body["decision"], "reject")
    assert not [task for task in asyncio.all_tasks() if "_watch" in repr(task.get_coro())]


async def test_nothing_is_read_while_nobody_listens(
    lab: cl.Lab, site: tuple[Path, Path, SigningKey]
) -> None:
    """Signed nights are not looked at unless somebody asks or listens."""
    night = await lab.last_night()
    await accepted(lab)
    await lab.qa.states()
    change(site[0], f"UPDATE images SET noise_jy = 0.5 WHERE path LIKE '%{night}%'")
    await asyncio.sleep(0.5)
    (state,) = await lab.qa.states(night, check=False)
    assert (state.stale_since, state.is_checked) == (None, False)


async def test_the_pipelines_files_are_no_ledger(site: tuple[Path, Path, SigningKey]) -> None:
    """A ledger is never made of the pipeline's own file, and all but signing goes on."""
    folder, _, _ = site
    file = folder / "pipeline.sqlite3"
    before = file.read_bytes()
    async with cl.open(folder, ledger=file) as lab:
        report = await lab.qa.night(await lab.last_night())
        with pytest.raises(NotALedger, match="belongs to the pipeline"):
            await lab.qa.sign(report, decision="hold", **WHO)
        async with lab.events() as events:
            change(folder, "UPDATE jobs SET status = 'failed' WHERE status = 'running'")
            assert (await take(events, "status")).new == "failed"
            before = file.read_bytes()
    assert file.read_bytes() == before


async def test_a_folder_that_cannot_be_written(
    site: tuple[Path, Path, SigningKey], tmp_path: Path
) -> None:
    """Where the ledger cannot be made, signing says so and claims nothing."""
    (tmp_path / "file").write_text("a file")
    async with cl.open(site[0], ledger=tmp_path / "file" / "ledger.sqlite3") as lab:
        report = await lab.qa.night(await lab.last_night())
        with pytest.raises(LedgerError, match=r"ledger\.sqlite3"):
            await lab.qa.sign(report, decision="hold", **WHO)


async def test_where_the_ledger_lies(
    copy_of: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an argument it is where the variable says, else in the user's data folder."""
    folder = copy_of()
    for path in (tmp_path / "data" / "contimg_lab" / "ledger.sqlite3", tmp_path / "own.sqlite3"):
        if path.name == "own.sqlite3":
            monkeypatch.setenv("CONTIMG_LAB_LEDGER", str(path))
        async with cl.open(folder) as lab:
            assert len(await lab.qa.ledger()) == 0
            assert not path.exists()
            await accepted(lab)
            assert (await lab.qa.ledger()).path == path
        assert path.exists()


async def test_entries_of_another_database(
    lab: cl.Lab, site: tuple[Path, Path, SigningKey], season_folder: Callable[..., Path]
) -> None:
    """A ledger may serve several databases: what was signed of one says nothing of another."""
    entry = await accepted(lab)
    async with cl.open(season_folder(layout="split"), ledger=site[1]) as other:
        assert set((await other.qa.calendar())["state"]) == {"unsigned"}
        assert len(await other.qa.ledger()) == 1
        found = await other.qa.verify(entry)
        assert any("another database" in note for note in found.notes)


async def test_a_young_database_grows(lab: cl.Lab, site: tuple[Path, Path, SigningKey]) -> None:
    """What was signed while there were few Measurement Sets is known when there are more."""
    folder, _, _ = site
    night = await lab.last_night()
    change(folder, f"DELETE FROM ms_index WHERE path NOT LIKE '%{night}%'")
    before = await lab.identity()
    await accepted(lab, night)
    change(
        folder,
        "INSERT INTO ms_index (path, mid_mjd, status, created_at) "
        "VALUES ('/ms/2025-12-01T00:00:00.ms', 61010.0, 'done', 9e9)",
    )
    assert await lab.identity() != before
    async with cl.open(folder, ledger=site[1]) as later:
        (state,) = await later.qa.states(night, night)
        assert (state.number, state.stale_since) == (1, None)


async def test_a_version_that_reads_more(lab: cl.Lab) -> None:
    """Rows that a later version reads beside those signed on do not make a night stale."""
    night = await lab.last_night()
    entry = await accepted(lab)
    context = lab.qa.context

    async def read(night: str) -> Evidence:
        now = await evidence_again(context, night)
        return Evidence([*now.tables.values(), gather("weather", ["wind"], [(None, 1, [9.0])])])

    standing = Standing(context, context.ledger, read)
    await standing.refresh()
    state = await standing.check(night)
    assert (state.decision, state.stale_since) == (entry.body["decision"], None)


async def test_a_tampered_ledger_is_told(lab: cl.Lab, site: tuple[Path, Path, SigningKey]) -> None:
    """A ledger whose entry was changed makes its verification broken, whatever the rows say."""
    entry = await accepted(lab)
    path = site[1]
    with closing(sqlite3.connect(path)) as ledger:
        for (name,) in ledger.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            ledger.execute(f"DROP TRIGGER {name}")
        ledger.execute("UPDATE entries SET entry = replace(entry, 'as on other', 'as in other')")
        ledger.commit()
    found = await lab.qa.verify(1)
    assert found.word == "broken"
    assert any("what it says was changed" in str(one) for one in found.findings)
    found = await lab.qa.verify(entry)
    assert any("another entry of this number" in str(one) for one in found.findings)


@pytest.mark.parametrize("what", ["unchanged", "changed", "another"])
async def test_the_command_verifies_against_a_database(
    lab: cl.Lab,
    site: tuple[Path, Path, SigningKey],
    season_folder: Callable[..., Path],
    what: str,
) -> None:
    """``ledger verify --against`` ends with 0 where all holds, 2 where not, 3 where unknown."""
    folder, path, _ = site
    night = await lab.last_night()
    await accepted(lab)
    if what == "changed":
        change(folder, f"UPDATE images SET noise_jy = 0.5 WHERE path LIKE '%{night}%image.fits'")
    against = season_folder(layout="split") if what == "another" else folder
    words = ["ledger", "verify", "--ledger", path, "--against", against]
    said = [
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "contimg_lab", *map(str, words), *more],
            capture_output=True, text=True, timeout=120, check=False,
        )
        for more in ([], ["--json"])
    ]  # fmt: skip
    code = {"unchanged": 0, "changed": 2, "another": 3}[what]
    assert [one.returncode for one in said] == [code, code], said
    told = json.loads(said[1].stdout)
    assert told["exit_code"] == code
    if what == "unchanged":
        assert "  rows: unchanged" in said[0].stdout.splitlines()
        assert [one["word"] for one in told["nights"]] == ["holds"]
    elif what == "changed":
        assert "noise_jy was" in said[0].stdout
        changes = told["nights"][0]["changes"]
        assert {(one["table"], one["field"]) for one in changes} >= {("images", "noise_jy")}
    else:
        assert "no entry is about this database" in told["why_not"]


def test_without_await(site: tuple[Path, Path, SigningKey]) -> None:
    """The same is to be had without ``await``."""
    from contimg_lab import blocking

    with blocking.open(site[0], ledger=site[1]) as lab:
        report = lab.qa.night(lab.last_night())
        entry = lab.qa.sign(report, decision="hold", **WHO)
        assert lab.qa.verify(entry).word == "holds"
        assert list(lab.qa.calendar(report.night)["state"]) == ["hold"]
