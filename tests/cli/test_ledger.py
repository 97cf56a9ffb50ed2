"""``contimg-lab ledger`` and ``contimg-lab qa key``: words, files and exit codes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contimg_lab.ledger.evidence import Evidence, gather
from contimg_lab.ledger.keys import SigningKey, load_key
from contimg_lab.ledger.store import Ledger


def said(**members: object) -> dict[str, Any]:
    """What an entry says, with members of one's own choice."""
    return {
        "kind": "sign-off",
        "corrects": None,
        "reviewer": "Ana Núñez",
        "listed": True,
        "night": "2025-10-09",
        "hours": {"06": {"decision": "accept with exceptions", "promotion": "comparator_only"}},
        "decision": "accept with exceptions",
        "reason": "as on other nights",
        "exceptions": [{"check": "noise", "hour": "06", "key": None, "reason": "bright source"}],
        "notes": "seen twice",
        "versions": {"contimg_lab": "0.1.0"},
        "thresholds": {"name": "dsa110", "digest": "0" * 64, "values": {"snr": 3.0}},
        "results": [{"check": "noise", "hour": "06", "key": None, "word": "fail", "value": 0.1}],
        "recommendation": {"decision": "reject", "rule": "a check failed"},
        "database": {"identity": "1" * 64, "layout": "unified"},
        **members,
    }


@pytest.fixture
def site(tmp_path: Path) -> tuple[Path, dict[str, str], SigningKey]:
    """A ledger of two entries by a listed reviewer, and the environment that names it."""
    key = SigningKey()
    listing = tmp_path / "site.toml"
    listing.write_text(f'[[reviewers]]\nname = "Ana Núñez"\npublic_keys = ["{key.public_key}"]\n')
    path = tmp_path / "ledger.sqlite3"
    rows = Evidence([gather("images", ["noise_jy"], [("06", 1, [0.1]), (None, 2, [None])])])
    for _ in range(2):
        Ledger(path).append(said(), evidence=rows, key=key)
    env = {
        **os.environ,
        "CONTIMG_LAB_LEDGER": str(path),
        "CONTIMG_LAB_THRESHOLDS": str(listing),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    return path, env, key


def test_list_show_and_export(command: Callable[..., Any], site, tmp_path: Path) -> None:
    """Every entry is listed and shown with what it says, and exported as lines that read back."""
    path, env, key = site
    first, last = Ledger(path).entries()
    listed = command("ledger", "list", env=env)
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert lines[1] == (
        f"  1: night 2025-10-09 accept with exceptions, Ana Núñez, {first.body['signed_at']}"
    )
    assert lines[-1] == f"head: 2:{last.hash}"
    told = json.loads(command("ledger", "list", "--json", env=env).stdout)
    assert told["head"] == {"number": 2, "hash": last.hash}
    assert told["entries"][0]["body"] == first.body
    shown = command("ledger", "show", 1, env=env).stdout
    for words in (
        "reason: as on other nights",
        "hour 06: accept with exceptions, comparator_only",
        "exception: noise, hour 06: bright source",
        "notes: seen twice",
        "results: 1 fail",
        f"key: {key.public_key}",
        f"hash: {first.hash}",
    ):
        assert words in shown.splitlines()
    assert json.loads(command("ledger", "show", 2, "--json", env=env).stdout)["hash"] == last.hash
    export = tmp_path / "export.jsonl"
    assert command("ledger", "export", export, env=env).returncode == 0
    assert export.read_text() == f"{first.text}\n{last.text}\n"
    again = command("ledger", "export", export, env=env)
    assert again.returncode == 2
    assert "there already" in again.stderr
    assert command("ledger", "show", 3, env=env).returncode == 2


def test_no_ledger_yet(command: Callable[..., Any], tmp_path: Path) -> None:
    """Where nobody has signed, listing says so, and verifying could not tell."""
    env = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    listed = command("ledger", "list", env=env)
    assert listed.returncode == 0
    assert listed.stdout.splitlines() == [
        f"ledger: {tmp_path / 'contimg_lab' / 'ledger.sqlite3'}",
        "nobody has signed yet",
    ]
    checked = command("ledger", "verify", env=env)
    assert checked.returncode == 3
    assert "no ledger" in checked.stderr
    assert list(tmp_path.iterdir()) == []


def test_verify_holds(command: Callable[..., Any], site) -> None:
    """A ledger as it was written, by listed reviewers, holds: exit code 0."""
    path, env, _ = site
    head = Ledger(path).head()
    for more in ((), ("--head", f"2:{head.hash}"), ("--head", f"1:{Ledger(path).entry(1).hash}")):
        checked = command("ledger", "verify", *more, env=env)
        assert (checked.returncode, checked.stderr) == (0, "")
        assert checked.stdout.splitlines()[1:] == [f"head: 2:{head.hash}", "holds"]


@pytest.mark.parametrize("who", ["unsigned", "unlisted"])
def test_verify_warns(command: Callable[..., Any], site, who: str) -> None:
    """An entry without a key, or of who is not listed, is a warning: exit code 1."""
    path, env, key = site
    members = {"reviewer": "Bo", "listed": False} if who == "unlisted" else {"listed": False}
    signing = key if who == "unlisted" else None
    Ledger(path).append(said(**members), evidence=Evidence(), key=signing)
    checked = command("ledger", "verify", "--json", env=env)
    assert checked.returncode == 1
    told = json.loads(checked.stdout)
    assert (told["word"], told["exit_code"]) == ("warnings", 1)
    assert {one["number"] for one in told["findings"]} == {3}
    assert not any(one["is_broken"] for one in told["findings"])


@pytest.mark.parametrize("how", ["a letter", "a signature", "evidence", "the end", "no list"])
def test_verify_finds_what_is_broken(command: Callable[..., Any], site, how: str) -> None:
    """Whatever was changed, cut off or never listed is named, with exit code 2."""
    path, env, _ = site
    words = ["--head", f"2:{Ledger(path).head().hash}"]
    if how == "no list":
        env = {k: v for k, v in env.items() if k != "CONTIMG_LAB_THRESHOLDS"}
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        for name, _ in (held := guards.fetchall()):
            connection.execute(f"DROP TRIGGER {name}")
        (text,) = connection.execute("SELECT entry FROM entries WHERE number = 1").fetchone()
        if how == "a letter":
            text = text.replace("as on other nights", "as on other night.")
        elif how == "a signature":
            told = json.loads(text)
            text = text.replace(told["signature"], told["signature"][::-1])
        connection.execute("UPDATE entries SET entry = ? WHERE number = 1", (text,))
        if how == "evidence":
            connection.execute("UPDATE evidence SET packed = ? WHERE number = 1", (b"nothing",))
        if how == "the end":
            connection.execute("DELETE FROM evidence WHERE number = 2")
            connection.execute("DELETE FROM entries WHERE number = 2")
        for _, sql in held:
            connection.execute(sql)
        connection.commit()
    checked = command("ledger", "verify", *words, env=env)
    assert checked.returncode == 2
    broken = [line for line in checked.stdout.splitlines() if "BROKEN" in line]
    assert broken
    assert checked.stdout.splitlines()[-1] == "broken"
    place = "the ledger: the end is cut off" if how == "the end" else "entry 1"
    assert any(place in line for line in broken), broken


def test_verify_cannot_tell(command: Callable[..., Any], site, tmp_path: Path) -> None:
    """A head that is none, or a database that is not there, could not be told: exit code 3."""
    _, env, _ = site
    checked = command("ledger", "verify", "--head", "two", env=env)
    assert checked.returncode == 3
    assert "NUMBER:HASH" in checked.stderr
    checked = command("ledger", "verify", "--against", tmp_path / "nowhere", env=env)
    assert checked.returncode == 3
    assert "could not tell: " in checked.stdout


def test_another_file_is_no_ledger(command: Callable[..., Any], season_folder) -> None:
    """The pipeline's own file is refused as a ledger, and stays as it is."""
    file = season_folder() / "pipeline.sqlite3"
    before = file.read_bytes()
    checked = command("ledger", "verify", "--ledger", file)
    assert checked.returncode == 2
    assert "belongs to the pipeline" in checked.stderr
    assert command("ledger", "list", "--ledger", file).returncode == 2
    assert file.read_bytes() == before


PROBE = """
import sys
from contimg_lab.cli import main
assert main(["ledger", "verify"]) == 0
heavy = ("IPython", "anywidget", "ipywidgets", "matplotlib", "pandas", "scipy", "traitlets")
print([name for name in heavy if name in sys.modules])
"""


def test_verifying_is_light(site) -> None:
    """Verifying without a database imports no pandas and no widgets."""
    _, env, _ = site
    probe = subprocess.run(
        [sys.executable, "-c", PROBE], env=env, capture_output=True, text=True, timeout=60
    )
    assert probe.returncode == 0, probe.stderr
    assert probe.stdout.splitlines()[-1] == "[]"


def test_key(command: Callable[..., Any], site, tmp_path: Path) -> None:
    """A key is made once, for its owner alone, and the printed lines list its public half."""
    _, env, _ = site
    name = 'Ana "the second" Núñez'
    made = command("qa", "key", "--name", name, env=env)
    assert made.returncode == 0, made.stderr
    listing = tomllib.loads(made.stdout.partition("\n\n")[2].partition("\n\n")[2])
    (file,) = (tmp_path / "config").rglob("*.pem")
    assert listing["reviewers"] == [
        {"name": name, "public_keys": [load_key(file).public_key]},
    ]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in made.stdout
    again = command("qa", "key", "--name", name, env=env)
    assert again.stdout.splitlines()[2:] == made.stdout.splitlines()[2:]
    assert "there already" in again.stdout
    file.chmod(0o644)
    refused = command("qa", "key", "--name", name, env=env)
    assert refused.returncode == 2
    assert "others than you" in refused.stderr
    assert command("qa", "key", "--name", " ", env=env).returncode == 2
