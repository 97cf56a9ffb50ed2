"""How nights stand, in words: signs, days of the calendar, counts and the table."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby

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
    "standing",
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
    "with exceptions": ("✓!", "with exc.", "ok"),
    "rejected": ("✗", "rejected", "bad"),
    "hold": ("‖", "on hold", "warn"),
    NOT_KNOWN: ("?", "not known", "open"),
}
_RANKS = {state: at for at, state in enumerate(_SIGNS)}
_WIDE = 120
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
    need = "needs" if waiting == 1 else "need"
    made = [Chip(key=NEEDS, sign="▸", text=f"{waiting} {need} somebody", title=_TITLES[NEEDS])]
    for state in _SIGNS:
        if state == NOT_KNOWN:
            continue
        sign, _, tone = _SIGNS[state]
        word = _name_of(state)
        tone = {"stale": "bad", "open": ""}.get(tone, tone)
        made.append(Chip(key=state, sign=sign, text=f"{n[state]} {word}", state=tone,
                         title=_TITLES[state]))  # fmt: skip
    return made


def counts(states: Sequence[NightState]) -> str:
    """Count nights by state, and the signed ones that were not held against the rows yet."""
    n = Counter(state.state for state in states)
    order = [*STATES, NOT_KNOWN]
    parts = ", ".join(f"{n[state]} {_name_of(state)}" for state in order if n[state])
    signed = [state for state in states if state.number is not None]
    waiting = sum(state.checked_at is None for state in signed)
    unchecked = f"; {waiting} of {len(signed)} signed not checked yet" if waiting else ""
    return f"{len(states)} nights: {parts}{unchecked}" if states else "no night has data"


def _name_of(state: str) -> str:
    """Return the word for a state where there is room for it."""
    return state if state == "with exceptions" else _SIGNS[state][1]


def standing(state: NightState) -> str:
    """Say how a night stands, without what its entry says."""
    place = f"{state.night}{_weekday(state.night)}: {_SIGNS[state.state][0]}"
    if state.number is None:
        return f"{place} {_stands(state)}"
    if state.stale_since is not None:
        return f"{place} {_since(state)}"
    return f"{place} {_name_of(state.state)}; {_checked(state)}"


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
        return f"{_since(state)}. It was: {said}"
    return f"{said}; {_checked(state)}"


def _since(state: NightState) -> str:
    return f"stale since {utc(state.stale_since)} UTC, when it was noticed: {state.change}"


def _checked(state: NightState) -> str:
    if state.checked_at is None:
        return "its rows are not checked yet"
    later = "" if state.is_checked else ", and not since the last commit"
    return f"its rows are as signed, checked at {utc(state.checked_at)} UTC{later}"


def months_of(states: Sequence[NightState], wanted: str = "") -> list[Month]:
    """Return the months of nights in order; a time without any between two is one gap.

    A night whose name is no date is not in a calendar; the table has it.
    """
    made: list[Month] = []
    before: int | None = None
    for _, group in groupby(states, lambda state: state.night[:7]):
        days = tuple(day for state in group if (day := _day(state, wanted)) is not None)
        if not days:
            continue
        year, month = map(int, days[0].key.split("-")[:2])
        at = year * 12 + month - 1
        if before is not None and at > before + 1:
            made.append(_gap(before + 1, at - 1))
        before = at
        lead, length = calendar.monthrange(year, month)
        made.append(Month(key=_key(at), name=_name(at), lead=lead, length=length, days=days))
    return made


def _gap(first: int, last: int) -> Month:
    told = _name(first) if first == last else f"{_name(first)} to {_name(last)}"
    return Month(key=f"{_key(first)} gap", name=f"no data: {told}")


@lru_cache(maxsize=16_384)  # of ten years; one of them changes at a time
def _day(state: NightState, wanted: str) -> Day | None:
    day = _date(state.night)
    if day is None:
        return None
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
    """Return the columns of the table of nights; texts are written as they are asked for."""
    unsigned = "nobody has signed it"

    def texts(title: str, write: Callable[[NightState], str | None], missing: str) -> Column:
        written = Written(states, lambda state: clip(write(state), _WIDE))
        return Column(title=title, texts=written, missing=missing)

    ranks = [_RANKS[state.state] for state in states]
    since = [state.stale_since for state in states]
    since_s = [0.0 if when is None else when.timestamp() for when in since]
    steady = "it is not stale"
    return [
        texts("night (UTC)", lambda state: state.night, ""),
        Column(title="state", texts=Written(states, _badge), sort_by=ranks, kind="text"),
        Column(title="stale since (UTC)", texts=Written(since, utc), sort_by=since_s, kind="time",
               missing=steady),
        texts("reviewer", _who, unsigned),
        texts("signed (UTC)", lambda state: signed_words(state.signed_at), unsigned),
        numbers("entry", [state.number for state in states], str, unsigned),
        texts("decision", lambda state: state.decision, unsigned),
        texts("first change", lambda state: state.change, steady),
        texts("rows checked (UTC)", _checked_short, unsigned),
    ]  # fmt: skip


def _badge(state: NightState) -> str:
    return f"{_SIGNS[state.state][0]} {_name_of(state.state)}"


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
