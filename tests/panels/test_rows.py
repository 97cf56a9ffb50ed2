"""Rows are ordered and filtered as pandas does it, all of them, and written a page at a time."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.panels._rows import Column, Rows, Written, numbers

FLOATS = st.one_of(st.none(), st.floats(width=32), st.integers(-3, 3))
TEXTS = st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["b", "a", "-", "B", "1e3", "9"]))
TIMES = st.one_of(
    st.none(),
    st.integers(0, 4 * 10**15).map(lambda us: datetime.fromtimestamp(us / 1e6, UTC)),
)


def made(column: Column) -> Rows:
    return Rows([column], [str(i) for i in range(len(column.texts))])


def shown(rows: Rows) -> list[int]:
    return [int(row["key"]) for row in rows.page(0, len(rows))]


def by_pandas(values: Any, *, down: bool) -> list[int]:
    series = pd.Series(values, dtype=object if len(values) == 0 else None)
    order = series.sort_values(ascending=not down, kind="stable", na_position="last")
    return order.index.tolist()


@given(st.lists(FLOATS), st.booleans())
def test_numbers_sort_by_value(values: list[Any], down: bool) -> None:
    """Numbers must be ordered as pandas orders them, ties as they came, missing ones last."""
    floats = [math.nan if value is None else float(value) for value in values]
    wanted = by_pandas(np.array(floats, dtype=float), down=down)
    assert shown(made(numbers("x", values, str)).order("x", down=down)) == wanted
    assert shown(made(numbers("x", np.array(floats), str)).order("x", down=down)) == wanted


@given(st.lists(st.integers(2**60, 2**60 + 5)), st.booleans())
def test_large_integers_stay_apart(values: list[int], down: bool) -> None:
    """Integers that a double cannot tell apart must still be ordered by value."""
    wanted = by_pandas(values, down=down)
    assert shown(made(numbers("id", values)).order("id", down=down)) == wanted
    array = np.array(values, dtype=np.int64)
    assert shown(made(numbers("id", array)).order("id", down=down)) == wanted


@given(st.lists(TEXTS), st.booleans())
def test_texts_sort_by_code_points(values: list[str | None], down: bool) -> None:
    """Texts must be ordered as Python orders them; "-" is a missing one, and last."""
    rows = made(Column(title="x", texts=Written(values)))
    told = [None if value == "-" else value for value in values]
    known = [i for i, v in enumerate(told) if v is not None]
    present = sorted(known, key=told.__getitem__, reverse=down)
    missing = [i for i, v in enumerate(told) if v is None]
    assert shown(rows.order("x", down=down)) == present + missing


@given(st.lists(TIMES), st.booleans())
def test_times_sort_as_times(values: list[datetime | None], down: bool) -> None:
    """Times must be ordered as times, given as datetimes or as an array of them."""
    stamps = pd.to_datetime(pd.Series(values, dtype=object), utc=True).astype("datetime64[us, UTC]")
    wanted = by_pandas(stamps, down=down)
    column = Column(title="t", texts=Written(values, str), sort_by=values, kind="time")
    assert shown(made(column).order("t", down=down)) == wanted
    array = stamps.dt.tz_localize(None).to_numpy()
    column = Column(title="t", texts=Written(array, str), sort_by=array, kind="time")
    assert shown(made(column).order("t", down=down)) == wanted


@given(
    st.lists(st.tuples(st.text("abc.*ÄÖ", max_size=4), FLOATS)),
    st.text("abc.*ÄÖ", min_size=1, max_size=2),
)
def test_filter_finds_what_pandas_finds(cells: list[tuple[str, Any]], text: str) -> None:
    """A filter must keep the rows that hold the text as it is, and their order."""
    words, values = [word for word, _ in cells], [value for _, value in cells]
    columns = [Column(title="word", texts=words), numbers("x", values)]
    rows = Rows(columns, [str(i) for i in range(len(cells))])
    series = pd.Series(words, dtype=str)
    wanted = series.index[series.str.contains(text, case=False, regex=False)].tolist()
    assert shown(rows.filter(text, ["word"])) == wanted
    ordered = rows.order("x").filter(text, ["word"])
    assert shown(ordered) == [i for i in shown(rows.order("x")) if i in set(wanted)]
    assert shown(rows.filter(text, ["word"]).order("x")) == shown(ordered)


@given(st.lists(FLOATS, min_size=1), st.booleans(), st.data())
def test_a_key_is_found_where_it_stands(values: list[Any], down: bool, data: Any) -> None:
    """Whatever the order, a key's place must be the place where its row is written."""
    rows = made(numbers("x", values)).order("x", down=down)
    place = data.draw(st.integers(0, len(values) - 1))
    key = rows.page(place, place + 1)[0]["key"]
    assert rows.place(key) == place
    assert Rows(rows.columns, np.array(rows.keys), (), rows.index).place(key) == place
    assert rows.place("no such row") is None
    assert rows.place(None) is None


def test_only_the_page_is_written() -> None:
    """A page of a million rows must write its own values and no other."""
    written: list[int] = []

    def write(value: int) -> str:
        written.append(value)
        return str(value)

    values = np.arange(1_000_000)
    keys = np.char.mod("%d", values)
    rows = Rows([numbers("n", values, write)], keys).order("n", down=True)
    assert written == []
    page = rows.page(999_990, 2_000_000)
    assert [row["cells"] for row in page] == [[str(n)] for n in range(9, -1, -1)]
    assert sorted(written) == list(range(10))
    assert page[-1]["key"] == "0"
    assert rows.page(-5, 0) == []


def test_a_missing_value_has_a_reason() -> None:
    """Where a value is missing the cell is "-", and the row says why, for all or by row."""
    columns = [
        numbers("x", [1.0, math.nan], str, "it was not measured"),
        Column(title="y", texts=["-", "b"], missing=["the file is gone", ""]),
    ]
    first, second = Rows(columns, ["a", "b"], marked={"b"}).page(0, 2)
    assert first == {"key": "a", "cells": ["1.0", "-"], "why": {1: "the file is gone"}}
    assert second["why"] == {0: "it was not measured"}
    assert second["marked"] is True


def test_texts_that_are_no_utf8_do_no_harm() -> None:
    """Half of a surrogate pair, as a damaged name may hold, must sort and be found like others."""
    rows = made(Column(title="x", texts=["b\ud800", "a", "b"]))
    assert sorted(shown(rows.order("x"))) == [0, 1, 2]
    assert shown(rows.filter("B")) == [0, 2]
