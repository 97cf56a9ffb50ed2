"""One database that is measured, and how ways are measured beside each other on it."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contimg_lab.bench import _builds
from contimg_lab.bench._lines import Line, line, with_ratios
from contimg_lab.bench._process import Failed, call
from contimg_lab.bench._settings import Settings
from contimg_lab.database import files

__all__ = ["Site", "agreed", "installed", "look_at", "noted", "shown", "tell", "uri"]

_OPTIONAL = ("polars",)
_PEERS = ("shared aiosqlite", "sqlite3 on the loop", "pandas", "polars")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One database that is measured.

    Attributes
    ----------
    folder
        What the package opens.
    file
        The file that holds the photometry.
    n_rows
        Its rows.
    names
        Path of a JSON file with the names of its sources.
    checked
        Names of sources whose numbers every way must agree on.
    stamp
        State of the file when it was looked at.
    """

    folder: Path
    file: Path
    n_rows: int
    names: Path
    checked: tuple[str, ...]
    stamp: files.Stamp


def look_at(folder: Path, aside: Path) -> Site:
    """Look at a database, and read it once so that nobody pays the disk.

    Parameters
    ----------
    folder
        What the package opens.
    aside
        Folder for the names of its sources.
    """
    file = _builds.photometry_file(folder)
    stamp = files.stamp(file)
    call("_builds:warm", file=str(file))
    found = call("_builds:sources", database=uri(file))
    names = aside / f"names-{found['n_rows']}.json"
    names.write_text(json.dumps(found["names"]), encoding="utf-8")
    return Site(
        folder=folder,
        file=file,
        n_rows=found["n_rows"],
        names=names,
        checked=tuple(found["checked"]),
        stamp=stamp,
    )


def uri(file: Path) -> str:
    """Read-only URI of a file, by which nothing is left beside it."""
    return files.uri(file, immutable=files.stamp(file).at_rest)


def tell(function: str, **arguments: object) -> Any:
    """Run a function in a process of its own; where it failed, ``failed`` says how."""
    try:
        return call(function, **arguments)
    except Failed as error:
        return {"is_wrong": True, "failed": str(error)}


def installed(ways: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Ways that can be measured here and were asked for."""
    lacking = [name for name in _OPTIONAL if importlib.util.find_spec(name) is None]
    left_out = lacking if settings.peers else _PEERS
    return {way: value for way, value in ways.items() if way not in left_out}


def agreed(
    work: str,
    n_rows: int,
    told: Mapping[str, Any],
    key: str,
    *,
    memory: bool = False,
    changed: bool = False,
) -> Iterator[Line]:
    """Lines with their ratios to the older design; those that answer otherwise say so.

    Parameters
    ----------
    work, n_rows
        Of all lines.
    told
        What was told of each way.
    key
        What must be the same of each.
    memory
        Give ratios of the peak memory, too.
    changed
        Somebody wrote meanwhile, so that the ways may well differ.
    """
    lines = [shown(work, way, n_rows, found) for way, found in told.items()]
    right = None if changed else told["older"].get(key)
    for each in with_ratios(lines, "older", memory=memory):
        other = not each.is_wrong and right is not None and told[each.way].get(key) != right
        if other:
            yield noted(dataclasses.replace(each, is_wrong=True), "OTHER NUMBERS than older")
        else:
            yield each


def shown(work: str, way: str, n_rows: int, told: Mapping[str, Any]) -> Line:
    """Make a line of what `tell` returned; a failure is its note."""
    return line(work, way, n_rows, told, f"FAILED: {told['failed']}" if "failed" in told else "")


def noted(each: Line, note: str) -> Line:
    """Return the line with a note more."""
    return dataclasses.replace(each, note="; ".join(text for text in (each.note, note) if text))
