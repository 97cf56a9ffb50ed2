"""How soon a light curve is on screen: in a fresh kernel, and when a row is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .books import QUIET_MS, Site, beat, longest_stall, naive_book, our_book
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
_LOOKED_AT_MS = 700
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
        clicks = _clicks(book, site.many + _UNCOUNTED)
        longest = longest_stall(book)
        stamps = book.ask("probe.stamps()")
    for told in clicks[_UNCOUNTED:]:
        ours.append(told["painted"] - told["clicked"])
        for name, spent in _parts(told, **stamps).items():
            parts[name].append(spent)
    if site.naive:
        with naive_book(site, "row-naive") as book:
            for turn in range(4 * site.few):
                told = _click(book, CLICK_NAIVE, turn)
                naive.append(told["painted"] - told["clicked"])
    yield Line(
        what="row chosen to its curve", ours=spread(ours), naive=spread(naive), goal=60.0,
        at="p95",
    )  # fmt: skip
    for name, spent in parts.items():
        yield Line(what=f"  of that {name}", ours=spread(spent))
    yield longest


def _clicks(book: Book, wanted: int) -> list[dict[str, Any]]:
    """Click until so many clicks were followed by the curve that they asked for.

    Others fell together with a curve of the writer's commits, and tell nothing of a click.
    """
    clicks: list[dict[str, Any]] = []
    for turn in range(3 * wanted):
        told = _click(book, CLICK_OURS, turn)
        clicks += [told] if told["asked"] is not None else []
        if len(clicks) == wanted:
            return clicks
    raise RuntimeError(f"of {3 * wanted} clicks only {len(clicks)} had a curve of their own")


def _click(book: Book, how: str, turn: int) -> dict[str, Any]:
    """Click as somebody does who looks at each curve: the kernel is asked nothing meanwhile."""
    told: dict[str, Any] = book.page.evaluate(how, turn)
    book.page.wait_for_timeout(_LOOKED_AT_MS)
    return told


def _parts(
    told: dict[str, Any],
    heard: dict[str, float],
    sent: dict[str, float],
    spent: list[tuple[float, float, str]],
) -> dict[str, float]:
    """Where the time between a click and the curve's paint went, ms."""
    asked, answer = heard[told["asked"]], told["answer"]
    begun, ended, _ = next(
        one for one in spent if one[2] == told["key"] and one[0] >= told["clicked"]
    )
    query = ended - begun
    out = sent[answer["id"]]
    return {
        "query": query,
        "kernel": out - asked - query,
        "transport": (asked - told["clicked"]) + (answer["at"] - out),
        "drawing": told["painted"] - answer["at"],
    }
