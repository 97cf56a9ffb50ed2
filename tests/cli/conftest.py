"""The command line in processes of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Run ``contimg-lab`` with these words, in an empty folder unless another is given."""
    empty = tmp_path_factory.mktemp("empty")

    def run(
        *words: object, cwd: Path = empty, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "contimg_lab", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=600,  # a night takes a kernel, and a busy machine its time
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
        )

    return run
