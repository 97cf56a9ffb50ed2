"""The command line ``contimg-lab``: one module a command, and what to do when one fails."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from contimg_lab import __version__
from contimg_lab.cli import bench, dashboard, demo, doctor, lab, ledger, qa, verify
from contimg_lab.errors import ContimgLabError

__all__ = ["main"]

_COMMANDS = (bench, dashboard, demo, doctor, lab, ledger, qa, verify)
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv
        Words after ``contimg-lab``; None: those that the process was started with.

    Returns
    -------
    int
        0; 2 where an argument, a setting or a file cannot be used (one line on the standard
        error says which, and the way out); 130 where Ctrl-C ended it.
    """
    args = _parser().parse_args(argv)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except ContimgLabError as error:
        print(f"contimg-lab: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="contimg-lab",
        description="The DSA-110 continuum imaging pipeline, seen from a notebook.",
    )
    parser.add_argument("--version", action="version", version=f"contimg-lab {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        text = command.HELP
        added = commands.add_parser(
            command.NAME, help=text, description=text[0].upper() + text[1:] + "."
        )
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    return parser
