"""One value has one text, and one text has one value."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.canonical import canonical, digest_of, parse

TEXT = st.text()  # no surrogates
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_it_reads_back(value) -> None:
    """A canonical text is ASCII without line ends, and reads back as what was written."""
    text = canonical(value)
    assert text.isascii()
    assert "\n" not in text
    assert canonical(parse(text)) == text
    assert parse(text.encode()) == value


@given(VALUES, VALUES)
def test_different_values_have_different_texts(one, other) -> None:
    """Two values have one text only where Python's repr of them, keys sorted, is one too."""

    def told(value: object) -> str:
        if isinstance(value, dict):
            return "{" + ",".join(f"{k!r}:{told(value[k])}" for k in sorted(value)) + "}"
        return "[" + ",".join(map(told, value)) + "]" if isinstance(value, list) else repr(value)

    assert (canonical(one) == canonical(other)) == (told(one) == told(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [(0.0, -0.0), (5, 5.0), (1, True), ("é", "e\u0301"), ("", None), ("5", 5), ([], {})],
)
def test_look_alikes_differ(one, other) -> None:
    """Values that look alike, normal forms of Unicode among them, have different digests."""
    assert digest_of([one]) != digest_of([other])


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, {1: 2}, {None: 1}, "\ud800", "\ud83d\ude00", {"\udc80": 1}, b"x"]
)
def test_what_json_would_bend_is_refused(value) -> None:
    """Whatever JSON would write as something else is an error."""
    with pytest.raises(InvalidInput, match="canonical"):
        canonical([value])


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', '{"a":1.0e0}', '{"a":1e999}', "NaN", '"é"',
        '"\\u00E9"', '["\\/"]', "[1,]", "", " 1", "1\n", "[" * 100_000, '{"a":' + "9" * 5000 + "}",
    ],
)  # fmt: skip
def test_any_other_text_is_refused(text: str) -> None:
    """Another text of the same value, and what is no JSON at all, are errors."""
    with pytest.raises(InvalidInput, match="canonical"):
        parse(text.encode())


@given(VALUES, st.data())
def test_text_with_one_byte_changed(value, data) -> None:
    """A text with one byte changed is refused, or is the text of another value."""
    text = bytearray(canonical(value).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))
    try:
        other = parse(bytes(text))
    except InvalidInput:
        return
    assert digest_of(other) != digest_of(value)
    assert json.dumps(other, sort_keys=True) != json.dumps(value, sort_keys=True)
