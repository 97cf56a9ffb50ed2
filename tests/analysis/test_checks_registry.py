"""Checks are declared once, run without a silent pass, and a broken one breaks nothing else."""

from __future__ import annotations

import json
import math
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.checks import (
    GROUP,
    NOT_APPLICABLE,
    SCOPES,
    SEVERITIES,
    TABLES,
    WORDS,
    Found,
    all_checks,
    check,
    make_night,
    run_checks,
)
from contimg_lab.errors import InvalidInput
from contimg_lab.records.qa import Outcome
from contimg_lab.thresholds import Threshold, packaged_thresholds

NIGHT = make_night("2025-10-09", ms={"path": ["a", "b"], "hour": [6, 7], "kind": ["tile"] * 2})


@check(
    "other.many", protects_against="a crowd", metric="MS", unit="1", needs=["ms"],
    limits={"most": Threshold(1.0, "1", "their wiki")},
)  # fmt: skip
def many(night, limits):
    """A check of another package, of the first hour alone."""
    yield Found(
        word="warn", why="two", value=2.0, limit="most", hour=6, rows={"ms": ["a"], "runs": []}
    )


def failing(night, limits):
    """A check that another package got wrong."""
    raise RuntimeError("no such thing")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_check_that_raises_is_not_applicable_with_its_words(scope):
    """An error in one check becomes an outcome of each hour, and the others are run."""
    bad = check("other.bad", protects_against="x", metric="x", unit="1", scope=scope)(failing)
    outcomes = run_checks(NIGHT, packaged_thresholds(), [bad, many])
    told = [one for one in outcomes if one.check == "other.bad"]
    assert [one.hour for one in told] == ([None] if scope in ("cal set", "night") else [6, 7])
    assert {one.word for one in told} == {NOT_APPLICABLE}
    assert all("RuntimeError: no such thing" in one.why for one in told)
    assert [one.word for one in outcomes if one.check == "other.many"] == ["warn", NOT_APPLICABLE]


def test_a_word_that_is_none_is_no_outcome():
    """A check of another package cannot say anything but the four words."""
    bad = check("other.word", protects_against="x", metric="x", unit="1")(
        lambda night, limits: [Found(word="fine", why="")]
    )
    (first, _) = run_checks(NIGHT, packaged_thresholds(), [bad])
    assert first.word == NOT_APPLICABLE
    assert "'fine'" in first.why


def test_an_outcome_names_its_limit_and_rows():
    """The limit that decided stands in the outcome with its value and whose it is."""
    first, second = many.run(NIGHT, packaged_thresholds())
    assert (first.threshold, first.threshold_name) == (1.0, "other.many.most")
    assert first.threshold_source == "their wiki"
    assert (first.key, first.hour, first.value) == ("06", 6, 2.0)
    assert first.rows == {"ms": ("a",)}
    assert (second.key, second.word, second.value) == ("07", NOT_APPLICABLE, None)
    assert json.loads(json.dumps(first.to_json(), allow_nan=False))["rows"] == {"ms": ["a"]}
    assert set(first.to_json()) == set(Outcome.__slots__)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("contimg_lab.analysis.nowhere:many", "ModuleNotFoundError"),
        ("contimg_lab.times:UNIX_EPOCH_MJD", "was not made by"),
        ("contimg_lab.times:no_such_name", "AttributeError"),
    ],
)
def test_a_broken_entry_point_is_told_in_the_report(value, told):
    """A check of another package that cannot be read is one outcome of the night, with why."""
    point = EntryPoint("theirs", value, GROUP)
    made = all_checks(others=[point])[-1]
    (outcome,) = run_checks(NIGHT, packaged_thresholds(), [made])
    assert outcome.word == NOT_APPLICABLE
    assert told in outcome.why
    assert "theirs" in outcome.check


def test_another_packages_check_is_found_by_its_entry_point(monkeypatch, tmp_path):
    """What an entry point names is a check like any other; a second of its name is refused."""
    (tmp_path / "theirs.py").write_text(
        "from contimg_lab.analysis.checks import Found, check\n"
        "@check('theirs.good', protects_against='x', metric='x', unit='1', scope='night')\n"
        "def good(night, limits):\n    return [Found(word='pass', why='well')]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("theirs", "theirs:good", GROUP)
    made = all_checks(others=[point, point])
    assert [one.name for one in made[-1:]] == ["theirs.good"] or made[-2].name == "theirs.good"
    outcomes = run_checks(NIGHT, packaged_thresholds(), made[-2:])
    assert sorted(one.word for one in outcomes) == [NOT_APPLICABLE, "pass"]
    assert any("named theirs.good already" in one.why for one in outcomes)


def test_every_check_declares_itself_wholly():
    """Names are unique and sorted; each has words, limits with sources, and needs that exist."""
    made = all_checks(others=[])
    names = [one.name for one in made]
    assert names == sorted(set(names))
    limits = packaged_thresholds()
    for one in made:
        assert one.protects_against
        assert one.metric
        assert one.unit
        assert one.scope in SCOPES
        assert one.severity in SEVERITIES
        assert limits.of(one.name), one.name
        for need in one.needs:
            table, _, column = need.partition(".")
            assert not column or column in TABLES[table], need
    assert {name.rpartition(".")[0] for name in limits.limits} == set(names)


def test_an_empty_night_passes_nothing():
    """Without a row no check says pass, and each says something."""
    outcomes = run_checks(make_night("2025-10-09"), packaged_thresholds(), all_checks(others=[]))
    assert {one.check for one in outcomes} == {one.name for one in all_checks(others=[])}
    assert {one.word for one in outcomes} == {NOT_APPLICABLE}


def test_absent_tables_are_told_by_every_check_that_needs_them():
    """Where a table is absent its checks are not applicable in each hour, with that reason."""
    absent = {table: f"no {table} here" for table in TABLES if table != "ms"}
    night = make_night(
        "2025-10-09", absent=absent, ms={"path": ["a"], "hour": [6], "kind": ["tile"]}
    )
    for one in all_checks(others=[]):
        needed = [n.partition(".")[0] for n in one.needs if n.partition(".")[0] in absent]
        if not needed:
            continue
        outcomes = one.run(night, packaged_thresholds())
        assert {o.word for o in outcomes} == {NOT_APPLICABLE}
        assert {o.why for o in outcomes} == {f"no {needed[0]} here"}
        assert [o.hour for o in outcomes] == [None if one.scope in ("cal set", "night") else 6]


ODD = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300, 5e-324, 1.0, 6.0, 6e4])
TEXT = st.sampled_from([None, "", "tile", "BP", "failed", "inside", "A", "2025-10-09", "\x00", "ä"])


@given(st.data())
def test_no_check_breaks_on_any_row(data):
    """Whatever the rows hold, each check says a word about each hour and raises nothing."""
    tables = {}
    for table, columns in TABLES.items():
        n = data.draw(st.integers(0, 3), label=table)
        tables[table] = {
            name: data.draw(st.lists(TEXT if told.is_text else ODD, min_size=n, max_size=n))
            for name, told in columns.items()
        }
        if "hour" in columns:
            tables[table]["hour"] = [data.draw(st.sampled_from([6.0, 7.0, math.nan]))] * n
    if "image" in tables["photometry"]:
        n = len(tables["photometry"]["image"])
        tables["photometry"]["image"] = data.draw(
            st.lists(st.sampled_from([math.nan, *range(len(tables["images"]["id"]))]),
                     min_size=n, max_size=n)
        )  # fmt: skip
    night = make_night("2025-10-09", hours=[6, 7], as_of_unix_s=1.76e9, **tables)
    outcomes = run_checks(night, packaged_thresholds(), all_checks(others=[]))
    assert not [one.why for one in outcomes if "could not be made" in one.why]
    for one in all_checks(others=[]):
        told = [o for o in outcomes if o.check == one.name]
        hours = {o.hour for o in told}
        assert hours == {None} if one.scope in ("cal set", "night") else hours >= {6, 7}
    for outcome in outcomes:
        assert outcome.word in WORDS
        assert outcome.why
        json.dumps(outcome.to_json(), allow_nan=False)


def test_what_a_night_does_not_have_is_refused():
    """An unknown table or column, or columns of different lengths, is an error in words."""
    for tables, told in (
        ({"mss": {}}, "no table 'mss'"), ({"ms": {"pth": []}}, "no column 'pth'"),
        ({"ms": {"path": ["a"], "hour": []}}, "differ in length"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=told):
            make_night("2025-10-09", **tables)
    with pytest.raises(InvalidInput, match="could be absent"):
        make_night("2025-10-09", absent={"ms.pth": "no"})
    for bad, told in (({"scope": "tile"}, "scope"), ({"severity": "x"}, "severity"),
                      ({"needs": ["nights"]}, "table")):  # fmt: skip
        with pytest.raises(InvalidInput, match=told):
            check("other.x", protects_against="x", metric="x", unit="1", **bad)


def test_columns_are_whole_and_cannot_be_written_to():
    """A column left out is missing throughout, and no check can change what others see."""
    assert np.isnan(NIGHT.ms["mid_mjd"]).all()
    assert NIGHT.ms["status"].tolist() == [None, None]
    assert NIGHT.ms.n_rows == 2
    assert NIGHT.hours == (6, 7)
    assert NIGHT.ms.where(NIGHT.ms["hour"] == 7)["path"].tolist() == ["b"]
    with pytest.raises(ValueError, match="read-only"):
        NIGHT.ms["hour"][0] = 5
    assert NIGHT.why_absent("ms", "runs.status") == ""
    partly = make_night("2025-10-09", absent={"runs.status": "no column", "covers": "no file"})
    assert partly.why_absent("runs", "runs.status") == "no column"
    assert partly.why_absent("covers.state") == "no file"
