"""``contimg-lab verify``: whether the numbers that a saved notebook shows still hold."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from contimg_lab.errors import ContimgLabError

if TYPE_CHECKING:
    from contimg_lab.services.notebook_proof import NotebookCheck

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "verify"
HELP = "compute again what a saved notebook shows, and say what changed"

_EXIT_CODES = (
    "exit codes: 0 every shown value is the same, 1 something changed, 2 no notebook that can be "
    "read, 3 could not tell, or something is shown without proof"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the notebook, the database and the copy."""
    parser.epilog = _EXIT_CODES
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK", help="a saved notebook")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DB",
        help="folder or file of a database: each value is computed again from its rows; without "
        "it only what was edited is found",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="COPY",
        help="write a copy of the notebook, with a mark below each output; a new file",
    )
    parser.add_argument(
        "--allow-unproven",
        action="store_true",
        help="what is shown without proof (printed text, live panels) is listed, and does not "
        "count for the exit code",
    )
    parser.add_argument("--json", action="store_true", help="print everything found as JSON")


def run(args: argparse.Namespace) -> int:
    """Verify one notebook; returns the exit code."""
    check = asyncio.run(_verify(args.notebook, args.against))
    if args.out is not None:
        check.save_marked(args.out)
    code = check.exit_code(allow_unproven=args.allow_unproven)
    if args.json:
        print(json.dumps({"exit_code": code, **check.to_json()}, indent=1))
    else:
        print("\n".join(check.lines()))
    return code


async def _verify(notebook: Path, against: Path | None) -> NotebookCheck:
    from contimg_lab.lab import open_lab
    from contimg_lab.services.notebook_proof import verify_notebook

    if against is None:
        return await verify_notebook(notebook)
    try:
        async with open_lab(against) as lab:
            return await verify_notebook(notebook, lab.qa.context)
    except ContimgLabError as error:
        return await verify_notebook(notebook, why_not=str(error))
