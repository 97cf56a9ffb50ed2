"""The report of a night: every check heard, the rule told, the evidence named; text, HTML, JSON."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import jsonschema
import pytest

import contimg_lab as cl
from contimg_lab import blocking
from contimg_lab.analysis.checks import NOT_APPLICABLE, WORDS, all_checks
from contimg_lab.errors import ConfigError, InvalidInput, NotFound
from contimg_lab.ledger.canonical import canonical, parse
from contimg_lab.services._night_again import evidence_again, night_again
from contimg_lab.services.night_report import report_schema
from contimg_lab.services.night_summary import NightSummary

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


async def test_every_check_is_heard_of_every_hour_or_of_the_night(lab):
    """On every kind of database no check is silent, and what cannot be judged says why."""
    report = await lab.qa.night(await lab.last_night())
    for check in all_checks():
        said = report.of(check.name)
        assert said, f"{check.name} said nothing"
        hours = {one.hour for one in said}
        if check.scope not in ("cal set", "night"):
            assert hours >= {one.hour for one in report.judged}
    for one in report.outcomes:
        assert one.word in WORDS
        assert one.why
        if one.word != NOT_APPLICABLE and one.threshold is not None:
            assert one.threshold_source


async def test_it_still_is_the_summary(lab):
    """What the quick summary tells of runs, noise, gaps and hours, the report tells too."""
    night = await lab.last_night()
    report, quick = await lab.qa.night(night), await lab.qa.summary(night)
    assert isinstance(report, NightSummary)
    for name in ("n_ms", "n_tiles", "n_calibrators", "status_counts", "cause_counts", "failed",
                 "noise_median_jy", "noise_max_jy", "noisiest_path", "gaps"):  # fmt: skip
        assert getattr(report, name) == getattr(quick, name), name
    assert [hour.hour for hour in report.hours] == [one.hour for one in report.judged]
    columns = quick.to_pandas().columns
    assert report.to_pandas()[columns].equals(quick.to_pandas())
    assert set(quick.lines()[:4]) <= set(report.lines())


async def test_json_goes_round_and_is_as_published(lab):
    """Of every kind of database the JSON fits the schema, has one text, and comes back."""
    report = await lab.qa.night(await lab.last_night())
    told = report.to_json()
    jsonschema.Draft202012Validator.check_schema(report_schema())
    jsonschema.validate(told, report_schema())
    assert parse(canonical(told)) == told
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["evidence"] == report.evidence.summary
    assert told["outcomes"] == [one.to_json() for one in report.outcomes]
    assert set(told["judged"]) == set(told["promotions"]) == set(told["hours"])


async def test_a_night_is_as_bad_as_its_worst_hour(lab):
    """Verdicts follow the outcomes: a gate that fails fails its hour, and that the night."""
    for night in (await lab.nights())[-4:]:
        report = await lab.qa.night(night)
        for one in report.judged:
            words = {o.word for o in one.outcomes if o.check in report.gates}
            assert (one.verdict == "fail") == ("fail" in words)
            assert (one.recommendation.decision == "reject") == ("fail" in words)
            assert one.recommendation.rule
            assert (one.promotion.candidate is None) == (one.verdict == "fail")
        failing = {o.hour for o in report.outcomes if o.word == "fail" and o.check in report.gates}
        assert (report.verdict == "fail") == bool(failing)
        assert {w.hour for w in report.withdraw} == failing
        if None in failing:
            assert report.recommendation.decision == "reject"
        elif failing:
            assert report.recommendation.decision != "accept"


async def test_what_is_planted_is_told(demo, season_folder):
    """Hours that fail in the last night are those whose rows say so; a clean night has fewer."""
    report = await demo.qa.night(await demo.last_night())
    failed = {run.hour for run in report.failed}
    blamed = {one.hour for one in report.of("failed") if one.word in ("warn", "fail")}
    assert failed == blamed
    rows = {path for one in report.of("failed") for keys in one.rows.values() for path in keys}
    assert {run.ms_path for run in report.failed} <= rows


async def test_an_hour_is_the_nights(demo):
    """The report of one hour is the same part of the night's; an hour without a tile is none."""
    night = await demo.last_night()
    report = await demo.qa.night(night, as_of=MOMENT)
    one = await demo.qa.hour(night, report.judged[0].hour)
    held = report.hour(one.hour)
    assert (one.verdict, one.promotion, one.summary) == (held.verdict, held.promotion, held.summary)
    assert len(one.to_pandas()) == len(one.outcomes)
    with pytest.raises(NotFound, match="hours of"):
        report.hour(23)


async def test_ranges_come_in_order(demo):
    """Nights of a range, both ends among them, in order; without ends every night."""
    nights = await demo.nights()
    found = [r.night async for r in demo.qa.nights(nights[2], nights[4])]
    assert found == list(nights[2:5])
    assert [r.night async for r in demo.qa.nights("1999-01-01", "1999-02-01")] == []
    with pytest.raises(InvalidInput):
        await anext(demo.qa.nights("yesterday"))


def test_without_await_it_is_the_same(season_folder):
    """The blocking Lab gives reports, hours and ranges, and a range left early is let go."""
    with blocking.open(season_folder()) as lab:
        *_, before, last = lab.nights()
        report = lab.qa.night(last, as_of=MOMENT)
        assert [one.night for one in lab.qa.nights(before)] == [before, last]
        for one in lab.qa.nights(before):
            assert one.night == before
            break
        hour = report.judged[0].hour
        assert lab.qa.hour(last, hour).summary == report.hour(hour).summary


async def test_the_same_state_gives_the_same_report(season_folder):
    """Read twice, by two Labs, as of one moment: equal reports, of one digest."""
    told = []
    for _ in range(2):
        async with cl.open(season_folder()) as lab:
            report = await lab.qa.night(await lab.last_night(), as_of=MOMENT)
            assert report.token == await lab.token()
            told.append(canonical(report.to_json()))
    assert told[0] == told[1]


async def test_a_running_step_ages_with_the_moment_of_reading(demo):
    """The moment counts for what is still running, and changes no row of evidence."""
    night = await demo.last_night()
    before = await demo.qa.night(night, as_of=datetime(2025, 11, 6, tzinfo=UTC))
    after = await demo.qa.night(night, as_of=datetime(2025, 11, 9, tzinfo=UTC))
    assert before.evidence.digest == after.evidence.digest
    assert after.as_of - before.as_of == timedelta(days=3)
    words = [{o.word for o in report.of("stuck")} for report in (before, after)]
    assert "fail" in words[1] - words[0] or words[1] != words[0]


async def test_read_again_it_judges_the_same(demo):
    """Recorded thresholds and moment, run again on the database: the same outcomes and rows."""
    night = await demo.last_night()
    report = await demo.qa.night(night, as_of=MOMENT)
    told = report.to_json()
    again = await night_again(demo._context, night, told["as_of_unix_s"])
    assert again.evidence.digest == report.evidence.digest
    assert again.results(told["thresholds"]) == told["outcomes"]
    assert (await evidence_again(demo._context, night)).digest == report.evidence.digest
    other = told["thresholds"] | {"values": told["thresholds"]["values"] | {"tiles.fewest": 99}}
    assert again.results(other) != told["outcomes"]
    with pytest.raises(ConfigError):
        again.results({"name": "x", "values": {"no.such": 1.0}})


async def test_an_unknown_set_of_thresholds_is_refused(demo):
    """A set that nobody declared is told by name before anything is judged."""
    with pytest.raises(ConfigError, match="strictest"):
        await demo.qa.night(await demo.last_night(), thresholds="strictest")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("br", "img", "link", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


async def test_html_is_whole_and_says_everything(lab):
    """HTML loads nothing, closes what it opens, and names verdict, rule, checks and evidence."""
    report = await lab.qa.night(await lab.last_night())
    page = _Tags()
    page.feed(report._repr_html_())
    assert page.open == []
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert not {name for name, _ in page.attributes} & {"src", "href", "onclick"}
    text = "".join(page.text)
    for told in (
        report.verdict,
        report.recommendation.rule,
        report.evidence.digest,
        report.thresholds.digest,
        "no measurement",
        *(check.name for check in all_checks()),
    ):
        assert told in text
    assert "@media print" in text


async def test_hostile_text_harms_nothing(copy_of):
    """Markup, bytes that are no text and control characters in the rows: escaped, and in JSON."""
    folder = copy_of()
    db = sqlite3.connect(folder / "pipeline.sqlite3")
    (night,) = db.execute("SELECT max(substr(path, -22, 10)) FROM ms_index").fetchone()
    paths = [
        row[0]
        for row in db.execute(
            "SELECT path FROM ms_index WHERE path LIKE ? ORDER BY path DESC LIMIT 3",
            (f"%{night}T%",),
        )
    ]
    evil = "<script>alert('x')</script>\x07&"
    for path, raw in zip(
        paths, (evil.encode(), b"\xff\xfe<b>", "\u202e\ud7ff".encode()), strict=True
    ):
        new = path.encode().replace(b".ms", b"_" + raw + b".ms")
        for table, column in (("ms_index", "path"), ("images", "ms_path"), ("jobs", "ms_path")):
            db.execute(
                f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE {column} = ?", (new, path)
            )
        db.execute("UPDATE ms_index SET status = ?, stage = ? WHERE path = CAST(? AS TEXT)",
                   ("failed", evil, new))  # fmt: skip
    db.execute(
        "UPDATE images SET noise_jy = 'loud', beam_major_arcsec = 1e999, beam_pa_deg = NULL "
        "WHERE id IN (SELECT id FROM images ORDER BY id DESC LIMIT 5)"
    )
    db.execute("UPDATE photometry SET flux_jy = -1e999 WHERE id IN "
               "(SELECT id FROM photometry ORDER BY id DESC LIMIT 5)")  # fmt: skip
    db.commit()
    db.close()
    async with cl.open(folder) as lab:
        report = await lab.qa.night(await lab.last_night())
    page = report._repr_html_()
    assert "<script>" not in page
    assert "<b>\ufffd" not in page
    told = report.to_json()
    jsonschema.validate(told, report_schema())
    assert parse(canonical(told)) == told
    assert repr(report)


async def test_a_table_that_is_not_there_is_told(copy_of):
    """Without images, photometry or registry: not applicable with the reason, and no pass of it."""
    folder = copy_of()
    db = sqlite3.connect(folder / "pipeline.sqlite3")
    for table in ("images", "photometry", "caltables", "jobs", "hdf5_files"):
        db.execute(f"DROP TABLE {table}")
    db.commit()
    db.close()
    async with cl.open(folder) as lab:
        report = await lab.qa.night(await lab.last_night())
    for check in ("noise", "flux_ratio", "calibration", "raw_without_ms", "dynamic_range", "beam"):
        assert {one.word for one in report.of(check)} == {NOT_APPLICABLE}, check
        assert all("no table" in one.why for one in report.of(check)), check
    assert report.judged[0].promotion.candidate != "trusted_baseline"
    jsonschema.validate(report.to_json(), report_schema())


async def test_stage_grade_is_marked_as_what_it_is(demo):
    """The older system's grade is counted beside the verdict, and said to be no measurement."""
    report = await demo.qa.night(await demo.last_night())
    assert sum(report.stage_grades.values()) == report.n_ms
    assert "no measurement" in report.to_json()["stage_grade"]["means"]
    assert any("no measurement" in line for line in report.lines())
