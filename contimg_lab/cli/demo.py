"""``contimg-lab demo``: make the built-in season, say what it shows, and serve the notebook."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from contimg_lab.cli._common import add_serving, serve_from, tell

if TYPE_CHECKING:
    from contimg_lab.demo import Season

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "demo"
HELP = "make the built-in season, say what broke last night, and serve the explore notebook"

_SEASON = ("layout", "nights", "photometry_rows", "seed", "untidy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the season's arguments and those of the server."""
    group = parser.add_argument_group("season")
    group.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep seasons here (default: the user's cache)"
    )
    group.add_argument("--layout", help="unified (default), split or split-old")
    group.add_argument("--nights", type=int, metavar="N", help="number of nights (default: 30)")
    group.add_argument(
        "--photometry-rows", type=int, metavar="N", help="size for benchmarks, up to 10000000"
    )
    group.add_argument("--seed", type=int, metavar="N", help="of every random number")
    group.add_argument(
        "--untidy",
        action="store_const",
        const=True,
        help="as a working site leaves it: rotating logs, twins, damaged rows",
    )
    group.add_argument(
        "--live", action="store_true", help="let one more night happen, in a copy of the season"
    )
    group.add_argument(
        "--speed", type=float, default=60.0, metavar="N",
        help="with --live: how many times faster than real (default: %(default)g)",
    )  # fmt: skip
    add_serving(parser)


def run(args: argparse.Namespace) -> int:
    """Make the season where it is not there yet, tell, and serve."""
    from contimg_lab.demo import Season, copy_season, ensure_season
    from contimg_lab.demo.playing import playing

    given = {name: getattr(args, name) for name in _SEASON}
    season = Season(**{name: value for name, value in given.items() if value is not None})
    with _progress() as progress:
        folder = ensure_season(season, args.cache, progress=progress)
    with contextlib.ExitStack() as stack:
        night = None
        if args.live:
            folder = copy_season(
                folder,
                Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contimg-lab-")))
                / "season",
            )
            night = stack.enter_context(playing(folder, speed=args.speed))
        return _show(args, folder, season, night)


def _show(
    args: argparse.Namespace, folder: Path, season: Season, night: subprocess.Popen[str] | None
) -> int:
    from contimg_lab.demo import Season, write_images
    from contimg_lab.lab import open_lab

    print(f"season: {folder}\n", flush=True)
    layout = asyncio.run(tell(open_lab(folder)))
    if args.no_serve:
        return 0 if night is None else night.wait()
    is_default = night is None and season == Season()
    database = None if is_default and args.cache is None else str(folder)
    if database is not None:  # the notebook opens a folder, and takes what images there are
        with contextlib.suppress(OSError):
            write_images(folder, season)
    return serve_from(args, database=database, layout=layout, keep_outputs=is_default)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar where the season takes over a second."""
    from tqdm import tqdm

    with tqdm(desc="making the season", delay=1.0, leave=False) as bar:

        def step(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield step
