"""``contimg-lab bench``: every path beside its alternatives, measured in one run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contimg_lab.errors import InvalidInput

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "bench"
_ONLY = (
    "only these: light-curves, scan, statistics, writer, update, jobs, log "
    "(default: all; with --db those that only read)"
)
HELP = "measure every path beside the older design and other packages, and print one table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to measure, on what, and where the figures go."""
    parser.add_argument(
        "--db",
        type=Path,
        metavar="PATH",
        help="a database of your own, which is only read (default: databases that are made)",
    )
    parser.add_argument(
        "--rows",
        metavar="N,N",
        help="photometry rows of the databases made (default: 100000,2000000,10000000)",
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="for each way (default: 5)")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep databases here (default: the user's cache)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help=_ONLY)


def run(args: argparse.Namespace) -> int:
    """Measure and print; 1 where a way gave no answer, or another than the others."""
    from contimg_lab import bench

    given = {name: getattr(args, name) for name in ("db", "seconds", "cache")}
    if args.rows is not None:
        given["rows"] = _rows(args.rows)
    if args.seconds is not None and not 0.0 < args.seconds <= 3600.0:
        raise InvalidInput(f"--seconds {args.seconds:g} is no time from 0 to 3600 s")
    kept = {name: value for name, value in given.items() if value is not None}
    report = bench.run(
        bench.Settings(only=tuple(args.only), **kept),
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    print(report.table())
    if args.json is not None:
        args.json.write_text(report.to_json(), encoding="utf-8")
    return 0 if report.is_right else 1


def _rows(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part.replace("_", "")) for part in text.split(","))
    except ValueError as error:
        raise InvalidInput(f"--rows {text!r}: whole numbers with commas between") from error
