"""The dashboard as a page without code, behind a proxy's prefix, in a real browser.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

WAIT_MS = 30_000
ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"


@dataclass
class Visit:
    """A page and what it fetched, from where."""

    page: Page
    address: str
    fetched: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def visit(browser: Browser, season_folder: Callable[..., Path]) -> Iterator[Visit]:
    """The page that ``contimg-lab dashboard --base-url /a/b/`` serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "contimg_lab", "dashboard", str(season_folder()),
         "--no-browser", "--base-url", "/a/b/"],
        stdout=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = next(line.split()[1] for line in process.stdout if line.startswith("dashboard: "))
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        seen = Visit(page, address)
        page.on("requestfinished", lambda request: seen.fetched.append(request.url))
        page.on("websocket", lambda opened: seen.sockets.append(opened.url))
        page.goto(address)
        yield seen
        page.close()
        process.send_signal(signal.SIGINT)
        process.wait(60)
        assert process.returncode == 130
    finally:
        process.kill()
        process.communicate()


def status(place: urllib.parse.SplitResult, path: str) -> int:
    """Status of an answer, not following it elsewhere."""
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse().status
    connection.close()
    return answer


def test_rows_appear_and_no_code(visit: Visit) -> None:
    """The page must show the night's rows, and not one line of the cell that made it."""
    page = visit.page
    assert urllib.parse.urlsplit(page.url).path == "/a/b/"
    expect(page.locator(".contimg-panel tbody tr").first).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("Measurement Sets").first).to_be_visible()
    told = page.content()
    assert "import contimg_lab" not in told
    assert "await dashboard" not in told
    expect(page.locator(".jp-InputArea, .jp-CodeMirrorEditor, .input_area")).to_have_count(0)


def test_it_is_alive(visit: Visit) -> None:
    """A click on a failed run must bring its log: the kernel answers through the page."""
    page = visit.page
    page.get_by_role("tab", name="Jobs").click()
    row = page.locator(".contimg-panel tbody tr:visible").filter(has_text="conversion").first
    row.click()
    expect(page.locator(".contimg-log")).to_contain_text("RuntimeError")
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "dashboard_page.png", full_page=True)


def test_copy_as_code_is_selected(visit: Visit) -> None:
    """The button must show the code in a field that is focused and selected; Escape closes it."""
    page = visit.page
    page.get_by_role("button", name="Copy as code").last.click()
    area = page.locator("textarea.contimg-code")
    expect(area).to_be_focused()
    expect(area).to_have_value(re.compile(r"import contimg_lab as cl\n.*lab\.jobs\.table", re.S))
    assert area.evaluate("a => a.readOnly && a.selectionEnd - a.selectionStart == a.value.length")
    area.press("Escape")
    expect(area).to_have_count(0)


def test_one_port_and_nothing_from_afar(visit: Visit) -> None:
    """Everything must go through the one address and its prefix, the live connection too."""
    port = urllib.parse.urlsplit(visit.address).port
    begins = re.compile(rf"(https?|wss?)://localhost:{port}/a/b/|data:|blob:")
    assert visit.fetched
    assert [url for url in (*visit.fetched, *visit.sockets) if not begins.match(url)] == []
    assert len(visit.sockets) == 1


def test_nobody_comes_in_without_the_token(visit: Visit) -> None:
    """Without the token there must be no page, no live connection, and without the prefix none."""
    place = urllib.parse.urlsplit(visit.address)
    kernel = urllib.parse.urlsplit(visit.sockets[0])
    assert status(place, f"{place.path}?{place.query}") == 200
    assert status(place, place.path) == 302
    assert status(place, f"{place.path}?token=wrong") == 302
    assert status(place, kernel.path) == 403
    assert status(place, "/") == 404


def test_a_port_in_use(season_folder: Callable[..., Path]) -> None:
    """A port that another program holds must give one line that says so, and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        said = subprocess.run(
            [sys.executable, "-m", "contimg_lab", "dashboard", str(season_folder()),
             "--no-browser", "--port", str(held.getsockname()[1])],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert "--port" in line
