"""What several commands share: their arguments, and the order of what they say and serve."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from contimg_lab.cli._notebook import place_notebook
from contimg_lab.cli._serve import serve_notebook
from contimg_lab.cli._story import tell_night, tell_sources
from contimg_lab.lab import Opening
from contimg_lab.layouts import Layout

__all__ = ["add_serving", "environment_of", "serve_from", "tell"]

_DATABASE_VARIABLES = (
    "PIPELINE_DB",
    "PIPELINE_PRODUCTS_DB",
    "PIPELINE_CAL_REGISTRY_DB",
)


def add_serving(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a command that serves JupyterLab."""
    group = parser.add_argument_group("JupyterLab")
    group.add_argument(
        "--folder",
        type=Path,
        default=Path("contimg-lab-notebooks"),
        metavar="DIR",
        help="where the notebook is put and JupyterLab starts (default: %(default)s, here)",
    )
    group.add_argument("--no-browser", action="store_true", help="print the address only")
    group.add_argument("--no-serve", action="store_true", help="stop before serving JupyterLab")
    group.add_argument(
        "--port", type=int, metavar="N", help="this port and no other (default: the next free one)"
    )


async def tell(opening: Opening) -> Layout:
    """Print what broke last night and which sources vary; returns the layout opened."""
    async with opening as lab:
        for lines in (tell_night, tell_sources):
            print("\n".join(await lines(lab)), end="\n\n", flush=True)
        return lab.layout


def serve_from(
    args: argparse.Namespace,
    *,
    database: str | None,
    layout: Layout,
    keep_outputs: bool = False,
) -> int:
    """Put the explore notebook into the user's folder, and serve it.

    Parameters
    ----------
    args
        What `add_serving` gave.
    database
        Path that the notebook opens; empty: what the environment says; None: the built-in
        season.
    layout
        The files, which the notebook's environment names too.
    keep_outputs
        Keep the outputs that were saved with the shipped notebook.
    """
    notebook, made = place_notebook(args.folder, database, keep_outputs=keep_outputs)
    print(f"notebook: {notebook}{'' if made else ' (yours, as you left it)'}", flush=True)
    return serve_notebook(
        notebook, environment_of(layout), port=args.port, browser=not args.no_browser
    )


def environment_of(layout: Layout) -> Mapping[str, str]:
    """Variables in which ``open()`` without a path finds these very files."""
    found = {k: v for k, v in os.environ.items() if k not in _DATABASE_VARIABLES}
    if layout.name == "unified":
        return found | {"PIPELINE_DB": str(layout.path.absolute())}
    found["PIPELINE_PRODUCTS_DB"] = str(layout.path.absolute())
    if "cal_registry" in layout.files:
        found["PIPELINE_CAL_REGISTRY_DB"] = str(layout.files["cal_registry"].absolute())
    return found
