"""Different rows never share a digest, the same rows never differ, and a change is named."""

from __future__ import annotations

import math
import struct
import unicodedata
import zlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.canonical import digest_of
from contimg_lab.ledger.changes import data_changes, diff, places
from contimg_lab.ledger.evidence import Evidence, gather
from contimg_lab.ledger.tokens import ABSENT, token_of, value_of

INTS = st.integers(-(2**63), 2**63 - 1)
# numbers near each other, as ints and floats, and all others
NUMBERS = st.integers(-3, 3) | INTS | st.floats() | INTS.map(float) | st.sampled_from([0.0, -0.0])
TEXTS = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=8)
VALUES = NUMBERS | TEXTS | st.binary(max_size=8) | st.none() | st.just(ABSENT)
KINDS = st.sampled_from([None, float, int, str])
COLUMNS = ("a_jy", "b", "c", "d")
ROWS = st.dictionaries(
    TEXTS.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)) | INTS,
    st.tuples(st.none() | st.sampled_from(["00", "06", "23"]), st.tuples(*[VALUES] * 4)),
    max_size=6,
)


def one_of(rows, kinds=None, name="images") -> Evidence:
    """Evidence of one table, of rows by key."""
    told = [(hour, key, values) for key, (hour, values) in rows.items()]
    return Evidence([gather(name, COLUMNS, told, kinds)])


def packed_text(rows: str) -> str:
    """Text of one packed table with one field."""
    table = f'{{"fields":["a"],"rows":[{rows}]}}'
    return f'{{"format":"contimg_lab evidence 1","tables":{{"t":{table}}}}}'


def is_same(one: object, other: object, kind: type | None) -> bool:
    """Whether two stored values are one, worked out without any token."""
    if type(one) is float and type(other) is float:
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return struct.pack("<d", one) == struct.pack("<d", other)
    if {type(one), type(other)} == {int, float} and kind in (int, float):
        whole, real = (one, other) if type(one) is int else (other, one)
        if not math.isfinite(real) or str(real) == "-0.0":
            return False
        return Fraction(whole) == Fraction(real)
    return type(one) is type(other) and one == other


@given(VALUES, VALUES, KINDS)
def test_tokens_differ_where_values_do(one, other, kind) -> None:
    """Two values share a token only where they are the same value of that column."""
    assert (token_of(one, kind) == token_of(other, kind)) == is_same(one, other, kind)


@given(VALUES, KINDS)
def test_a_token_reads_back(value, kind) -> None:
    """The value of a token is the value that it was made of, cast to its column."""
    again = value_of(token_of(value, kind))
    assert is_same(again, value, kind) or again is value is ABSENT
    assert token_of(again) == token_of(value, kind)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, -0.0), (math.nan, None), (None, ""), (None, ABSENT), ("", ABSENT), ("5", 5),
        ("null", None), ("absent", ABSENT), ("i:5", 5), (b"x", "x"), (b"", ""), (5, "5.0"),
        (1.0, 1.0000000000000002), (math.inf, 1.7976931348623157e308), (2**53 + 1, 2.0**53),
        ("é", unicodedata.normalize("NFD", "é")), ("\ud83d\ude00", "\U0001f600"), ("a\n", "a"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [None, float, int, str])
def test_look_alikes_differ(one, other, kind) -> None:
    """Values that look alike have evidence of different digests, whatever the column."""
    kinds = {} if kind is None else {"c": kind}
    first, second = (one_of({1: ("06", (1, 2, v, 3))}, kinds) for v in (one, other))
    assert first.digest != second.digest
    (change,) = diff(first, second)
    assert (change.kind, change.key, change.field) == ("changed", 1, "c")


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (5, 5.0, float), (5.0, 5, int), (True, 1, int), (np.float64(0.1), 0.1, float),
        (np.int64(7), 7, None), (np.float32(0.5), 0.5, float), (float("-nan"), math.nan, float),
        (bytearray(b"x"), b"x", None), (np.str_("é"), "é", str), (1 << 53, float(1 << 53), float),
    ],
)  # fmt: skip
def test_the_same_value_read_otherwise(one, other, kind) -> None:
    """A value has one token, whichever package and type carried it here."""
    assert token_of(one, kind) == token_of(other, kind)


@pytest.mark.parametrize("value", [object(), [1], 1j, np.datetime64("2025-10-09")])
def test_what_sqlite_does_not_store_is_refused(value) -> None:
    """A value that can come from no database is an error, not a text of it."""
    with pytest.raises(InvalidInput, match="SQLite"):
        token_of(value)


@given(ROWS, st.randoms())
def test_order_does_not_matter(rows, random) -> None:
    """The order of rows, of columns and of tables changes no digest."""
    told = [(hour, key, values) for key, (hour, values) in rows.items()]
    random.shuffle(told)
    order = random.sample(range(4), 4)
    other = (
        gather("images", COLUMNS, [("06", 1, (1, 2, 3, 4))]),
        gather(
            "ms_index",
            [COLUMNS[i] for i in order],
            [(h, k, [v[i] for i in order]) for h, k, v in told],
        ),
    )
    tables = [*one_of(rows, name="ms_index").tables.values(), other[0]]
    assert Evidence(tables).summary == Evidence(other).summary


@given(ROWS, ROWS)
def test_digests_differ_where_rows_do(one, other) -> None:
    """Evidence shares a digest only where every row is the same, and then nothing changed."""
    first, second = one_of(one), one_of(other)
    same = one.keys() == other.keys() and all(
        one[k][0] == other[k][0]
        and all(is_same(a, b, None) for a, b in zip(one[k][1], other[k][1], strict=True))
        for k in one
    )
    assert (first.digest == second.digest) == same
    assert (diff(first, second) == ()) == same
    assert (places(first.summary, second.summary) == ()) == same


@given(ROWS.filter(bool), st.data())
def test_a_change_is_named(rows, data) -> None:
    """One field of one row changed: table, hour, row, field, old and new value are named."""
    key = data.draw(st.sampled_from(sorted(rows, key=str)))
    field = data.draw(st.integers(0, 3))
    hour, values = rows[key]
    value = data.draw(VALUES)
    assume(not is_same(value, values[field], None))
    new = {**rows, key: (hour, (*values[:field], value, *values[field + 1 :]))}
    before, after = one_of(rows), one_of(new)
    (change,) = diff(before, after)
    assert (change.table, change.hour, change.key) == ("images", hour, key)
    assert (change.kind, change.field) == ("changed", COLUMNS[field])
    assert (change.old, change.new) == (token_of(values[field]), token_of(value))
    assert places(before.summary, after.summary) == (("images", hour or "none"),)
    for word in ("images", repr(key), COLUMNS[field], "was", "is"):
        assert word in str(change)


@given(ROWS.filter(bool), st.data())
def test_rows_that_come_and_go_are_named(rows, data) -> None:
    """A row that appears, vanishes or counts to another hour is named as that."""
    key = data.draw(st.sampled_from(sorted(rows, key=str)))
    less = {k: v for k, v in rows.items() if k != key}
    moved = {**rows, key: ("11", rows[key][1])}
    all_, fewer = one_of(rows), one_of(less)
    found = [diff(all_, fewer), diff(fewer, all_), diff(all_, one_of(moved))]
    assert [(c.kind, c.key) for (c,) in found] == [
        ("vanished", key),
        ("appeared", key),
        ("moved", key),
    ]


@given(ROWS, KINDS)
def test_packed_rows_read_back(rows, kind) -> None:
    """Rows that were packed read back as they were: same digests, values, and the same bytes."""
    evidence = one_of(rows, {"c": kind, "e": float} if kind else {})
    again = Evidence.unpack(evidence.pack())
    assert again.summary == evidence.summary
    assert diff(evidence, again) == ()
    told = [sorted((str(row), row.digest) for row in rows) for rows in (again, evidence)]
    assert told[0] == told[1]
    assert again.pack() == evidence.pack()


@given(ROWS.filter(bool), st.data())
def test_packed_rows_that_were_changed(rows, data) -> None:
    """Packed rows with a byte changed, added or cut off are refused, or other than their digest.

    Only the level of compression, which says nothing about the rows, may read back the same.
    """
    evidence = one_of(rows)
    packed = bytearray(evidence.pack())
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != packed[place]))
    for changed in (bytes(packed), evidence.pack() + b"x", evidence.pack()[:-1]):
        try:
            again = Evidence.unpack(changed)
        except InvalidInput:
            continue
        assert place == 1
        assert diff(evidence, again) == ()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"format":"contimg_lab evidence 2","tables":{}}',
        packed_text('["06",1,[]]'), packed_text('[6,1,["null"]]'), packed_text('["06",1,[1]]'),
        packed_text('["06",1,["null"]],["07",1,["null"]]'), packed_text('["06",true,["null"]]'),
    ],
)  # fmt: skip
def test_what_was_never_packed_is_refused(text: str) -> None:
    """Compressed text that is no rows is an error, and so is a key that stands there twice."""
    with pytest.raises(InvalidInput):
        Evidence.unpack(zlib.compress(text.encode()))


@pytest.mark.parametrize(
    ("columns", "rows", "words"),
    [
        (["a"], [("06", 1, [1]), ("07", 1, [1])], "two rows"),
        (["a"], [("06", 1, [1]), ("06", 1, [1])], "two rows"),
        (["a"], [("06", 1.5, [1])], "key"),
        (["a"], [("06", True, [1])], "key"),
        (["a"], [("06", "\ud800", [1])], "canonical"),
        (["a"], [("", 1, [1])], "hour"),
        (["a"], [("none", 1, [1])], "hour"),
        (["a", "b"], [("06", 1, [1])], "values"),
        (["a", "a"], [("06", 1, [1, 2])], "twice"),
        ([], [("06", 1, [])], "no column"),
    ],
)
def test_rows_without_a_place_are_refused(columns, rows, words: str) -> None:
    """Rows that share a key, or have none, and rows of another length are errors that say so."""
    with pytest.raises(InvalidInput, match=words):
        gather("images", columns, rows)


def test_packed_text_is_what_is_packed() -> None:
    """The refused texts above differ from a good one in what they say alone."""
    (row,) = Evidence.unpack(zlib.compress(packed_text('["06",1,["null"]]').encode()))
    assert (row.hour, row.key, row.values) == ("06", 1, {"a": None})


def test_keys_of_two_kinds_differ() -> None:
    """The keys 5 and "5" are two rows."""
    evidence = one_of({5: ("06", (1, 2, 3, 4)), "5": ("06", (1, 2, 3, 4))})
    assert len(evidence) == 2
    assert len({row.digest for row in evidence}) == 2


def test_absent_column_of_a_layout() -> None:
    """A field that this layout lacks is absent: neither NULL nor left out."""
    full = Evidence([gather("images", ["id", "noise_jy"], [(None, 1, [1, None])])])
    lacks = Evidence([gather("images", ["id"], [(None, 1, [1])], {"noise_jy": float})])
    (row,) = lacks
    assert row.values == {"id": 1, "noise_jy": ABSENT}
    (change,) = diff(full, lacks)
    assert str(change) == "images 1: noise_jy was NULL, is absent"


@given(ROWS.filter(bool))
def test_digests_by_the_book(rows) -> None:
    """Every digest is the one that the entry's description says, worked out step by step."""
    evidence = one_of(rows)
    hours: dict[str, list[str]] = {}
    for key, (hour, values) in rows.items():
        pairs = [[field, token_of(v)] for field, v in zip(COLUMNS, values, strict=True)]
        hours.setdefault(hour or "none", []).append(digest_of(["images", key, pairs]))
    assert {row.digest for row in evidence} == {d for digests in hours.values() for d in digests}
    told = {hour: digest_of(sorted(digests)) for hour, digests in hours.items()}
    table = digest_of(["images", [[hour, told[hour]] for hour in sorted(told)]])
    assert evidence.summary == {
        "digest": digest_of([["images", table]]),
        "tables": {"images": {"rows": len(rows), "digest": table, "hours": told}},
    }


def test_what_another_version_asks_for_is_no_change() -> None:
    """Tables and fields that only one was asked for are named, and what both have is compared."""
    told = [("06", 1, [0.1, 7]), ("06", 2, [1, 2])]
    old = Evidence([gather("images", ["noise_jy", "old"], told)])
    rows = [("06", 1, [0.25, 3.0]), ("06", 2, [1, None])]
    new = Evidence(
        [gather("images", ["noise_jy", "beam"], rows), gather("jobs", ["id"], [(None, 1, [1])])]
    )
    changes, others = data_changes(old, new)
    assert list(map(str, changes)) == ["images 1 (hour 06): noise_jy was 0.1, is 0.25"]
    assert others == ("images.beam", "images.old", "jobs")
    assert data_changes(old, old) == ((), ())


def test_a_night_that_is_gone() -> None:
    """Where nothing of it is there any more, every row has vanished."""
    old = Evidence([gather("images", ["noise_jy"], [("06", 1, [0.1]), (None, 2, [None])])])
    changes, others = data_changes(old, None)
    assert [(one.kind, one.key) for one in changes] == [("vanished", 1), ("vanished", 2)]
    assert others == ()
