"""How far the checks of a night can be trusted: planted faults told, clean nights blamed.

``python tests/benchmarks/qa_faults.py [--placements 50] [--seasons 5] [--only NAME ...]`` plants
every kind of fault in copies of the built-in season's database (other seeds, and 600 sources, as
an hour of the telescope has), each at random nights, hours and rows, judges the night and prints
what was told; then what is said of nights without one; then sizes at which a fault begins to be
told. Ends with 1 where a fault was not told.
"""

# ruff: noqa: E402 - the path comes first, see below

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

# this folder has a file with the name of a standard module, which what is measured needs
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.planted import KINDS
from benchmarks.planted.clean import Clean, clean
from benchmarks.planted.judged import Told, judge
from benchmarks.planted.report import Row, clean_table, fault_table, sweep_table
from benchmarks.planted.seasons import Ready, ready

from contimg_lab.analysis.checks import all_checks
from contimg_lab.demo import Season
from contimg_lab.records.qa import Outcome

N_SOURCES = 600
_BEFORE: dict[int, dict[str, tuple[Outcome, ...]]] = {}  # of this process, by seed


@dataclass(frozen=True, slots=True)
class Task:
    """Some placements of one kind of one size, in one season."""

    kind: str
    size: float
    season: Ready
    places: range

    def run(self) -> list[Told]:
        """Plant and judge."""
        return asyncio.run(self._run())

    async def _run(self) -> list[Told]:
        before = _BEFORE.setdefault(self.season.truth.season.seed, {})
        kind = KINDS[self.kind]
        return [await judge(self.season, kind, p, self.size, before) for p in self.places]


def clean_season(season: Ready) -> Clean:
    """Judge the clean nights of a season."""
    return asyncio.run(clean(season))


def tasks(kind: str, size: float, seasons: Sequence[Ready], placements: int) -> Iterator[Task]:
    """Share the placements of one kind out among the seasons."""
    for place, season in enumerate(seasons):
        n = placements // len(seasons) + (place < placements % len(seasons))
        yield Task(kind, size, season, range(n))


def rows_of(
    pool: ProcessPoolExecutor, asked: Sequence[tuple[str, float]], seasons: Sequence[Ready], n: int
) -> Iterator[Row]:
    """Plant and judge kinds of some sizes, one row each."""
    of_each = [list(tasks(kind, size, seasons, n)) for kind, size in asked]
    running = [[pool.submit(task.run) for task in some] for some in of_each]
    for (kind, size), some in zip(asked, running, strict=True):
        row = Row(kind=KINDS[kind], size=size)
        for told in chain.from_iterable(future.result() for future in some):
            row.n += 1
            row.told += told.is_told
            row.failed += told.is_failed
            row.aside.update(told.aside)
        print(f"{kind} {size:g}: {row.told} of {row.n}", file=sys.stderr, flush=True)
        yield row


def main() -> int:
    """Plant, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--placements", type=int, default=50, help="of each kind")
    parser.add_argument("--swept", type=int, default=20, help="placements of each other size")
    parser.add_argument("--seasons", type=int, default=5, help="seeds to plant in")
    parser.add_argument("--clean", type=int, default=20, help="seeds to look for false alarms in")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--cache", type=Path, help="where made seasons are kept")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS))
    args = parser.parse_args()
    gates = frozenset(one.name for one in all_checks(others=[]) if one.severity == "gate")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(args.jobs) as pool,
    ):
        season = partial(Season, n_sources=N_SOURCES)
        made = pool.map(
            partial(ready, cache=args.cache),
            [Path(folder, str(seed)) for seed in range(1, args.clean + 1)],
            [season(seed=seed) for seed in range(1, args.clean + 1)],
        )
        seasons = list(made)
        few = seasons[: args.seasons]
        rows = list(rows_of(pool, [(k, KINDS[k].size) for k in args.only], few, args.placements))
        print(fault_table(rows, gates), end="\n\n", flush=True)
        total = Clean()
        for one in pool.map(clean_season, seasons):
            total.add(one)
        print(clean_table(total, gates), end="\n\n", flush=True)
        swept = {
            kind: list(rows_of(pool, [(kind, s) for s in KINDS[kind].sweep], few, args.swept))
            for kind in args.only
            if KINDS[kind].sweep
        }
        print(sweep_table(swept))
    return int(any(row.told < row.n for row in rows))


if __name__ == "__main__":
    sys.exit(main())
