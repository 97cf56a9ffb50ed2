"""What differs between a sign-off and the data now, in words: rows, results, what moved."""

from __future__ import annotations

from collections.abc import Sequence

from contimg_lab.ledger.changes import Change
from contimg_lab.ledger.tokens import ABSENT, value_of
from contimg_lab.panels._table import Column, Written, numbers
from contimg_lab.panels._words import clip, escape, facts, short_ms
from contimg_lab.services._sign_off_check import SignOffCheck

__all__ = ["change_columns", "change_html", "findings_html", "headline", "value_words"]

_LISTED = 20
_WIDE = 60
_LONG = 1000


def value_words(token: str | None) -> str:
    """Write a value of a row as it was or is; text in quotes, so that it differs from a number.

    Examples
    --------
    >>> value_words("t:done"), value_words("i:5"), value_words("null"), value_words("absent")
    ("'done'", '5', 'NULL', 'no such column')
    """
    if token is None:
        return "-"
    if token == "null":
        return "NULL"
    value = value_of(token)
    return "no such column" if value is ABSENT else repr(value)


def _field(change: Change) -> str:
    if change.kind == "moved":
        return "hour that it counts to"
    return "whole row" if change.field is None else change.field


def _values(change: Change) -> tuple[str, str]:
    if change.kind == "moved":
        return str(change.old), str(change.new)
    if change.kind == "appeared":
        return "not there", "there: the row appeared"
    if change.kind == "vanished":
        return "there", "not there: the row vanished"
    return value_words(change.old), value_words(change.new)


def change_columns(changes: Sequence[Change]) -> list[Column]:
    """Return the columns of the table of changes: old value beside new."""
    return [
        Column(title="table", texts=[one.table for one in changes]),
        Column(title="row", texts=Written(changes, _key)),
        Column(title="field", texts=Written(changes, _field)),
        Column(title="was, when signed", texts=Written(changes, lambda c: _short(c, 0))),
        Column(title="is now", texts=Written(changes, lambda c: _short(c, 1))),
        numbers("hour (UTC)", [None if c.hour is None else int(c.hour) for c in changes],
                lambda hour: f"{hour:02d}", "the row counts to no hour"),
        Column(title="what", texts=[one.kind for one in changes]),
    ]  # fmt: skip


def _key(change: Change) -> str:
    return short_ms(change.key) if isinstance(change.key, str) else str(change.key)


def _short(change: Change, which: int) -> str:
    return clip(_values(change)[which], _WIDE)


def headline(check: SignOffCheck) -> str:
    """Say in one sentence what was found."""
    if check.changes:
        rows = len({(one.table, one.key) for one in check.changes})
        return (
            f"{_many(len(check.changes), 'change')} in {_many(rows, 'row')} since entry "
            f"{check.number} was signed"
        )
    if check.changes is not None:
        return f"no row changed since entry {check.number} was signed"
    return f"the rows could not be compared: {check.why_not}"


def findings_html(check: SignOffCheck) -> str:
    """Return what was found besides the rows: results, whether data or code moved, the chain."""
    bad = "contimg-bad" if check.word == "broken" else ""
    title = f"Night {check.night}: {headline(check)}"
    parts = [f"<h4 class='{bad}'>{escape(title)}</h4>"]
    if check.results:
        told = f"{_many(len(check.results), 'recorded result')} not given again: {check.moved}."
        parts.append(f"<div><b>{escape(told)}</b></div>")
        parts.append(_items([str(one) for one in check.results]))
    elif check.results is not None:
        parts.append("<div>The recorded thresholds give every recorded result again.</div>")
    if check.why_not and check.changes is not None:
        parts.append(f"<div>Could not tell: {escape(check.why_not)}</div>")
    if check.findings:
        parts.append("<div><b>Of the ledger:</b></div>")
        parts.append(_items([str(one) for one in check.findings]))
    else:
        parts.append("<div>Chain, signature and reviewer: as they were written.</div>")
    parts += [f"<div>Note: {escape(clip(note, _LONG))}</div>" for note in check.notes]
    head = f"{check.head[0]}:{check.head[1]}"
    parts.append(f"<div class='contimg-quiet'>Head of the ledger {escape(head)}</div><br>")
    return f"<div style='overflow-wrap:anywhere'>{''.join(parts)}</div>"


def change_html(change: Change) -> str:
    """Return one change with its key and values in full."""
    old, new = _values(change)
    return facts(
        {
            "Table": change.table,
            "Row": change.key,
            "Field": _field(change),
            "Was, when signed": clip(old, _LONG),
            "Is now": clip(new, _LONG),
        }
    )


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _items(told: Sequence[str]) -> str:
    shown = [*told[:_LISTED], *([f"{len(told) - _LISTED:,} more"] * (len(told) > _LISTED))]
    items = "".join(f"<li>{escape(clip(one, _LONG))}</li>" for one in shown)
    return f"<ul style='margin:0;padding-left:18px'>{items}</ul>"
