"""The command as a whole: help, words that mean nothing, the script, interrupts."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import contimg_lab
from contimg_lab.cli import main


@pytest.mark.parametrize("words", [[], ["dashboard"], ["demo"], ["doctor"], ["lab"]])
def test_help(command, words: list[str]) -> None:
    """The command and each of its commands explain themselves."""
    said = command(*words, "--help")
    assert said.returncode == 0
    assert said.stdout.startswith("usage: contimg-lab")
    assert len(said.stdout.splitlines()) > 8


def test_commands_are_sorted(command) -> None:
    """The help lists every command, in order of name."""
    lines = command("--help").stdout.splitlines()
    names = [line.split()[0] for line in lines if line.startswith("    ") and line[4] != " "]
    assert names == sorted(names)
    assert {"dashboard", "demo", "doctor", "lab"} <= set(names)


@pytest.mark.parametrize("words", [[], ["nonsense"], ["doctor", "--nonsense"]])
def test_words_that_mean_nothing(command, words: list[str]) -> None:
    """Unknown words end with exit code 2 and the usage, never with a traceback."""
    said = command(*words)
    assert said.returncode == 2
    assert "usage:" in said.stderr
    assert "Traceback" not in said.stderr


def test_script_is_installed() -> None:
    """The script ``contimg-lab`` stands beside the Python it was installed for."""
    script = Path(sys.executable).with_name("contimg-lab")
    said = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=60)
    assert said.stdout.split() == ["contimg-lab", contimg_lab.__version__]


def test_main_takes_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """``main`` runs a command in this process and returns its exit code."""
    assert main(["doctor", "--db", str(tmp_path / "nothing.sqlite3")]) == 2
    assert "nothing.sqlite3" in capsys.readouterr().err


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while a season is made ends with exit code 130 and leaves no half of it."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "contimg_lab", "demo", "--no-serve"),
            *("--photometry-rows", "9000000", "--cache", tmp_path),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60.0
    while not list(tmp_path.glob(".*/*.sqlite3")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())
