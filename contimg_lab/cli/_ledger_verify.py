"""``contimg-lab ledger verify``: what it looks at, its words and its exit code."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import ContimgLabError, InvalidInput, NotALedger

if TYPE_CHECKING:
    from contimg_lab.ledger.chain import Head
    from contimg_lab.ledger.verify import Finding
    from contimg_lab.services._sign_off_check import SignOffCheck

__all__ = ["verify"]

_WORDS = ("holds", "warnings", "broken", "could not tell")  # by exit code


def verify(args: argparse.Namespace) -> int:
    """Verify a ledger, and the rows of a database against it; returns the exit code."""
    try:
        return _verify(args)
    except ContimgLabError as error:
        print(f"contimg-lab: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, NotALedger) else 3


def _verify(args: argparse.Namespace) -> int:
    from contimg_lab.config import ledger_path, read_config
    from contimg_lab.ledger.store import Ledger
    from contimg_lab.thresholds import read_reviewers

    config = read_config(ledger=args.ledger)
    ledger = Ledger(ledger_path(config))
    kept = None if args.head is None else _head(args.head)
    findings = ledger.check(kept=kept, reviewers=read_reviewers(config))
    checks: Sequence[SignOffCheck] = ()
    why_not = ""
    if args.against is not None:
        try:
            checks = asyncio.run(_against(args.against, ledger.path))
        except ContimgLabError as error:
            why_not = str(error)
        else:
            why_not = "" if checks else "no entry is about this database"
    code = _code(findings, checks, why_not)
    last = _last(ledger.lines())
    if args.json:
        told: dict[str, Any] = {
            "ledger": str(ledger.path),
            "word": _WORDS[code],
            "exit_code": code,
            "head": last,
            "findings": [
                {"number": f.number, "about": f.about, "is_broken": f.is_broken, "words": f.words}
                for f in findings
            ],
        }
        if args.against is not None:
            told |= {"against": str(args.against), "why_not": why_not}
            told["nights"] = [check.to_json() for check in checks]
        print(json.dumps(told, indent=1))
        return code
    print(f"ledger: {ledger.path}")
    for finding in findings:
        print(f"  {'BROKEN' if finding.is_broken else 'note'}: {finding}")
    for check in checks:
        print(f"night {check.night}, entry {check.number}")
        print("\n".join(f"  {line}" for line in check.lines_of_rows()))
    if why_not:
        print(f"could not tell: {why_not}")
    print(f"head: {last['number']}:{last['hash']}" if last else "nobody has signed yet")
    print(_WORDS[code])
    return code


async def _against(path: Path, ledger: Path) -> list[SignOffCheck]:
    """Verify the last entry about each night of a database; earlier ones were superseded."""
    from contimg_lab.lab import open_lab

    async with open_lab(path, ledger=ledger) as lab:
        states = await lab.qa.states(check=False)
        return [await lab.qa.verify(state.number) for state in states if state.number is not None]


def _code(findings: Sequence[Finding], checks: Sequence[SignOffCheck], why_not: str) -> int:
    if any(finding.is_broken for finding in findings) or any(check.changes for check in checks):
        return 2
    if why_not or any(check.why_not for check in checks):
        return 3
    return 1 if findings or any(check.results for check in checks) else 0


def _last(lines: Sequence[bytes]) -> dict[str, Any] | None:
    from contimg_lab.ledger.chain import read

    if not lines:
        return None
    try:
        head = read(lines[-1]).head
    except (InvalidInput, KeyError, ValueError, TypeError):
        return None
    return {"number": head.number, "hash": head.hash}


def _head(text: str) -> Head:
    from contimg_lab.ledger.chain import Head

    told = re.fullmatch(r"([1-9][0-9]*):([0-9a-f]{64})", text.strip())
    if told is None:
        raise InvalidInput(f"the head {text!r} is not NUMBER:HASH, as a report prints it")
    return Head(int(told[1]), told[2])
