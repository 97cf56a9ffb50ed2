"""``contimg-lab demo`` and ``lab``: what they say, and that it is what the Lab says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from contimg_lab import blocking as cl


@pytest.fixture(scope="module")
def told(command, season_folder: Callable[..., Path]) -> str:
    """What ``demo`` prints on the default season."""
    said = command("demo", "--no-serve", "--cache", season_folder().parent)
    assert said.returncode == 0, said.stderr
    assert said.stderr == ""
    return said.stdout


def candidates(text: str) -> list[tuple[str, str]]:
    """Name and eta of each source that was printed."""
    _, _, table = text.partition("largest eta first")
    rows = re.findall(r"^  (\S+ \S+) +\d+ +\S+ +\S+ +(\S+)  ", table, re.MULTILINE)
    return [(name, eta) for name, eta in rows if name.split()[0] in {"NVSS", "DSA"}]


def test_failures_of_last_night(told: str, season_folder: Callable[..., Path]) -> None:
    """Each failed run of the last night stands there with its cause, MS and message line."""
    with cl.open(season_folder()) as lab:
        night = lab.qa.night(lab.last_night())
        truth = cl.demo_truth(cache=season_folder().parent)
    assert night.failed
    lines = [line.strip() for line in told.splitlines()]
    for run in night.failed:
        at = next(i for i, line in enumerate(lines) if line.startswith(run.run_id))
        assert run.ms_path in lines[at]
        assert lines[at + 1].startswith((run.message or "no text says why")[:100])
        assert (run.cause or "unknown") in lines[:at]
    planted = {f.ms_path for f in truth.faults_of("failed_run") if f.night == night.night}
    assert planted <= {run.ms_path for run in night.failed}
    assert planted


def test_noisy_images_of_last_night(told: str, season_folder: Callable[..., Path]) -> None:
    """The noisiest tile image of the night is named where it is above twice the median."""
    with cl.open(season_folder()) as lab:
        night = lab.qa.night(lab.last_night())
    assert night.noise_max_jy is not None
    assert night.noise_median_jy is not None
    assert night.noise_max_jy > 2.0 * night.noise_median_jy
    assert f"{night.noise_max_jy * 1e3:.1f} mJy/beam: " in told


def test_sources_that_vary(told: str, season_folder: Callable[..., Path]) -> None:
    """The candidates are the Lab's own first ten by eta, and are called no more than that."""
    with cl.open(season_folder()) as lab:
        table = lab.sources.table()
    ranked = table[table["n_used"] >= 3].sort_values("eta", ascending=False, kind="stable")
    wanted = [(r.source_id, f"{r.eta:.2f}") for r in ranked.head(10).itertuples()]
    assert candidates(told) == wanted
    assert "Candidates only" in told


def test_truth_is_not_read(command, told: str, copy_of: Callable[..., Path]) -> None:
    """Without the planted truth beside it the same database gives the same words."""
    folder = copy_of()
    (folder / "truth.json").unlink()
    said = command("lab", folder, "--no-serve")
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip() == told.split("\n", 1)[1].strip()


def test_every_layout(command, database_folder: Path) -> None:
    """On each kind of database the last night and its sources are told."""
    said = command("lab", database_folder, "--no-serve")
    assert said.returncode == 0, said.stderr
    with cl.open(database_folder) as lab:
        assert f"Last night: {lab.last_night()} (UTC date)" in said.stdout
    assert candidates(said.stdout)
    assert all(line.isprintable() for line in said.stdout.splitlines())


def test_other_seasons(command, tmp_path: Path) -> None:
    """Layout, size and seed can be chosen, and are kept apart in the cache."""
    for words in (["--layout", "split"], ["--untidy"], ["--seed", "7"]):
        said = command("demo", "--no-serve", "--nights", "6", "--cache", tmp_path, *words)
        assert said.returncode == 0, said.stderr
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--nights", "2"], "nights"),
        (["--layout", "spilt"], "unified, split"),
        (["--layout", "split", "--untidy"], "untidy"),
        (["--photometry-rows", "0"], "photometry_rows"),
    ],
)
def test_bad_seasons(command, tmp_path: Path, words: list[str], hint: str) -> None:
    """A season that cannot be made gives one line that says why, and exit code 2."""
    said = command("demo", "--no-serve", "--cache", tmp_path, *words)
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert hint in line


def test_no_database(command, tmp_path: Path) -> None:
    """``lab`` where no database is gives one line that lists what was looked for."""
    said = command("lab", cwd=tmp_path)
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert "pipeline.sqlite3" in line
    assert "PIPELINE_DB" in line
