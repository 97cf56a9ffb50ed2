"""How a record's field says its unit and meaning, once, for tables, panels and schemas."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["cast", "column", "damaged_field", "kinds", "meanings", "read", "reader", "units"]

T = TypeVar("T")

UNIX = "s (Unix, UTC)"
MJD = "d (MJD, UTC)"


def column(unit: str | None, meaning: str) -> Any:
    """Declare an optional field with its unit (None: no unit applies) and meaning."""
    return dataclasses.field(default=None, metadata={"unit": unit, "meaning": meaning})


def required(unit: str | None, meaning: str) -> Any:
    """Declare a field that every row has."""
    return dataclasses.field(metadata={"unit": unit, "meaning": meaning})


def damaged_field() -> Any:
    """Declare the field that names the columns whose stored value is of the wrong kind."""
    return dataclasses.field(
        default=(),
        metadata={"unit": None, "meaning": "columns whose stored value has the wrong kind"},
    )


def units(record: type) -> dict[str, str]:
    """Unit of each field that has one, by name."""
    return {f.name: f.metadata["unit"] for f in _told(record) if f.metadata["unit"]}


def meanings(record: type) -> dict[str, str]:
    """One-line meaning of each field, by name."""
    return {f.name: f.metadata["meaning"] for f in _told(record)}


@functools.cache
def kinds(record: type) -> dict[str, type]:
    """Python type of each stored field (float, int or str), by name."""
    hints = get_type_hints(record)
    found: dict[str, type] = {}
    for field in _told(record):
        hint = hints[field.name]
        if get_origin(hint) in (Union, types.UnionType):
            hint = next(arg for arg in get_args(hint) if arg is not type(None))
        if hint in (float, int, str):
            found[field.name] = hint
    return found


def read(record: type[T], row: dict[str, object]) -> T:
    """Make a record of a database row, casting each value to its declared kind.

    A value of another kind (text in a REAL column, a blob) becomes None and its column is
    named in ``damaged``: never a wrong number. Infinities and NaN stay as they are.
    """
    values: dict[str, Any] = {}
    damaged: list[str] = []
    for name, kind in kinds(record).items():  # type: ignore[arg-type]  # a class is hashable
        value = row.get(name)
        values[name] = cast(value, kind)
        if values[name] is None and value is not None:
            damaged.append(name)
    return record(**values, damaged=tuple(damaged))  # type: ignore[call-arg]


def reader(record: type[T], names: Sequence[str]) -> Callable[[Sequence[object]], T]:
    """Make what reads a row of some of the record's columns as `read` does, for many rows.

    Rows look alike: where every value is of its declared kind already, as it nearly always
    is, there is nothing to cast, and that is found once for each combination of types.
    """
    told = kinds(record)  # type: ignore[arg-type]  # a class is hashable
    fields = {field.name: field for field in dataclasses.fields(record)}  # type: ignore[arg-type]
    puts = [_setter(record, name) for name in names]
    rest = [
        (_setter(record, name), None if name in told else field.default)
        for name, field in fields.items()
        if name not in names
    ]
    shapes: dict[tuple[type, ...], bool] = {}

    def make(row: Sequence[object]) -> T:
        shape = tuple(map(type, row))
        plain = shapes.get(shape)
        if plain is None:
            plain = shapes[shape] = all(
                kind in (told.get(name), types.NoneType)
                for name, kind in zip(names, shape, strict=True)
            )
        if not plain:
            return read(record, dict(zip(names, row, strict=True)))
        # what a frozen record's __init__ does, in a third of its time
        made = object.__new__(record)
        for put, value in zip(puts, row, strict=True):
            put(made, value)
        for put, value in rest:
            put(made, value)
        return made

    return make


def _setter(record: type, name: str) -> Callable[[Any, Any], None]:
    put: Callable[[Any, Any], None] = getattr(record, name).__set__  # of a slot
    return put


def cast(value: object, kind: type) -> Any:
    """Value of one declared kind (float, int, str), or None where it is of another."""
    if value is None:
        return None
    if kind is str:
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return str(value)
    if isinstance(value, (int, float)):
        if kind is float:
            return float(value)
        if float(value).is_integer() and -(2.0**63) <= value < 2.0**63:
            return int(value)
    return None


def _told(record: type) -> list[dataclasses.Field[Any]]:
    return [f for f in dataclasses.fields(record) if "meaning" in f.metadata]
