"""``contimg-lab dashboard``: the dashboard as a page without code, on a real database."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from contimg_lab.cli._common import environment_of
from contimg_lab.cli._notebook import dashboard_notebook
from contimg_lab.cli._page import serve_page
from contimg_lab.errors import InvalidInput
from contimg_lab.layouts import Layout

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "dashboard"
HELP = "serve the dashboard of a pipeline database as a page without code"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the database and the arguments of the server."""
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        metavar="PATH",
        help="folder, pipeline.sqlite3 or products.sqlite3 (default: what the environment says)",
    )
    group = parser.add_argument_group("page")
    group.add_argument(
        "--base-url",
        default="/",
        metavar="/PREFIX/",
        help="what a proxy puts before the page's address (default: %(default)s)",
    )
    group.add_argument("--no-browser", action="store_true", help="print the address only")
    group.add_argument(
        "--no-token",
        action="store_true",
        help="let in whoever reaches the port, as behind a proxy that asks who they are",
    )
    group.add_argument(
        "--port", type=int, metavar="N", help="this port and no other (default: the next free one)"
    )


def run(args: argparse.Namespace) -> int:
    """Open the database once, to see that it can be, and serve the page."""
    from contimg_lab.lab import open_lab

    base_url = _base_url(args.base_url)

    async def look() -> Layout:
        async with open_lab(args.path) as lab:
            print(lab, end="\n\n", flush=True)
            return lab.layout

    layout = asyncio.run(look())
    with tempfile.TemporaryDirectory(prefix="contimg_lab-") as folder:
        # the files are named in its environment, not in the notebook
        return serve_page(
            dashboard_notebook(Path(folder), ""),
            environment_of(layout),
            base_url=base_url,
            port=args.port,
            browser=not args.no_browser,
            token=not args.no_token,
        )


def _base_url(text: str) -> str:
    parts = [part for part in text.split("/") if part]
    if any(not part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in parts):
        raise InvalidInput(f"--base-url {text!r} is no prefix of an address, such as /pipeline/")
    return "/".join(["", *parts, ""])
