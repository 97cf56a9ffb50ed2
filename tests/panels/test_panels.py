"""What the panels show of real databases, live and saved."""

from __future__ import annotations

import asyncio
import html
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

import contimg_lab as cl
from contimg_lab.panels import PANELS, TABS, make_panel

CELLS = (
    "night",
    "sign_off",
    "calendar",
)  # without rows of the pipeline; their own tests are hostile
SCRIPT = "<script>alert('x')</script>"


def html_of(widget: Any) -> Iterator[str]:
    """Every piece of HTML that a panel has put on screen."""
    if isinstance(widget, ipywidgets.HTML):
        yield widget.value
    for child in getattr(widget, "children", ()):
        yield from html_of(child)


@pytest.mark.parametrize("name", list(PANELS))
async def test_every_panel_opens_on_every_database(name: str, lab: cl.Lab) -> None:
    """A panel must show rows, or say in words what this site lacks; live and saved alike."""
    panel = make_panel(name, lab)
    await asyncio.wait_for(panel.settled(), 60)
    bundle = panel._repr_mimebundle_()
    assert panel.state in {"showing", "failed"}
    if panel.state == "failed":
        assert "contimg-error" in panel._head.status.value
        assert "this panel did not expect" not in panel._head.status.value
    else:
        assert len(panel.to_pandas())
        assert re.search(r"\d+ of \d+ ", bundle["text/html"])
        assert re.search(r"\d+ of \d+ ", bundle["text/plain"])
    assert "0x" not in bundle["text/plain"]
    panel.close()


@pytest.mark.parametrize("name", ["pointings", "caltables", "images", "sources", "variability"])
async def test_saved_page_has_table_figure_and_numbers(name: str, demo: cl.Lab) -> None:
    """For a reader without a kernel there must be a table, a picture, and its numbers in words."""
    panel = make_panel(name, demo)
    await panel.settled()
    page = panel._repr_mimebundle_()["text/html"]
    assert "<table" in page
    picture = re.search(r'<img style="[^"]*" alt="([^"]+)" src="data:image/png;base64,', page)
    assert picture is not None
    assert re.search(r"\d", picture[1])
    assert panel.figure() is not None
    panel.close()


async def test_last_night_is_the_default_and_failures_come_first(demo: cl.Lab) -> None:
    """Jobs must open on the last night, failed runs on top, with counts by status and cause."""
    panel = demo.jobs.panel()
    await panel.settled()
    runs = await demo.jobs.table(night=await demo.last_night())
    shown = panel.to_pandas()
    failed = int((runs["status"] == "failed").sum())
    assert sorted(shown["run_id"]) == sorted(runs["run_id"])
    assert set(shown["status"].head(failed)) <= {"failed"}
    assert f"{len(runs)} runs" in panel._head.status.value
    panel.close()


async def test_filters_narrow_and_are_not_replaced(demo: cl.Lab) -> None:
    """Night, status and text must narrow the table; the controls stay the same widgets."""
    panel = demo.jobs.panel(night="all")
    await panel.settled()
    controls = list(panel._head.widgets[0].children)
    every = panel.to_pandas()
    panel._status_filter.value = "failed"
    await panel.settled()
    failed = panel.to_pandas()
    assert set(failed["status"]) == {"failed"}
    assert len(failed) == int((every["status"] == "failed").sum())
    assert f"{len(failed)} of {len(every)} runs" in panel._table._caption.value
    wanted = failed["run_id"].iloc[0]
    panel._text.widget.value = wanted.upper()
    await panel.settled()
    assert wanted in set(panel.to_pandas()["run_id"])
    assert len(panel.to_pandas()) < len(failed)
    assert list(panel._head.widgets[0].children) == controls
    assert panel._status_filter.value == "failed"
    panel.close()


async def test_a_night_that_is_none_is_told(demo: cl.Lab) -> None:
    """A night that is no date must be refused in words, in the panel."""
    panel = demo.jobs.panel(night="yesterday")
    await panel.settled()
    assert panel.state == "failed"
    assert "YYYY-MM-DD" in panel._head.status.value
    panel.close()


async def test_a_chosen_job_shows_its_log_and_links(demo: cl.Lab) -> None:
    """Choosing a failed run must show its own log's lines, which log it is, and its MS."""
    panel = demo.jobs.panel(night="all", status="failed")
    await panel.settled()
    run = panel.to_pandas().iloc[0]
    panel._table._grid._handle_custom_msg({"do": "choose", "key": run["run_id"]}, [])
    await panel.settled()
    tail = await demo.jobs.read_log_tail(run["run_id"])
    assert panel.selected == run["run_id"]
    assert tail.why in html.unescape(panel._log_name.value)
    assert run["ms_path"] in panel._links.value
    assert run["ms_path"] in panel._repr_mimebundle_()["text/html"]
    panel.close()


async def test_an_unknown_job_is_told_where_the_detail_would_be(demo: cl.Lab) -> None:
    """A run id that no MS has must be told in words, and leave the table alone."""
    panel = demo.jobs.panel()
    await panel.settled()
    panel.select("job-1999-01-01-000000")
    await panel.settled()
    assert "No " in panel._log_name.value
    assert len(panel.to_pandas())
    panel.close()


async def test_a_chosen_pointing_is_ringed(demo: cl.Lab) -> None:
    """Choosing an MS must ring it on the sky and show its metadata."""
    panel = demo.ms.panel()
    await panel.settled()
    path = panel.to_pandas()["path"].iloc[2]
    panel.select(path)
    await panel.settled()
    lines = [str(line.get_label()) for line in panel.figure().axes[0].lines]
    assert "selected" in lines
    assert path in panel._facts.value
    assert panel._table._grid.chosen == path
    panel.close()


async def test_a_chosen_source_shows_its_light_curve(demo: cl.Lab) -> None:
    """Choosing a source must draw its light curve and give the same numbers as the Lab."""
    panel = demo.sources.panel()
    await panel.settled()
    row = panel.to_pandas().iloc[0]
    panel.select(row["source_id"])
    await panel.settled()
    assert row["source_id"] in panel.figure().axes[0].get_title()
    assert f"{row['n_used']} (" in panel._facts.value
    assert row["source_id"] in panel._repr_mimebundle_()["text/html"]
    panel.close()


async def test_sources_are_sorted_over_all_rows(demo: cl.Lab) -> None:
    """Sorting must cover every source, not only those on screen."""
    panel = demo.sources.panel()
    await panel.settled()
    eta = (await demo.sources.table())["eta"]
    assert panel.to_pandas()["eta"].iloc[0] == eta.max()
    panel._sort.widget.value = "n_used"
    await panel.settled()
    used = panel.to_pandas()["n_used"]
    assert used.is_monotonic_decreasing
    panel.close()


async def test_coverage_is_counted_as_the_lab_counts(demo: cl.Lab) -> None:
    """The summary must agree with the coverage table, state by state."""
    panel = demo.caltables.panel()
    await panel.settled()
    covers = await demo.caltables.coverage(await demo.last_night())
    for kind, group in covers.groupby("table_type"):
        assert str(kind) in panel._covered.value
        for state, n in group["state"].value_counts().items():
            assert f"{n} {state}" in panel._covered.value
    panel.close()


async def test_every_row_is_in_the_table_and_is_sorted(demo: cl.Lab) -> None:
    """All rows must be in the table and sorted together, by its header or by the panel."""
    panel = demo.jobs.panel(night="all")
    await panel.settled()
    total = len(panel.to_pandas())
    assert f"{total} of {total} runs" in panel._table._caption.value
    took = panel.to_pandas().set_index("run_id")["duration_s"]
    panel._table.sort("took", down=True)
    await panel._table.settled()
    top = panel._table.rows.page(0, 1)[0]
    assert took[top["key"]] == took.max()
    assert "sorted by took, down" in panel._table._caption.value
    panel._status_filter.value = "failed"  # the order of the header stays
    await panel.settled()
    failed = panel.to_pandas().set_index("run_id")["duration_s"]
    assert failed[panel._table.rows.page(0, 1)[0]["key"]] == failed.max()
    panel._sort.widget.value = "latest"  # until the panel is asked for another
    await panel.settled()
    assert panel._table.rows.page(0, 1)[0]["key"] == panel.to_pandas()["run_id"].iloc[0]
    assert "sorted by" not in panel._table._caption.value
    panel.close()


@pytest.mark.parametrize("name", [name for name in TABS if name not in CELLS])
async def test_hostile_strings_are_escaped(name: str, copy_of: Callable[..., Path]) -> None:
    """Whatever stands in the database must be shown as text, never run."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as connection:
        path = connection.execute("SELECT max(ms_path) FROM images").fetchone()[0]
        evil = path.replace(".ms", f"{SCRIPT}.ms")
        for table, column in (("ms_index", "path"), ("jobs", "ms_path"), ("images", "ms_path")):
            connection.execute(f"UPDATE {table} SET {column}=? WHERE {column}=?", (evil, path))
        connection.execute(
            "UPDATE ms_index SET status=?, stage=?, field_name=? WHERE path=?",
            (SCRIPT, SCRIPT, SCRIPT, evil),
        )
        connection.execute("UPDATE jobs SET logs=?, type=?", (f"ERROR {SCRIPT}", SCRIPT))
        connection.execute(
            "UPDATE caltables SET set_name=?, cal_field=?, notes=?, quality_metrics=?",
            (SCRIPT, SCRIPT, SCRIPT, SCRIPT),
        )
        connection.execute("UPDATE photometry SET source_id = source_id || ?", (SCRIPT,))
    connection.close()
    async with cl.open(folder) as lab:
        panel = make_panel(name, lab)
        await panel.settled()
        frame = panel.to_pandas()
        keys = {"jobs": "run_id", "sources": "source_id", "variability": "source_id"}
        key = keys.get(name, "path")
        hostile = frame[[SCRIPT in str(row) for row in frame.to_dict("records")]]
        assert len(hostile)
        panel.select(hostile[key].iloc[0])
        await panel.settled()
        assert panel.state == "showing"
        pages = [*html_of(panel), panel._repr_mimebundle_()["text/html"]]
        assert any("&lt;script&gt;" in page for page in pages)
        assert not any("<script" in page for page in pages)
        panel.close()
