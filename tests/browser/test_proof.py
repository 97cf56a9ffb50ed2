"""What a real JupyterLab saves still proves its numbers: its browser writes proofs its own way."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OPEN = """
import contimg_lab as cl
lab = await cl.open({folder!r})
report = await lab.qa.night(await lab.last_night())
pass
"""
PARTS = ("verdict", "noise", "thresholds")


def test_a_notebook_saved_by_a_browser_holds(
    season_folder: Callable[..., Path],
    notebook: Callable[..., Page],
    address: str,
    tmp_path: Path,
) -> None:
    """Run and saved in JupyterLab, every part is the same against the database."""
    folder = season_folder()
    page = notebook(
        "proof", OPEN.format(folder=str(folder)), *(f"report.part({part!r})" for part in PARTS)
    )
    shown = page.locator(".jp-RenderedHTMLCommon .cl-report")
    expect(shown).to_have_count(len(PARTS), timeout=60_000)
    expect(shown.nth(1)).to_contain_text("protects against images that are worse")
    page.keyboard.press("Control+s")
    server = urllib.parse.urlsplit(address)
    token = urllib.parse.parse_qs(server.query)["token"][0]
    saving = urllib.request.Request(
        f"{server.scheme}://{server.netloc}/api/contents/proof.ipynb",
        headers={"Authorization": f"token {token}"},
    )
    saved: dict[str, Any] = {}
    for _ in range(50):
        with urllib.request.urlopen(saving) as answer:
            saved = json.load(answer)["content"]
        if all(cell["outputs"] for cell in saved["cells"][1:]):
            break
        page.wait_for_timeout(200)
    path = tmp_path / "proof.ipynb"
    path.write_text(json.dumps(saved), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "contimg_lab", "verify", path, "--against", folder],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": same") == len(PARTS)
