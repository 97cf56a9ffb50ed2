"""The ledger's file is added to and never changed, and says why where it cannot be used."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from contimg_lab.errors import (
    InvalidInput,
    LedgerBusy,
    LedgerError,
    LedgerFull,
    LedgerReadOnly,
    NewerLedger,
    NotALedger,
    NotFound,
)
from contimg_lab.ledger.chain import START
from contimg_lab.ledger.evidence import Evidence, gather
from contimg_lab.ledger.export import from_lines, read_export, write_export
from contimg_lab.ledger.store import Ledger


def run_apart(function: Callable[[], object], *, as_nobody: bool = False) -> str:
    """Call in a child process, as a user whom permissions bind; returns the error or result."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if as_nobody and os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            said = repr(function())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write_end, said.encode()[:4000])
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder whose parents anybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_an_entry_comes_back(tmp_path: Path, said, rows, signed) -> None:
    """What was appended reads back: entry, rows, head, and all of it as an export."""
    ledger = Ledger(tmp_path / "new" / "folder" / "ledger.sqlite3")
    assert ledger.head() == START
    key = signed.keys["Bo"]
    first = ledger.append(said(), evidence=rows(1))
    second = ledger.append(said(kind="correction", corrects=1), evidence=rows(2), key=key)
    assert [entry.text for entry in ledger.entries()] == [first.text, second.text]
    assert ledger.entry(2).body["corrects"] == 1
    assert (ledger.head().number, ledger.head().hash) == (2, second.hash)
    assert ledger.entry(2).body["previous"] == first.hash
    assert ledger.entry(2).body["public_key"] == key.public_key
    assert ledger.evidence(2).digest == second.body["evidence"]["digest"] == rows(2).digest
    write_export(ledger.entries(), tmp_path / "export.jsonl")
    assert from_lines((tmp_path / "export.jsonl").read_bytes()) == ledger.entries()
    assert read_export(tmp_path / "export.jsonl") == ledger.lines()
    with pytest.raises(LedgerError, match="already"):
        write_export([], tmp_path / "export.jsonl")
    for number in (0, 3, -1):
        with pytest.raises(NotFound):
            ledger.entry(number)
        with pytest.raises(NotFound):
            ledger.evidence(number)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"kind": "rating"}, "kind"),
        ({"decision": "fine"}, "decision"),
        ({"night": "9.10.2025"}, "night"),
        ({"reviewer": "  "}, "reviewer"),
        ({"reviewer": None}, "reviewer"),
        ({"listed": 1}, "listed"),
        ({"corrects": 1}, "corrects"),
        ({"kind": "correction"}, "corrects"),
        ({"kind": "correction", "corrects": 1}, "before"),
        ({"hours": {"06": "accept"}}, "hours"),
        ({"exceptions": [{"check": "n", "hour": "06", "key": None, "reason": " "}]}, "reason"),
        ({"results": {}}, "results"),
        ({"results": [float("nan")]}, "canonical"),
        ({"signed_at": "now"}, "signed_at"),
        ({"mood": "good"}, "mood"),
        ({"number": 1}, "number"),
        ({"evidence": {}}, "evidence"),
        ({"public_key": None}, "public_key"),
    ],
)
def test_what_no_entry_can_say(tmp_path: Path, said, rows, members, words: str) -> None:
    """A member that is not as the format has it is refused by name, and nothing is written."""
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    with pytest.raises(InvalidInput, match=words):
        ledger.append(said(**members), evidence=rows(1))
    assert ledger.head() == START
    missing = said()
    del missing["reason"]
    with pytest.raises(InvalidInput, match="reason"):
        ledger.append(missing, evidence=rows(1))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET entry = entry",
        "UPDATE evidence SET packed = x''",
        "DELETE FROM entries WHERE number = 6",
        "DELETE FROM evidence",
        "REPLACE INTO entries VALUES (6, 'a', 'b', 'c')",
        "INSERT OR REPLACE INTO entries SELECT 7, previous, 'b', 'c' FROM entries WHERE number = 6",
        "INSERT INTO entries VALUES (6, 'a', 'b', 'c') ON CONFLICT DO UPDATE SET entry = 'c'",
        "INSERT INTO entries SELECT 8, hash, 'b', 'c' FROM entries WHERE number = 6",
        "INSERT INTO entries SELECT 7, hash, 'b', 'c' FROM entries WHERE number = 5",
        "INSERT OR REPLACE INTO evidence VALUES (6, x'')",
        "INSERT INTO evidence VALUES (7, x'')",
    ],
)
def test_guards_of_the_file(tmp_path: Path, signed, sql: str) -> None:
    """Plain SQL that would change, remove, replace or fork anything is refused by the file."""
    ledger = signed.copy(tmp_path)
    before = ledger.lines()
    db = sqlite3.connect(ledger.path)
    with pytest.raises(sqlite3.IntegrityError, match=r"only added to|follows|comes with"):
        db.execute(sql)
    db.close()
    assert ledger.lines() == before
    assert ledger.evidence(6).digest == ledger.entry(6).body["evidence"]["digest"]


def test_pipeline_files_are_never_a_ledger(copy_of, said, rows, tmp_path: Path) -> None:
    """The pipeline's files are refused, by content, by name, by path and by link, and untouched."""
    folder = copy_of()
    pipeline = folder / "pipeline.sqlite3"
    (tmp_path / "other.db").symlink_to(pipeline)
    shutil.copy(pipeline, tmp_path / "copy.db")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir() if p.is_file()}
    for path in (pipeline, tmp_path / "other.db", tmp_path / "products.sqlite3"):
        with pytest.raises(NotALedger, match="pipeline"):
            Ledger(path)
    with pytest.raises(NotALedger, match="pipeline"):
        Ledger(tmp_path / "copy.db", pipeline_files=[tmp_path / "copy.db"])
    ledger = Ledger(tmp_path / "copy.db")
    for call in (lambda: ledger.append(said(), evidence=rows(1)), ledger.lines, ledger.head):
        with pytest.raises(NotALedger, match="another program"):
            call()
    assert (tmp_path / "copy.db").read_bytes() == pipeline.read_bytes()
    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir() if p.is_file()}
    assert after == before


def test_a_live_file_of_another_program_is_left_alone(tmp_path: Path, said, rows) -> None:
    """A WAL file whose writer died, given as a ledger, keeps every byte of file and -wal."""
    code = (
        "import os, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1])\n"
        "db.execute('PRAGMA journal_mode = WAL')\n"
        "db.execute('CREATE TABLE t (a)')\n"
        "db.commit()\n"
        "os._exit(0)\n"
    )
    path = tmp_path / "x.db"
    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=60)
    sqlite3.connect(tmp_path / "y.db").execute("CREATE TABLE t (a)").close()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert before["x.db-wal"]
    with pytest.raises(NotALedger):
        Ledger(path).append(said(), evidence=rows(1))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("noise", [b"x", b"not a database at all" * 400, b"\0" * 8192])
def test_what_is_no_database(tmp_path: Path, said, rows, noise: bytes) -> None:
    """A file that is no SQLite is refused, and keeps every byte."""
    path = tmp_path / "notes.txt"
    path.write_bytes(noise)
    for call in (lambda: Ledger(path).append(said(), evidence=rows(1)), Ledger(path).lines):
        with pytest.raises(NotALedger, match=r"notes\.txt"):
            call()
    assert path.read_bytes() == noise


def test_a_folder_and_nothing(tmp_path: Path, said, rows) -> None:
    """A folder given as a ledger, and a ledger to read that is not there, are errors with words."""
    with pytest.raises(LedgerError, match="ledger"):
        Ledger(tmp_path).append(said(), evidence=rows(1))
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger(tmp_path / "none").lines()
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(LedgerError, match="cannot use"):
        Ledger(tmp_path / "file" / "ledger").append(said(), evidence=rows(1))


def test_an_empty_file_becomes_a_ledger(tmp_path: Path, said, rows) -> None:
    """A file without a byte, as a kill leaves it, reads as no ledger yet and can be signed into."""
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    ledger.path.touch()
    assert ledger.head() == START
    with pytest.raises(LedgerError, match="nobody"):
        ledger.lines()
    assert ledger.append(said(), evidence=rows(1)).number == 1


def test_a_later_format(tmp_path: Path, signed, said, rows) -> None:
    """A ledger of a later format is neither read nor written, and the way out is told."""
    ledger = signed.copy(tmp_path)
    db = sqlite3.connect(ledger.path)
    db.execute("PRAGMA user_version = 2")
    db.close()
    before = ledger.path.read_bytes()
    for call in (lambda: ledger.append(said(), evidence=rows(1)), ledger.lines, ledger.check):
        with pytest.raises(NewerLedger, match="later"):
            call()
    assert ledger.path.read_bytes() == before


def test_nothing_is_added_to_a_damaged_end(tmp_path: Path, signed, said, rows) -> None:
    """Where the last entry is not what was written, nothing is put on top of it."""
    ledger = signed.copy(tmp_path)
    db = sqlite3.connect(ledger.path)
    db.execute("DROP TRIGGER entries_update")
    db.execute("UPDATE entries SET entry = replace(entry, 'accept', 'reject') WHERE number = 6")
    db.commit()
    db.close()
    with pytest.raises(NotALedger, match="damaged"):
        ledger.append(said(), evidence=rows(1))
    assert len(ledger.lines()) == 6


def test_locked_by_another(tmp_path: Path, signed, said, rows) -> None:
    """While another writes, reading goes on; who cannot write in time is told so."""
    ledger = Ledger(signed.copy(tmp_path).path, timeout_s=0.05)
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert ledger.check(kept=signed.head, reviewers=signed.reviewers)[0].is_broken is False
    with pytest.raises(LedgerBusy, match="try again"):
        ledger.append(said(), evidence=rows(1))
    other.execute("ROLLBACK")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LedgerBusy):
        ledger.lines()
    other.execute("ROLLBACK")
    reader = sqlite3.connect(ledger.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entries").fetchall()
    with pytest.raises(LedgerBusy):  # at COMMIT
        ledger.append(said(), evidence=rows(1))
    reader.execute("COMMIT")
    assert len(ledger.lines()) == 6
    assert ledger.append(said(), evidence=rows(1)).number == 7


def test_threads_of_one_process(tmp_path: Path, said, rows) -> None:
    """Four threads that sign and read at once make one chain, and no call fails."""
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    ledger.append(said(), evidence=rows(0))
    faults: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for _ in range(5):
                ledger.append(said(), evidence=rows(seed))
                ledger.lines()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(ledger.lines()) == 21
    assert not any(finding.is_broken for finding in ledger.check(kept=ledger.head()))


@pytest.mark.parametrize("what", ["file", "folder", "both"])
def test_read_only(open_folder: Path, signed, said, rows, what: str) -> None:
    """A read-only file or folder is read and checked as any other; signing says what is wrong."""
    ledger = signed.copy(open_folder)
    ledger.path.chmod(0o444 if what != "folder" else 0o666)
    open_folder.chmod(0o555 if what != "file" else 0o777)
    before = ledger.path.read_bytes()
    found = run_apart(lambda: (len(ledger.entries()), ledger.check()), as_nobody=True)
    assert found.startswith("(6, [Finding(number=4, about='signature', is_broken=False")
    assert found.count("Finding") == 1
    error = run_apart(lambda: ledger.append(said(), evidence=rows(1)), as_nobody=True)
    assert error.startswith(LedgerReadOnly.__name__)
    assert "ledger.sqlite3" in error
    assert ledger.path.read_bytes() == before


def test_a_new_ledger_where_nobody_may_write(open_folder: Path, said, rows) -> None:
    """A ledger, or its folder, that cannot be made is an error that names it."""
    for path in (open_folder / "ledger.sqlite3", open_folder / "new" / "ledger.sqlite3"):
        ledger = Ledger(path)
        error = run_apart(
            lambda ledger=ledger: ledger.append(said(), evidence=rows(1)), as_nobody=True
        )
        assert re.match(r"Ledger(Error|ReadOnly): .*ledger\.sqlite3", error)
        assert not path.exists()


def big_rows() -> Evidence:
    """Rows that need about 1 MB."""
    return Evidence([gather("images", ["a"], [(None, n, [os.urandom(32)]) for n in range(20_000)])])


def test_no_file_may_grow(tmp_path: Path, signed, said) -> None:
    """Where the system lets no file grow further, signing is an error and leaves the old state."""
    ledger = signed.copy(tmp_path)
    size = ledger.path.stat().st_size

    def sign() -> object:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, size + 200_000))
        return ledger.append(said(), evidence=big_rows())

    error = run_apart(sign)
    assert error.startswith(LedgerError.__name__)
    assert "quota" in error
    assert ledger.check(kept=signed.head, reviewers=signed.reviewers)[0].number == 4
    assert len(ledger.lines()) == 6


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 kB, where we may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], capture_output=True, timeout=60
    )
    if made.returncode != 0:
        pytest.skip("a small disk can be mounted by root alone")
    yield disk
    subprocess.run(["umount", disk], check=True, timeout=60)


@pytest.mark.parametrize("is_new", [False, True])
def test_a_full_disk(small_disk: Path, signed, said, rows, is_new: bool) -> None:
    """A disk that fills up while signing: an error that says so, and the old state."""
    ledger = Ledger(small_disk / "ledger.sqlite3") if is_new else signed.copy(small_disk)
    before = ledger.head()
    with pytest.raises(LedgerFull, match="no room"):
        ledger.append(said(), evidence=big_rows())
    assert ledger.head() == before
    with (small_disk / "filler").open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"x" * 4096)
    with pytest.raises(LedgerFull, match="no room"):
        ledger.append(said(), evidence=rows(1))
    with pytest.raises(LedgerFull, match="cannot write"):
        write_export(Ledger(signed.folder / "ledger.sqlite3").entries(), small_disk / "export")
    assert {p.name for p in small_disk.iterdir()} <= {"ledger.sqlite3", "filler"}
    (small_disk / "filler").unlink()
    assert ledger.append(said(), evidence=rows(1)).number == before.number + 1
    assert not any(one.is_broken for one in ledger.check(reviewers=signed.reviewers))


def test_reviewers_who_make_it_at_once(tmp_path: Path, said, rows) -> None:
    """Where nobody has signed yet, several who sign at once make one ledger, and all are in it."""
    for n in range(25):
        path = tmp_path / f"{n}.sqlite3"
        with ThreadPoolExecutor(6) as pool:
            futures = [pool.submit(Ledger(path).append, said(), evidence=rows(1)) for _ in range(6)]
            numbers = sorted(future.result().number for future in futures)
        assert numbers == [1, 2, 3, 4, 5, 6]
        assert not [one for one in Ledger(path).check() if one.is_broken]
