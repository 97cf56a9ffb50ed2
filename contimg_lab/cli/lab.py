"""``contimg-lab lab``: the explore notebook on a real database, which is only ever read."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from contimg_lab.cli._common import add_serving, serve_from, tell

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "lab"
HELP = "say what broke last night in a pipeline database, and serve the explore notebook on it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the database and the arguments of the server."""
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        metavar="PATH",
        help="folder, pipeline.sqlite3 or products.sqlite3 (default: what the environment says)",
    )
    add_serving(parser)


def run(args: argparse.Namespace) -> int:
    """Open the database read-only, tell, and serve."""
    from contimg_lab.lab import open_lab

    layout = asyncio.run(tell(open_lab(args.path)))
    if args.no_serve:
        return 0
    database = "" if args.path is None else str(args.path.expanduser().absolute())
    return serve_from(args, database=database, layout=layout)
