"""A real JupyterLab, served by our own command line, in a real browser."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page

ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of JupyterLab on the explore notebook, as ``contimg-lab demo`` prints it."""
    folder = tmp_path_factory.mktemp("browser")
    process = subprocess.Popen(
        [sys.executable, "-m", "contimg_lab", "demo", "--no-browser",
         "--cache", str(folder / "cache"), "--folder", str(folder / "work")],
        stdout=subprocess.PIPE, text=True,
        env={**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
             "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")},
    )  # fmt: skip
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        found = re.search(r"https?://\S+", line)
        if found:
            break
    else:
        pytest.fail("no address: " + "".join(said))
    yield found[0]
    process.send_signal(signal.SIGINT)
    process.wait(30)


@pytest.fixture(scope="session")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """JupyterLab in Chromium, nothing fetched from outside."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(30_000)
    outside: list[str] = []
    page.on("request", lambda r: outside.append(r.url) if _is_outside(r.url) else None)
    page.goto(address)
    yield page
    assert not outside, outside


@pytest.fixture(scope="module")
def notebook(address: str, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a notebook of given cells in JupyterLab, in a context of its own, and runs them all.

    ``before`` is evaluated in the page first. Nothing may be fetched from outside.
    """
    parts = urllib.parse.urlsplit(address)
    root = f"{parts.scheme}://{parts.netloc}"
    token = urllib.parse.parse_qs(parts.query)["token"][0]
    contexts = []
    outside: list[str] = []

    def opened(
        name: str, *cells: str, width: int = 1400, height: int = 1000, before: str = ""
    ) -> Page:
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
        made = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
        book = nbformat.v4.new_notebook(cells=made, metadata=kernel)
        put = urllib.request.Request(
            f"{root}/api/contents/{name}.ipynb",
            data=json.dumps({"type": "notebook", "content": book}).encode(),
            headers={"Authorization": f"token {token}"},
            method="PUT",
        )
        urllib.request.urlopen(put).close()
        contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        page = contexts[-1].new_page()
        page.on("request", lambda r: outside.append(r.url) if _is_outside(r.url) else None)
        page.set_default_timeout(30_000)
        page.goto(f"{root}/lab/workspaces/{name}/tree/{name}.ipynb?token={token}")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        if before:
            page.evaluate(before)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu-item").filter(has_text="Run All Cells").first.click()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not outside, outside


@pytest.fixture
def shot(page: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a screenshot of what the test ended with, to be looked at."""
    yield
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{request.node.name}.png")


def _is_outside(url: str) -> bool:
    return not re.match(r"(https?|wss?)://(localhost|127\.0\.0\.1|\[::1\])[:/]|data:|blob:", url)
