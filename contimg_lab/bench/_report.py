"""Everything that a run of the benchmark says, and where it was run."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import contimg_lab
from contimg_lab.bench._lines import Line
from contimg_lab.bench._settings import Settings
from contimg_lab.bench._table import table

__all__ = ["Report", "report"]

_PACKAGES = (
    "adbc-driver-sqlite", "aiosqlite", "astropy", "numpy", "orjson", "pandas", "polars", "pyarrow",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Figures of one run.

    Attributes
    ----------
    lines
        What was measured, in the order of measuring.
    machine, versions
        Processor, memory and system; Python, SQLite and packages.
    commit
        Of the code that ran, with ``+`` where files differ from it; None outside a checkout.
    date_utc
        When the run began.
    seconds
        How long each way was measured.
    """

    lines: tuple[Line, ...]
    machine: dict[str, Any]
    versions: dict[str, str]
    commit: str | None
    date_utc: str
    seconds: float

    @property
    def is_right(self) -> bool:
        """Every way gave an answer, and the same as the others."""
        return not any(each.is_wrong for each in self.lines)

    def table(self) -> str:
        """Return the figures as text, with where they were measured above."""
        machine = ", ".join(f"{value}" for value in self.machine.values())
        versions = ", ".join(f"{name} {value}" for name, value in self.versions.items())
        commit = f", commit {self.commit}" if self.commit else ""
        head = [f"{machine}", f"{versions}{commit}", f"{self.date_utc}, {self.seconds:g} s each"]
        return "\n".join([*head, "", table(self.lines)])

    def to_json(self) -> str:
        """Return everything as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def report(lines: Sequence[Line], settings: Settings, begun: datetime) -> Report:
    """Put the lines together with what is known of this machine and code."""
    return Report(
        lines=tuple(lines),
        machine=_machine(),
        versions=_versions(),
        commit=_commit(),
        date_utc=begun.astimezone(UTC).isoformat(timespec="seconds"),
        seconds=settings.seconds,
    )


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu(),
        "cpus": f"{os.cpu_count()} processors",
        "memory": f"{memory / 1e9:.1f} GB",
        "system": platform.platform(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (row.partition(":")[2].strip() for row in lines if row.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _versions() -> dict[str, str]:
    found = {
        "contimg_lab": contimg_lab.__version__,
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    top = Path(contimg_lab.__file__).resolve().parents[1]
    if not (top / ".git").exists():  # else this could be anybody's checkout around a site
        return None
    try:
        said = [
            subprocess.run(
                ["git", "-C", os.fspath(top), *words], capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return None
    return said[0] + "+" * bool(said[1])
