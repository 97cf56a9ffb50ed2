"""``contimg-lab qa run``: which nights, what came of each, and the exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contimg_lab.cli._qa_files import make_folder, read_report
from contimg_lab.cli._qa_jobs import default_jobs
from contimg_lab.cli._qa_pool import Ran, run_nights
from contimg_lab.errors import ContimgLabError, InvalidInput, NotFound
from contimg_lab.times import parse_night

if TYPE_CHECKING:
    from contimg_lab.lab import Opening

__all__ = ["run_command"]

COULD_NOT_JUDGE = 3
_CODES = {"pass": 0, "warn": 1, "fail": 2}


def run_command(args: argparse.Namespace) -> int:
    """Run nights; returns the worst exit code of them."""
    try:
        return asyncio.run(_run(args))
    except ContimgLabError as error:
        print(f"contimg-lab: {' '.join(str(error).split())}", file=sys.stderr)
        return COULD_NOT_JUDGE


async def _run(args: argparse.Namespace) -> int:
    from contimg_lab.cli._qa_index import write_index

    out: Path = args.out.expanduser().absolute()
    ledger = None if args.ledger is None else str(args.ledger.expanduser().absolute())
    database = None if args.db is None else str(args.db.expanduser().absolute())
    jobs = default_jobs() if args.jobs is None else args.jobs
    if jobs < 1:
        raise InvalidInput(f"--jobs {jobs}: at least one night is run at a time")
    settings = {
        "database": database,
        "thresholds": args.thresholds,
        "ledger": ledger,
        "out": str(out),
        "again": args.again,
    }
    async with _opening(database, ledger) as lab:
        from contimg_lab.thresholds import read_thresholds

        read_thresholds(lab.config, args.thresholds)
        nights = _chosen(args.nights, await lab.nights())
    make_folder(out)
    failures: dict[str, str] = {}
    code = 0
    with _progress(len(nights)) as say:
        async with aclosing(run_nights(nights, settings, jobs)) as done:
            async for ran in done:
                report = None if ran.why_not else read_report(out / ran.night)
                say(_line(ran, report))
                code = max(code, _code(report))
                if _code(report) == COULD_NOT_JUDGE:
                    failures[ran.night] = ran.why_not or "no check is applicable to it"
    for night, why in sorted(failures.items()):
        print(f"contimg-lab: {night} could not be judged: {why}", file=sys.stderr)
    async with _opening(database, ledger) as lab:
        index = await write_index(lab, out, failures, thresholds=args.thresholds)
    print(f"index: {index}")
    return code


def _opening(database: str | None, ledger: str | None) -> Opening:
    from contimg_lab.lab import demo_lab, open_lab

    return demo_lab(ledger=ledger) if database is None else open_lab(database, ledger=ledger)


def _chosen(words: str, held: Sequence[str]) -> list[str]:
    """Return the nights that are asked for, ascending, of those that the database has."""
    span = f"nights run from {held[0]} to {held[-1]}" if held else "no MS in it has a time"
    if words == "all":
        first, last = "", "9"
    elif ".." in words:
        begin, _, end = words.partition("..")
        first, last = parse_night(begin).isoformat(), parse_night(end).isoformat()
        if first > last:
            raise InvalidInput(f"{words}: the first night is after the last")
    else:
        first = last = parse_night(words).isoformat()
    chosen = [night for night in held if first <= night <= last]
    if not chosen:
        raise NotFound("night", words, span)
    return chosen


def _code(report: dict[str, Any] | None) -> int:
    return _CODES.get(report["verdict"], COULD_NOT_JUDGE) if report else COULD_NOT_JUDGE


def _line(ran: Ran, report: dict[str, Any] | None) -> str:
    if report is None:
        return f"{ran.night}: could not be judged ({ran.seconds:.1f} s)"
    how = f"{ran.seconds:.1f} s" if ran.was_run else "stands, not run again"
    return f"{ran.night}: {report['verdict']}, {report['recommendation']['decision']} ({how})"


@contextlib.contextmanager
def _progress(count: int) -> Iterator[Any]:
    """Print a line a night, above a bar where somebody watches."""
    from tqdm import tqdm

    with tqdm(total=count, unit="night", disable=None, leave=False) as bar:

        def say(line: str) -> None:
            bar.write(line, file=sys.stdout)
            sys.stdout.flush()
            bar.update()

        yield say
