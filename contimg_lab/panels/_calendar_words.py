"""How nights stand, in words: signs, days of the calendar, counts and the table."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from contimg_lab.panels._board import Chip
from contimg_lab.panels._entry_words import signed_words
from contimg_lab.panels._months import Day, Month
from contimg_lab.panels._table import Column, Written, numbers
from contimg_lab.panels._words import clip, utc
from contimg_lab.records.sign_offs import STATES, NightState

__all__ = [
    "NEEDS",
    "NOT_KNOWN",
    "WAITING",
    "chips",
    "columns",
    "counts",
    "is_let_through",
    "months_of",
    "sentence",
]

NEEDS = "needs somebody"
NOT_KNOWN = "not known"
"""State of a night where the ledger cannot be read."""

WAITING = ("unsigned", "stale")
"""States of nights that need somebody."""

_SIGNS: Mapping[str, tuple[str, str, str]] = {
    "unsigned": ("○", "unsigned", "open"),
    "stale": ("≠", "stale", "stale"),
    "accepted": ("✓", "accepted", "ok"),
    "with exceptions": ("✓!", "exceptions", "ok"),
    "rejected": ("✗", "rejected", "bad"),
    "hold": ("‖", "on hold", "warn"),
    NOT_KNOWN: ("?", "not known", "open"),
}
_TITLES = {
    "unsigned": "nobody has signed them",
    "stale": "signed, and rows that the signature stands on are no longer as they were",
    "accepted": "accepted without exceptions",
    "with exceptions": "accepted, with written exceptions",
    "rejected": "rejected",
    "hold": "somebody decided to wait",
    NEEDS: "unsigned or stale",
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def is_let_through(state: NightState, wanted: str) -> bool:
    """Whether a filter (a state, `NEEDS`, or empty for all) lets a night through."""
    return not wanted or state.state == wanted or (wanted == NEEDS and state.state in WAITING)


def chips(states: Sequence[NightState]) -> list[Chip]:
    """Return a count of each state, those that need somebody together first."""
    n = Counter(state.state for state in states)
    waiting = sum(n[state] for state in WAITING)
    made = [Chip(key=NEEDS, sign="▸", text=f"{waiting} need somebody", title=_TITLES[NEEDS])]
    for state in _SIGNS:
        if state == NOT_KNOWN:
            continue
        sign, word, tone = _SIGNS[state]
        word = "with exceptions" if state == "with exceptions" else word
        tone = {"stale": "bad", "open": ""}.get(tone, tone)
        made.append(Chip(key=state, sign=sign, text=f"{n[state]} {word}", state=tone,
                         title=_TITLES[state]))  # fmt: skip
    return made


def counts(states: Sequence[NightState]) -> str:
    """Count nights by state, and the signed ones that were not held against the rows yet."""
    n = Counter(state.state for state in states)
    order = [*STATES, NOT_KNOWN]
    parts = ", ".join(f"{n[state]} {_SIGNS[state][1]}" for state in order if n[state])
    signed = [state for state in states if state.number is not None]
    waiting = sum(state.checked_at is None for state in signed)
    unchecked = f"; {waiting} of {len(signed)} signed not checked yet" if waiting else ""
    return f"{len(states)} nights: {parts}{unchecked}" if states else "no night has data"


def sentence(state: NightState) -> str:
    """Say how a night stands, with its date."""
    return f"{state.night}{_weekday(state.night)}: {_SIGNS[state.state][0]} {_stands(state)}."


def _stands(state: NightState) -> str:
    if state.state == NOT_KNOWN:
        return "not known, since the ledger cannot be read"
    if state.number is None:
        return "unsigned; nobody has decided on it"
    who = f"{state.reviewer}{'' if state.is_listed else ' (not listed)'}"
    how = "" if state.is_signed else ", not signed with a key"
    when = f"{signed_words(state.signed_at)} UTC"
    said = f"{state.decision}, by {who}{how}, {when}, entry {state.number}"
    if state.stale_since is not None:
        since = f"stale since {utc(state.stale_since)} UTC, when it was noticed"
        return f"{since}: {state.change}. It was: {said}"
    return f"{said}; {_checked(state)}"


def _checked(state: NightState) -> str:
    if state.checked_at is None:
        return "its rows are not checked yet"
    later = "" if state.is_checked else ", and not since the last commit"
    return f"its rows are as signed, checked at {utc(state.checked_at)} UTC{later}"


def months_of(states: Sequence[NightState], wanted: str = "") -> list[Month]:
    """Return the months of nights in order; a time without any between two is one gap.

    A night whose name is no date is not in a calendar; the table has it.
    """
    dated = [(day, state) for state in states if (day := _date(state.night)) is not None]
    made: list[Month] = []
    before: int | None = None
    for (year, month), group in groupby(dated, lambda pair: (pair[0].year, pair[0].month)):
        at = year * 12 + month - 1
        if before is not None and at > before + 1:
            made.append(_gap(before + 1, at - 1))
        before = at
        lead, length = calendar.monthrange(year, month)
        days = tuple(_day(day, state, wanted) for day, state in group)
        made.append(Month(key=_key(at), name=_name(at), lead=lead, length=length, days=days))
    return made


def _gap(first: int, last: int) -> Month:
    told = _name(first) if first == last else f"{_name(first)} to {_name(last)}"
    return Month(key=f"{_key(first)} gap", name=f"no data: {told}")


def _day(day: date, state: NightState, wanted: str) -> Day:
    sign, word, tone = _SIGNS[state.state]
    unchecked = state.number is not None and state.checked_at is None
    return Day(
        key=state.night,
        day=day.day,
        sign=f"{sign}?" if unchecked else sign,
        word=word,
        state=tone,
        told=sentence(state),
        off=not is_let_through(state, wanted),
    )


def columns(states: Sequence[NightState]) -> list[Column]:
    """Return the columns of the table of nights."""
    unsigned = "nobody has signed it"

    def texts(title: str, values: Sequence[Any], width: int = 40) -> Column:
        return Column(title=title, texts=Written(values, lambda text: clip(text, width)),
                      missing=unsigned)  # fmt: skip

    words = [" ".join(_SIGNS[state.state][:2]) for state in states]
    since = [state.stale_since for state in states]
    return [
        Column(title="night (UTC)", texts=[state.night for state in states]),
        Column(title="state", texts=words, sort_by=[_rank(s) for s in states], kind="text"),
        Column(
            title="stale since (UTC)",
            texts=Written(since, utc),
            sort_by=[0.0 if when is None else when.timestamp() for when in since],
            kind="time",
            missing="it is not stale",
        ),
        texts("rows checked (UTC)", [_checked_short(state) for state in states]),
        texts("decision", [state.decision for state in states]),
        texts("reviewer", [_who(state) for state in states], 30),
        texts("signed (UTC)", [signed_words(s.signed_at) if s.signed_at else None for s in states]),
        numbers("entry", [state.number for state in states], str, unsigned),
        Column(title="first change", texts=Written([state.change for state in states]),
               missing="it is not stale"),
    ]  # fmt: skip


def _rank(state: NightState) -> int:
    return list(_SIGNS).index(state.state)


def _who(state: NightState) -> str | None:
    if state.reviewer is None:
        return None
    marks = [] if state.is_listed else ["not listed"]
    marks += [] if state.is_signed else ["no key"]
    return f"{state.reviewer}{' (' + ', '.join(marks) + ')' if marks else ''}"


def _checked_short(state: NightState) -> str | None:
    if state.number is None:
        return None
    if state.checked_at is None:
        return "not yet"
    return f"{utc(state.checked_at)}{'' if state.is_checked else ', commits since'}"


def _date(night: str) -> date | None:
    try:
        return date.fromisoformat(night)
    except ValueError:
        return None


def _weekday(night: str) -> str:
    day = _date(night)
    return "" if day is None else f" ({_WEEKDAYS[day.weekday()]})"


def _key(at: int) -> str:
    return f"{at // 12:04d}-{at % 12 + 1:02d}"


def _name(at: int) -> str:
    return f"{_MONTHS[at % 12]} {at // 12}"
