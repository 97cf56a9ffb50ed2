"""The sign-off panel: nothing is signed but what was decided, with reasons, on rows that hold."""

from __future__ import annotations

import asyncio
import html
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.analysis.verdicts import DECISIONS, Recommendation
from contimg_lab.ledger.keys import SigningKey, key_path, save_key
from contimg_lab.ledger.store import Ledger
from contimg_lab.panels._sign_draft import CHOICES, Draft
from contimg_lab.panels._sign_items import items_of
from contimg_lab.records.qa import Outcome
from contimg_lab.services._sign_rules import PROMOTIONS, decide

SCRIPT = "<script>alert('x')</script>"
WHY = "one run failed, and was run again"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and ledgers of whoever runs the tests are left alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def site(copy_of: Callable[..., Path], tmp_path: Path) -> tuple[Path, Path]:
    """A private copy of the season, and where its ledger will lie."""
    return copy_of(), tmp_path / "ledger.sqlite3"


@pytest.fixture
async def lab(site: tuple[Path, Path]) -> AsyncIterator[cl.Lab]:
    """A Lab on the private copy."""
    async with cl.open(site[0], ledger=site[1]) as opened:
        yield opened


async def opened(lab: cl.Lab, *night: Any, **options: Any) -> Any:
    """A panel that has read."""
    panel = lab.qa.sign_panel(*night, **options)
    await panel.settled()
    return panel


def text(widget: Any) -> str:
    """What a widget says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", widget.value)).split())


def change(folder: Path, *statements: str) -> None:
    """Commit once, as another process would."""
    with closing(sqlite3.connect(folder / "pipeline.sqlite3", timeout=30.0)) as db, db:
        for sql in statements:
            db.execute(sql)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that a panel does by itself."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def fill(panel: Any, reviewer: str = "Ana Núñez") -> None:
    """Type what the last night needs for what is recommended to be signed."""
    foot = panel._foot
    foot.reviewer.value, foot.reason.value = reviewer, "as on other nights"
    panel._places.blocks[4].rows["failed"].reason.value = WHY
    foot.confirm.value = True
    await panel.settled()


async def press(panel: Any) -> None:
    """Press Sign, and wait for what comes of it."""
    panel._foot.sign.click()
    await panel.settled()


async def test_it_opens_with_what_is_recommended_and_signs_nothing(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """Each decision must be the recommended one, marked as such, and no ledger be made."""
    panel = await opened(lab)
    report = await lab.qa.night(await lab.last_night())
    told, blocks = text(panel._told), panel._places.blocks
    told_of = report.recommendation
    assert f"Recommended: {told_of.decision} ({told_of.rule})" in told
    assert f"Verdict: {report.verdict}." in told
    assert "Unsigned: nobody has signed this night" in told
    assert list(blocks) == [None, *(one.hour for one in report.judged)]
    hours = [(one.hour, one.recommendation) for one in report.judged]
    for hour, advice in [(None, report.recommendation), *hours]:
        block = blocks[hour]
        assert block.decision.value == advice.decision
        labels = dict((value, label) for label, value in block.decision.options)
        assert [v for v, label in labels.items() if "recommended" in label] == [advice.decision]
        assert advice.rule in text(block.rule)
    assert panel._foot.sign.disabled
    panel._foot.sign.click()
    await panel.settled()
    assert not site[1].exists()
    panel.close()


async def test_every_fail_and_warning_is_listed_with_value_and_limit(lab: cl.Lab) -> None:
    """What a check found, its limit, whose limit it is, and a labelled field for the reason."""
    panel = await opened(lab)
    report = await lab.qa.night(await lab.last_night())
    bad = [one for one in report.outcomes if one.word in ("fail", "warn")]
    assert {(one.hour, one.check) for one in bad} == {
        (hour, check) for hour, block in panel._places.blocks.items() for check in block.rows
    }
    row = panel._places.blocks[3].rows["tiles"]
    assert "✗ tiles fail : 2, limit 8 · 2 tiles, 8 to 12 are an hour." in text(row.told)
    assert "practice 1d" in text(row.told)
    assert row.reason.description == "Reason, tiles in 03 h"
    for one in report.outcomes:
        if one.word == "not applicable":
            assert one.why in text(panel._rest_told)
    panel.close()


async def test_what_was_shown_is_what_is_signed(lab: cl.Lab, site: tuple[Path, Path]) -> None:
    """The entry must hold the decisions, classes, exceptions and words of the form; and say so."""
    panel = await opened(lab)
    blocks, foot = panel._places.blocks, panel._foot
    blocks[4].promotion.value = "comparator_only"
    foot.notes.value = "clouds have no part in this"
    await fill(panel)
    assert "will be unsigned" in text(foot.key)
    assert "Nothing is lacking" in text(foot.lacking)
    assert not foot.sign.disabled
    await press(panel)
    (entry,) = Ledger(site[1]).entries()
    body = entry.body
    assert body["reviewer"] == "Ana Núñez"
    assert (body["decision"], body["reason"], body["notes"]) == (
        "accept with exceptions", "as on other nights", "clouds have no part in this",
    )  # fmt: skip
    assert body["hours"] == {
        "03": {"decision": "reject", "promotion": None},
        "04": {"decision": "accept with exceptions", "promotion": "comparator_only"},
        "05": {"decision": "reject", "promotion": None},
        "06": {"decision": "reject", "promotion": None},
    }
    assert body["exceptions"] == [{"check": "failed", "hour": "04", "key": None, "reason": WHY}]
    said = text(foot.result)
    for words in ("is entry 1 of the ledger", entry.hash, "not signed with a key", "not listed"):
        assert words in said
    assert "Accepted with exceptions" in text(panel._told)
    assert not foot.confirm.value
    assert not foot.sign.disabled  # it has the focus
    await press(panel)
    assert len(Ledger(site[1]).entries()) == 1
    page, plain = panel._static_page()
    assert entry.hash in page
    assert entry.hash in plain
    assert f"Exception: failed in 04 h: {WHY}" in plain
    panel.close()


async def test_a_fail_is_accepted_beside_a_reason_only(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """An hour that fails, accepted, must keep Sign off, in words, until the reason is there."""
    panel = await opened(lab)
    await fill(panel)
    foot, block = panel._foot, panel._places.blocks[3]
    block.decision.value = "accept with exceptions"
    assert not foot.confirm.value  # something else is decided now
    foot.confirm.value = True
    row = block.rows["tiles"]
    assert foot.sign.disabled
    assert "tiles in 03 h: it fails; write beside it why" in text(foot.lacking)
    assert "contimg-missing" in row.reason._dom_classes
    await press(panel)
    assert not site[1].exists()
    row.reason.value = "the run ended there"
    assert "contimg-missing" not in row.reason._dom_classes
    foot.confirm.value = True
    assert not foot.sign.disabled
    await press(panel)
    told = {one["check"]: one["reason"] for one in Ledger(site[1]).entries()[0].body["exceptions"]}
    assert told == {"tiles": "the run ended there", "failed": WHY}
    word = next(
        one["word"] for one in Ledger(site[1]).entries()[0].body["results"]
        if (one["check"], one["hour"]) == ("tiles", 3)
    )  # fmt: skip
    assert word == "fail"  # never overwritten
    panel.close()


async def test_each_thing_that_is_lacking_is_told(lab: cl.Lab) -> None:
    """Name, reason and the reviewer's own word must each be asked for."""
    panel = await opened(lab)
    foot = panel._foot
    for words in ("No reviewer is named", "No reason is written", "is not ticked"):
        assert words in text(foot.lacking)
    await fill(panel)
    for widget, words in ((foot.reviewer, "No reviewer"), (foot.reason, "No reason is written")):
        before, widget.value = widget.value, "  "
        await panel.settled()
        assert foot.sign.disabled
        assert words in text(foot.lacking)
        widget.value = before
        await panel.settled()
        assert not foot.sign.disabled
    panel.close()


async def test_a_night_not_accepted_takes_its_hours_along(lab: cl.Lab) -> None:
    """Hours that nobody touched must follow, one that was touched be told, reasons be left out."""
    panel = await opened(lab)
    await fill(panel)
    blocks, foot = panel._places.blocks, panel._foot
    blocks[None].decision.value = "reject"
    assert {block.decision.value for block in blocks.values()} == {"reject"}
    assert "Not part of the entry: what stands beside failed in 04 h" in text(foot.lacking)
    assert blocks[4].promotion.options == (("no class", ""),)
    blocks[4].decision.value = "accept"
    assert "The night is to be told “reject”, and 04 h is accepted" in text(foot.lacking)
    blocks[None].decision.value = "accept with exceptions"
    assert [blocks[hour].decision.value for hour in (3, 5, 6)] == ["reject"] * 3
    assert "In 04 h a reason stands beside a check" in text(foot.lacking)
    panel.close()


async def test_classes_are_offered_where_their_conditions_are_met(lab: cl.Lab) -> None:
    """Only classes that the report allows may be chosen, none before, with why not the others."""
    panel = await opened(lab)
    report = await lab.qa.night(await lab.last_night())
    for one in report.judged:
        block = panel._places.blocks[one.hour]
        accepted = block.decision.value.startswith("accept")
        offered = [value for _, value in block.promotion.options]
        assert offered == ["", *(one.promotion.classes if accepted else ())]
        assert block.promotion.value == ""
        assert ("not accepted" in text(block.classes)) == (not accepted)
    panel.close()
    panel = await opened(lab, (await lab.nights())[-3])
    assert "trusted_baseline is not: no raw files are recorded" in text(
        panel._places.blocks[4].classes
    )
    panel.close()


async def test_rows_that_change_are_told_and_not_judged_under_the_reviewer(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """A commit must mark the report and name the row; judging again keeps what was typed."""
    panel = await opened(lab)
    await fill(panel)
    blocks, foot = dict(panel._places.blocks), panel._foot
    children = panel._places.box.children
    report, told = panel._draft.report, text(blocks[5].head)
    change(site[0], "UPDATE images SET noise_jy = 9.5 WHERE id = (SELECT max(id) FROM images)")
    await until(lambda: "Rows changed" in text(panel._changes))
    assert re.search(r"images \S+ \(hour 06\): noise_jy was [\d.]+, is 9\.5", text(panel._changes))
    assert panel._draft.report is report
    assert (text(blocks[5].head), foot.confirm.value) == (told, True)
    assert foot.sign.disabled
    assert "press “Judge again”" in text(foot.lacking)
    panel._again.click()
    await panel.settled()
    assert panel._draft.report is not report
    assert "its rows are unchanged" in text(panel._changes)
    assert panel._places.blocks == blocks
    assert panel._places.box.children == children
    assert blocks[4].rows["failed"].reason.value == WHY
    assert (foot.reviewer.value, foot.reason.value) == ("Ana Núñez", "as on other nights")
    assert not foot.confirm.value  # of this report nothing was said yet
    foot.confirm.value = True
    await press(panel)
    (entry,) = Ledger(site[1]).entries()
    assert entry.body["evidence"] == panel._draft.report.evidence.summary
    panel.close()


async def test_a_report_that_turns_stale_unseen_is_not_signed(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """Paused, the panel learns of it by signing: in words, with nothing in the ledger."""
    panel = await opened(lab)
    panel._head.live.value = False
    await fill(panel)
    change(site[0], "UPDATE images SET noise_jy = 9.5 WHERE id = (SELECT max(id) FROM images)")
    await press(panel)
    said = text(panel._foot.result)
    assert "Nothing was signed" in said
    assert "is 9.5" in said
    assert "Rows changed since" in text(panel._changes)
    assert not site[1].exists()
    panel.close()


async def test_a_signed_night_turns_stale_and_names_the_row(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """Rows changed behind a signature must turn the badge, with the row, its old and new value."""
    panel = await opened(lab)
    await fill(panel)
    await press(panel)
    change(site[0], "UPDATE images SET noise_jy = 9.5 WHERE id = (SELECT max(id) FROM images)")
    await until(lambda: "STALE" in text(panel._told))
    assert re.search(r"images \S+ \(hour 06\): noise_jy was [\d.]+, is 9\.5", text(panel._told))
    assert "contimg-bad" in panel._told.value
    assert "STALE" in text(panel._foot.result)
    assert "STALE" in panel._static_page()[1]
    panel._again.click()
    await panel.settled()
    panel._foot.confirm.value = True
    await press(panel)
    first, second = Ledger(site[1]).entries()
    assert (second.body["kind"], second.body["corrects"]) == ("correction", first.number)
    assert "STALE" not in text(panel._told)
    panel.close()


async def test_an_entry_of_somebody_else_is_told_and_put_right(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """What another reviewer signs meanwhile must be shown, and the next entry name it."""
    panel = await opened(lab)
    await fill(panel)
    report = await lab.qa.night(await lab.last_night())
    await lab.qa.sign(report, reviewer="Bo", decision="hold", reason="flux scale is looked into")
    await until(lambda: "hold by Bo, entry 1" in text(panel._told))
    await panel.settled()
    foot = panel._foot
    assert (foot.corrects.value, foot.confirm.value) == (1, False)
    assert ("entry 1: hold, by Bo", 1) in foot.corrects.options
    foot.confirm.value = True
    await press(panel)
    assert Ledger(site[1]).entries()[1].body["corrects"] == 1
    panel.close()


async def test_errors_of_the_ledger_are_told_and_nothing_is_claimed(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """A ledger that somebody holds: words, no entry; freed, the same press signs."""
    panel = await opened(lab)
    await fill(panel)
    report = await lab.qa.night((await lab.nights())[-2])
    await lab.qa.sign(report, reviewer="Bo", decision="hold", reason="another night")
    await panel.settled()
    with closing(sqlite3.connect(site[1])) as other:
        other.execute("BEGIN IMMEDIATE")
        lab._context.ledger._timeout_s = 0.5  # seconds, not the half minute that users wait
        panel._foot.sign.click()
        assert panel._foot.sign.description == "Signing…"
        panel._foot.sign.click()  # a second press changes nothing
        await panel.settled()
        said = text(panel._foot.result)
        assert "Nothing was signed" in said
        assert "entry" not in said.casefold()
        assert "Unsigned" in text(panel._told)
        other.rollback()
    await press(panel)
    assert len(Ledger(site[1]).entries()) == 2
    assert "is entry 2 of the ledger" in text(panel._foot.result)
    panel.close()


async def test_a_ledger_that_is_none_leaves_the_report_readable(
    copy_of: Callable[..., Path], tmp_path: Path
) -> None:
    """What the checks say must be shown, the trouble told, and nothing be signed."""
    path = tmp_path / "ledger.sqlite3"
    path.write_text("no ledger at all " * 100)
    async with cl.open(copy_of(), ledger=path) as lab:
        panel = await opened(lab)
        await fill(panel)
        assert panel.state == "showing"
        assert "✗ The ledger cannot be read" in text(panel._told)
        assert "Verdict: fail" in text(panel._told)
        assert panel._foot.sign.disabled
        panel.close()


async def test_the_key_is_told_before_it_signs(
    lab: cl.Lab, site: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Own key, listed or not, none, or one that others can read: each in words, and kept to."""
    key = SigningKey()
    save_key(key, key_path("Ana Núñez"))
    panel = await opened(lab)
    await fill(panel)
    told = text(panel._foot.key)
    assert f"will be signed with the key {key.public_key[:16]}" in told
    assert "not listed" in told
    await press(panel)
    entry = Ledger(site[1]).entries()[0]
    assert entry.signature
    assert f"Ed25519, key {key.public_key}" in text(panel._foot.result)
    key_path("Ana Núñez").chmod(0o644)
    panel._head.refresh.click()
    await panel.settled()
    assert "The key cannot be used" in text(panel._foot.key)
    assert panel._foot.sign.description != "Sign" or panel._foot.sign.disabled
    assert any("key cannot be used" in line for line in panel._lacking(panel._draft))
    panel.close()


async def test_it_follows_the_selected_night_and_keeps_drafts(lab: cl.Lab) -> None:
    """A night selected elsewhere must be shown; what was typed of each night must come back."""
    last, other = (await lab.nights())[-1], (await lab.nights())[-3]
    panel = await opened(lab)
    await fill(panel)
    lab.selection.night = other
    await panel.settled()
    assert panel._draft.report.night == other
    assert panel._foot.reason.value == ""
    assert panel._foot.reviewer.value == "Ana Núñez"
    panel._foot.reason.value = "calm"
    lab.selection.night = last
    await panel.settled()
    assert panel._foot.reason.value == "as on other nights"
    assert panel._places.blocks[4].rows["failed"].reason.value == WHY
    lab.selection.night = other
    await panel.settled()
    assert panel._foot.reason.value == "calm"
    panel.close()
    assert set(panel._drafts) == {last, other}


async def test_a_night_that_was_asked_for_wins_over_an_older_selection(lab: cl.Lab) -> None:
    """Night or report given must be shown; a selection that comes later, even at once, wins."""
    first, second, third = (await lab.nights())[-3:]
    lab.selection.night = first
    panel = await opened(lab, second)
    assert panel._draft.report.night == second
    panel.close()
    report = await lab.qa.night(third)
    panel = await opened(lab, report)
    assert panel._draft.report is report
    panel.close()
    panel = lab.qa.sign_panel(second)
    lab.selection.night = third
    await panel.settled()
    assert panel._draft.report.night == third
    panel.close()
    panel = await opened(lab)
    assert panel._draft.report.night == third
    panel.close()


async def test_the_tab_shows_what_was_chosen_last(lab: cl.Lab) -> None:
    """Opened in a dashboard it must show the filter's night, or one that was selected later."""
    first, second, third = (await lab.nights())[-3:]
    for then, wanted in ((None, second), (third, third)):
        lab.selection.night = first
        board = lab.dashboard(night=second)
        await board.settled()
        if then is not None:
            lab.selection.night = then
        board.show_tab("sign_off")
        await board.settled()
        assert board.panels["sign_off"]._draft.report.night == wanted
        board.close()


async def test_a_new_night_does_not_push_the_old_one_away(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """The last night stays the one that the reviewer began with, until another is chosen."""
    panel = await opened(lab)
    night = panel._draft.report.night
    with closing(sqlite3.connect(site[0] / "pipeline.sqlite3")) as db, db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(ms_index)")]
        row = dict(zip(columns, db.execute(
            "SELECT * FROM ms_index ORDER BY path DESC").fetchone(), strict=True))  # fmt: skip
        row["path"] = re.sub(r"\d{4}-\d\d-\d\dT", "2025-11-09T", row["path"])
        for name in columns:
            if name.endswith("_mjd") and row[name] is not None:
                row[name] += 3.0
        if "id" in row:
            row["id"] = None
        marks = ", ".join("?" * len(columns))
        db.execute(f"INSERT INTO ms_index VALUES ({marks})", list(row.values()))
    await until(lambda: "2025-11-09" in str(panel._night.widget.options))
    await panel.settled()
    assert panel._draft.report.night == night
    panel.close()


async def test_closed_while_signing_it_is_signed_all_the_same(
    lab: cl.Lab, site: tuple[Path, Path]
) -> None:
    """Neither Cancel nor closing may leave it unknown: the entry is made, once."""
    panel = await opened(lab)
    await fill(panel)
    panel._foot.sign.click()
    panel.cancel()
    act = panel._act
    panel.close()
    await asyncio.wait([act])
    assert act.exception() is None
    assert len(Ledger(site[1]).entries()) == 1


async def test_words_of_others_are_shown_as_text(lab: cl.Lab, site: tuple[Path, Path]) -> None:
    """Markup in a name, a reason or the database must be shown, never run."""
    change(site[0], f'UPDATE jobs SET status = "{SCRIPT}", type = "{SCRIPT}"')
    panel = await opened(lab)
    blocks = panel._places.blocks
    blocks[None].decision.value = "hold"
    panel._foot.reviewer.value = panel._foot.reason.value = panel._foot.notes.value = SCRIPT
    panel._foot.confirm.value = True
    await panel.settled()
    await press(panel)
    assert Ledger(site[1]).entries()[0].body["reviewer"] == SCRIPT
    pages = [panel._told.value, panel._foot.result.value, panel._foot.key.value]
    pages += [panel._changes.value, panel._rest_told.value, panel._static_page()[0]]
    pages += [row.told.value for block in blocks.values() for row in block.rows.values()]
    assert any("&lt;script&gt;" in page for page in pages)
    assert not any("<script" in page for page in pages)
    panel.close()


async def test_what_changed_is_asked_without_signing(lab: cl.Lab, site: tuple[Path, Path]) -> None:
    """`qa.changes` must be empty while a report holds, commits to other nights included."""
    report = await lab.qa.night(await lab.last_night())
    assert await lab.qa.changes(report) == ()
    change(site[0], "UPDATE images SET noise_jy = 9.5 WHERE id = (SELECT min(id) FROM images)")
    assert await lab.qa.changes(await lab.qa.night(report.night)) == ()
    change(site[0], "UPDATE images SET noise_jy = 9.5 WHERE id = (SELECT max(id) FROM images)")
    names = {(one.table, one.field) for one in await lab.qa.changes(report)}
    assert ("images", "noise_jy") in names


# what the form lets through is what may be signed


CHECKS = ("noise", "tiles", "gaps")
PLACES = (None, 3, 4, 5)
WORD = st.sampled_from(("pass", "warn", "fail", "not applicable"))
NAMES = tuple((hour, check) for hour in PLACES for check in CHECKS)


def made_report(words: dict[tuple[int | None, str], str], night: str, advice: list[str]) -> Any:
    """A report as far as a draft looks into it; hour 5 has no tile."""
    outcomes = tuple(
        Outcome(
            check=check, hour=hour, word=word, unit="1", why=word,
            scope="night" if hour is None else "hour",
            key="2025-10-09" if hour is None else f"{hour:02d}",
        )
        for (hour, check), word in words.items()
    )  # fmt: skip
    judged = tuple(
        SimpleNamespace(
            hour=hour,
            recommendation=Recommendation(decision, "by rule"),
            promotion=SimpleNamespace(classes=PROMOTIONS[1:]),
        )
        for hour, decision in zip((3, 4), advice, strict=True)
    )
    return SimpleNamespace(
        night="2025-10-09", outcomes=outcomes, judged=judged,
        recommendation=Recommendation(night, "by rule"),
    )  # fmt: skip


@settings(max_examples=600)
@given(
    words=st.fixed_dictionaries({name: WORD for name in NAMES}),
    night=st.sampled_from(DECISIONS),
    advice=st.lists(st.sampled_from(DECISIONS), min_size=2, max_size=2),
    decision=st.none() | st.sampled_from(CHOICES),
    chosen=st.dictionaries(st.sampled_from((3, 4)), st.sampled_from(CHOICES)),
    classes=st.dictionaries(st.sampled_from((3, 4)), st.sampled_from(("", *PROMOTIONS))),
    reasons=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("", "  ", "known"))),
)
def test_what_lacks_nothing_keeps_the_rules(
    words, night, advice, decision, chosen, classes, reasons
) -> None:
    """Where the form finds nothing lacking, the rules of signing must take its arguments."""
    report = made_report(words, night, advice)
    draft = Draft(report)
    draft.decision, draft.chosen, draft.classes, draft.reasons = decision, chosen, classes, reasons
    told = draft.arguments()
    offered = {f"{hour:02d}": draft.offered(hour) for hour in draft.hours}
    for name in ("reason", "notes", "corrects"):
        told.pop(name)
    lacking = draft.lacking()
    if not lacking:
        decide([one.to_json() for one in report.outcomes], ["03", "04"], offered, **told)
    failing = {item.key for items in items_of(report).values() for item in items if item.fails}
    bare = {
        key for key in failing if draft.is_accepted(key[0]) and not reasons.get(key, "").strip()
    }
    assert not bare or lacking


def test_a_word_is_given_for_one_decision_only() -> None:
    """Whatever is decided otherwise after the tick, or judged anew, must take the tick away."""
    words = dict.fromkeys(NAMES, "warn")
    draft = Draft(made_report(words, "accept", ["accept", "accept"]))

    def decides_otherwise(act: Callable[[], object]) -> bool:
        draft.confirm(yes=True)
        assert draft.is_confirmed
        act()
        return not draft.is_confirmed

    assert decides_otherwise(lambda: draft.chosen.update({3: "reject"}))
    assert decides_otherwise(lambda: draft.classes.update({4: "weak_baseline"}))
    assert decides_otherwise(lambda: setattr(draft, "decision", "accept with exceptions"))
    assert decides_otherwise(lambda: draft.reasons.update({(4, "noise"): "known"}))
    assert decides_otherwise(lambda: setattr(draft, "corrects", 3))
    assert decides_otherwise(lambda: draft.judge(made_report(words, "accept", ["accept"] * 2)))
    assert not decides_otherwise(lambda: setattr(draft, "reason", "as on other nights"))
