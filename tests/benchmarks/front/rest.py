"""What a panel costs while nothing happens, and what it leaves: messages, files, memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from contimg_lab.panels import PANELS

from .books import OURS, QUIET_MS, Site, naive_book, our_book, settled
from .desk import Book
from .lines import Line, value

__all__ = ["for_ever", "nothing_new", "saved"]

_READ_MS = 6000  # what was committed before is read by then
_RESTED_MS = 4000  # a panel's saved twin is drawn by then
_SEEN_S = 0.15
_COUNTED = (
    ("rss_mb", "MB", 5.0), ("heap_mb", "MB", 5.0), ("tasks", "", 0.0), ("threads", "", 0.0),
    ("comms", "", 0.0), ("widgets", "", 0.0), ("files", "", 0.0),
)  # fmt: skip
_CHOOSE = """
() => {
  const cell = document.querySelector(".contimg-panel .contimg-grid tbody td");
  if (cell?.checkVisibility()) cell.click();
}
"""
# the constructor of each comm connects to the kernel's status for ever (JupyterLab 4.6,
# services/src/kernel/comm.ts), so that its widget's model and view are kept when it is closed
_MEND = """
() => {
  const status = jupyterapp.shell.currentWidget.sessionContext.session.kernel.statusChanged;
  const connect = status.connect.bind(status);
  status.connect = (slot, context) =>
    String(slot).includes("_cleanSubshells") || connect(slot, context);
}
"""
_AGAIN = """
async def again():
    panel.refresh()
    if hasattr(panel, "settled"):
        await panel.settled()
await probe.refresh(again, {times})
"""


def nothing_new(site: Site) -> Iterator[Line]:
    """Live, while nothing is committed."""
    naive = None
    with site.pause():
        with our_book(site, "idle-ours") as book:
            ours = _idle(book, site.idle_s)
        if site.naive:
            with naive_book(site, "idle-naive") as book:
                naive = _idle(book, site.idle_s)
    what = f"nothing new for {site.idle_s:g} s"
    for at, (name, unit, goal) in enumerate((("messages", "", 0.0), ("kernel's CPU", "%", None))):
        yield Line(
            what=f"{what}: {name}", unit=unit, ours=value(ours[at]), goal=goal,
            naive=None if naive is None else value(naive[at]), note=ours[2] if at == 0 else "",
        )  # fmt: skip


def _idle(book: Book, idle_s: float) -> tuple[int, float, str]:
    """Messages that came, per cent of a core that the kernel took, and kinds of the messages."""
    book.ask("heart.stop()")
    book.page.wait_for_timeout(_READ_MS)
    cpu_s, at_s = book.ask("probe.cpu_s()")
    begun = book.page.evaluate("front.now()") + QUIET_MS
    book.page.wait_for_timeout(int(1e3 * idle_s) + QUIET_MS)
    ended = book.page.evaluate("front.now()")
    came = book.page.evaluate("([a, b]) => front.arrivals(a, b)", [begun, ended])
    then_s, end_s = book.ask("probe.cpu_s()")
    kinds = ", ".join(sorted({message["kind"] for message in came}))
    return len(came), 100.0 * (then_s - cpu_s) / (end_s - at_s), kinds


def saved(site: Site) -> Iterator[Line]:
    """The size of what is left of each panel in a saved notebook, its first row chosen."""
    with site.pause():
        for name in PANELS:
            make = f"import contimg_lab.panels\npanel = cl.panels.make_panel({name!r}, lab)\npanel"
            with our_book(site, f"saved-{name}", make) as book:
                book.page.evaluate(_CHOOSE)
                book.page.wait_for_timeout(QUIET_MS)
                settled(book)
                yield _saved_line(f"saved: {name}", book.save(), ours=True)
        if site.naive:
            with naive_book(site, "saved-naive", live=False) as book:
                yield _saved_line("saved: the naive panel", book.save(), ours=False)


def _saved_line(what: str, made: dict[str, Any], *, ours: bool) -> Line:
    outputs = json.dumps(made["cells"][1]["outputs"], ensure_ascii=False)
    state = json.dumps(made["metadata"].get("widgets", {}), ensure_ascii=False)
    pictures = re.findall(r"<img[^>]*>", outputs.replace('\\"', '"'))
    told = [tag for tag in pictures if re.search(r'alt="[^"]{20,}"', tag)]
    size = value(len(outputs.encode()) / 1e3)
    return Line(
        what=what, unit="kB", ours=size if ours else None, naive=None if ours else size,
        goal=100.0 if ours else None,
        note=f"{len(pictures)} pictures, {len(told)} with words; "
        f"{len(state.encode()) / 1e3:.0f} kB more where widget state is saved",
        extra={"pictures": len(pictures), "told": len(told)},
    )  # fmt: skip


def for_ever(site: Site) -> Iterator[Line]:
    """What grows while a panel reads again and again, and while panels come and go."""
    naive: list[dict[str, float]] = []
    with site.pause():
        with our_book(site, "ever-ours", OURS, *_ever("lab.sources.panel", site)) as book:
            ours = _grown(book)
        if site.naive:
            cells = _ever(f"lambda: Naive({site.file!r})", site)
            with naive_book(site, "ever-naive", *cells, live=False) as book:
                naive = _grown(book)
    openings = f"{site.openings} open and close"
    for at, what in enumerate((f"{site.refreshes} refreshes", openings)):
        for name, unit, goal in _COUNTED:
            yield Line(
                what=f"{what}: {name.removesuffix('_mb')}", unit=unit, goal=goal, note="growth",
                ours=value(ours[at][name]),
                naive=value(naive[at][name]) if naive else None,
            )  # fmt: skip
    yield Line(
        what=f"{openings}, JupyterLab mended: heap", unit="MB", ours=value(ours[2]["heap_mb"]),
        naive=value(naive[2]["heap_mb"]) if naive else None, goal=5.0,
        note="growth; as it is, JupyterLab keeps the comm of every widget that was closed",
    )  # fmt: skip


def _ever(make: str, site: Site) -> list[str]:
    """Cells: refreshes and openings, each first a few, after which nothing must grow."""
    few = [max(3, times // 4) for times in (site.refreshes, site.openings)]
    return [
        *(_AGAIN.format(times=times) for times in (few[0], site.refreshes)),
        *(
            f"await probe.open_and_close({make}, {times}, {_SEEN_S})"
            for times in (few[1], site.openings)
        ),
    ]


def _grown(book: Book) -> list[dict[str, float]]:
    """What grew in refreshes, in openings, and in openings without JupyterLab's own leak."""
    book.ask("heart.stop()")
    found = []
    for first, mended in ((2, False), (4, False), (4, True)):
        if mended:
            book.page.evaluate(_MEND)
        book.run(first)
        before = _state(book)
        book.run(first + 1)
        after = _state(book)
        found.append({name: after[name] - before[name] for name in after})
    return found


def _state(book: Book) -> dict[str, float]:
    book.page.wait_for_timeout(_RESTED_MS)
    book.page.evaluate("() => { front.messages.length = 0 }")
    told: dict[str, float] = book.ask("probe.state()")
    return told | {"heap_mb": book.heap_mb()}
