"""How soon a light curve is on screen: in a fresh kernel, and when a row is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .books import QUIET_MS, Site, beat, longest_stall, naive_book, our_book, settled
from .desk import Book
from .lines import Line, Side, spread

__all__ = ["CLICK_NAIVE", "CLICK_OURS", "first_curve", "row_to_curve"]

_FIRST_OURS = """
import time; begun = time.time()
import contimg_lab as cl
lab = await cl.open({folder!r})
panel = lab.sources.panel()
panel.select({source!r})
panel
"""
_FIRST_NAIVE = """
import time; begun = time.time()
import sqlite3
import pandas as pd
import matplotlib.pyplot as plt
rows = pd.read_sql("SELECT * FROM photometry WHERE source_id = ? ORDER BY mjd",
                   sqlite3.connect("file:{file}?mode=ro", uri=True), params=[{source!r}])
plt.errorbar(rows["mjd"], rows["flux_jy"], rows["flux_err_jy"], fmt="o")
plt.show()
"""
_UNCOUNTED = 3
_CELL_PICTURE = ".jp-OutputArea-output img"


def first_curve(site: Site) -> Iterator[Line]:
    """Fresh kernel to the first light curve."""
    source = site.source
    ours = _first(
        site, "first-ours", _FIRST_OURS.format(folder=site.folder, source=source),
        f"(ready) => front.curve({source!r}, ready)", f"() => front.curveSign({source!r})",
    )  # fmt: skip
    sign = f"document.querySelector({_CELL_PICTURE!r})"
    naive = site.naive and _first(
        site, "first-naive", _FIRST_NAIVE.format(file=site.file, source=source),
        f"(ready) => {sign} && (!ready || {sign}.complete)", f"() => {sign}?.complete",
    )  # fmt: skip
    yield Line(
        what="fresh kernel to the first light curve", ours=ours, naive=naive or None, goal=500.0,
        note="naive: sqlite3, pandas and pyplot in a cell, no panel",
    )  # fmt: skip


def _first(site: Site, name: str, cell: str, check: str, sign: str) -> Side | None:
    found = []
    with site.desk.book(name, [cell]) as book:
        for turn in range(site.few + 1):
            book.restart()
            book.page.evaluate(f"() => {{ window.shown = front.until({check}) }}")
            book.run(0, wait=False)
            book.page.evaluate("() => window.shown")
            at = book.page.evaluate(f"() => front.last({sign}, {QUIET_MS})")
            if turn:  # the first one pays the disk
                found.append(at - 1e3 * book.ask("begun"))
    return spread(found)


CLICK_OURS = """
async (at) => {
  const rows = [...document.querySelectorAll(".contimg-panel .contimg-grid tbody tr")];
  const row = rows[at % rows.length];
  const key = row.cells[0].textContent;
  const clicked = front.now();
  const shown = front.until((ready) => front.curve(key, ready));
  row.cells[0].click();
  const { changed, painted } = await shown;
  const since = front.messages.filter((m) => m.at >= clicked);
  return {
    key, clicked, changed, painted,
    asked: since.find((m) => m.direction === "send")?.id,
    answer: since.findLast((m) => m.direction === "recv" && m.kind === "comm_msg"
      && m.at <= changed),
  };
}
"""
CLICK_NAIVE = """
async (at) => {
  const select = document.querySelector("select[size]");
  const option = select.options[(37 * at + 11) % select.options.length];
  const before = front.naiveBefore();
  const clicked = front.now();
  const shown = front.until((ready) => front.naive(option.value, before, ready));
  option.selected = true;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  const { changed, painted } = await shown;
  return { key: option.value, clicked, changed, painted };
}
"""


def row_to_curve(site: Site) -> Iterator[Line]:
    """A row chosen in the table, until its curve is on screen; a writer is at work."""
    parts: dict[str, list[float]] = {"query": [], "kernel": [], "transport": [], "drawing": []}
    ours, naive = [], []
    with our_book(site, "row-ours") as book:
        beat(book, "rows chosen")
        for turn in range(site.many + _UNCOUNTED):
            told = book.page.evaluate(CLICK_OURS, turn)
            settled(book)
            if turn < _UNCOUNTED:
                continue
            ours.append(told["painted"] - told["clicked"])
            for name, spent in _parts(book, told).items():
                parts[name].append(spent)
        longest = longest_stall(book)
    if site.naive:
        with naive_book(site, "row-naive") as book:
            for turn in range(4 * site.few):
                told = book.page.evaluate(CLICK_NAIVE, turn)
                naive.append(told["painted"] - told["clicked"])
                book.page.wait_for_timeout(QUIET_MS)
    yield Line(
        what="row chosen to its curve", ours=spread(ours), naive=spread(naive), goal=60.0,
        at="p95",
    )  # fmt: skip
    for name, spent in parts.items():
        yield Line(what=f"  of that {name}", ours=spread(spent))
    yield longest


def _parts(book: Book, told: dict[str, Any]) -> dict[str, float]:
    asked, answer = told["asked"], told["answer"]
    found = book.ask(
        f"(probe.HEARD.get({asked!r}), probe.SENT.get({answer['id']!r} , (None,))[0], "
        f"[s for s in probe.SPENT if s[2] == {told['key']!r} and s[0] >= {told['clicked']}][:1])"
    )
    heard, sent, spent = found
    query = spent[0][1] - spent[0][0] if spent else 0.0
    return {
        "query": query,
        "kernel": sent - heard - query,
        "transport": (heard - told["clicked"]) + (answer["at"] - sent),
        "drawing": told["painted"] - answer["at"],
    }
