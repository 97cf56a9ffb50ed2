"""The same rows have the same digests: in other layouts and files, by other versions of Python."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import contimg_lab as cl
from contimg_lab.ledger.changes import diff
from contimg_lab.ledger.evidence import Evidence

ROOM = Path(cl.__file__).parents[1]

CODE = """
import math, sys
sys.path.insert(0, sys.argv[1])
from types import ModuleType
package = ModuleType("contimg_lab")  # what verifies needs no other room of it
package.__path__ = [sys.argv[1] + "/contimg_lab"]
sys.modules["contimg_lab"] = package
from contimg_lab.ledger.evidence import Evidence, gather
from contimg_lab.ledger.canonical import canonical, digest_of
rows = [
    ("06", 1, [0.1, None, "\\u00e9"]), ("06", 2, [-0.0, 5, "e\\u0301"]),
    ("07", "\\U0001f600", [5e-324, 2**53 + 1, ""]),
    (None, -3, [math.nan, b"\\x00\\xff", "\\udc80"]),
    ("07", "a\\n", [1.7976931348623157e308, -math.inf, 1e22]), ("07", 9, [1e16, 123456789.0, 0]),
]
evidence = Evidence([gather("images", ["noise_jy", "any", "text"], rows, {"noise_jy": float,
    "text": str, "beam_pa_deg": float, "any": int})])
print(evidence.digest, digest_of([0.1, 1e16, 1e22, -0.0, 5e-324, "\\u00e9\\U0001f600\\n", None]))
"""
OF_VERSION_1 = [
    "fa2fb373f46c4a9db2127cc1931065ac2a4cd01b68fac1a0c278c6bc1b9a872f",
    "c578ac6b34fae87ea26c052b11674a65c75e4e552a06b4bfad5c44775d5a173c",
]


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3.14", "this"])
def test_other_pythons(name: str) -> None:
    """Every version of Python gives these rows the digests that they had from the first."""
    python = sys.executable if name == "this" else shutil.which(name)
    if python is None or subprocess.run([python, "-V"], check=False).returncode:
        pytest.skip(f"no {name} here")
    told = subprocess.run(
        [python, "-I", "-c", CODE, str(ROOM)], capture_output=True, text=True, timeout=60
    )
    assert told.stdout.split() == OF_VERSION_1, told.stderr


def other_file(source: sqlite3.Connection, path: Path, tables: list[str]) -> None:
    """Write tables into another file: columns reversed, without types, whole floats as ints."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA page_size = 512")
        for table in tables:
            columns = [row[1] for row in source.execute(f"PRAGMA table_info({table})")][::-1]
            db.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            rows = source.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid DESC")
            marks = ", ".join("?" * len(columns))
            db.executemany(
                f"INSERT INTO {table} VALUES ({marks})",
                ([_whole(value) for value in row] for row in rows),
            )


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


async def evidence(folder: Path, night: str) -> Evidence:
    """Judge a night, and return what it stands on."""
    async with cl.open(folder) as lab:
        return (await lab.qa.night(night)).evidence


async def test_other_layouts(season_folder: Callable[..., Path], tmp_path: Path) -> None:
    """The same rows in one file and in two, of other types and order, have the same digests."""
    made = season_folder()
    (tmp_path / "split").mkdir()
    with closing(
        sqlite3.connect(f"{(made / 'pipeline.sqlite3').as_uri()}?mode=ro", uri=True)
    ) as db:
        found = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        tables = [row[0] for row in db.execute(found) if row[0] != "caltables"]
        other_file(db, tmp_path / "split" / "products.sqlite3", tables)
        other_file(db, tmp_path / "split" / "cal_registry.sqlite3", ["caltables"])
    async with cl.open(made) as lab:
        night = (await lab.nights())[-1]
    one, two = await evidence(made, night), await evidence(tmp_path / "split", night)
    assert diff(one, two) == ()
    assert one.digest == two.digest
    assert len(one) > 1000
