"""What is measured on, and a notebook with either panel on it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .desk import TESTS, Book, Desk
from .lines import Line, value

__all__ = ["OURS", "QUIET_MS", "Site", "beat", "longest_stall", "naive_book", "our_book", "settled"]

OURS = "panel = lab.sources.panel()\npanel"
"""The cell with our panel."""

QUIET_MS = 250
"""Nothing is on its way any more when nothing has come for so long."""

_PREPARE = """
import sys
sys.path.append({tests!r})
import contimg_lab as cl
from benchmarks.front import kernel as probe
probe.listen()
lab = await cl.open({folder!r})
probe.timed(lab.sources, "light_curve")
heart = probe.Heart()
"""
_PREPARE_NAIVE = """
import sys
sys.path.append({tests!r})
from benchmarks.front import kernel as probe
from benchmarks.front.naive import Naive
probe.listen()
heart = probe.Heart()
"""
_NAIVE = "panel = Naive({file!r}, {source!r}, {slow!r})\n{live}\npanel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is measured on, and how often.

    Attributes
    ----------
    desk
        JupyterLab and the browser.
    file
        A copy of the database, to which a writer commits all the time.
    names
        Sources that it has.
    pause
        Stops the writer for as long as its result is entered.
    naive
        Whether the naive panel is measured, too.
    few, many
        How often slow things are repeated, and quick ones.
    table_rows, naive_rows
        Rows of the large table, ours and the naive one.
    idle_s
        How long nothing must happen.
    refreshes, openings
        How often a panel reads again, and is opened and closed.
    """

    desk: Desk
    file: str
    names: tuple[str, ...]
    pause: Callable[[], contextlib.AbstractContextManager[None]]
    naive: bool = True
    few: int = 5
    many: int = 60
    table_rows: int = 1_000_000
    naive_rows: int = 100_000
    idle_s: float = 30.0
    refreshes: int = 1000
    openings: int = 200

    @property
    def folder(self) -> str:
        """What the package opens."""
        return self.file.rpartition("/")[0]

    @property
    def source(self) -> str:
        """A source that is chosen where one is enough."""
        return self.names[len(self.names) // 3]


@contextlib.contextmanager
def our_book(site: Site, name: str, cell: str = OURS, *more: str) -> Iterator[Book]:
    """Open a notebook with our panel, shown and settled; more cells are there to be run."""
    prepare = _PREPARE.format(tests=str(TESTS), folder=site.folder)
    with _open(site, name, prepare, cell, *more) as book:
        settled(book)
        yield book


@contextlib.contextmanager
def naive_book(
    site: Site, name: str, *more: str, live: bool = True, slow: str = "SELECT 1"
) -> Iterator[Book]:
    """Open a notebook with the naive panel."""
    prepare = _PREPARE_NAIVE.format(tests=str(TESTS))
    cell = _NAIVE.format(
        file=site.file, source=site.source, slow=slow, live="panel.live()" if live else ""
    )
    with _open(site, name, prepare, cell, *more) as book:
        yield book


@contextlib.contextmanager
def _open(site: Site, name: str, *cells: Any) -> Iterator[Book]:
    with site.desk.book(name, cells) as book:
        book.run(0)
        book.run(1)
        yield book


def settled(book: Book) -> None:
    """Wait until our panel has nothing under way, and the page has drawn it."""
    book.ask("await panel.settled()")
    book.page.wait_for_timeout(QUIET_MS)


def beat(book: Book, phase: str) -> None:
    """From now on gaps of the kernel's loop count for a phase."""
    book.ask(f"heart.phase({phase!r})")


def longest_stall(book: Book) -> Line:
    """The longest gap of the loop in the last phase, which ends here."""
    told = book.ask("heart.told()")
    book.ask("heart.phase('')")
    phase = told["phase"]
    causes = [f"{ms:.0f} ms in {where}" for ms, of, where in told["causes"] if of == phase]
    return Line(
        what=f"longest stall of the loop, {phase}", ours=value(told["longest_ms"]), goal=20.0,
        note=f"{told['late']} over 20 ms in {told['seconds']:.0f} s; "
        f"{told['bystander_ms']:.0f} ms in a process that only sleeps",
        extra={"causes": causes[:8]},
    )  # fmt: skip
