"""Killed at any instant, or written by two at once, a ledger is whole and keeps what it told."""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contimg_lab.ledger._file import writing
from contimg_lab.ledger.chain import START, Head
from contimg_lab.ledger.store import Ledger

WRITER = Path(__file__).with_name("writer.py")


def start(path: Path, said, most: int, n_rows: int) -> subprocess.Popen[str]:
    """Start a writer; it waits for a line before it signs."""
    child = subprocess.Popen(
        [sys.executable, WRITER, path, json.dumps(said()), str(most), str(n_rows)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def go(child: subprocess.Popen[str]) -> None:
    """Let a writer begin."""
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def heads(said: str) -> list[Head]:
    """What a writer said; a line that the kill cut off was not said."""
    lines = said.split("\n")[:-1]
    return [Head(int(number), hash_) for number, hash_ in (line.split(" ") for line in lines)]


def kill_rounds(folder: Path, said, n_rounds: int, seed: int) -> dict[str, int]:
    """Kill a writer at a random instant, again and again; every other time on a new ledger."""
    dice = random.Random(seed)
    count = dict.fromkeys(("acknowledged", "kept without being told", "in a transaction"), 0)
    ledger = Ledger(folder / "0.sqlite3")
    for n in range(n_rounds):
        if n % 2 == 0:
            ledger = Ledger(folder / f"{n}.sqlite3")
        before = ledger.head()
        child = start(ledger.path, said, 10**6, dice.choice([1, 200, 5000]))
        go(child)
        time.sleep(dice.uniform(0.0, 0.03 if dice.random() < 0.5 else 0.4))
        child.send_signal(signal.SIGKILL)
        told = heads(child.communicate()[0])
        count["in a transaction"] += Path(f"{ledger.path}-journal").exists()

        after = ledger.head()
        if after.number == 0:
            assert told == []
            continue
        last = told[-1] if told else before
        assert ledger.check(kept=last) == [], "nothing that was told is lost, nothing is half there"
        assert [head.number for head in told] == list(
            range(before.number + 1, before.number + 1 + len(told))
        )
        stored = [entry.head for entry in ledger.entries()]
        assert stored[before.number : last.number] == told
        assert after.number - last.number in (0, 1), "at most one was kept before it could be told"
        count["acknowledged"] += len(told)
        count["kept without being told"] += after.number - last.number
    return count


def test_killed_at_random_instants(tmp_path: Path, said) -> None:
    """After each of ten kills the chain is valid, and holds every entry that was told."""
    count = kill_rounds(tmp_path, said, 10, seed=110)
    print("10 kills:", count)
    assert count["acknowledged"] > 0


@pytest.mark.slow
def test_killed_two_hundred_times(tmp_path: Path, said) -> None:
    """After each of two hundred kills the same holds: `pytest -s -m slow tests/ledger`."""
    count = kill_rounds(tmp_path, said, 200, seed=7)
    print("\n200 kills:", count)
    assert count["acknowledged"] > 200
    assert count["in a transaction"] > 20


def test_killed_while_a_large_entry_spills(tmp_path: Path, said, rows) -> None:
    """A kill while the first, large entry is half on the disk leaves a ledger without entries."""
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    child = os.fork()
    if child == 0:
        with writing(ledger.path, 1.0) as connection:
            connection.execute("PRAGMA cache_size = 2")
            zeros = "0" * 64
            connection.execute("INSERT INTO entries VALUES (1, ?, 'hash', 'entry')", (zeros,))
            connection.execute("INSERT INTO evidence VALUES (1, zeroblob(3000000))")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert Path(f"{ledger.path}-journal").exists()
    assert ledger.path.stat().st_size > 1_000_000
    assert ledger.head() == START
    assert ledger.append(said(), evidence=rows(1)).number == 1
    assert not any(finding.is_broken for finding in ledger.check(kept=ledger.head()))


def hot_journal(path: Path, n_pages: int, first_page: bytes = b"") -> None:
    """Leave the journal that a kill leaves, which brings back a size and perhaps the first page."""
    magic = bytes.fromhex("d9d505f920a163d7")
    header = struct.pack(">8sIIIII", magic, bool(first_page), 1, n_pages, 512, 4096)
    check = 1 + sum(first_page[place] for place in range(4096 - 200, 0, -200)) if first_page else 0
    page = struct.pack(">I", 1) + first_page + struct.pack(">I", check) if first_page else b""
    Path(f"{path}-journal").write_bytes(header.ljust(512, b"\0") + page)


@pytest.mark.parametrize("n_pages_written", [1, 3, None])
def test_killed_while_it_is_made(tmp_path: Path, signed, said, rows, n_pages_written) -> None:
    """Killed after any page of a new ledger was written, there is a ledger not made yet."""
    ledger = signed.copy(tmp_path)
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[: (n_pages_written or len(whole)) * 4096])
    hot_journal(ledger.path, 0)
    assert ledger.head() == START
    assert ledger.path.stat().st_size == 0
    assert ledger.append(said(), evidence=rows(1)).number == 1


def test_killed_between_the_pages_of_an_entry(tmp_path: Path, signed, said, rows) -> None:
    """Killed when the first page already counts pages that were not written: the old state."""
    ledger = signed.copy(tmp_path)
    whole = ledger.path.read_bytes()
    n_pages = len(whole) // 4096
    more = whole[:28] + struct.pack(">I", n_pages + 5) + whole[32:]
    ledger.path.write_bytes(more)
    hot_journal(ledger.path, n_pages, whole[:4096])
    assert ledger.head() == signed.head
    assert ledger.path.read_bytes() == whole
    assert not any(finding.is_broken for finding in ledger.check(kept=signed.head))
    assert ledger.append(said(), evidence=rows(1)).number == 7


def test_two_reviewers_at_once(tmp_path: Path, said) -> None:
    """Two processes that sign at once make one chain, with every entry that either was told."""
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    children = [start(ledger.path, said, 25, 20) for _ in range(2)]
    for child in children:
        go(child)
    told = [heads(child.communicate(timeout=300)[0]) for child in children]
    assert [len(heads_) for heads_ in told] == [25, 25]
    assert ledger.check(kept=ledger.head()) == []
    stored = [entry.head for entry in ledger.entries()]
    assert sorted(told[0] + told[1], key=lambda head: head.number) == stored
    assert len({entry.body["public_key"] for entry in ledger.entries()}) == 2
