"""``contimg-lab doctor``: what was found of a database, and what its absences mean."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from contimg_lab.config import Config
from contimg_lab.records.health import FileHealth, HealthReport, TableHealth

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "doctor"
HELP = "say what was found of a pipeline database: files, tables, indexes, settings, versions"

_UNSET = {
    "ledger": "in the user's data folder",
    "log_roots": "logs/ beside the database and in PIPELINE_STATE_DIR",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the database and the form of the answer."""
    parser.add_argument(
        "--db",
        type=Path,
        metavar="PATH",
        help="folder, pipeline.sqlite3 or products.sqlite3 (default: what the environment says)",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report; what cannot be opened is an error of `contimg_lab.errors`."""
    report, config = asyncio.run(_look(args.db))
    if args.json:
        print(json.dumps(dataclasses.asdict(report) | {"settings": _settings(config)}, indent=1))
    else:
        print("\n".join(_lines(report, config)))
    return 0


async def _look(path: Path | None) -> tuple[HealthReport, Config]:
    from contimg_lab.lab import open_lab

    async with open_lab(path) as lab:
        return await lab.health.report(), lab.config


def _settings(config: Config) -> dict[str, dict[str, object]]:
    return {
        name: {"value": _value(getattr(config, name)), "origin": origin}
        for name, origin in config.origin.items()
    }


def _value(value: object) -> object:
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return str(value) if isinstance(value, Path) else value


def _lines(report: HealthReport, config: Config) -> Iterable[str]:
    yield f"layout: {report.layout}"
    yield from (f"  note: {note}" for note in report.notes)
    yield "files"
    for file in report.files:
        yield from _file(file)
    yield from _tables(report)
    yield "known absences"
    yield from (f"  {lack.noun}: no {lack.table}: {lack.meaning}" for lack in report.lacks)
    lacking = [t for t in report.tables if t.absent_columns]
    yield from (f"  columns of {t.name}: no {', '.join(t.absent_columns)}" for t in lacking)
    if not report.lacks and not lacking:
        yield "  none"
    yield "indexes"
    for index in report.indexes:
        word = "yes" if index.present else f"NO: {index.cost}"
        yield f"  {index.table}({index.column}): {word}"
    yield "log folders"
    for folder in report.log_folders:
        held = f"{folder.n_run_logs} of single runs, {folder.n_shared_logs} shared or rotated"
        yield f"  {folder.path}: {held if folder.exists else 'not there, or not to be listed'}"
    yield "settings"
    for name, setting in _settings(config).items():
        value = _UNSET.get(name) if setting["value"] is None else None
        yield f"  {name} = {value or _shown(setting['value'])}  ({setting['origin']})"
    yield "versions"
    yield "  " + ", ".join(f"{name} {version}" for name, version in report.versions)
    yield "usable: yes, read-only"


def _file(file: FileHealth) -> Iterable[str]:
    yield f"  {file.role}: {file.path}"
    wal = "no -wal" if file.wal_bytes is None else f"-wal of {file.wal_bytes:,} bytes"
    yield (
        f"    {file.size_bytes:,} bytes, {file.mode} "
        f"({'owner may write' if file.owner_writable else 'owner may not write'}), "
        f"{wal}, {'-shm' if file.has_shm else 'no -shm'}"
    )
    yield f"    opened: {file.opened}"


def _tables(report: HealthReport) -> Iterable[str]:
    yield "tables that are read"
    for table in report.tables:
        if table.is_read:
            yield f"  {table.name}: {_rows(table)} ({table.role})"
    others = [table for table in report.tables if not table.is_read]
    if others:
        filled = [f"{t.name} {_rows(t)}" for t in others if t.n_rows != 0]
        yield f"other tables: {len(others)}, {len(filled)} of them not empty"
        yield from (f"  {text}" for text in filled)


def _rows(table: TableHealth) -> str:
    if table.n_rows is None:
        return "not counted"
    return f"{'about ' if table.is_estimate else ''}{table.n_rows:,} rows"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)
