"""Verification of one sign-off: the ledger, the rows, and the recorded thresholds run again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import ConfigError, InvalidInput, NotFound
from contimg_lab.ledger.chain import Entry, read
from contimg_lab.ledger.changes import Change, data_changes
from contimg_lab.ledger.evidence import Evidence
from contimg_lab.ledger.store import Ledger
from contimg_lab.ledger.verify import Finding, Reviewers, check_evidence, check_lines
from contimg_lab.services._night_again import NightAgain, night_again
from contimg_lab.services._origin import versions
from contimg_lab.services._sign_off_check import ResultChange, SignOffCheck, compare_results
from contimg_lab.services._sign_rules import storable
from contimg_lab.thresholds import read_reviewers

if TYPE_CHECKING:
    from contimg_lab.services._context import Context

__all__ = ["verify_entry", "what_moved"]


async def verify_entry(context: Context, wanted: Entry | int) -> SignOffCheck:
    """Verify one entry; see `contimg_lab.services.sign_off.SignOffs.verify`."""
    number = wanted.number if isinstance(wanted, Entry) else wanted
    reviewers = await asyncio.to_thread(read_reviewers, context.config)
    entry, head, findings, kept = await asyncio.to_thread(_kept, context.ledger, number, reviewers)
    if isinstance(wanted, Entry) and wanted.text != entry.text:
        words = "the ledger holds another entry of this number"
        findings.append(Finding(number, "chain", True, words))
    night = str(entry.body["night"])
    why_not, notes = "", []
    told = entry.body["database"]
    if not await context.has_identity(told.get("identity"), told.get("n_paths")):
        notes.append("this is another database than it was signed on, or one that lost rows")
    changes: Sequence[Change] | None = None
    results: Sequence[ResultChange] | None = None
    again: NightAgain | None = None
    try:
        again = await night_again(context, night, told.get("as_of_unix_s"))
    except NotFound as error:
        why_not = str(error) if notes else ""
    if kept is None:
        why_not = "the rows that it was signed on are not kept as they were"
    elif not why_not:
        now = None if again is None else again.evidence
        changes, others = await asyncio.to_thread(data_changes, kept, now)
        if others:
            named = ", ".join(others[:10]) + (" ..." if len(others) > 10 else "")
            notes.append(f"only then or only now was read, so not compared: {named}")
    moved = ""
    if again is not None:
        try:
            judged = await asyncio.to_thread(again.results, entry.body["thresholds"])
        except ConfigError as error:
            why_not = why_not or f"the recorded thresholds cannot be run again: {error}"
        else:
            results = compare_results(entry.body["results"], storable(judged))
            if results:
                now_versions = await asyncio.to_thread(versions)
                moved = what_moved(bool(changes), entry.body["versions"], now_versions)
    return SignOffCheck(
        number=number,
        night=night,
        head=head,
        findings=findings,
        changes=changes,
        results=results,
        why_not=why_not,
        moved=moved,
        notes=notes,
    )


def _kept(
    ledger: Ledger, number: int, reviewers: Reviewers
) -> tuple[Entry, tuple[int, str], list[Finding], Evidence | None]:
    """The entry, the head, what was found of the ledger, and the rows kept beside the entry."""
    entry, lines = ledger.entry(number), ledger.lines()
    found = [
        finding
        for finding in check_lines(lines, reviewers=reviewers)
        if finding.is_broken or finding.number == number
    ]
    kept = None
    try:
        evidence = ledger.evidence(number)
        faults = check_evidence(entry, evidence)
    except (InvalidInput, NotFound) as error:
        words = f"the rows kept beside it cannot be read: {error}"
        faults = [Finding(number, "evidence", True, words)]
    else:
        kept = None if faults else evidence
    return entry, _head(lines), [*found, *faults], kept


def _head(lines: Sequence[bytes]) -> tuple[int, str]:
    try:
        return len(lines), read(lines[-1]).hash
    except InvalidInput:  # told among the findings
        return len(lines), "unreadable"


def what_moved(data: bool, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say whether data or code moved."""
    code = [
        f"{name} {then.get(name, 'absent')}, now {now.get(name, 'absent')}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if data:
        return "the data moved" + (f", and the code: {'; '.join(code)}" if code else "")
    if code:
        return f"the data did not move, the code did: {'; '.join(code)}"
    return "neither the rows nor the versions moved: a check was changed without a new version"
