"""Voila on one notebook: its outputs as a page, without its code and without a way to run any."""

from __future__ import annotations

import html
import re
import subprocess
import sys
import urllib.parse
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from contimg_lab.cli._serve import run_server, token_of

__all__ = ["serve_page"]

_RUNNING = re.compile(r"running at:\s+https?://[^\s:/]+:(\d+)")
# the page's template would fetch fonts from afar; widgets run modules that come by their comm
_SOURCES = "'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
_SETTINGS = {
    "headers": {"Content-Security-Policy": f"default-src {_SOURCES}; frame-ancestors 'self'"}
}
_IDLE_S = 600
_CULL_S = 60


def serve_page(
    notebook: Path,
    environment: Mapping[str, str],
    *,
    base_url: str,
    port: int | None,
    browser: bool,
    token: bool,
) -> int:
    """Serve a notebook as a page until interrupted; prints its address.

    Each visitor has a kernel, which ends when the page is closed, or ten minutes after it was
    last seen. The page talks to it through the same port, and the server passes on what
    widgets say and nothing that would run code.

    Parameters
    ----------
    notebook
        Run from top to bottom for each visitor; its folder is what the server sees.
    environment
        Variables of the server, and so of its kernels.
    base_url
        Prefix of every address of the page, from slash to slash.
    port
        This port and no other; None: the next free one.
    browser
        Open a browser.
    token
        Let in only who has the token that is in the address printed.

    Raises
    ------
    ContimgLabError
        The server ends, or does not answer, before it is of any use.
    """
    command = [
        *(sys.executable, "-m", "voila", str(notebook), "--no-browser"),
        f"--Voila.base_url={base_url}",
        f"--Voila.auto_token={token}",
        f"--Voila.tornado_settings={_SETTINGS!r}",
        f"--MappingKernelManager.cull_idle_timeout={_IDLE_S}",
        f"--MappingKernelManager.cull_interval={_CULL_S}",
    ]
    if port is not None:
        command += [f"--Voila.port={port}", "--Voila.port_retries=0"]
    secret = token_of(environment) if token else ""
    tail = f"?{urllib.parse.urlencode({'token': secret})}" if token else ""

    def look(child: subprocess.Popen[bytes], log: IO[bytes]) -> str | None:
        log.seek(0)
        found = _RUNNING.search(log.read().decode("utf-8", "replace"))
        if found is None:
            return None
        address = f"http://localhost:{found[1]}{base_url}{tail}"
        if browser:
            _open(address, notebook.parent)
        return address

    return run_server("dashboard", command, {**environment, "JUPYTER_TOKEN": secret}, look)


def _open(address: str, folder: Path) -> None:
    # by way of a file that only we may read: a browser's command line is for all to see
    page = folder / "open.html"
    page.touch(mode=0o600)
    page.write_text(
        f'<meta http-equiv="refresh" content="0;url={html.escape(address, quote=True)}">',
        encoding="utf-8",
    )
    webbrowser.open(page.as_uri())
