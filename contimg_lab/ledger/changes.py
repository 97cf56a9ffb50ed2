"""What differs between the rows that were signed and those that are there now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contimg_lab.ledger.evidence import Evidence, EvidenceTable, Key
from contimg_lab.ledger.tokens import value_of

__all__ = ["Change", "data_changes", "diff", "places"]

_ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one row that changed, or one row that appeared or vanished.

    Attributes
    ----------
    kind
        What happened; ``moved``: the row counts to another hour than before.
    hour
        UTC hour that the row counted to when it was signed (an appeared row: counts to now),
        or None.
    field
        What changed; None where the whole row appeared, vanished or moved.
    old, new
        Tokens of the field, or the two hours of a row that moved; else None.
    """

    kind: Literal["changed", "appeared", "vanished", "moved"]
    table: str
    hour: str | None
    key: Key
    field: str | None = None
    old: str | None = None
    new: str | None = None

    def __str__(self) -> str:
        hour = f" (hour {self.hour})" if self.hour else ""
        row = f"{self.table} {self.key!r}{hour}"
        if self.kind == "moved":
            return f"{row}: counts to hour {self.new} now"
        if self.field is None or self.old is None or self.new is None:
            return f"{row}: {self.kind}"
        return f"{row}: {self.field} was {_told(self.old)}, is {_told(self.new)}"


def diff(old: Evidence, new: Evidence) -> tuple[Change, ...]:
    """Name every row and field that differs, by table and key.

    A field that only one of them has counts as absent in the other. Equal digests mean no
    changes; no changes, and digests that differ, mean that other columns or tables were asked
    for, which hold no value and no row.
    """
    found: list[Change] = []
    for name in sorted({*old.tables, *new.tables}):
        before = old.tables.get(name) or EvidenceTable(name, (), {})
        after = new.tables.get(name) or EvidenceTable(name, (), {})
        keys = {*before.kept, *after.kept}
        for key in sorted(keys, key=lambda key: (isinstance(key, str), key)):
            found += _row_changes(before, after, key)
    return tuple(found)


def data_changes(old: Evidence, new: Evidence | None) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """Tell changes of the data from what another version of the code asks for.

    Parameters
    ----------
    old, new
        Rows then and now; None: none of them is there any more.

    Returns
    -------
    changes
        As `diff`, of the tables and fields that both were asked for.
    others
        Names of tables, and of fields as ``table.field``, that only one of them was asked for.
    """
    if new is None:
        return diff(old, Evidence()), ()
    others = {*old.tables} ^ {*new.tables}
    for name in {*old.tables} & {*new.tables}:
        fields = {*old.tables[name].fields} ^ {*new.tables[name].fields}
        others |= {f"{name}.{field}" for field in fields}
    found = tuple(
        change
        for change in diff(old, new)
        if change.table not in others and f"{change.table}.{change.field}" not in others
    )
    return found, tuple(sorted(others))


def places(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Name the (table, hour) whose digests differ between two summaries of evidence.

    Needs no rows: this is what an exported entry alone can tell.
    """
    hours_of = [
        {name: told["hours"] for name, told in summary["tables"].items()} for summary in (old, new)
    ]
    return tuple(
        (name, hour)
        for name in sorted({*hours_of[0], *hours_of[1]})
        for before, after in [[hours.get(name, {}) for hours in hours_of]]
        for hour in sorted({*before, *after})
        if before.get(hour) != after.get(hour)
    )


def _row_changes(before: EvidenceTable, after: EvidenceTable, key: Key) -> Iterator[Change]:
    name = before.name
    if key not in after.kept:
        yield Change("vanished", name, before.kept[key][0], key)
        return
    if key not in before.kept:
        yield Change("appeared", name, after.kept[key][0], key)
        return
    if before.kept[key] == after.kept[key] and before.fields == after.fields:
        return
    old, new = before.row(key), after.row(key)
    if old.hour != new.hour:
        yield Change("moved", name, old.hour, key, None, str(old.hour), str(new.hour))
    for field in sorted({*old.tokens, *new.tokens}):
        was, now = old.tokens.get(field, _ABSENT), new.tokens.get(field, _ABSENT)
        if was != now:
            yield Change("changed", name, old.hour, key, field, was, now)


def _told(token: str) -> str:
    return "NULL" if token == "null" else repr(value_of(token))
