"""The front end's figures: a real JupyterLab in a real browser, beside the naive panel.

``python tests/benchmarks/front_end.py [--rows N] [--cache DIR] [--json FILE] [--only NAME ...]``
prints one table, and ends with 1 where a goal was not reached. A writer commits ten times a
second to the copy of a database that both panels show.
"""

# ruff: noqa: E402 - the path comes first, see below

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# this folder has a file with the name of a standard module, which what is measured needs
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.front import curves, hands, rest, size, tables
from benchmarks.front.books import Site
from benchmarks.front.desk import chromium, desk
from benchmarks.front.lines import Line, table
from benchmarks.front.writer import Writer

from contimg_lab.bench import Settings, _builds
from contimg_lab.bench._report import report
from contimg_lab.database import files

MEASURES: Mapping[str, Callable[[Site], Iterator[Line]]] = {
    "first": curves.first_curve,
    "row": curves.row_to_curve,
    "table": tables.large_table,
    "slow": hands.while_a_query_runs,
    "typing": hands.typing,
    "idle": rest.nothing_new,
    "saved": rest.saved,
    "ever": rest.for_ever,
    "size": size.installed,
}
QUICK: Mapping[str, Any] = {
    "few": 2, "many": 14, "idle_s": 5.0, "refreshes": 50, "openings": 20,
    "table_rows": 200_000, "naive_rows": 10_000,
}  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="photometry rows")
    parser.add_argument("--cache", type=Path, help="where made databases are kept")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=MEASURES)
    parser.add_argument("--quick", action="store_true", help="fewer turns, for a first look")
    args = parser.parse_args()
    settings = Settings(rows=(args.rows,), **({} if args.cache is None else {"cache": args.cache}))
    begun, lines = datetime.now(UTC), []
    with site(settings, QUICK if args.quick else {}) as at:
        for name in args.only:
            for line in MEASURES[name](at):
                lines.append(line)
                print(table([line]).splitlines()[-1], file=sys.stderr, flush=True)
    where = dataclasses.asdict(report([], settings, begun))
    print(", ".join(str(part) for part in where["machine"].values()))
    print(f"commit {where['commit']}, {where['date_utc']}, {args.rows:,} photometry rows\n")
    print(table(lines), end="\n\n")
    for line in lines:
        for cause in line.extra.get("causes", ()):
            print(f"{line.what}: {cause}")
    if args.json is not None:
        told = where | {"rows": args.rows, "lines": [dataclasses.asdict(line) for line in lines]}
        args.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 1 if any(line.is_reached is False for line in lines) else 0


@contextlib.contextmanager
def site(settings: Settings, more: Mapping[str, Any]) -> Iterator[Site]:
    """A private copy of a season, a writer that commits to it, and JupyterLab."""
    made = _builds.photometry_file(_builds.season(settings.rows[0], settings.cache))
    with contextlib.ExitStack() as stack:
        copy = stack.enter_context(_builds.private_copy(made, settings.cache))
        names = _builds.sources(files.uri(copy, immutable=True))["names"]
        writer = stack.enter_context(Writer(copy))
        notebooks = stack.enter_context(desk(stack.enter_context(chromium())))
        yield Site(desk=notebooks, file=str(copy), names=tuple(names), pause=writer.paused, **more)


if __name__ == "__main__":
    raise SystemExit(main())
