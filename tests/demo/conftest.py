"""Seasons that the tests of this folder read, each made once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from contimg_lab.demo import Season, Truth, make_season, read_truth

KINDS = {
    "unified": Season(),
    "untidy": Season(untidy=True),
    "split": Season(layout="split"),
    "split-old": Season(layout="split-old"),
}


@pytest.fixture(scope="session")
def seasons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("seasons")
    return {name: make_season(base / name, season) for name, season in KINDS.items()}


def _open(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(
        sqlite3.connect(f"file:{folder / 'pipeline.sqlite3'}?mode=ro&immutable=1", uri=True)
    ) as found:
        yield found


@pytest.fixture
def tidy(seasons: dict[str, Path]) -> Iterator[sqlite3.Connection]:
    yield from _open(seasons["unified"])


@pytest.fixture
def untidy(seasons: dict[str, Path]) -> Iterator[sqlite3.Connection]:
    yield from _open(seasons["untidy"])


@pytest.fixture(scope="session")
def truth(seasons: dict[str, Path]) -> Truth:
    return read_truth(seasons["unified"])


@pytest.fixture(scope="session")
def untidy_truth(seasons: dict[str, Path]) -> Truth:
    return read_truth(seasons["untidy"])
