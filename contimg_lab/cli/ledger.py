"""``contimg-lab ledger``: list, show, export and verify sign-offs, without a notebook."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contimg_lab.cli._ledger_verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from contimg_lab.ledger.chain import Entry
    from contimg_lab.ledger.store import Ledger

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "ledger"
HELP = "list, show, export and verify sign-offs"

_EXIT_CODES = "exit codes: 0 holds, 1 warnings (unsigned, unlisted), 2 broken, 3 could not tell"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand for each thing that can be done."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = _command(commands, "list", "list every entry, and the head", _list)
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    show = _command(commands, "show", "show what one entry says", _show)
    show.add_argument("number", type=int, metavar="N", help="number of the entry")
    show.add_argument("--json", action="store_true", help="print the whole entry as JSON")
    export = _command(commands, "export", "write every entry as a line of JSON", _export)
    export.add_argument("file", type=Path, metavar="FILE", help="a new file")
    check = _command(commands, "verify", "verify chain, signatures, reviewers and evidence", verify)
    check.epilog = _EXIT_CODES
    check.add_argument(
        "--against",
        type=Path,
        metavar="DB",
        help="folder or file of a database: its rows are held against those that were signed on, "
        "and the recorded thresholds are run again",
    )
    check.add_argument(
        "--head",
        metavar="NUMBER:HASH",
        help="head that stands on a printed report: tells a ledger whose end was cut off",
    )
    check.add_argument("--json", action="store_true", help="print everything found as JSON")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; a ledger that cannot be read is an error of `contimg_lab.errors`."""
    return int(args.do(args))


def _command(
    commands: Commands, name: str, text: str, do: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument(
        "--ledger",
        type=Path,
        metavar="PATH",
        help="the ledger (default: CONTIMG_LAB_LEDGER, or the one in the user's data folder)",
    )
    parser.set_defaults(do=do)
    return parser


def _opened(args: argparse.Namespace) -> Ledger:
    from contimg_lab.config import ledger_path, read_config
    from contimg_lab.ledger.store import Ledger

    return Ledger(ledger_path(read_config(ledger=args.ledger)))


def _entries(ledger: Ledger) -> list[Entry]:
    return ledger.entries() if ledger.head().number else []


def _list(args: argparse.Namespace) -> int:
    ledger = _opened(args)
    entries = _entries(ledger)
    head = {"number": entries[-1].number, "hash": entries[-1].hash} if entries else None
    if args.json:
        told = [json.loads(entry.text) for entry in entries]
        print(json.dumps({"ledger": str(ledger.path), "head": head, "entries": told}, indent=1))
        return 0
    print(f"ledger: {ledger.path}")
    for entry in entries:
        print(f"  {entry.number}: {_line(entry)}")
    print(f"head: {head['number']}:{head['hash']}" if head else "nobody has signed yet")
    return 0


def _show(args: argparse.Namespace) -> int:
    entry = _opened(args).entry(args.number)
    if args.json:
        print(json.dumps(json.loads(entry.text), indent=1))
        return 0
    body = entry.body
    print(f"entry {entry.number}: {_line(entry)}")
    if body["corrects"] is not None:
        print(f"corrects: entry {body['corrects']}")
    print(f"reason: {body['reason']}")
    for hour, told in sorted(body["hours"].items()):
        print(f"hour {hour}: {told['decision']}{_tail(told['promotion'])}")
    for told in body["exceptions"]:
        where = [told["check"], told["hour"] and f"hour {told['hour']}", told["key"]]
        print(f"exception: {', '.join(filter(None, where))}: {told['reason']}")
    if body["notes"]:
        print(f"notes: {body['notes']}")
    words = [str(one.get("word")) for one in body["results"]]
    counts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    print(f"results: {', '.join(counts) or 'none'}")
    print(f"thresholds: {body['thresholds'].get('name')}, {body['thresholds'].get('digest')}")
    print("versions: " + ", ".join(f"{name} {told}" for name, told in body["versions"].items()))
    print(f"database: {body['database'].get('layout')}, {body['database'].get('identity')}")
    for name, told in body["evidence"]["tables"].items():
        print(f"evidence: {told['rows']} rows of {name}, {told['digest']}")
    print(f"key: {body['public_key'] or 'none'}")
    print(f"hash: {entry.hash}")
    return 0


def _export(args: argparse.Namespace) -> int:
    from contimg_lab.ledger.export import write_export

    entries = _entries(_opened(args))
    write_export(entries, args.file)
    head = f", head {entries[-1].number}:{entries[-1].hash}" if entries else ""
    print(f"{args.file}: {len(entries)} entries{head}", file=sys.stderr)
    return 0


def _line(entry: Entry) -> str:
    body = entry.body
    notes = "" if entry.signature else ", not signed with a key"
    notes += "" if body["listed"] else ", not listed"
    who = f"{body['reviewer']}{notes}"
    return f"night {body['night']} {body['decision']}, {who}, {body['signed_at']}"


def _tail(promotion: str | None) -> str:
    return f", {promotion}" if promotion else ""
