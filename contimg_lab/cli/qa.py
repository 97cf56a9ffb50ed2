"""``contimg-lab qa``: nights judged without a browser, and a reviewer's key."""

from __future__ import annotations

import argparse
import getpass
import json
from pathlib import Path

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "qa"
HELP = "judge nights, or make and show a reviewer's key"

_EXIT_CODES = (
    "exit codes: 0 pass, 1 warn, 2 fail (or words that mean nothing, with the usage), "
    "3 could not judge; of several nights the worst, 3 before 2 before 1"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand for each thing that can be done."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    key = commands.add_parser(
        "key",
        help="make a reviewer's key where there is none, and show its public half",
        description="Make a reviewer's key where there is none, and print the lines that list it.",
    )
    key.add_argument(
        "--name", metavar="N", help="the reviewer, as sign-offs name them (default: the login name)"
    )
    key.set_defaults(do=_key)
    _add_run(
        commands.add_parser(
            "run",
            help="judge nights by the sign-off notebook, and write their reports and an index",
            description="Judge nights by the sign-off notebook: DIR/NIGHT/ gets the notebook, "
            "report.html and report.json, and DIR an index. Nights whose files still stand are "
            "not run again.",
            epilog=_EXIT_CODES,
        )
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked; a key that cannot be used is an error of `contimg_lab.errors`."""
    return int(args.do(args))


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "nights", metavar="NIGHT|FIRST..LAST|all", help="UTC dates, the last one included"
    )
    parser.add_argument(
        "--db",
        type=Path,
        metavar="PATH",
        help="folder or file of a database (default: the built-in season)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="where to write")
    parser.add_argument(
        "--thresholds", metavar="SET", help="name of the set to judge by (default: the site's)"
    )
    parser.add_argument(
        "--ledger",
        type=Path,
        metavar="PATH",
        help="the ledger (default: CONTIMG_LAB_LEDGER, or the one in the user's data folder)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="nights at the same time (default: one a processor, as far as memory holds)",
    )
    parser.add_argument(
        "--again", action="store_true", help="run nights whose files still stand, too"
    )
    parser.set_defaults(do=_run)


def _run(args: argparse.Namespace) -> int:
    from contimg_lab.cli._qa_run import run_command

    return run_command(args)


def _key(args: argparse.Namespace) -> int:
    from contimg_lab.ledger.keys import SigningKey, key_path, load_key, save_key

    name = (getpass.getuser() if args.name is None else args.name).strip()
    path = key_path(name)
    if path.exists():
        key, how = load_key(path), "there already"
    else:
        key, how = SigningKey(), "made now; you alone can read it, so keep a copy"
        save_key(key, path)
    print(f"key of {name}: {path} ({how})\n")
    print("To be listed, add this to the file that CONTIMG_LAB_THRESHOLDS names:\n")
    print(_toml(name, key.public_key))
    return 0


def _toml(name: str, public_key: str) -> str:
    quoted = json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f'[[reviewers]]\nname = {quoted}\npublic_keys = ["{public_key}"]'
