"""How a report becomes an entry: the rules, the key, the list of reviewers, the rows once more."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import InvalidInput, NotFound, StaleReport
from contimg_lab.ledger.chain import Entry
from contimg_lab.ledger.changes import Change, data_changes
from contimg_lab.ledger.evidence import Evidence
from contimg_lab.ledger.keys import SigningKey, key_path, load_key
from contimg_lab.ledger.verify import is_listed
from contimg_lab.services._night_again import evidence_again
from contimg_lab.services._sign_rules import PROMOTIONS, decide, storable
from contimg_lab.thresholds import read_reviewers

if TYPE_CHECKING:
    from contimg_lab.services._context import Context
    from contimg_lab.services.night_report import NightReport

__all__ = ["Signer", "find_signer", "report_changes", "sign_report"]

_MOST_TOLD = 5

Key = SigningKey | str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who would sign, and with what.

    Attributes
    ----------
    reviewer
        The name, without blanks around it.
    public_key
        Of the key that would sign, in hex; None: the entry would not be signed.
    is_listed
        Whether the list of reviewers names the reviewer with that key.
    own
        Where the reviewer's own key is looked for.
    """

    reviewer: str
    public_key: str | None
    is_listed: bool
    own: Path

    def __str__(self) -> str:
        listed = "listed as a reviewer" if self.is_listed else "not listed as a reviewer"
        if self.public_key is None:
            return f"will be unsigned: {self.reviewer} has no key on this computer; {listed}"
        return f"will be signed with the key {self.public_key[:16]}…; {listed}"


async def sign_report(
    context: Context,
    report: NightReport,
    *,
    reviewer: str,
    decision: str,
    reason: str,
    exceptions: Sequence[Mapping[str, Any]],
    hours: Mapping[Any, Any] | None,
    notes: str,
    key: Key | None,
    corrects: int | None,
) -> Entry:
    """Sign a report; see `contimg_lab.services.sign_off.SignOffs.sign`."""
    if not hasattr(report, "evidence"):
        raise InvalidInput(
            "what is signed is the report of a night (lab.qa.night); its hours are decided on "
            "by hours="
        )
    name, why = _words(reviewer, "reviewer"), _words(reason, "reason")
    said = await asyncio.to_thread(_judged, report, decision, exceptions, hours)
    signing, listed = await asyncio.to_thread(_key_of, context, name, key)
    if corrects is not None:
        await _must_be_about(context, corrects, report.night)
    identity, n_paths = await context.identity_of_first()
    await _must_be_current(context, report)
    said |= {
        "kind": "sign-off" if corrects is None else "correction",
        "corrects": corrects,
        "reviewer": name,
        "listed": listed,
        "reason": why,
        "notes": storable(str(notes)),
        "database": {
            "identity": identity,
            "n_paths": n_paths,
            "layout": context.database.layout.name,
            "as_of_unix_s": report.columns.as_of_unix_s,
        },
    }
    return await asyncio.to_thread(
        context.ledger.append, said, evidence=report.evidence, key=signing
    )


def _judged(
    report: NightReport,
    decision: str,
    exceptions: Sequence[Mapping[str, Any]],
    hours: Mapping[Any, Any] | None,
) -> dict[str, Any]:
    """What an entry says of the report and of the decision, held against the rules."""
    results = storable([outcome.to_json() for outcome in report.outcomes])
    decided = decide(
        results,
        [f"{one.hour:02d}" for one in report.judged],
        {f"{one.hour:02d}": _classes(one.promotion.candidate) for one in report.judged},
        decision=decision,
        exceptions=exceptions,
        hours=hours,
    )
    thresholds, advice = report.thresholds, report.recommendation
    told = {
        "night": report.night,
        "hours": decided.hours,
        "decision": decided.decision,
        "exceptions": decided.exceptions,
        "versions": dict(report.versions),
        "thresholds": {
            "name": thresholds.name,
            "digest": thresholds.digest,
            "values": thresholds.values,
        },
        "recommendation": {"decision": advice.decision, "rule": advice.rule},
    }
    return {**storable(told), "results": results}


async def find_signer(context: Context, reviewer: str, key: Key | None) -> Signer:
    """Tell how an entry would be signed; see `contimg_lab.services.sign_off.SignOffs`."""
    name = _words(reviewer, "reviewer")
    signing, listed = await asyncio.to_thread(_key_of, context, name, key)
    public_key = None if signing is None else signing.public_key
    return Signer(reviewer=name, public_key=public_key, is_listed=listed, own=key_path(name))


def _key_of(context: Context, name: str, key: Key | None) -> tuple[SigningKey | None, bool]:
    """The key that signs, and whether the reviewer is listed with it."""
    signing: SigningKey | None = None
    if isinstance(key, SigningKey):
        signing = key
    elif key is not None:
        signing = load_key(Path(key).expanduser())
    elif key_path(name).exists():
        signing = load_key(key_path(name))
    public_key = None if signing is None else signing.public_key
    return signing, is_listed(read_reviewers(context.config), name, public_key)


async def _must_be_about(context: Context, number: int, night: str) -> None:
    try:
        entry = await asyncio.to_thread(context.ledger.entry, number)
    except NotFound:
        raise InvalidInput(f"there is no entry {number} that could be corrected") from None
    if entry.body["night"] != night:
        raise InvalidInput(f"entry {number} is about the night {entry.body['night']}, not {night}")


async def report_changes(context: Context, report: NightReport) -> tuple[Change, ...]:
    """Name what differs from a report's rows; see `contimg_lab.services.sign_off.SignOffs`."""
    if report.token is not None and report.token == await context.database.token():
        return ()
    # what was committed meanwhile may have been about other rows
    now: Evidence | None = None
    with contextlib.suppress(NotFound):
        now = await evidence_again(context, report.night)
    if await asyncio.to_thread(_is_same, report.evidence, now):
        return ()
    changes, _ = await asyncio.to_thread(data_changes, report.evidence, now)
    return changes


async def _must_be_current(context: Context, report: NightReport) -> None:
    changes = await report_changes(context, report)
    if not changes:
        return
    more = len(changes) - _MOST_TOLD
    raise StaleReport(
        f"the report of {report.night} is no longer true of the database: "
        f"{'; '.join(map(str, changes[:_MOST_TOLD]))}{f'; and {more:,} more' * (more > 0)}; "
        "make it again, look at it, and sign that one"
    )


def _is_same(signed: Evidence, now: Evidence | None) -> bool:
    return now is not None and now.digest == signed.digest


def _classes(candidate: str | None) -> tuple[str, ...]:
    """Classes that may be given: the candidate, and those that claim less."""
    return () if candidate is None else PROMOTIONS[PROMOTIONS.index(candidate) :]


def _words(given: object, noun: str) -> str:
    text = storable(given).strip() if isinstance(given, str) else ""
    if not text:
        raise InvalidInput(f"no {noun} was given; a sign-off has one, in words")
    return str(text)
