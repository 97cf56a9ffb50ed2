"""The table's grid answers the browser page by page; order and choice are by key."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import Any

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import contimg_lab as cl
from contimg_lab.panels import TABS, make_panel
from contimg_lab.panels._table import Column, Table, numbers

MANY = 20_000


class Browser:
    """What the grid sends, and a way to ask it."""

    def __init__(self, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
        self.grid = table._grid
        self.heard: list[dict[str, Any]] = []
        monkeypatch.setattr(self.grid, "send", lambda said: self.heard.append(said))

    def say(self, **asked: Any) -> None:
        self.grid._handle_custom_msg(asked, [])

    def last(self, kind: str) -> dict[str, Any]:
        return next(said for said in reversed(self.heard) if said["say"] == kind)


@pytest.fixture
def chosen() -> list[str | None]:
    return []


@pytest.fixture
def table(chosen: list[str | None]):
    made = Table("rows", 200, chosen.append)
    grid, handler, name = made.watched
    grid.observe(handler, name)
    yield made
    grid.unobserve(handler, name)
    for child in made.widget.children:
        child.layout.close()
        child.close()
    made.widget.close()


def fill(table: Table, count: int, **options: Any) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(7).permutation(count).astype(float)
    keys = [f"k{i}" for i in range(count)]
    columns = [Column(title="key", texts=keys), numbers("x", values, lambda x: f"{x:.0f}")]
    table.show(columns, keys, total=count, **options)
    return values


async def test_pages_are_asked_for_and_no_data_is_kept_in_the_widget(table, monkeypatch) -> None:
    """Only the page asked for may be sent, and none of it may be saved with the notebook."""
    browser = Browser(table, monkeypatch)
    fill(table, MANY)
    browser.say(do="page", start=MANY - 5, stop=MANY + 40)
    page = browser.last("page")
    assert [row["key"] for row in page["rows"]] == [f"k{i}" for i in range(MANY - 5, MANY)]
    assert page["version"] == browser.last("rows")["version"]
    state = json.dumps(table._grid.get_state(), default=str)
    assert len(state) < 60_000
    assert "k17" not in state
    browser.say(do="page", start=0, stop=10**9)
    assert len(browser.last("page")["rows"]) <= 1000


@pytest.mark.parametrize("count", [50, MANY])
async def test_a_header_sorts_all_rows_and_the_choice_stays(
    count, table, chosen, monkeypatch
) -> None:
    """The planted maximum must come first; the chosen key stays chosen, and is told no more."""
    browser = Browser(table, monkeypatch)
    values = fill(table, count)
    browser.say(do="choose", key="k7")
    assert chosen == ["k7"]
    browser.say(do="sort", by=1, down=True, start=0, stop=20)
    await table.settled()
    said = browser.last("rows")
    assert said["rows"][0]["key"] == f"k{int(values.argmax())}"
    assert (said["by"], said["down"], said["chosen"]) == (1, True, "k7")
    assert said["at"] == int((values > values[7]).sum())
    fill(table, count, selected="k7")  # a refresh
    await table.settled()
    assert browser.last("rows")["rows"] == said["rows"]
    browser.say(do="sort", by=None, down=False, start=0, stop=20)
    await table.settled()
    assert browser.last("rows")["rows"][0]["key"] == "k0"
    assert chosen == ["k7"]


async def test_the_latest_order_wins(table, monkeypatch) -> None:
    """Of orders asked for one after the other only the last may be shown."""
    browser = Browser(table, monkeypatch)
    values = fill(table, MANY)
    before = len(browser.heard)
    for down in (True, False, True):
        browser.say(do="sort", by=1, down=down, start=0, stop=20)
        await asyncio.sleep(0)
    await table.settled()
    said = [part for part in browser.heard[before:] if part["say"] == "rows"]
    assert [part["rows"][0]["key"] for part in said] == [f"k{int(values.argmax())}"]


async def test_the_loop_goes_on_while_rows_are_sorted(table, monkeypatch) -> None:
    """An order over many rows must be made off the event loop."""
    Browser(table, monkeypatch)
    fill(table, MANY)
    table.sort("x")
    assert table.rows.index is None
    turns = 0
    while table.rows.index is None:
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1


async def test_a_click_that_crosses_a_refresh_is_answered(table, chosen, monkeypatch) -> None:
    """Rows on their way when the reader clicked must not leave another row marked on screen."""
    browser = Browser(table, monkeypatch)
    fill(table, 100)
    seen = browser.last("rows")["told"]
    browser.say(do="choose", key="k5", told=seen)
    assert browser.heard[-1]["say"] == "rows"  # it knows: no answer
    fill(table, 100, selected="k5")
    browser.say(do="choose", key="k7", told=seen)
    said = browser.last("mark")
    assert (said["chosen"], said["at"], said["reveal"]) == ("k7", 7, False)
    assert chosen == ["k5", "k7"]


async def test_a_mark_is_not_a_choice(table, chosen, monkeypatch) -> None:
    """A row marked by others must be brought in sight, and be told to nobody."""
    browser = Browser(table, monkeypatch)
    fill(table, 100)
    table.mark("k99")
    said = browser.last("mark")
    assert (said["chosen"], said["at"], said["reveal"]) == ("k99", 99, True)
    told = len(browser.heard)
    table.mark("k99")
    assert len(browser.heard) == told
    table.mark("gone")
    assert browser.last("mark")["at"] is None
    assert chosen == []


async def test_a_filter_says_of_how_many(table, monkeypatch) -> None:
    """A filter must cover all rows; the caption always tells n of N."""
    browser = Browser(table, monkeypatch)
    fill(table, MANY, note=", last night", marked={"k19999"})
    assert table._caption.value == "20000 of 20000 rows, last night"
    table.filter("K1999", ["key"])
    await table.settled()
    assert table._caption.value == "11 of 20000 rows, last night"
    assert browser.last("rows")["rows"][-1] == {
        "key": "k19999",
        "cells": browser.last("rows")["rows"][-1]["cells"],
        "marked": True,
    }
    assert table.to_text().splitlines()[-1] == "11 of 20000 rows"


async def test_what_cannot_be_compared_is_told(table, monkeypatch) -> None:
    """Where values cannot be ordered the table must say so and stay as it is."""
    Browser(table, monkeypatch)
    column = Column(title="odd", texts=["a", "b"], sort_by=[{}, 1j])
    table.show([column], ["a", "b"], total=2)
    table.sort("odd")
    assert "could not be sorted by odd" in table._caption.value
    assert [row["key"] for row in table.rows.page(0, 2)] == ["a", "b"]
    table.show([column], ["a", "b"], total=2)
    assert "could not" not in table._caption.value


async def test_static_twin_has_at_most_twenty_rows(table, monkeypatch) -> None:
    """HTML and text must hold the first rows in the order shown, and say of how many."""
    Browser(table, monkeypatch)
    values = fill(table, MANY)
    table.sort("x", down=True)
    await table.settled()
    page, text = table.to_html(), table.to_text()
    assert page.count("<tr>") == 21
    assert f"k{int(values.argmax())}<" in page
    assert "20 of 20000 rows; sorted by x, down" in page
    assert text.splitlines()[1].split() == [f"k{int(values.argmax())}", str(MANY - 1)]


async def test_close_in_the_middle_of_a_sort_leaves_nothing() -> None:
    """A table closed while it sorts must end its task and be collected."""
    tasks, widgets = asyncio.all_tasks(), len(_instances)
    table = Table("rows", 200, lambda key: None)
    fill(table, MANY)
    table.sort("x")
    for child in table.widget.children:
        child.layout.close()
        child.close()
    table.widget.layout.close()
    table.widget.close()
    await asyncio.sleep(0.2)
    assert asyncio.all_tasks() == tasks
    assert len(_instances) <= widgets + 1  # the caption's style
    dead = weakref.ref(table)
    del table, child
    gc.collect()
    assert dead() is None


@pytest.mark.parametrize("name", [name for name in TABS if name not in ("night", "sign_off")])
async def test_a_row_chosen_in_the_grid_is_the_panels(name: str, demo: cl.Lab) -> None:
    """What the reader chooses in a panel's grid must become what the panel has chosen."""
    panel = make_panel(name, demo)
    await panel.settled()
    key = str(panel._table.rows.keys[0])
    panel._table._grid._handle_custom_msg({"do": "choose", "key": key}, [])
    await panel.settled()
    assert panel.selected == key
    panel.close()
