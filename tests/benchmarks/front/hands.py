"""What hands feel while the kernel has work: a click, Cancel, letters typed."""

from __future__ import annotations

from collections.abc import Iterator

from .books import OURS, Site, beat, longest_stall, naive_book, our_book
from .curves import CLICK_NAIVE, CLICK_OURS
from .desk import Book
from .kernel import slow_sql
from .lines import Line, spread

__all__ = ["typing", "while_a_query_runs"]

_PANEL = ".contimg-panel"
_TYPED = "NVSS J0"
_SLOW = "slow = probe.SlowPanel(lab)\nslow.sql = sql\nslow"
_PRESS = """
(words) => [...document.querySelectorAll(".jupyter-button")]
  .findLast((button) => button.textContent.trim() === words).click()
"""
_CANCEL = """
async ([scope, words]) => {
  const told = () => [...document.querySelectorAll(scope)].at(-1)?.textContent.includes(words);
  const button = [...document.querySelectorAll(".jupyter-button")].findLast(
    (button) => button.textContent.trim() === "Cancel");
  await front.until(() => !told());
  const clicked = front.now();
  const shown = front.until(told);
  button.click();
  return { clicked, ...(await shown) };
}
"""
_INTO_MS = 500
_SLOW_S = 3.0
_TOO_LONG_S = 100.0


def while_a_query_runs(site: Site) -> Iterator[Line]:
    """A click, and Cancel, while a slow query runs."""
    ours: dict[str, list[float]] = {"click": [], "cancel": [], "ended": []}
    naive: dict[str, list[float]] = {"click": [], "cancel": []}
    acted = []
    with our_book(site, "slow-ours", OURS, _SLOW) as book:
        steps_per_s = book.ask("probe.steps_per_s()")
        # far too long: only Cancel ends it
        book.ask(f"globals().update(sql=probe.slow_sql({round(_TOO_LONG_S * steps_per_s)}))")
        book.run(2)
        book.page.wait_for_timeout(_INTO_MS)
        beat(book, "a slow query under way")
        for turn in range(site.few):
            _begin(book, "Refresh")
            click = book.page.evaluate(CLICK_OURS, turn + 1)
            cancel = book.page.evaluate(_CANCEL, [".contimg-status", "cancelled after"])
            acted.append((click, cancel))
            book.page.wait_for_timeout(_INTO_MS)
        longest = longest_stall(book)
        ends = book.ask("slow.ends")
    for (click, cancel), (ended, how) in zip(acted, ends, strict=True):
        assert how == "cancelled"
        assert click["painted"] < ended, "the click waited for the query"
        ours["click"].append(click["painted"] - click["clicked"])
        ours["cancel"].append(cancel["painted"] - cancel["clicked"])
        ours["ended"].append(ended - cancel["clicked"])
    if site.naive:
        slow = slow_sql(round(_SLOW_S * steps_per_s))
        with naive_book(site, "slow-naive", live=False, slow=slow) as book:
            for turn in range(site.few):
                _begin(book, "Count")
                told = book.page.evaluate(CLICK_NAIVE, turn + 1)
                naive["click"].append(told["painted"] - told["clicked"])
                _begin(book, "Count")
                told = book.page.evaluate(_CANCEL, [".naive-said", "cancelled"])
                naive["cancel"].append(told["painted"] - told["clicked"])
                book.page.wait_for_timeout(_INTO_MS)
    yield Line(
        what=f"a click while a {_SLOW_S:g} s query runs", ours=spread(ours["click"]),
        naive=spread(naive["click"]), goal=100.0,
        note=f"{_INTO_MS / 1e3:g} s into it, until another curve is painted",
    )  # fmt: skip
    yield Line(
        what="cancel, said on screen", ours=spread(ours["cancel"]),
        naive=spread(naive["cancel"]), goal=200.0, note="naive: heard when the query is over",
    )  # fmt: skip
    yield Line(what="cancel, the query has ended", ours=spread(ours["ended"]), goal=200.0)
    yield longest


def _begin(book: Book, words: str) -> None:
    book.page.evaluate(_PRESS, words)
    book.page.wait_for_timeout(_INTO_MS)


def typing(site: Site) -> Iterator[Line]:
    """Letters typed into a filter while the panel is live."""
    naive: list[float] = []
    with our_book(site, "typing-ours") as book:
        beat(book, "typing while live")
        ours = _type(book, f"{_PANEL} input[type=text]", max(1, site.many // len(_TYPED)))
        typed = longest_stall(book)
        beat(book, "live, nobody touches it")
        book.page.wait_for_timeout(int(500 * site.idle_s))
        alone = longest_stall(book)
    if site.naive:
        with naive_book(site, "typing-naive") as book:
            naive = _type(book, ".jp-OutputArea input[type=text]", 2)
    yield Line(
        what="typing echo while live", ours=spread(ours), naive=spread(naive), goal=50.0,
        at="p95",
    )  # fmt: skip
    yield typed
    yield alone


def _type(book: Book, selector: str, times: int) -> list[float]:
    field = book.page.locator(selector).first
    field.evaluate("(field) => { front.echoes.length = 0; front.echo(field) }")
    field.focus()
    for _ in range(times):
        for letter in _TYPED:
            book.page.keyboard.press(letter)
            book.page.wait_for_timeout(110)
        for _ in _TYPED:
            book.page.keyboard.press("Backspace")
            book.page.wait_for_timeout(70)
    book.page.wait_for_timeout(1000)
    return [echo["ms"] for echo in book.page.evaluate("front.echoes")]
