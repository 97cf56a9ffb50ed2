"""The front-end benchmark in small: what must hold in a browser whatever the clock says."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contimg_lab.panels import PANELS

from .front import curves, hands, rest, tables
from .front.books import Site
from .front.desk import desk
from .front.writer import Writer

pytestmark = pytest.mark.browser

EVER = ("tasks", "threads", "comms", "widgets", "files")
POOL = {"threads": 3}  # of the loop, which are made until there are enough, and kept


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, season_folder: Callable[..., Path], browser: Any
) -> Iterator[Site]:
    """A private copy of the built-in season, with a writer at work, and JupyterLab."""
    copy = tmp_path_factory.mktemp("front") / "season"
    shutil.copytree(season_folder(), copy)
    file = copy / "pipeline.sqlite3"
    with Writer(file) as writer, desk(browser) as notebooks:
        names = _names(file)
        yield Site(
            desk=notebooks, file=str(file), names=names, pause=writer.paused, naive=False, few=1,
            many=3, table_rows=50_000, idle_s=4.0, refreshes=12, openings=4,
        )  # fmt: skip


def _names(file: Path) -> tuple[str, ...]:
    import sqlite3

    sql = "SELECT DISTINCT source_id FROM photometry WHERE source_id IS NOT NULL"
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    names = tuple(name for (name,) in connection.execute(sql))
    connection.close()
    return names


@pytest.mark.slow
def test_every_curve_comes(site: Site) -> None:
    """Each row chosen brings its own curve, and all four parts of the time are known."""
    lines = list(curves.row_to_curve(site))
    whole, parts = lines[0].ours, [line.ours for line in lines[1:5]]
    assert whole.n == site.many
    assert all(part.n == site.many and part.p50 >= 0.0 for part in parts)
    assert sum(part.p50 for part in parts) <= 4 * whole.p95


@pytest.mark.slow
def test_nothing_new_is_no_message(site: Site) -> None:
    """While nothing is committed a live panel sends the browser nothing."""
    messages, _ = rest.nothing_new(site)
    assert (messages.ours.p50, messages.note) == (0, "")


def test_a_slow_query_holds_up_nobody(site: Site) -> None:
    """While a query runs that only Cancel can end, a click acts, and then Cancel does."""
    lines = {line.what: line for line in hands.while_a_query_runs(site)}
    assert lines["cancel, the query has ended"].ours.n == site.few


def test_only_a_page_is_shipped(site: Site) -> None:
    """Of many rows no message holds more than a page, shown or sorted."""
    most = list(tables.large_table(site))[-1].ours
    assert 0 < most.p50 <= 100


@pytest.mark.slow  # without a browser: tests/panels/test_saved.py
def test_saved_panels_are_small_and_told(site: Site) -> None:
    """What each panel leaves in a notebook is below 100 kB, and its pictures have words."""
    lines = list(rest.saved(site))
    assert [line.what for line in lines] == [f"saved: {name}" for name in PANELS]
    large = {line.what: line.ours.p50 for line in lines if line.ours.p50 >= 100.0}
    assert large == {}
    assert all(line.extra["pictures"] == line.extra["told"] for line in lines)


@pytest.mark.slow
def test_nothing_grows(site: Site) -> None:
    """Refreshes, and panels opened and closed, leave no task, thread, comm, widget or file."""
    grown = {line.what: line.ours.p50 for line in rest.for_ever(site)}
    counted = {what: n for what, n in grown.items() if what.rpartition(" ")[2] in EVER}
    assert len(counted) == 2 * len(EVER)
    more = {what: n for what, n in counted.items() if n > POOL.get(what.rpartition(" ")[2], 0)}
    assert more == {}
