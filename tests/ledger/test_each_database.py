"""A night of every kind of database: judged, signed, changed behind its back, caught."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import contimg_lab as cl
from contimg_lab.ledger.chain import Entry
from contimg_lab.ledger.evidence import Evidence, Row
from contimg_lab.ledger.tokens import ABSENT, token_of

KEYS = {
    "ms_index": "path", "ms_state": "ms_path", "hdf5_files": "path", "caltables": "path",
}  # fmt: skip
LINKS = frozenset(
    {
        "id", "path", "ms_path", "image_path", "group_id", "caltable_path", "source_ms_path",
        "set_name", "table_type", "status", "source_id", "mosaic_id", "source_name", "timestamp",
        "timestamp_mjd", "start_mjd", "mid_mjd", "end_mjd", "valid_start_mjd", "valid_end_mjd",
        "ra_deg", "dec_deg", "type", "pointing_ra_deg", "pointing_dec_deg",
    }
)  # fmt: skip
"""Fields that decide which other rows are read: other changes follow from theirs, rightly."""


@pytest.fixture
def copy(database_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private copy of a database of each kind, which may be written."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = tmp_path / "site"
    shutil.copytree(database_folder, folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o600)
    return folder


@pytest.fixture
async def lab(copy: Path, tmp_path: Path) -> AsyncIterator[cl.Lab]:
    """A Lab on that copy."""
    async with cl.open(copy, ledger=tmp_path / "ledger.sqlite3") as opened:
        yield opened


async def accepted(lab: cl.Lab, night: str) -> tuple[Entry, Evidence]:
    """Judge a night and accept it, with a reason for whatever fails."""
    report = await lab.qa.night(night)
    failing = {(o.check, o.hour, o.key) for o in report.outcomes if o.word == "fail"}
    told = [
        {"check": check, "hour": hour, "key": key, "reason": "known, and harmless here"}
        for check, hour, key in sorted(failing, key=str)
    ]
    decision = "accept with exceptions" if told else "accept"
    entry = await lab.qa.sign(
        report, reviewer="Ana", decision=decision, reason="as others", exceptions=told
    )
    return entry, report.evidence


def writer(folder: Path, table: str) -> sqlite3.Connection:
    """A plain connection to the file that holds a table, as the pipeline has it."""
    for path in sorted(folder.glob("*.sqlite3")):
        db = sqlite3.connect(path, timeout=30.0)
        held = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        if db.execute(held, (table,)).fetchone():
            return db
        db.close()
    raise AssertionError(f"no file of {folder} holds {table}")


def placed(rows: Iterator[Row], rng: np.random.Generator) -> Row:
    """Choose a row at random, of those that one key finds in the file."""
    found = [row for row in rows if isinstance(row.key, int) or " #" not in row.key]
    return found[int(rng.integers(len(found)))]


def other(value: Any) -> Any:
    """Another value that the column can hold, as little different as there is."""
    if isinstance(value, float):
        return float(np.nextafter(value, np.inf)) if np.isfinite(value) else 1.0
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        return value + b"x"
    return "" if value is None else value + "\u0301"


async def test_signed_changed_and_caught(lab: cl.Lab, copy: Path, request: Any) -> None:
    """A row of each table that is evidence, changed or deleted, is named; the night is stale."""
    nights = await lab.nights()
    night, before = nights[-2], nights[-4]
    begun = time.perf_counter()
    entry, evidence = await accepted(lab, night)
    signed_s = time.perf_counter() - begun
    earlier, _ = await accepted(lab, before)
    assert (await lab.qa.verify(entry)).word in ("holds", "warnings")
    rng = np.random.default_rng(len(nights))
    spent = []
    tables = [name for name, table in evidence.tables.items() if table.kept and ":" not in name]
    assert {"ms_index", "images", "photometry", "caltables"} <= set(tables)
    for name in tables:
        table = evidence.tables[name]
        row = placed((table.row(key) for key in table.kept), rng)
        fields = [f for f, v in row.values.items() if v is not ABSENT and f not in LINKS]
        key = KEYS.get(name, "timestamp" if name == "pointing_history" else "id")
        at = row.values[key]  # the key itself, but of a time, whose key is its token
        for field in [str(rng.choice(fields)), None] if fields else [None]:
            with closing(writer(copy, name)) as db:
                where = f"FROM {name} WHERE {key} = ?"
                (held,) = db.execute(f"SELECT * {where}", (at,)).fetchall()
                if field is None:
                    db.execute(f"DELETE {where}", (at,))
                else:
                    value = other(row.values[field])
                    db.execute(f"UPDATE {name} SET {field} = ? WHERE {key} = ?", (value, at))
                db.commit()
            begun = time.perf_counter()
            found = await lab.qa.verify(entry)
            spent.append(time.perf_counter() - begun)
            assert found.word == "broken", (name, field)
            named = [one for one in found.changes or () if one.table == name]
            assert named[0].key == row.key or field is None
            if field is None:
                assert ("vanished", row.key) in {(one.kind, one.key) for one in named}
            else:
                (change,) = named
                assert (change.kind, change.field, change.hour) == ("changed", field, row.hour)
                assert (change.old, change.new) == (row.tokens[field], token_of(value, type(value)))
                assert (await lab.qa.states(night, night))[0].state == "stale"
            assert (await lab.qa.verify(earlier)).changes == (), f"a row of {name} of a later night"
            with closing(writer(copy, name)) as db:
                db.execute(f"DELETE {where}", (at,))
                marks = ", ".join("?" * len(held))
                db.execute(f"INSERT INTO {name} VALUES ({marks})", held)
                db.commit()
    assert (await lab.qa.verify(entry)).changes == ()
    state = (await lab.qa.states(night, night))[0].state
    assert state in ("accepted", "with exceptions"), "what was put back holds again"
    print(
        f"{request.node.name}: {len(evidence)} rows of {len(tables)} tables; judged and signed in "
        f"{signed_s:.2f} s, verified in {np.median(spent):.2f} s (median of {len(spent)})"
    )
