"""Whatever is done to a ledger's entries afterwards is found, in its file and in an export."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.canonical import canonical, digest_of
from contimg_lab.ledger.chain import Head, read, signed_text
from contimg_lab.ledger.export import from_lines, lines_of, to_lines
from contimg_lab.ledger.keys import SigningKey
from contimg_lab.ledger.store import Ledger
from contimg_lab.ledger.verify import Finding, check_evidence, check_lines

N = 6
PLACES = st.integers(0, N - 1)
Lines = list[bytes]


def broken(found: list[Finding]) -> list[Finding]:
    """Findings that say that something is no longer what was written."""
    return [one for one in found if one.is_broken]


def rehashed(lines: Lines, first: int, key: SigningKey | None = None) -> Lines:
    """Make a chain whole again from a place on, with a key of one's own if one is given."""
    made: Lines = []
    for place, line in enumerate(lines, 1):
        told = json.loads(line)
        if place >= first:
            body = told["body"]
            body["number"] = place
            body["previous"] = json.loads(made[-1])["hash"] if made else "0" * 64
            if key is not None:
                body["public_key"] = key.public_key
            told["hash"] = digest_of(body)
            if key is not None:
                told["signature"] = key.sign(signed_text(told["hash"]))
        made.append(canonical(told).encode())
    return made


@pytest.fixture(scope="session")
def lines(signed) -> Lines:
    """Lines of the signed ledger."""
    return Ledger(signed.folder / "ledger.sqlite3").lines()


@pytest.fixture(scope="session")
def judge(signed) -> Callable[[Lines], list[Finding]]:
    """What is broken, where the list of reviewers is known and no head was kept."""
    return lambda lines: broken(check_lines(lines, reviewers=signed.reviewers))


@pytest.fixture(scope="session")
def judge_file(signed) -> Callable[[Ledger], list[Finding]]:
    """What is broken in a ledger's file, where the list of reviewers is known."""
    return lambda ledger: broken(ledger.check(reviewers=signed.reviewers))


def test_an_honest_ledger_has_no_fault(signed, lines) -> None:
    """Of what nobody touched, only notes are told: the guest's entry is unsigned and unlisted."""
    found = check_lines(lines, kept=signed.head, reviewers=signed.reviewers)
    assert [(one.number, one.about, one.is_broken) for one in found] == [
        (4, "signature", False),
        (4, "reviewer", False),
    ]
    assert Ledger(signed.folder / "ledger.sqlite3").check(
        kept=signed.head, reviewers=signed.reviewers
    ) == sorted(found, key=lambda one: one.number)


@given(PLACES, st.data())
def test_any_byte_of_an_export(signed, lines, judge, place, data) -> None:
    """One byte of an exported entry changed, whichever: that very entry is named."""
    line = bytearray(lines[place])
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    found = judge([*lines[:place], bytes(line), *lines[place + 1 :]])
    assert place + 1 in {one.number for one in found}


@given(st.permutations(range(N)).filter(lambda order: order != list(range(N))))
def test_reordered(lines, judge, order) -> None:
    """Entries in another order are found."""
    assert judge([lines[place] for place in order])


@given(st.sets(PLACES, min_size=1).filter(lambda gone: min(gone) < N - len(gone)))
def test_deleted(lines, judge, gone) -> None:
    """Entries deleted anywhere but at the end are found, with no head kept."""
    assert judge([line for place, line in enumerate(lines) if place not in gone])


@given(st.integers(0, N - 1))
def test_cut_off(signed, lines, judge, n) -> None:
    """Entries deleted at the end are found against the head that was kept, and only so."""
    assert judge(lines[:n]) == []
    (found,) = broken(check_lines(lines[:n], kept=signed.head))
    assert "cut off" in str(found)
    assert f"number {N}" in str(found)


@given(PLACES, st.integers(0, N))
def test_replayed(lines, judge, place, at) -> None:
    """An entry of the ledger put in once more, anywhere, is found."""
    assert judge([*lines[:at], lines[place], *lines[at:]])


@given(st.integers(0, N), st.text(min_size=1))
def test_forged(signed, lines, judge, at, reason) -> None:
    """An entry in a listed name, put in anywhere and chained anew by who has no key, is found."""
    told = json.loads(lines[0])
    told["body"]["reason"] += reason
    forged = rehashed([*lines[:at], canonical(told).encode(), *lines[at:]], at + 1)
    assert at + 1 in {one.number for one in judge(forged)}


@given(PLACES.filter(lambda place: place != 3), st.text(min_size=1))
def test_rewritten(lines, judge, place, reason) -> None:
    """A signed entry that says something else, with the whole chain made anew, is found."""
    told = json.loads(lines[place])
    told["body"]["reason"] += reason
    changed = rehashed([*lines[:place], canonical(told).encode(), *lines[place + 1 :]], place + 1)
    found = [one for one in judge(changed) if one.number == place + 1]
    assert [one.about for one in found] == ["signature"]


@given(PLACES)
def test_key_swapped(signed, lines, judge, place) -> None:
    """Everything signed anew with another key: the list of reviewers tells, and the kept head."""
    swapped = rehashed(lines, place + 1, SigningKey())
    assert broken(check_lines(swapped)) == []  # a whole chain, by somebody else
    found = judge(swapped)
    assert {one.about for one in found} <= {"reviewer"}
    listed = {n for n in range(place + 1, N + 1) if n != 4}
    assert {one.number for one in found} == listed
    assert broken(check_lines(swapped, kept=signed.head))


def by_its_owner(signed, line: bytes, **members: object) -> bytes:
    """An entry that says something else, hashed and signed anew by who signed it."""
    told = json.loads(line)
    told["body"] |= members
    told["hash"] = digest_of(told["body"])
    key = signed.keys.get(told["body"]["reviewer"])
    told["signature"] = None if key is None else key.sign(signed_text(told["hash"]))
    return canonical(told).encode()


@given(PLACES, st.integers(0, 63), st.sampled_from("0123456789abcdef"))
@example(5, 63, "0")
@example(5, 63, "1")
def test_any_digit_of_the_link(signed, lines, judge, place, at, digit) -> None:
    """A link that is off in one digit is found, though its owner signed it so."""
    link = json.loads(lines[place])["body"]["previous"]
    off = link[:at] + digit + link[at + 1 :]
    changed = [*lines[:place], by_its_owner(signed, lines[place], previous=off)]
    found = [(one.number, one.about) for one in judge(changed)]
    assert found == ([] if off == link else [(place + 1, "chain")])


@given(PLACES, st.integers(4, 20))
def test_another_number(signed, lines, judge, place, number) -> None:
    """An entry that gives itself another number is found, though its owner signed it so."""
    changed = [*lines[:place], by_its_owner(signed, lines[place], number=number)]
    found = [(one.number, one.about) for one in judge(changed)]
    assert found == ([] if number == place + 1 else [(place + 1, "chain")])


def test_digests_of_tables_are_held_to_the_rows_too(signed, lines) -> None:
    """An entry whose digest of all fits its rows, but not what it says of a table, is found."""
    kept = Ledger(signed.folder / "ledger.sqlite3").evidence(2)
    told = json.loads(lines[1])["body"]["evidence"]
    told["tables"]["images"]["rows"] += 1
    entry = read(by_its_owner(signed, lines[1], evidence=told))
    assert check_evidence(read(lines[1]), kept) == []
    assert [one.about for one in check_evidence(entry, kept)] == ["evidence"]


@pytest.mark.parametrize("place", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("also_key", [False, True])
def test_signature_stripped(signed, lines, judge, place, also_key) -> None:
    """A signature taken away is found; with the key taken away too, by the list of reviewers."""
    told = json.loads(lines[place])
    told["signature"] = None
    changed = [*lines[:place], canonical(told).encode(), *lines[place + 1 :]]
    if also_key:
        told["body"]["public_key"] = None
        changed[place] = canonical(told).encode()
        changed = rehashed(changed, place + 1)
    assert place + 1 in {one.number for one in judge(changed)}


@given(PLACES, PLACES)
def test_signature_of_another(lines, judge, place, other) -> None:
    """The signature of another entry, or one where none belongs, is found."""
    told, donor = json.loads(lines[place]), json.loads(lines[other])
    if told["signature"] == donor["signature"]:
        return
    told["signature"] = donor["signature"]
    found = judge([*lines[:place], canonical(told).encode(), *lines[place + 1 :]])
    assert [(one.number, one.about) for one in found] == [(place + 1, "signature")]


def test_an_unsigned_entry_stands_by_its_hash_alone(signed, lines, judge) -> None:
    """What no key signed can be rewritten with all that follows: signatures after it tell."""
    told = json.loads(lines[3])
    told["body"]["decision"] = "reject"
    found = judge(rehashed([*lines[:3], canonical(told).encode(), *lines[4:]], 4))
    assert {(one.number, one.about) for one in found} == {(5, "signature"), (6, "signature")}
    alone = [*lines[:3], rehashed([*lines[:3], canonical(told).encode()], 4)[3]]
    assert judge(alone) == []
    assert broken(check_lines(alone, kept=read(lines[3]).head))


@pytest.mark.parametrize("kept", [Head(3, "a" * 64), Head(99, "a" * 64), Head(-1, "a" * 64)])
def test_another_head(lines, kept) -> None:
    """A head that is none of this chain is found."""
    assert broken(check_lines(lines, kept=kept))


def test_an_older_head_still_holds(lines) -> None:
    """A chain that grew since a report was printed still holds that report's head."""
    for line in lines:
        assert broken(check_lines(lines, kept=read(line).head)) == []


@given(st.binary(max_size=60))
def test_any_bytes_are_judged(noise) -> None:
    """Whatever a line is, the checker says what is wrong and does not fail."""
    assert broken(check_lines([noise]))


@pytest.mark.parametrize("member", ["number", "previous", "reviewer", "evidence", "hours", "kind"])
@pytest.mark.parametrize("value", [None, 0, True, [], {}, "x", {"a": {"b": 1}}])
def test_members_of_another_kind(lines, judge, member, value) -> None:
    """A member of another kind, with the hash made anew, is found without failing."""
    told = json.loads(lines[1])
    told["body"][member] = value
    told["hash"] = digest_of(told["body"])
    found = judge([lines[0], canonical(told).encode(), *lines[2:]])
    assert 2 in {one.number for one in found}


def test_exports_read_back(lines) -> None:
    """An export reads back as the same entries, and its bytes are their canonical texts."""
    data = b"".join(line + b"\n" for line in lines)
    assert to_lines(from_lines(data)) == data
    assert lines_of(data) == lines


@pytest.mark.parametrize("damage", [b"\n", b"\r\n", b" \n", b"{}\n", b"\xff\n", b"x"])
def test_exports_are_strict(lines, damage) -> None:
    """An empty line, other line ends, other text or a missing end: an error that names the line."""
    data = b"".join(line + b"\n" for line in lines)
    with pytest.raises(InvalidInput, match=r"line 7|cut off"):
        from_lines(data + damage)
    with pytest.raises(InvalidInput, match=r"line 1|cut off"):
        from_lines(damage + data if damage.endswith(b"\n") else data[:-1])


def tamper(signed, folder: str | Path, *statements: tuple[str, tuple[object, ...]]) -> Ledger:
    """Copy the ledger and change its file without its guards, which are put back afterwards."""
    ledger = signed.copy(Path(folder))
    db = sqlite3.connect(ledger.path, isolation_level=None)
    db.execute("PRAGMA ignore_check_constraints = ON")
    guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    for sql, values in statements:
        db.execute(sql, values)
    for _, sql in guards:
        db.execute(sql)
    db.close()
    return ledger


@given(st.sampled_from(["entry", "hash", "previous"]), st.integers(1, N), st.booleans(), st.data())
@settings(max_examples=60)
def test_any_byte_of_the_file(signed, lines, judge_file, cell, number, as_blob, data) -> None:
    """One byte of a stored entry changed behind the guards' back: that entry is named."""
    told = json.loads(lines[number - 1])
    cells = {"hash": told["hash"], "previous": told["body"]["previous"]}
    raw = bytearray(cells.get(cell, lines[number - 1].decode()).encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(not as_blob, 127).filter(lambda byte: byte != raw[at]))
    value = bytes(raw) if as_blob else raw.decode()
    sql = f"UPDATE entries SET {cell} = ? WHERE number = ?"
    with TemporaryDirectory() as folder:
        found = judge_file(tamper(signed, folder, (sql, (value, number))))
    assert number in {one.number for one in found}


@given(st.integers(1, N), st.data())
@settings(max_examples=40)
def test_any_byte_of_the_kept_rows(signed, judge_file, number, data) -> None:
    """One byte of the kept rows changed: found, or the rows read back are the same to the last."""
    evidence = Ledger(signed.folder / "ledger.sqlite3").evidence(number)
    raw = bytearray(evidence.pack())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    sql = "UPDATE evidence SET packed = ? WHERE number = ?"
    with TemporaryDirectory() as folder:
        ledger = tamper(signed, folder, (sql, (bytes(raw), number)))
        found = [(one.number, one.about) for one in judge_file(ledger)]
        if (number, "evidence") not in found:
            assert at == 1  # the level of compression
            assert ledger.evidence(number).summary == evidence.summary


ROWS_OF_ONE = "UPDATE evidence SET packed = (SELECT packed FROM evidence WHERE number = 1)"
STATEMENTS = {
    "deleted in the middle": ["DELETE FROM entries WHERE number = 3"],
    "deleted with its rows": [f"DELETE FROM {t} WHERE number = 3" for t in ("evidence", "entries")],
    "deleted at the start": ["DELETE FROM entries WHERE number = 1"],
    "renumbered": ["UPDATE entries SET number = 9 WHERE number = 6"],
    "swapped": [
        f"UPDATE entries SET number = {new} WHERE number = {old}"
        for old, new in ((2, 99), (3, 2), (99, 3))
    ],
    "replayed": [
        "INSERT INTO entries SELECT 7, 'x' || previous, 'x' || hash, entry FROM entries "
        "WHERE number = 2",
        "INSERT INTO evidence SELECT 7, packed FROM evidence WHERE number = 2",
    ],
    "rows of another": [f"{ROWS_OF_ONE} WHERE number = 2"],
    "rows thrown away": ["DELETE FROM evidence WHERE number = 2"],
    "rows of nothing": ["INSERT INTO evidence VALUES (12, x'00')"],
    "text made a number": ["UPDATE entries SET entry = 5 WHERE number = 2"],
    "columns of the file": ["UPDATE entries SET hash = upper(hash) WHERE number = 2"],
}


@pytest.mark.parametrize("how", list(STATEMENTS))
def test_rows_of_the_file(signed, judge_file, tmp_path: Path, how: str) -> None:
    """Entries of the file moved, removed or doubled behind the guards' back are found."""
    found = judge_file(tamper(signed, tmp_path, *((sql, ()) for sql in STATEMENTS[how])))
    assert found


def test_putting_the_guards_back_is_no_tampering(signed, judge_file, tmp_path: Path) -> None:
    """What the tests above do to the file beside their one change is not what is found."""
    assert judge_file(tamper(signed, tmp_path)) == []


@pytest.mark.parametrize("n", [1, 3, 5])
def test_the_end_of_the_file_cut_off(signed, judge_file, tmp_path: Path, n: int) -> None:
    """The last entries and their rows deleted from the file: found against the kept head alone."""
    cut = [(f"DELETE FROM {table} WHERE number > {N - n}", ()) for table in ("evidence", "entries")]
    ledger = tamper(signed, tmp_path, *cut)
    assert judge_file(ledger) == []
    (found,) = broken(ledger.check(kept=signed.head))
    assert "cut off" in str(found)


@pytest.mark.parametrize("name", ["entries_delete", "entries_follow", "evidence_update"])
def test_a_guard_taken_away(signed, judge_file, tmp_path: Path, name: str) -> None:
    """A guard that was dropped from the file is found, although all entries are whole."""
    ledger = signed.copy(tmp_path)
    db = sqlite3.connect(ledger.path)
    db.execute(f"DROP TRIGGER {name}")
    db.close()
    (found,) = judge_file(ledger)
    assert name in str(found)
