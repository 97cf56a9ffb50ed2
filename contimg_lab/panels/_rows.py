"""Rows of a table, a million of them: ordered and filtered whole, written a page at a time.

A column holds values that are written when they are read; an order is an array of row numbers.
Everything here may run in a thread: what takes long lets the event loop go on meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from contimg_lab.panels._words import MISSING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Column", "Rows", "Values", "Written", "numbers"]

Values = Sequence[Any] | np.ndarray[Any, Any]
Places = np.ndarray[Any, np.dtype[np.int64]]

_PART = 50_000  # values turned at once: turning them holds the interpreter
_SAMPLES = 200
_LONGEST = 5  # of as many letters, one text is wider than another
_EXACT = 2.0**53
_NOT_RECORDED = "not recorded"


class Written(Sequence[str]):
    """Texts of values, each written when it is asked for; `MISSING` for None and NaN.

    Parameters
    ----------
    values
        What is written; an array may be a view of a file.
    write
        Turns one value into its text.
    """

    def __init__(self, values: Values, write: Callable[[Any], str] = str) -> None:
        self._values, self._write = values, write

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return Written(self._values[at], self._write)
        value = self._values[at]
        return MISSING if _is_missing(value) else self._write(value)

    def __iter__(self) -> Iterator[str]:
        write = self._write
        return (MISSING if _is_missing(value) else write(value) for value in self._values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One column as it is read.

    Attributes
    ----------
    title
        Name, with the unit.
    texts
        What is read, row by row; `Written` where they are many.
    sort_by
        What to sort by where the order of texts is wrong: numbers, times or other texts.
    kind
        ``number``, ``time``, ``text`` or ``flag``; empty: a number where ``sort_by`` is given.
    missing
        Why a value may be missing, for all rows or row by row.
    name
        What the column is called whatever its unit; the title where empty.
    """

    title: str
    texts: Sequence[str]
    sort_by: Values | None = None
    kind: str = ""
    missing: str | Sequence[str] = _NOT_RECORDED
    name: str = ""

    @property
    def right(self) -> bool:
        """Numbers stand to the right."""
        return self.kind == "number" or (not self.kind and self.sort_by is not None)


def numbers(
    title: str,
    values: Values,
    write: Callable[[Any], str] = str,
    missing: str | Sequence[str] = _NOT_RECORDED,
) -> Column:
    """Return a column of numbers that is sorted by value."""
    texts = Written(values, write)
    return Column(title=title, texts=texts, sort_by=values, kind="number", missing=missing)


class Rows:
    """Rows by key, in an order.

    Parameters
    ----------
    columns
        What there is to read, each as long as ``keys``.
    keys
        What a row is known by: a run id, a path, a source id.
    marked
        Keys of rows that stand out, as new ones do.
    index
        Row numbers in the order shown; None: as they came.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        keys: Sequence[str] | np.ndarray[Any, Any],
        marked: Collection[str] = (),
        index: Places | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self.keys = keys
        self.marked = marked
        self.index = index

    def __len__(self) -> int:
        return len(self.keys) if self.index is None else len(self.index)

    def page(self, start: int, stop: int) -> list[dict[str, Any]]:
        """Write rows by their place: their keys, cells, and why a cell is missing."""
        stop = min(stop, len(self))
        start = min(max(start, 0), stop)
        at = range(start, stop) if self.index is None else self.index[start:stop].tolist()
        return [self._row(number) for number in at]

    def place(self, key: str | None) -> int | None:
        """Where the row of a key stands; None where it is not among the rows."""
        if key is None:
            return None
        if isinstance(self.keys, np.ndarray):
            found = np.flatnonzero(self.keys == key)
            number = int(found[0]) if len(found) else -1
        else:
            number = self.keys.index(key) if key in self.keys else -1
        if number < 0 or self.index is None:
            return number if number >= 0 else None
        places = np.flatnonzero(self.index == number)
        return int(places[0]) if len(places) else None

    def order(self, title: str, *, down: bool = False) -> Rows:
        """Sort by a column over all rows: stable, what is missing last, numbers by value."""
        column = next(column for column in self.columns if column.title == title)
        by = column.texts if column.sort_by is None else column.sort_by
        index = self._numbers
        if self.index is not None:
            by = by[index] if isinstance(by, np.ndarray) else [by[i] for i in index.tolist()]
        return Rows(self.columns, self.keys, self.marked, index[_order(by, down=down)])

    def filter(self, text: str, titles: Collection[str] = ()) -> Rows:
        """Keep the rows that hold a text in one of the columns, whatever its case.

        Parameters
        ----------
        text
            What to look for, as it is.
        titles
            Columns to look into; none: all of them.
        """
        import pyarrow.compute as pc

        held = np.zeros(len(self.keys), dtype=bool)
        for column in self.columns:
            if not titles or column.title in titles:
                found = pc.match_substring(_arrow(column.texts), text, ignore_case=True)
                held |= found.fill_null(False).to_numpy(zero_copy_only=False)
        return Rows(self.columns, self.keys, self.marked, self._numbers[held[self._numbers]])

    @cached_property
    def longest(self) -> tuple[list[str], ...]:
        """For each column the longest of some texts, from which its width is chosen."""
        count = len(self.keys)
        at = range(0, count, max(1, count // _SAMPLES))
        return tuple(
            nlargest(_LONGEST, {str(column.texts[i]) for i in at}, key=len)
            for column in self.columns
        )

    @property
    def _numbers(self) -> Places:
        return np.arange(len(self.keys)) if self.index is None else self.index

    def _row(self, number: int) -> dict[str, Any]:
        key, cells = str(self.keys[number]), [column.texts[number] for column in self.columns]
        row: dict[str, Any] = {"key": key, "cells": cells}
        if key in self.marked:
            row["marked"] = True
        why = {
            at: column.missing if isinstance(column.missing, str) else column.missing[number]
            for at, column in enumerate(self.columns)
            if cells[at] == MISSING
        }
        return row | {"why": why} if why else row


def _order(values: Values, *, down: bool) -> Places:
    """Return places in order: stable both ways, what is missing last."""
    array = values if isinstance(values, np.ndarray) and values.dtype.kind in "biufmMU" else None
    if array is None:
        first = next((value for value in values if not _is_missing(value)), None)
        if isinstance(first, str):
            return _order_texts(_arrow(values), down=down)
        array = _floats(values)
    if array is None:  # of one kind that Python alone can compare
        present = [i for i, value in enumerate(values) if not _is_missing(value)]
        missing = [i for i, value in enumerate(values) if _is_missing(value)]
        return np.array(
            [*sorted(present, key=values.__getitem__, reverse=down), *missing], np.int64
        )
    kind = array.dtype.kind
    if kind == "f":
        absent = np.isnan(array)
    elif kind in "mM":
        absent = np.isnat(array)
    else:
        absent = array == MISSING if kind == "U" else np.zeros(len(array), dtype=bool)
    known = np.flatnonzero(~absent)
    order = _order_known(array[known], down=down)
    return np.concatenate([known[order], np.flatnonzero(absent)])


def _order_known(array: np.ndarray[Any, Any], *, down: bool) -> Places:
    """Sort as numpy sorts fastest, then put equal values back as they came: 4 times as fast."""
    order = np.argsort(array)
    ordered = array[order]
    rises = ordered[1:] != ordered[:-1]
    if rises.all():
        return order[::-1] if down else order
    rank = np.concatenate([[0], np.cumsum(rises)])
    places = (rank[-1] - rank if down else rank) * len(array) + order
    places.sort()
    return places % len(array)


def _order_texts(texts: pa.Array, *, down: bool) -> Places:
    import pyarrow as pa
    import pyarrow.compute as pc

    absent = pc.fill_null(pc.equal(texts, MISSING), True).to_numpy(zero_copy_only=False)
    known = np.flatnonzero(~absent)
    way = "descending" if down else "ascending"
    order = pc.array_sort_indices(texts.take(pa.array(known)), order=way).to_numpy()
    return np.concatenate([known[order], np.flatnonzero(absent)])


def _floats(values: Values) -> np.ndarray[Any, Any] | None:
    """Return numbers as doubles; None for what is none, or would not stay what it is."""
    parts = [np.empty(0)]
    try:
        for i in range(0, len(values), _PART):
            part = [math.nan if _is_missing(value) else value for value in values[i : i + _PART]]
            parts.append(np.asarray(part, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        return None
    array = np.concatenate(parts)
    exact = np.abs(array[np.isfinite(array)]) < _EXACT
    return array if exact.all() else None


def _arrow(texts: Values) -> pa.Array:
    import pyarrow as pa

    parts = [pa.array([], type=pa.string())]
    for i in range(0, len(texts), _PART):
        part = list(texts[i : i + _PART])
        try:
            parts.append(pa.array(part, type=pa.string()))
        except (pa.ArrowException, UnicodeError):
            parts.append(pa.array([_sound(text) for text in part], type=pa.string()))
    return pa.concat_arrays(parts)


def _sound(text: Any) -> str | None:
    """Return a text that can be UTF-8: half of a surrogate pair cannot."""
    if _is_missing(text):
        return None
    word = str(text)
    return word if word.isascii() else word.encode("utf-8", "replace").decode("utf-8")


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return not bool(value == value)  # NaN and NaT are unlike themselves
    except TypeError:  # and pandas' NA does not say
        return True
