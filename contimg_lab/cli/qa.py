"""``contimg-lab qa``: what a reviewer needs beside a notebook; first of all a key."""

from __future__ import annotations

import argparse
import getpass
import json

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "qa"
HELP = "make or show a reviewer's key"


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


def run(args: argparse.Namespace) -> int:
    """Do what was asked; a key that cannot be used is an error of `contimg_lab.errors`."""
    return int(args.do(args))


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
