"""Works in which a writer changes a private copy: its own latencies, and what readers do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contimg_lab.bench import _builds, _update
from contimg_lab.bench._lines import Line, line
from contimg_lab.bench._process import running
from contimg_lab.bench._settings import Settings
from contimg_lab.bench._site import Site, agreed, installed, noted, shown, tell
from contimg_lab.bench._writer import summary
from contimg_lab.database import files

__all__ = ["update", "writer"]

_BESIDE = dict.fromkeys(("older", "shared aiosqlite", "ours, SQL", "ours, store on"))


def writer(at: Site, settings: Settings) -> Iterator[Line]:
    """The pipeline's writer alone and beside readers, and those readers beside it."""
    readers: dict[str, dict[str, Any]] = {}
    beside: dict[str, dict[str, Any]] = {}
    with _builds.private_copy(at.file, settings.cache) as copy:
        beside["alone"] = _beside_writer(copy, "_writer:wait", seconds=settings.seconds)[1]
        for way in installed(_BESIDE, settings):
            readers[way], beside[f"beside light curves, {way}"] = _beside_writer(
                copy,
                "_light_curves:measure",
                way=way,
                database=files.uri(copy, immutable=False),
                folder=str(copy),
                names=str(at.names),
                checked=[],
                seconds=settings.seconds,
                callers=settings.callers,
            )
        scans, beside["beside scans, ours"] = _beside_writer(
            copy,
            "_scan:measure_repeated",
            database=files.uri(copy, immutable=False),
            folder=str(copy),
            seconds=settings.seconds,
        )
        # twice, since the difference is what noise does
        beside["alone, again"] = _beside_writer(copy, "_writer:wait", seconds=settings.seconds)[1]
    yield from agreed("light curves, writer at work", at.n_rows, readers, "none")
    yield shown("scan, writer at work", "ours", at.n_rows, scans)
    alone = beside["alone"].get("p95_ms")
    for way, told in beside.items():
        each = shown("writer's commits", way, at.n_rows, told)
        if "p95_ms" not in told:
            yield each
            continue
        through = told["checkpoint_s"]
        yield noted(
            dataclasses.replace(each, ratio=alone / told["p95_ms"] if alone else None),
            f"ratio of p95 to alone; -wal {told['wal_mb']:.0f} MB at most"
            + ("" if through is None else f", checkpoint through in {through:.2f} s"),
        )


def update(at: Site, settings: Settings) -> Iterator[Line]:
    """One commit of 5,000 rows, until survey statistics are current again."""
    with _builds.private_copy(at.file, settings.cache) as copy:
        told = tell("_update:measure", path=str(copy), names=at.checked)
    work = f"one commit of {_update.N_NEW:,} rows"
    if "build" not in told:
        yield shown(work, "all", at.n_rows, told)
        return
    ways = {
        "build": "store built from nothing",
        "commit": "the commit itself",
        "proof": "proof (re-read in a child)",
        "statistics": "statistics after the proof",
    }
    note = "ratio to the build"
    for name, way in ways.items():
        each = line(work, way, at.n_rows, {"seconds": told[name]}, note)
        yield dataclasses.replace(
            each,
            ratio=told["build"] / told[name],
            peak_mb=told["peak_mb"] if name == "statistics" else None,
            children_mb=told["children_mb"] if name == "statistics" else None,
            is_wrong=not told["exact"],
            note=note if told["exact"] else "NOT EXACT: differs from SQL",
        )


def _beside_writer(
    copy: Path, function: str, **arguments: object
) -> tuple[dict[str, Any], dict[str, Any]]:
    with running("_writer:write", path=str(copy)) as process:
        process.read()
        reader = tell(function, **arguments)
        told = process.end()
    if "failed" in reader:
        return reader, {"is_wrong": True, "failed": "its reader did"}
    return reader, summary(told, reader["begun"], reader["ended"])
