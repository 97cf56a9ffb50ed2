"""What an entry of the ledger says of a night, and the entries before it, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contimg_lab.ledger.chain import Entry, Head
from contimg_lab.panels._words import clip, facts
from contimg_lab.records.sign_offs import SignOff

__all__ = ["Told", "entry_html", "signed_words"]

_LONG = 400
_LISTED = 12


@dataclass(frozen=True, slots=True)
class Told:
    """What a night's detail is made of: its entry (None: unsigned), those before, the head."""

    entry: Entry | None
    earlier: Sequence[SignOff] = ()
    head: Head | None = None


def entry_html(standing: str, told: Told) -> str:
    """Return everything that the last entry about a night says, and those before in short.

    Parameters
    ----------
    standing
        How the night stands, in words.
    told
        What was read of it.
    """
    entry = told.entry
    rows: dict[str, object] = {"Night": standing}
    if entry is None:
        return facts(rows)
    body = entry.body
    public_key = body["public_key"]
    rows |= {
        "Decision": body["decision"],
        "Reviewer": f"{body['reviewer']} ({'listed' if body['listed'] else '✗ not listed'})",
        "Signature": "✗ not signed with a key"
        if entry.signature is None
        else f"signed with the key {str(public_key)[:16]}…",
        "When": f"{signed_words(body['signed_at'])} UTC, by the clock of that computer",
        "Reason": clip(body["reason"], _LONG),
        **_listed("Exceptions", [_exception(one) for one in body["exceptions"]]),
        **_listed("Hours", _hours(body["hours"], body["decision"])),
        "Notes": clip(body["notes"], _LONG) if body["notes"] else None,
        "Entry": f"{entry.number}"
        + (f", corrects entry {body['corrects']}" if body["corrects"] is not None else ""),
        "Entry's hash": entry.hash,
        "Ledger's head": None if told.head is None else f"{told.head.number}:{told.head.hash}",
        "Thresholds": _thresholds(body["thresholds"]),
        "Recommended": _recommended(body["recommendation"]),
        "Versions": clip(", ".join(f"{k} {v}" for k, v in body["versions"].items()), _LONG),
        **_listed("Earlier", [_earlier(one) for one in reversed(told.earlier)]),
    }
    return facts({name: value for name, value in rows.items() if value is not None})


def _listed(name: str, told: Sequence[str]) -> dict[str, object]:
    """Return a row for each, the first under the name, and how many more there are."""
    shown = [*told[:_LISTED], *([f"{len(told) - _LISTED} more"] * (len(told) > _LISTED))]
    return {name if not i else f"{name} {i + 1}": text for i, text in enumerate(shown)}


def _exception(one: Mapping[str, Any]) -> str:
    hour = f", hour {one['hour']}" if one["hour"] is not None else ""
    key = f", {one['key']}" if one["key"] is not None else ""
    return clip(f"{one['check']}{hour}{key}: {one['reason']}", _LONG)


def _hours(hours: Mapping[str, Mapping[str, Any]], decision: str) -> list[str]:
    """Hours that say more than the night does."""
    return [
        f"{hour} h: {told['decision']}" + (f", {told['promotion']}" if told["promotion"] else "")
        for hour, told in sorted(hours.items())
        if told["decision"] != decision or told["promotion"]
    ]


def _thresholds(told: Mapping[str, Any]) -> str:
    return f"{told.get('name')}, digest {str(told.get('digest'))[:16]}…"


def _recommended(told: Mapping[str, Any]) -> str:
    return clip(f"{told.get('decision')}: {told.get('rule')}", _LONG)


def _earlier(one: SignOff) -> str:
    who = f"{one.reviewer}{'' if one.is_listed else ' (not listed)'}"
    how = "" if one.is_signed else ", no key"
    what = f"corrects entry {one.corrects}; " if one.corrects is not None else ""
    return clip(
        f"entry {one.number}: {one.decision}, {who}{how}, {signed_words(one.signed_at)} UTC; {what}"
        f"{one.reason}",
        _LONG,
    )


def signed_words(text: str | None) -> str:
    """Write the time of a signature, which is in UTC, to the second."""
    return "-" if text is None else text[:19].replace("T", " ")
