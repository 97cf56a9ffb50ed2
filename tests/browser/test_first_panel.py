"""The first panel in a fresh kernel: its frame, then rows, then the figure, with the times.

The page's own clock counts from the key that runs the cell (which imports, opens and shows) to
the frame of the screen after the one in which a thing is there. Times are printed, never judged:
they depend on the machine.
"""

from __future__ import annotations

import json
import statistics
import uuid
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

RUNS = 3
SEEN = {
    "layout": ".contimg-panel .contimg-title",
    "rows": ".contimg-panel [role=grid] tbody tr td:nth-child(2)",
    "figure": ".contimg-panel .contimg-plot canvas",
}
WATCH = """seen => {
  const times = window.contimgTimes = {};
  let start = null;
  document.addEventListener('keydown', event => {
    if (event.key === 'Enter' && event.shiftKey) start ??= performance.now();
  }, {capture: true});
  const look = () => {
    for (const [name, selector] of start === null ? [] : Object.entries(seen)) {
      const found = name in times ? null : document.querySelector(selector);
      if (found && found.offsetHeight > 0 && found.complete !== false) {
        times[name] = performance.now() - start;
        requestAnimationFrame(() => { times[name] = performance.now() - start; });
      }
    }
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture
def first(page: Page, address: str) -> Callable[[str, str], dict[str, float]]:
    """Run a cell in a fresh kernel, and tell when each thing was on screen (ms)."""
    parts = urlsplit(address)
    root, token = f"{parts.scheme}://{parts.netloc}", parse_qs(parts.query)["token"][0]
    headers = {"Authorization": f"token {token}"}
    browser = page.context.browser

    def run(code: str, last: str) -> dict[str, float]:
        name = f"first-{uuid.uuid4().hex[:8]}.ipynb"
        cell = {"cell_type": "code", "id": "first", "source": code, "metadata": {}}
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        book = {
            "cells": [cell | {"outputs": [], "execution_count": None}],
            "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5,
        }  # fmt: skip
        made = page.request.put(
            f"{root}/api/contents/{name}", headers=headers,
            data=json.dumps({"type": "notebook", "format": "json", "content": book}),
        )  # fmt: skip
        assert made.ok, made.text()
        fresh = browser.new_page(viewport={"width": 1400, "height": 1000})
        errors: list[str] = []
        fresh.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        fresh.on("pageerror", lambda error: errors.append(str(error)))
        fresh.goto(f"{root}/lab/workspaces/{name[:-6]}/tree/{name}?token={token}")
        fresh.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        fresh.locator(".jp-CodeCell .cm-content").first.click()
        fresh.evaluate(WATCH, SEEN)
        fresh.keyboard.press("Shift+Enter")
        fresh.wait_for_function("last => last in window.contimgTimes", arg=last, timeout=60_000)
        fresh.wait_for_timeout(200)  # for the frame after
        times: dict[str, float] = fresh.evaluate("window.contimgTimes")
        assert fresh.locator("[data-mime-type*='stderr']").count() == 0
        assert not errors, errors
        for session in page.request.get(f"{root}/api/sessions", headers=headers).json():
            if session["path"] == name:
                page.request.delete(f"{root}/api/sessions/{session['id']}", headers=headers)
        fresh.close()
        return times

    return run


@pytest.mark.parametrize(
    ("call", "last", "order"),
    [
        ("lab.jobs.panel()", "rows", ("layout", "rows")),
        pytest.param(
            "lab.sources.panel()", "figure", ("layout", "rows", "figure"), marks=pytest.mark.slow
        ),
    ],
)
def test_rows_come_before_what_is_heavy(first, season_folder, capsys, call, last, order):
    """The frame, the rows and the figure must appear in this order."""
    cache = str(season_folder().parent)
    code = f"import contimg_lab as cl\nlab = await cl.demo(cache={cache!r})\n{call}"
    runs = [first(code, last) for _ in range(RUNS)]
    with capsys.disabled():
        told = ", ".join(f"{name} {statistics.median(r[name] for r in runs):.0f}" for name in order)
        print(f"\n{call} in a fresh kernel, ms from the start of the cell: {told}")
    for times in runs:
        assert [times[name] for name in order] == sorted(times[name] for name in order)
        assert last == "rows" or times["rows"] < times[last]
