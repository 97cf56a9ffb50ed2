"""A table of a million rows: shown, and sorted over all of them."""

from __future__ import annotations

from collections.abc import Iterator

from .books import Site
from .lines import Line, Side, spread, value

__all__ = ["large_table"]

_ROWS = """
import numpy as np
random = np.random.default_rng(3)
at = np.arange({rows})
flux = random.lognormal(-3.0, 1.0, len(at))
flux[{planted}] = 1e3
flux[::1000] = np.nan
names = np.char.mod("NVSS J%07d+1616", at)
mjd = 60900.0 + at * 1e-4
"""
_TABLE_OURS = """
import time
from contimg_lab.panels._table import Column, Table, numbers
from contimg_lab.panels._words import number
table = Table("measurements", 300, lambda key: None)
begun = time.time()
columns = [
    Column(title="source", texts=names),
    numbers("MJD (UTC)", mjd, lambda x: f"{x:.5f}"),
    numbers("flux (Jy)", flux, lambda x: number(x, 4)),
]
table.show(columns, names, total=len(names))
table.widget
"""
_TABLE_NAIVE = """
import time
import ipywidgets as widgets
import pandas as pd
begun = time.time()
frame = pd.DataFrame({"source": names, "MJD": mjd, "flux": flux})
table = widgets.HTML(frame.to_html(max_rows=None), layout={"height": "300px", "overflow": "auto"})
table.add_class("naive-table")
sort = widgets.Button(description="sort by flux")
def on_sort(button):
    table.value = frame.sort_values("flux", ascending=False).to_html(max_rows=None)
sort.on_click(on_sort)
widgets.VBox([sort, table])
"""
_TOP = "document.querySelector('{scope} tbody tr')?.textContent.includes('J{number:07d}')"
_SORT = """
async ([button, clicks, scope, wanted]) => {
  const top = () => document.querySelector(`${scope} tbody tr`);
  let begun;
  for (let left = clicks; left > 0; left--) {
    const known = top().textContent;
    begun = front.now();
    document.querySelector(button).click();
    if (left > 1) await front.until(() => top() && top().textContent !== known);
  }
  return (await front.until(() => top()?.textContent.includes(wanted))).painted - begun;
}
"""


def large_table(site: Site) -> Iterator[Line]:
    """A table of very many rows: shown, and sorted over all of them."""
    ours = _table(
        site, "table-ours", site.table_rows, _TABLE_OURS, ".contimg-grid",
        ".contimg-grid thead th:nth-child(3)", 2,
    )  # fmt: skip
    naive: tuple[Side | None, ...] = (None, None)
    if site.naive:
        naive = _table(
            site, "table-naive", site.naive_rows, _TABLE_NAIVE, ".naive-table",
            ".jp-OutputArea .jupyter-button", 1,
        )  # fmt: skip
    note = f"naive: {site.naive_rows:,} rows, all of them in the page"
    rows = f"{site.table_rows:,} rows"
    yield Line(what=f"{rows} shown", ours=ours[0], naive=naive[0], goal=300.0, note=note)
    yield Line(what=f"{rows} sorted", ours=ours[1], naive=naive[1], goal=500.0, note=note)
    yield Line(
        what=f"{rows}: most rows in one message", unit="", ours=ours[2], goal=1000.0,
        note="a page; scrolled and sorted",
    )  # fmt: skip


def _table(
    site: Site, name: str, rows: int, cell: str, scope: str, button: str, clicks: int
) -> tuple[Side | None, Side | None, Side | None]:
    planted = 2 * rows // 3
    cells = [_ROWS.format(rows=rows, planted=planted), cell]
    shown, ordered, most = [], [], []
    with site.desk.book(name, cells) as book:
        book.run(0)
        for turn in range(site.few + 1):
            book.page.evaluate(
                "() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"
            )
            top = _TOP.format(scope=scope, number=0)
            book.page.evaluate(f"() => {{ window.shown = front.until(() => {top}) }}")
            book.run(1, wait=False)
            painted = book.page.evaluate("async () => (await window.shown).painted")
            begun = 1e3 * book.ask("begun")
            took = book.page.evaluate(_SORT, [button, clicks, scope, f"J{planted:07d}"])
            if turn:  # the first one imports
                shown.append(painted - begun)
                ordered.append(took)
            most.append(book.page.evaluate("() => Math.max(...front.messages.map((m) => m.rows))"))
    return spread(shown), spread(ordered), value(max(most))
