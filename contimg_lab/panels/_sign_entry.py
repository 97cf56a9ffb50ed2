"""What stands in the ledger about a night, in words that can be copied and printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contimg_lab.panels._sign_items import place
from contimg_lab.panels._sign_words import SIGNS, Line, moment
from contimg_lab.panels._words import MISSING, escape, facts

if TYPE_CHECKING:
    from pathlib import Path

    from contimg_lab.ledger.chain import Entry
    from contimg_lab.services.night_report import NightReport

__all__ = ["entered_line", "entry_html", "entry_words", "judged_html"]


def entered_line(entry: Entry) -> Line:
    """Say that an entry was made, and whether a key signed it."""
    body = entry.body
    how = "signed with a key" if entry.signature else "not signed with a key"
    listed = "listed" if body["listed"] else "not listed"
    words = f"Night {body['night']} is entry {entry.number} of the ledger: {body['decision']}"
    return "✓", "ok", f"{words}, by {body['reviewer']} ({listed}), {how}."


def entry_words(entry: Entry, path: Path) -> dict[str, object]:
    """Return what an entry says, name by name, ready to be copied and printed."""
    body = entry.body
    hours = "; ".join(
        f"{hour} h {one['decision']}" + (f" as {one['promotion']}" if one["promotion"] else "")
        for hour, one in sorted(body["hours"].items())
    )
    key = body["public_key"]
    told: dict[str, object] = {
        "Entry": f"{entry.number} ({body['kind']}"
        + (f" of entry {body['corrects']})" if body["corrects"] else ")"),
        "Head hash": entry.hash,
        "Night": f"{body['night']} (UTC)",
        "Decision": body["decision"],
        "Hours": hours or MISSING,
        "Reviewer": f"{body['reviewer']} ({'listed' if body['listed'] else 'not listed'})",
        "Signed at": moment(body["signed_at"]),
        "Signature": f"Ed25519, key {key}" if entry.signature else "none: not signed with a key",
        "Reason": body["reason"],
    }
    for one in body["exceptions"]:
        hour = None if one["hour"] is None else int(one["hour"])
        named = f" ({one['key']})" if one["key"] is not None else ""
        told[f"Exception: {one['check']} {place(hour)}{named}"] = one["reason"]
    if body["notes"]:
        told["Notes"] = body["notes"]
    told["Thresholds"] = f"{body['thresholds']['name']}, {body['thresholds']['digest']}"
    told["Evidence"] = body["evidence"]["digest"]
    told["Ledger"] = path
    return told


def judged_html(report: NightReport) -> str:
    """Return the hours as a plain table: what was said of each, and what is recommended."""
    rows = "".join(
        f"<tr><td>{one.hour:02d}</td><td>{SIGNS[one.verdict][0]} {escape(one.verdict)}</td>"
        f"<td>{escape(one.recommendation.decision)}</td>"
        f"<td>{escape(one.recommendation.rule)}</td></tr>"
        for one in report.judged
    )
    head = "<th>hour (UTC)</th><th>verdict</th><th>recommended</th><th>rule</th>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def entry_html(entry: Entry | None, path: Path | None, head: str = "") -> str:
    """Return an entry as a table of names and values below a heading."""
    if entry is None or path is None:
        return head
    note = (
        "Entry number and head hash, kept elsewhere (a printed report), prove later that nothing "
        "was cut off the ledger."
    )
    return (
        f"{head}<div class='contimg-entry'>{facts(entry_words(entry, path))}"
        f"<div class='contimg-quiet'>{note}</div></div>"
    )
