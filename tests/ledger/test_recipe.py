"""The recipes of the page on the ledger verify an export, without this package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contimg_lab.ledger.canonical import canonical
from contimg_lab.ledger.export import write_export
from contimg_lab.ledger.store import Ledger

PAGE = Path(__file__).resolve().parents[2] / "notebooks" / "ledger.md"
CHAIN, SIGNATURES = re.findall(
    r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def run(recipe: str, export: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run a recipe on an export in a Python that knows neither our folder nor our settings."""
    return subprocess.run(
        [sys.executable, "-I", *flags, "-c", recipe, export],
        capture_output=True, text=True, timeout=60, cwd=export.parent,
    )  # fmt: skip


@pytest.fixture
def export(tmp_path: Path, signed) -> Path:
    """An export of six entries."""
    path = tmp_path / "export.jsonl"
    write_export(Ledger(signed.folder / "ledger.sqlite3").entries(), path)
    return path


def test_ten_lines(signed, export: Path) -> None:
    """The chain is verified by ten lines that need no package, and they print the head."""
    assert len([line for line in CHAIN.splitlines() if line]) == 10
    assert set(re.findall(r"^(?:import|from) (.*)$", CHAIN, re.MULTILINE)) == {"hashlib, json, sys"}
    said = run(CHAIN, export, "-S")
    assert said.stdout == f"6 entries, the last one has the hash {signed.head.hash}\n"
    assert said.returncode == 0


def test_an_empty_export(tmp_path: Path) -> None:
    """An export without entries has none, and says so."""
    write_export([], tmp_path / "export.jsonl")
    assert run(CHAIN, tmp_path / "export.jsonl", "-S").stdout.startswith("0 entries")


def changed(lines: list[str], how: str) -> list[str]:
    """Do to an export what should be found."""
    told = json.loads(lines[2])
    if how == "another reason":
        told["body"]["reason"] += "."
    if how == "another hash":
        told["hash"] = told["hash"][::-1]
    lines = [*lines[:2], canonical(told), *lines[3:]]
    return {
        "swapped": [lines[1], lines[0], *lines[2:]],
        "one gone": [*lines[:2], *lines[3:]],
        "the first gone": lines[1:],
        "one twice": [*lines[:3], *lines[2:]],
    }.get(how, lines)


@pytest.mark.parametrize(
    "how",
    ["another reason", "another hash", "swapped", "one gone", "the first gone", "one twice"],
)
def test_what_the_ten_lines_find(export: Path, how: str) -> None:
    """A change, another order, a gap and a repetition end with an error that names the entry."""
    lines = export.read_text().splitlines()
    export.write_text("".join(line + "\n" for line in changed(lines, how)))
    said = run(CHAIN, export, "-S")
    assert said.returncode == 1
    assert re.fullmatch(r"entry \d is not what was written there\n", said.stderr)


def test_signatures(signed, export: Path) -> None:
    """The second recipe prints who signed with which key, and stops at a wrong signature."""
    said = run(SIGNATURES, export)
    keys = [line.split()[-1] for line in said.stdout.splitlines()]
    ana, bo = (signed.keys[name].public_key for name in ("Ana Núñez", "Bo"))
    assert keys == [ana, ana, bo, "signed", ana, bo]
    for signature in (None, "0" * 128):
        lines = export.read_text().splitlines()
        told = json.loads(lines[1])
        told["signature"] = signature
        export.write_text("\n".join([lines[0], canonical(told), *lines[2:], ""]))
        said = run(SIGNATURES, export)
        assert said.returncode == 1
        assert "signature" in said.stderr.lower()
