"""The files of a night that was run: written whole, and read again to see whether they stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from contimg_lab.errors import InvalidInput
from contimg_lab.services.exports._files import write_whole

if TYPE_CHECKING:
    from contimg_lab.services.night_report import NightReport

__all__ = [
    "NOTEBOOK",
    "PAGE",
    "REPORT",
    "make_folder",
    "read_report",
    "still_stands",
    "whole_report",
    "write_night",
    "write_text",
]

NOTEBOOK = "qa_signoff.ipynb"
PAGE = "report.html"
REPORT = "report.json"

_MARK = "contimg_lab"
_HEAD = 4096  # bytes in which a page names its report


def make_folder(path: Path) -> None:
    """Make a folder where it is missing; raises InvalidInput."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"no folder {path}: {error.strerror}; give another --out") from error


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all: who is killed leaves the old one, or the new."""

    def write(stream: BinaryIO) -> None:
        stream.write(text.encode("utf-8"))

    write_whole(path, write, overwrite=True)


def write_night(
    folder: Path, notebook: Any, told: Mapping[str, Any], report: Mapping[str, Any], source: str
) -> None:
    """Write notebook, page and report of a night, the report last.

    Each names the report's digest, so that files of two runs are never taken for one.

    Parameters
    ----------
    folder
        Of the night; made where it is missing.
    notebook
        As nbformat has it.
    told
        What the page shows: the report, and the ledger's head.
    report
        As JSON has it.
    source
        Digest of the shipped notebook.

    Raises
    ------
    InvalidInput
        The folder cannot be written to.
    """
    import nbformat

    from contimg_lab.cli._qa_page import page_of

    text = json.dumps(report, indent=1, allow_nan=False) + "\n"
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    notebook.metadata[_MARK] = {"report": digest, "source": source, "ledger": told["ledger"]}
    page = page_of(notebook, told, digest)
    make_folder(folder)
    for left in folder.glob(".*.part"):  # of a run that was killed
        with suppress(OSError):
            left.unlink()
    write_text(folder / NOTEBOOK, nbformat.writes(notebook))
    write_text(folder / PAGE, page)
    write_text(folder / REPORT, text)


def read_report(folder: Path) -> dict[str, Any] | None:
    """Read the report of a folder; None where it is none, or not of this format."""
    from contimg_lab.services.night_report import report_schema

    try:
        told = json.loads((folder / REPORT).read_bytes())
    except (OSError, ValueError):
        return None
    form = report_schema()
    if not isinstance(told, dict) or set(told) != set(form["properties"]):
        return None
    return told if told["format"] == form["properties"]["format"]["const"] else None


def whole_report(folder: Path, source: str) -> dict[str, Any] | None:
    """Read the report of a folder whose files are all there, of one run of this notebook."""
    try:
        digest = hashlib.sha256((folder / REPORT).read_bytes()).hexdigest()
        mark = json.loads((folder / NOTEBOOK).read_bytes())["metadata"][_MARK]
        with (folder / PAGE).open("rb") as stream:
            is_of_it = digest.encode("ascii") in stream.read(_HEAD)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_one = is_of_it and mark == {**mark, "report": digest, "source": source}
    return read_report(folder) if is_one else None


def still_stands(held: Mapping[str, Any], now: NightReport) -> bool:
    """Whether a report says what would be said now, on the same rows.

    Same database, thresholds and version of the package; the same evidence; and the same word
    of every check, for a running step ages without any row changing.
    """
    return (
        held["database"] == dict(now.database)
        and held["thresholds"]["digest"] == now.thresholds.digest
        and held["thresholds"]["name"] == now.thresholds.name
        and held["versions"].get("contimg_lab") == now.versions["contimg_lab"]
        and held["evidence"]["digest"] == now.evidence.digest
        and held["verdict"] == now.verdict
        and [(o["check"], o["key"], o["hour"], o["word"]) for o in held["outcomes"]]
        == [(o.check, o.key, o.hour, o.word) for o in now.outcomes]
    )
