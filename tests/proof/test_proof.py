"""Proofs by themselves: no change goes unseen, and nothing hostile is taken on trust."""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import json
import sqlite3
import textwrap

import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab import blocking
from contimg_lab.analysis.checks import TABLES, Found, check, make_night
from contimg_lab.errors import InvalidInput
from contimg_lab.services._night_again import night_again
from contimg_lab.services._night_rows import KINDS
from contimg_lab.services._proof import METADATA, seal, shown_digests, value_digest
from contimg_lab.services._proof_keys import in_order, keys_told, told_keys
from contimg_lab.services._proof_read import read_proof
from contimg_lab.services._proof_rows import EVERY, STANDS_ON, tables_of_check
from contimg_lab.services.notebook_proof import verify_notebook
from contimg_lab.thresholds import packaged_thresholds

from .conftest import notebook_of

PART = "noise"


@pytest.fixture(scope="session")
def report(season_folder):
    """The report of the last night of the made season."""
    with blocking.open(season_folder()) as lab:
        return lab.qa.night(lab.last_night())


@pytest.fixture(scope="session")
def shown(report):
    """What one part gives a notebook: its forms, and its proof."""
    data, metadata = report.part(PART)._repr_mimebundle_()
    return data, metadata[METADATA]


def leaves(value, path=()):
    """Every place of a value that holds no other."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    else:
        yield path


def at(value, path):
    """What stands at a place."""
    for name in path:
        value = value[name]
    return value


@settings(max_examples=300)
@given(st.data())
def test_any_change_of_a_proof_breaks_its_seal(shown, data):
    """One character or number of a proof is another, or a member is gone: the seal tells."""
    proof = copy.deepcopy(shown[1])
    path = data.draw(st.sampled_from(sorted(leaves(proof))))
    holder, held = at(proof, path[:-1]), at(proof, path)
    if held and isinstance(held, str) and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(held) - 1))
        put = data.draw(st.characters().filter(lambda c: c != held[place]))
        holder[path[-1]] = held[:place] + put + held[place + 1 :]
    elif isinstance(held, (int, float)) and data.draw(st.booleans()):
        holder[path[-1]] = float(np.nextafter(held, data.draw(st.sampled_from([-1e99, 1e99]))))
    else:
        del holder[path[-1]]
    assert proof.get("seal") != seal(proof)


@given(st.data())
def test_any_change_of_the_shown_text_is_another_digest(shown, data):
    """One character of what is shown is another: its digest is."""
    forms = dict(shown[0])
    kind = data.draw(st.sampled_from(sorted(forms)))
    place = data.draw(st.integers(0, len(forms[kind]) - 1))
    put = data.draw(st.characters().filter(lambda c: c != forms[kind][place]))
    forms[kind] = forms[kind][:place] + put + forms[kind][place + 1 :]
    assert shown_digests(forms) != shown[1]["shown"]


@given(st.data())
def test_any_change_of_a_value_is_another_digest(report, data):
    """The last bit of a number, a letter, an int for a float: each gives another digest."""
    value = copy.deepcopy(report.part(PART).value)
    path = data.draw(st.sampled_from([(i, n) for i, one in enumerate(value) for n in one]))
    held = at(value, path)
    if isinstance(held, float):
        put = data.draw(st.sampled_from([np.nextafter(held, 1e99), -held, None, str(held)]))
    elif isinstance(held, int):
        put = data.draw(st.sampled_from([held + 1, float(held), str(held), True]))
    else:
        put = data.draw(st.text().filter(lambda text: text != held))
    value[path[0]][path[1]] = put
    assert value_digest(value) != shown_value_digest(report)


def shown_value_digest(report):
    return report.part(PART).proof["value_digest"]


def test_a_seal_holds_in_a_browser(shown):
    """A number is the same number however a browser writes it: 5.0 as 5."""

    def bent(value):
        if isinstance(value, dict):
            return {name: bent(member) for name, member in reversed(value.items())}
        return int(value) if isinstance(value, float) and value.is_integer() else value

    proof = bent(json.loads(json.dumps(shown[1])))
    assert any(type(v) is int for v in proof["thresholds"]["values"].values())
    assert seal(proof) == proof["seal"]
    assert read_proof(proof) == read_proof(shown[1])


def test_lines_of_a_saved_output_are_one_text(shown):
    """Jupyter saves text in lines: their digest is that of the whole."""
    lines = {kind: text.splitlines(keepends=True) for kind, text in shown[0].items()}
    assert shown_digests(lines) == shown[1]["shown"]


def test_only_the_forms_that_are_asked_for_are_given(report):
    """A frontend that wants one form gets it, and a proof of that one."""
    part = report.part("hours")
    data, metadata = part._repr_mimebundle_(include={"text/plain"})
    assert list(data) == list(metadata[METADATA]["shown"]) == ["text/plain"]
    data, metadata = part._repr_mimebundle_(exclude={"text/plain"})
    assert list(data) == list(metadata[METADATA]["shown"]) == ["text/html"]


def test_a_part_that_there_is_not_is_told(report):
    """A wrong name is an error that lists the right ones."""
    with pytest.raises(InvalidInput, match=r"no part 'nose' .*verdict, hours.*noise"):
        report.part("nose")


KEYS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.text(max_size=9), unique=True).map(in_order)


@given(KEYS)
def test_keys_go_round(keys):
    """Whatever keys rows have, they are read back as they were, by JSON too."""
    assert keys_told(json.loads(json.dumps(told_keys(keys)))) == keys


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
    | st.fixed_dictionaries(
        {}, optional={"numbers": st.text("0123456789. -"), "texts": st.text("0123456789 \\\nab")}
    )
)
def test_other_keys_are_an_error_or_keys(told):
    """What is no list of keys is refused with a typed error, and never read for long."""
    try:
        keys = keys_told(told)
    except InvalidInput:
        return
    assert all(type(key) in (int, str) for key in keys)


@pytest.mark.parametrize("text", ["1..999999999999", "3..1", "1e9", "x", "1...2"])
def test_a_run_that_is_none_is_refused(text):
    """Runs without end, backwards or of something else are no keys."""
    with pytest.raises(InvalidInput):
        keys_told({"numbers": text})


def test_keys_that_swell_are_refused():
    """A few bytes that stand for gigabytes of text are not read."""
    with pytest.raises(InvalidInput, match="longer than any"):
        keys_told({"texts": "\n".join(["0 " + "a" * 500_000] + ["500000 "] * 100_000)})


ODD = st.sampled_from(
    [None, True, -1, 10**400, float("nan"), float("inf"), "", "\ud800", [], {}, [[]], {"a": 1}]
)


@settings(max_examples=150)
@given(st.data())
async def test_odd_metadata_is_told_and_never_the_same(shown, tmp_path_factory, data):
    """Whatever stands in place of one member of a proof, sealed anew or not, has a word."""
    proof = copy.deepcopy(shown[1])
    path = data.draw(st.sampled_from(sorted({p[:n] for p in leaves(proof) for n in range(1, 5)})))
    if path[-1] in at(proof, path[:-1]):
        at(proof, path[:-1])[path[-1]] = data.draw(ODD)
    if data.draw(st.booleans()):
        with contextlib.suppress(InvalidInput):
            proof["seal"] = seal(proof)
    output = {"output_type": "display_data", "data": shown[0], "metadata": {METADATA: proof}}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {},
            "cells": [{"cell_type": "code", "outputs": [output]}]}  # fmt: skip
    path = tmp_path_factory.mktemp("odd") / "odd.ipynb"
    path.write_text(json.dumps(book))
    (one,) = (await verify_notebook(path)).values
    assert one.word in ("changed", "cannot tell")
    assert one.why


async def test_a_digest_that_was_sealed_anew_is_found_against_the_rows(report, season, verify):
    """Who seals a changed proof again is found by the database: value and rows tell."""
    for path in (["value_digest"], ["tables", "images", "digest"]):
        book = notebook_of([report.part(PART)])
        proof = book.cells[0].outputs[0].metadata[METADATA]
        held = at(proof, path)
        at(proof, path[:-1])[path[-1]] = held[:-1] + ("0" if held[-1] != "0" else "1")
        proof["seal"] = seal(proof)
        (one,) = (await verify(book, season)).values
        assert one.word == "changed"


def stands_on(night, names):
    """The digests of some tables of evidence."""
    summary = night.evidence.summary["tables"]
    return {name: summary[name]["digest"] for name in names if name in summary}


def same(one, two):
    """Whether two tables of a night hold the same."""
    return all(
        len(one[c]) == len(two[c])
        and all(a == b or (a != a and b != b) for a, b in zip(one[c], two[c], strict=True))
        for c in one
    )


@pytest.mark.slow
@pytest.mark.parametrize("table", [name for name in KINDS if name != "catalog_sources"])
async def test_a_table_of_a_night_follows_from_what_it_is_said_to_stand_on(season, table):
    """Whichever field of whichever row changes: a table of a night moves only with its evidence."""
    async with cl.open(season) as lab:
        day = await lab.last_night()
        before = await night_again(lab.qa.context, day, 1e9)
    rows = before.evidence.tables.get(table)
    if rows is None or not rows.kept:
        pytest.skip(f"the made season has no rows of {table} in its last night")
    connection = sqlite3.connect(season / "pipeline.sqlite3")
    held = {c[1] for c in connection.execute(f"PRAGMA table_info({table})")}
    at_key = {"ms_index": "path", "ms_state": "ms_path", "hdf5_files": "path",
              "caltables": "path", "pointing_history": "timestamp"}.get(table, "id")  # fmt: skip
    moved = 0
    for place, column in enumerate(sorted(held & set(KINDS[table]))):
        key = sorted(rows.kept, key=str)[place % len(rows.kept)]
        (old,) = connection.execute(
            f"SELECT {column} FROM {table} WHERE {at_key} = ?", [key]
        ).fetchone()
        new = "changed" if isinstance(old, str) or old is None else old * 2 + 1
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {at_key} = ?", [new, key])
            connection.commit()
        except sqlite3.IntegrityError:
            connection.rollback()
            continue
        async with cl.open(season) as lab:
            after = await night_again(lab.qa.context, day, 1e9)
        assert after.evidence.digest != before.evidence.digest, column
        for name in TABLES:
            one, two = (getattr(night.read.night, name) for night in (before, after))
            if not same(one, two):
                moved += 1
                names = STANDS_ON[name]
                assert stands_on(before, names) != stands_on(after, names), (column, name)
        back = new if column == at_key else key
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {at_key} = ?", [old, back])
        connection.commit()
    connection.close()
    assert moved or table in ("calibration_applied", "mosaics")  # there nothing hangs on one row


def test_every_table_of_evidence_is_known(report):
    """Each table of a night names what it stands on; each of evidence is among all."""
    assert set(STANDS_ON) == {"hours", *TABLES}
    assert {table for tables in STANDS_ON.values() for table in tables} <= set(EVERY)
    assert set(report.evidence.tables) <= set(EVERY)


def test_a_check_stands_on_what_it_looks_at():
    """Tables are told by watching the check; of another package's check they are all."""
    night = make_night("2025-10-09", ms={"path": ["a"], "hour": [3], "kind": ["tile"]})

    @check("a.test", protects_against="-", metric="-", unit="1")
    def looks(night, limits):
        if not night.why_absent("groups"):
            yield Found(word="pass", why=f"{night.runs.n_rows}")

    own = dataclasses.replace(looks, package="contimg_lab")
    found = set(tables_of_check(own, night, packaged_thresholds()))
    assert found == {t for n in ("hours", "groups", "runs") for t in STANDS_ON[n]}
    assert tables_of_check(looks, night, packaged_thresholds()) == EVERY


def test_shown_text_is_escaped_and_can_be_saved(report):
    """Whatever a database's texts hold, markup and lone surrogates, the output is safe to save."""
    bad = "<script>alert(1)</script>\ud800\n"
    one = dataclasses.replace(report.of(PART)[0], why=bad, key=bad)
    odd = dataclasses.replace(report, outcomes=(one,))
    for name in (PART, "verdict", "checks", "fails", "warns", "not applicable"):
        data, metadata = odd.part(name)._repr_mimebundle_()
        assert "<script>" not in data["text/html"]
        json.dumps([data, metadata], ensure_ascii=False).encode("utf-8")
    assert nbformat.writes(notebook_of([odd.part(PART)]))


def test_a_picture_is_its_bytes_however_they_are_written():
    """Base64 in one line or in many is one picture; what is no Base64 is none."""
    one = base64.b64encode(bytes(range(256))).decode()
    lines = [line + "\n" for line in textwrap.wrap(one, 76)]
    assert shown_digests({"image/png": one}) == shown_digests({"image/png": lines})
    assert shown_digests({"image/png": one}) != shown_digests({"image/png": "AAAA" + one})
    with pytest.raises(InvalidInput, match="no picture"):
        shown_digests({"image/png": "no *base64*"})
