"""``contimg-lab doctor``: what it finds of each layout, and of files that are no database."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest


def plain_counts(path: Path) -> dict[str, int]:
    """Rows of every table, by plain SQL."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as c:
        names = [r[0] for r in c.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            n: c.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0]
            for n in names
            if not n.startswith("sqlite_")
        }


def state(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file of a folder, with its time and content."""
    return {
        str(p): (p.stat().st_mtime_ns, hashlib.sha256(p.read_bytes()).hexdigest())
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_every_layout(command, database_folder: Path) -> None:
    """On each kind of database it is usable, counts rows as plain SQL does, and changes nothing."""
    before = state(database_folder)
    said = command("doctor", "--db", database_folder, "--json")
    assert said.returncode == 0, said.stderr
    report = json.loads(said.stdout)
    files = sorted(database_folder.glob("*.sqlite3"))
    assert sorted(file["path"] for file in report["files"]) == [str(f) for f in files]
    counts = {t["name"]: t["n_rows"] for t in report["tables"] if not t["is_estimate"]}
    plain: dict[str, int] = {}
    for file in files:
        plain |= plain_counts(file)
    assert {name: n for name, n in counts.items() if n is not None} == plain
    assert {lack["table"] for lack in report["lacks"]}.isdisjoint(plain)
    assert state(database_folder) == before


def test_words(command, database_folder: Path) -> None:
    """For a reader it names the layout, files, tables, absences, indexes, settings, versions."""
    said = command("doctor", "--db", database_folder)
    assert said.returncode == 0, said.stderr
    titles = [line.split(":")[0] for line in said.stdout.splitlines() if line[0] != " "]
    assert titles == [
        "layout",
        "files",
        "tables that are read",
        "other tables",
        "known absences",
        "indexes",
        "log folders",
        "settings",
        "versions",
        "usable",
    ]
    assert f"path = {database_folder}  (argument)" in said.stdout


def test_old_layout_absences(command, season_folder: Callable[..., Path]) -> None:
    """On the old layout absent tables and columns are told as absences, in words."""
    said = command("doctor", "--db", season_folder("split-old")).stdout
    assert "jobs: no jobs: a run is read from ms_index alone" in said
    photometry = next(line for line in said.splitlines() if "columns of photometry" in line)
    assert {"mjd", "flux_jy", "flux_err_jy"} <= set(photometry.replace(",", "").split())


def test_missing_index(command, copy_of: Callable[..., Path]) -> None:
    """A missing index is named with what it costs."""
    folder = copy_of()
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'photometry' "
            "AND sql IS NOT NULL"
        ).fetchall():
            connection.execute(f'DROP INDEX "{name}"')
    said = command("doctor", "--db", folder).stdout
    assert "photometry(source_id): NO: the first light curve costs" in said
    rows = int(re.search(r"photometry: ([\d,]+) rows", said)[1].replace(",", ""))
    assert f"until the next commit ({rows:,} rows)" in said


def test_live_file(command, copy_of: Callable[..., Path]) -> None:
    """A file that is being written is read live, and its -wal is told."""
    folder = copy_of()
    with closing(sqlite3.connect(folder / "pipeline.sqlite3", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("UPDATE ms_index SET status = status")
        said = command("doctor", "--db", folder)
    assert said.returncode == 0, said.stderr
    assert "opened: read-only, live" in said.stdout
    assert "-wal of " in said.stdout


def test_large_tables_are_estimated(command, copy_of: Callable[..., Path]) -> None:
    """A table too large to count at once is told by its highest row number, as "about"."""
    folder = copy_of()
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as connection:
        connection.execute("CREATE TABLE large (x)")
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000) "
            "INSERT INTO large SELECT i FROM n"
        )
        connection.commit()
    assert "large about 150,000 rows" in command("doctor", "--db", folder).stdout


def test_environment_and_origin(command, season_folder: Callable[..., Path]) -> None:
    """Without ``--db`` the environment decides, and each setting says where it came from."""
    env = {**os.environ, "PIPELINE_DB": str(season_folder()), "DB_CONNECTION_TIMEOUT": "7"}
    said = command("doctor", env=env)
    assert said.returncode == 0, said.stderr
    assert "(PIPELINE_DB)" in said.stdout
    assert "timeout_s = 7.0  (DB_CONNECTION_TIMEOUT)" in said.stdout


def damaged(kind: str, path: Path, season: Path) -> None:
    """Put one kind of a file that cannot be used at a path."""
    whole = (season / "pipeline.sqlite3").read_bytes()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "cut in its header":
        path.write_bytes(whole[:50])
    elif kind == "no SQLite":
        path.write_bytes(b"# a note\n" * 400)
    elif kind == "foreign":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE bookmarks (url TEXT)")
    elif kind == "folder":
        path.mkdir()
    else:
        assert kind == "missing"


@pytest.mark.parametrize("name", ["pipeline.sqlite3", "odd %20 na?me #1.sqlite3"])
@pytest.mark.parametrize(
    "kind",
    ["missing", "empty", "truncated", "cut in its header", "no SQLite", "foreign", "folder"],
)
def test_unusable_files(
    command, tmp_path: Path, season_folder: Callable[..., Path], kind: str, name: str
) -> None:
    """A file that cannot be used gives one line that names it and the way out, and exit code 2."""
    path = tmp_path / name
    damaged(kind, path, season_folder())
    said = command("doctor", "--db", path)
    assert said.returncode == 2
    assert said.stdout == ""
    (line,) = said.stderr.splitlines()
    assert str(path) in line
    assert any(hint in line for hint in ("check", "give", "copy it again")), line


def test_locked_file(command, copy_of: Callable[..., Path]) -> None:
    """A file that stays locked gives one line after the time-out of the settings."""
    folder = copy_of()
    env = {**os.environ, "DB_CONNECTION_TIMEOUT": "0.5"}
    with closing(sqlite3.connect(folder / "pipeline.sqlite3", isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("PRAGMA journal_mode=WAL")
        holder.execute("UPDATE ms_index SET status = status")
        said = command("doctor", "--db", folder, env=env)
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert "pipeline.sqlite3" in line
    assert "DB_CONNECTION_TIMEOUT" in line


@pytest.mark.parametrize("value", ["soon", "-1", "inf"])
def test_unusable_setting(command, season_folder: Callable[..., Path], value: str) -> None:
    """A setting that cannot be used is named with its value, in one line."""
    env = {**os.environ, "DB_CONNECTION_TIMEOUT": value}
    said = command("doctor", "--db", season_folder(), env=env)
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert f"DB_CONNECTION_TIMEOUT={value!r}" in line
